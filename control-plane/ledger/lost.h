/* lost.h: what a node held that will not come back.
 *
 * A boot that is silent for node_lost_after, or whose node an operator writes off, may have spent
 * what it held without being able to say so. What is left of its budgets becomes lost: it counts as
 * spent, by one ledger entry per counter with source LOST. It stays the node's word that counts:
 * when it comes back, events settle what is lost and returns free it, each with an entry that takes
 * as much back; when it asks for grants again, the rest is outstanding as before. Invariant: lost
 * of a book is the sum of its LOST entries.
 *
 * An operator who knows that it was not spent can free it (lost_undo); if the node comes back all
 * the same, what it spends is settled beyond the limit.
 *
 * Everything is audited. Writing: the writer thread; lost_write_off and lost_undo run operations of
 * their own, from any other thread.
 */
#ifndef SLUICE_CONTROL_LOST_H
#define SLUICE_CONTROL_LOST_H

#include "control-plane/ledger/boot.h"

struct lost_result {
    uint64_t boots, counters; /* of which something was written off or freed */
};

/* Writes off what all boots of a node hold, or frees what was written off of them. `actor` goes to
 * the audit records. ST_OVERLOADED, ST_NO_MEMORY, store statuses. */
MUST_USE enum status lost_write_off(struct writer *writer, const struct write_actor *actor,
                                    const struct id *node, struct lost_result *result);
MUST_USE enum status lost_undo(struct writer *writer, const struct write_actor *actor,
                               const struct id *node, struct lost_result *result);

/* --- for control-plane/ledger only --- */

/* One boot, in the caller's operation, at most BOOT_CLOSE_ROWS holdings. `left`: call again. Store
 * statuses. */
MUST_USE enum status lost_boot(struct write_op *op, const struct boot_name *name,
                               struct lost_result *result, bool *left);

/* A holding went from `before` to `after`: enters what became lost or is lost no more. Store
 * statuses. */
MUST_USE enum status lost_moved(struct write_op *op, const struct holding_name *name,
                                const struct holding *before, const struct holding *after);

#endif
