/* converse_translate.c: a Converse request as a Messages request (converse_translate of
 * converse.h).
 *
 * A cachePoint becomes the cache_control of the block before it; toolConfig, inferenceConfig and
 * outputConfig become their namesakes; additionalModelRequestFields are merged in at top level, as
 * Bedrock does. Bytes stay base64. Nothing is judged here.
 */
#include "tests/sim/aws/converse.h"

#define TRANSLATE_MAX (4 * REQUEST_BODY_MAX)

struct translator {
    const struct converse *converse;
    struct json_writer w;
    struct buf text;
};

static struct str translate_text(const struct translator *t, const struct json *node,
                                 const char *name)
{
    return call_text(t->converse->call, node, name);
}

/* The mark of a cachePoint that follows this item of a list. */
static void translate_mark(struct translator *t, const struct json *item)
{
    const struct json *point = item->next == NULL ? NULL : json_get(item->next, "cachePoint");
    struct str ttl = translate_text(t, point, "ttl");
    if (point == NULL)
        return;
    jw_key(&t->w, "cache_control");
    jw_object(&t->w);
    jw_field_cstr(&t->w, "type", "ephemeral");
    if (ttl.p != NULL)
        jw_field_str(&t->w, "ttl", ttl);
    jw_end(&t->w);
}

static void translate_source(struct translator *t, const struct json *media, const char *kind,
                             struct str format)
{
    const struct json *source = json_get(media, "source"), *content = json_get(source, "content");
    char type[64];
    (void)snprintf(type, sizeof type, "%s/" STR_FMT, kind, STR_ARG(str_head(format, 32)));
    jw_key(&t->w, "source");
    jw_object(&t->w);
    if (json_get(source, "text") != NULL) {
        jw_field_cstr(&t->w, "type", "text");
        jw_field_cstr(&t->w, "media_type", "text/plain");
        jw_field_raw(&t->w, "data", json_get(source, "text")->raw);
    } else if (content != NULL) {
        jw_field_cstr(&t->w, "type", "content");
        jw_key(&t->w, "content");
        jw_array(&t->w);
        for (const struct json *part = content->first; part != NULL; part = part->next) {
            jw_object(&t->w);
            jw_field_cstr(&t->w, "type", "text");
            jw_field_raw(&t->w, "text", json_get(part, "text")->raw);
            jw_end(&t->w);
        }
        jw_end(&t->w);
    } else if (json_get(source, "bytes") != NULL) {
        jw_field_cstr(&t->w, "type", "base64");
        jw_field_cstr(&t->w, "media_type", type);
        jw_field_raw(&t->w, "data", json_get(source, "bytes")->raw);
    } else {
        jw_field_cstr(&t->w, "type", "url");
        jw_field_cstr(&t->w, "url", "https://s3.amazonaws.com/");
    }
    jw_end(&t->w);
}

static void translate_media(struct translator *t, const struct json *block)
{
    const struct json *image = json_get(block, "image"), *document = json_get(block, "document");
    jw_field_cstr(&t->w, "type", image != NULL ? "image" : "document");
    if (image != NULL) {
        translate_source(t, image, "image", translate_text(t, image, "format"));
        return;
    }
    struct str format = translate_text(t, document, "format");
    const struct json *source = json_get(document, "source");
    bool pdf = str_eq(format, STR("pdf")) || json_get(source, "bytes") == NULL;
    if (pdf) {
        translate_source(t, document, "application", STR("pdf"));
    } else { /* Bedrock reads other formats itself */
        jw_field_raw(&t->w, "source",
                     STR("{\"type\":\"url\",\"url\":\"https://bedrock.invalid/\"}"));
    }
    jw_field_str(&t->w, "title", translate_text(t, document, "name"));
}

