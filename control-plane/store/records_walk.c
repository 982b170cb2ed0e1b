/* records_walk.c: lists and the feed.
 *
 * The feed is a range of 'R' rows, oldest revision first. A reader that was cut off goes on at
 * (revision, key): what changed in between has moved to a newer revision and is met later, what did
 * not is still there, so nothing is missed and an entity is at worst given twice. Tombstones are
 * forgotten after their time; record_feed_floor then says from which revision on the feed is whole.
 * Nothing here writes but record_purge.
 */
#include "control-plane/store/records.h"

#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/store/records_row.h"
#include "control-plane/store/writer.h"

struct record_cursor {
    struct kv_cursor *cursor;
    Sluice__Kind kind;
    struct key prefix;
};

static enum status record_cursor_start(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                                       const struct id *parent, struct record_cursor **out)
{
    record_kind(kind);
    struct record_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL)
        return ST_NO_MEMORY;
    enum status status = kv_cursor_open(txn, KV_MAIN, &cursor->cursor);
    if (status != ST_OK) {
        free(cursor);
        return status;
    }
    cursor->kind = kind;
    key_add_u8(&cursor->prefix, (uint8_t)kind);
    if (org != NULL)
        key_add_id(&cursor->prefix, org);
    if (parent != NULL)
        key_add_id(&cursor->prefix, parent);
    kv_cursor_seek(cursor->cursor, key_str(&cursor->prefix));
    *out = cursor;
    return ST_OK;
}

enum status record_cursor_open(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                               const struct id *parent, struct record_cursor **cursor)
{
    return record_cursor_start(txn, kind, org, parent, cursor);
}

enum status record_cursor_open_org(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                                   struct record_cursor **cursor)
{
    return record_cursor_start(txn, kind, org, NULL, cursor);
}

void record_cursor_after(struct record_cursor *cursor, const struct id *after)
{
    struct key key = cursor->prefix;
    CHECK(key.n == KEY_RECORD_TAIL - ID_BYTES);
    key_add_id(&key, after);
    key_add_u8(&key, 0);
    kv_cursor_seek(cursor->cursor, key_str(&key));
}

void record_cursor_after_key(struct record_cursor *cursor, const struct record_key *last)
{
    struct key key;
    record_row_key(&key, last);
    key_add_u8(&key, 0);
    kv_cursor_seek(cursor->cursor, key_str(&key));
}

enum status record_cursor_next(struct record_cursor *cursor, struct arena *arena,
                               struct record_key *record, void *message, uint64_t *revision)
{
    struct str key, value;
    struct record_head head;
    TRY(kv_cursor_next(cursor->cursor, &key, &value));
    if (!str_starts(key, key_str(&cursor->prefix)))
        return ST_END;
    if (key.n != KEY_RECORD_TAIL)
        return ST_BAD_FORMAT;
    TRY(record_head_read(cursor->kind, value, &head));
    if (message != NULL)
        TRY(wire_unpack(record_kind(cursor->kind)->descriptor, head.body, arena, message));
    if (record != NULL)
        record_key_read(key.p, record);
    if (revision != NULL)
        *revision = head.revision;
    return ST_OK;
}

void record_cursor_close(struct record_cursor *cursor)
{
    if (cursor == NULL)
        return;
    kv_cursor_close(cursor->cursor);
    free(cursor);
}

/* --- the feed ------------------------------------------------------------------------------------
 */

struct record_feed {
    struct kv_txn *txn;
    size_t left_bytes;
    bool begun;
    enum status (*each)(void *arg, const struct record_change *change);
    void *arg;
};

static enum status record_change_read(struct kv_txn *txn, struct str key, struct str value,
                                      struct record_change *change)
{
    if (key.n != 10 + KEY_RECORD_TAIL || value.n != 1)
        return ST_BAD_FORMAT;
    *change =
        (struct record_change){.revision = key_get_u64(key.p + 2), .deleted = value.p[0] != 0};
    record_key_read(key.p + 10, &change->key);
    if (change->deleted)
        return ST_OK;
    struct record_head head;
    enum status status = record_head_get(txn, &change->key, &head);
    if (status != ST_OK)
        return status == ST_NOT_FOUND ? ST_BAD_FORMAT : status;
    change->body = head.body;
    return ST_OK;
}

/* ST_END: the bound is reached and this change was not given. */
static enum status record_change_give(struct record_feed *feed, struct str key, struct str value)
{
    struct record_change change;
    TRY(record_change_read(feed->txn, key, value, &change));
    size_t cost = change.body.n + KEY_RECORD_TAIL;
    if (feed->begun && cost > feed->left_bytes)
        return ST_END;
    TRY(feed->each(feed->arg, &change));
    feed->begun = true;
    feed->left_bytes -= cost < feed->left_bytes ? cost : feed->left_bytes;
    return ST_OK;
}

