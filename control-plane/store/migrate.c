/* migrate.c: the first rows of a store.
 *
 * Invariant: a store without a format row is empty, so half an initialisation cannot be mistaken
 * for a store; both rows are written in one transaction. The store id names a history: two stores
 * that went different ways must never have the same one, or a node would take changes of one as the
 * continuation of the other.
 */
#include "control-plane/store/migrate.h"

#include "common/clock.h"
#include "common/log.h"
#include "control-plane/store/keys.h"

static enum status migrate_format(struct kv_txn *txn, uint32_t *format)
{
    struct key key;
    struct str value;
    key_init_meta(&key, KEY_META_FORMAT);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &value));
    if (value.n != 4)
        return ST_BAD_FORMAT;
    *format = key_get_u32(value.p);
    return ST_OK;
}

static enum status migrate_put_id(struct kv_txn *txn, const struct id *store_id)
{
    struct key key;
    key_init_meta(&key, KEY_META_STORE_ID);
    return kv_put(txn, KV_MAIN, key_str(&key), id_bytes(store_id));
}

static enum status migrate_put_format(struct kv_txn *txn)
{
    struct key key;
    uint8_t row[4];
    key_init_meta(&key, KEY_META_FORMAT);
    key_put_u32(row, MIGRATE_FORMAT);
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

enum status migrate_init(struct kv *kv, struct id *store_id)
{
    struct kv_txn *txn;
    struct id id = id_new();
    uint32_t format;
    TRY(kv_begin(kv, true, &txn));
    enum status status = migrate_format(txn, &format);
    if (status == ST_OK)
        status = ST_CONFLICT;
    else if (status == ST_NOT_FOUND)
        status = migrate_put_format(txn);
    if (status == ST_OK)
        status = migrate_put_id(txn, &id);
    if (status != ST_OK) {
        kv_abort(txn);
        return status;
    }
    TRY(kv_commit(txn));
    *store_id = id;
    return ST_OK;
}

enum status migrate_check(struct kv *kv)
{
    struct kv_txn *txn;
    uint32_t format;
    TRY(kv_begin(kv, false, &txn));
    enum status status = migrate_format(txn, &format);
    kv_abort(txn);
    TRY(status);
    if (format == MIGRATE_FORMAT)
        return ST_OK;
    log_error("store_format_unknown", LOG_U64("format", format), LOG_U64("known", MIGRATE_FORMAT));
    return ST_BAD_FORMAT;
}

static enum status migrate_put_restored(struct kv_txn *txn)
{
    struct key key;
    uint8_t row[8];
    key_init_meta(&key, KEY_META_RESTORED);
    key_put_u64(row, (uint64_t)clock_utc_ms());
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

enum status migrate_restored(struct kv_txn *txn, int64_t *restored_ms)
{
    struct key key;
    struct str row;
    key_init_meta(&key, KEY_META_RESTORED);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &row);
    if (status == ST_OK && row.n != 8)
        return ST_BAD_FORMAT;
    if (status == ST_OK)
        *restored_ms = (int64_t)key_get_u64(row.p);
    else if (status == ST_NOT_FOUND)
        *restored_ms = 0;
    return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status migrate_renew_id(struct kv *kv, struct id *store_id)
{
    struct kv_txn *txn;
    struct id id = id_new();
    TRY(kv_begin(kv, true, &txn));
    enum status status = migrate_put_id(txn, &id);
    if (status == ST_OK)
        status = migrate_put_restored(txn);
    if (status != ST_OK) {
        kv_abort(txn);
        return status;
    }
    TRY(kv_commit(txn));
    *store_id = id;
    return ST_OK;
}
