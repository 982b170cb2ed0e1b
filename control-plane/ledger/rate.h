/* rate.h: a trailing window: how much was admitted in the last W, in 128 sub-buckets. For
 * control-plane/ledger only.
 *
 *        oldest, counted whole                         newest: now is in it
 *   ... |  n-128  |  n-127  | ...            ... |  n-1  |   n   |      n = time x 128 / W
 *
 * An amount that was admitted at t is entered at t or later and leaves only when a whole window has
 * passed since the end of its bucket, so the sum is never less than what was admitted in any
 * trailing window that ends now. `level` is the token bucket of a limit with `burst`: refilled at
 * value / W up to burst, drawn when spending is told, so that what is lent and not told yet must
 * fit into it (see lend_rate.c).
 *
 * Row: [0x7F 'G']['W'][counter 16][epoch 8] -> struct rate. Times are grants_time. Pure, but for
 * the row.
 */
#ifndef SLUICE_CONTROL_RATE_H
#define SLUICE_CONTROL_RATE_H

#include "control-plane/ledger/book.h"

#define RATE_PARTS   128
#define RATE_BUCKETS (RATE_PARTS + 1)

struct rate {
    int64_t newest;                /* number of the newest bucket; 0: nothing was ever entered */
    int64_t level, level_rest;     /* units, and the rest of a unit in units / W */
    int64_t level_ms;              /* of the last refill; 0: never */
    int64_t buckets[RATE_BUCKETS]; /* number n is at n % RATE_BUCKETS */
};

/* One that is not there is empty. ST_BAD_FORMAT. */
MUST_USE enum status rate_get(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                              struct rate *rate);
MUST_USE enum status rate_put(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                              const struct rate *rate);

/* Moves the window to time_ms. A time before the newest bucket (the clock was set back between two
 * lives of the process) counts as that bucket; one more than a window before it takes everything
 * along, so that a wrong clock does not hold a limit shut for longer than W. */
void rate_advance(struct rate *rate, int64_t window_ms, int64_t time_ms);
/* What is in the window; after rate_advance. */
int64_t rate_sum(const struct rate *rate);
/* Enters what was admitted, now. */
void rate_add(struct rate *rate, int64_t amount);
/* Corrects what was admitted at at_ms by `delta`. More is entered there. Less is taken from the
 * oldest buckets that can hold it, none below zero, so that nothing leaves the window too late. */
void rate_correct(struct rate *rate, int64_t window_ms, int64_t at_ms, int64_t delta);
/* ms from time_ms until `amount` less is in the window than now; -1: not within one window. */
int64_t rate_until(const struct rate *rate, int64_t window_ms, int64_t time_ms, int64_t amount);

/* Refills the level up to now. burst 0: there is none; the level is full when there is one again.
 */
void rate_refill(struct rate *rate, int64_t value, int64_t burst, int64_t window_ms,
                 int64_t time_ms);
/* ms until the level is higher by `amount`; -1: never. */
int64_t rate_until_level(int64_t value, int64_t window_ms, int64_t amount);

#endif
