/* front_openai_responses_input.c: instructions and input items of a Responses request, read.
 *
 *   message                      -> a message of its role      function_call        -> TOOL_CALL
 *   reasoning                    -> THINKING, REDACTED          function_call_output -> TOOL_RESULT
 *
 * Items are flat: neighbours that one turn of the assistant said (reasoning, calls, words) become
 * one message, and so do neighbouring results. A reasoning item that our own answers gave has the
 * signature in encrypted_content (chat_proof_join); that of a call stands in an item in front of
 * it. Items that tell what OpenAI's own tools did are listed as left out; what cannot be left out
 * without changing the talk is refused.
 */
#include "data-plane/dialect/front_openai_responses.h"

#include "data-plane/dialect/front_openai_chat.h"

struct reader {
    struct dialect_call *call;
    struct chat *chat;
    struct chat_text call_proof; /* of the next call */
    struct str call_origin;
    uint32_t at, calls;
};

static const struct json ephemeral = {.type = JSON_OBJECT, .raw = {"{\"type\":\"ephemeral\"}", 20}};

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
    return (struct chat_place){"input", field, r->at, item};
}

static bool is_type(const struct json *node, const char *word)
{
    const struct json *type = json_get(node, "type");
    return json_is(type, JSON_STRING) && str_eq(chat_text_inner(chat_text_of(type)), str_c(word));
}

/* The last message, if it is of that role and a further item may join it; else a new one. */
static struct chat_message *message_of(struct reader *r, enum chat_role role, bool join)
{
    struct chat_message *last = r->chat->last_message;
    if (join && last != NULL && last->role == role && last->at != CHAT_NO_INDEX)
        return last;
    r->calls = 0;
    return chat_add_message(r->call->arena, r->chat, role, r->at);
}

/* --- content */

static enum status read_image(struct dialect_call *call, struct chat_part *part,
                              const struct json *node)
{
    const struct json *id = json_get(node, "file_id");
    enum status status;
    part->media.source = CHAT_SOURCE_ID;
    status = json_is(id, JSON_STRING)
                 ? chat_inner(call->arena, id, &part->media.inner)
                 : chat_media_url(call->arena, json_get(node, "image_url"), &part->media);
    part->media.detail = chat_text_of(json_get(node, "detail"));
    return status == ST_OK && part->media.inner.n == 0 && part->media.source != CHAT_SOURCE_DATA
               ? ST_INVALID
               : status;
}

static enum status read_file(struct dialect_call *call, struct chat_part *part,
                             const struct json *node)
{
    const struct json *data = json_get(node, "file_data"), *id = json_get(node, "file_id");
    const struct json *url = json_get(node, "file_url");
    part->name = chat_text_of(json_get(node, "filename"));
    if (json_is(url, JSON_STRING))
        return chat_media_url(call->arena, url, &part->media);
    if (!json_is(id, JSON_STRING) && !json_is(data, JSON_STRING))
        return ST_INVALID;
    part->media.source = json_is(id, JSON_STRING) ? CHAT_SOURCE_ID : CHAT_SOURCE_DATA;
    TRY(chat_inner(call->arena, json_is(id, JSON_STRING) ? id : data, &part->media.inner));
    return str_starts_nocase(part->media.inner, STR("data:"))
               ? chat_media_url(call->arena, data, &part->media)
               : ST_OK;
}

static enum status read_text(struct dialect_call *call, struct chat_part *part,
                             const struct json *node)
{
    (void)call;
    part->text = chat_text_of(json_get(node, "text"));
    return chat_has(part->text) ? ST_OK : ST_INVALID;
}

static enum status read_refusal(struct dialect_call *call, struct chat_part *part,
                                const struct json *node)
{
    (void)call;
    part->text = chat_text_of(json_get(node, "refusal"));
    return chat_has(part->text) ? ST_OK : ST_INVALID;
}

static enum status read_part(struct reader *r, const struct json *node, struct chat_place place,
                             struct chat_parts *parts)
{
    static const struct {
        const char *type;
        enum chat_part_kind kind;
        const char *rule;
        enum status (*read)(struct dialect_call *call, struct chat_part *part,
                            const struct json *node);
    } types[] = {
        {"input_text", CHAT_PART_TEXT, "text must be a string.", read_text},
        {"output_text", CHAT_PART_TEXT, "text must be a string.", read_text},
        {"text", CHAT_PART_TEXT, "text must be a string.", read_text},
        {"refusal", CHAT_PART_REFUSAL, "refusal must be a string.", read_refusal},
        {"input_image", CHAT_PART_IMAGE,
         "image_url (an address or a base64 data URL) or file_id is required.", read_image},
        {"input_file", CHAT_PART_FILE, "file_data (base64), file_id or file_url is required.",
         read_file},
        {"input_audio", CHAT_PART_AUDIO, "input_audio needs data and format.",
         front_openai_chat_audio},
    };
    size_t i = 0;
    if (!json_is(json_get(node, "type"), JSON_STRING))
        return wrong(r, place, "type is required.");
    while (i < COUNT_OF(types) && !is_type(node, types[i].type))
        i++;
    struct chat_part *part = chat_add_part(r->call->arena, parts,
                                           i < COUNT_OF(types) ? types[i].kind : CHAT_PART_NATIVE);
    if (part == NULL)
        return no_memory(r);
    part->place = place;
    part->json = node->raw;
    if (!json_is_none(json_get(node, "prompt_cache_breakpoint")))
        part->cache = &ephemeral;
    enum status status = i < COUNT_OF(types) ? types[i].read(r->call, part, node) : ST_OK;
    return status == ST_INVALID ? wrong(r, place, types[i].rule)
           : status != ST_OK    ? no_memory(r)
                                : ST_OK;
}

