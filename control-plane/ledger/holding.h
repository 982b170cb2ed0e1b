/* holding.h: what one node has of one epoch: granted, given back, used. For control-plane/ledger
 * only.
 *
 * All totals are cumulative per (node, boot, counter, epoch), so a report that is repeated or late
 * changes nothing (grants.h). A holding is written together with its row under its boot; neither
 * exists without the other. Rows are drawn in book.h. Writing: the writer thread.
 */
#ifndef SLUICE_CONTROL_HOLDING_H
#define SLUICE_CONTROL_HOLDING_H

#include "control-plane/ledger/book.h"

enum holding_flag {
    HOLDING_IDLE = 1,    /* the node dropped the counter; its totals begin at 0 again */
    HOLDING_LOST = 2,    /* written off: its rest is lost, not outstanding */
    HOLDING_CLOSED = 4,  /* silent beyond its lease, or ended: its rest is nothing */
    HOLDING_ACTIVE = 8,  /* counted in the book's holders */
    HOLDING_STORED = 16, /* it has a row */
};
struct holding {
    int64_t granted, returned; /* cumulative, as the node knows them */
    int64_t used;              /* budgets: settled of its events; rates: spent; concurrency: 0 */
    int64_t ghost;             /* rest of what it held before it dropped the counter */
    int64_t heard_ms;          /* the newest request that named the counter (grants_time) */
    uint64_t corrections;      /* rates of tokens: so many were applied */
    uint8_t flags;
};
struct holding_name {
    struct id counter;
    uint64_t epoch;
    struct id node;
    uint64_t boot;
};
/* What it may still spend, whatever its flags say. */
int64_t holding_rest(const struct holding *holding);
/* Its part of the book's lost. */
int64_t holding_lost(const struct holding *holding);
/* ST_NOT_FOUND, ST_BAD_FORMAT. */
MUST_USE enum status holding_get(struct kv_txn *txn, const struct holding_name *name,
                                 struct holding *holding);
/* As holding_get; one that is not there is empty. */
MUST_USE enum status holding_get_or_new(struct kv_txn *txn, const struct holding_name *name,
                                        struct holding *holding);
/* Writes `after`, and moves the book's sums by what differs from `before`. The caller writes the
 * book. ST_STORE_FULL, ST_IO. */
MUST_USE enum status holding_put(struct kv_txn *txn, const struct holding_name *name,
                                 const struct holding *before, const struct holding *after,
                                 struct book *book);
/* Deletes a holding: what it held counts no more. The caller writes the book. ST_NOT_FOUND, ST_IO.
 */
MUST_USE enum status holding_drop(struct kv_txn *txn, const struct holding_name *name,
                                  const struct holding *before, struct book *book);
/* Moves the book's sums only. */
void holding_move(const struct holding *before, const struct holding *after, struct book *book);

/* Walks the holdings of one epoch, or of one boot. The cursor is closed before the transaction
 * ends; writing a holding in between is fine. */
struct holding_walk {
    struct kv_cursor *cursor;
    struct key prefix;
};
MUST_USE enum status holding_walk_epoch(struct holding_walk *walk, struct kv_txn *txn,
                                        const struct id *counter, uint64_t epoch);
MUST_USE enum status holding_walk_boot(struct holding_walk *walk, struct kv_txn *txn,
                                       const struct id *node, uint64_t boot);
/* ST_END, ST_BAD_FORMAT. */
MUST_USE enum status holding_walk_next(struct holding_walk *walk, struct holding_name *name);
void holding_walk_close(struct holding_walk *walk);

#endif
