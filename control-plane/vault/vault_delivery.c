/* vault_delivery.c: delivery keys, one per node group, and the boxes that nodes open.
 *
 * Invariant: after each operation every stored credential has exactly one delivery box per node
 * group, under that group's only delivery key. So a new group, and a rotation after a node was
 * removed, walk all credentials in one operation: a node gets the new key and the new boxes with
 * one revision, and there is never a state in which it has one without the other. A removed node
 * keeps what it saw; it can open nothing that is published later. Boxes that are still good are
 * kept as they are.
 */
#include "control-plane/vault/vault.h"

#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/vault/vault_keys.h"

#define VAULT_GROUPS_MAX 256u

struct vault_delivery_key {
    struct id id;
    struct secret *key;
};

struct vault_delivery_keys {
    size_t count;
    struct vault_delivery_key rows[VAULT_GROUPS_MAX];
};

static enum status vault_delivery_load(struct vault *vault, struct kv_txn *txn,
                                       struct vault_delivery_keys *keys)
{
    struct record_cursor *cursor;
    struct record_key key;
    struct arena arena;
    Sluice__DeliveryKey *row;
    enum status status;
    arena_init(&arena, VAULT_ROW_BYTES);
    TRY(record_cursor_open_org(txn, SLUICE__KIND__KIND_DELIVERY_KEY, &ID_NONE, &cursor));
    while ((status = record_cursor_next(cursor, &arena, &key, &row, NULL)) == ST_OK) {
        if (keys->count == VAULT_GROUPS_MAX) {
            status = ST_TOO_LARGE;
            break;
        }
        struct vault_delivery_key *to = &keys->rows[keys->count];
        status = vault_open_key(vault, txn, &key.id, "delivery_key", wire_str(&row->vault_box),
                                &to->key);
        if (status != ST_OK)
            break;
        to->id = key.id;
        keys->count++;
        if (secret_size(to->key) != SEAL_KEY_BYTES) {
            status = ST_BAD_FORMAT;
            break;
        }
        arena_free(&arena);
    }
    record_cursor_close(cursor);
    arena_free(&arena);
    return status == ST_END ? ST_OK : status;
}

enum status vault_delivery_open(struct vault *vault, struct kv_txn *txn,
                                struct vault_delivery_keys **out)
{
    struct vault_delivery_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return ST_NO_MEMORY;
    enum status status = vault_delivery_load(vault, txn, keys);
    if (status != ST_OK) {
        vault_delivery_close(keys);
        return status;
    }
    *out = keys;
    return ST_OK;
}

void vault_delivery_close(struct vault_delivery_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->count; i++)
        secret_free(keys->rows[i].key);
    free(keys);
}

/* --- boxes ---------------------------------------------------------------------------------------
 */

static enum status vault_box_seal(struct write_op *op, const struct vault_delivery_key *key,
                                  const struct seal_scope *scope, struct str plain,
                                  Sluice__DeliveryBox **out)
{
    Sluice__DeliveryBox *box = arena_alloc(op->arena, sizeof *box);
    struct str id = arena_str(op->arena, id_bytes(&key->id)), bytes;
    if (box == NULL || id.p == NULL)
        return ST_NO_MEMORY;
    TRY(seal_box(op->arena, key->key, &key->id, scope, plain, &bytes));
    sluice__delivery_box__init(box);
    box->key = wire_data(id);
    box->box = wire_data(bytes);
    *out = box;
    return ST_OK;
}

enum status vault_delivery_seal(struct write_op *op, struct vault_delivery_keys *keys,
                                const struct seal_scope *scope, struct str plain,
                                Sluice__SealedSecrets *sealed)
{
    Sluice__DeliveryBox **boxes = arena_calloc(op->arena, keys->count + 1, sizeof *boxes);
    if (boxes == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < keys->count; i++)
        TRY(vault_box_seal(op, &keys->rows[i], scope, plain, &boxes[i]));
    sealed->delivery = boxes;
    sealed->n_delivery = keys->count;
    return ST_OK;
}

static Sluice__DeliveryBox *vault_box_find(const Sluice__SealedSecrets *sealed,
                                           const struct id *key)
{
    for (size_t i = 0; i < sealed->n_delivery; i++)
        if (str_eq(wire_str(&sealed->delivery[i]->key), id_bytes(key)))
            return sealed->delivery[i];
    return NULL;
}

