/* catalog_file.h: the catalog file of a host: one LMDB file, written by the courier, read in place by locked-down workers.
 *
 * The only file of the data plane that includes lmdb.h is catalog_file.c. Conditions (ARCHITECTURE section 4) are kept there: made
 * before any worker starts, one fixed sparse map, MDB_NOSUBDIR|MDB_NOTLS, one kept reader transaction per worker that is renewed and
 * reset without a system call, never truncated under live workers; a repair is a new file, and the workers are replaced.
 * One thread per handle. Map 16 GiB (sparse), 512 readers.
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

/* True between catalog_begin and catalog_end. */
bool catalog_is_begun(const struct catalog *catalog);

/* The record's bytes, borrowed until catalog_end. ST_NOT_FOUND. */
MUST_USE enum status catalog_get(struct catalog *catalog, uint8_t kind, const struct id *org, const struct id *parent,
                                 const struct id *id, struct str *record);
/* By index name: slug, or an API key's 32-byte hash (org and parent none). ST_NOT_FOUND. */
MUST_USE enum status catalog_find(struct catalog *catalog, uint8_t kind, const struct id *org, const struct id *parent,
                                  struct str name, struct str *record);
/* Calls `each` for every record of a kind below (org, parent), in id order, until it returns other than ST_OK. */
MUST_USE enum status catalog_each(struct catalog *catalog, uint8_t kind, const struct id *org, const struct id *parent,
                                  enum status (*each)(void *arg, struct str record), void *arg);
/* As catalog_each over all organisations and parents. */
MUST_USE enum status catalog_each_of_kind(struct catalog *catalog, uint8_t kind,
                                          enum status (*each)(void *arg, struct str record), void *arg);

/* --- writer (courier) -----------------------------------------------------------------------------------------------
 * One writer handle per process and file; it reads as well. A commit that hangs for CATALOG_COMMIT_MAX_MS raises SIGALRM, whose
 * default ends the process: a worker can damage the lock region, and a courier that waits for ever is worse than one that dies.
 * ST_BAD_FORMAT from anything but a refusal, and ST_IO, mean that the file must be put aside. */
#define CATALOG_COMMIT_MAX_MS 5000

/* Opens the file, creating it if missing; one that is damaged, foreign or of another layout is put aside and made anew. Sets
 * *fresh when a new file stands there now (workers that have the old one open must be replaced). ST_IO. */
MUST_USE enum status catalog_open_writer(const char *path, struct catalog **catalog, bool *fresh);
/* Renames the file and its lock to *.bad, replacing earlier ones; fine if there is none. ST_IO. */
MUST_USE enum status catalog_put_aside(const char *path);

/* Applies staged replies in one transaction: either all of them, up to through_revision, or nothing. Replies of a full copy
 * (`full`) go into a new generation, call by call, which goes live with the reply that has more = false.
 * ST_BAD_FORMAT with `refused` (borrowed until the next call; NULL when the file itself is damaged) and *refused_revision when
 * an entity decides by something unknown or is malformed; a full copy in progress is given up then. ST_STORE_FULL, ST_IO. */
MUST_USE enum status catalog_apply(struct catalog *catalog, Sluice__ChangesReply *const *replies, size_t count,
                                   const char **refused, uint64_t *refused_revision);
/* Gives up a full copy in progress; to be called whenever a copy is asked for from its beginning. */
void catalog_abandon(struct catalog *catalog);
/* What is applied: revision 0 and store_id none when empty. */
void catalog_position(const struct catalog *catalog, uint64_t *revision, struct id *store_id);
/* Deletes up to a few thousand rows of dead generations; *more says that rows are left. */
MUST_USE enum status catalog_tidy(struct catalog *catalog, bool *more);
/* Changes of kinds that this version has no use for, since the file was opened. */
uint64_t catalog_skipped(const struct catalog *catalog);
/* Frees reader slots of dead workers. */
void catalog_check_readers(struct catalog *catalog);

#endif
