/* back_bedrock_reply.c: what Converse answers, as events.
 *
 *   messageStart -> START      contentBlockStart -> PART (tool calls only: other blocks begin with
 *   their first delta)         contentBlockDelta -> DELTA, SIGNATURE, CITATION, PART (hidden
 * thinking) contentBlockStop -> PART_END    messageStop -> FINISH    metadata -> USAGE, END an
 * exception, before or inside the content -> the answer's error, never a finish
 *
 * A whole answer is the same blocks at once. The call of the JSON tool is the answer's text. Usage:
 * AWS counts what it read from and wrote to its cache beside inputTokens; ours is their sum. Blocks
 * that are not known are kept whole, unknown events overlooked: the API adds some.
 */
#include "data-plane/dialect/back_bedrock.h"
#include "data-plane/dialect/back_openai.h"

static struct str word_of(const struct json *node)
{
    return chat_text_inner(chat_text_of(node));
}

static struct str signs(const struct dialect_call *call)
{
    return back_bedrock_state(call)->model.family == BEDROCK_CLAUDE ? STR(BACK_ANTHROPIC_SIGNS)
                                                                    : STR(BACK_BEDROCK_SIGNS);
}

/* --- usage and endings */

static uint64_t count_of(const struct json *usage, const char *name)
{
    uint64_t value;
    return json_u64(json_get(usage, name), &value) == ST_OK ? value : 0;
}

static enum status emit_usage(struct dialect_call *call, const struct json *usage)
{
    struct slot_usage out = {0};
    struct chat_event event = {.kind = CHAT_EVENT_USAGE, .usage = &out};
    if (!json_is(usage, JSON_OBJECT))
        return ST_OK;
    out.cached_tokens = count_of(usage, "cacheReadInputTokens");
    out.cache_write_tokens = count_of(usage, "cacheWriteInputTokens");
    out.input_tokens = count_of(usage, "inputTokens") + out.cached_tokens + out.cache_write_tokens;
    out.output_tokens = count_of(usage, "outputTokens");
    const struct json *wrote = json_get(usage, "cacheDetails");
    for (const struct json *one = json_is(wrote, JSON_ARRAY) ? wrote->first : NULL; one != NULL;
         one = one->next)
        if (str_eq(chat_text_inner(chat_text_of(json_get(one, "ttl"))), STR("1h")))
            out.cache_write_1h_tokens += count_of(one, "inputTokens");
    return dialect_emit(call, &event);
}

static enum chat_finish finish_of(struct dialect_call *call, struct str word)
{
    static const struct {
        const char *word;
        enum chat_finish finish;
    } words[] = {
        {"end_turn", CHAT_FINISH_STOP},
        {"stop_sequence", CHAT_FINISH_STOP_SEQUENCE},
        {"max_tokens", CHAT_FINISH_LENGTH},
        {"model_context_window_exceeded", CHAT_FINISH_WINDOW},
        {"guardrail_intervened", CHAT_FINISH_FILTER},
        {"content_filtered", CHAT_FINISH_FILTER},
        {"malformed_model_output", CHAT_FINISH_ERROR},
        {"malformed_tool_use", CHAT_FINISH_ERROR},
    };
    const struct back_anthropic *state = &back_bedrock_state(call)->claude;
    if (str_eq(word, STR("tool_use"))) /* only the JSON tool was called: that was the answer */
        return chat_has(state->json_tool) && !state->any_call ? CHAT_FINISH_STOP
                                                              : CHAT_FINISH_TOOL_CALLS;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_eq(word, str_c(words[i].word)))
            return words[i].finish;
    return CHAT_FINISH_STOP;
}

/* node: a whole answer, or messageStop. */
static enum status emit_finish(struct dialect_call *call, const struct json *node)
{
    const struct json *reason = json_get(node, "stopReason");
    const struct json *more = json_get(node, "additionalModelResponseFields");
    struct chat_event event = {.kind = CHAT_EVENT_FINISH,
                               .finish = finish_of(call, word_of(reason)),
                               .text = chat_text_of(json_get(more, "stop_sequence")),
                               .word = word_of(reason)};
    return json_is(reason, JSON_STRING) ? dialect_emit(call, &event) : ST_UPSTREAM_BROKEN;
}

/* --- blocks */

