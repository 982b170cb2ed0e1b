/* kv.h: the small ordered key-value transaction interface that the store is written against.
 *
 * First engine: LMDB (kv_lmdb.c, the only file that may include lmdb.h here). Keys are <= 128
 * bytes, ordered by bytes. Reads: any thread, short transactions, never held across network I/O;
 * values borrow from the engine and die with the transaction (or, in a write transaction, with the
 * next put or delete). Writes: the writer thread only (writer.h). Two tables keep what may never
 * stop the other apart: KV_MAIN (entities, indexes, audit, counters) and KV_EVENTS (raw usage
 * events, dropped in slices).
 */
#ifndef SLUICE_CONTROL_STORE_KV_H
#define SLUICE_CONTROL_STORE_KV_H

#include "common/str.h"

#define KV_KEY_MAX 128

enum kv_table { KV_MAIN, KV_EVENTS, KV_TABLE_COUNT };

struct kv;        /* an open store */
struct kv_txn;    /* a read or write transaction */
struct kv_cursor; /* an iteration within one transaction */

struct kv_options {
    uint64_t map_bytes; /* fixed map size, sparse; 0: 16 GiB */
    bool read_only;     /* for offline tools */
};

/* Opens (and creates, unless read_only) the store in folder `path`: 0700, files 0600, and holds an
 * exclusive lock file so that only one process opens it. ST_CONFLICT: another process has it.
 * ST_NOT_FOUND, ST_BAD_FORMAT, ST_IO. */
MUST_USE enum status kv_open(const char *path, const struct kv_options *options, struct kv **kv);
void kv_close(struct kv *kv);

/* ST_STORE_FULL, ST_IO, ST_AGAIN (all reader slots taken). gives the transaction. */
MUST_USE enum status kv_begin(struct kv *kv, bool write, struct kv_txn **txn);
/* Durable when it returns ST_OK. Ends the transaction in every case. ST_STORE_FULL, ST_IO (the
 * process must then end). */
MUST_USE enum status kv_commit(struct kv_txn *txn);
/* Ends a transaction without effect; NULL is fine. */
void kv_abort(struct kv_txn *txn);
/* A transaction inside a write transaction: commit folds it into `parent`, abort undoes it alone.
 */
MUST_USE enum status kv_begin_nested(struct kv_txn *parent, struct kv_txn **txn);

/* ST_NOT_FOUND. `value` borrows. */
MUST_USE enum status kv_get(struct kv_txn *txn, enum kv_table table, struct str key,
                            struct str *value);
/* copies key and value; replaces. ST_STORE_FULL, ST_IO. */
MUST_USE enum status kv_put(struct kv_txn *txn, enum kv_table table, struct str key,
                            struct str value);
/* ST_NOT_FOUND if it was not there. */
MUST_USE enum status kv_delete(struct kv_txn *txn, enum kv_table table, struct str key);

/* Iterates in key order. kv_cursor_seek places before the first key >= `from`; kv_cursor_next gives
 * it and moves on, ST_END at the end. kv_cursor_seek_last places so that kv_cursor_prev gives the
 * last key <= `from`. */
MUST_USE enum status kv_cursor_open(struct kv_txn *txn, enum kv_table table,
                                    struct kv_cursor **cursor);
void kv_cursor_close(struct kv_cursor *cursor);
void kv_cursor_seek(struct kv_cursor *cursor, struct str from);
MUST_USE enum status kv_cursor_next(struct kv_cursor *cursor, struct str *key, struct str *value);
void kv_cursor_seek_last(struct kv_cursor *cursor, struct str from);
MUST_USE enum status kv_cursor_prev(struct kv_cursor *cursor, struct str *key, struct str *value);

/* A consistent copy of the whole store into an empty folder, while it is in use. ST_CONFLICT: not
 * empty. ST_IO. */
MUST_USE enum status kv_copy(struct kv *kv, const char *path);
/* Frees reader slots of dead threads and processes; call at start and each minute. */
void kv_check_readers(struct kv *kv);
/* Bytes used of the map, for /metrics and the 70 % alarm. */
void kv_usage(struct kv *kv, uint64_t *used_bytes, uint64_t *map_bytes);

#endif
