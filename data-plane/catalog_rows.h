/* catalog_rows.h: the seam between catalog_file.c (LMDB) and catalog_apply.c (what a change means). Nobody else includes it.
 *
 * One write transaction of the catalog file seen as rows. Bytes got are borrowed until the next put or remove. One thread.
 * Every function may return ST_IO, ST_STORE_FULL, ST_NO_MEMORY or ST_BAD_FORMAT (the file is damaged): then abort.
 */
#ifndef SLUICE_DATA_CATALOG_ROWS_H
#define SLUICE_DATA_CATALOG_ROWS_H

#include "data-plane/catalog_file.h"

/* What the file stands at, and the copy that is being built beside it. */
struct catalog_place {
    uint8_t live;     /* generation readers use; 0 = none */
    uint64_t revision; /* of the live generation */
    struct id store_id;
    uint8_t building; /* generation of the copy in progress; 0 = none */
    struct id building_store;
};

struct catalog_txn;

MUST_USE enum status catalog_txn_begin(struct catalog *catalog, struct catalog_txn **txn);
/* Durable when it returns ST_OK; releases either way. */
MUST_USE enum status catalog_txn_commit(struct catalog_txn *txn);
/* NULL is fine. */
void catalog_txn_abort(struct catalog_txn *txn);

/* ST_NOT_FOUND. */
MUST_USE enum status catalog_row_get(struct catalog_txn *txn, const uint8_t key[CAT_KEY_BYTES], struct str *value);
MUST_USE enum status catalog_row_put(struct catalog_txn *txn, const uint8_t key[CAT_KEY_BYTES], struct str value);
/* ST_OK also if there was none. */
MUST_USE enum status catalog_row_remove(struct catalog_txn *txn, const uint8_t key[CAT_KEY_BYTES]);
/* Every row whose key begins with the first n bytes of `prefix`, in order, until `each` returns other than ST_OK. */
MUST_USE enum status catalog_row_each(struct catalog_txn *txn, const uint8_t *prefix, size_t n,
                                      enum status (*each)(void *arg, struct str value), void *arg);
/* Removes up to `max` rows of one generation; *removed tells how many. */
MUST_USE enum status catalog_row_clear(struct catalog_txn *txn, uint8_t generation, size_t max, size_t *removed);
/* The first generation from `from` on that has a row; 0 = none. */
MUST_USE enum status catalog_row_generation(struct catalog_txn *txn, uint8_t from, uint8_t *generation);

/* The place as the handle knows it; catalog_apply.c changes it after a commit. */
struct catalog_place *catalog_place(struct catalog *catalog);
void catalog_skip(struct catalog *catalog, uint64_t n);
/* Room for the text of a refusal, owned by the handle. */
char *catalog_refusal(struct catalog *catalog, size_t *room);

#endif
