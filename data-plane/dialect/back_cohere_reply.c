/* back_cohere_reply.c: what Cohere's Chat API (v2) answers, as events.
 *
 *   message-start -> START            content-start, content-delta -> DELTA of text or thinking
 *   tool-plan-delta -> DELTA of text  tool-call-start, -delta, -end -> PART, DELTA, PART_END
 *   citation-start -> CITATION        message-end -> FINISH, USAGE, END
 *
 * The plan in front of calls is what the model says: words. Usage is what is billed (billed_units),
 * for that is what the provider's prices are for; what stands there without it are the tokens. The
 * end of a content block is not passed on: citations of it may still follow, and the engine closes
 * it in front of whatever comes next. Unknown events are overlooked.
 */
#include "data-plane/dialect/back_cohere.h"

static struct str word_of(const struct json *node)
{
    return chat_text_inner(chat_text_of(node));
}

static bool is_word(const struct json *node, const char *word)
{
    return json_is(node, JSON_STRING) && str_eq(word_of(node), str_c(word));
}

/* --- words */

static void write_logprob(struct json_writer *w, struct str token, const struct json *logprob)
{
    jw_object(w);
    jw_field_raw(w, "token", token);
    jw_field_raw(w, "logprob", logprob->raw);
    jw_key(w, "bytes");
    jw_null(w);
    jw_key(w, "top_logprobs");
    jw_array(w);
    jw_end(w);
    jw_end(w);
}

/* {"text","token_ids","logprobs"} and its neighbours -> OpenAI's list, in the scratch arena. A
 * piece of several tokens is an entry with its words and further ones without, so that every figure
 * is told. n = 0: none, or no memory. */
static struct str logprobs_of(struct dialect_call *call, const struct json *item)
{
    struct json_writer w;
    struct buf buf;
    if (item == NULL)
        return STR_NONE;
    buf_init(&buf, 4u << 20);
    jw_init(&w, &buf);
    jw_array(&w);
    for (; item != NULL; item = item->next) {
        const struct json *list = json_get(item, "logprobs");
        struct chat_text text = chat_text_of(json_get(item, "text"));
        for (const struct json *one = json_is(list, JSON_ARRAY) ? list->first : NULL; one != NULL;
             one = one->next)
            if (one->type == JSON_NUMBER)
                write_logprob(&w, one == list->first && chat_has(text) ? text.raw : STR("\"\""),
                              one);
    }
    jw_end(&w);
    struct str out =
        buf_status(&buf) == ST_OK && buf.n > 2 ? arena_str(call->scratch, buf_str(&buf)) : STR_NONE;
    buf_free(&buf);
    return out;
}

/* The words of a content block, or more of them. */
static enum status emit_content(struct dialect_call *call, const struct json *content,
                                struct str logprobs)
{
    struct chat_event thought = {.kind = CHAT_EVENT_DELTA,
                                 .part = CHAT_PART_THINKING,
                                 .text = chat_text_of(json_get(content, "thinking"))};
    struct chat_event text = {.kind = CHAT_EVENT_DELTA,
                              .part = CHAT_PART_TEXT,
                              .text = chat_text_of(json_get(content, "text")),
                              .logprobs = logprobs};
    if (!chat_text_is_empty(thought.text))
        TRY(dialect_emit(call, &thought));
    return chat_text_is_empty(text.text) ? ST_OK : dialect_emit(call, &text);
}

static enum status emit_plan(struct dialect_call *call, const struct json *plan)
{
    struct chat_event event = {
        .kind = CHAT_EVENT_DELTA, .part = CHAT_PART_TEXT, .text = chat_text_of(plan)};
    return chat_text_is_empty(event.text) ? ST_OK : dialect_emit(call, &event);
}

