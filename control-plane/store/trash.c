/* trash.c: see trash.h.
 *
 * Invariant: an entity is either live or in the trash, never both, because deleting moves it and
 * restoring moves it back inside one operation. Nothing here decides who may: that is the API's.
 */
#include "control-plane/store/trash.h"

#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/store/keys.h"
#include "control-plane/store/records_row.h"

#define TRASH_HEAD_KEY 26u                           /* 0x7F 'T', org, revision */
#define TRASH_ROW_KEY  (TRASH_HEAD_KEY + 1 + 2 * 16) /* and kind, parent, id */

static void head_key(struct key *key, const struct id *org, uint64_t revision)
{
    key_init_space(key, KEY_SPACE_TRASH);
    key_add_id(key, org);
    key_add_u64(key, revision);
}

static uint64_t revision_of(struct str key)
{
    return key_get_u64(key.p + 18);
}

static void read_key(struct str row, struct record_key *key)
{
    key->kind = (Sluice__Kind)(uint8_t)row.p[TRASH_HEAD_KEY];
    memcpy(key->org.b, row.p + 2, ID_BYTES);
    memcpy(key->parent.b, row.p + TRASH_HEAD_KEY + 1, ID_BYTES);
    memcpy(key->id.b, row.p + TRASH_HEAD_KEY + 1 + ID_BYTES, ID_BYTES);
}

static void row_key(struct key *key, const struct id *org, uint64_t revision,
                    const struct record_key *record)
{
    head_key(key, org, revision);
    key_add_u8(key, (uint8_t)record->kind);
    key_add_id(key, &record->parent);
    key_add_id(key, &record->id);
}

/* --- deleting */

enum status trash_open(struct write_op *op, const struct trash_order *order)
{
    static const struct write_actor nobody = {.type = "system"};
    const struct write_actor *actor = op->actor != NULL ? op->actor : &nobody;
    Sluice__Deletion head = SLUICE__DELETION__INIT;
    struct id *org = arena_alloc(op->arena, sizeof(*org));
    struct key key;
    struct str packed;
    if (op->trash_org != NULL)
        return ST_OK;
    if (org == NULL)
        return ST_NO_MEMORY;
    *org = order->root.org;
    head.id = wire_id_data(&order->root.id);
    head.kind = (uint32_t)order->root.kind;
    head.parent = wire_id_data(&order->root.parent);
    head.workspace = wire_id_data(&order->workspace);
    head.type = arena_cstr(op->arena, str_c(order->type));
    head.name = arena_cstr(op->arena, order->name);
    head.deleted_at_ms = op->now_ms;
    head.deleted_by = wire_id_data(&actor->id);
    head.deleted_by_type = arena_cstr(op->arena, str_c(actor->type));
    if (head.type == NULL || head.name == NULL || head.deleted_by_type == NULL)
        return ST_NO_MEMORY;
    TRY(wire_pack(&head, op->arena, &packed));
    head_key(&key, org, op->revision);
    TRY(kv_put(op->txn, KV_MAIN, key_str(&key), packed));
    op->trash_org = org;
    return ST_OK;
}

enum status trash_keep(struct write_op *op, const struct record_key *record, struct str names,
                       struct str body)
{
    Sluice__DeletedRecord row = SLUICE__DELETED_RECORD__INIT;
    struct key key;
    uint8_t *packed;
    size_t n;
    row.names = wire_data(names);
    row.body = wire_data(body);
    row_key(&key, op->trash_org, op->revision, record);
    struct str bytes;
    TRY(wire_pack_alloc(&row, 0, &packed, &n));
    bytes = str_of((const char *)packed, n);
    enum status status = kv_put(op->txn, KV_MAIN, key_str(&key), bytes);
    free(packed);
    return status;
}

enum status trash_body(struct write_op *op, const struct record_key *record, struct str *body)
{
    Sluice__DeletedRecord *row;
    struct key key;
    struct str value;
    if (op->trash_org == NULL)
        return ST_NOT_FOUND;
    row_key(&key, op->trash_org, op->revision, record);
    TRY(kv_get(op->txn, KV_MAIN, key_str(&key), &value));
    TRY(wire_unpack(&sluice__deleted_record__descriptor, value, op->arena, &row));
    *body = wire_str(&row->body);
    return ST_OK;
}

