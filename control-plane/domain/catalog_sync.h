/* catalog_sync.h: bringing the store's provider and model rows up to the built-in catalog's files.
 *
 * At init and at every start: rows that differ are written, rows that are no longer in the files
 * are removed, the rest is left alone, so a start with unchanged data makes no revision. Reads
 * files on the caller's thread, writes in operations of CATALOG_SYNC_ROWS rows.
 */
#ifndef SLUICE_CONTROL_DOMAIN_CATALOG_SYNC_H
#define SLUICE_CONTROL_DOMAIN_CATALOG_SYNC_H

#include "control-plane/domain/builtin.h"
#include "control-plane/store/writer.h"

#define CATALOG_SYNC_ROWS 512

struct catalog_sync_result {
    size_t rows, written, removed;
};

/* `error` is filled on ST_BAD_FORMAT and other faults of the files. Statuses of builtin_load and
 * writer_run. */
MUST_USE enum status catalog_sync(struct writer *writer, const char *dir,
                                  struct catalog_sync_result *result, struct builtin_error *error);

#endif