/* One citation for each source. Those of thinking and plans are not of the answer's text. */
static enum status emit_citation(struct dialect_call *call, const struct json *node)
{
    const struct json *sources = json_get(node, "sources"), *type = json_get(node, "type");
    uint64_t from = 0, to = 0;
    bool ranged = json_u64(json_get(node, "start"), &from) == ST_OK &&
                  json_u64(json_get(node, "end"), &to) == ST_OK && from <= to && to <= UINT32_MAX;
    if (json_is(type, JSON_STRING) && !is_word(type, "TEXT_CONTENT"))
        return ST_OK;
    for (const struct json *source = json_is(sources, JSON_ARRAY) ? sources->first : NULL;
         source != NULL; source = source->next) {
        const struct json *document = json_get(source, "document");
        struct chat_citation citation = {.url = chat_text_of(json_get(document, "url")),
                                         .title = chat_text_of(json_get(document, "title")),
                                         .quote = chat_text_of(json_get(node, "text")),
                                         .ranged = ranged,
                                         .from = (size_t)from,
                                         .to = (size_t)to,
                                         .json = node->raw};
        struct chat_event event = {
            .kind = CHAT_EVENT_CITATION, .part = CHAT_PART_TEXT, .citation = &citation};
        TRY(dialect_emit(call, &event));
    }
    return ST_OK;
}

/* --- calls */

static enum status emit_arguments(struct dialect_call *call, const struct json *function)
{
    struct chat_event event = {.kind = CHAT_EVENT_DELTA,
                               .part = CHAT_PART_TOOL_CALL,
                               .text = chat_text_of(json_get(function, "arguments"))};
    return chat_text_is_empty(event.text) ? ST_OK : dialect_emit(call, &event);
}

static enum status begin_call(struct dialect_call *call, const struct json *made)
{
    const struct json *function = json_get(made, "function");
    struct chat_event event = {.kind = CHAT_EVENT_PART,
                               .part = CHAT_PART_TOOL_CALL,
                               .id = chat_text_of(json_get(made, "id")),
                               .name = chat_text_of(json_get(function, "name"))};
    if (!chat_has(event.id) || !chat_has(event.name))
        return ST_UPSTREAM_BROKEN;
    TRY(dialect_emit(call, &event));
    return emit_arguments(call, function);
}

static enum status end_part(struct dialect_call *call)
{
    struct chat_event event = {.kind = CHAT_EVENT_PART_END};
    return dialect_emit(call, &event);
}

/* --- the end */

/* Of "billed_units", else of "tokens". */
static bool take_units(const struct json *units, struct slot_usage *out)
{
    uint64_t input = 0, output = 0;
    bool has = json_u64(json_get(units, "input_tokens"), &input) == ST_OK;
    has = json_u64(json_get(units, "output_tokens"), &output) == ST_OK || has;
    if (has) {
        out->input_tokens = input;
        out->output_tokens = output;
    }
    return has;
}

static enum status emit_usage(struct dialect_call *call, const struct json *usage)
{
    struct slot_usage figures = {0};
    struct chat_event event = {.kind = CHAT_EVENT_USAGE, .usage = &figures};
    uint64_t cached = 0;
    if (!take_units(json_get(usage, "billed_units"), &figures) &&
        !take_units(json_get(usage, "tokens"), &figures))
        return ST_OK;
    if (json_u64(json_get(usage, "cached_tokens"), &cached) == ST_OK)
        figures.cached_tokens = cached < figures.input_tokens ? cached : figures.input_tokens;
    return dialect_emit(call, &event);
}