enum status trash_root(struct write_op *op, struct record_key *root)
{
    Sluice__Deletion *head;
    struct key key;
    struct str value;
    if (op->trash_org == NULL)
        return ST_NOT_FOUND;
    head_key(&key, op->trash_org, op->revision);
    TRY(kv_get(op->txn, KV_MAIN, key_str(&key), &value));
    TRY(wire_unpack(&sluice__deletion__descriptor, value, op->arena, &head));
    *root = (struct record_key){.kind = (Sluice__Kind)head->kind, .org = *op->trash_org};
    TRY(wire_id(&head->parent, &root->parent));
    return wire_id(&head->id, &root->id);
}

/* --- reading */

enum status trash_walk_open(struct trash_walk *walk, struct kv_txn *txn, const struct id *org)
{
    struct key end;
    walk->org = *org;
    TRY(kv_cursor_open(txn, KV_MAIN, &walk->cursor));
    head_key(&end, org, UINT64_MAX);
    kv_cursor_seek_last(walk->cursor, key_str(&end));
    return ST_OK;
}

enum status trash_walk_next(struct trash_walk *walk, struct arena *arena, uint64_t *revision,
                            Sluice__Deletion **deletion)
{
    struct key prefix, head;
    struct str key, value;
    key_init_space(&prefix, KEY_SPACE_TRASH);
    key_add_id(&prefix, &walk->org);
    TRY(kv_cursor_prev(walk->cursor, &key, &value));
    if (!str_starts(key, key_str(&prefix)))
        return ST_END;
    if (key.n > TRASH_HEAD_KEY) { /* a row of the deletion: go to its head, which is before it */
        head_key(&head, &walk->org, revision_of(key));
        kv_cursor_seek_last(walk->cursor, key_str(&head));
        TRY(kv_cursor_prev(walk->cursor, &key, &value));
    }
    if (key.n != TRASH_HEAD_KEY || !str_starts(key, key_str(&prefix)))
        return ST_BAD_FORMAT;
    *revision = revision_of(key);
    return wire_unpack(&sluice__deletion__descriptor, value, arena, deletion);
}

void trash_walk_close(struct trash_walk *walk)
{
    kv_cursor_close(walk->cursor);
}

enum status trash_find(struct kv_txn *txn, const struct id *org, const struct id *id,
                       struct arena *arena, uint64_t *revision, Sluice__Deletion **deletion)
{
    struct trash_walk walk;
    struct arena scratch;
    Sluice__Deletion *seen;
    arena_init(&scratch, 1u << 20);
    TRY(trash_walk_open(&walk, txn, org));
    enum status status = ST_OK;
    while (status == ST_OK) {
        arena_free(&scratch);
        status = trash_walk_next(&walk, &scratch, revision, &seen);
        if (status == ST_OK && str_eq(wire_str(&seen->id), id_bytes(id)))
            break;
    }
    trash_walk_close(&walk);
    arena_free(&scratch);
    if (status != ST_OK)
        return status == ST_END ? ST_NOT_FOUND : status;
    struct key key;
    struct str value;
    head_key(&key, org, *revision);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &value));
    return wire_unpack(&sluice__deletion__descriptor, value, arena, deletion);
}

/* --- restoring */

/* Kinds from the outside in: a parent is there before what lies in it. */
static const Sluice__Kind order_of_return[] = {
    SLUICE__KIND__KIND_USER,           SLUICE__KIND__KIND_WORKSPACE,
    SLUICE__KIND__KIND_INTEGRATION,    SLUICE__KIND__KIND_MODEL_RULE,
    SLUICE__KIND__KIND_MEMBER,         SLUICE__KIND__KIND_WORKSPACE_ACCESS,
    SLUICE__KIND__KIND_PROVIDER,       SLUICE__KIND__KIND_CONFIG,
    SLUICE__KIND__KIND_CONFIG_VERSION, SLUICE__KIND__KIND_API_KEY,
    SLUICE__KIND__KIND_USAGE_POLICY,   SLUICE__KIND__KIND_RATE_POLICY,
    SLUICE__KIND__KIND_OBJECT,
};

