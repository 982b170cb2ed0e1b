/* counters.h: what was used of every limit: reading it, setting it back, correcting it.
 *
 * A counter is named by what is counted (common/limit.h); an epoch of it is one period: it changes
 * when a period ends and when an admin resets it, never when a figure changes. What was used comes
 * from usage events only, in the transaction that takes them into the ledger (settle.h); what nodes
 * hold beyond that comes from grants (grants.h). Definitions stay in the entities' records and are
 * read there: nobody tells this module that a limit was changed, it sees a newer revision.
 *
 * Rows are drawn in books.h. Reading is a few look-ups by key, never a scan, and shows the state as
 * the clock and the definition have it now, also while nothing has been written since a period
 * ended or a figure was changed.
 * Threads: functions with a kv_txn as kv.h says, those with a write_op on the writer thread.
 * Amounts: cost in nano-USD, tokens, requests, permits. Times: unix milliseconds, UTC, 0 = never.
 */
#ifndef SLUICE_CONTROL_COUNTERS_H
#define SLUICE_CONTROL_COUNTERS_H

#include "common/limit.h"
#include "control-plane/store/writer.h"

#define COUNTERS_PAGE_MAX 100u    /* entities of a policy in one page */
#define COUNTERS_SCAN_MAX 100000u /* rows that one page may look at */

struct counter_view {
    struct id counter;
    uint8_t measure, window, nth; /* as limit.h */
    bool strict;                  /* its mode, defaults of workspace and organisation applied */
    uint64_t epoch;               /* 0: nothing was ever taken from it */
    int64_t limit, alert;         /* as the definition says now; alert 0: none */
    int64_t used;          /* settled and lost; of rates: admitted in the trailing window that ends
                              now; of concurrency: held by nodes */
    int64_t lost;          /* part of used: written off with a host, not known to be spent */
    int64_t outstanding;   /* held by nodes and not in used: granted, not yet returned or settled */
    int64_t remaining;     /* limit - used, never below 0 */
    int64_t started_at_ms; /* of the epoch */
    int64_t resets_at_ms;  /* end of the epoch */
    int64_t last_reset_at_ms; /* newest period's end or reset that ended an epoch with use */
    bool exhausted;           /* used >= limit */
    bool alerted;             /* used >= alert */
};

/* One counter. `workspace`: the entity's parent where it has one (provider, API key of a workspace,
 * policy); NULL or none otherwise. A counter that nobody used yet is shown with used 0.
 * ST_NOT_FOUND: the entity is gone or archived, or defines no such limit. ST_INVALID (a definition
 * that cannot be read), ST_BAD_FORMAT, ST_NO_MEMORY. */
MUST_USE enum status counters_of(struct kv_txn *txn, struct arena *arena,
                                 const struct limit_ref *ref, const struct id *workspace,
                                 int64_t now_ms, struct counter_view *view);

/* All limits of one entity, in the order in which it defines them: usage_limits, then rate_limits.
 * `ref` gives level, org, entity, second and value_key; its measure, window and nth are not read.
 * gives `views` in the arena. Statuses of counters_of; an entity without limits gives count 0. */
MUST_USE enum status counters_of_entity(struct kv_txn *txn, struct arena *arena,
                                        const struct limit_ref *ref, const struct id *workspace,
                                        int64_t now_ms, struct counter_view **views, size_t *count);

/* Ends the current epoch of a counter and begins a new, empty one, in the caller's operation
 * (reset_usage). What nodes still hold of the old epoch is charged to the old one. A counter that
 * nobody used yet stays as it is. ST_NOT_FOUND as counters_of; ST_STORE_FULL, ST_IO, ST_NO_MEMORY,
 * ST_BAD_FORMAT, ST_INVALID. */
MUST_USE enum status counters_reset(struct write_op *op, const struct limit_ref *ref,
                                    const struct id *workspace);
/* All budgets of one entity: what `reset_usage: true` of a provider, key, integration or row of a
 * workspace means. `ref` as counters_of_entity. */
MUST_USE enum status counters_reset_entity(struct write_op *op, const struct limit_ref *ref,
                                           const struct id *workspace);

/* --- entities of a policy: one counter per value_key --- */

enum counter_state { COUNTER_ANY, COUNTER_ACTIVE, COUNTER_EXHAUSTED };

struct counter_question {
    struct id org, workspace, policy;
    enum counter_state state;
    struct str search;  /* part of a value_key, bytes as they are; n = 0: all */
    size_t skip, limit; /* limit <= COUNTERS_PAGE_MAX */
};
struct counter_entity {
    struct id id; /* the counter's name serves as the entity's id */
    struct str value_key;
    struct counter_view view;
};
struct counter_page {
    struct counter_entity *entities; /* in the arena, in order of id */
    size_t count;
    uint64_t total; /* that match; when `cut`, at least so many */
    bool cut;       /* COUNTERS_SCAN_MAX rows were looked at, and there are more */
};
/* The value_keys that were ever used under a policy and are still kept. ST_NOT_FOUND (no such
 * policy), ST_RANGE (limit), ST_NO_MEMORY, ST_BAD_FORMAT, ST_INVALID. */
MUST_USE enum status counters_of_policy(struct kv_txn *txn, struct arena *arena,
                                        const struct counter_question *question, int64_t now_ms,
                                        struct counter_page *page);
/* Begins a new epoch for one of them. ST_NOT_FOUND: not of this policy. As counters_reset. */
MUST_USE enum status counters_reset_value(struct write_op *op, const struct id *org,
                                          const struct id *policy, const struct id *entity);

/* --- lists for operators --- */

struct counter_line {
    struct limit_ref ref; /* texts in the arena */
    struct id workspace;
    bool
        gone; /* its entity is gone, or has no such limit any more: the figures are the last ones */
    struct counter_view view;
    int64_t cap;
    uint32_t holders; /* nodes that hold or asked lately */
};
/* Counters by id, from behind `after` (none: the first) on. limit <= 1,000. ST_RANGE, ST_NO_MEMORY,
 * ST_BAD_FORMAT, ST_INVALID. */
MUST_USE enum status counters_list(struct kv_txn *txn, struct arena *arena, const struct id *after,
                                   size_t limit, int64_t now_ms, struct counter_line **lines,
                                   size_t *count);

struct counter_holder {
    struct id node;
    uint64_t boot;
    int64_t granted, returned, used, rest;
    bool lost, closed, idle;
    int64_t heard_ms;
};
/* Who holds something of an epoch, at most `limit` (<= 10,000). ST_RANGE, ST_NO_MEMORY,
 * ST_BAD_FORMAT. */
MUST_USE enum status counters_holders(struct kv_txn *txn, struct arena *arena,
                                      const struct id *counter, uint64_t epoch, size_t limit,
                                      struct counter_holder **holders, size_t *count);

/* --- upkeep --- */

struct counters_check {
    uint64_t epochs;    /* books looked at */
    uint64_t different; /* whose settled or lost is not the sum of the ledger's entries */
    uint64_t missing;   /* sums of entries that have no book */
    uint64_t held;      /* books whose outstanding or lost is not the sum of what nodes hold */
    uint64_t
        over; /* books that are bound to it with settled + lost + outstanding above their cap */
};
/* Re-adds the reserves of all kept entries and everything that nodes hold, and compares with every
 * book. ST_TOO_LARGE (above two million sums), ST_NO_MEMORY, ST_BAD_FORMAT. */
MUST_USE enum status counters_verify(struct kv_txn *txn, struct counters_check *check);

#endif