enum status vault_delivery_refresh(struct write_op *op, struct vault *vault,
                                   struct vault_delivery_keys *keys, const struct id *org,
                                   const struct id *owner, Sluice__SealedSecrets *sealed,
                                   bool *changed)
{
    struct secret *plain = NULL;
    struct seal_scope scope;
    enum status status = ST_OK;
    Sluice__DeliveryBox **boxes = arena_calloc(op->arena, keys->count + 1, sizeof *boxes);
    if (boxes == NULL)
        return ST_NO_MEMORY;
    size_t kept = 0;
    for (size_t i = 0; i < keys->count; i++) {
        boxes[i] = vault_box_find(sealed, &keys->rows[i].id);
        kept += boxes[i] != NULL;
    }
    bool change = kept < keys->count || kept < sealed->n_delivery;
    if (kept < keys->count) {
        TRY_OUT(vault_open_secrets(vault, op->txn, org, owner, sealed, &plain));
        TRY_OUT(vault_secrets_scope(op->arena, org, owner, sealed, &scope));
        struct str text = secret_open(plain);
        for (size_t i = 0; i < keys->count && status == ST_OK; i++)
            if (boxes[i] == NULL)
                status = vault_box_seal(op, &keys->rows[i], &scope, text, &boxes[i]);
        secret_close(plain);
        if (status != ST_OK)
            goto out;
    }
    sealed->delivery = boxes;
    sealed->n_delivery = keys->count;
    *changed = change;
out:
    secret_free(plain);
    return status;
}

/* --- walking all credentials ---------------------------------------------------------------------
 */

void vault_row_memory_begin(struct vault_row_memory *memory, struct write_op *op)
{
    *memory = (struct vault_row_memory){.outer = op->arena, .before_count = op->before_count};
    arena_init(&memory->arena, VAULT_ROW_BYTES);
    op->arena = &memory->arena;
    op->before_count = WRITE_BEFORE_MAX;
}

void vault_row_memory_end(struct vault_row_memory *memory, struct write_op *op)
{
    op->arena = memory->outer;
    op->before_count = memory->before_count;
    arena_free(&memory->arena);
}

static Sluice__SealedSecrets *vault_secrets_of(Sluice__Kind kind, void *message)
{
    return kind == SLUICE__KIND__KIND_INTEGRATION ? ((Sluice__Integration *)message)->secrets
                                                  : ((Sluice__ModelRule *)message)->secrets;
}

static enum status vault_refresh_kind(struct write_op *op, struct vault *vault,
                                      struct vault_delivery_keys *keys, Sluice__Kind kind)
{
    struct record_cursor *cursor;
    struct record_key key;
    void *message;
    enum status status;
    struct vault_row_memory own;
    vault_row_memory_begin(&own, op);
    status = record_cursor_open_org(op->txn, kind, NULL, &cursor);
    while (status == ST_OK &&
           (status = record_cursor_next(cursor, op->arena, &key, &message, NULL)) == ST_OK) {
        Sluice__SealedSecrets *sealed = vault_secrets_of(kind, message);
        bool changed = false;
        if (sealed != NULL && sealed->vault_box.len > 0)
            status = vault_delivery_refresh(op, vault, keys, &key.org, &key.id, sealed, &changed);
        if (status == ST_OK && changed)
            status = record_update(op, &key, message);
        arena_free(op->arena);
    }
    record_cursor_close(cursor);
    vault_row_memory_end(&own, op);
    return status == ST_END ? ST_OK : status;
}

enum status vault_refresh_one(struct write_op *op, struct vault *vault,
                              const struct record_key *key)
{
    struct vault_delivery_keys *keys;
    void *message;
    bool changed = false;
    TRY(record_get(op->txn, key, op->arena, &message, NULL));
    Sluice__SealedSecrets *sealed = vault_secrets_of(key->kind, message);
    if (sealed == NULL || sealed->vault_box.len == 0)
        return ST_OK;
    TRY(vault_delivery_open(vault, op->txn, &keys));
    enum status status =
        vault_delivery_refresh(op, vault, keys, &key->org, &key->id, sealed, &changed);
    vault_delivery_close(keys);
    TRY(status);
    return changed ? record_update(op, key, message) : ST_OK;
}

static enum status vault_refresh_all(struct write_op *op, struct vault *vault)
{
    struct vault_delivery_keys *keys;
    TRY(vault_delivery_open(vault, op->txn, &keys));
    enum status status = vault_refresh_kind(op, vault, keys, SLUICE__KIND__KIND_INTEGRATION);
    if (status == ST_OK)
        status = vault_refresh_kind(op, vault, keys, SLUICE__KIND__KIND_MODEL_RULE);
    vault_delivery_close(keys);
    return status;
}

