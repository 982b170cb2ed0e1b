/* back_anthropic_reply.c: what the Messages API answers, as events.
 *
 *   message_start -> START     content_block_start -> PART     content_block_delta -> DELTA,
 *   SIGNATURE, CITATION        content_block_stop -> PART_END
 *   message_delta -> FINISH, USAGE     message_stop -> END     error -> the answer's error
 *
 * A whole message is the same blocks at once. The call of the JSON tool is the answer's text
 * (back_anthropic_options.c). Usage: the API counts what it read from and wrote to its cache beside
 * input_tokens; ours is their sum, as OpenAI and the price rows count. Unknown events and blocks
 * are overlooked or kept whole, never an error: the API adds some without a new version.
 */
#include "data-plane/dialect/back_anthropic.h"

static struct back_anthropic *state_of(struct dialect_call *call)
{
    return call->back_state;
}

static bool is_word(const struct json *node, const char *word)
{
    return json_is(node, JSON_STRING) && str_eq(chat_text_inner(chat_text_of(node)), str_c(word));
}

static struct str word_of(const struct json *node)
{
    return chat_text_inner(chat_text_of(node));
}

/* --- usage and endings */

/* Later figures replace earlier ones: the API's are cumulative. */
static void take_usage(struct dialect_call *call, const struct json *usage)
{
    struct slot_usage *out = &state_of(call)->usage;
    const struct json *input = json_get(usage, "input_tokens");
    uint64_t plain = 0, read = 0, wrote = 0, value;
    if (json_is(input, JSON_NUMBER) && json_u64(input, &plain) == ST_OK) {
        if (json_u64(json_get(usage, "cache_read_input_tokens"), &read) != ST_OK)
            read = 0;
        if (json_u64(json_get(usage, "cache_creation_input_tokens"), &wrote) != ST_OK)
            wrote = 0;
        out->input_tokens = plain + read + wrote;
        out->cached_tokens = read;
        out->cache_write_tokens = wrote;
    }
    const struct json *cache = json_get(usage, "cache_creation");
    if (json_u64(json_get(cache, "ephemeral_1h_input_tokens"), &value) == ST_OK)
        out->cache_write_1h_tokens = value;
    const struct json *tools = json_get(usage, "server_tool_use");
    if (json_u64(json_get(tools, "web_search_requests"), &value) == ST_OK)
        out->searches = value;
    dialect_take_tier(call, json_get(usage, "service_tier"));
    if (json_u64(json_get(usage, "output_tokens"), &value) == ST_OK)
        out->output_tokens = value;
    const struct json *details = json_get(usage, "output_tokens_details");
    if (json_u64(json_get(details, "thinking_tokens"), &value) == ST_OK)
        out->reasoning_tokens = value;
}

static enum status emit_usage(struct dialect_call *call)
{
    struct chat_event event = {.kind = CHAT_EVENT_USAGE, .usage = &state_of(call)->usage};
    return dialect_emit(call, &event);
}

static enum chat_finish finish_of(struct dialect_call *call, const struct json *reason)
{
    static const struct {
        const char *word;
        enum chat_finish finish;
    } words[] = {
        {"end_turn", CHAT_FINISH_STOP},     {"stop_sequence", CHAT_FINISH_STOP_SEQUENCE},
        {"max_tokens", CHAT_FINISH_LENGTH}, {"model_context_window_exceeded", CHAT_FINISH_WINDOW},
        {"refusal", CHAT_FINISH_REFUSAL},   {"pause_turn", CHAT_FINISH_PAUSE},
    };
    if (is_word(reason, "tool_use")) /* only the JSON tool was called: that was the answer */
        return chat_has(state_of(call)->json_tool) && !state_of(call)->any_call
                   ? CHAT_FINISH_STOP
                   : CHAT_FINISH_TOOL_CALLS;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (is_word(reason, words[i].word))
            return words[i].finish;
    return CHAT_FINISH_STOP;
}

/* Why a model refused is the refusal's text. */
static enum status emit_refusal(struct dialect_call *call, const struct json *node)
{
    const struct json *why = json_get(json_get(node, "stop_details"), "explanation");
    struct chat_event event = {
        .kind = CHAT_EVENT_DELTA, .part = CHAT_PART_REFUSAL, .text = chat_text_of(why)};
    return is_word(json_get(node, "stop_reason"), "refusal") && !chat_text_is_empty(event.text)
               ? dialect_emit(call, &event)
               : ST_OK;
}

/* node: a message, or the delta of message_delta. */
static enum status emit_finish(struct dialect_call *call, const struct json *node)
{
    const struct json *reason = json_get(node, "stop_reason");
    struct chat_event event = {.kind = CHAT_EVENT_FINISH,
                               .finish = finish_of(call, reason),
                               .text = chat_text_of(json_get(node, "stop_sequence")),
                               .word = word_of(reason)};
    if (!json_is(reason, JSON_STRING))
        return ST_OK;
    TRY(emit_refusal(call, node));
    return dialect_emit(call, &event);
}

