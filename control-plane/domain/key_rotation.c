/* key_rotation.c: see key_rotation.h.
 *
 * The old hash stays in the index and in the record until its time is over, so both values find the
 * key meanwhile. A second rotation within that time is refused: the value before the old one would
 * stop at once, which nobody expects. What is due is found in a read transaction and judged again
 * inside the operation, because it may have been rotated by hand in between.
 */
#include "control-plane/domain/key_rotation.h"

#include "common/apikey.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"
#include "control-plane/domain/rotation.h"

#define SEALED_FIELD "api_key"

/* A new value: its text, and with by_policy its seal in the record. */
static enum status make_value(struct write_op *op, struct vault *vault,
                              const struct record_key *key, Sluice__ApiKey *record,
                              struct key_rotation *rotation, struct str *text)
{
    char made[APIKEY_TEXT + 1];
    struct secret *bytes;
    struct id *vault_key = arena_alloc(op->arena, sizeof(*vault_key));
    struct str box;
    record->successor_box = record->successor_vault_key = wire_data(STR_NONE);
    if (vault_key == NULL)
        return ST_NO_MEMORY;
    TRY(secret_random(APIKEY_BYTES, &bytes));
    struct str raw = secret_open(bytes);
    apikey_make_of((const uint8_t *)raw.p, made);
    secret_close(bytes);
    *text = arena_str(op->arena, str_c(made));
    secret_wipe(made, sizeof(made));
    enum status status = text->p == NULL ? ST_NO_MEMORY : ST_OK;
    if (status == ST_OK && rotation->by_policy)
        status = vault_seal_key(vault, op->txn, op->arena, &key->id, SEALED_FIELD, bytes, vault_key,
                                &box);
    secret_free(bytes);
    if (status == ST_OK && rotation->by_policy) {
        record->successor_vault_key = wire_id_data(vault_key);
        record->successor_box = wire_data(box);
    }
    return status;
}

