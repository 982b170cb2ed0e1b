/* cohere_stream.c: a streamed chat: the v2 events, each with its name.
 *
 *   message-start, { content-start, content-delta*, [citation-start, citation-end], content-end
 *                  | tool-plan-delta* | tool-call-start, tool-call-delta*, tool-call-end }*,
 * message-end
 *
 * An error inside a stream is a message-end with finish_reason ERROR.
 */
#include "tests/sim/cohere/cohere.h"

struct event {
    struct json_writer w;
    struct buf *out;
};

static void event_open(struct event *event, struct buf *out, const char *type)
{
    event->out = out;
    buf_printf(out, "event: %s\ndata: ", type);
    jw_init(&event->w, out);
    jw_object(&event->w);
    jw_field_cstr(&event->w, "type", type);
}

static void event_close(struct event *event)
{
    jw_end(&event->w);
    buf_add_lit(event->out, "\n\n");
}

/* Opens "delta":{"message":{. */
static void message_open(struct event *event)
{
    jw_key(&event->w, "delta");
    jw_object(&event->w);
    jw_key(&event->w, "message");
    jw_object(&event->w);
}

static void message_close(struct event *event)
{
    jw_end(&event->w);
    jw_end(&event->w);
}

static bool has_calls(const struct stream *stream)
{
    return answer_first(&stream->answer, ANSWER_CALL) != NULL;
}

/* Is the open block the plan in front of calls? */
static bool is_plan(const struct stream *stream)
{
    return stream_block(stream)->kind == ANSWER_TEXT && has_calls(stream);
}

static void chat_begin(struct stream *stream, struct buf *out)
{
    const struct cohere_reply *reply = stream->context;
    static const char *const lists[] = {"content", "tool_calls", "citations"};
    struct event event;
    event_open(&event, out, "message-start");
    jw_field_str(&event.w, "id", reply->id);
    message_open(&event);
    jw_field_cstr(&event.w, "role", "assistant");
    jw_field_cstr(&event.w, "tool_plan", "");
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        jw_key(&event.w, lists[i]);
        jw_array(&event.w);
        jw_end(&event.w);
    }
    message_close(&event);
    event_close(&event);
}

static void chat_open(struct stream *stream, struct buf *out)
{
    struct cohere_reply *reply = stream->context;
    const struct answer_block *block = stream_block(stream);
    const char *kind = block->kind == ANSWER_THOUGHT ? "thinking" : "text";
    struct event event;
    if (is_plan(stream))
        return;
    if (block->kind == ANSWER_CALL) {
        event_open(&event, out, "tool-call-start");
        jw_field_u64(&event.w, "index", reply->calls);
        message_open(&event);
        jw_key(&event.w, "tool_calls");
        cohere_write_call(&event.w, block, STR(""));
    } else {
        event_open(&event, out, "content-start");
        jw_field_u64(&event.w, "index", reply->contents);
        message_open(&event);
        jw_key(&event.w, "content");
        jw_object(&event.w);
        jw_field_cstr(&event.w, "type", kind);
        jw_field_cstr(&event.w, kind, "");
        jw_end(&event.w);
    }
    message_close(&event);
    event_close(&event);
}

static void chat_piece(struct stream *stream, struct str text, struct buf *out)
{
    const struct cohere_reply *reply = stream->context;
    const struct answer_block *block = stream_block(stream);
    struct event event;
    bool plan = is_plan(stream), called = block->kind == ANSWER_CALL;
    event_open(&event, out,
               plan     ? "tool-plan-delta"
               : called ? "tool-call-delta"
                        : "content-delta");
    if (!plan)
        jw_field_u64(&event.w, "index", called ? reply->calls : reply->contents);
    message_open(&event);
    if (plan) {
        jw_field_str(&event.w, "tool_plan", text);
    } else if (called) {
        jw_key(&event.w, "tool_calls");
        jw_object(&event.w);
        jw_key(&event.w, "function");
        jw_object(&event.w);
        jw_field_str(&event.w, "arguments", text);
        jw_end(&event.w);
        jw_end(&event.w);
    } else {
        jw_key(&event.w, "content");
        jw_object(&event.w);
        jw_field_str(&event.w, block->kind == ANSWER_THOUGHT ? "thinking" : "text", text);
        jw_end(&event.w);
    }
    message_close(&event);
    if (reply->logprobs && block->kind == ANSWER_TEXT && !plan) {
        jw_key(&event.w, "logprobs");
        cohere_write_logprobs(&event.w, text);
    }
    event_close(&event);
}

static void add_citation(const struct cohere_reply *reply, struct buf *out)
{
    struct event event;
    event_open(&event, out, "citation-start");
    jw_field_u64(&event.w, "index", 0);
    message_open(&event);
    jw_key(&event.w, "citations");
    cohere_write_citation(&event.w, reply);
    message_close(&event);
    event_close(&event);
    event_open(&event, out, "citation-end");
    jw_field_u64(&event.w, "index", 0);
    event_close(&event);
}

static void chat_close(struct stream *stream, struct buf *out)
{
    struct cohere_reply *reply = stream->context;
    const struct answer_block *block = stream_block(stream);
    bool called = block->kind == ANSWER_CALL;
    struct event event;
    if (is_plan(stream))
        return;
    if (block->kind == ANSWER_TEXT && reply->source.p != NULL)
        add_citation(reply, out);
    event_open(&event, out, called ? "tool-call-end" : "content-end");
    jw_field_u64(&event.w, "index", called ? reply->calls++ : reply->contents++);
    event_close(&event);
}

static void add_end(const struct stream *stream, struct buf *out, const char *reason,
                    const char *error)
{
    const struct cohere_reply *reply = stream->context;
    struct event event;
    event_open(&event, out, "message-end");
    jw_field_str(&event.w, "id", reply->id);
    jw_key(&event.w, "delta");
    jw_object(&event.w);
    if (error != NULL)
        jw_field_cstr(&event.w, "error", error);
    jw_field_cstr(&event.w, "finish_reason", reason);
    if (error == NULL)
        cohere_write_usage(&event.w, &stream->answer.usage);
    jw_end(&event.w);
    event_close(&event);
}

static void chat_end(struct stream *stream, struct buf *out)
{
    add_end(stream, out, cohere_finish_reason(&stream->answer), NULL);
}

static void chat_error(struct stream *stream, struct buf *out)
{
    add_end(stream, out, "ERROR", "The model broke off.");
}

static const struct stream_ops chat_ops = {.begin = chat_begin,
                                           .open = chat_open,
                                           .piece = chat_piece,
                                           .close = chat_close,
                                           .end = chat_end,
                                           .error = chat_error};

void cohere_start_stream(struct call *call, const struct answer *answer, struct cohere_reply *reply)
{
    stream_start(call, &chat_ops, answer, reply);
}
