/* kv_lmdb.c: kv.h over LMDB 0.9.24, the only file of the control plane that includes lmdb.h.
 *
 *   <path>/data.mdb  lock.mdb   LMDB's own      <path>/store.lock   flock: one process, one open
 *
 * Invariant: an ST_OK from kv_commit is on the disk. Therefore the library's rules (reliability.md
 * section 5):
 *   - default sync flags; never NOSYNC, MAPASYNC or WRITEMAP (half of the simulated crash states
 *     were then bad)
 *   - one map size for the life of the process, sparse; resizing needs a world without transactions
 *   - NOTLS: a read transaction belongs to its handle and not to its thread; 512 reader slots
 *   - no DUPSORT (its cursor deletes are wrong before 0.9.31), no NOMEMINIT (stale heap would reach
 *     the disk)
 *   - never used in a forked child; after EIO on a commit the process ends (writer.c)
 * An iteration in a write transaction finds its place by key at each step, so deleting while
 * walking is defined.
 */
#include "control-plane/store/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

#define KV_MAGIC        0x6B760001u
#define KV_TXN_MAGIC    0x6B760002u
#define KV_CURSOR_MAGIC 0x6B760003u
#define KV_MAP_BYTES    ((uint64_t)16 << 30)
#define KV_READERS      512u
#define KV_FILE_MODE    0600
#define KV_FOLDER_MODE  0700
#define KV_PATH_MAX     4096

struct kv {
    uint32_t magic;
    MDB_env *env;
    MDB_dbi dbi[KV_TABLE_COUNT];
    int lock_fd;
    bool read_only;
};

struct kv_txn {
    uint32_t magic;
    struct kv *kv;
    MDB_txn *txn;
    bool write;
    unsigned cursors; /* open ones: they must be closed before the transaction ends */
};

enum kv_cursor_place { KV_PLACE_FROM, KV_PLACE_LAST, KV_PLACE_AT, KV_PLACE_END };

struct kv_cursor {
    uint32_t magic;
    struct kv_txn *txn;
    MDB_cursor *cursor;
    enum kv_cursor_place place;
    size_t key_n;
    uint8_t key[KV_KEY_MAX]; /* where to seek, or the key given last */
};

static const char *const kv_table_names[KV_TABLE_COUNT] = {"main", "events"};

static enum status kv_status(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return ST_OK;
    case MDB_NOTFOUND:
        return ST_NOT_FOUND;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return ST_STORE_FULL;
    case MDB_READERS_FULL:
        return ST_AGAIN;
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INCOMPATIBLE:
        return ST_BAD_FORMAT;
    default:
        return rc > 0 ? status_from_errno(rc) : ST_IO;
    }
}

static enum status kv_take_lock(const char *path, int *fd)
{
    char name[KV_PATH_MAX];
    int n = snprintf(name, sizeof name, "%s/store.lock", path);
    if (n < 0 || (size_t)n >= sizeof name)
        return ST_INVALID;
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, KV_FILE_MODE);
    if (lock < 0)
        return status_from_errno(errno);
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        enum status status = errno == EWOULDBLOCK ? ST_CONFLICT : status_from_errno(errno);
        close(lock);
        return status;
    }
    *fd = lock;
    return ST_OK;
}

static enum status kv_open_tables(struct kv *kv)
{
    MDB_txn *txn;
    TRY(kv_status(mdb_txn_begin(kv->env, NULL, kv->read_only ? MDB_RDONLY : 0, &txn)));
    for (size_t i = 0; i < KV_TABLE_COUNT; i++) {
        int rc = mdb_dbi_open(txn, kv_table_names[i], kv->read_only ? 0 : MDB_CREATE, &kv->dbi[i]);
        if (rc != 0) {
            mdb_txn_abort(txn);
            return kv_status(rc);
        }
    }
    return kv_status(mdb_txn_commit(txn));
}

