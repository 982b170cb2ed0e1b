/* boot.h: lives of nodes, as far as grants are concerned: heard, ended, gone. For
 * control-plane/ledger only.
 *
 * Row: [0x7F 'G']['B'][node 16][boot 8] -> struct boot. A boot is one life of a node's master; what
 * it was granted ends with it. It ends in order when a later boot says so and its journal is whole
 * here: then its holdings are dropped, because everything it spent has been settled.
 * Writing: the writer thread, in the caller's operation.
 */
#ifndef SLUICE_CONTROL_BOOT_H
#define SLUICE_CONTROL_BOOT_H

#include "control-plane/ledger/holding.h"

#define BOOT_CLOSE_ROWS 1000u /* holdings that one operation drops */

enum boot_flag {
    BOOT_ENDING = 1, /* it ended in order; its journal may still be on its way */
    BOOT_QUIET = 2,  /* it asked for nothing lately: its empty holdings are not active */
    BOOT_LOST = 4,   /* what it held was written off */
};
struct boot {
    int64_t heard_ms;       /* newest request for grants (grants_time) */
    int64_t seen_ms;        /* when it was last known to be connected (grants_time) */
    uint64_t counter;       /* of the frame of that request */
    uint64_t ended_through; /* with BOOT_ENDING: last seq of its journal */
    uint64_t entries;       /* of our own about it (lost.h) */
    uint8_t flags;
};
/* One that is not there is empty. ST_BAD_FORMAT. */
MUST_USE enum status boot_get(struct kv_txn *txn, const struct id *node, uint64_t boot,
                              struct boot *row);

/* A request for grants came, in a frame with this counter. ST_CONFLICT: a later one came before.
 * Store statuses. */
MUST_USE enum status boot_hear(struct write_op *op, const struct id *node, uint64_t boot,
                               uint64_t counter, int64_t time_ms);
/* A later boot of the node says that this one ended in order, and where its journal ends. Drops its
 * holdings if the journal is here. Store statuses. */
MUST_USE enum status boot_end(struct write_op *op, const struct id *node, uint64_t boot,
                              uint64_t ended_through);
/* It asked for nothing lately: holdings without rest are active no more, and what the node
 * let go of is dropped. Store statuses. */
MUST_USE enum status boot_quiet(struct write_op *op, const struct id *node, uint64_t boot);
/* It is connected. / It was written off. Store statuses. */
MUST_USE enum status boot_seen(struct write_op *op, const struct id *node, uint64_t boot,
                               int64_t time_ms);
MUST_USE enum status boot_lost(struct write_op *op, const struct id *node, uint64_t boot);
/* The number of the next entry about it, from 1. Store statuses. */
MUST_USE enum status boot_next_entry(struct write_op *op, const struct id *node, uint64_t boot,
                                     uint64_t *number);
/* Deletes the row of a boot that holds nothing. ST_IN_USE: it holds something. Store statuses. */
MUST_USE enum status boot_forget(struct write_op *op, const struct id *node, uint64_t boot);

/* Walks all boots from behind (node, boot) on, at most `max` at a time; node none: from the first.
 * gives `count` < max at the end. Store statuses. */
struct boot_name {
    struct id node;
    uint64_t boot;
};
MUST_USE enum status boot_list(struct kv_txn *txn, const struct boot_name *after,
                               struct boot_name *list, size_t max, size_t *count);

/* A boot's journal is here up to through_seq: drops its holdings if it ended there. `left`: some
 * remain, call again. Store statuses. */
MUST_USE enum status boot_settled(struct write_op *op, const struct id *node, uint64_t boot,
                                  uint64_t through_seq, bool *left);

#endif
