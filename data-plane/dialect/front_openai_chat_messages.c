/* front_openai_chat_messages.c: the messages of a chat request, read.
 *
 *   system, developer        -> SYSTEM          tool, function -> a TOOL_RESULT of the USER
 *   assistant                -> ASSISTANT: thinking, then content, then tool calls
 *
 * Thinking comes back from a client in one of the forms that our own answers and other gateways
 * give it: reasoning_details (ours: with signatures), thinking_blocks, content_blocks, or blocks
 * among the content; reasoning_content alone is words that nobody vouches for. The first form that
 * is there counts. Content of an unknown type is kept whole (NATIVE).
 */
#include "data-plane/dialect/front_openai_chat.h"

struct reader {
    struct dialect_call *call;
    struct chat *chat;
    const struct json *node; /* the message */
    struct chat_message *message;
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
    return (struct chat_place){"messages", field, r->at, item};
}

/* --- thinking */

/* One block: {type:"thinking"}, {type:"redacted_thinking"}, {type:"reasoning.text"},
 * {type:"reasoning.encrypted"}. Others are no thinking and are left out. */
static enum status add_thinking(struct reader *r, const struct json *block, const char *field)
{
    static const struct {
        const char *type;
        enum chat_part_kind kind;
        const char *words, *proof;
    } forms[] = {
        {"thinking", CHAT_PART_THINKING, "thinking", "signature"},
        {"redacted_thinking", CHAT_PART_REDACTED, NULL, "data"},
        {"reasoning.text", CHAT_PART_THINKING, "text", "signature"},
        {"reasoning.encrypted", CHAT_PART_REDACTED, NULL, "data"},
    };
    const struct json *type = json_get(block, "type");
    struct str word;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (!json_is(type, JSON_STRING) || json_text(type, r->call->arena, &word) != ST_OK ||
            !str_eq(word, str_c(forms[i].type)))
            continue;
        struct chat_part *part = chat_add_part(r->call->arena, &r->message->parts, forms[i].kind);
        if (part == NULL)
            return no_memory(r);
        part->place = place_of(r, field, CHAT_NO_INDEX);
        part->signature = chat_text_of(json_get(block, forms[i].proof));
        if (forms[i].words != NULL)
            part->text = chat_text_of(json_get(block, forms[i].words));
        if (json_is(json_get(block, "format"), JSON_STRING) &&
            json_text(json_get(block, "format"), r->call->arena, &part->origin) != ST_OK)
            return no_memory(r);
        return ST_OK;
    }
    return ST_OK;
}

static bool is_thinking(const struct json *block)
{
    const struct json *type = json_get(block, "type");
    return json_is(type, JSON_STRING) && (str_eq(type->raw, STR("\"thinking\"")) ||
                                          str_eq(type->raw, STR("\"redacted_thinking\"")));
}

static enum status read_thinking(struct reader *r)
{
    static const char *const lists[] = {"reasoning_details", "thinking_blocks", "content_blocks",
                                        "content"};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const struct json *list = json_get(r->node, lists[i]);
        for (const struct json *block = json_is(list, JSON_ARRAY) ? list->first : NULL;
             block != NULL; block = block->next)
            if (block->type == JSON_OBJECT)
                TRY(add_thinking(r, block, lists[i]));
        if (r->message->parts.first != NULL)
            return ST_OK;
    }
    const struct json *words = json_get(r->node, "reasoning_content");
    if (!json_is(words, JSON_STRING) || words->raw.n <= 2)
        return ST_OK;
    struct chat_part *part = chat_add_part(r->call->arena, &r->message->parts, CHAT_PART_THINKING);
    if (part == NULL)
        return no_memory(r);
    part->text = chat_text_of(words);
    part->place = place_of(r, "reasoning_content", CHAT_NO_INDEX);
    return ST_OK;
}

/* --- content */

