/* Records: names, feed order, tombstones, resumed reading, unknown fields, damaged rows. */
#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

struct put {
    struct record_key key;
    const char *slug;
    const char *name;
    bool remove;
    struct str index_add, index_remove;
};

static enum status do_put(struct write_op *op, void *arg)
{
    struct put *put = arg;
    if (put->remove)
        return record_delete(op, &put->key);
    if (put->index_add.p != NULL)
        return record_index_add(op, &put->key, put->index_add);
    if (put->index_remove.p != NULL)
        return record_index_remove(op, &put->key, put->index_remove);
    Sluice__Workspace workspace = SLUICE__WORKSPACE__INIT;
    char slug[64], name[64];
    snprintf(slug, sizeof slug, "%s", put->slug != NULL ? put->slug : "");
    snprintf(name, sizeof name, "%s", put->name != NULL ? put->name : "");
    workspace.slug = slug;
    workspace.name = name;
    return record_put(op, &put->key, &workspace, str_c(put->slug));
}

static struct record_key workspace_key(uint8_t org, uint8_t id)
{
    return (struct record_key){
        .kind = SLUICE__KIND__KIND_WORKSPACE, .org = test_id(org), .id = test_id(id)};
}

static enum status write_workspace(struct fixture *f, uint8_t org, uint8_t id, const char *slug)
{
    struct put put = {.key = workspace_key(org, id), .slug = slug, .name = slug};
    return fixture_write(f, do_put, &put, NULL);
}

static enum status delete_workspace(struct fixture *f, uint8_t org, uint8_t id)
{
    struct put put = {.key = workspace_key(org, id), .remove = true};
    return fixture_write(f, do_put, &put, NULL);
}

static int found(struct fixture *f, uint8_t org, const char *name)
{
    struct kv_txn *txn = fixture_read(f);
    struct id org_id = test_id(org);
    struct record_key key;
    enum status status =
        record_find(txn, SLUICE__KIND__KIND_WORKSPACE, &org_id, &ID_NONE, str_c(name), &key);
    kv_abort(txn);
    return status == ST_OK ? key.id.b[0] : -1;
}

Test(records, slug_conflict_and_move)
{
    struct fixture f;
    fixture_open(&f);
    OK(write_workspace(&f, 1, 10, "red"));
    OK(write_workspace(&f, 2, 20, "red")); /* another organisation */
    IS(write_workspace(&f, 1, 11, "red"), ST_CONFLICT);
    cr_assert_eq(found(&f, 1, "red"), 10);
    OK(write_workspace(&f, 1, 10, "blue"));
    cr_assert_eq(found(&f, 1, "red"), -1);
    cr_assert_eq(found(&f, 1, "blue"), 10);
    OK(write_workspace(&f, 1, 11, "red"));
    cr_assert_eq(found(&f, 1, "red"), 11);
    OK(delete_workspace(&f, 1, 11));
    cr_assert_eq(found(&f, 1, "red"), -1);
    IS(delete_workspace(&f, 1, 11), ST_NOT_FOUND);
    cr_assert_eq(writer_revision(f.writer), 5);
    fixture_close(&f);
}

Test(records, further_names)
{
    struct fixture f;
    fixture_open(&f);
    OK(write_workspace(&f, 1, 10, "red"));
    OK(write_workspace(&f, 1, 11, "blue"));
    struct put add = {.key = workspace_key(1, 10), .index_add = STR("crimson")};
    OK(fixture_write(&f, do_put, &add, NULL));
    cr_assert_eq(found(&f, 1, "crimson"), 10);
    struct put taken = {.key = workspace_key(1, 11), .index_add = STR("crimson")};
    IS(fixture_write(&f, do_put, &taken, NULL), ST_CONFLICT);
    OK(write_workspace(&f, 1, 10, "crimson")); /* a further name becomes the slug */
    cr_assert_eq(found(&f, 1, "red"), -1);
    struct put not_further = {.key = workspace_key(1, 10), .index_remove = STR("crimson")};
    IS(fixture_write(&f, do_put, &not_further, NULL), ST_NOT_FOUND);
    add.index_add = STR("ruby");
    OK(fixture_write(&f, do_put, &add, NULL));
    struct put remove = {.key = workspace_key(1, 10), .index_remove = STR("ruby")};
    OK(fixture_write(&f, do_put, &remove, NULL));
    cr_assert_eq(found(&f, 1, "ruby"), -1);
    OK(fixture_write(&f, do_put, &add, NULL));
    OK(delete_workspace(&f, 1, 10));
    cr_assert_eq(found(&f, 1, "ruby"), -1);
    cr_assert_eq(found(&f, 1, "crimson"), -1);
    fixture_close(&f);
}

