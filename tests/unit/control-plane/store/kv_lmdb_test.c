/* The engine: transactions, nesting, cursors, the lock, the copy, a full map. */
#include <sys/stat.h>

#include "tests/unit/control-plane/store_fixture.h"

static struct kv *open_at(const char *path, uint64_t map_bytes)
{
    struct kv *kv;
    OK(kv_open(path, &(struct kv_options){.map_bytes = map_bytes}, &kv));
    return kv;
}

static void put(struct kv_txn *txn, const char *key, const char *value)
{
    OK(kv_put(txn, KV_MAIN, str_c(key), str_c(value)));
}

static bool has(struct kv_txn *txn, const char *key, const char *value)
{
    struct str got;
    return kv_get(txn, KV_MAIN, str_c(key), &got) == ST_OK && str_eq(got, str_c(value));
}

Test(kv_lmdb, commit_abort_and_nested)
{
    char path[64];
    fixture_folder(path);
    struct kv *kv = open_at(path, FIXTURE_MAP_BYTES);
    struct kv_txn *txn, *nested;
    OK(kv_begin(kv, true, &txn));
    put(txn, "a", "1");
    OK(kv_begin_nested(txn, &nested));
    put(nested, "b", "2");
    cr_assert(has(nested, "a", "1"));
    OK(kv_commit(nested));
    OK(kv_begin_nested(txn, &nested));
    put(nested, "a", "wrong");
    OK(kv_delete(nested, KV_MAIN, STR("b")));
    kv_abort(nested);
    OK(kv_commit(txn));

    OK(kv_begin(kv, true, &txn));
    put(txn, "c", "never");
    kv_abort(txn);
    OK(kv_begin(kv, false, &txn));
    cr_assert(has(txn, "a", "1") && has(txn, "b", "2") && !has(txn, "c", "never"));
    struct str value;
    IS(kv_get(txn, KV_EVENTS, STR("a"), &value), ST_NOT_FOUND);
    kv_abort(txn);
    kv_close(kv);
    fixture_remove(path);
}

Test(kv_lmdb, one_open_and_closed_modes)
{
    char path[64], name[96];
    fixture_folder(path);
    cr_assert_eq(chmod(path, 0755), 0);
    struct kv *kv = open_at(path, FIXTURE_MAP_BYTES), *other;
    IS(kv_open(path, NULL, &other), ST_CONFLICT);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700);
    const char *const files[] = {"data.mdb", "lock.mdb", "store.lock"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(name, sizeof name, "%s/%s", path, files[i]);
        cr_assert_eq(stat(name, &st), 0);
        cr_assert_eq(st.st_mode & 0777, 0600);
    }
    kv_close(kv);
    IS(kv_open("/tmp/sluice-no-such-folder", &(struct kv_options){.read_only = true}, &other),
       ST_NOT_FOUND);
    fixture_remove(path);
}

Test(kv_lmdb, cursor_both_ways)
{
    char path[64];
    fixture_folder(path);
    struct kv *kv = open_at(path, FIXTURE_MAP_BYTES);
    struct kv_txn *txn;
    struct kv_cursor *cursor;
    struct str key, value;
    for (int writing = 1; writing >= 0; writing--) {
        OK(kv_begin(kv, writing, &txn));
        if (writing) {
            put(txn, "b", "");
            put(txn, "d", "");
            put(txn, "f", "");
        }
        OK(kv_cursor_open(txn, KV_MAIN, &cursor));
        const struct {
            const char *from, *next, *last;
        } rows[] = {{"", "b", NULL}, {"a", "b", NULL}, {"b", "b", "b"},
                    {"c", "d", "b"}, {"f", "f", "f"},  {"g", NULL, "f"}};
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            kv_cursor_seek(cursor, str_c(rows[i].from));
            enum status status = kv_cursor_next(cursor, &key, &value);
            IS(status, rows[i].next != NULL ? ST_OK : ST_END);
            cr_assert(rows[i].next == NULL || str_eq(key, str_c(rows[i].next)));
            kv_cursor_seek_last(cursor, str_c(rows[i].from));
            status = kv_cursor_prev(cursor, &key, &value);
            IS(status, rows[i].last != NULL ? ST_OK : ST_END);
            cr_assert(rows[i].last == NULL || str_eq(key, str_c(rows[i].last)));
        }
        kv_cursor_seek_last(cursor, STR("z"));
        char walked[4] = "";
        for (size_t i = 0; i < 3; i++) {
            OK(kv_cursor_prev(cursor, &key, &value));
            walked[i] = key.p[0];
        }
        cr_assert_str_eq(walked, "fdb");
        IS(kv_cursor_prev(cursor, &key, &value), ST_END);
        kv_cursor_close(cursor);
        OK(kv_commit(txn));
    }
    kv_close(kv);
    fixture_remove(path);
}

