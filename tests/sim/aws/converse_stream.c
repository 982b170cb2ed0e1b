/* converse_stream.c: the events of ConverseStream, in Bedrock's order, as frames of an AWS event
 * stream.
 *
 *   messageStart
 *   per block: contentBlockStart (a call's only), contentBlockDelta*, contentBlockStop
 *   messageStop, metadata (usage)
 *
 * A thought's signature comes as its last delta. Every payload carries padding in `p`, as AWS sends
 * it to hide lengths. An error inside the stream is an exception frame, and nothing follows it.
 */
#include "tests/sim/aws/aws.h"
#include "tests/sim/aws/converse.h"
#include "tests/sim/sim.h"

#include "common/clock.h"

#define EVENT_MAX       (SIM_TEXT_MAX * 2)
#define EVENT_ARENA_MAX (64 << 10)

struct event {
    struct buf data;
    struct json_writer w;
};

static void event_open(struct event *event)
{
    buf_init(&event->data, EVENT_MAX);
    jw_init(&event->w, &event->data);
    jw_object(&event->w);
}

static void event_close(struct event *event, const char *kind, const char *name, struct buf *out)
{
    static const char padding[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    if (strcmp(kind, "event") == 0)
        jw_field_str(&event->w, "p", str_of(padding, 2 + event->data.n * 7 % (sizeof padding - 3)));
    jw_end(&event->w);
    if (buf_status(&event->data) == ST_OK)
        aws_add_frame(out, kind, name, buf_str(&event->data));
    else
        out->failed = ST_NO_MEMORY;
    buf_free(&event->data);
}

static void converse_begin(struct stream *stream, struct buf *out)
{
    struct event event;
    (void)stream;
    event_open(&event);
    jw_field_cstr(&event.w, "role", "assistant");
    event_close(&event, "event", "messageStart", out);
}

static void converse_open(struct stream *stream, struct buf *out)
{
    const struct answer_block *block = stream_block(stream);
    struct event event;
    if (block->kind != ANSWER_CALL)
        return;
    event_open(&event);
    jw_field_u64(&event.w, "contentBlockIndex", stream->block);
    jw_key(&event.w, "start");
    jw_object(&event.w);
    jw_key(&event.w, "toolUse");
    jw_object(&event.w);
    jw_field_str(&event.w, "toolUseId", block->id);
    jw_field_str(&event.w, "name", block->name);
    jw_end(&event.w);
    jw_end(&event.w);
    event_close(&event, "event", "contentBlockStart", out);
}

/* One delta: {"outer":{"inner":text}}, or {"outer":text}. */
static void converse_delta(struct stream *stream, struct buf *out, const char *outer,
                           const char *inner, struct str text)
{
    struct event event;
    event_open(&event);
    jw_field_u64(&event.w, "contentBlockIndex", stream->block);
    jw_key(&event.w, "delta");
    jw_object(&event.w);
    jw_key(&event.w, outer);
    if (inner != NULL) {
        jw_object(&event.w);
        jw_field_str(&event.w, inner, text);
        jw_end(&event.w);
    } else {
        jw_str(&event.w, text);
    }
    jw_end(&event.w);
    event_close(&event, "event", "contentBlockDelta", out);
}

static void converse_piece(struct stream *stream, struct str text, struct buf *out)
{
    switch (stream_block(stream)->kind) {
    case ANSWER_TEXT:
        converse_delta(stream, out, "text", NULL, text);
        break;
    case ANSWER_IMAGE:
        break;
    case ANSWER_CALL:
        converse_delta(stream, out, "toolUse", "input", text);
        break;
    case ANSWER_THOUGHT:
        converse_delta(stream, out, "reasoningContent", "text", text);
        break;
    }
}

static void converse_close(struct stream *stream, struct buf *out)
{
    const struct converse_reply *reply = stream->context;
    const struct answer_block *block = stream_block(stream);
    struct event event;
    if (block->kind == ANSWER_THOUGHT) {
        struct arena arena;
        arena_init(&arena, EVENT_ARENA_MAX);
        if (reply->redacted)
            converse_delta(stream, out, "reasoningContent", "redactedContent",
                           sim_sign(&arena, STR("redacted"), reply->seed));
        else
            converse_delta(stream, out, "reasoningContent", "signature",
                           sim_sign(&arena, block->text, reply->seed));
        arena_free(&arena);
    }
    event_open(&event);
    jw_field_u64(&event.w, "contentBlockIndex", stream->block);
    event_close(&event, "event", "contentBlockStop", out);
}

static void converse_end(struct stream *stream, struct buf *out)
{
    const struct converse_reply *reply = stream->context;
    struct event event;
    event_open(&event);
    jw_field_cstr(&event.w, "stopReason",
                  reply->guarded && stream->answer.refused ? "guardrail_intervened"
                                                           : converse_stop_reason(&stream->answer));
    if (reply->extra.p != NULL)
        jw_field_raw(&event.w, "additionalModelResponseFields", reply->extra);
    event_close(&event, "event", "messageStop", out);
    event_open(&event);
    jw_key(&event.w, "usage");
    converse_write_usage(&event.w, &stream->answer.usage);
    jw_key(&event.w, "metrics");
    jw_object(&event.w);
    jw_field_i64(&event.w, "latencyMs", clock_wall_ms() - reply->started_ms);
    jw_end(&event.w);
    event_close(&event, "event", "metadata", out);
}

static void converse_error(struct stream *stream, struct buf *out)
{
    struct event event;
    (void)stream;
    event_open(&event);
    jw_field_cstr(&event.w, "message", "The model broke off. Try your request again.");
    jw_field_i64(&event.w, "originalStatusCode", 500);
    jw_field_cstr(&event.w, "originalMessage", "Internal server error");
    event_close(&event, "exception", "modelStreamErrorException", out);
}

static const struct stream_ops converse_ops = {.begin = converse_begin,
                                               .open = converse_open,
                                               .piece = converse_piece,
                                               .close = converse_close,
                                               .end = converse_end,
                                               .error = converse_error};

void converse_stream(struct call *call, const struct answer *answer, struct converse_reply *reply)
{
    stream_start(call, &converse_ops, answer, reply);
    if (call->source != NULL)
        call->content_type = "application/vnd.amazon.eventstream";
}