static void translate_result(struct translator *t, const struct json *result)
{
    struct str status = translate_text(t, result, "status");
    jw_field_cstr(&t->w, "type", "tool_result");
    jw_field_str(&t->w, "tool_use_id", translate_text(t, result, "toolUseId"));
    if (str_eq(status, STR("error")))
        jw_field_bool(&t->w, "is_error", true);
    jw_key(&t->w, "content");
    jw_array(&t->w);
    for (const struct json *part = json_get(result, "content")->first; part != NULL;
         part = part->next) {
        const struct json *json = json_get(part, "json");
        jw_object(&t->w);
        if (json != NULL || json_get(part, "text") != NULL) {
            jw_field_cstr(&t->w, "type", "text");
            jw_field_str(&t->w, "text", json != NULL ? json->raw : translate_text(t, part, "text"));
        } else {
            translate_media(t, part);
        }
        jw_end(&t->w);
    }
    jw_end(&t->w);
}

static void translate_reasoning(struct translator *t, const struct json *reasoning)
{
    const struct json *text = json_get(reasoning, "reasoningText");
    struct str signature = translate_text(t, text, "signature");
    if (text == NULL) {
        jw_field_cstr(&t->w, "type", "redacted_thinking");
        jw_field_str(&t->w, "data", translate_text(t, reasoning, "redactedContent"));
        return;
    }
    jw_field_cstr(&t->w, "type", "thinking");
    jw_field_str(&t->w, "thinking", translate_text(t, text, "text"));
    jw_field_str(&t->w, "signature", signature.p == NULL ? STR("") : signature);
}

static void translate_block(struct translator *t, const struct json *block)
{
    const struct json *use = json_get(block, "toolUse"), *result = json_get(block, "toolResult");
    const struct json *reasoning = json_get(block, "reasoningContent");
    if (json_get(block, "cachePoint") != NULL || json_get(block, "guardContent") != NULL ||
        json_get(block, "citationsContent") != NULL)
        return;
    jw_object(&t->w);
    if (json_get(block, "text") != NULL) {
        jw_field_cstr(&t->w, "type", "text");
        jw_field_raw(&t->w, "text", json_get(block, "text")->raw);
    } else if (use != NULL) {
        jw_field_cstr(&t->w, "type", "tool_use");
        jw_field_str(&t->w, "id", translate_text(t, use, "toolUseId"));
        jw_field_str(&t->w, "name", translate_text(t, use, "name"));
        jw_field_raw(&t->w, "input", json_get(use, "input")->raw);
    } else if (result != NULL) {
        translate_result(t, result);
    } else if (reasoning != NULL) {
        translate_reasoning(t, reasoning);
    } else if (json_get(block, "searchResult") != NULL) {
        jw_field_cstr(&t->w, "type", "text");
        jw_field_str(&t->w, "text", json_get(block, "searchResult")->raw);
    } else {
        translate_media(t, block);
    }
    if (reasoning == NULL)
        translate_mark(t, block);
    jw_end(&t->w);
}

static void translate_messages(struct translator *t)
{
    const struct json *system = json_get(t->converse->body, "system");
    jw_key(&t->w, "system");
    jw_array(&t->w);
    for (const struct json *block = system == NULL ? NULL : system->first; block != NULL;
         block = block->next)
        translate_block(t, block);
    jw_end(&t->w);
    jw_key(&t->w, "messages");
    jw_array(&t->w);
    for (const struct json *m = json_get(t->converse->body, "messages")->first; m != NULL;
         m = m->next) {
        jw_object(&t->w);
        jw_field_raw(&t->w, "role", json_get(m, "role")->raw);
        jw_key(&t->w, "content");
        jw_array(&t->w);
        for (const struct json *block = json_get(m, "content")->first; block != NULL;
             block = block->next)
            translate_block(t, block);
        jw_end(&t->w);
        jw_end(&t->w);
    }
    jw_end(&t->w);
}

