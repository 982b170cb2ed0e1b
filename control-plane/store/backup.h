/* backup.h: a copy of a store in use, and a store from such a copy.
 *
 *   <folder>/data.mdb       one consistent state of the store
 *   <folder>/manifest.json  {"format":1,"store_id":"..","revision":N,"created_at":"..","bytes":N,
 *                            "blake2b":"<64 hex>"}
 *
 * The manifest is written last: a folder without one is no backup. Secrets in it are sealed by
 * vault keys, and those by the master key, which is not in it. Any thread; backup_make blocks the
 * writer for a moment only. Failure leaves no half store behind.
 */
#ifndef SLUICE_CONTROL_STORE_BACKUP_H
#define SLUICE_CONTROL_STORE_BACKUP_H

#include "common/id.h"
#include "control-plane/store/kv.h"

struct backup_info {
    struct id store_id; /* of the store it was made from */
    uint64_t revision, bytes;
};

/* Copies the store into `path` (made if missing; must have no backup in it). ST_CONFLICT,
 * ST_STORE_FULL, ST_IO. */
MUST_USE enum status backup_make(struct kv *kv, const char *path, struct backup_info *info);
/* Reads the manifest and proves data.mdb against it. ST_NOT_FOUND, ST_BAD_FORMAT (damaged, or a
 * newer format). */
MUST_USE enum status backup_check(const char *path, struct backup_info *info);
/* Makes the folder `data_path` (missing or empty) a store with the backup's content and a new store
 * id. As backup_check, and ST_CONFLICT (not empty), ST_STORE_FULL, ST_IO. */
MUST_USE enum status backup_restore(const char *path, const char *data_path, struct id *store_id);

#endif