Test(records, get_resolve_and_walk)
{
    struct fixture f;
    fixture_open(&f);
    for (uint8_t i = 0; i < 5; i++) {
        char slug[8];
        snprintf(slug, sizeof slug, "w%u", i);
        OK(write_workspace(&f, 1, (uint8_t)(10 + i), slug));
    }
    OK(write_workspace(&f, 2, 40, "other"));
    struct kv_txn *txn = fixture_read(&f);
    struct id org = test_id(1), after = test_id(12);
    struct record_key key;
    Sluice__Workspace *workspace;
    uint64_t revision;
    OK(record_resolve(txn, SLUICE__KIND__KIND_WORKSPACE, &org, NULL, STR("w3"), &key));
    OK(record_get(txn, &key, &f.arena, &workspace, &revision));
    cr_assert_str_eq(workspace->slug, "w3");
    cr_assert_eq(revision, 4);
    char text[ID_TEXT + 1];
    id_to_text(&key.id, text);
    OK(record_resolve(txn, SLUICE__KIND__KIND_WORKSPACE, &org, NULL, str_c(text), &key));
    struct id stranger = test_id(2);
    IS(record_resolve(txn, SLUICE__KIND__KIND_WORKSPACE, &stranger, NULL, str_c(text), &key),
       ST_NOT_FOUND);

    struct record_cursor *cursor;
    OK(record_cursor_open(txn, SLUICE__KIND__KIND_WORKSPACE, &org, &ID_NONE, &cursor));
    record_cursor_after(cursor, &after);
    for (uint8_t i = 13; i <= 14; i++) {
        OK(record_cursor_next(cursor, &f.arena, &key, &workspace, NULL));
        cr_assert_eq(key.id.b[0], i);
    }
    IS(record_cursor_next(cursor, &f.arena, &key, &workspace, NULL), ST_END);
    record_cursor_close(cursor);
    OK(record_cursor_open_org(txn, SLUICE__KIND__KIND_WORKSPACE, NULL, &cursor));
    for (int i = 0; i < 6; i++)
        OK(record_cursor_next(cursor, NULL, &key, NULL, NULL));
    IS(record_cursor_next(cursor, NULL, &key, NULL, NULL), ST_END);
    record_cursor_close(cursor);
    kv_abort(txn);
    fixture_close(&f);
}

static enum status put_provider(struct write_op *op, void *arg)
{
    Sluice__Provider provider = SLUICE__PROVIDER__INIT;
    char slug[] = "p";
    provider.slug = slug;
    return record_put(op, arg, &provider, STR("p"));
}

Test(records, locate_by_id_alone)
{
    struct fixture f;
    fixture_open(&f);
    struct record_key key = {.kind = SLUICE__KIND__KIND_PROVIDER,
                             .org = test_id(1),
                             .parent = test_id(2),
                             .id = test_id(3)},
                      got;
    OK(fixture_write(&f, put_provider, &key, NULL));
    struct kv_txn *txn = fixture_read(&f);
    OK(record_locate(txn, key.kind, &key.org, &key.id, &got));
    cr_assert(id_eq(&got.parent, &key.parent));
    struct id other = test_id(9);
    IS(record_locate(txn, key.kind, &other, &key.id, &got), ST_NOT_FOUND);
    IS(record_resolve(txn, key.kind, &key.org, NULL, STR("p"), &got), ST_NOT_FOUND);
    kv_abort(txn);
    struct put remove = {.key = key, .remove = true};
    OK(fixture_write(&f, do_put, &remove, NULL));
    txn = fixture_read(&f);
    IS(record_locate(txn, key.kind, &key.org, &key.id, &got), ST_NOT_FOUND);
    kv_abort(txn);
    fixture_close(&f);
}

struct feed {
    size_t count;
    struct record_change changes[64];
    size_t stop_after;
};

static enum status collect(void *arg, const struct record_change *change)
{
    struct feed *feed = arg;
    if (feed->stop_after != 0 && feed->count == feed->stop_after)
        return ST_END;
    feed->changes[feed->count++] = *change;
    return ST_OK;
}

