/* front_anthropic_messages.c: system and messages of a Messages request, read.
 *
 *   system                    -> a SYSTEM message in front      tool_result -> TOOL_RESULT of the
 * USER role system among others  -> SYSTEM where it stands          tool_use    -> TOOL_CALL
 *
 * Signatures that came from another provider carry their origin (chat_proof_split); that of a call
 * stands in a redacted_thinking block in front of it. Blocks of an unknown type are kept whole
 * (NATIVE): the back says whether its provider takes them.
 */
#include "data-plane/dialect/front_anthropic.h"

struct reader {
    struct dialect_call *call;
    struct chat *chat;
    struct chat_message *message;
    struct chat_text call_proof; /* of the next call */
    struct str call_origin;
    const char *list; /* "messages", "system" */
    uint32_t at, calls;
};

static enum status no_memory(struct reader *r)
{
    return dialect_refuse(r->call, ST_NO_MEMORY, "Not enough memory.");
}

static enum status wrong(struct reader *r, struct chat_place place, const char *rule)
{
    struct str where = chat_place_text(r->call->arena, place);
    return dialect_refuse(r->call, ST_INVALID, STR_FMT ": %s", STR_ARG(where), rule);
}

static struct chat_place place_of(const struct reader *r, const char *field, uint32_t item)
{
    return (struct chat_place){r->list, field, r->at, item};
}

static bool is_type(const struct json *node, const char *word)
{
    const struct json *type = json_get(node, "type");
    return json_is(type, JSON_STRING) && str_eq(chat_text_inner(chat_text_of(type)), str_c(word));
}

static const struct json *member_or_null(const struct json *node, const char *name)
{
    const struct json *member = json_get(node, name);
    return json_is_none(member) ? NULL : member;
}

/* --- media */

static enum status read_source(struct reader *r, struct chat_part *part, const struct json *source)
{
    struct chat_media *media = &part->media;
    struct arena *arena = r->call->arena;
    const struct json *mime = json_get(source, "media_type"), *from;
    bool data = is_type(source, "base64"), text = is_type(source, "text");
    if (is_type(source, "url")) {
        enum status status = chat_media_url(arena, json_get(source, "url"), media);
        if (status == ST_NO_MEMORY)
            return no_memory(r);
        return status == ST_OK && media->inner.n > 0 ? ST_OK
                                                     : wrong(r, part->place, "a url is required.");
    }
    from = json_get(source, data || text ? "data" : "file_id");
    if ((!data && !text && !is_type(source, "file")) || !json_is(from, JSON_STRING))
        return wrong(r, part->place, "source must be base64, url, file or (documents) text.");
    media->source = data ? CHAT_SOURCE_DATA : text ? CHAT_SOURCE_TEXT : CHAT_SOURCE_ID;
    if (text) {
        media->inner = chat_text_inner(chat_text_of(from));
        return ST_OK;
    }
    if (chat_inner(arena, from, &media->inner) != ST_OK ||
        (json_is(mime, JSON_STRING) && json_text(mime, arena, &media->mime) != ST_OK))
        return no_memory(r);
    return ST_OK;
}

static enum status read_image(struct reader *r, struct chat_part *part, const struct json *node)
{
    return read_source(r, part, json_get(node, "source"));
}

/* A document of content blocks has no form elsewhere: it stays whole. */
static enum status read_document(struct reader *r, struct chat_part *part, const struct json *node)
{
    const struct json *source = json_get(node, "source");
    part->name = chat_text_of(json_get(node, "title"));
    part->about = chat_text_of(json_get(node, "context"));
    part->citing = member_or_null(node, "citations");
    if (is_type(source, "content")) {
        part->kind = CHAT_PART_NATIVE;
        return ST_OK;
    }
    return read_source(r, part, source);
}

/* --- thinking */

