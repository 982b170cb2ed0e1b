/* stream.c: see stream.h.
 *
 *   begin -> piece 0 -> (pause) -> piece 1 -> ... -> end
 *            ^ before piece N: reset-after:N, truncate:N, error-event:N, hang-after:N
 *
 * Without a pause the pieces are made as fast as the client reads them; at most one step's bytes
 * are in memory.
 */
#include "tests/sim/stream.h"

bool stream_breaks_at(const struct fault *fault, uint64_t at, enum source_step *step)
{
    if (fault->reset_after == (int64_t)at)
        *step = SOURCE_RESET;
    else if (fault->truncate == (int64_t)at)
        *step = SOURCE_CUT;
    else if (fault->hang_after == (int64_t)at)
        *step = SOURCE_HANG;
    else
        return false;
    return true;
}

static void stream_open(struct stream *stream, struct buf *out)
{
    stream->open = true;
    stream->offset = 0;
    if (stream->ops->open != NULL)
        stream->ops->open(stream, out);
}

static void stream_close(struct stream *stream, struct buf *out)
{
    if (stream->ops->close != NULL)
        stream->ops->close(stream, out);
    stream->open = false;
    stream->block++;
}

/* Sends the blocks up to byte `end` of all of them; a piece that spans blocks becomes one event in
 * each. A block is closed by the step that sends its last byte. */
static void stream_send(struct stream *stream, size_t end, struct buf *out)
{
    while (stream->block < stream->answer.count) {
        struct str text = stream_block(stream)->text;
        if (!stream->open) {
            if (stream->sent == end && text.n > 0)
                return;
            stream_open(stream, out);
        }
        struct str piece = str_head(str_from(text, stream->offset), end - stream->sent);
        if (piece.n > 0)
            stream->ops->piece(stream, piece, out);
        stream->offset += piece.n;
        stream->sent += piece.n;
        if (stream->offset < text.n)
            return;
        stream_close(stream, out);
    }
}

static enum source_step stream_fill(struct source *source, struct buf *out, int64_t *wait_ms)
{
    struct stream *stream = (struct stream *)(void *)source;
    struct request *req = stream->req;
    enum source_step step = SOURCE_MORE;
    if (!stream->begun) {
        stream->begun = true;
        stream->ops->begin(stream, out);
        req->usage = answer_usage_at(&stream->answer, 0, 0);
        return SOURCE_MORE;
    }
    if (stream_breaks_at(&req->fault, stream->at, &step))
        return step;
    if (req->fault.error_event == (int64_t)stream->at) {
        stream->ops->error(stream, out);
        return SOURCE_END;
    }
    if (stream->at == stream->answer.pieces) {
        stream_send(stream, stream->sent, out);
        req->usage = stream->answer.usage;
        stream->ops->end(stream, out);
        return SOURCE_END;
    }
    stream->at++;
    stream_send(stream, answer_piece_start(&stream->answer, stream->at), out);
    req->usage = answer_usage_at(&stream->answer, stream->block, stream->open ? stream->offset : 0);
    *wait_ms = req->fault.interval >= 0 ? req->fault.interval : req->sim->options.chunk_interval_ms;
    return *wait_ms > 0 ? SOURCE_PAUSE : SOURCE_MORE;
}

void stream_start(struct call *call, const struct stream_ops *ops, const struct answer *answer,
                  void *context)
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