static enum status emit_text(struct dialect_call *call, enum chat_part_kind part,
                             struct chat_text text)
{
    struct chat_event event = {.kind = CHAT_EVENT_DELTA, .part = part, .text = text};
    return chat_has(text) ? dialect_emit(call, &event) : ST_OK;
}

static enum status emit_signature(struct dialect_call *call, const struct json *signature)
{
    struct chat_event event = {.kind = CHAT_EVENT_SIGNATURE,
                               .part = CHAT_PART_THINKING,
                               .origin = signs(call),
                               .signature = chat_text_of(signature)};
    return chat_text_is_empty(event.signature) ? ST_OK : dialect_emit(call, &event);
}

static enum status emit_hidden(struct dialect_call *call, const struct json *data)
{
    struct chat_event event = {.kind = CHAT_EVENT_PART,
                               .part = CHAT_PART_REDACTED,
                               .origin = STR(BACK_BEDROCK_SIGNS),
                               .signature = chat_text_of(data)};
    return chat_has(event.signature) ? dialect_emit(call, &event) : ST_OK;
}

static enum status emit_native(struct dialect_call *call, struct str json)
{
    struct chat_event event = {.kind = CHAT_EVENT_PART, .part = CHAT_PART_NATIVE, .json = json};
    return dialect_emit(call, &event);
}

/* A call without arguments has {}: the engine sees to that, but for the JSON tool's. */
static enum status end_part(struct dialect_call *call)
{
    struct back_anthropic *state = &back_bedrock_state(call)->claude;
    struct chat_event event = {.kind = CHAT_EVENT_PART_END};
    if (state->json_block && !call->choices[0].said)
        TRY(emit_text(call, CHAT_PART_TEXT, (struct chat_text){STR("\"{}\"")}));
    state->json_block = false;
    return dialect_emit(call, &event);
}

/* A call begins; the JSON tool's is text. */
static enum status begin_call(struct dialect_call *call, const struct json *use)
{
    struct back_anthropic *state = &back_bedrock_state(call)->claude;
    struct chat_event event = {.kind = CHAT_EVENT_PART,
                               .part = CHAT_PART_TOOL_CALL,
                               .id = chat_text_of(json_get(use, "toolUseId")),
                               .name = chat_text_of(json_get(use, "name"))};
    if (json_get(use, "type") != NULL) /* server_tool_use: not the caller's to answer */
        return emit_native(call, use->raw);
    if (!chat_has(event.id) || !chat_has(event.name))
        return ST_UPSTREAM_BROKEN;
    state->json_block = chat_has(state->json_tool) && str_eq(event.name.raw, state->json_tool.raw);
    if (state->json_block)
        event = (struct chat_event){.kind = CHAT_EVENT_PART, .part = CHAT_PART_TEXT};
    else
        event.name = back_openai_own_name(call, event.name);
    state->any_call = state->any_call || !state->json_block;
    return dialect_emit(call, &event);
}

static enum status add_arguments(struct dialect_call *call, struct chat_text text)
{
    bool json = back_bedrock_state(call)->claude.json_block;
    return emit_text(call, json ? CHAT_PART_TEXT : CHAT_PART_TOOL_CALL, text);
}

static enum status emit_citation(struct dialect_call *call, const struct json *node)
{
    const struct json *content = json_get(node, "sourceContent");
    struct chat_citation citation = {
        .url = chat_text_of(json_get(json_get(json_get(node, "location"), "web"), "url")),
        .title = chat_text_of(json_get(node, "title")),
        .quote =
            chat_text_of(json_get(json_is(content, JSON_ARRAY) ? content->first : NULL, "text")),
        .json = node->raw};
    struct chat_event event = {
        .kind = CHAT_EVENT_CITATION, .part = CHAT_PART_TEXT, .citation = &citation};
    return dialect_emit(call, &event);
}

/* --- a stream */

static enum status add_reasoning(struct dialect_call *call, const struct json *reasoning)
{
    TRY(emit_text(call, CHAT_PART_THINKING, chat_text_of(json_get(reasoning, "text"))));
    TRY(emit_signature(call, json_get(reasoning, "signature")));
    return emit_hidden(call, json_get(reasoning, "redactedContent"));
}