/* What must be there for an entity to be: its parent, and of rows that join two things the other.
 */
static bool is_founded(struct kv_txn *txn, const struct record_key *key)
{
    static const Sluice__Kind parents[] = {
        [SLUICE__KIND__KIND_MEMBER] = SLUICE__KIND__KIND_WORKSPACE,
        [SLUICE__KIND__KIND_MODEL_RULE] = SLUICE__KIND__KIND_INTEGRATION,
        [SLUICE__KIND__KIND_WORKSPACE_ACCESS] = SLUICE__KIND__KIND_INTEGRATION,
        [SLUICE__KIND__KIND_PROVIDER] = SLUICE__KIND__KIND_WORKSPACE,
        [SLUICE__KIND__KIND_API_KEY] = SLUICE__KIND__KIND_WORKSPACE,
        [SLUICE__KIND__KIND_CONFIG] = SLUICE__KIND__KIND_WORKSPACE,
        [SLUICE__KIND__KIND_CONFIG_VERSION] = SLUICE__KIND__KIND_CONFIG,
        [SLUICE__KIND__KIND_OBJECT] = SLUICE__KIND__KIND_WORKSPACE,
        [SLUICE__KIND__KIND_USAGE_POLICY] = SLUICE__KIND__KIND_WORKSPACE,
        [SLUICE__KIND__KIND_RATE_POLICY] = SLUICE__KIND__KIND_WORKSPACE,
    };
    struct record_key other = {.org = key->org};
    if ((size_t)key->kind >= COUNT_OF(parents) || parents[key->kind] == SLUICE__KIND__KIND_NONE ||
        id_is_none(&key->parent))
        return true;
    if (key->kind == SLUICE__KIND__KIND_CONFIG_VERSION) {
        return record_locate(txn, SLUICE__KIND__KIND_CONFIG, &key->org, &key->parent, &other) ==
               ST_OK;
    }
    other.kind = parents[key->kind];
    other.id = key->parent;
    if (!record_exists(txn, &other))
        return false;
    other.id = key->id;
    if (key->kind == SLUICE__KIND__KIND_MEMBER)
        other.kind = SLUICE__KIND__KIND_USER;
    else if (key->kind == SLUICE__KIND__KIND_WORKSPACE_ACCESS)
        other.kind = SLUICE__KIND__KIND_WORKSPACE;
    else
        return true;
    return record_exists(txn, &other);
}

static enum status revive(struct write_op *op, const struct key *place,
                          const struct record_key *key)
{
    struct str value;
    Sluice__DeletedRecord *row;
    TRY(kv_get(op->txn, KV_MAIN, key_str(place), &value));
    TRY(wire_unpack(&sluice__deleted_record__descriptor, value, op->arena, &row));
    return record_revive(op, key, wire_str(&row->names), wire_str(&row->body));
}

/* All rows of one kind of the deletion. */
static enum status restore_kind(struct write_op *op, const struct key *head, Sluice__Kind kind,
                                const struct id *root, trash_each_fn *each, void *arg,
                                struct record_key *at)
{
    struct key place = *head;
    struct str name, value;
    key_add_u8(&place, (uint8_t)kind);
    const struct key prefix = place;
    for (;;) {
        struct kv_cursor *cursor;
        TRY(kv_cursor_open(op->txn, KV_MAIN, &cursor));
        kv_cursor_seek(cursor, key_str(&place));
        enum status status = kv_cursor_next(cursor, &name, &value);
        bool here = status == ST_OK && str_starts(name, key_str(&prefix));
        if (here) {
            key_init(&place);
            key_add_bytes(&place, name.p, name.n);
        }
        kv_cursor_close(cursor);
        if (!here)
            return status == ST_OK || status == ST_END ? ST_OK : status;
        read_key(key_str(&place), at);
        if (is_founded(op->txn, at)) {
            TRY(revive(op, &place, at));
            if (each != NULL)
                TRY(each(op, at, arg));
        } else if (id_eq(&at->id, root)) {
            return ST_IN_USE;
        }
        key_add_u8(&place, 0);
    }
}

