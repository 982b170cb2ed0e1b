/* request_log.h: metadata of requests, kept apart from money.
 *
 *   ledger has committed a batch -> request_log_offer (copies, never waits) -> queue -> own thread
 *                                                                  -> own LMDB environment
 *
 * Owner: request_log_open gives, request_log_close releases (what is queued is written first).
 * Threads: offer and reads from any. Failure: an environment that cannot be opened or written
 * leaves the rest of the control plane as it is; rows that were not written are counted. Everything
 * may be offered again: a row is named by its attempt. Limits: REQUEST_LOG_QUEUE_BYTES queued; rows
 * by age and by size, oldest first.
 */
#ifndef SLUICE_CONTROL_LOGS_REQUEST_LOG_H
#define SLUICE_CONTROL_LOGS_REQUEST_LOG_H

#include "common/arena.h"
#include "common/id.h"
#include "control-plane/store/kv.h"
#include "proto/usage.pb-c.h"

#define REQUEST_LOG_QUEUE_BYTES ((size_t)16 << 20)
#define REQUEST_LOG_PAGE_MAX    1000u
#define REQUEST_LOG_PLACE       24u /* at_ms 8, name 16 */

struct request_log;

struct request_log_options {
    const char *path;   /* folder; made if missing */
    uint64_t map_bytes; /* of the environment; rows use about half of it at most */
    int64_t keep_ms;
};

/* ST_CONFLICT (another process has it), ST_BAD_FORMAT, ST_IO, ST_NO_MEMORY. */
MUST_USE enum status request_log_open(const struct request_log_options *options,
                                      struct request_log **log);
/* NULL is fine. */
void request_log_close(struct request_log *log);

/* Copies events that the ledger has taken into the queue; NULL log is fine. Never blocks on the
 * disk. */
void request_log_offer(struct request_log *log, Sluice__UsageEvent *const *events, size_t count);

struct request_log_stats {
    uint64_t rows, bytes; /* kept */
    uint64_t dropped;     /* offered and not written, since the start */
    bool broken;          /* a write failed: nothing more is written until the next start */
};
void request_log_stats(struct request_log *log, struct request_log_stats *stats);

struct request_log_question {
    struct id org;
    struct id workspace;      /* none: all of the organisation */
    struct id request;        /* none: any */
    struct str trace;         /* n = 0: any; not with `request` */
    int64_t start_ms, end_ms; /* end exclusive */
    size_t limit;             /* <= REQUEST_LOG_PAGE_MAX */
};
struct request_log_page {
    Sluice__UsageEvent **rows; /* in the arena, newest first */
    size_t count;
    bool more; /* go on with `place` */
    uint8_t place[REQUEST_LOG_PLACE];
};
/* Rows that were written, newest first; `place` NULL: from the newest. ST_RANGE (limit, times),
 * ST_AGAIN (no reader slot), ST_NO_MEMORY, ST_BAD_FORMAT. */
MUST_USE enum status request_log_list(struct request_log *log,
                                      const struct request_log_question *question,
                                      const uint8_t *place, struct arena *arena,
                                      struct request_log_page *page);

/* Waits until everything offered so far was written or dropped, and what is due was dropped. For
 * tests. */
void request_log_settle(struct request_log *log);

#endif