Test(kv_lmdb, deleting_while_walking)
{
    char path[64], name[16];
    fixture_folder(path);
    struct kv *kv = open_at(path, FIXTURE_MAP_BYTES);
    struct kv_txn *txn;
    struct kv_cursor *cursor;
    struct str key, value;
    OK(kv_begin(kv, true, &txn));
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "%05d", i);
        put(txn, name, "value that takes some room on the page");
    }
    OK(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, STR_NONE);
    int seen = 0;
    while (kv_cursor_next(cursor, &key, &value) == ST_OK) {
        snprintf(name, sizeof name, "%05d", seen);
        cr_assert(str_eq(key, str_c(name)));
        if (seen % 3 != 0)
            OK(kv_delete(txn, KV_MAIN, str_c(name)));
        seen++;
    }
    cr_assert_eq(seen, 2000);
    kv_cursor_seek(cursor, STR_NONE);
    for (int i = 0; i < 2000; i += 3) {
        snprintf(name, sizeof name, "%05d", i);
        OK(kv_cursor_next(cursor, &key, &value));
        cr_assert(str_eq(key, str_c(name)));
    }
    IS(kv_cursor_next(cursor, &key, &value), ST_END);
    kv_cursor_close(cursor);
    OK(kv_commit(txn));
    kv_close(kv);
    fixture_remove(path);
}

Test(kv_lmdb, full_map_fails_cleanly)
{
    char path[64], name[16], fill[4000];
    memset(fill, 'x', sizeof fill);
    fixture_folder(path);
    struct kv *kv = open_at(path, 1 << 20);
    struct kv_txn *txn;
    enum status status = ST_OK;
    unsigned committed = 0;
    for (unsigned i = 0; i < 1000 && status == ST_OK; i++) {
        snprintf(name, sizeof name, "%u", i);
        OK(kv_begin(kv, true, &txn));
        status = kv_put(txn, KV_MAIN, str_c(name), str_of(fill, sizeof fill));
        if (status != ST_OK)
            kv_abort(txn);
        else if ((status = kv_commit(txn)) == ST_OK)
            committed++;
    }
    IS(status, ST_STORE_FULL);
    cr_assert_gt(committed, 50);
    uint64_t used, map;
    kv_usage(kv, &used, &map);
    cr_assert_eq(map, 1 << 20);
    cr_assert(used > map / 2 && used <= map);
    OK(kv_begin(kv, false, &txn));
    struct str value;
    for (unsigned i = 0; i < committed; i++) {
        snprintf(name, sizeof name, "%u", i);
        OK(kv_get(txn, KV_MAIN, str_c(name), &value));
    }
    kv_abort(txn);
    kv_close(kv);
    fixture_remove(path);
}

Test(kv_lmdb, copy_is_a_store)
{
    char path[64], copy[96];
    fixture_folder(path);
    snprintf(copy, sizeof copy, "%s-copy", path);
    struct kv *kv = open_at(path, FIXTURE_MAP_BYTES), *other;
    struct kv_txn *txn;
    OK(kv_begin(kv, true, &txn));
    put(txn, "a", "1");
    OK(kv_commit(txn));
    OK(kv_copy(kv, copy));
    IS(kv_copy(kv, copy), ST_CONFLICT);
    kv_close(kv);
    OK(kv_open(copy, &(struct kv_options){.read_only = true}, &other));
    OK(kv_begin(other, false, &txn));
    cr_assert(has(txn, "a", "1"));
    kv_abort(txn);
    kv_close(other);
    fixture_remove(copy);
    fixture_remove(path);
}