static enum status add_delta(struct dialect_call *call, const struct json *delta)
{
    const struct json *text = json_get(delta, "text"), *use = json_get(delta, "toolUse");
    const struct json *reasoning = json_get(delta, "reasoningContent");
    const struct json *citation = json_get(delta, "citation");
    if (text != NULL)
        return emit_text(call, CHAT_PART_TEXT, chat_text_of(text));
    if (use != NULL)
        return call->choices[0].open == CHAT_PART_NATIVE
                   ? ST_OK /* input of a tool that AWS runs */
                   : add_arguments(call, chat_text_of(json_get(use, "input")));
    if (reasoning != NULL)
        return add_reasoning(call, reasoning);
    if (json_is(citation, JSON_OBJECT))
        return emit_citation(call, citation);
    return ST_OK;
}

static enum status begin_block(struct dialect_call *call, const struct json *start)
{
    const struct json *use = json_get(start, "toolUse");
    if (json_is(use, JSON_OBJECT))
        return begin_call(call, use);
    return json_is(start, JSON_OBJECT) && start->count > 0 ? emit_native(call, start->raw) : ST_OK;
}

static void fail(struct dialect_call *call, struct str type, const struct json *body,
                 struct str text)
{
    struct chat_error error = {.http = 0, .type = type, .message = text};
    back_bedrock_error(call, body, &error);
    if (error.message.n == 0)
        error.message = STR("The provider reported an error inside its answer.");
    dialect_fail(call, &error);
}

static enum status on_event(struct dialect_call *call, struct str name, const struct json *body)
{
    struct chat_event start = {.kind = CHAT_EVENT_START}, end = {.kind = CHAT_EVENT_END};
    if (str_eq(name, STR("contentBlockDelta")))
        return add_delta(call, json_get(body, "delta"));
    if (str_eq(name, STR("contentBlockStart")))
        return begin_block(call, json_get(body, "start"));
    if (str_eq(name, STR("contentBlockStop")))
        return end_part(call);
    if (str_eq(name, STR("messageStart")))
        return dialect_emit(call, &start);
    if (str_eq(name, STR("messageStop")))
        return emit_finish(call, body);
    if (!str_eq(name, STR("metadata")))
        return ST_OK;
    dialect_take_tier(call, json_get(json_get(body, "serviceTier"), "type"));
    TRY(emit_usage(call, json_get(body, "usage")));
    return dialect_emit(call, &end);
}

enum status back_bedrock_frame(struct dialect_call *call, const struct eventstream_message *message)
{
    struct json *body = NULL;
    enum status status = json_parse(call->scratch, message->payload, NULL, &body, NULL);
    if (status != ST_OK)
        body = NULL;
    if (message->kind != EVENTSTREAM_EVENT) {
        fail(call, message->name, body, message->text);
        return ST_OK;
    }
    TRY(status);
    return on_event(call, message->name, body);
}

/* --- a whole answer */

static enum status whole_call(struct dialect_call *call, const struct json *use)
{
    const struct json *input = json_get(use, "input");
    TRY(begin_call(call, use));
    if (json_get(use, "type") != NULL || !json_is(input, JSON_OBJECT))
        return ST_OK;
    struct chat_text text = chat_text_quote(call->arena, input->raw);
    return chat_has(text) ? add_arguments(call, text) : ST_NO_MEMORY;
}

static enum status whole_reasoning(struct dialect_call *call, const struct json *reasoning)
{
    const struct json *text = json_get(reasoning, "reasoningText");
    TRY(emit_text(call, CHAT_PART_THINKING, chat_text_of(json_get(text, "text"))));
    TRY(emit_signature(call, json_get(text, "signature")));
    return emit_hidden(call, json_get(reasoning, "redactedContent"));
}

static enum status whole_cited(struct dialect_call *call, const struct json *cited)
{
    const struct json *content = json_get(cited, "content"), *list = json_get(cited, "citations");
    const struct json *item = json_is(content, JSON_ARRAY) ? content->first : NULL;
    for (; item != NULL; item = item->next)
        TRY(emit_text(call, CHAT_PART_TEXT, chat_text_of(json_get(item, "text"))));
    for (item = json_is(list, JSON_ARRAY) ? list->first : NULL; item != NULL; item = item->next)
        TRY(emit_citation(call, item));
    return ST_OK;
}