static enum status read_block(struct reader *r, struct chat_parts *parts, const struct json *node,
                              uint32_t item)
{
    static const struct {
        const char *type;
        enum chat_part_kind kind;
        enum status (*read)(struct dialect_call *call, struct chat_part *part,
                            const struct json *node);
    } types[] = {
        {"text", CHAT_PART_TEXT, NULL},
        {"refusal", CHAT_PART_REFUSAL, NULL},
        {"image_url", CHAT_PART_IMAGE, front_openai_chat_image},
        {"input_audio", CHAT_PART_AUDIO, front_openai_chat_audio},
        {"file", CHAT_PART_FILE, front_openai_chat_file},
        {"video_url", CHAT_PART_FILE, front_openai_chat_video},
    };
    struct chat_place place = place_of(r, "content", item);
    struct str type;
    if (!json_is(json_get(node, "type"), JSON_STRING) ||
        json_text(json_get(node, "type"), r->call->arena, &type) != ST_OK)
        return wrong(r, place, "type is required.");
    if (is_thinking(node))
        return ST_OK; /* read_thinking has it */
    size_t i = 0;
    while (i < COUNT_OF(types) && !str_eq(type, str_c(types[i].type)))
        i++;
    struct chat_part *part = chat_add_part(r->call->arena, parts,
                                           i < COUNT_OF(types) ? types[i].kind : CHAT_PART_NATIVE);
    if (part == NULL)
        return no_memory(r);
    part->place = place;
    part->cache = json_get(node, "cache_control");
    part->json = node->raw;
    if (i == COUNT_OF(types))
        return ST_OK;
    if (types[i].read != NULL)
        return types[i].read(r->call, part, node);
    part->text = chat_text_of(json_get(node, types[i].type));
    return chat_has(part->text) ? ST_OK : wrong(r, place, "its words must be a string.");
}

/* A string, an array of parts, or null. */
static enum status read_content(struct reader *r, struct chat_parts *parts)
{
    const struct json *content = json_get(r->node, "content");
    uint32_t item = 0;
    if (json_is_none(content))
        return ST_OK;
    if (content->type == JSON_STRING) {
        struct chat_part *part = chat_add_part(r->call->arena, parts, CHAT_PART_TEXT);
        if (part == NULL)
            return no_memory(r);
        part->text = chat_text_of(content);
        part->place = place_of(r, "content", CHAT_NO_INDEX);
        return ST_OK;
    }
    if (content->type != JSON_ARRAY)
        return wrong(r, place_of(r, "content", CHAT_NO_INDEX),
                     "must be a string, an array of parts or null.");
    for (const struct json *node = content->first; node != NULL; node = node->next)
        TRY(read_block(r, parts, node, item++));
    return ST_OK;
}

static enum status read_refusal(struct reader *r)
{
    const struct json *refusal = json_get(r->node, "refusal");
    if (!json_is(refusal, JSON_STRING) || refusal->raw.n <= 2)
        return ST_OK;
    struct chat_part *part = chat_add_part(r->call->arena, &r->message->parts, CHAT_PART_REFUSAL);
    if (part == NULL)
        return no_memory(r);
    part->text = chat_text_of(refusal);
    part->place = place_of(r, "refusal", CHAT_NO_INDEX);
    return ST_OK;
}

/* --- tool calls and their results */

static enum status add_call(struct reader *r, const struct json *function, struct chat_text id,
                            struct chat_place place, struct chat_part **out)
{
    const struct json *arguments = json_get(function, "arguments");
    if (r->calls++ == CHAT_CALLS_MAX)
        return wrong(r, place, "too many calls in one message.");
    struct chat_part *part = chat_add_part(r->call->arena, &r->message->parts, CHAT_PART_TOOL_CALL);
    if (part == NULL)
        return no_memory(r);
    part->place = place;
    part->id = id;
    part->name = chat_text_of(json_get(function, "name"));
    part->json = json_is(arguments, JSON_STRING) ? arguments->raw : STR("\"\"");
    if (chat_text_is_empty(part->name) || chat_text_is_empty(part->id))
        return wrong(r, place, "id and function.name are required.");
    if (!json_is_none(arguments) && arguments->type != JSON_STRING)
        return wrong(r, place, "function.arguments must be a string of JSON.");
    *out = part;
    return ST_OK;
}

/* A signature that a provider put on a call: where Google's own OpenAI-compatible service has it.
 */
static const struct json *call_signature(const struct json *node)
{
    const struct json *google = json_get(json_get(node, "extra_content"), "google");
    return json_get(google, "thought_signature");
}