static enum chat_finish finish_of(const struct json *reason)
{
    static const struct {
        const char *word;
        enum chat_finish finish;
    } words[] = {
        {"COMPLETE", CHAT_FINISH_STOP},     {"STOP_SEQUENCE", CHAT_FINISH_STOP_SEQUENCE},
        {"MAX_TOKENS", CHAT_FINISH_LENGTH}, {"TOOL_CALL", CHAT_FINISH_TOOL_CALLS},
        {"ERROR", CHAT_FINISH_ERROR},       {"ERROR_TOXIC", CHAT_FINISH_FILTER},
        {"TIMEOUT", CHAT_FINISH_ERROR},     {"ERROR_LIMIT", CHAT_FINISH_WINDOW},
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (is_word(reason, words[i].word))
            return words[i].finish;
    return CHAT_FINISH_STOP;
}

/* node: a whole answer, or the delta of message-end. */
static enum status emit_end(struct dialect_call *call, const struct json *node)
{
    const struct json *reason = json_get(node, "finish_reason"), *why = json_get(node, "error");
    struct chat_event finish = {
        .kind = CHAT_EVENT_FINISH, .finish = finish_of(reason), .word = word_of(reason)};
    struct chat_event end = {.kind = CHAT_EVENT_END};
    struct chat_error error = {.http = 502, .type = STR("server_error")};
    if (!json_is(reason, JSON_STRING))
        return ST_UPSTREAM_BROKEN;
    if (finish.finish == CHAT_FINISH_ERROR && json_is(why, JSON_STRING) &&
        json_text(why, call->arena, &error.message) == ST_OK && error.message.n > 0) {
        dialect_fail(call, &error);
        return ST_OK;
    }
    TRY(dialect_emit(call, &finish));
    TRY(emit_usage(call, json_get(node, "usage")));
    return dialect_emit(call, &end);
}

/* --- a stream's events, and a whole answer */

static enum status start(struct dialect_call *call, const struct json *root)
{
    struct chat_event event = {.kind = CHAT_EVENT_START, .id = chat_text_of(json_get(root, "id"))};
    return dialect_emit(call, &event);
}

enum status back_cohere_event(struct dialect_call *call, const struct sse_event *event)
{
    struct json *root;
    if (str_eq(event->data, STR("[DONE]")))
        return ST_OK;
    TRY(json_parse(call->scratch, event->data, NULL, &root, NULL));
    const struct json *type = json_get(root, "type"), *delta = json_get(root, "delta");
    const struct json *message = json_get(delta, "message");
    if (is_word(type, "content-delta") || is_word(type, "content-start"))
        return emit_content(call, json_get(message, "content"),
                            logprobs_of(call, json_get(root, "logprobs")));
    if (is_word(type, "tool-plan-delta"))
        return emit_plan(call, json_get(message, "tool_plan"));
    if (is_word(type, "tool-call-start"))
        return begin_call(call, json_get(message, "tool_calls"));
    if (is_word(type, "tool-call-delta"))
        return emit_arguments(call, json_get(json_get(message, "tool_calls"), "function"));
    if (is_word(type, "tool-call-end"))
        return end_part(call);
    if (is_word(type, "citation-start"))
        return emit_citation(call, json_get(message, "citations"));
    if (is_word(type, "message-start"))
        return start(call, root);
    if (is_word(type, "message-end"))
        return emit_end(call, delta);
    return ST_OK; /* content-end, citation-end, debug, and what the API may add */
}

static const struct json *list_of(const struct json *node, const char *name)
{
    const struct json *list = json_get(node, name);
    return json_is(list, JSON_ARRAY) ? list->first : NULL;
}

enum status back_cohere_whole(struct dialect_call *call, const struct json *answer)
{
    const struct json *message = json_get(answer, "message"), *item;
    struct str logprobs = logprobs_of(call, list_of(answer, "logprobs"));
    if (!json_is(message, JSON_OBJECT))
        return ST_UPSTREAM_BROKEN;
    TRY(start(call, answer));
    for (item = list_of(message, "content"); item != NULL; item = item->next) {
        bool words = chat_has(chat_text_of(json_get(item, "text")));
        TRY(emit_content(call, item, words ? logprobs : STR_NONE));
        if (words)
            logprobs = STR_NONE;
    }
    for (item = list_of(message, "citations"); item != NULL; item = item->next)
        TRY(emit_citation(call, item));
    TRY(emit_plan(call, json_get(message, "tool_plan")));
    for (item = list_of(message, "tool_calls"); item != NULL; item = item->next) {
        TRY(begin_call(call, item));
        TRY(end_part(call));
    }
    return emit_end(call, answer);
}

/* {"message"}: what went wrong, in words; the status says of which kind. */
void back_cohere_error(struct dialect_call *call, const struct json *body, struct chat_error *error)
{
    const struct json *message = json_get(body, "message");
    struct str text;
    if (json_is(message, JSON_STRING) && json_text(message, call->arena, &text) == ST_OK)
        error->message = text;
}
