/* rerate_post.h: writing adjusting entries. For control-plane/ledger only; rerate.h has the rows.
 */
#ifndef SLUICE_CONTROL_LEDGER_RERATE_POST_H
#define SLUICE_CONTROL_LEDGER_RERATE_POST_H

#include "control-plane/ledger/rerate.h"

#define RERATE_POSTS_MAX 200u /* in one operation */

struct rerate_sum {
    int64_t cost_nanousd, charge_nanousd;
};

/* What an entry counts as now: its own amounts and what was adjusted. ST_BAD_FORMAT. */
MUST_USE enum status rerate_sum_of(struct kv_txn *txn, const Sluice__UsageEvent *event,
                                   struct rerate_sum *sum);

/* Brings an entry to a target. Borrows the event. */
struct rerate_post {
    const Sluice__UsageEvent *event;
    struct rerate_sum target;
};

/* Posts of one run; `next` counts its entries. */
struct rerate_batch {
    struct id run;
    struct str note;
    uint64_t next;
};

/* In operations of RERATE_POSTS_MAX. Statuses of writer_run. */
MUST_USE enum status rerate_post_all(struct writer *writer, const struct write_actor *actor,
                                     struct rerate_batch *batch, const struct rerate_post *posts,
                                     size_t count);
/* Forgets what was adjusted of attempts of days before `day`, at most `rows`: their entries are
 * dropped, so nothing can be adjusted again. `left`: some remain. Store statuses. */
MUST_USE enum status rerate_drop(struct write_op *op, uint32_t day, size_t rows, bool *left);

#endif
