/* records.c: entities, their names and their place in the feed, kept in step.
 *
 *   put:    names row -> move index rows;  old header or 'D' row -> drop old 'R' row, 'D'
 *           write body, 'R', 'I'
 *   delete: names row -> drop index rows;  old header -> drop old 'R' row
 *           drop body, 'I';  write 'R' deleted, 'D'
 *
 * Invariant: for every kind in the feed there is exactly one 'R' row per live entity or tombstone,
 * at its newest revision, so "everything newer than N" is one range and never history. An index row
 * exists if and only if the names row of a live entity lists its hash. Everything happens in the
 * operation's nested transaction: an error anywhere undoes all of it, so no function here cleans up
 * after itself. Bodies are checked on the way out (wire.h): the disk is input, too.
 */
#include "control-plane/store/records.h"

#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/store/records_row.h"
#include "control-plane/store/trash.h"
#include "control-plane/store/writer.h"

#define RECORD_NAMES_MAX 8u /* index rows of one entity */
#define RECORD_REF_BYTES (3 * ID_BYTES)

/* --- reading -------------------------------------------------------------------------------------
 */

enum status record_get(struct kv_txn *txn, const struct record_key *record, struct arena *arena,
                       void *message, uint64_t *revision)
{
    struct record_head head;
    TRY(record_head_get(txn, record, &head));
    TRY(wire_unpack(record_kind(record->kind)->descriptor, head.body, arena, message));
    if (revision != NULL)
        *revision = head.revision;
    return ST_OK;
}

enum status record_stamp(struct kv_txn *txn, const struct record_key *record, uint64_t *revision)
{
    struct record_head head;
    TRY(record_head_get(txn, record, &head));
    *revision = head.revision;
    return ST_OK;
}

bool record_exists(struct kv_txn *txn, const struct record_key *record)
{
    struct record_head head;
    return record_head_get(txn, record, &head) == ST_OK;
}

static enum status record_find_hash(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                                    const struct id *parent, const uint8_t hash[KEY_HASH_BYTES],
                                    struct record_key *out)
{
    struct key key;
    struct str value;
    record_hash_key(&key, kind, org, parent, hash);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &value));
    if (value.n != RECORD_REF_BYTES)
        return ST_BAD_FORMAT;
    out->kind = kind;
    memcpy(out->org.b, value.p, ID_BYTES);
    memcpy(out->parent.b, value.p + ID_BYTES, ID_BYTES);
    memcpy(out->id.b, value.p + 2 * ID_BYTES, ID_BYTES);
    return ST_OK;
}

enum status record_find(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                        const struct id *parent, struct str name, struct record_key *key)
{
    uint8_t hash[KEY_HASH_BYTES];
    key_hash(name, hash);
    return record_find_hash(txn, kind, org, parent, hash, key);
}

enum status record_locate(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                          const struct id *id, struct record_key *out)
{
    CHECK(record_kind(kind)->locate);
    struct key key;
    struct str value;
    record_locate_key(&key, kind, org, id);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &value));
    struct record_key found = {.kind = kind, .org = *org, .id = *id};
    if (id_from_bytes(value, &found.parent) != ST_OK)
        return ST_BAD_FORMAT;
    *out = found;
    return ST_OK;
}

enum status record_resolve(struct kv_txn *txn, Sluice__Kind kind, const struct id *org,
                           const struct id *parent, struct str id_or_slug, struct record_key *out)
{
    struct id id;
    if (id_from_text(id_or_slug, &id) != ST_OK) {
        if (parent == NULL && record_kind(kind)->locate)
            return ST_NOT_FOUND;
        return record_find(txn, kind, org, parent, id_or_slug, out);
    }
    if (parent == NULL && record_kind(kind)->locate)
        return record_locate(txn, kind, org, &id, out);
    struct record_key found = {.kind = kind,
                               .org = org != NULL ? *org : ID_NONE,
                               .parent = parent != NULL ? *parent : ID_NONE,
                               .id = id};
    struct record_head head;
    TRY(record_head_get(txn, &found, &head));
    *out = found;
    return ST_OK;
}

/* --- names ---------------------------------------------------------------------------------------
 */

/* The names row: the first hash is the slug's, all zero if there is none; further names follow. */
struct record_names {
    size_t count;
    uint8_t hash[RECORD_NAMES_MAX][KEY_HASH_BYTES];
};