enum status trash_restore(struct write_op *op, const struct id *org, uint64_t revision,
                          const Sluice__Deletion *deletion, trash_each_fn *each, void *arg,
                          struct record_key *at)
{
    struct key head;
    struct id root;
    TRY(wire_id(&deletion->id, &root));
    head_key(&head, org, revision);
    for (size_t i = 0; i < COUNT_OF(order_of_return); i++)
        TRY(restore_kind(op, &head, order_of_return[i], &root, each, arg, at));
    return trash_forget(op, org, revision);
}

/* --- forgetting */

enum status trash_forget(struct write_op *op, const struct id *org, uint64_t revision)
{
    struct kv_cursor *cursor;
    struct key head;
    struct str name, value;
    enum status status = ST_OK;
    head_key(&head, org, revision);
    TRY(kv_cursor_open(op->txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&head));
    while (status == ST_OK) {
        struct key row;
        status = kv_cursor_next(cursor, &name, &value);
        if (status != ST_OK || !str_starts(name, key_str(&head)))
            break;
        key_init(&row);
        key_add_bytes(&row, name.p, name.n);
        status = kv_delete(op->txn, KV_MAIN, key_str(&row));
    }
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

/* Moves `place` to the next row of the trash. ST_END. */
static enum status next_row(struct kv_txn *txn, struct key *place, struct str *value)
{
    struct kv_cursor *cursor;
    struct key prefix;
    struct str name;
    key_init_space(&prefix, KEY_SPACE_TRASH);
    if (place->n == 0)
        *place = prefix;
    else
        key_add_u8(place, 0);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(place));
    enum status status = kv_cursor_next(cursor, &name, value);
    if (status == ST_OK && !str_starts(name, key_str(&prefix)))
        status = ST_END;
    if (status == ST_OK) {
        key_init(place);
        key_add_bytes(place, name.p, name.n);
    }
    kv_cursor_close(cursor);
    return status;
}

enum status trash_purge(struct write_op *op, int64_t before_ms, size_t rows, struct key *place,
                        bool *left)
{
    struct arena scratch;
    struct str value;
    enum status status = ST_OK;
    op->no_revision = true;
    arena_init(&scratch, 1u << 20);
    for (size_t i = 0; status == ST_OK && i < rows; i++) {
        Sluice__Deletion *deletion;
        status = next_row(op->txn, place, &value);
        if (status != ST_OK || place->n > TRASH_HEAD_KEY)
            continue;
        arena_free(&scratch);
        status = wire_unpack(&sluice__deletion__descriptor, value, &scratch, &deletion);
        if (status == ST_OK && deletion->deleted_at_ms < before_ms) {
            struct id org;
            memcpy(org.b, place->b + 2, ID_BYTES);
            status = trash_forget(op, &org, revision_of(key_str(place)));
        }
        key_add_u8(place, 0xFF); /* behind the rows of this deletion */
    }
    arena_free(&scratch);
    *left = status == ST_OK;
    return status == ST_END ? ST_OK : status;
}

enum status trash_next(struct kv_txn *txn, struct key *place, uint64_t wanted, struct arena *arena,
                       struct record_key *key, void *message)
{
    Sluice__DeletedRecord *row;
    struct str value;
    do {
        TRY(next_row(txn, place, &value));
    } while (place->n != TRASH_ROW_KEY || (wanted >> (place->b[TRASH_HEAD_KEY] & 63u) & 1u) == 0);
    read_key(key_str(place), key);
    TRY(wire_unpack(&sluice__deleted_record__descriptor, value, arena, &row));
    return wire_unpack(record_kind(key->kind)->descriptor, wire_str(&row->body), arena, message);
}

enum status trash_replace(struct write_op *op, const struct key *place, const void *message)
{
    Sluice__DeletedRecord *row;
    struct str value, body, packed;
    TRY(kv_get(op->txn, KV_MAIN, key_str(place), &value));
    TRY(wire_unpack(&sluice__deleted_record__descriptor, value, op->arena, &row));
    TRY(wire_pack(message, op->arena, &body));
    row->body = wire_data(body);
    TRY(wire_pack(row, op->arena, &packed));
    return kv_put(op->txn, KV_MAIN, key_str(place), packed);
}