static enum status read_thinking(struct reader *r, struct chat_part *part, const struct json *node)
{
    enum chat_proof proof;
    part->text = chat_text_of(json_get(node, "thinking"));
    part->signature = chat_text_of(json_get(node, "signature"));
    if (chat_text_is_empty(part->signature))
        part->signature = CHAT_TEXT_NONE;
    else if (!chat_proof_split(part->signature, &part->origin, &proof, r->call->arena,
                               &part->signature))
        part->origin = STR(CLAUDE_SIGNS);
    return ST_OK;
}

/* Hidden thinking, or the proof of the call that follows. */
static enum status read_redacted(struct reader *r, const struct json *node, struct chat_place place,
                                 struct chat_parts *parts)
{
    struct chat_text data = chat_text_of(json_get(node, "data")), signature = data;
    struct str origin = STR(CLAUDE_SIGNS);
    enum chat_proof proof = CHAT_PROOF_REDACTED;
    if (chat_text_is_empty(data))
        return wrong(r, place, "data is required.");
    chat_proof_split(data, &origin, &proof, r->call->arena, &signature);
    if (proof == CHAT_PROOF_CALL) {
        r->call_proof = signature;
        r->call_origin = origin;
        return ST_OK;
    }
    struct chat_part *part = chat_add_part(r->call->arena, parts, CHAT_PART_REDACTED);
    if (part == NULL)
        return no_memory(r);
    part->place = place;
    part->signature = signature;
    part->origin = origin;
    return ST_OK;
}

/* --- calls and results */

static enum status read_call(struct reader *r, struct chat_part *part, const struct json *node)
{
    const struct json *input = json_get(node, "input");
    part->id = chat_text_of(json_get(node, "id"));
    part->name = chat_text_of(json_get(node, "name"));
    if (r->calls++ == CHAT_CALLS_MAX)
        return wrong(r, part->place, "too many calls in one message.");
    if (chat_text_is_empty(part->id) || chat_text_is_empty(part->name) ||
        !json_is(input, JSON_OBJECT))
        return wrong(r, part->place, "id, name and input (an object) are required.");
    part->json = input->raw;
    part->signature = r->call_proof;
    part->origin = r->call_origin;
    r->call_proof = CHAT_TEXT_NONE;
    r->call_origin = STR_NONE;
    return ST_OK;
}

static enum status read_content(struct reader *r, const struct json *content, const char *field,
                                bool inside, struct chat_parts *parts);

static enum status read_result(struct reader *r, struct chat_part *part, const struct json *node)
{
    const struct json *content = json_get(node, "content");
    part->id = chat_text_of(json_get(node, "tool_use_id"));
    part->failed = json_is(json_get(node, "is_error"), JSON_TRUE);
    if (chat_text_is_empty(part->id))
        return wrong(r, part->place, "tool_use_id is required.");
    return json_is_none(content) ? ST_OK : read_content(r, content, "content", true, &part->parts);
}

/* --- blocks */

static enum status read_text(struct reader *r, struct chat_part *part, const struct json *node)
{
    part->text = chat_text_of(json_get(node, "text"));
    return chat_has(part->text) ? ST_OK : wrong(r, part->place, "text must be a string.");
}

