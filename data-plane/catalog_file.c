/* catalog_file.c: the catalog file as LMDB keeps it, and the only file of the data plane that
 * includes lmdb.h.
 *
 *   [0][META]                    what is live: generation, revision, store, layout   (struct
 * cat_meta) [g][kind][org][parent][id]   the rows of generation g (catalog_codec.h)
 *
 * Readers are locked-down workers: each keeps one read transaction for life and only renews and
 * resets it, which with MDB_NOTLS touches nothing but shared memory. Writers: one, the courier.
 * Rules of LMDB 0.9.24 that hold here: default sync flags, no DUPSORT, map size fixed (a resize
 * needs the absence of transactions), one handle per process and file, the lock file renamed
 * together with the file (old readers would pin pages of the new one).
 *
 * Invariant: a reader sees exactly one revision between begin and end. Must never: truncate, rename
 * or unlink the file other than through catalog_put_aside, or hold a transaction across a return to
 * the loop.
 */
#include "data-plane/catalog_file.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "data-plane/catalog_recent.h"
#include "data-plane/catalog_rows.h"

#define CATALOG_MAGIC      0x4C415443u
#define CATALOG_MAP_BYTES  ((size_t)16 << 30)
#define CATALOG_READERS    512
#define CATALOG_PATH_BYTES 4000
#define CATALOG_FLAGS      (MDB_NOSUBDIR | MDB_NOTLS)

struct catalog {
    uint32_t magic;
    MDB_env *env;
    MDB_dbi dbi;
    MDB_txn *read; /* kept, reset while idle */
    bool begun, writer;
    uint8_t generation; /* of the current read */
    uint64_t revision;
    uint64_t snapshot; /* transaction id of the current read; generation and revision are its */
    bool snapshot_known;
    struct catalog_place place;
    uint64_t skipped;
    char refusal[160];
    struct catalog_recent recent;
};

enum { ASKED_BY_ID, ASKED_BY_NAME };

struct catalog_txn {
    struct catalog *catalog;
    MDB_txn *txn;
};

static enum status catalog_status(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return ST_OK;
    case MDB_NOTFOUND:
    case ENOENT:
        return ST_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return ST_STORE_FULL;
    case ENOMEM:
        return ST_NO_MEMORY;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_PANIC:
        return ST_BAD_FORMAT;
    default:
        return ST_IO;
    }
}

static MDB_val val_of(const void *p, size_t n)
{
    union {
        const void *from;
        void *to;
    } cast = {.from = p}; /* LMDB never writes through a key or value it is given */
    return (MDB_val){n, cast.to};
}

static struct str str_of_val(MDB_val value)
{
    return (struct str){value.mv_data, value.mv_size};
}