static bool read_feed(struct fixture *f, uint64_t after, struct str after_key, size_t max_bytes,
                      struct feed *feed)
{
    struct kv_txn *txn = fixture_read(f);
    bool more;
    feed->count = 0;
    OK(record_changes(txn, after, after_key, max_bytes, collect, feed, &more));
    for (size_t i = 0; i < feed->count; i++)
        feed->changes[i].body = (struct str){NULL, feed->changes[i].body.n};
    kv_abort(txn);
    return more;
}

static enum status put_three(struct write_op *op, void *arg)
{
    (void)arg;
    for (uint8_t i = 1; i <= 3; i++) {
        struct put put = {.key = workspace_key(5, i), .slug = i == 1 ? "a" : i == 2 ? "b" : "c"};
        TRY(do_put(op, &put));
    }
    return ST_OK;
}

Test(records, feed_is_newest_state_in_order)
{
    struct fixture f;
    struct feed feed = {0};
    fixture_open(&f);
    OK(write_workspace(&f, 1, 10, "a"));          /* 1 */
    OK(write_workspace(&f, 1, 11, "b"));          /* 2 */
    OK(write_workspace(&f, 1, 10, "c"));          /* 3: 10 moves */
    OK(delete_workspace(&f, 1, 11));              /* 4: tombstone */
    OK(fixture_write(&f, put_three, NULL, NULL)); /* 5: three at once */
    cr_assert_not(read_feed(&f, 0, STR_NONE, SIZE_MAX, &feed));
    cr_assert_eq(feed.count, 5);
    cr_assert(feed.changes[0].revision == 3 && feed.changes[0].key.id.b[0] == 10 &&
              !feed.changes[0].deleted);
    cr_assert(feed.changes[1].revision == 4 && feed.changes[1].key.id.b[0] == 11 &&
              feed.changes[1].deleted);
    cr_assert_eq(feed.changes[1].body.n, 0);
    cr_assert_gt(feed.changes[0].body.n, 0);
    for (uint8_t i = 1; i <= 3; i++)
        cr_assert(feed.changes[1 + i].revision == 5 && feed.changes[1 + i].key.id.b[0] == i);
    OK(write_workspace(&f, 1, 11, "b")); /* 6: back again, no tombstone left */
    cr_assert_not(read_feed(&f, 3, STR_NONE, SIZE_MAX, &feed));
    cr_assert_eq(feed.count, 4);
    cr_assert(feed.changes[3].revision == 6 && !feed.changes[3].deleted);
    cr_assert_not(read_feed(&f, 6, STR_NONE, SIZE_MAX, &feed));
    cr_assert_eq(feed.count, 0);
    fixture_close(&f);
}

Test(records, feed_goes_on_within_a_revision)
{
    struct fixture f;
    struct feed feed = {0};
    fixture_open(&f);
    OK(fixture_write(&f, put_three, NULL, NULL));
    OK(write_workspace(&f, 1, 10, "x"));
    uint64_t at = 0;
    uint8_t key[RECORD_CHANGE_KEY];
    struct str after_key = STR_NONE;
    for (int i = 0; i < 4; i++) {
        bool more =
            read_feed(&f, at, after_key, 1, &feed); /* one at a time: at least one is given */
        cr_assert_eq(feed.count, 1);
        cr_assert_eq(more, i < 3);
        cr_assert_eq(feed.changes[0].key.id.b[0], i < 3 ? i + 1 : 10);
        at = feed.changes[0].revision;
        record_change_key(&feed.changes[0].key, key);
        after_key = str_of((const char *)key, sizeof key);
    }
    feed.stop_after = 2;
    cr_assert(read_feed(&f, 0, STR_NONE, SIZE_MAX, &feed));
    cr_assert_eq(feed.count, 2);
    struct kv_txn *txn = fixture_read(&f);
    bool more;
    IS(record_changes(txn, 0, STR("short"), 1, collect, &feed, &more), ST_INVALID);
    kv_abort(txn);
    fixture_close(&f);
}

struct purge {
    int64_t before_ms;
    size_t max;
    bool left;
};

static enum status do_purge(struct write_op *op, void *arg)
{
    struct purge *purge = arg;
    op->no_revision = true;
    return record_purge(op, purge->before_ms, purge->max, &purge->left);
}

