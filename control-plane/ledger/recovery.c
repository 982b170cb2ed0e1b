/* recovery.c: the rows that say how far a restored store has been told what it forgot.
 *
 * Everything is keyed by the time of the restore, so a store that is restored again begins again.
 * The end of a recovery is written once and never taken back.
 */
#include "control-plane/ledger/recovery.h"

#include "common/log.h"
#include "control-plane/ledger/book.h"
#include "control-plane/store/migrate.h"

#define RECOVERY_ROW_BYTES 25u

static enum status recovery_put(struct kv_txn *txn, const struct recovery *recovery)
{
    uint8_t row[RECOVERY_ROW_BYTES];
    struct key key;
    key_put_u64(row, (uint64_t)recovery->restored_ms);
    key_put_u64(row + 8, (uint64_t)recovery->strict_until_ms);
    key_put_u64(row + 16, (uint64_t)recovery->standard_until_ms);
    row[24] = recovery->over;
    key_init_meta(&key, KEY_META_RECOVERY);
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

enum status recovery_get(struct kv_txn *txn, struct recovery *out)
{
    struct recovery recovery = {.strict_until_ms = INT64_MAX, .standard_until_ms = INT64_MAX};
    struct key key;
    struct str row;
    TRY(migrate_restored(txn, &recovery.restored_ms));
    key_init_meta(&key, KEY_META_RECOVERY);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &row);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    if (status == ST_OK && row.n != RECOVERY_ROW_BYTES)
        return ST_BAD_FORMAT;
    if (status == ST_OK && (int64_t)key_get_u64(row.p) == recovery.restored_ms) {
        recovery.strict_until_ms = (int64_t)key_get_u64(row.p + 8);
        recovery.standard_until_ms = (int64_t)key_get_u64(row.p + 16);
        recovery.over = row.p[24] != 0;
    }
    *out = recovery;
    return ST_OK;
}

enum status recovery_begin(struct write_op *op, int64_t node_lost_after_ms)
{
    struct recovery recovery;
    op->no_revision = true;
    TRY(recovery_get(op->txn, &recovery));
    if (recovery.restored_ms == 0 || recovery.strict_until_ms != INT64_MAX)
        return ST_OK;
    recovery.strict_until_ms = op->now_ms + node_lost_after_ms;
    recovery.standard_until_ms = op->now_ms + RECOVERY_STANDARD_MS;
    log_warn("limits_recover", LOG_I64("restored_ms", recovery.restored_ms));
    return recovery_put(op->txn, &recovery);
}

bool recovery_holds(const struct recovery *recovery, bool strict, int64_t now_ms)
{
    return recovery->restored_ms != 0 && !recovery->over &&
           now_ms < (strict ? recovery->strict_until_ms : recovery->standard_until_ms);
}

static void said_key(struct key *key, const struct id *node)
{
    book_key(key, BOOK_SAID);
    key_add_id(key, node);
}

enum status recovery_said(struct kv_txn *txn, const struct recovery *recovery,
                          const struct id *node, bool *said)
{
    struct key key;
    struct str row;
    *said = recovery->restored_ms == 0 || recovery->over;
    if (*said)
        return ST_OK;
    said_key(&key, node);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &row);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (row.n != 8)
        return ST_BAD_FORMAT;
    *said = (int64_t)key_get_u64(row.p) == recovery->restored_ms;
    return ST_OK;
}

/* Nodes that have not said what they hold; removed ones never will. */
static enum status count_missing(struct write_op *op, const struct recovery *recovery,
                                 uint64_t *missing)
{
    struct record_cursor *cursor;
    struct record_key key;
    Sluice__Node *node;
    enum status status;
    *missing = 0;
    TRY(record_cursor_open_org(op->txn, SLUICE__KIND__KIND_NODE, NULL, &cursor));
    while ((status = record_cursor_next(cursor, op->arena, &key, &node, NULL)) == ST_OK) {
        bool said;
        status = recovery_said(op->txn, recovery, &key.id, &said);
        if (status != ST_OK)
            break;
        *missing += !said && !node->revoked;
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status recovery_check(struct write_op *op, struct recovery *recovery, uint64_t *missing)
{
    *missing = 0;
    if (recovery->restored_ms == 0 || recovery->over)
        return ST_OK;
    TRY(count_missing(op, recovery, missing));
    if (*missing > 0)
        return ST_OK;
    recovery->over = true;
    log_info("limits_recovered", LOG_I64("restored_ms", recovery->restored_ms));
    return recovery_put(op->txn, recovery);
}

enum status recovery_say(struct write_op *op, struct recovery *recovery, const struct id *node)
{
    uint8_t row[8];
    struct key key;
    uint64_t missing;
    if (recovery->restored_ms == 0 || recovery->over)
        return ST_OK;
    said_key(&key, node);
    key_put_u64(row, (uint64_t)recovery->restored_ms);
    TRY(kv_put(op->txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row)));
    return recovery_check(op, recovery, &missing);
}
