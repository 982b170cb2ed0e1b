/* vault_rotate.c: replacing keys while everything keeps running.
 *
 *   vault_rotate:          new active key
 *   vault_reseal_step x n: integrations, model rules, delivery keys, nodes, API keys, the trash;
 * then old keys deleted
 *
 * Invariant: at every commit each box can be opened with a key that is in the store. New secrets
 * use the active key from the first moment, so once a walk has passed every row no older key is in
 * use; only then are the older keys deleted, in the same operation that found the end. A job that
 * was cut off starts again from the beginning: rows under the active key are skipped.
 */
#include "control-plane/vault/vault.h"

#include "common/wire.h"
#include "control-plane/store/trash.h"
#include "control-plane/vault/vault_keys.h"

static const Sluice__Kind vault_reseal_kinds[] = {
    SLUICE__KIND__KIND_INTEGRATION, SLUICE__KIND__KIND_MODEL_RULE, SLUICE__KIND__KIND_DELIVERY_KEY,
    SLUICE__KIND__KIND_NODE,        SLUICE__KIND__KIND_API_KEY,
};

enum status vault_rotate(struct write_op *op, struct vault *vault)
{
    struct id key_id;
    TRY(vault_active(op->txn, &key_id));
    TRY(vault_key_add(op, vault, &key_id));
    writer_audit(op, &(struct write_audit){
                         .action = "rotate", .resource_type = "vault_key", .resource = key_id});
    return ST_OK;
}

/* --- one row -------------------------------------------------------------------------------------
 */

/* Re-seals one box: `key_field` and `box_field` are the message's. */
static enum status vault_reseal_box(struct write_op *op, struct vault *vault,
                                    const struct seal_scope *scope, const struct id *active,
                                    ProtobufCBinaryData *key_field, ProtobufCBinaryData *box_field)
{
    struct secret *older = NULL, *newer = NULL, *plain = NULL;
    struct id older_id;
    struct str box, id;
    enum status status;
    TRY(seal_key_id(wire_str(box_field), &older_id));
    TRY_OUT(vault_key_open(vault, op->txn, &older_id, &older));
    TRY_OUT(vault_key_open(vault, op->txn, active, &newer));
    TRY_OUT(seal_open(older, scope, wire_str(box_field), &plain));
    status = seal_box(op->arena, newer, active, scope, secret_open(plain), &box);
    secret_close(plain);
    if (status != ST_OK)
        goto out;
    id = arena_str(op->arena, id_bytes(active));
    if (id.p == NULL) {
        status = ST_NO_MEMORY;
        goto out;
    }
    *key_field = wire_data(id);
    *box_field = wire_data(box);
out:
    secret_free(plain);
    secret_free(newer);
    secret_free(older);
    return status;
}

/* The fields of an entity that hold a vault box; NULL if it has none. */
static enum status vault_reseal_fields(struct write_op *op, const struct record_key *key,
                                       void *message, struct seal_scope *scope,
                                       ProtobufCBinaryData **key_field,
                                       ProtobufCBinaryData **box_field)
{
    Sluice__SealedSecrets *sealed = NULL;
    *scope = (struct seal_scope){.owner = key->id, .version = 1, .hosts = STR("")};
    *key_field = *box_field = NULL;
    if (key->kind == SLUICE__KIND__KIND_DELIVERY_KEY) {
        Sluice__DeliveryKey *row = message;
        scope->field = "delivery_key";
        *key_field = &row->vault_key;
        *box_field = &row->vault_box;
    } else if (key->kind == SLUICE__KIND__KIND_NODE) {
        Sluice__Node *row = message;
        scope->field = "node_key";
        *key_field = &row->key_vault_key;
        *box_field = &row->key_box;
    } else if (key->kind == SLUICE__KIND__KIND_API_KEY) {
        Sluice__ApiKey *row = message;
        scope->field = "api_key";
        *key_field = &row->successor_vault_key;
        *box_field = &row->successor_box;
    } else {
        sealed = key->kind == SLUICE__KIND__KIND_INTEGRATION
                     ? ((Sluice__Integration *)message)->secrets
                     : ((Sluice__ModelRule *)message)->secrets;
    }
    if (sealed != NULL) {
        *key_field = &sealed->vault_key;
        *box_field = &sealed->vault_box;
        TRY(vault_secrets_scope(op->arena, &key->org, &key->id, sealed, scope));
    }
    if (*box_field != NULL && (*box_field)->len == 0)
        *box_field = NULL;
    return ST_OK;
}

/* `place`: where it is in the trash; NULL: it is live. */
static enum status vault_reseal_row(struct write_op *op, struct vault *vault,
                                    const struct record_key *key, void *message,
                                    const struct key *place, const struct id *active,
                                    struct vault_reseal *job)
{
    ProtobufCBinaryData *key_field, *box_field;
    struct seal_scope scope;
    TRY(vault_reseal_fields(op, key, message, &scope, &key_field, &box_field));
    if (box_field == NULL || str_eq(wire_str(key_field), id_bytes(active)))
        return ST_OK;
    TRY(vault_reseal_box(op, vault, &scope, active, key_field, box_field));
    TRY(place == NULL ? record_update(op, key, message) : trash_replace(op, place, message));
    job->resealed++;
    return ST_OK;
}

