/* settle.h: from the reserves of usage events to what is settled. For control-plane/ledger only.
 *
 * A struct settle collects the reserves of many events in memory (in its arena), one sum per
 * (counter, epoch), before each counter meets the store once. It is the only code that maps an
 * event to counters: ingest settles with it, verify re-adds with it, dropping old events keeps
 * their sum with it. One thread.
 *
 * Entries that we write ourselves (source LOST, seq from LEDGER_OWN_SEQ on) are no requests: they
 * are summed apart.
 */
#ifndef SLUICE_CONTROL_SETTLE_H
#define SLUICE_CONTROL_SETTLE_H

#include "control-plane/ledger/holding.h"
#include "proto/usage.pb-c.h"

#define SETTLE_RESERVES_MAX 64u /* of one event */
#define SETTLE_AMOUNT_MAX                                                                          \
    INT64_C(1000000000000000) /* of one reserve: a million USD, 1e15 tokens                        \
                               */
#define LEDGER_OWN_SEQ (UINT64_C(1) << 63)

struct settle_sum {
    struct id counter;
    uint64_t epoch;
    int64_t amount; /* reserves of events */
    int64_t lost;   /* reserves of our own entries of lost hosts */
    int64_t at_ms;  /* of the newest event */
};
struct settle {
    struct arena *arena;
    struct settle_sum **slots;
    size_t slot_count, count, max;
};

/* Could these reserves have come from a node? Lengths, signs, sizes. */
bool settle_event_ok(const Sluice__UsageEvent *event);

/* max: sums at most. ST_NO_MEMORY. */
MUST_USE enum status settle_init(struct settle *settle, struct arena *arena, size_t max);
/* Adds an event that settle_event_ok accepts, or one of our own. ST_NO_MEMORY, ST_TOO_LARGE,
 * ST_BAD_FORMAT. */
MUST_USE enum status settle_add(struct settle *settle, const Sluice__UsageEvent *event);
/* The sum of one counter and epoch; NULL: none. borrows. */
const struct settle_sum *settle_find(const struct settle *settle, const struct id *counter,
                                     uint64_t epoch);
/* gives all sums in the order of their keys. ST_NO_MEMORY. */
MUST_USE enum status settle_sorted(const struct settle *settle, struct settle_sum ***sums);

/* Settles events of a boot's journal: books, and what the boot holds. node NULL: entries that
 * correct earlier ones, which no node holds anything for. Rates and concurrency are passed over:
 * theirs is told with grants. Store statuses. */
MUST_USE enum status settle_apply(const struct settle *settle, struct write_op *op,
                                  const struct id *node, uint64_t boot);
/* Notes that the raw rows of these events are no longer kept. Store statuses. */
MUST_USE enum status settle_drop(const struct settle *settle, struct write_op *op);

#endif