static enum status whole_image(struct dialect_call *call, const struct json *image)
{
    struct str bytes = word_of(json_get(json_get(image, "source"), "bytes"));
    struct chat_event event = {.kind = CHAT_EVENT_PART, .part = CHAT_PART_IMAGE};
    event.media =
        (struct chat_media){.source = CHAT_SOURCE_DATA,
                            .mime = arena_printf(call->arena, "image/" STR_FMT,
                                                 STR_ARG(word_of(json_get(image, "format")))),
                            .inner = bytes};
    return bytes.n > 0 ? dialect_emit(call, &event) : ST_OK;
}

static enum status whole_block(struct dialect_call *call, const struct json *block)
{
    static const struct {
        const char *name;
        enum status (*read)(struct dialect_call *call, const struct json *inside);
    } kinds[] = {{"toolUse", whole_call},
                 {"reasoningContent", whole_reasoning},
                 {"citationsContent", whole_cited},
                 {"image", whole_image}};
    const struct json *text = json_get(block, "text");
    if (text != NULL)
        return emit_text(call, CHAT_PART_TEXT, chat_text_of(text));
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (json_is(json_get(block, kinds[i].name), JSON_OBJECT))
            return kinds[i].read(call, json_get(block, kinds[i].name));
    return json_is(block, JSON_OBJECT) ? emit_native(call, block->raw) : ST_UPSTREAM_BROKEN;
}

enum status back_bedrock_whole(struct dialect_call *call, const struct json *answer)
{
    const struct json *content =
        json_get(json_get(json_get(answer, "output"), "message"), "content");
    struct chat_event start = {.kind = CHAT_EVENT_START}, end = {.kind = CHAT_EVENT_END};
    if (!json_is(content, JSON_ARRAY))
        return ST_UPSTREAM_BROKEN;
    TRY(dialect_emit(call, &start));
    for (const struct json *block = content->first; block != NULL; block = block->next) {
        TRY(whole_block(call, block));
        TRY(end_part(call));
    }
    TRY(emit_finish(call, answer));
    dialect_take_tier(call, json_get(json_get(answer, "serviceTier"), "type"));
    TRY(emit_usage(call, json_get(answer, "usage")));
    return dialect_emit(call, &end);
}

/* --- errors */

/* The first row of a status is what an error without a type is called. */
static const struct error_row {
    const char *type;
    int http;
} errors[] = {
    {"ValidationException", 400},         {"ServiceQuotaExceededException", 400},
    {"AccessDeniedException", 403},       {"ResourceNotFoundException", 404},
    {"ModelTimeoutException", 408},       {"ModelErrorException", 424},
    {"ModelStreamErrorException", 424},   {"ThrottlingException", 429},
    {"ModelNotReadyException", 429},      {"InternalServerException", 500},
    {"ServiceUnavailableException", 503},
};

static const struct error_row *error_of(struct str type, int http)
{
    for (size_t i = 0; i < COUNT_OF(errors); i++)
        if (type.n > 0 ? str_eq_nocase(type, str_c(errors[i].type)) : errors[i].http == http)
            return &errors[i];
    return NULL;
}

/* {"message":...}, here and there {"Message":...}. The type is a member, or a header; it may have a
 * namespace before it and a URL behind. */
void back_bedrock_error(struct dialect_call *call, const struct json *body,
                        struct chat_error *error)
{
    const struct json *message = json_get(body, "message"), *type = json_get(body, "__type");
    struct str text;
    if (!json_is(message, JSON_STRING))
        message = json_get(body, "Message");
    if (json_is(message, JSON_STRING) && json_text(message, call->arena, &text) == ST_OK)
        error->message = text;
    struct str name = json_is(type, JSON_STRING)
                          ? word_of(type)
                          : dialect_reply_header(call, STR("x-amzn-errortype"));
    ptrdiff_t hash = str_find_char(name, '#'), colon;
    name = str_from(name, (size_t)(hash + 1));
    colon = str_find_char(name, ':');
    if (name.n > 0)
        error->type = colon < 0 ? name : str_head(name, (size_t)colon);
    const struct error_row *row = error_of(error->type, error->http);
    if (error->http == 0)
        error->http = row == NULL ? 500 : row->http;
    if (row != NULL)
        error->type = str_c(row->type);
    else if (error->type.n > 0)
        error->type = arena_str(call->arena, error->type);
    error->code = error->type;
}