/* --- groups --------------------------------------------------------------------------------------
 */

static struct record_key vault_delivery_record(const struct id *group, const struct id *id)
{
    return (struct record_key){
        .kind = SLUICE__KIND__KIND_DELIVERY_KEY, .parent = *group, .id = *id};
}

static enum status vault_delivery_add(struct write_op *op, struct vault *vault,
                                      const struct id *group)
{
    struct id id = id_new(), vault_key;
    struct record_key record = vault_delivery_record(group, &id);
    struct secret *key;
    struct str box;
    TRY(secret_random(SEAL_KEY_BYTES, &key));
    enum status status =
        vault_seal_key(vault, op->txn, op->arena, &id, "delivery_key", key, &vault_key, &box);
    secret_free(key);
    TRY(status);
    Sluice__DeliveryKey row = SLUICE__DELIVERY_KEY__INIT;
    row.id = wire_id_data(&id);
    row.group = wire_id_data(group);
    row.vault_key = wire_id_data(&vault_key);
    row.vault_box = wire_data(box);
    row.created_at_ms = op->now_ms;
    return record_put(op, &record, &row, STR_NONE);
}

/* The group's delivery key. ST_NOT_FOUND. */
static enum status vault_delivery_find(struct kv_txn *txn, const struct id *group,
                                       struct record_key *key)
{
    struct record_cursor *cursor;
    TRY(record_cursor_open(txn, SLUICE__KIND__KIND_DELIVERY_KEY, &ID_NONE, group, &cursor));
    enum status status = record_cursor_next(cursor, NULL, key, NULL, NULL);
    record_cursor_close(cursor);
    return status == ST_END ? ST_NOT_FOUND : status;
}

enum status vault_add_group(struct write_op *op, struct vault *vault, const struct id *group)
{
    struct record_key key;
    enum status status = vault_delivery_find(op->txn, group, &key);
    if (status != ST_NOT_FOUND)
        return status == ST_OK ? ST_CONFLICT : status;
    TRY(vault_delivery_add(op, vault, group));
    return vault_refresh_all(op, vault);
}

enum status vault_rotate_group(struct write_op *op, struct vault *vault, const struct id *group)
{
    struct record_key key;
    TRY(vault_delivery_find(op->txn, group, &key));
    TRY(record_delete(op, &key));
    TRY(vault_delivery_add(op, vault, group));
    return vault_refresh_all(op, vault);
}

/* --- what a node gets ----------------------------------------------------------------------------
 */

enum status vault_delivery_for_node(struct vault *vault, struct kv_txn *txn, struct arena *arena,
                                    const Sluice__DeliveryKey *key, const Sluice__Node *node,
                                    Sluice__DeliveryKey *out)
{
    struct secret *plain;
    struct str box;
    struct id id;
    if (node->revoked)
        return ST_NODE_REVOKED;
    if (!str_eq(wire_str(&key->group), wire_str(&node->group)))
        return ST_FORBIDDEN;
    if (node->public_key.len != SEAL_PK_BYTES)
        return ST_INVALID;
    TRY(wire_id(&key->id, &id));
    TRY(vault_open_key(vault, txn, &id, "delivery_key", wire_str(&key->vault_box), &plain));
    enum status status = seal_to(arena, node->public_key.data, plain, &box);
    secret_free(plain);
    TRY(status);
    *out = (Sluice__DeliveryKey)SLUICE__DELIVERY_KEY__INIT;
    out->id = key->id;
    out->group = key->group;
    out->node_box = wire_data(box);
    out->created_at_ms = key->created_at_ms;
    return ST_OK;
}

enum status vault_secrets_for_group(struct kv_txn *txn, const struct id *group,
                                    Sluice__SealedSecrets *sealed)
{
    struct record_key key;
    if (sealed == NULL)
        return ST_OK;
    sealed->vault_key = sealed->vault_box = (ProtobufCBinaryData){0};
    enum status status = vault_delivery_find(txn, group, &key);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    Sluice__DeliveryBox *box = status == ST_OK ? vault_box_find(sealed, &key.id) : NULL;
    if (box != NULL)
        sealed->delivery[0] = box;
    sealed->n_delivery = box != NULL ? 1 : 0;
    return ST_OK;
}