static const uint8_t record_no_hash[KEY_HASH_BYTES];

static enum status record_names_get(struct kv_txn *txn, const struct record_key *record,
                                    struct record_names *names)
{
    struct key key;
    struct str value;
    record_space_key(&key, KEY_SPACE_NAMES, record);
    *names = (struct record_names){.count = 1};
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &value);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (value.n == 0 || value.n % KEY_HASH_BYTES != 0 || value.n > sizeof names->hash)
        return ST_BAD_FORMAT;
    names->count = value.n / KEY_HASH_BYTES;
    memcpy(names->hash, value.p, value.n);
    return ST_OK;
}

static enum status record_names_put(struct kv_txn *txn, const struct record_key *record,
                                    const struct record_names *names)
{
    struct key key;
    record_space_key(&key, KEY_SPACE_NAMES, record);
    if (names->count == 1 && memcmp(names->hash[0], record_no_hash, KEY_HASH_BYTES) == 0) {
        enum status status = kv_delete(txn, KV_MAIN, key_str(&key));
        return status == ST_NOT_FOUND ? ST_OK : status;
    }
    return kv_put(txn, KV_MAIN, key_str(&key),
                  (struct str){(const char *)names->hash, names->count * KEY_HASH_BYTES});
}

static enum status record_index_put(struct kv_txn *txn, const struct record_key *record,
                                    const uint8_t hash[KEY_HASH_BYTES])
{
    struct record_key other;
    enum status status =
        record_find_hash(txn, record->kind, &record->org, &record->parent, hash, &other);
    if (status == ST_OK)
        return id_eq(&other.org, &record->org) && id_eq(&other.parent, &record->parent) &&
                       id_eq(&other.id, &record->id)
                   ? ST_OK
                   : ST_CONFLICT;
    if (status != ST_NOT_FOUND)
        return status;
    struct key key, ref;
    record_hash_key(&key, record->kind, &record->org, &record->parent, hash);
    key_init(&ref);
    key_add_id(&ref, &record->org);
    key_add_id(&ref, &record->parent);
    key_add_id(&ref, &record->id);
    return kv_put(txn, KV_MAIN, key_str(&key), key_str(&ref));
}

static enum status record_index_drop(struct kv_txn *txn, const struct record_key *record,
                                     const uint8_t hash[KEY_HASH_BYTES])
{
    if (memcmp(hash, record_no_hash, KEY_HASH_BYTES) == 0)
        return ST_OK;
    struct key key;
    record_hash_key(&key, record->kind, &record->org, &record->parent, hash);
    return kv_delete(txn, KV_MAIN, key_str(&key));
}

static size_t record_names_find(const struct record_names *names,
                                const uint8_t hash[KEY_HASH_BYTES])
{
    size_t at = 1;
    while (at < names->count && memcmp(names->hash[at], hash, KEY_HASH_BYTES) != 0)
        at++;
    return at;
}

static void record_names_remove(struct record_names *names, size_t at)
{
    memmove(names->hash[at], names->hash[at + 1], (names->count - at - 1) * KEY_HASH_BYTES);
    names->count--;
}

/* Makes `slug` the first name; a further name that becomes the slug is no longer a further one. */
static enum status record_names_move(struct kv_txn *txn, const struct record_key *record,
                                     struct str slug)
{
    struct record_names names;
    uint8_t hash[KEY_HASH_BYTES] = {0};
    TRY(record_names_get(txn, record, &names));
    if (slug.p != NULL)
        key_hash(slug, hash);
    if (memcmp(hash, names.hash[0], KEY_HASH_BYTES) == 0)
        return ST_OK;
    TRY(record_index_drop(txn, record, names.hash[0]));
    memcpy(names.hash[0], hash, KEY_HASH_BYTES);
    if (slug.p != NULL) {
        TRY(record_index_put(txn, record, hash));
        size_t at = record_names_find(&names, hash);
        if (at < names.count)
            record_names_remove(&names, at);
    }
    return record_names_put(txn, record, &names);
}