/* A commit that hangs ends the process (catalog_file.h). */
static void catalog_guard(bool on)
{
    struct itimerval timer = {.it_value.tv_sec = on ? CATALOG_COMMIT_MAX_MS / 1000 : 0};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* --- open and close ------------------------------------------------------------------------------
 */

static enum status meta_read(MDB_txn *txn, MDB_dbi dbi, struct cat_meta *meta)
{
    uint8_t bytes[CAT_KEY_BYTES];
    catalog_key(bytes, 0, CAT_KIND_META, &ID_NONE, &ID_NONE, &ID_NONE);
    MDB_val key = val_of(bytes, sizeof bytes), value;
    TRY(catalog_status(mdb_get(txn, dbi, &key, &value)));
    const struct cat_meta *found = CAT_AS(str_of_val(value), CAT_KIND_META, cat_meta);
    if (found == NULL)
        return ST_BAD_FORMAT;
    *meta = *found;
    return ST_OK;
}

static enum status env_open(const char *path, unsigned flags, MDB_env **env)
{
    MDB_env *made = NULL;
    if (mdb_env_create(&made) != 0)
        return ST_NO_MEMORY;
    int rc = mdb_env_set_mapsize(made, CATALOG_MAP_BYTES);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(made, CATALOG_READERS);
    if (rc == 0)
        rc = mdb_env_open(made, path, CATALOG_FLAGS | flags, 0600);
    if (rc != 0) {
        mdb_env_close(made);
        return catalog_status(rc);
    }
    *env = made;
    return ST_OK;
}

/* The transaction that a handle keeps for reading. */
static enum status read_open(struct catalog *catalog)
{
    TRY(catalog_status(mdb_txn_begin(catalog->env, NULL, MDB_RDONLY, &catalog->read)));
    int rc = mdb_dbi_open(catalog->read, NULL, 0, &catalog->dbi);
    struct cat_meta meta;
    enum status status =
        rc != 0 ? catalog_status(rc) : meta_read(catalog->read, catalog->dbi, &meta);
    mdb_txn_reset(catalog->read);
    if (status == ST_OK && meta.layout != catalog_layout())
        return ST_BAD_FORMAT;
    if (status == ST_OK)
        catalog->place = (struct catalog_place){.live = meta.live_generation,
                                                .revision = meta.through_revision,
                                                .store_id = meta.store_id};
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status handle_open(const char *path, bool writer, struct catalog **catalog)
{
    struct catalog *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    made->magic = CATALOG_MAGIC;
    made->writer = writer;
    enum status status = env_open(path, writer ? 0 : MDB_RDONLY, &made->env);
    if (status == ST_OK)
        status = read_open(made);
    if (status != ST_OK) {
        catalog_close(made);
        return status;
    }
    *catalog = made;
    return ST_OK;
}

enum status catalog_open(const char *path, struct catalog **catalog)
{
    return handle_open(path, false, catalog);
}

void catalog_close(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    CHECK_OBJ(catalog, CATALOG_MAGIC);
    if (catalog->read != NULL)
        mdb_txn_abort(catalog->read);
    if (catalog->env != NULL)
        mdb_env_close(catalog->env);
    catalog->magic = 0;
    free(catalog);
}

static enum status rename_bad(const char *path, const char *suffix)
{
    char from[CATALOG_PATH_BYTES + 32], to[CATALOG_PATH_BYTES + 32];
    snprintf(from, sizeof from, "%s%s", path, suffix);
    snprintf(to, sizeof to, "%s%s.bad", path, suffix);
    return rename(from, to) == 0 || errno == ENOENT ? ST_OK : ST_IO;
}

enum status catalog_put_aside(const char *path)
{
    if (strlen(path) > CATALOG_PATH_BYTES)
        return ST_IO;
    TRY(rename_bad(path, "-lock"));
    return rename_bad(path, "");
}

enum status catalog_open_writer(const char *path, struct catalog **catalog, bool *fresh)
{
    *fresh = access(path, F_OK) != 0;
    catalog_guard(true);
    enum status status = handle_open(path, true, catalog);
    if (status == ST_BAD_FORMAT || status == ST_IO) {
        status = catalog_put_aside(path);
        if (status == ST_OK)
            status = handle_open(path, true, catalog);
        *fresh = true;
    }
    catalog_guard(false);
    return status;
}

/* --- reading --- */

/* What is live in the snapshot that was just renewed. */
static enum status snapshot_read(struct catalog *catalog)
{
    struct cat_meta meta;
    uint64_t snapshot = mdb_txn_id(catalog->read);
    if (catalog->snapshot_known && catalog->snapshot == snapshot)
        return ST_OK;
    catalog->snapshot_known = false;
    enum status status = meta_read(catalog->read, catalog->dbi, &meta);
    if (status == ST_NOT_FOUND || (status == ST_OK && meta.live_generation == 0))
        return ST_NOT_READY;
    TRY(status);
    catalog->generation = meta.live_generation;
    catalog->revision = meta.through_revision;
    catalog->snapshot = snapshot;
    catalog->snapshot_known = true;
    return ST_OK;
}

enum status catalog_begin(struct catalog *catalog)
{
    CHECK_OBJ(catalog, CATALOG_MAGIC);
    CHECK(!catalog->begun);
    TRY(catalog_status(mdb_txn_renew(catalog->read)));
    enum status status = snapshot_read(catalog);
    if (status != ST_OK) {
        mdb_txn_reset(catalog->read);
        return status;
    }
    catalog->begun = true;
    return ST_OK;
}

void catalog_end(struct catalog *catalog)
{
    CHECK_OBJ(catalog, CATALOG_MAGIC);
    CHECK(catalog->begun);
    mdb_txn_reset(catalog->read);
    catalog->begun = false;
}

bool catalog_is_begun(const struct catalog *catalog)
{
    return catalog->begun;
}

uint64_t catalog_revision(const struct catalog *catalog)
{
    return catalog->begun ? catalog->revision : catalog->place.revision;
}

static enum status row_get(struct catalog *catalog, MDB_txn *txn, const uint8_t *bytes,
                           struct str *value)
{
    MDB_val key = val_of(bytes, CAT_KEY_BYTES), found;
    TRY(catalog_status(mdb_get(txn, catalog->dbi, &key, &found)));
    *value = str_of_val(found);
    return ST_OK;
}

static enum status search_id(struct catalog *catalog, uint8_t kind, const struct id *org,
                             const struct id *parent, const struct id *id, struct str *record)
{
    uint8_t key[CAT_KEY_BYTES];
    catalog_key(key, catalog->generation, kind, org, parent, id);
    return row_get(catalog, catalog->read, key, record);
}

static enum status search_name(struct catalog *catalog, uint8_t kind, const struct id *org,
                               const struct id *parent, struct str name, struct str *record)
{
    uint8_t key[CAT_KEY_BYTES];
    struct str found;
    catalog_index_key(key, catalog->generation, kind, org, parent, name);
    TRY(row_get(catalog, catalog->read, key, &found));
    if (found.n != 3 * ID_BYTES)
        return ST_BAD_FORMAT;
    key[1] = kind;
    memcpy(key + 2, found.p, found.n);
    return row_get(catalog, catalog->read, key, record);
}

enum status catalog_get(struct catalog *catalog, uint8_t kind, const struct id *org,
                        const struct id *parent, const struct id *id, struct str *record)
{
    CHECK(catalog->begun);
    struct catalog_asked asked;
    enum status status;
    bool kept = catalog_recent_ask(&asked, ASKED_BY_ID, kind, org, parent, id_bytes(id));
    if (kept && catalog_recent_get(&catalog->recent, &asked, catalog->snapshot, &status, record))
        return status;
    struct str found = STR_NONE;
    status = search_id(catalog, kind, org, parent, id, &found);
    if (kept)
        catalog_recent_put(&catalog->recent, &asked, catalog->snapshot, status, found);
    TRY(status);
    *record = found;
    return ST_OK;
}

enum status catalog_find(struct catalog *catalog, uint8_t kind, const struct id *org,
                         const struct id *parent, struct str name, struct str *record)
{
    CHECK(catalog->begun);
    struct catalog_asked asked;
    enum status status;
    bool kept = catalog_recent_ask(&asked, ASKED_BY_NAME, kind, org, parent, name);
    if (kept && catalog_recent_get(&catalog->recent, &asked, catalog->snapshot, &status, record))
        return status;
    struct str found = STR_NONE;
    status = search_name(catalog, kind, org, parent, name, &found);
    if (kept)
        catalog_recent_put(&catalog->recent, &asked, catalog->snapshot, status, found);
    TRY(status);
    *record = found;
    return ST_OK;
}

static enum status each_below(struct catalog *catalog, MDB_txn *txn, const uint8_t *prefix,
                              size_t n, enum status (*each)(void *arg, struct str value), void *arg)
{
    MDB_cursor *cursor;
    MDB_val key = val_of(prefix, n), value;
    TRY(catalog_status(mdb_cursor_open(txn, catalog->dbi, &cursor)));
    enum status status = ST_OK;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && status == ST_OK && key.mv_size >= n && memcmp(key.mv_data, prefix, n) == 0) {
        status = each(arg, str_of_val(value));
        if (status == ST_OK)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return status == ST_OK && rc != 0 && rc != MDB_NOTFOUND ? catalog_status(rc) : status;
}

enum status catalog_each(struct catalog *catalog, uint8_t kind, const struct id *org,
                         const struct id *parent, enum status (*each)(void *arg, struct str record),
                         void *arg)
{
    CHECK(catalog->begun);
    uint8_t key[CAT_KEY_BYTES];
    catalog_key(key, catalog->generation, kind, org, parent, &ID_NONE);
    return each_below(catalog, catalog->read, key, CAT_KEY_BYTES - ID_BYTES, each, arg);
}

enum status catalog_each_of_kind(struct catalog *catalog, uint8_t kind,
                                 enum status (*each)(void *arg, struct str record), void *arg)
{
    CHECK(catalog->begun);
    const uint8_t prefix[2] = {catalog->generation, kind};
    return each_below(catalog, catalog->read, prefix, sizeof prefix, each, arg);
}

/* --- the writer's rows (catalog_rows.h) --- */

enum status catalog_txn_begin(struct catalog *catalog, struct catalog_txn **txn)
{
    CHECK_OBJ(catalog, CATALOG_MAGIC);
    CHECK(catalog->writer);
    struct catalog_txn *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    made->catalog = catalog;
    catalog_guard(true);
    int rc = mdb_txn_begin(catalog->env, NULL, 0, &made->txn);
    catalog_guard(false);
    if (rc != 0) {
        free(made);
        return catalog_status(rc);
    }
    *txn = made;
    return ST_OK;
}

enum status catalog_txn_commit(struct catalog_txn *txn)
{
    catalog_guard(true);
    int rc = mdb_txn_commit(txn->txn);
    catalog_guard(false);
    free(txn);
    return catalog_status(rc);
}

void catalog_txn_abort(struct catalog_txn *txn)
{
    if (txn == NULL)
        return;
    mdb_txn_abort(txn->txn);
    free(txn);
}

enum status catalog_row_get(struct catalog_txn *txn, const uint8_t key[CAT_KEY_BYTES],
                            struct str *value)
{
    return row_get(txn->catalog, txn->txn, key, value);
}

enum status catalog_row_put(struct catalog_txn *txn, const uint8_t key[CAT_KEY_BYTES],
                            struct str value)
{
    MDB_val name = val_of(key, CAT_KEY_BYTES), data = val_of(value.p, value.n);
    return catalog_status(mdb_put(txn->txn, txn->catalog->dbi, &name, &data, 0));
}

enum status catalog_row_remove(struct catalog_txn *txn, const uint8_t key[CAT_KEY_BYTES])
{
    MDB_val name = val_of(key, CAT_KEY_BYTES);
    int rc = mdb_del(txn->txn, txn->catalog->dbi, &name, NULL);
    return rc == MDB_NOTFOUND ? ST_OK : catalog_status(rc);
}

enum status catalog_row_each(struct catalog_txn *txn, const uint8_t *prefix, size_t n,
                             enum status (*each)(void *arg, struct str value), void *arg)
{
    return each_below(txn->catalog, txn->txn, prefix, n, each, arg);
}

/* The first key at or behind `from`, copied. ST_NOT_FOUND. */
static enum status row_first(struct catalog_txn *txn, uint8_t from, uint8_t *copy, size_t *n)
{
    MDB_cursor *cursor;
    MDB_val key = val_of(&from, 1), value;
    TRY(catalog_status(mdb_cursor_open(txn->txn, txn->catalog->dbi, &cursor)));
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (rc == 0) {
        *n = key.mv_size < CAT_KEY_BYTES ? key.mv_size : CAT_KEY_BYTES;
        memcpy(copy, key.mv_data, *n);
    }
    mdb_cursor_close(cursor);
    return catalog_status(rc);
}

/* Row by row with fresh cursors: the fixes to deleting through a cursor came after 0.9.24. */
enum status catalog_row_clear(struct catalog_txn *txn, uint8_t generation, size_t max,
                              size_t *removed)
{
    uint8_t first[CAT_KEY_BYTES];
    size_t n, done = 0;
    enum status status = ST_OK;
    while (done < max && status == ST_OK) {
        status = row_first(txn, generation, first, &n);
        if (status != ST_OK || first[0] != generation)
            break;
        MDB_val key = val_of(first, n);
        status = catalog_status(mdb_del(txn->txn, txn->catalog->dbi, &key, NULL));
        done++;
    }
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    *removed = done;
    return ST_OK;
}

enum status catalog_row_generation(struct catalog_txn *txn, uint8_t from, uint8_t *generation)
{
    uint8_t first[CAT_KEY_BYTES];
    size_t n;
    enum status status = row_first(txn, from, first, &n);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    *generation = status == ST_OK ? first[0] : 0;
    return ST_OK;
}

struct catalog_place *catalog_place(struct catalog *catalog)
{
    return &catalog->place;
}

void catalog_skip(struct catalog *catalog, uint64_t n)
{
    catalog->skipped += n;
}

char *catalog_refusal(struct catalog *catalog, size_t *room)
{
    *room = sizeof catalog->refusal;
    return catalog->refusal;
}

void catalog_position(const struct catalog *catalog, uint64_t *revision, struct id *store_id)
{
    *revision = catalog->place.revision;
    *store_id = catalog->place.store_id;
}

uint64_t catalog_skipped(const struct catalog *catalog)
{
    return catalog->skipped;
}

void catalog_check_readers(struct catalog *catalog)
{
    int dead;
    catalog_guard(true);
    (void)mdb_reader_check(catalog->env, &dead);
    catalog_guard(false);
}
