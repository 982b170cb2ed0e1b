/* trace.h: what ties an answer to its request: W3C trace context, and the headers that say how it
 * came about.
 *
 * Trace context (www.w3.org/TR/trace-context): a valid traceparent is joined, anything else begins
 * a trace of our own. Every attempt is a span; the provider gets the trace's id with that span as
 * parent, and the caller's tracestate as it came. Headers: gateway-semantics.md section 1.2, and
 * ours. Pure; random bytes are the caller's.
 */
#ifndef SLUICE_DATA_WORKER_TRACE_H
#define SLUICE_DATA_WORKER_TRACE_H

#include "common/arena.h"
#include "data-plane/worker/conn.h"

#define TRACE_PARENT_TEXT 55 /* 00-<32>-<16>-<2>, without NUL */
#define TRACE_STATE_MAX   512
#define TRACE_HEADERS_MAX 6 /* that trace_reply_headers adds */

struct trace {
    bool joined; /* the caller's trace; else one that begins here */
    uint8_t sampled;
    uint8_t trace_id[16];
    uint8_t caller_span[8]; /* zeros if not joined */
    uint8_t span[8];        /* of the present attempt */
};

/* traceparent: the request's header, or n = 0. random: for a trace id and a span. */
void trace_begin(struct trace *trace, struct str traceparent, const uint8_t random[24]);
/* The next attempt. */
void trace_next_span(struct trace *trace, const uint8_t random[8]);
/* What goes to the provider as traceparent; NUL-terminated. */
void trace_to_text(const struct trace *trace, char text[TRACE_PARENT_TEXT + 1]);
/* The caller's tracestate if it may go on: its trace was joined, and it is printable and not too
 * long. Else n = 0. */
struct str trace_state(const struct trace *trace, struct str tracestate);

enum trace_cache { TRACE_CACHE_DISABLED, TRACE_CACHE_HIT, TRACE_CACHE_MISS, TRACE_CACHE_REFRESH };

/* How an answer came about. n = 0: the header is left out. */
struct trace_reply {
    struct str option_index; /* "config.targets[1]" */
    int retry_count;         /* retry_count (retry.h) */
    enum trace_cache cache;
    struct str provider;       /* type of the provider that answered */
    struct str ignored_guards; /* paths, each ended by '\n' (route_plan.h): the operator lets them
                                  be ignored */
    struct str warnings;       /* sentences, each ended by '\n'; only their number is said */
};

/* Appends up to TRACE_HEADERS_MAX headers; their values borrow from `reply` or the arena. Gives the
 * new count. What cannot be allocated is left out. */
size_t trace_reply_headers(const struct trace_reply *reply, struct arena *arena,
                           struct reply_header *headers, size_t count);

#endif
