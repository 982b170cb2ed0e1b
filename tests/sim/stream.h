/* stream.h: an answer as a stream of events, paced, and broken where the fault says so.
 *
 * Owner: the request's keep arena. The API decides the events (stream_ops); this file decides when
 * they go out and how the stream ends. Usage in the request follows what has gone out, so an
 * aborted stream is counted to its last chunk.
 */
#ifndef SLUICE_TESTS_SIM_STREAM_H
#define SLUICE_TESTS_SIM_STREAM_H

#include "tests/sim/answer.h"

struct stream;

/* begin, then per block: open, piece*, close; then end. An API needs no open and close (NULL). */
struct stream_ops {
    void (*begin)(struct stream *stream, struct buf *out);
    void (*open)(struct stream *stream, struct buf *out);
    void (*piece)(struct stream *stream, struct str text, struct buf *out);
    void (*close)(struct stream *stream, struct buf *out);
    void (*end)(struct stream *stream, struct buf *out);
    void (*error)(struct stream *stream, struct buf *out); /* the in-band error of this API */
};

struct stream {
    struct source source; /* first */
    const struct stream_ops *ops;
    struct request *req;
    struct answer answer;
    void *context;   /* the API's own, in keep */
    uint64_t at;     /* pieces sent */
    size_t block;    /* the block that is open, or comes next */
    size_t offset;   /* what of it has gone out */
    size_t sent;     /* bytes of all blocks that have gone out */
    uint64_t serial; /* for sequence numbers */
    bool begun, open;
};

/* Makes the call's outcome a stream of this answer. `context` lives in keep. */
void stream_start(struct call *call, const struct stream_ops *ops, const struct answer *answer,
                  void *context);

/* The block whose event is being written. */
static inline const struct answer_block *stream_block(const struct stream *stream)
{
    return &stream->answer.blocks[stream->block];
}

/* Whether a fault ends a stream before its piece `at`, and how. */
bool stream_breaks_at(const struct fault *fault, uint64_t at, enum source_step *step);

#endif
