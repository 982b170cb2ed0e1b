/* lend.h: how much one node is given of one counter, by kind of limit. For control-plane/ledger
 * only.
 *
 * A struct lend is one row of a request after the node's report was taken; the functions decide and
 * change only what they are given in memory. The caller writes holding and book. Writer thread.
 */
#ifndef SLUICE_CONTROL_LEND_H
#define SLUICE_CONTROL_LEND_H

#include "control-plane/ledger/epoch.h"
#include "control-plane/ledger/grants.h"
#include "control-plane/ledger/holding.h"

#define GRANTS_MAGIC 0x4772616eu

struct grants {
    uint32_t magic;
    struct grants_options options;
    int64_t time_offset_ms; /* grants_time minus the monotonic clock */
    int64_t started_ms;     /* grants_time */
    struct key purge_from;  /* where upkeep goes on to purge; upkeep's thread only */
};

struct lend {
    struct write_op *op;
    struct grants_work *work;
    struct epoch *epoch;
    struct holding_name name;
    const Sluice__Grant *asked; /* NULL: its totals are not of this epoch */
    struct holding *holding;    /* with the node's report */
    int64_t rest;               /* what the node holds now */
    int64_t spent;              /* rates: newly told */
    int64_t need, wanted;       /* beyond what it was granted and has not heard of */
    int64_t time_ms;            /* grants_time */
};

struct lent {
    int64_t give;
    int64_t used; /* rates: in the window */
    Sluice__GrantVerdict verdict;
    uint32_t retry_after_ms, lease_ms;
};

/* Time for leases and windows: UTC at the start of the process, going on with the monotonic clock,
 * so that a step of the clock is no step here. */
int64_t grants_time(const struct grants *grants);
bool grants_reachable(const struct grants *grants, const struct id *node, uint64_t boot);

/* Budgets. ST_NO_MEMORY, ST_BAD_FORMAT, ST_IO. */
MUST_USE enum status lend_budget(struct lend *lend, struct lent *lent);

/* Rates: what was told spent enters the window. Concurrency. As lend_budget, and ST_STORE_FULL. */
MUST_USE enum status lend_rate(struct lend *lend, struct lent *lent);
MUST_USE enum status lend_permits(struct lend *lend, struct lent *lent);

/* Must lending wait because a restored store does not know yet what was lent (recovery.h)? True:
 * `lent` says so. until_ms: UTC, when what was lent before the restore counts no more. */
bool lend_holds(const struct lend *lend, int64_t until_ms, struct lent *lent);

/* The size of a grant: max(need, min(wanted, free / 4n)), at most free. */
int64_t lend_size(int64_t free, int64_t need, int64_t wanted, uint32_t nodes);

/* Could others give back `missing`? If so their grants are asked back (at most once in
 * GRANTS_RECALL_MS), down to a fair share each, or to nothing if that is not enough. `own`: the
 * asking node is one of them. */
MUST_USE enum status lend_recall(struct lend *lend, int64_t missing, bool own, bool *possible);

#endif