enum status record_changes(struct kv_txn *txn, uint64_t after, struct str after_key,
                           size_t max_bytes,
                           enum status (*each)(void *arg, const struct record_change *change),
                           void *arg, bool *more)
{
    struct record_feed feed = {.txn = txn, .left_bytes = max_bytes, .each = each, .arg = arg};
    struct kv_cursor *cursor;
    struct key from, prefix;
    struct str key, value;
    if (after_key.n != 0 && after_key.n != KEY_RECORD_TAIL)
        return ST_INVALID;
    key_init_space(&prefix, KEY_SPACE_REVISION);
    from = prefix;
    key_add_u64(&from, after);
    if (after_key.n > 0) {
        key_add_bytes(&from, after_key.p, after_key.n);
        key_add_u8(&from, 0);
    } else {
        key_after_prefix(&from);
    }
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&from));
    enum status status;
    while ((status = kv_cursor_next(cursor, &key, &value)) == ST_OK) {
        if (!str_starts(key, key_str(&prefix))) {
            status = ST_END;
            break;
        }
        status = record_change_give(&feed, key, value);
        if (status != ST_OK) {
            kv_cursor_close(cursor);
            if (status != ST_END)
                return status;
            *more = true;
            return ST_OK;
        }
    }
    kv_cursor_close(cursor);
    if (status != ST_END)
        return status;
    *more = false;
    return ST_OK;
}

static enum status record_meta_u64(struct kv_txn *txn, enum key_meta meta, uint64_t *number)
{
    struct key key;
    struct str value;
    key_init_meta(&key, meta);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &value);
    if (status == ST_NOT_FOUND) {
        *number = 0;
        return ST_OK;
    }
    TRY(status);
    if (value.n != sizeof *number)
        return ST_BAD_FORMAT;
    *number = key_get_u64(value.p);
    return ST_OK;
}

enum status record_revision(struct kv_txn *txn, uint64_t *revision)
{
    return record_meta_u64(txn, KEY_META_REVISION, revision);
}

enum status record_feed_floor(struct kv_txn *txn, uint64_t *revision)
{
    return record_meta_u64(txn, KEY_META_PURGED, revision);
}

enum status record_store_id(struct kv_txn *txn, struct id *store_id)
{
    struct key key;
    struct str value;
    key_init_meta(&key, KEY_META_STORE_ID);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &value));
    return id_from_bytes(value, store_id) == ST_OK ? ST_OK : ST_BAD_FORMAT;
}

/* Drops one tombstone and its 'R' row; `newest` follows the greatest revision forgotten. */
static enum status record_purge_one(struct kv_txn *txn, struct str key, uint64_t revision,
                                    uint64_t *newest)
{
    struct record_key record;
    struct key row, grave;
    record_key_read(key.p + 2, &record);
    record_revision_key(&row, revision, &record);
    record_space_key(&grave, KEY_SPACE_TOMBSTONE, &record);
    TRY(kv_delete(txn, KV_MAIN, key_str(&row)));
    TRY(kv_delete(txn, KV_MAIN, key_str(&grave)));
    if (revision > *newest)
        *newest = revision;
    return ST_OK;
}

enum status record_purge(struct write_op *op, int64_t before_ms, size_t max, bool *left)
{
    struct kv_cursor *cursor;
    struct key prefix, floor_key;
    struct str key, value;
    uint64_t floor;
    size_t purged = 0;
    bool some_left = false;
    TRY(record_feed_floor(op->txn, &floor));
    key_init_space(&prefix, KEY_SPACE_TOMBSTONE);
    TRY(kv_cursor_open(op->txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&prefix));
    enum status status;
    while ((status = kv_cursor_next(cursor, &key, &value)) == ST_OK &&
           str_starts(key, key_str(&prefix))) {
        if (key.n != 2 + KEY_RECORD_TAIL || value.n != RECORD_GRAVE_BYTES) {
            status = ST_BAD_FORMAT;
            break;
        }
        if ((int64_t)key_get_u64(value.p + 8) >= before_ms)
            continue;
        if (purged == max) {
            some_left = true;
            break;
        }
        status = record_purge_one(op->txn, key, key_get_u64(value.p), &floor);
        if (status != ST_OK)
            break;
        purged++;
    }
    kv_cursor_close(cursor);
    if (status != ST_OK && status != ST_END)
        return status;
    uint8_t number[8];
    key_put_u64(number, floor);
    key_init_meta(&floor_key, KEY_META_PURGED);
    TRY(kv_put(op->txn, KV_MAIN, key_str(&floor_key), (struct str){(const char *)number, 8}));
    *left = some_left;
    return ST_OK;
}