Test(records, tombstones_are_forgotten)
{
    struct fixture f;
    struct feed feed = {0};
    uint64_t floor;
    fixture_open(&f);
    for (uint8_t i = 1; i <= 3; i++)
        OK(write_workspace(&f, 1, i, NULL));
    for (uint8_t i = 1; i <= 3; i++)
        OK(delete_workspace(&f, 1, i));
    struct purge purge = {.before_ms = 1000, .max = 10};
    OK(fixture_write(&f, do_purge, &purge, NULL));
    cr_assert_not(purge.left);
    read_feed(&f, 0, STR_NONE, SIZE_MAX, &feed);
    cr_assert_eq(feed.count, 3);
    purge = (struct purge){.before_ms = INT64_MAX, .max = 2};
    OK(fixture_write(&f, do_purge, &purge, NULL));
    cr_assert(purge.left);
    OK(fixture_write(&f, do_purge, &purge, NULL));
    cr_assert_not(purge.left);
    read_feed(&f, 0, STR_NONE, SIZE_MAX, &feed);
    cr_assert_eq(feed.count, 0);
    struct kv_txn *txn = fixture_read(&f);
    OK(record_feed_floor(txn, &floor));
    cr_assert_eq(floor, 6);
    kv_abort(txn);
    cr_assert_eq(writer_revision(f.writer), 6);
    fixture_close(&f);
}

/* --- bytes that this version does not know, and bytes that are wrong ----------------------------
 */

static enum status put_raw(struct write_op *op, void *arg)
{
    struct key key;
    key_init(&key);
    key_add_u8(&key, SLUICE__KIND__KIND_WORKSPACE);
    struct id org = test_id(1), id = test_id(10);
    key_add_id(&key, &org);
    key_add_id(&key, &ID_NONE);
    key_add_id(&key, &id);
    return kv_put(op->txn, KV_MAIN, key_str(&key), *(struct str *)arg);
}

static enum status rewrite(struct write_op *op, void *arg)
{
    struct record_key key = workspace_key(1, 10);
    Sluice__Workspace *workspace;
    (void)arg;
    TRY(record_get(op->txn, &key, op->arena, &workspace, NULL));
    char name[] = "new";
    workspace->name = name;
    return record_put(op, &key, workspace, STR_NONE);
}

#define HEAD(version, length) "\0\2\0" version "\0\0\0" length "\0\0\0\0\0\0\0\1"

Test(records, unknown_fields_survive)
{
    struct fixture f;
    fixture_open(&f);
    struct str raw = STR(HEAD("\1", "\6") "\x1A\1x\xC8\x3E\7"); /* name = "x", field 1001 = 7 */
    OK(fixture_write(&f, put_raw, &raw, NULL));
    OK(fixture_write(&f, rewrite, NULL, NULL));
    struct kv_txn *txn = fixture_read(&f);
    struct record_key key = workspace_key(1, 10);
    Sluice__Workspace *workspace;
    OK(record_get(txn, &key, &f.arena, &workspace, NULL));
    cr_assert_str_eq(workspace->name, "new");
    cr_assert_eq(workspace->base.n_unknown_fields, 1);
    cr_assert_eq(workspace->base.unknown_fields[0].tag, 1001);
    kv_abort(txn);
    fixture_close(&f);
}

Test(records, damaged_rows_are_refused)
{
    struct str rows[] = {
        STR(""),
        STR("\0\2\0\1"),
        STR(HEAD("\2", "\0")),                   /* newer version */
        STR(HEAD("\1", "\1")),                   /* length of a byte that is not there */
        STR("\0\3\0\1\0\0\0\0\0\0\0\0\0\0\0\1"), /* another kind */
        STR(HEAD("\1", "\3") "\x1A\1\xFF"),      /* not UTF-8 */
        STR(HEAD("\1", "\4") "\x1A\2a\0"),       /* NUL in a string */
        STR(HEAD("\1", "\2") "\x1A\5"),          /* runs over the end */
    };
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        OK(fixture_write(&f, put_raw, &rows[i], NULL));
        struct kv_txn *txn = fixture_read(&f);
        struct record_key key = workspace_key(1, 10);
        Sluice__Workspace *workspace;
        cr_assert_eq(record_get(txn, &key, &f.arena, &workspace, NULL), ST_BAD_FORMAT, "row %zu",
                     i);
        kv_abort(txn);
    }
    fixture_close(&f);
}