static enum status read_calls(struct reader *r)
{
    const struct json *calls = json_get(r->node, "tool_calls");
    const struct json *legacy = json_get(r->node, "function_call");
    struct chat_part *part;
    uint32_t item = 0;
    if (json_is(legacy, JSON_OBJECT)) {
        struct chat_text id = {arena_printf(r->call->arena, "\"call_%u\"", r->at)};
        return !chat_has(id)
                   ? no_memory(r)
                   : add_call(r, legacy, id, place_of(r, "function_call", CHAT_NO_INDEX), &part);
    }
    if (json_is_none(calls))
        return ST_OK;
    if (calls->type != JSON_ARRAY)
        return wrong(r, place_of(r, "tool_calls", CHAT_NO_INDEX), "must be an array.");
    for (const struct json *node = calls->first; node != NULL; node = node->next, item++) {
        struct chat_place place = place_of(r, "tool_calls", item);
        if (!json_is(json_get(node, "function"), JSON_OBJECT))
            return wrong(r, place, "only calls of functions are translated.");
        TRY(add_call(r, json_get(node, "function"), chat_text_of(json_get(node, "id")), place,
                     &part));
        part->signature = chat_text_of(call_signature(node));
        if (chat_has(part->signature))
            part->origin = STR("google-gemini-v1");
    }
    return ST_OK;
}

/* role function names the function only: its call was made "call_<message>" above. */
static enum status legacy_result_id(struct reader *r, struct chat_text *id)
{
    const struct chat_message *asked = r->message->asked;
    if (asked == NULL)
        return wrong(r, place_of(r, "role", CHAT_NO_INDEX),
                     "a function message must follow the call it answers.");
    id->raw = arena_printf(r->call->arena, "\"call_%u\"", asked->at);
    return chat_has(*id) ? ST_OK : no_memory(r);
}

static enum status read_result(struct reader *r, bool legacy)
{
    struct chat_part *part =
        chat_add_part(r->call->arena, &r->message->parts, CHAT_PART_TOOL_RESULT);
    if (part == NULL)
        return no_memory(r);
    part->place = place_of(r, NULL, CHAT_NO_INDEX);
    part->id = chat_text_of(json_get(r->node, "tool_call_id"));
    part->name = chat_text_of(json_get(r->node, "name"));
    part->cache = json_get(r->node, "cache_control");
    if (legacy)
        TRY(legacy_result_id(r, &part->id));
    if (chat_text_is_empty(part->id))
        return wrong(r, place_of(r, "tool_call_id", CHAT_NO_INDEX), "required.");
    return read_content(r, &part->parts);
}

/* --- messages */

static enum status read_message(struct reader *r)
{
    static const struct {
        const char *word;
        enum chat_role role;
        bool result;
    } roles[] = {
        {"user", CHAT_ROLE_USER, false},        {"assistant", CHAT_ROLE_ASSISTANT, false},
        {"system", CHAT_ROLE_SYSTEM, false},    {"tool", CHAT_ROLE_USER, true},
        {"developer", CHAT_ROLE_SYSTEM, false}, {"function", CHAT_ROLE_USER, true},
    };
    const struct json *role = json_get(r->node, "role");
    struct str word = STR("");
    size_t i = 0;
    if (json_is(role, JSON_STRING) && json_text(role, r->call->arena, &word) != ST_OK)
        return no_memory(r);
    while (i < COUNT_OF(roles) && !str_eq(word, str_c(roles[i].word)))
        i++;
    if (i == COUNT_OF(roles))
        return wrong(r, place_of(r, "role", CHAT_NO_INDEX),
                     "must be system, developer, user, assistant or tool.");
    r->message = chat_add_message(r->call->arena, r->chat, roles[i].role, r->at);
    if (r->message == NULL)
        return no_memory(r);
    if (roles[i].result)
        return read_result(r, str_eq(word, STR("function")));
    r->message->name = chat_text_of(json_get(r->node, "name"));
    if (roles[i].role == CHAT_ROLE_ASSISTANT)
        TRY(read_thinking(r));
    TRY(read_content(r, &r->message->parts));
    if (roles[i].role == CHAT_ROLE_ASSISTANT) {
        TRY(read_refusal(r));
        TRY(read_calls(r));
    }
    const struct json *cache = json_get(r->node, "cache_control");
    if (cache != NULL && r->message->parts.last != NULL)
        r->message->parts.last->cache = cache;
    return ST_OK;
}

enum status front_openai_chat_messages(struct dialect_call *call, const struct json *messages,
                                       struct chat *chat)
{
    struct reader r = {.call = call, .chat = chat};
    if (!json_is(messages, JSON_ARRAY) || messages->count == 0)
        return dialect_refuse(call, ST_INVALID, "messages: a non-empty array is required.");
    for (r.node = messages->first; r.node != NULL; r.node = r.node->next, r.at++) {
        r.calls = 0;
        if (r.node->type != JSON_OBJECT)
            return wrong(&r, place_of(&r, NULL, CHAT_NO_INDEX), "must be an object.");
        TRY(read_message(&r));
    }
    return ST_OK;
}
