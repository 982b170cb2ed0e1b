/* back_openai_tools.c: tools and JSON answers of a chat as OpenAI's dialect has them.
 *
 * Only functions are written: a tool that another provider runs cannot be run here, so it is
 * refused by its place. Names of up to 128 bytes (Anthropic's limit; MCP clients use it) are cut to
 * the 64 that OpenAI takes, with a hash of the whole at the end, and get their own name again in
 * the answer. `strict` is sent where the schema is one that OpenAI takes as strict; else it is
 * listed as dropped.
 */
#include <stdio.h>

#include "data-plane/dialect/back_openai.h"

#define HASH_HEX       16
#define NAMED_MAX      1000 /* members of one object that are compared with its required ones */
#define PLAIN_SCHEMA   "{\"type\":\"object\",\"properties\":{}}"
#define DEFAULT_FORMAT "\"response\""

/* --- names */

static uint64_t hash_of(struct str text)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < text.n; i++)
        hash = (hash ^ (unsigned char)text.p[i]) * 0x100000001b3u;
    return hash;
}

/* Where a long name may be cut: not inside an escape or a character. */
static size_t cut_of(struct str inner, size_t max)
{
    size_t n = 0, i = 0;
    while (i < max) {
        size_t step = 1;
        if (inner.p[i] == '\\')
            step = inner.p[i + 1] == 'u' ? 6 : 2;
        else
            while (i + step < inner.n && ((unsigned char)inner.p[i + step] & 0xC0) == 0x80)
                step++;
        i += step;
        if (i <= max)
            n = i;
    }
    return n;
}

struct chat_text back_openai_name(struct arena *arena, struct chat_text name)
{
    struct str inner = chat_text_inner(name);
    if (inner.n <= BACK_OPENAI_NAME_MAX)
        return name;
    struct str head = str_head(inner, cut_of(inner, BACK_OPENAI_NAME_MAX - HASH_HEX - 1));
    return (struct chat_text){arena_printf(arena, "\"" STR_FMT "_%016llx\"", STR_ARG(head),
                                           (unsigned long long)hash_of(inner))};
}

struct chat_text back_openai_own_name(const struct dialect_call *call, struct chat_text name)
{
    if (chat_text_inner(name).n < BACK_OPENAI_NAME_MAX - HASH_HEX)
        return name;
    for (const struct chat_tool *tool = call->chat->tools; tool != NULL; tool = tool->next) {
        if (chat_text_inner(tool->name).n <= BACK_OPENAI_NAME_MAX)
            continue;
        struct chat_text sent = back_openai_name(call->scratch, tool->name);
        if (chat_has(sent) && str_eq(sent.raw, name.raw))
            return tool->name;
    }
    return name;
}

/* --- strict schemas (OpenAI guide "Structured outputs": all fields required, nothing else allowed)
 */

static bool is_strict(const struct json *node);

static bool all_strict(const struct json *first)
{
    for (; first != NULL; first = first->next)
        if (!is_strict(first))
            return false;
    return true;
}

static bool requires_all(const struct json *properties, const struct json *required)
{
    size_t wanted = json_is(properties, JSON_OBJECT) ? properties->count : 0;
    size_t given = json_is(required, JSON_ARRAY) ? required->count : 0;
    if (wanted > NAMED_MAX || given > NAMED_MAX)
        return false;
    for (const struct json *p = wanted > 0 ? properties->first : NULL; p != NULL; p = p->next) {
        const struct json *name = given > 0 ? required->first : NULL;
        while (name != NULL &&
               !(name->type == JSON_STRING && str_eq(chat_text_inner(chat_text_of(name)), p->key)))
            name = name->next;
        if (name == NULL)
            return false;
    }
    return true;
}

static bool is_object_schema(const struct json *node)
{
    const struct json *type = json_get(node, "type");
    return json_is(json_get(node, "properties"), JSON_OBJECT) ||
           (json_is(type, JSON_STRING) && str_eq(type->raw, STR("\"object\"")));
}

static bool is_strict(const struct json *node)
{
    static const char *const values[] = {"enum", "const", "default", "examples"};
    if (node->type == JSON_ARRAY)
        return all_strict(node->first);
    if (node->type != JSON_OBJECT)
        return true;
    if (is_object_schema(node) &&
        (!json_is(json_get(node, "additionalProperties"), JSON_FALSE) ||
         !requires_all(json_get(node, "properties"), json_get(node, "required"))))
        return false;
    for (const struct json *m = node->first; m != NULL; m = m->next) {
        bool value = false;
        for (size_t i = 0; i < COUNT_OF(values); i++)
            value = value || str_eq(m->key, str_c(values[i]));
        bool map = m->type == JSON_OBJECT &&
                   (str_eq(m->key, STR("properties")) || str_eq(m->key, STR("$defs")) ||
                    str_eq(m->key, STR("definitions")));
        if (!value && !(map ? all_strict(m->first) : is_strict(m)))
            return false;
    }
    return true;
}