/* --- blocks */

static enum status emit_text(struct dialect_call *call, enum chat_part_kind part,
                             struct chat_text text)
{
    struct chat_event event = {.kind = CHAT_EVENT_DELTA, .part = part, .text = text};
    return chat_has(text) ? dialect_emit(call, &event) : ST_OK;
}

static enum status emit_citation(struct dialect_call *call, const struct json *node)
{
    struct chat_citation citation = {.url = chat_text_of(json_get(node, "url")),
                                     .title = chat_text_of(json_get(node, "title")),
                                     .quote = chat_text_of(json_get(node, "cited_text")),
                                     .json = node->raw};
    struct chat_event event = {
        .kind = CHAT_EVENT_CITATION, .part = CHAT_PART_TEXT, .citation = &citation};
    if (!chat_has(citation.title))
        citation.title = chat_text_of(json_get(node, "document_title"));
    return dialect_emit(call, &event);
}

/* A call's whole arguments, or a piece of them. */
static enum status emit_arguments(struct dialect_call *call, struct chat_text text)
{
    struct back_anthropic *state = state_of(call);
    state->arguments_bytes += chat_text_inner(text).n;
    return emit_text(call, state->json_block ? CHAT_PART_TEXT : CHAT_PART_TOOL_CALL, text);
}

static enum status emit_input(struct dialect_call *call, const struct json *input)
{
    struct chat_text text = chat_text_quote(call->scratch, input->raw);
    return chat_has(text) ? emit_arguments(call, text) : ST_NO_MEMORY;
}

static enum chat_part_kind kind_of(const struct json *block)
{
    const struct json *type = json_get(block, "type");
    return is_word(type, "text")                ? CHAT_PART_TEXT
           : is_word(type, "thinking")          ? CHAT_PART_THINKING
           : is_word(type, "redacted_thinking") ? CHAT_PART_REDACTED
           : is_word(type, "tool_use")          ? CHAT_PART_TOOL_CALL
                                                : CHAT_PART_NATIVE;
}

/* A block begins; in a whole message it holds all its words already. */
static enum status begin_block(struct dialect_call *call, const struct json *block)
{
    struct back_anthropic *state = state_of(call);
    const struct json *input = json_get(block, "input"), *name = json_get(block, "name");
    struct chat_event event = {.kind = CHAT_EVENT_PART, .part = kind_of(block)};
    if (!json_is(block, JSON_OBJECT))
        return ST_UPSTREAM_BROKEN;
    state->block = event.part;
    state->arguments_bytes = 0;
    state->json_block = event.part == CHAT_PART_TOOL_CALL && json_is(name, JSON_STRING) &&
                        str_eq(name->raw, state->json_tool.raw);
    if (event.part == CHAT_PART_TOOL_CALL && !state->json_block) {
        event.id = chat_text_of(json_get(block, "id"));
        event.name = chat_text_of(name);
        if (!chat_has(event.id) || !chat_has(event.name))
            return ST_UPSTREAM_BROKEN;
        state->any_call = true;
    }
    if (state->json_block)
        event.part = CHAT_PART_TEXT;
    if (event.part == CHAT_PART_REDACTED)
        event.signature = chat_text_of(json_get(block, "data"));
    if (event.part == CHAT_PART_NATIVE)
        event.json = block->raw;
    TRY(dialect_emit(call, &event));
    if (state->block == CHAT_PART_TOOL_CALL && json_is(input, JSON_OBJECT) && input->count > 0)
        return emit_input(call, input);
    if (state->block == CHAT_PART_TEXT)
        return emit_text(call, CHAT_PART_TEXT, chat_text_of(json_get(block, "text")));
    if (state->block == CHAT_PART_THINKING)
        return emit_text(call, CHAT_PART_THINKING, chat_text_of(json_get(block, "thinking")));
    return ST_OK;
}

static enum status emit_signature(struct dialect_call *call, const struct json *signature)
{
    struct chat_event event = {.kind = CHAT_EVENT_SIGNATURE,
                               .part = CHAT_PART_THINKING,
                               .signature = chat_text_of(signature)};
    return chat_text_is_empty(event.signature) ? ST_OK : dialect_emit(call, &event);
}

/* A tool without parameters is called with nothing at all: its arguments are {}. */
static enum status end_block(struct dialect_call *call)
{
    struct back_anthropic *state = state_of(call);
    struct chat_event event = {.kind = CHAT_EVENT_PART_END};
    if (state->block == CHAT_PART_TOOL_CALL && state->arguments_bytes == 0)
        TRY(emit_arguments(call, (struct chat_text){STR("\"{}\"")}));
    state->block = CHAT_PART_NONE;
    return dialect_emit(call, &event);
}