static enum status read_block(struct reader *r, const struct json *node, struct chat_place place,
                              bool inside, struct chat_parts *parts)
{
    static const struct {
        const char *type;
        enum chat_part_kind kind;
        bool inside; /* a result may hold it */
        enum status (*read)(struct reader *r, struct chat_part *part, const struct json *node);
    } types[] = {
        {"text", CHAT_PART_TEXT, true, read_text},
        {"image", CHAT_PART_IMAGE, true, read_image},
        {"document", CHAT_PART_FILE, true, read_document},
        {"thinking", CHAT_PART_THINKING, false, read_thinking},
        {"tool_use", CHAT_PART_TOOL_CALL, false, read_call},
        {"tool_result", CHAT_PART_TOOL_RESULT, false, read_result},
    };
    size_t i = 0;
    if (!json_is(json_get(node, "type"), JSON_STRING))
        return wrong(r, place, "type is required.");
    if (!inside && is_type(node, "redacted_thinking"))
        return read_redacted(r, node, place, parts);
    while (i < COUNT_OF(types) && !(is_type(node, types[i].type) && (!inside || types[i].inside)))
        i++;
    struct chat_part *part = chat_add_part(r->call->arena, parts,
                                           i < COUNT_OF(types) ? types[i].kind : CHAT_PART_NATIVE);
    if (part == NULL)
        return no_memory(r);
    part->place = place;
    part->cache = member_or_null(node, "cache_control");
    part->json = node->raw;
    return i < COUNT_OF(types) ? types[i].read(r, part, node) : ST_OK;
}

/* A string, or an array of blocks. */
static enum status read_content(struct reader *r, const struct json *content, const char *field,
                                bool inside, struct chat_parts *parts)
{
    uint32_t item = 0;
    if (json_is(content, JSON_STRING)) {
        struct chat_part *part = chat_add_part(r->call->arena, parts, CHAT_PART_TEXT);
        if (part == NULL)
            return no_memory(r);
        part->text = chat_text_of(content);
        part->place = place_of(r, field, CHAT_NO_INDEX);
        return ST_OK;
    }
    if (!json_is(content, JSON_ARRAY))
        return wrong(r, place_of(r, field, CHAT_NO_INDEX),
                     "must be a string or an array of blocks.");
    for (const struct json *node = content->first; node != NULL; node = node->next)
        TRY(read_block(r, node, place_of(r, field, item++), inside, parts));
    return ST_OK;
}

/* --- messages */

static enum status add_message(struct reader *r, enum chat_role role)
{
    r->calls = 0;
    r->call_proof = CHAT_TEXT_NONE;
    r->message = chat_add_message(r->call->arena, r->chat, role, r->at);
    return r->message == NULL ? no_memory(r) : ST_OK;
}

static enum status read_message(struct reader *r, const struct json *node)
{
    static const struct {
        const char *word;
        enum chat_role role;
    } roles[] = {{"\"user\"", CHAT_ROLE_USER},
                 {"\"assistant\"", CHAT_ROLE_ASSISTANT},
                 {"\"system\"", CHAT_ROLE_SYSTEM}};
    const struct json *role = json_get(node, "role");
    size_t i = 0;
    while (i < COUNT_OF(roles) &&
           !(json_is(role, JSON_STRING) && str_eq(role->raw, str_c(roles[i].word))))
        i++;
    if (i == COUNT_OF(roles))
        return wrong(r, place_of(r, "role", CHAT_NO_INDEX), "must be user, assistant or system.");
    TRY(add_message(r, roles[i].role));
    return read_content(r, json_get(node, "content"), "content", false, &r->message->parts);
}

enum status front_anthropic_messages(struct dialect_call *call, const struct json *body,
                                     struct chat *chat)
{
    const struct json *system = json_get(body, "system"), *messages = json_get(body, "messages");
    struct reader r = {.call = call, .chat = chat, .list = "system", .at = CHAT_NO_INDEX};
    if (!json_is(messages, JSON_ARRAY) || messages->count == 0)
        return dialect_refuse(call, ST_INVALID, "messages: a non-empty array is required.");
    if (!json_is_none(system)) {
        TRY(add_message(&r, CHAT_ROLE_SYSTEM));
        TRY(read_content(&r, system, NULL, false, &r.message->parts));
    }
    r.list = "messages";
    r.at = 0;
    for (const struct json *node = messages->first; node != NULL; node = node->next, r.at++) {
        if (node->type != JSON_OBJECT)
            return wrong(&r, place_of(&r, NULL, CHAT_NO_INDEX), "must be an object.");
        TRY(read_message(&r, node));
    }
    return ST_OK;
}