/* --- the walk ------------------------------------------------------------------------------------
 */

static enum status vault_reseal_walk(struct write_op *op, struct vault *vault,
                                     const struct id *active, size_t *rows,
                                     struct vault_reseal *job)
{
    struct record_cursor *cursor;
    struct record_key key;
    struct vault_row_memory own;
    void *message;
    enum status status;
    TRY(record_cursor_open_org(op->txn, vault_reseal_kinds[job->stage], NULL, &cursor));
    if (job->last.kind == vault_reseal_kinds[job->stage])
        record_cursor_after_key(cursor, &job->last);
    vault_row_memory_begin(&own, op);
    while ((status = record_cursor_next(cursor, op->arena, &key, &message, NULL)) == ST_OK) {
        if (*rows == 0)
            break;
        --*rows;
        status = vault_reseal_row(op, vault, &key, message, NULL, active, job);
        if (status != ST_OK)
            break;
        job->last = key;
        arena_free(op->arena);
    }
    vault_row_memory_end(&own, op);
    record_cursor_close(cursor);
    return status;
}

/* Credentials of what was deleted and can be restored. */
static enum status vault_reseal_trash(struct write_op *op, struct vault *vault,
                                      const struct id *active, size_t *rows,
                                      struct vault_reseal *job)
{
    const uint64_t kinds = UINT64_C(1) << SLUICE__KIND__KIND_INTEGRATION |
                           UINT64_C(1) << SLUICE__KIND__KIND_MODEL_RULE |
                           UINT64_C(1) << SLUICE__KIND__KIND_API_KEY;
    struct vault_row_memory own;
    struct record_key key;
    enum status status = ST_OK;
    void *message;
    vault_row_memory_begin(&own, op);
    for (; status == ST_OK && *rows > 0; --*rows) {
        status = trash_next(op->txn, &job->trash, kinds, op->arena, &key, &message);
        if (status == ST_OK)
            status = vault_reseal_row(op, vault, &key, message, &job->trash, active, job);
        arena_free(op->arena);
    }
    vault_row_memory_end(&own, op);
    return status;
}

static enum status vault_drop_inactive(struct write_op *op, bool *dropped)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__VaultKey *row;
    enum status status;
    TRY(record_cursor_open(op->txn, SLUICE__KIND__KIND_VAULT_KEY, &ID_NONE, &ID_NONE, &cursor));
    while ((status = record_cursor_next(cursor, op->arena, &key, &row, NULL)) == ST_OK) {
        if (row->active)
            continue;
        status = record_delete(op, &key);
        if (status != ST_OK)
            break;
        *dropped = true;
        writer_audit(op, &(struct write_audit){
                             .action = "delete", .resource_type = "vault_key", .resource = key.id});
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status vault_reseal_step(struct write_op *op, struct vault *vault, size_t rows,
                              struct vault_reseal *job)
{
    struct vault_reseal next = *job;
    struct id active;
    bool dropped = false;
    enum status status = ST_END;
    TRY(vault_active(op->txn, &active));
    while (status == ST_END && next.stage < COUNT_OF(vault_reseal_kinds)) {
        status = vault_reseal_walk(op, vault, &active, &rows, &next);
        if (status == ST_END)
            next.stage++;
    }
    if (status == ST_END)
        status = vault_reseal_trash(op, vault, &active, &rows, &next);
    if (status != ST_END && status != ST_OK)
        return status;
    if (status == ST_END) {
        TRY(vault_drop_inactive(op, &dropped));
        next.done = true;
    }
    if (next.resealed > job->resealed)
        writer_audit(op, &(struct write_audit){
                             .action = "reseal", .resource_type = "vault_key", .resource = active});
    else if (!dropped)
        op->no_revision = true;
    *job = next;
    return ST_OK;
}

/* --- the master key ------------------------------------------------------------------------------
 */

static enum status vault_rewrap_all(struct write_op *op, struct vault *vault, struct secret *master)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__VaultKey *row;
    enum status status;
    TRY(record_cursor_open(op->txn, SLUICE__KIND__KIND_VAULT_KEY, &ID_NONE, &ID_NONE, &cursor));
    while ((status = record_cursor_next(cursor, op->arena, &key, &row, NULL)) == ST_OK) {
        struct secret *vault_key;
        struct str box;
        status = vault_key_open(vault, op->txn, &key.id, &vault_key);
        if (status != ST_OK)
            break;
        status = vault_wrap(vault, master, op->arena, &key.id, vault_key, &box);
        secret_free(vault_key);
        row->box = wire_data(box);
        if (status == ST_OK)
            status = record_update(op, &key, row);
        if (status != ST_OK)
            break;
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status vault_rotate_master(struct write_op *op, struct vault *vault, struct secret *master)
{
    if (secret_size(master) != SEAL_KEY_BYTES)
        return ST_INVALID;
    TRY(vault_rewrap_all(op, vault, master));
    writer_audit(op, &(struct write_audit){.action = "rotate", .resource_type = "master_key"});
    vault_master_stage(vault, master);
    return ST_OK;
}

void vault_rotate_master_done(struct vault *vault, bool committed)
{
    vault_master_settle(vault, committed);
}