/* A string, or an array of parts. */
static enum status read_content(struct reader *r, const struct json *content, const char *field,
                                struct chat_parts *parts)
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
                     "must be a string or an array of parts.");
    for (const struct json *node = content->first; node != NULL; node = node->next)
        TRY(read_part(r, node, place_of(r, field, item++), parts));
    return ST_OK;
}

/* --- items */

static enum status read_message(struct reader *r, const struct json *node)
{
    static const struct {
        const char *word;
        enum chat_role role;
    } roles[] = {{"\"user\"", CHAT_ROLE_USER},
                 {"\"assistant\"", CHAT_ROLE_ASSISTANT},
                 {"\"system\"", CHAT_ROLE_SYSTEM},
                 {"\"developer\"", CHAT_ROLE_SYSTEM}};
    const struct json *role = json_get(node, "role");
    size_t i = 0;
    while (i < COUNT_OF(roles) && !(role != NULL && str_eq(role->raw, str_c(roles[i].word))))
        i++;
    if (i == COUNT_OF(roles))
        return wrong(r, place_of(r, "role", CHAT_NO_INDEX),
                     "must be user, assistant, system or developer.");
    struct chat_message *message =
        message_of(r, roles[i].role, roles[i].role == CHAT_ROLE_ASSISTANT);
    return message == NULL ? no_memory(r)
                           : read_content(r, json_get(node, "content"), "content", &message->parts);
}

static enum status read_call(struct reader *r, const struct json *node)
{
    const struct json *arguments = json_get(node, "arguments");
    struct chat_message *message = message_of(r, CHAT_ROLE_ASSISTANT, true);
    struct chat_part *part =
        message == NULL ? NULL
                        : chat_add_part(r->call->arena, &message->parts, CHAT_PART_TOOL_CALL);
    if (part == NULL)
        return no_memory(r);
    part->place = place_of(r, NULL, CHAT_NO_INDEX);
    part->id = chat_text_of(json_get(node, "call_id"));
    part->name = chat_text_of(json_get(node, "name"));
    part->json = json_is(arguments, JSON_STRING) ? arguments->raw : STR("\"\"");
    part->signature = r->call_proof;
    part->origin = r->call_origin;
    r->call_proof = CHAT_TEXT_NONE;
    r->call_origin = STR_NONE;
    if (r->calls++ == CHAT_CALLS_MAX)
        return wrong(r, part->place, "too many calls in one turn.");
    return chat_text_is_empty(part->id) || chat_text_is_empty(part->name)
               ? wrong(r, part->place, "call_id and name are required.")
               : ST_OK;
}

static enum status read_result(struct reader *r, const struct json *node)
{
    struct chat_message *last = r->chat->last_message;
    bool join =
        last != NULL && last->parts.last != NULL && last->parts.last->kind == CHAT_PART_TOOL_RESULT;
    struct chat_message *message = message_of(r, CHAT_ROLE_USER, join);
    struct chat_part *part =
        message == NULL ? NULL
                        : chat_add_part(r->call->arena, &message->parts, CHAT_PART_TOOL_RESULT);
    if (part == NULL)
        return no_memory(r);
    part->place = place_of(r, NULL, CHAT_NO_INDEX);
    part->id = chat_text_of(json_get(node, "call_id"));
    if (chat_text_is_empty(part->id))
        return wrong(r, part->place, "call_id is required.");
    return read_content(r, json_get(node, "output"), "output", &part->parts);
}

/* The words of a list of {"text"} joined; absent: none. */
static enum status join_words(struct reader *r, const struct json *list, struct chat_text *out)
{
    struct str text = STR("\"");
    size_t count = 0;
    for (const struct json *item = json_is(list, JSON_ARRAY) ? list->first : NULL; item != NULL;
         item = item->next) {
        struct chat_text piece = chat_text_of(json_get(item, "text"));
        const struct str pieces[] = {text, chat_text_inner(piece)};
        text = arena_join(r->call->arena, pieces, COUNT_OF(pieces));
        if (text.p == NULL)
            return no_memory(r);
        count++;
    }
    const struct str pieces[] = {text, STR("\"")};
    if (count > 0)
        out->raw = arena_join(r->call->arena, pieces, COUNT_OF(pieces));
    return count > 0 && !chat_has(*out) ? no_memory(r) : ST_OK;
}

