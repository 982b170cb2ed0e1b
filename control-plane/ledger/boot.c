/* boot.c: what a boot's end means for what it was granted.
 *
 * Invariant: the holdings of a boot that ended are dropped only when the watermark of its journal
 * has reached its end, so that nothing it spent is free again for a moment. A request that is older
 * than one answered before is refused: frames of one boot are numbered, and its totals only grow in
 * that order.
 */
#include "control-plane/ledger/boot.h"

#include "control-plane/ledger/ledger.h"

#define BOOT_VERSION   1u
#define BOOT_ROW_BYTES 26u

static void boot_key(struct key *key, const struct id *node, uint64_t boot)
{
    book_key(key, BOOK_BOOT);
    key_add_id(key, node);
    key_add_u64(key, boot);
}

enum status boot_get(struct kv_txn *txn, const struct id *node, uint64_t boot, struct boot *row)
{
    struct key key;
    struct str value;
    boot_key(&key, node, boot);
    enum status status = kv_get(txn, KV_MAIN, key_str(&key), &value);
    if (status == ST_NOT_FOUND) {
        *row = (struct boot){0};
        return ST_OK;
    }
    TRY(status);
    if (value.n != BOOT_ROW_BYTES || (uint8_t)value.p[0] != BOOT_VERSION)
        return ST_BAD_FORMAT;
    *row = (struct boot){.flags = (uint8_t)value.p[1],
                         .heard_ms = (int64_t)key_get_u64(value.p + 2),
                         .counter = key_get_u64(value.p + 10),
                         .ended_through = key_get_u64(value.p + 18)};
    return ST_OK;
}

static enum status boot_put(struct kv_txn *txn, const struct id *node, uint64_t boot,
                            const struct boot *row)
{
    uint8_t bytes[BOOT_ROW_BYTES] = {BOOT_VERSION, row->flags};
    struct key key;
    key_put_u64(bytes + 2, (uint64_t)row->heard_ms);
    key_put_u64(bytes + 10, row->counter);
    key_put_u64(bytes + 18, row->ended_through);
    boot_key(&key, node, boot);
    return kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)bytes, sizeof bytes));
}

enum status boot_hear(struct write_op *op, const struct id *node, uint64_t boot, uint64_t counter,
                      int64_t time_ms)
{
    struct boot row;
    TRY(boot_get(op->txn, node, boot, &row));
    if (row.counter != 0 && counter <= row.counter)
        return ST_CONFLICT;
    row.counter = counter;
    row.heard_ms = time_ms;
    return boot_put(op->txn, node, boot, &row);
}

static enum status drop_holding(struct write_op *op, const struct holding_name *name)
{
    struct holding holding;
    struct book book;
    TRY(holding_get(op->txn, name, &holding));
    TRY(book_get(op->txn, &name->counter, name->epoch, &book));
    TRY(holding_drop(op->txn, name, &holding, &book));
    book_let_fall(&book);
    return book_put(op->txn, &name->counter, name->epoch, &book);
}

static enum status drop_holdings(struct write_op *op, const struct id *node, uint64_t boot,
                                 bool *left)
{
    struct holding_walk walk;
    struct holding_name name;
    enum status status;
    size_t rows = 0;
    TRY(holding_walk_boot(&walk, op->txn, node, boot));
    while ((status = holding_walk_next(&walk, &name)) == ST_OK && rows++ < BOOT_CLOSE_ROWS) {
        status = drop_holding(op, &name);
        if (status != ST_OK)
            break;
    }
    holding_walk_close(&walk);
    *left = status == ST_OK;
    return status == ST_END ? ST_OK : status;
}

enum status boot_settled(struct write_op *op, const struct id *node, uint64_t boot,
                         uint64_t through_seq, bool *left)
{
    struct boot row;
    *left = false;
    TRY(boot_get(op->txn, node, boot, &row));
    if ((row.flags & BOOT_ENDING) == 0 || through_seq < row.ended_through)
        return ST_OK;
    return drop_holdings(op, node, boot, left);
}

enum status boot_end(struct write_op *op, const struct id *node, uint64_t boot,
                     uint64_t ended_through)
{
    struct ledger_watermark mark;
    struct boot row;
    bool left;
    TRY(boot_get(op->txn, node, boot, &row));
    row.flags |= BOOT_ENDING;
    if (ended_through > row.ended_through)
        row.ended_through = ended_through;
    TRY(boot_put(op->txn, node, boot, &row));
    TRY(ledger_watermark(op->txn, node, boot, &mark));
    return boot_settled(op, node, boot, mark.through_seq, &left);
}
