/* messages_stream.c: the events of a streamed message, in Anthropic's order.
 *
 *   message_start, (ping behind the first content_block_start)
 *   per block: content_block_start,
 *     text: text_delta*     call: input_json_delta* (the first one empty)
 *     thought: thinking_delta*, signature_delta     redacted: none
 *   content_block_stop
 *   message_delta (stop reason, usage so far), message_stop
 *
 * message_start says 1 output token, message_delta all of them: the figures are cumulative, and a
 * reader that adds them up is wrong by one. An error event ends the stream without message_stop.
 */
#include "tests/sim/anthropic/messages.h"
#include "tests/sim/sim.h"

#define EVENT_MAX       (SIM_TEXT_MAX * 2)
#define EVENT_ARENA_MAX (64 << 10)

struct event {
    struct buf data;
    struct json_writer w;
    struct arena arena; /* for signatures */
    const char *type;
};

static void event_open(struct event *event, const char *type)
{
    event->type = type;
    buf_init(&event->data, EVENT_MAX);
    arena_init(&event->arena, EVENT_ARENA_MAX);
    jw_init(&event->w, &event->data);
    jw_object(&event->w);
    jw_field_cstr(&event->w, "type", type);
}

static void event_close(struct event *event, const struct stream *stream, struct buf *out)
{
    const struct messages_reply *reply = stream->context;
    jw_end(&event->w);
    if (buf_status(&event->data) == ST_OK)
        reply->frame(out, event->type, buf_str(&event->data));
    else
        out->failed = ST_NO_MEMORY;
    buf_free(&event->data);
    arena_free(&event->arena);
}

void messages_frame_sse(struct buf *out, const char *event, struct str json)
{
    buf_printf(out, "event: %s\ndata: ", event);
    buf_add_str(out, json);
    buf_add_lit(out, "\n\n");
}

static void message_begin(struct stream *stream, struct buf *out)
{
    const struct messages_reply *reply = stream->context;
    struct usage usage = stream->answer.usage;
    struct event event;
    usage.completion = usage.completion > 0 ? 1 : 0;
    usage.reasoning = 0;
    event_open(&event, "message_start");
    jw_key(&event.w, "message");
    messages_write(&event.w, &event.arena, reply, NULL, &usage);
    event_close(&event, stream, out);
}

static void message_open(struct stream *stream, struct buf *out)
{
    struct event event;
    event_open(&event, "content_block_start");
    jw_field_u64(&event.w, "index", stream->block);
    jw_key(&event.w, "content_block");
    messages_write_block(&event.w, &event.arena, stream->context, stream_block(stream), true);
    event_close(&event, stream, out);
    if (stream->block == 0) {
        event_open(&event, "ping");
        event_close(&event, stream, out);
    }
}

static void message_delta(struct stream *stream, struct buf *out, const char *type,
                          const char *name, struct str text)
{
    struct event event;
    event_open(&event, "content_block_delta");
    jw_field_u64(&event.w, "index", stream->block);
    jw_key(&event.w, "delta");
    jw_object(&event.w);
    jw_field_cstr(&event.w, "type", type);
    jw_field_str(&event.w, name, text);
    jw_end(&event.w);
    event_close(&event, stream, out);
}

static void message_piece(struct stream *stream, struct str text, struct buf *out)
{
    switch (stream_block(stream)->kind) {
    case ANSWER_THOUGHT:
        message_delta(stream, out, "thinking_delta", "thinking", text);
        break;
    case ANSWER_TEXT:
        message_delta(stream, out, "text_delta", "text", text);
        break;
    case ANSWER_IMAGE:
        break;
    case ANSWER_CALL:
        if (stream->offset == 0)
            message_delta(stream, out, "input_json_delta", "partial_json", STR(""));
        message_delta(stream, out, "input_json_delta", "partial_json", text);
        break;
    }
}

static void message_close(struct stream *stream, struct buf *out)
{
    const struct messages_reply *reply = stream->context;
    const struct answer_block *block = stream_block(stream);
    struct event event;
    if (block->kind == ANSWER_THOUGHT && !reply->redacted) {
        struct arena arena;
        arena_init(&arena, EVENT_ARENA_MAX);
        message_delta(stream, out, "signature_delta", "signature",
                      sim_sign(&arena, block->text, reply->seed));
        arena_free(&arena);
    }
    event_open(&event, "content_block_stop");
    jw_field_u64(&event.w, "index", stream->block);
    event_close(&event, stream, out);
}

static void message_end(struct stream *stream, struct buf *out)
{
    struct event event;
    event_open(&event, "message_delta");
    jw_key(&event.w, "delta");
    jw_object(&event.w);
    messages_write_stop(&event.w, &stream->answer);
    jw_field_cstr(&event.w, "container", NULL);
    jw_end(&event.w);
    jw_key(&event.w, "usage");
    messages_write_usage(&event.w, &stream->answer.usage, false);
    event_close(&event, stream, out);
    event_open(&event, "message_stop");
    event_close(&event, stream, out);
}

static void message_error(struct stream *stream, struct buf *out)
{
    struct event event;
    event_open(&event, "error");
    jw_key(&event.w, "error");
    jw_object(&event.w);
    jw_field_cstr(&event.w, "type", "overloaded_error");
    jw_field_cstr(&event.w, "message", "Overloaded");
    jw_end(&event.w);
    jw_field_str(&event.w, "request_id", request_reply_id(stream->req));
    event_close(&event, stream, out);
}

static const struct stream_ops message_ops = {.begin = message_begin,
                                              .open = message_open,
                                              .piece = message_piece,
                                              .close = message_close,
                                              .end = message_end,
                                              .error = message_error};

void messages_stream(struct call *call, const struct answer *answer, struct messages_reply *reply)
{
    stream_start(call, &message_ops, answer, reply);
}

void messages_write_events(const struct answer *answer, struct messages_reply *reply,
                           const struct str *pieces, size_t count, struct buf *out)
{
    struct stream stream = {.ops = &message_ops, .answer = *answer, .context = reply};
    message_begin(&stream, out);
    message_open(&stream, out);
    for (size_t i = 0; i < count; i++)
        message_piece(&stream, pieces[i], out);
    message_close(&stream, out);
    message_end(&stream, out);
}
