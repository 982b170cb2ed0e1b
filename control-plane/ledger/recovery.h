/* recovery.h: after a restore from a backup: what was lent and spent since the backup comes back
 * from the nodes before anything more of it is lent. For control-plane/ledger only.
 *
 *   backup ... lent, spent, epochs ended, limits reset ... restore      "the gap": forgotten here
 *
 * Usage comes back with the journals, which nodes send again to a store of another id. What nodes
 * hold comes back when they say it: an answer asks them to (GrantsReply.say_all), and each says so
 * once its journals are acknowledged and every row was named (GrantsRequest.all). When all nodes
 * that are not removed have, everything is known and lending goes on as ever. Until then
 *
 *   strict budgets     lend nothing;          at the longest for node_lost_after
 *   standard budgets   go on, but begin no epoch that the gap may have begun already (their first
 *                      one, one whose predecessor ended in the gap); RECOVERY_STANDARD_MS at most
 *   rates, concurrency lend nothing until what was lent in the gap counts no more (a window and a
 *                      lease; a lease and the longest request)
 *
 * An epoch that a node names and the store does not know was begun in the gap (its number is the
 * time of its beginning): it becomes the current one.
 *
 * What cannot come back: usage that journals no longer keep, what a node spent that was enrolled
 * after the backup, and what a node spent in the gap that is written off or removed before it said
 * it. Rows: [0x7F 'M'][recovery] -> restored_ms, strict_until_ms, standard_until_ms, u8 over;
 * [0x7F 'G']['S'][node] -> restored_ms. Times are UTC ms.
 */
#ifndef SLUICE_CONTROL_RECOVERY_H
#define SLUICE_CONTROL_RECOVERY_H

#include "control-plane/store/writer.h"

#define RECOVERY_STANDARD_MS 300000

struct recovery {
    int64_t restored_ms;                        /* 0: the store was never restored */
    int64_t strict_until_ms, standard_until_ms; /* INT64_MAX before recovery_begin */
    bool over;
};
/* ST_BAD_FORMAT. */
MUST_USE enum status recovery_get(struct kv_txn *txn, struct recovery *recovery);

/* At the first start after a restore: says how long to wait at most. Store statuses. */
MUST_USE enum status recovery_begin(struct write_op *op, int64_t node_lost_after_ms);

/* Is it still unknown what was lent? */
bool recovery_holds(const struct recovery *recovery, bool strict, int64_t now_ms);

/* Has this node said what it holds since the restore (or is there nothing to say)? */
MUST_USE enum status recovery_said(struct kv_txn *txn, const struct recovery *recovery,
                                   const struct id *node, bool *said);
/* It has, or it will not come back. Ends the recovery if it was the last one. Store statuses. */
MUST_USE enum status recovery_say(struct write_op *op, struct recovery *recovery,
                                  const struct id *node);
/* Ends the recovery if all nodes have spoken (some may have been removed); `missing`: how many have
 * not. Store statuses. */
MUST_USE enum status recovery_check(struct write_op *op, struct recovery *recovery,
                                    uint64_t *missing);

#endif