static enum status adopt(struct write_op *op, struct str text, Sluice__ApiKey *record)
{
    uint8_t *hash = arena_alloc(op->arena, APIKEY_HASH_BYTES);
    char masked[APIKEY_MASKED_TEXT + 1];
    if (hash == NULL)
        return ST_NO_MEMORY;
    apikey_hash(text, hash);
    apikey_mask(text, masked);
    record->hash = wire_data(str_of((const char *)hash, APIKEY_HASH_BYTES));
    record->masked = arena_cstr(op->arena, str_c(masked));
    return record->masked == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status key_rotation_run(struct write_op *op, struct vault *vault, const struct record_key *key,
                             Sluice__ApiKey *record, struct key_rotation *rotation)
{
    struct str old = wire_str(&record->hash), older = wire_str(&record->previous_hash), text;
    if (older.n > 0 && op->now_ms < record->previous_until_ms)
        return ST_CONFLICT;
    TRY(make_value(op, vault, key, record, rotation, &text));
    TRY(adopt(op, text, record));
    if (record->rotation_policy_json[0] != '\0')
        TRY(rotation_advance(op->arena, str_c(record->rotation_policy_json), op->now_ms,
                             &record->rotation_policy_json));
    record->previous_hash = wire_data(old);
    record->previous_until_ms = op->now_ms + rotation->transition_ms;
    record->last_rotated_at_ms = record->updated_at_ms = op->now_ms;
    if (older.n > 0)
        TRY(record_index_remove(op, key, older));
    TRY(record_put(op, key, record, wire_str(&record->hash)));
    TRY(record_index_add(op, key, old));
    rotation->text = rotation->by_policy ? STR("") : text;
    return ST_OK;
}

enum status key_rotation_successor(struct vault *vault, struct kv_txn *txn, struct arena *arena,
                                   const struct record_key *key, const Sluice__ApiKey *record,
                                   struct str *text)
{
    char made[APIKEY_TEXT + 1];
    struct secret *bytes;
    if (record->successor_box.len == 0)
        return ST_NOT_FOUND;
    TRY(vault_open_key(vault, txn, &key->id, SEALED_FIELD, wire_str(&record->successor_box),
                       &bytes));
    enum status status = secret_size(bytes) == APIKEY_BYTES ? ST_OK : ST_BAD_SEAL;
    if (status == ST_OK) {
        apikey_make_of((const uint8_t *)secret_open(bytes).p, made);
        secret_close(bytes);
        *text = arena_str(arena, str_c(made));
        secret_wipe(made, sizeof(made));
        status = text->p == NULL ? ST_NO_MEMORY : ST_OK;
    }
    secret_free(bytes);
    return status;
}

/* --- the schedule */

static bool is_due(struct arena *arena, const Sluice__ApiKey *record, int64_t now_ms)
{
    return record->status == SLUICE__STATUS__STATUS_ACTIVE &&
           (record->expires_at_ms == 0 || record->expires_at_ms > now_ms) &&
           (record->previous_hash.len == 0 || record->previous_until_ms <= now_ms) &&
           rotation_is_due(arena, str_c(record->rotation_policy_json), record->last_rotated_at_ms,
                           now_ms);
}

struct due {
    struct vault *vault;
    struct record_key key;
    bool rotated;
};

static enum status rotate_due(struct write_op *op, void *arg)
{
    struct due *due = arg;
    Sluice__ApiKey *record;
    enum status status = record_get(op->txn, &due->key, op->arena, &record, NULL);
    due->rotated = status == ST_OK && is_due(op->arena, record, op->now_ms);
    if (!due->rotated) {
        op->no_revision = true;
        return status == ST_NOT_FOUND ? ST_OK : status;
    }
    struct key_rotation rotation = {
        .transition_ms = rotation_transition_ms(op->arena, str_c(record->rotation_policy_json)),
        .by_policy = true};
    TRY(key_rotation_run(op, due->vault, &due->key, record, &rotation));
    struct write_audit audit = {.action = "rotate",
                                .resource_type = "api_key",
                                .org = due->key.org,
                                .workspace = due->key.parent,
                                .resource = due->key.id,
                                .slug = str_c(record->name)};
    writer_audit(op, &audit);
    return ST_OK;
}

/* The next key behind `last` that is due; ST_END: none. */
static enum status next_due(struct kv *kv, struct record_key *last)
{
    struct record_cursor *cursor = NULL;
    struct kv_txn *txn;
    struct arena scratch;
    Sluice__ApiKey *record;
    bool found = false;
    TRY(kv_begin(kv, false, &txn));
    arena_init(&scratch, 1u << 20);
    enum status status = record_cursor_open_org(txn, SLUICE__KIND__KIND_API_KEY, NULL, &cursor);
    if (status == ST_OK && !id_is_none(&last->id))
        record_cursor_after_key(cursor, last);
    while (status == ST_OK && !found) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, last, &record, NULL);
        found = status == ST_OK && record->rotation_policy_json[0] != '\0' &&
                is_due(&scratch, record, clock_utc_ms());
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    kv_abort(txn);
    return status;
}

enum status key_rotation_all_due(struct kv *kv, struct writer *writer, struct vault *vault,
                                 uint64_t *rotated)
{
    static const struct write_actor actor = {.type = "system"};
    struct due due = {.vault = vault};
    enum status status;
    *rotated = 0;
    while ((status = next_due(kv, &due.key)) == ST_OK) {
        struct arena arena;
        arena_init(&arena, 4u << 20);
        status = writer_run(writer, &actor, &arena, rotate_due, &due, NULL);
        arena_wipe(&arena);
        TRY(status);
        if (!due.rotated)
            continue;
        ++*rotated;
        log_info("api_key_rotated", LOG_ID("key", &due.key.id));
    }
    return status == ST_END ? ST_OK : status;
}