static enum status kv_open_env(struct kv *kv, const char *path, uint64_t map_bytes)
{
    TRY(kv_status(mdb_env_create(&kv->env)));
    TRY(kv_status(mdb_env_set_mapsize(kv->env, map_bytes)));
    TRY(kv_status(mdb_env_set_maxdbs(kv->env, KV_TABLE_COUNT)));
    TRY(kv_status(mdb_env_set_maxreaders(kv->env, KV_READERS)));
    unsigned flags = MDB_NOTLS | (kv->read_only ? MDB_RDONLY : 0u);
    TRY(kv_status(mdb_env_open(kv->env, path, flags, KV_FILE_MODE)));
    CHECK(mdb_env_get_maxkeysize(kv->env) >= KV_KEY_MAX);
    return kv_open_tables(kv);
}

enum status kv_open(const char *path, const struct kv_options *options, struct kv **out)
{
    struct kv_options given = options != NULL ? *options : (struct kv_options){0};
    if (given.map_bytes == 0)
        given.map_bytes = KV_MAP_BYTES;
    if (!given.read_only && mkdir(path, KV_FOLDER_MODE) != 0 && errno != EEXIST)
        return status_from_errno(errno);
    struct stat st;
    if (stat(path, &st) != 0)
        return status_from_errno(errno);
    if (!S_ISDIR(st.st_mode))
        return ST_INVALID;
    if (!given.read_only && (st.st_mode & 077) != 0 && chmod(path, KV_FOLDER_MODE) != 0)
        return status_from_errno(errno);

    struct kv *kv = calloc(1, sizeof *kv);
    if (kv == NULL)
        return ST_NO_MEMORY;
    kv->magic = KV_MAGIC;
    kv->lock_fd = -1;
    kv->read_only = given.read_only;
    enum status status;
    TRY_OUT(kv_take_lock(path, &kv->lock_fd));
    TRY_OUT(kv_open_env(kv, path, given.map_bytes));
    kv_check_readers(kv);
    *out = kv;
    return ST_OK;
out:
    kv_close(kv);
    return status;
}

void kv_close(struct kv *kv)
{
    if (kv == NULL)
        return;
    CHECK_OBJ(kv, KV_MAGIC);
    if (kv->env != NULL)
        mdb_env_close(kv->env);
    if (kv->lock_fd >= 0)
        close(kv->lock_fd);
    kv->magic = 0;
    free(kv);
}

static enum status kv_begin_in(struct kv *kv, MDB_txn *parent, bool write, struct kv_txn **out)
{
    struct kv_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return ST_NO_MEMORY;
    enum status status =
        kv_status(mdb_txn_begin(kv->env, parent, write ? 0 : MDB_RDONLY, &txn->txn));
    if (status != ST_OK) {
        free(txn);
        return status;
    }
    txn->magic = KV_TXN_MAGIC;
    txn->kv = kv;
    txn->write = write;
    *out = txn;
    return ST_OK;
}

enum status kv_begin(struct kv *kv, bool write, struct kv_txn **txn)
{
    CHECK_OBJ(kv, KV_MAGIC);
    CHECK(!write || !kv->read_only);
    return kv_begin_in(kv, NULL, write, txn);
}

enum status kv_begin_nested(struct kv_txn *parent, struct kv_txn **txn)
{
    CHECK_OBJ(parent, KV_TXN_MAGIC);
    CHECK(parent->write && parent->cursors == 0);
    return kv_begin_in(parent->kv, parent->txn, true, txn);
}

static void kv_txn_free(struct kv_txn *txn)
{
    CHECK(txn->cursors == 0);
    txn->magic = 0;
    free(txn);
}

enum status kv_commit(struct kv_txn *txn)
{
    CHECK_OBJ(txn, KV_TXN_MAGIC);
    CHECK(txn->cursors == 0);
    enum status status = kv_status(mdb_txn_commit(txn->txn));
    kv_txn_free(txn);
    return status;
}

void kv_abort(struct kv_txn *txn)
{
    if (txn == NULL)
        return;
    CHECK_OBJ(txn, KV_TXN_MAGIC);
    CHECK(txn->cursors == 0);
    mdb_txn_abort(txn->txn);
    kv_txn_free(txn);
}

/* LMDB does not write through these pointers; its struct has no const. */
static MDB_val kv_val(struct str s)
{
    union {
        const char *in;
        void *out;
    } p = {.in = s.p};
    return (MDB_val){.mv_size = s.n, .mv_data = p.out};
}

