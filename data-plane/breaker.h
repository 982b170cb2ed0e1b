/* breaker.h: circuit breakers, one per provider and model, shared by the workers of a host.
 *
 *             enough failures                   cool-down over
 *   CLOSED ---------------------> OPEN -----------------------------> HALF OPEN
 *      ^                           ^                                   |  |
 *      |                           `--- probe failed, longer pause ----'  |
 *      `---------------------------------- probe went well --------------'
 *
 * It opens on BREAKER_STREAK failures in a row, counted over all workers without a success between;
 * or when half of at least BREAKER_SAMPLES attempts of the last 10 to 20 seconds failed; or when
 * four fifths of them were slow: over 10 s and five times as long as usual. Half open lets one
 * attempt through at a time. It only says what to pass over: it never refuses a request
 * (route_walk.h).
 *
 * Shared memory: every worker has a column and is the only one that writes it; all read all. A
 * verdict is the newest of what the columns say. What lies there is only compared, never followed,
 * so a worker that went wrong can make others pass over a target or not, and nothing else. A column
 * begins as zeros. Clock: CLOCK_MONOTONIC in ms, the same for all processes of a host. Bounded:
 * BREAKER_CELLS keys a column; the one that was quiet longest is forgotten.
 */
#ifndef SLUICE_DATA_BREAKER_H
#define SLUICE_DATA_BREAKER_H

#include <stdatomic.h>

#include "common/str.h"

#define BREAKER_SETS         128
#define BREAKER_WAYS         4
#define BREAKER_CELLS        (BREAKER_SETS * BREAKER_WAYS)
#define BREAKER_COLUMNS_MAX  256
#define BREAKER_STREAK       5
#define BREAKER_SAMPLES      20
#define BREAKER_PAUSE_MS     5000 /* the first; doubled up to BREAKER_PAUSE_MAX_MS */
#define BREAKER_PAUSE_MAX_MS 60000

/* One key of one worker. */
struct breaker_cell {
    /* read by all at every attempt, written when something happens */
    _Alignas(64) _Atomic uint64_t opened; /* ms << 8 | how often in a row; 0: never */
    _Atomic uint64_t closed;              /* ms << 8 */
    _Atomic uint64_t probing; /* ms << 8: since when a probe is on its way; 0: none is */
    /* written at every attempt's end, read by others when one of theirs failed; from the top:
     * number u16, ok u16, failed u16, slow u16 */
    _Alignas(64) _Atomic uint64_t window[2];
    _Atomic uint64_t last_ok_ms;
    _Atomic uint32_t failures;     /* ever */
    _Atomic uint32_t failed_at[8]; /* low half of ms; the newest at (failures - 1) % 8 */
};

struct breaker_column {
    _Atomic uint64_t keys[BREAKER_SETS][BREAKER_WAYS]; /* 0: free */
    struct breaker_cell cells[BREAKER_SETS][BREAKER_WAYS];
};

struct breaker; /* a worker's view */

/* columns: all of the host, borrowed while the breaker lives; own: this worker's. gives.
 * ST_NO_MEMORY, ST_INVALID. */
MUST_USE enum status breaker_new(struct breaker_column *const *columns, size_t count, size_t own,
                                 struct breaker **breaker);
void breaker_free(struct breaker *breaker);

/* True while the target is to be passed over: open, or half open with a probe on its way. key: of
 * provider and model, never 0. */
bool breaker_is_cooled(const struct breaker *breaker, uint64_t key, int64_t now_ms);

/* An attempt that was begun; ended exactly once. */
struct breaker_ticket {
    uint64_t key; /* 0: none */
    int64_t started_ms;
    bool probe;
};

enum breaker_result {
    BREAKER_OK,
    BREAKER_FAILED,
    BREAKER_UNKNOWN, /* says nothing about the target: the client left, or its request was wrong */
};

struct breaker_ticket breaker_begin(struct breaker *breaker, uint64_t key, int64_t now_ms);
/* first_byte_ms: how long the answer took to begin; -1 where that says nothing (an answer that is
 * not a stream). */
void breaker_end(struct breaker *breaker, const struct breaker_ticket *ticket,
                 enum breaker_result result, int64_t first_byte_ms, int64_t now_ms);

/* What an HTTP status of a provider says: 2xx and 3xx OK; 401, 408, 429 and 5xx FAILED; other 4xx
 * UNKNOWN. */
enum breaker_result breaker_judge(int http_status);

#endif