enum status record_index_add(struct write_op *op, const struct record_key *record, struct str name)
{
    struct record_names names;
    struct record_head head;
    uint8_t hash[KEY_HASH_BYTES];
    key_hash(name, hash);
    TRY(record_head_get(op->txn, record, &head));
    TRY(record_names_get(op->txn, record, &names));
    if (memcmp(hash, names.hash[0], KEY_HASH_BYTES) == 0 ||
        record_names_find(&names, hash) < names.count)
        return ST_OK;
    if (names.count == RECORD_NAMES_MAX)
        return ST_TOO_LARGE;
    TRY(record_index_put(op->txn, record, hash));
    memcpy(names.hash[names.count++], hash, KEY_HASH_BYTES);
    return record_names_put(op->txn, record, &names);
}

enum status record_index_remove(struct write_op *op, const struct record_key *record,
                                struct str name)
{
    struct record_names names;
    uint8_t hash[KEY_HASH_BYTES];
    key_hash(name, hash);
    TRY(record_names_get(op->txn, record, &names));
    size_t at = record_names_find(&names, hash);
    if (at >= names.count)
        return ST_NOT_FOUND;
    TRY(record_index_drop(op->txn, record, hash));
    record_names_remove(&names, at);
    return record_names_put(op->txn, record, &names);
}

/* --- writing -------------------------------------------------------------------------------------
 */

static uint64_t record_op_revision(const struct write_op *op, const struct record_kind *kind)
{
    CHECK(!op->no_revision || !kind->feed);
    return op->no_revision ? op->revision - 1 : op->revision;
}

static enum status record_drop_row(struct kv_txn *txn, const struct key *key)
{
    enum status status = kv_delete(txn, KV_MAIN, key_str(key));
    return status == ST_NOT_FOUND ? ST_OK : status;
}

/* Removes what the feed knows of the entity so far: its live row or its tombstone. */
static enum status record_feed_drop(struct kv_txn *txn, const struct record_key *record)
{
    struct key key;
    struct str value;
    struct record_head head;
    enum status status = record_head_get(txn, record, &head);
    if (status == ST_OK) {
        record_revision_key(&key, head.revision, record);
        return record_drop_row(txn, &key);
    }
    if (status != ST_NOT_FOUND)
        return status;
    struct key grave;
    record_space_key(&grave, KEY_SPACE_TOMBSTONE, record);
    status = kv_get(txn, KV_MAIN, key_str(&grave), &value);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (value.n != RECORD_GRAVE_BYTES)
        return ST_BAD_FORMAT;
    record_revision_key(&key, key_get_u64(value.p), record);
    TRY(record_drop_row(txn, &key));
    return record_drop_row(txn, &grave);
}

static enum status record_feed_put(struct kv_txn *txn, uint64_t revision,
                                   const struct record_key *record, bool deleted)
{
    struct key key;
    record_revision_key(&key, revision, record);
    const char flag = deleted ? 1 : 0;
    return kv_put(txn, KV_MAIN, key_str(&key), (struct str){&flag, 1});
}

/* `row`: RECORD_HEAD_BYTES of room, then the body. */
static enum status record_row_put(struct kv_txn *txn, uint64_t revision,
                                  const struct record_key *record, uint8_t *row, size_t n)
{
    struct key key;
    key_put_u16(row, (uint16_t)record->kind);
    key_put_u16(row + 2, RECORD_VERSION);
    key_put_u32(row + 4, (uint32_t)(n - RECORD_HEAD_BYTES));
    key_put_u64(row + 8, revision);
    record_row_key(&key, record);
    return kv_put(txn, KV_MAIN, key_str(&key), (struct str){(const char *)row, n});
}

/* What stands beside the body: feed and place. */
static enum status record_surround(struct write_op *op, const struct record_key *record,
                                   uint64_t revision)
{
    const struct record_kind *kind = record_kind(record->kind);
    if (kind->feed) {
        TRY(record_feed_drop(op->txn, record));
        TRY(record_feed_put(op->txn, revision, record, false));
    }
    if (kind->locate) {
        struct key key;
        record_locate_key(&key, record->kind, &record->org, &record->id);
        TRY(kv_put(op->txn, KV_MAIN, key_str(&key), id_bytes(&record->parent)));
    }
    return ST_OK;
}