static struct str kv_val_str(const MDB_val *val)
{
    return (struct str){val->mv_data, val->mv_size};
}

enum status kv_get(struct kv_txn *txn, enum kv_table table, struct str key, struct str *value)
{
    CHECK_OBJ(txn, KV_TXN_MAGIC);
    CHECK(key.n > 0 && key.n <= KV_KEY_MAX);
    MDB_val k = kv_val(key), v;
    TRY(kv_status(mdb_get(txn->txn, txn->kv->dbi[table], &k, &v)));
    *value = kv_val_str(&v);
    return ST_OK;
}

enum status kv_put(struct kv_txn *txn, enum kv_table table, struct str key, struct str value)
{
    CHECK_OBJ(txn, KV_TXN_MAGIC);
    CHECK(txn->write && key.n > 0 && key.n <= KV_KEY_MAX);
    MDB_val k = kv_val(key), v = kv_val(value);
    return kv_status(mdb_put(txn->txn, txn->kv->dbi[table], &k, &v, 0));
}

enum status kv_delete(struct kv_txn *txn, enum kv_table table, struct str key)
{
    CHECK_OBJ(txn, KV_TXN_MAGIC);
    CHECK(txn->write && key.n > 0 && key.n <= KV_KEY_MAX);
    MDB_val k = kv_val(key);
    return kv_status(mdb_del(txn->txn, txn->kv->dbi[table], &k, NULL));
}

enum status kv_cursor_open(struct kv_txn *txn, enum kv_table table, struct kv_cursor **out)
{
    CHECK_OBJ(txn, KV_TXN_MAGIC);
    struct kv_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL)
        return ST_NO_MEMORY;
    enum status status = kv_status(mdb_cursor_open(txn->txn, txn->kv->dbi[table], &cursor->cursor));
    if (status != ST_OK) {
        free(cursor);
        return status;
    }
    cursor->magic = KV_CURSOR_MAGIC;
    cursor->txn = txn;
    txn->cursors++;
    *out = cursor;
    return ST_OK;
}

void kv_cursor_close(struct kv_cursor *cursor)
{
    if (cursor == NULL)
        return;
    CHECK_OBJ(cursor, KV_CURSOR_MAGIC);
    mdb_cursor_close(cursor->cursor);
    cursor->txn->cursors--;
    cursor->magic = 0;
    free(cursor);
}

static void kv_cursor_place(struct kv_cursor *cursor, enum kv_cursor_place place, struct str key)
{
    CHECK_OBJ(cursor, KV_CURSOR_MAGIC);
    CHECK(key.n <= KV_KEY_MAX);
    cursor->place = place;
    cursor->key_n = key.n;
    if (key.n > 0)
        memcpy(cursor->key, key.p, key.n);
}

void kv_cursor_seek(struct kv_cursor *cursor, struct str from)
{
    kv_cursor_place(cursor, KV_PLACE_FROM, from);
}

void kv_cursor_seek_last(struct kv_cursor *cursor, struct str from)
{
    kv_cursor_place(cursor, KV_PLACE_LAST, from);
}

/* First key >= the remembered one; `equal` says whether it is that one. */
static int kv_cursor_range(struct kv_cursor *cursor, MDB_val *key, MDB_val *value, bool *equal)
{
    *equal = false;
    if (cursor->key_n == 0)
        return mdb_cursor_get(cursor->cursor, key, value, MDB_FIRST);
    *key = (MDB_val){.mv_size = cursor->key_n, .mv_data = cursor->key};
    int rc = mdb_cursor_get(cursor->cursor, key, value, MDB_SET_RANGE);
    *equal = rc == 0 && key->mv_size == cursor->key_n &&
             memcmp(key->mv_data, cursor->key, cursor->key_n) == 0;
    return rc;
}

static enum status kv_cursor_give(struct kv_cursor *cursor, int rc, const MDB_val *k,
                                  const MDB_val *v, struct str *key, struct str *value)
{
    if (rc == MDB_NOTFOUND) {
        cursor->place = KV_PLACE_END;
        return ST_END;
    }
    TRY(kv_status(rc));
    kv_cursor_place(cursor, KV_PLACE_AT, kv_val_str(k));
    *key = kv_val_str(k);
    *value = kv_val_str(v);
    return ST_OK;
}

