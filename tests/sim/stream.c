/* stream.c: see stream.h.
 *
 *   begin -> piece 0 -> (pause) -> piece 1 -> ... -> end
 *            ^ before piece N: reset-after:N, truncate:N, error-event:N, hang-after:N
 *
 * Without a pause the pieces are made as fast as the client reads them; at most one step's bytes are in memory.
 */
#include "tests/sim/stream.h"

static bool stream_is_broken_here(const struct stream *stream, enum source_step *step, bool *error_event)
{
    const struct fault *fault = &stream->req->fault;
    int64_t at = (int64_t)stream->at;
    *error_event = fault->error_event == at;
    if (fault->reset_after == at)
        *step = SOURCE_RESET;
    else if (fault->truncate == at)
        *step = SOURCE_CUT;
    else if (fault->hang_after == at)
        *step = SOURCE_HANG;
    else if (*error_event)
        *step = SOURCE_END;
    else
        return false;
    return true;
}

static enum source_step stream_fill(struct source *source, struct buf *out, int64_t *wait_ms)
{
    struct stream *stream = (struct stream *)(void *)source;
    struct request *req = stream->req;
    enum source_step step = SOURCE_MORE;
    bool error_event = false;
    if (!stream->begun) {
        stream->begun = true;
        stream->ops->begin(stream, out);
        req->usage = answer_usage_after(&stream->answer, 0);
        return SOURCE_MORE;
    }
    if (stream_is_broken_here(stream, &step, &error_event)) {
        if (error_event)
            stream->ops->error(stream, out);
        return step;
    }
    if (stream->at == stream->answer.pieces) {
        req->usage = stream->answer.usage;
        stream->ops->end(stream, out);
        return SOURCE_END;
    }
    stream->ops->piece(stream, answer_piece(&stream->answer, stream->at), out);
    stream->at++;
    req->usage = answer_usage_after(&stream->answer, stream->at);
    *wait_ms = req->fault.interval >= 0 ? req->fault.interval : req->sim->options.chunk_interval_ms;
    return *wait_ms > 0 ? SOURCE_PAUSE : SOURCE_MORE;
}

void stream_start(struct call *call, const struct stream_ops *ops, const struct answer *answer, void *context)
{
    struct stream *stream = arena_calloc(call->keep, 1, sizeof *stream);
    if (stream == NULL || call->req == NULL) {
        call_error(call, 500, NULL, NULL, "cannot stream here");
        return;
    }
    *stream = (struct stream){.source.fill = stream_fill,
                              .ops = ops,
                              .req = call->req,
                              .answer = *answer,
                              .context = context};
    call->source = &stream->source;
    call->content_type = "text/event-stream; charset=utf-8";
    call->stream = true;
}