static enum status add_delta(struct dialect_call *call, const struct json *delta)
{
    const struct json *type = json_get(delta, "type");
    if (is_word(type, "text_delta"))
        return emit_text(call, CHAT_PART_TEXT, chat_text_of(json_get(delta, "text")));
    if (is_word(type, "thinking_delta"))
        return emit_text(call, CHAT_PART_THINKING, chat_text_of(json_get(delta, "thinking")));
    if (is_word(type, "signature_delta"))
        return emit_signature(call, json_get(delta, "signature"));
    if (is_word(type, "citations_delta") && json_is(json_get(delta, "citation"), JSON_OBJECT))
        return emit_citation(call, json_get(delta, "citation"));
    if (is_word(type, "input_json_delta") && state_of(call)->block == CHAT_PART_TOOL_CALL)
        return emit_arguments(call, chat_text_of(json_get(delta, "partial_json")));
    return ST_OK; /* input of a tool that the provider runs, or something newer */
}

/* --- errors */

static int http_of(const struct json *type)
{
    static const struct {
        const char *word;
        int http;
    } types[] = {
        {"invalid_request_error", 400}, {"authentication_error", 401}, {"billing_error", 402},
        {"permission_error", 403},      {"not_found_error", 404},      {"request_too_large", 413},
        {"rate_limit_error", 429},      {"timeout_error", 504},        {"overloaded_error", 529},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (is_word(type, types[i].word))
            return types[i].http;
    return 500;
}

void back_anthropic_error(struct dialect_call *call, const struct json *body,
                          struct chat_error *error)
{
    const struct json *inner = json_get(body, "error");
    struct str text;
    if (error->http == 0)
        error->http = http_of(json_get(inner, "type"));
    if (json_is(json_get(inner, "type"), JSON_STRING))
        error->type = error->code = arena_str(call->arena, word_of(json_get(inner, "type")));
    if (json_is(json_get(inner, "message"), JSON_STRING) &&
        json_text(json_get(inner, "message"), call->arena, &text) == ST_OK)
        error->message = text;
}

static enum status fail(struct dialect_call *call, const struct json *body)
{
    struct chat_error error = {.http = 0};
    back_anthropic_error(call, body, &error);
    if (error.message.n == 0)
        error.message = STR("The provider reported an error inside its answer.");
    dialect_fail(call, &error);
    return ST_OK;
}

/* --- a stream's events, and a whole message */

static enum status start(struct dialect_call *call, const struct json *message)
{
    struct chat_event event = {.kind = CHAT_EVENT_START,
                               .id = chat_text_of(json_get(message, "id")),
                               .name = chat_text_of(json_get(message, "model"))};
    take_usage(call, json_get(message, "usage"));
    return dialect_emit(call, &event);
}

enum status back_anthropic_event(struct dialect_call *call, const struct sse_event *event)
{
    struct json *root;
    struct chat_event end = {.kind = CHAT_EVENT_END};
    TRY(json_parse(call->scratch, event->data, NULL, &root, NULL));
    const struct json *type = json_get(root, "type");
    if (is_word(type, "content_block_delta"))
        return add_delta(call, json_get(root, "delta"));
    if (is_word(type, "content_block_start"))
        return begin_block(call, json_get(root, "content_block"));
    if (is_word(type, "content_block_stop"))
        return end_block(call);
    if (is_word(type, "message_start"))
        return start(call, json_get(root, "message"));
    if (is_word(type, "message_delta")) {
        take_usage(call, json_get(root, "usage"));
        TRY(emit_finish(call, json_get(root, "delta")));
        return emit_usage(call);
    }
    if (is_word(type, "message_stop"))
        return dialect_emit(call, &end);
    if (is_word(type, "error"))
        return fail(call, root);
    return ST_OK; /* ping, and what the API may add */
}

enum status back_anthropic_whole(struct dialect_call *call, const struct json *answer)
{
    const struct json *content = json_get(answer, "content");
    struct chat_event end = {.kind = CHAT_EVENT_END};
    if (is_word(json_get(answer, "type"), "error"))
        return fail(call, answer);
    if (!json_is(content, JSON_ARRAY))
        return ST_UPSTREAM_BROKEN;
    TRY(start(call, answer));
    for (const struct json *block = content->first; block != NULL; block = block->next) {
        const struct json *cited = json_get(block, "citations");
        TRY(begin_block(call, block));
        TRY(emit_signature(call, state_of(call)->block == CHAT_PART_THINKING
                                     ? json_get(block, "signature")
                                     : NULL));
        for (const struct json *item = json_is(cited, JSON_ARRAY) ? cited->first : NULL;
             item != NULL; item = item->next)
            TRY(emit_citation(call, item));
        TRY(end_block(call));
    }
    TRY(emit_finish(call, answer));
    TRY(emit_usage(call));
    return dialect_emit(call, &end);
}