/* Keeps how an entity was before the operation first wrote it, for the audit record. */
static enum status record_remember(struct write_op *op, const struct record_key *record)
{
    struct record_head head;
    if (op->no_revision || op->before_count == WRITE_BEFORE_MAX)
        return ST_OK;
    for (const struct write_before *at = op->before; at != NULL; at = at->next)
        if (memcmp(&at->key, record, sizeof *record) == 0)
            return ST_OK;
    struct write_before *before = arena_calloc(op->arena, 1, sizeof *before);
    if (before == NULL)
        return ST_NO_MEMORY;
    enum status status = record_head_get(op->txn, record, &head);
    if (status == ST_OK) {
        before->body = arena_str(op->arena, head.body);
        if (before->body.p == NULL)
            return ST_NO_MEMORY;
    } else if (status != ST_NOT_FOUND) {
        return status;
    }
    before->key = *record;
    before->next = op->before;
    op->before = before;
    op->before_count++;
    return ST_OK;
}

static enum status record_write(struct write_op *op, const struct record_key *record,
                                const void *message)
{
    const struct record_kind *kind = record_kind(record->kind);
    uint8_t *row;
    size_t n;
    TRY(record_remember(op, record));
    CHECK(((const ProtobufCMessage *)message)->descriptor == kind->descriptor);
    uint64_t revision = record_op_revision(op, kind);
    TRY(record_surround(op, record, revision));
    TRY(wire_pack_alloc(message, RECORD_HEAD_BYTES, &row, &n));
    enum status status = record_row_put(op->txn, revision, record, row, n);
    free(row);
    return status;
}

enum status record_revive(struct write_op *op, const struct record_key *record, struct str packed,
                          struct str body)
{
    struct record_names names = {.count = packed.n / KEY_HASH_BYTES};
    uint64_t revision = record_op_revision(op, record_kind(record->kind));
    uint8_t *row = arena_alloc(op->arena, RECORD_HEAD_BYTES + body.n);
    if (row == NULL)
        return ST_NO_MEMORY;
    if (packed.n == 0 || packed.n % KEY_HASH_BYTES != 0 || packed.n > sizeof names.hash)
        return ST_BAD_FORMAT;
    if (record_exists(op->txn, record))
        return ST_CONFLICT;
    memcpy(names.hash, packed.p, packed.n);
    for (size_t i = 0; i < names.count; i++)
        if (memcmp(names.hash[i], record_no_hash, KEY_HASH_BYTES) != 0)
            TRY(record_index_put(op->txn, record, names.hash[i]));
    TRY(record_names_put(op->txn, record, &names));
    TRY(record_surround(op, record, revision));
    memcpy(row + RECORD_HEAD_BYTES, body.p, body.n);
    return record_row_put(op->txn, revision, record, row, RECORD_HEAD_BYTES + body.n);
}

enum status record_put(struct write_op *op, const struct record_key *record, const void *message,
                       struct str slug)
{
    TRY(record_names_move(op->txn, record, slug));
    return record_write(op, record, message);
}

enum status record_update(struct write_op *op, const struct record_key *record, const void *message)
{
    struct record_head head;
    TRY(record_head_get(op->txn, record, &head));
    return record_write(op, record, message);
}

enum status record_delete(struct write_op *op, const struct record_key *record)
{
    const struct record_kind *kind = record_kind(record->kind);
    uint64_t revision = record_op_revision(op, kind);
    struct record_names names;
    struct record_head head;
    struct key key;
    TRY(record_head_get(op->txn, record, &head));
    TRY(record_names_get(op->txn, record, &names));
    if (op->trash_org != NULL)
        TRY(trash_keep(op, record,
                       (struct str){(const char *)names.hash, names.count * KEY_HASH_BYTES},
                       head.body));
    for (size_t i = 0; i < names.count; i++)
        TRY(record_index_drop(op->txn, record, names.hash[i]));
    names = (struct record_names){.count = 1};
    TRY(record_names_put(op->txn, record, &names));
    if (kind->locate) {
        record_locate_key(&key, record->kind, &record->org, &record->id);
        TRY(record_drop_row(op->txn, &key));
    }
    if (kind->feed) {
        uint8_t grave[RECORD_GRAVE_BYTES];
        key_put_u64(grave, revision);
        key_put_u64(grave + 8, (uint64_t)op->now_ms);
        TRY(record_feed_drop(op->txn, record));
        TRY(record_feed_put(op->txn, revision, record, true));
        record_space_key(&key, KEY_SPACE_TOMBSTONE, record);
        TRY(kv_put(op->txn, KV_MAIN, key_str(&key),
                   (struct str){(const char *)grave, sizeof grave}));
    }
    record_row_key(&key, record);
    return kv_delete(op->txn, KV_MAIN, key_str(&key));
}
