/* trash.h: deletions that can be undone.
 *
 *   Rows (KV_MAIN): [0x7F 'T'][org 16][revision 8]                            -> packed Deletion
 *                   [0x7F 'T'][org 16][revision 8][kind 1][parent 16][id 16]  -> packed
 * DeletedRecord A deletion is one operation: its head says what was asked for, and below it lies
 * every entity that went along, body and names as they were. Restoring writes all of them again
 * under a new revision, with the same ids, so whatever counts by id (limits, usage, ledger, audit)
 * goes on where it stood. Entities that others own by now (a parent that is gone) are left out,
 * except for the one asked for. Functions with a write_op run on the writer thread and add no audit
 * record.
 */
#ifndef SLUICE_CONTROL_STORE_TRASH_H
#define SLUICE_CONTROL_STORE_TRASH_H

#include "control-plane/store/keys.h"
#include "control-plane/store/records.h"
#include "control-plane/store/writer.h"

struct trash_order {
    struct record_key root; /* what was asked to be deleted */
    struct id workspace;    /* none: the organisation's */
    const char *type;       /* of audit records; a literal */
    struct str name;
};

/* From here on the operation keeps what it deletes. The first call of an operation counts.
 * ST_NO_MEMORY, store statuses. */
MUST_USE enum status trash_open(struct write_op *op, const struct trash_order *order);

/* For record_delete: keeps one entity. */
MUST_USE enum status trash_keep(struct write_op *op, const struct record_key *key, struct str names,
                                struct str body);

/* What the running operation has deleted and kept. `body` is in op's arena. ST_NOT_FOUND. */
MUST_USE enum status trash_body(struct write_op *op, const struct record_key *key,
                                struct str *body);
/* What was asked to be deleted in the running operation. ST_NOT_FOUND: nothing that is kept. */
MUST_USE enum status trash_root(struct write_op *op, struct record_key *root);

/* Walks an organisation's deletions, newest first. The Deletion lives in the arena. */
struct trash_walk {
    struct kv_cursor *cursor;
    struct id org;
};
MUST_USE enum status trash_walk_open(struct trash_walk *walk, struct kv_txn *txn,
                                     const struct id *org);
/* ST_END, ST_BAD_FORMAT, ST_NO_MEMORY. */
MUST_USE enum status trash_walk_next(struct trash_walk *walk, struct arena *arena,
                                     uint64_t *revision, Sluice__Deletion **deletion);
void trash_walk_close(struct trash_walk *walk);

/* The newest deletion of an entity. ST_NOT_FOUND. */
MUST_USE enum status trash_find(struct kv_txn *txn, const struct id *org, const struct id *id,
                                struct arena *arena, uint64_t *revision,
                                Sluice__Deletion **deletion);

/* Calls `each` for every entity that a restore wrote, after it is there. */
typedef enum status trash_each_fn(struct write_op *op, const struct record_key *key, void *arg);

/* Restores a deletion and forgets it. ST_CONFLICT: an id or a name is taken by now; ST_IN_USE: what
 * the root lay in is gone; `at` says which entity could not be. Statuses of `each`. */
MUST_USE enum status trash_restore(struct write_op *op, const struct id *org, uint64_t revision,
                                   const Sluice__Deletion *deletion, trash_each_fn *each, void *arg,
                                   struct record_key *at);

/* Forgets one deletion for good. */
MUST_USE enum status trash_forget(struct write_op *op, const struct id *org, uint64_t revision);

/* Forgets deletions older than `before_ms`: at most `rows` rows in one operation, behind `place` (n
 * = 0 at first). Sets op->no_revision. */
MUST_USE enum status trash_purge(struct write_op *op, int64_t before_ms, size_t rows,
                                 struct key *place, bool *left);

/* Entities in the trash, all organisations, for what must go through every body (vault_rotate.c):
 * gives the first behind `place` (n = 0 at first) of the kinds that `wanted` has a bit for. ST_END.
 */
MUST_USE enum status trash_next(struct kv_txn *txn, struct key *place, uint64_t wanted,
                                struct arena *arena, struct record_key *key, void *message);
/* Replaces the body of the entity at `place`. */
MUST_USE enum status trash_replace(struct write_op *op, const struct key *place,
                                   const void *message);

#endif
