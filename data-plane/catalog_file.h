/* catalog_file.h: the catalog file of a host: one LMDB file, written by the courier, read in place by locked-down workers.
 *
 * The only file of the data plane that includes lmdb.h is catalog_file.c. Conditions (ARCHITECTURE section 4) are kept there: made
 * before any worker starts, one fixed sparse map, MDB_NOSUBDIR|MDB_NOTLS, one kept reader transaction per worker that is renewed and
 * reset without a system call, never renamed or truncated under live workers.
 */
#ifndef SLUICE_DATA_CATALOG_FILE_H
#define SLUICE_DATA_CATALOG_FILE_H

#include "common/catalog_codec.h"
#include "proto/link.pb-c.h"

struct catalog; /* one open file */

/* --- reader (worker, status page) ---------------------------------------------------------------------------------- */
/* Opens read-only; before the sandbox locks. ST_NOT_FOUND, ST_BAD_FORMAT, ST_IO. */
MUST_USE enum status catalog_open(const char *path, struct catalog **catalog);
void catalog_close(struct catalog *catalog);
/* Between begin and end everything read belongs to one revision and stays readable. Never held across a wait.
 * ST_NOT_READY: no generation is live yet. */
MUST_USE enum status catalog_begin(struct catalog *catalog);
void catalog_end(struct catalog *catalog);
uint64_t catalog_revision(const struct catalog *catalog);

/* The record's bytes, borrowed until catalog_end. ST_NOT_FOUND. */
MUST_USE enum status catalog_get(struct catalog *catalog, uint8_t kind, const struct id *org, const struct id *parent,
                                 const struct id *id, struct str *record);
/* By index name: slug, or an API key's 32-byte hash (org and parent none). ST_NOT_FOUND. */
MUST_USE enum status catalog_find(struct catalog *catalog, uint8_t kind, const struct id *org, const struct id *parent,
                                  struct str name, struct str *record);
/* Calls `each` for every record of a kind below (org, parent), in id order, until it returns other than ST_OK. */
MUST_USE enum status catalog_each(struct catalog *catalog, uint8_t kind, const struct id *org, const struct id *parent,
                                  enum status (*each)(void *arg, struct str record), void *arg);

/* --- writer (courier) ----------------------------------------------------------------------------------------------- */
/* Creates the file if missing; a damaged or foreign one is put aside and made anew. ST_IO. */
MUST_USE enum status catalog_open_writer(const char *path, struct catalog **catalog);
/* Applies staged replies in one transaction: either all of them, up to through_revision, or nothing. ST_BAD_FORMAT with
 * `refused` (borrowed static text) when an entity decides by something unknown. `full`: begins / continues a new generation,
 * flipped live by the reply that has more = false. */
MUST_USE enum status catalog_apply(struct catalog *catalog, Sluice__ChangesReply *const *replies, size_t count,
                                   const char **refused);
/* What is applied: revision 0 and store_id none when empty. */
void catalog_position(struct catalog *catalog, uint64_t *revision, struct id *store_id);
/* Frees reader slots of dead workers. */
void catalog_check_readers(struct catalog *catalog);

#endif