/* "strict", if it was asked for and can be. */
static enum status write_strict(struct dialect_call *call, struct json_writer *w,
                                enum chat_flag strict, struct str schema, const char *field)
{
    struct json *root;
    if (strict == CHAT_UNSAID)
        return ST_OK;
    if (strict == CHAT_YES && schema.p != NULL) {
        TRY(json_parse(call->arena, schema, NULL, &root, NULL));
        if (!is_strict(root)) {
            dialect_drop(call, field);
            return ST_OK;
        }
    }
    jw_field_bool(w, "strict", strict == CHAT_YES);
    return ST_OK;
}

/* --- tools */

static enum status write_tool(struct dialect_call *call, struct json_writer *w,
                              const struct chat_tool *tool)
{
    struct chat_text name = back_openai_name(call->arena, tool->name);
    if (tool->native)
        return dialect_refuse_part(call,
                                   (struct chat_place){"tools", NULL, tool->at, CHAT_NO_INDEX},
                                   "tools that another provider runs",
                                   "Describe it as a function, or name a model of that provider.");
    if (!chat_has(name))
        return ST_NO_MEMORY;
    jw_object(w);
    jw_field_cstr(w, "type", "function");
    jw_key(w, "function");
    jw_object(w);
    jw_field_raw(w, "name", name.raw);
    if (!chat_text_is_empty(tool->description))
        jw_field_raw(w, "description", tool->description.raw);
    jw_field_raw(w, "parameters", tool->schema.p == NULL ? STR(PLAIN_SCHEMA) : tool->schema);
    TRY(write_strict(call, w, tool->strict, tool->schema, "tools.strict"));
    jw_end(w);
    if (tool->cache != NULL) {
        const struct back_openai *state = call->back_state;
        if ((state->traits & OPENAI_CACHE_MARKS) != 0)
            jw_field_raw(w, "cache_control", tool->cache->raw);
        else
            dialect_drop(call, "tools.cache_control");
    }
    jw_end(w);
    return ST_OK;
}

static enum status write_choice(struct dialect_call *call, struct json_writer *w)
{
    static const char *const words[] = {
        [CHAT_CHOICE_AUTO] = "auto", [CHAT_CHOICE_NONE] = "none", [CHAT_CHOICE_ANY] = "required"};
    const struct chat *chat = call->chat;
    struct chat_text name;
    if (chat->choice == CHAT_CHOICE_UNSAID)
        return ST_OK;
    jw_key(w, "tool_choice");
    if (chat->choice != CHAT_CHOICE_NAMED) {
        jw_cstr(w, words[chat->choice]);
        return ST_OK;
    }
    name = back_openai_name(call->arena, chat->choice_name);
    if (!chat_has(name))
        return ST_NO_MEMORY;
    jw_object(w);
    jw_field_cstr(w, "type", "function");
    jw_key(w, "function");
    jw_object(w);
    jw_field_raw(w, "name", name.raw);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

static enum status write_format(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    char field[64];
    if (chat->format == CHAT_FORMAT_TEXT)
        return ST_OK;
    jw_key(w, "response_format");
    jw_object(w);
    jw_field_cstr(w, "type", chat->format == CHAT_FORMAT_JSON ? "json_object" : "json_schema");
    if (chat->format == CHAT_FORMAT_SCHEMA) {
        snprintf(field, sizeof field, "%s.strict", chat->params[CHAT_PARAM_RESPONSE_FORMAT].field);
        jw_key(w, "json_schema");
        jw_object(w);
        jw_field_raw(w, "name",
                     chat_text_is_empty(chat->format_name) ? STR(DEFAULT_FORMAT)
                                                           : chat->format_name.raw);
        if (!chat_text_is_empty(chat->format_description))
            jw_field_raw(w, "description", chat->format_description.raw);
        jw_field_raw(w, "schema", chat->schema);
        TRY(write_strict(call, w, chat->format_strict, chat->schema, field));
        jw_end(w);
    }
    jw_end(w);
    return ST_OK;
}

enum status back_openai_tools(struct dialect_call *call, struct json_writer *w)
{
    const struct chat *chat = call->chat;
    if (chat->tools != NULL) {
        jw_key(w, "tools");
        jw_array(w);
        for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next)
            TRY(write_tool(call, w, tool));
        jw_end(w);
        TRY(write_choice(call, w));
        if (chat->parallel_calls != CHAT_UNSAID)
            jw_field_bool(w, "parallel_tool_calls", chat->parallel_calls == CHAT_YES);
    }
    return write_format(call, w);
}
