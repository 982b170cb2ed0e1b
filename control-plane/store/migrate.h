/* migrate.h: which format a store has, who it is, and making a new one.
 *
 * Rows: [0x7F 'M'][format] -> u32, [0x7F 'M'][store id] -> 16 bytes. Called before the writer
 * starts, by the thread that opened the store. Format 1 is the first, so there is nothing to
 * convert yet; a program never opens a newer format than its own.
 */
#ifndef SLUICE_CONTROL_STORE_MIGRATE_H
#define SLUICE_CONTROL_STORE_MIGRATE_H

#include "common/id.h"
#include "control-plane/store/kv.h"

#define MIGRATE_FORMAT 1u

/* Makes an empty store a store: format and a new store id. ST_CONFLICT: it is one already. */
MUST_USE enum status migrate_init(struct kv *kv, struct id *store_id);
/* Checks that this program can use the store. ST_NOT_FOUND: never initialised. ST_BAD_FORMAT:
 * another, newer format. */
MUST_USE enum status migrate_check(struct kv *kv);
/* Gives the store a new identity (after a restore): nodes then take a full copy and send their
 * journals again. Notes the time. */
MUST_USE enum status migrate_renew_id(struct kv *kv, struct id *store_id);
/* When that was, last (unix ms); 0: never. ST_BAD_FORMAT. */
MUST_USE enum status migrate_restored(struct kv_txn *txn, int64_t *restored_ms);

#endif