static void translate_tools(struct translator *t)
{
    const struct json *config = json_get(t->converse->body, "toolConfig");
    const struct json *choice = json_get(config, "toolChoice"), *named = json_get(choice, "tool");
    if (config == NULL)
        return;
    jw_key(&t->w, "tools");
    jw_array(&t->w);
    for (const struct json *tool = json_get(config, "tools")->first; tool != NULL;
         tool = tool->next) {
        const struct json *spec = json_get(tool, "toolSpec");
        if (spec == NULL)
            continue;
        jw_object(&t->w);
        jw_field_raw(&t->w, "name", json_get(spec, "name")->raw);
        if (json_get(spec, "description") != NULL)
            jw_field_raw(&t->w, "description", json_get(spec, "description")->raw);
        jw_field_raw(&t->w, "input_schema", json_get(json_get(spec, "inputSchema"), "json")->raw);
        if (call_flag(spec, "strict"))
            jw_field_bool(&t->w, "strict", true);
        translate_mark(t, tool);
        jw_end(&t->w);
    }
    jw_end(&t->w);
    if (choice == NULL)
        return;
    jw_key(&t->w, "tool_choice");
    jw_object(&t->w);
    jw_field_cstr(&t->w, "type",
                  named != NULL                     ? "tool"
                  : json_get(choice, "any") != NULL ? "any"
                                                    : "auto");
    if (named != NULL)
        jw_field_raw(&t->w, "name", json_get(named, "name")->raw);
    jw_end(&t->w);
}

static void translate_output(struct translator *t)
{
    const struct json *output = json_get(t->converse->body, "outputConfig");
    const struct json *schema =
        json_get(json_get(json_get(output, "textFormat"), "structure"), "jsonSchema");
    if (output == NULL)
        return;
    jw_key(&t->w, "output_config");
    jw_object(&t->w);
    if (json_get(output, "effort") != NULL)
        jw_field_raw(&t->w, "effort", json_get(output, "effort")->raw);
    if (schema != NULL) {
        jw_key(&t->w, "format");
        jw_object(&t->w);
        jw_field_cstr(&t->w, "type", "json_schema");
        jw_field_raw(&t->w, "schema", translate_text(t, schema, "schema"));
        jw_end(&t->w);
    }
    jw_end(&t->w);
}

static void translate_config(struct translator *t)
{
    static const struct {
        const char *from, *to;
    } names[] = {
        {"temperature", "temperature"}, {"topP", "top_p"}, {"stopSequences", "stop_sequences"}};
    const struct json *config = json_get(t->converse->body, "inferenceConfig");
    const struct json *more = json_get(t->converse->body, "additionalModelRequestFields");
    const struct claude *claude = t->converse->model.claude;
    if (json_get(config, "maxTokens") != NULL)
        jw_field_raw(&t->w, "max_tokens", json_get(config, "maxTokens")->raw);
    else if (json_get(more, "max_tokens") == NULL)
        jw_field_u64(&t->w, "max_tokens", claude == NULL ? 4096 : claude->max_output_tokens);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (json_get(config, names[i].from) != NULL)
            jw_field_raw(&t->w, names[i].to, json_get(config, names[i].from)->raw);
    }
    translate_output(t);
    for (const struct json *m = more == NULL ? NULL : more->first; m != NULL; m = m->next) {
        jw_key_str(&t->w, m->key);
        jw_raw(&t->w, m->raw);
    }
}

enum status converse_translate(const struct converse *converse, const struct json **messages)
{
    struct translator t = {.converse = converse};
    struct json *root = NULL;
    buf_init(&t.text, TRANSLATE_MAX);
    jw_init(&t.w, &t.text);
    jw_object(&t.w);
    if (converse->model.kind == BEDROCK_CLAUDE)
        jw_field_cstr(&t.w, "anthropic_version", "bedrock-2023-05-31");
    translate_tools(&t);
    translate_messages(&t);
    translate_config(&t);
    jw_end(&t.w);
    struct str text = buf_status(&t.text) == ST_OK
                          ? arena_str(converse->call->arena, buf_str(&t.text))
                          : STR_NONE;
    buf_free(&t.text);
    if (text.p == NULL || json_parse(converse->call->arena, text, NULL, &root, NULL) != ST_OK)
        return ST_NO_MEMORY;
    *messages = root;
    return ST_OK;
}