enum status kv_cursor_next(struct kv_cursor *cursor, struct str *key, struct str *value)
{
    CHECK_OBJ(cursor, KV_CURSOR_MAGIC);
    MDB_val k, v;
    bool equal;
    int rc;
    if (cursor->place == KV_PLACE_END)
        return ST_END;
    if (cursor->place == KV_PLACE_AT && !cursor->txn->write) {
        rc = mdb_cursor_get(cursor->cursor, &k, &v, MDB_NEXT);
    } else {
        rc = kv_cursor_range(cursor, &k, &v, &equal);
        if (rc == 0 && equal && cursor->place == KV_PLACE_AT)
            rc = mdb_cursor_get(cursor->cursor, &k, &v, MDB_NEXT);
    }
    return kv_cursor_give(cursor, rc, &k, &v, key, value);
}

enum status kv_cursor_prev(struct kv_cursor *cursor, struct str *key, struct str *value)
{
    CHECK_OBJ(cursor, KV_CURSOR_MAGIC);
    MDB_val k, v;
    bool equal;
    if (cursor->place == KV_PLACE_END)
        return ST_END;
    int rc = kv_cursor_range(cursor, &k, &v, &equal);
    if (rc == MDB_NOTFOUND)
        rc = mdb_cursor_get(cursor->cursor, &k, &v, MDB_LAST);
    else if (rc == 0 && !(equal && cursor->place == KV_PLACE_LAST))
        rc = mdb_cursor_get(cursor->cursor, &k, &v, MDB_PREV);
    return kv_cursor_give(cursor, rc, &k, &v, key, value);
}

enum status kv_copy(struct kv *kv, const char *path)
{
    CHECK_OBJ(kv, KV_MAGIC);
    char name[KV_PATH_MAX];
    int n = snprintf(name, sizeof name, "%s/data.mdb", path);
    if (n < 0 || (size_t)n >= sizeof name)
        return ST_INVALID;
    if (mkdir(path, KV_FOLDER_MODE) != 0 && errno != EEXIST)
        return status_from_errno(errno);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return status_from_errno(errno);
    enum status status = ST_OK;
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, KV_FILE_MODE);
    if (file < 0) {
        status = errno == EEXIST ? ST_CONFLICT : status_from_errno(errno);
        goto out;
    }
    TRY_OUT(kv_status(mdb_env_copyfd2(kv->env, file, 0)));
    if (fsync(file) != 0 || fsync(folder) != 0)
        status = status_from_errno(errno);
out:
    if (file >= 0)
        close(file);
    if (file >= 0 && status != ST_OK)
        unlink(name);
    close(folder);
    return status;
}

void kv_check_readers(struct kv *kv)
{
    CHECK_OBJ(kv, KV_MAGIC);
    int dead = 0;
    int rc = mdb_reader_check(kv->env, &dead);
    if (rc != 0)
        log_warn("store_reader_check_failed", LOG_STATUS(kv_status(rc)));
    else if (dead > 0)
        log_warn("store_dead_readers", LOG_I64("freed", dead));
}

/* Pages on the free list: LMDB keeps them in its own table 0, each value led by its count. */
static uint64_t kv_free_pages(struct kv *kv)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    uint64_t pages = 0;
    if (mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn) != 0)
        return 0;
    if (mdb_cursor_open(txn, 0, &cursor) == 0) {
        MDB_val k, v;
        while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
            size_t count;
            if (v.mv_size < sizeof count)
                break;
            memcpy(&count, v.mv_data, sizeof count);
            pages += count;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return pages;
}

void kv_usage(struct kv *kv, uint64_t *used_bytes, uint64_t *map_bytes)
{
    CHECK_OBJ(kv, KV_MAGIC);
    MDB_envinfo info;
    MDB_stat stat;
    CHECK(mdb_env_info(kv->env, &info) == 0 && mdb_env_stat(kv->env, &stat) == 0);
    uint64_t pages = info.me_last_pgno + 1, unused = kv_free_pages(kv);
    *used_bytes = (pages > unused ? pages - unused : 0) * stat.ms_psize;
    *map_bytes = info.me_mapsize;
}
