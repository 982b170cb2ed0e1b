/* epoch.h: the current epoch of a counter: opened, kept in step with its definition, ended. For
 * control-plane/ledger only.
 *
 * An epoch ends when its period does (whoever looks first after that moment writes it), or by
 * epoch_renew. A change of a figure never ends one: its limit and cap follow, and when the rule of
 * its periods was changed, the end is taken anew from the moment of that change. A clock that was
 * set back behind an epoch's beginning does not stretch it: the end is then the next one from now.
 * epoch_look computes the same without writing. Ends of used epochs, and figures that were reached,
 * are told in the same operation (alerts.h).
 * Writing: the writer thread, in the caller's operation.
 */
#ifndef SLUICE_CONTROL_EPOCH_H
#define SLUICE_CONTROL_EPOCH_H

#include "control-plane/ledger/book.h"

struct epoch {
    struct id id;
    struct counter counter; /* value_key borrows from the transaction (looked at), the operation's
                               arena (opened) or the asker */
    struct book book;       /* of counter.epoch */
};

/* The state as it is at now_ms; a counter without rows is shown as it would be opened, with
 * counter.epoch 0. ST_NOT_FOUND: the entity is gone, or has no such limit (any more). ST_INVALID,
 * ST_BAD_FORMAT, ST_NO_MEMORY. */
MUST_USE enum status epoch_look(struct kv_txn *txn, struct arena *arena,
                                const struct rule_owner *owner, int64_t now_ms,
                                struct epoch *epoch);

/* Brings the current epoch up to op->now_ms, makes it if there is none, and writes what changed.
 * Statuses of epoch_look; ST_AGAIN: a restored store does not know yet whether there is one;
 * ST_STORE_FULL, ST_IO. */
MUST_USE enum status epoch_open(struct write_op *op, const struct rule_owner *owner,
                                struct epoch *epoch);
/* The same for a counter that has a row, by its name. ST_NOT_FOUND also: it has none. */
MUST_USE enum status epoch_open_id(struct write_op *op, const struct id *id, struct epoch *epoch);
/* Makes `number`, which a node named, the current epoch: it was begun after the backup that this
 * store was restored from (recovery.h). Anything else leaves it as it is. As epoch_open. */
MUST_USE enum status epoch_adopt(struct write_op *op, struct epoch *epoch, uint64_t number);
/* Tells what was reached (alerts.h), once per figure, and notes it in the book; the caller writes
 * the book. Budgets only. Store statuses. */
MUST_USE enum status epoch_tell(struct write_op *op, struct epoch *epoch);
/* Ends the epoch that epoch_open gave, now, and begins the next. As epoch_open. */
MUST_USE enum status epoch_renew(struct write_op *op, struct epoch *epoch);

#endif