/* Our own proofs say whose they are; OpenAI's are of no use elsewhere, but their summaries are
 * words that nobody vouches for. */
static enum status read_reasoning(struct reader *r, const struct json *node)
{
    struct chat_text sealed = chat_text_of(json_get(node, "encrypted_content"));
    struct chat_text words = CHAT_TEXT_NONE, signature = CHAT_TEXT_NONE;
    struct str origin = STR("openai-responses-v1");
    enum chat_proof proof = CHAT_PROOF_THINKING;
    if (!chat_text_is_empty(sealed) &&
        !chat_proof_split(sealed, &origin, &proof, r->call->arena, &signature))
        signature = sealed;
    if (proof == CHAT_PROOF_CALL) {
        r->call_proof = signature;
        r->call_origin = origin;
        return ST_OK;
    }
    TRY(join_words(r, json_get(node, "summary"), &words));
    if (!chat_has(words))
        TRY(join_words(r, json_get(node, "content"), &words));
    bool redacted = proof == CHAT_PROOF_REDACTED;
    if (!chat_has(words) && !chat_has(signature))
        return ST_OK; /* an item that says nothing */
    struct chat_message *message = message_of(r, CHAT_ROLE_ASSISTANT, true);
    struct chat_part *part =
        message == NULL ? NULL
                        : chat_add_part(r->call->arena, &message->parts,
                                        redacted ? CHAT_PART_REDACTED : CHAT_PART_THINKING);
    if (part == NULL)
        return no_memory(r);
    part->place = place_of(r, NULL, CHAT_NO_INDEX);
    part->text = words;
    part->signature = signature;
    part->origin = chat_has(signature) ? origin : STR_NONE;
    return ST_OK;
}

/* What OpenAI's own tools did in earlier turns: the answers that came of it are in the talk. */
static bool is_told(const struct json *node)
{
    static const char *const types[] = {"web_search_call",       "file_search_call",
                                        "code_interpreter_call", "image_generation_call",
                                        "mcp_list_tools",        "mcp_call"};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (is_type(node, types[i]))
            return true;
    return false;
}

static enum status read_item(struct reader *r, const struct json *node)
{
    const struct json *type = json_get(node, "type");
    if (node->type != JSON_OBJECT)
        return wrong(r, place_of(r, NULL, CHAT_NO_INDEX), "must be an object.");
    if (json_is_none(type) || is_type(node, "message"))
        return read_message(r, node);
    if (is_type(node, "function_call"))
        return read_call(r, node);
    if (is_type(node, "function_call_output"))
        return read_result(r, node);
    if (is_type(node, "reasoning"))
        return read_reasoning(r, node);
    if (is_told(node)) {
        struct str field = arena_printf(r->call->arena, "input." STR_FMT,
                                        STR_ARG(chat_text_inner(chat_text_of(type))));
        return field.p == NULL || chat_leave_out(r->call->arena, r->chat, field.p) != ST_OK
                   ? no_memory(r)
                   : ST_OK;
    }
    if (is_type(node, "item_reference"))
        return dialect_refuse_part(r->call, place_of(r, NULL, CHAT_NO_INDEX),
                                   "references to stored items", "Send the items themselves.");
    return dialect_refuse_part(r->call, place_of(r, "type", CHAT_NO_INDEX), "items of this type",
                               "Send message, function_call, function_call_output and reasoning "
                               "items.");
}

static enum status add_words(struct reader *r, enum chat_role role, const struct json *words,
                             struct chat_place place)
{
    struct chat_message *message = chat_add_message(r->call->arena, r->chat, role, CHAT_NO_INDEX);
    struct chat_part *part =
        message == NULL ? NULL : chat_add_part(r->call->arena, &message->parts, CHAT_PART_TEXT);
    if (part == NULL)
        return no_memory(r);
    part->text = chat_text_of(words);
    part->place = place;
    return ST_OK;
}

enum status front_openai_responses_input(struct dialect_call *call, const struct json *body,
                                         struct chat *chat)
{
    const struct json *instructions = json_get(body, "instructions"),
                      *input = json_get(body, "input");
    struct chat_place top = {"instructions", NULL, CHAT_NO_INDEX, CHAT_NO_INDEX};
    struct reader r = {.call = call, .chat = chat};
    if (!json_is_none(instructions) && instructions->type != JSON_STRING)
        return dialect_refuse(call, ST_INVALID, "instructions: must be a string.");
    if (!json_is_none(instructions))
        TRY(add_words(&r, CHAT_ROLE_SYSTEM, instructions, top));
    top.list = "input";
    if (json_is(input, JSON_STRING))
        return add_words(&r, CHAT_ROLE_USER, input, top);
    if (!json_is(input, JSON_ARRAY) || input->count == 0)
        return dialect_refuse(call, ST_INVALID,
                              "input: a string or a non-empty array of items is required.");
    for (const struct json *node = input->first; node != NULL; node = node->next, r.at++)
        TRY(read_item(&r, node));
    return ST_OK;
}
