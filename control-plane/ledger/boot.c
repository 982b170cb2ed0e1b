/* boot.c: what a boot's end means for what it was granted.
 *
 * Invariant: the holdings of a boot that ended are dropped only when the watermark of its journal
 * has reached its end, so that nothing it spent is free again for a moment. A request that is older
 * than one answered before is refused: frames of one boot are numbered, and its totals only grow in
 * that order.
 */
#include "control-plane/ledger/boot.h"

#include "control-plane/ledger/ledger.h"
#include "control-plane/ledger/lost.h"

#define BOOT_VERSION   1u
#define BOOT_ROW_BYTES 42u

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
                         .ended_through = key_get_u64(value.p + 18),
                         .seen_ms = (int64_t)key_get_u64(value.p + 26),
                         .entries = key_get_u64(value.p + 34)};
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
    key_put_u64(bytes + 26, (uint64_t)row->seen_ms);
    key_put_u64(bytes + 34, row->entries);
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
    row.flags &= (uint8_t) ~(BOOT_QUIET | BOOT_LOST);
    return boot_put(op->txn, node, boot, &row);
}

static enum status drop_holding(struct write_op *op, const struct holding_name *name)
{
    static const struct holding nothing;
    struct holding holding;
    struct book book;
    TRY(holding_get(op->txn, name, &holding));
    TRY(book_get(op->txn, &name->counter, name->epoch, &book));
    TRY(holding_drop(op->txn, name, &holding, &book));
    book_let_fall(&book);
    TRY(book_put(op->txn, &name->counter, name->epoch, &book));
    return lost_moved(op, name, &holding, &nothing);
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

/* --- quiet and forgotten --- */

/* A holding that the node let go of is dropped whole; another one that is empty stays, for its
 * totals. */
static enum status quiet_holding(struct write_op *op, const struct holding_name *name)
{
    struct holding before, after;
    struct book book;
    TRY(holding_get(op->txn, name, &before));
    if (holding_rest(&before) > 0)
        return ST_OK;
    if ((before.flags & HOLDING_IDLE) != 0 && before.used == 0)
        return drop_holding(op, name);
    if ((before.flags & HOLDING_ACTIVE) == 0)
        return ST_OK;
    after = before;
    after.flags &= (uint8_t)~HOLDING_ACTIVE;
    TRY(book_get(op->txn, &name->counter, name->epoch, &book));
    TRY(holding_put(op->txn, name, &before, &after, &book));
    return book_put(op->txn, &name->counter, name->epoch, &book);
}

enum status boot_quiet(struct write_op *op, const struct id *node, uint64_t boot)
{
    struct holding_walk walk;
    struct holding_name name;
    struct boot row;
    enum status status;
    TRY(boot_get(op->txn, node, boot, &row));
    TRY(holding_walk_boot(&walk, op->txn, node, boot));
    while ((status = holding_walk_next(&walk, &name)) == ST_OK) {
        status = quiet_holding(op, &name);
        if (status != ST_OK)
            break;
    }
    holding_walk_close(&walk);
    if (status != ST_END)
        return status;
    row.flags |= BOOT_QUIET;
    return boot_put(op->txn, node, boot, &row);
}

enum status boot_seen(struct write_op *op, const struct id *node, uint64_t boot, int64_t time_ms)
{
    struct boot row;
    TRY(boot_get(op->txn, node, boot, &row));
    row.seen_ms = time_ms;
    return boot_put(op->txn, node, boot, &row);
}

enum status boot_lost(struct write_op *op, const struct id *node, uint64_t boot)
{
    struct boot row;
    TRY(boot_get(op->txn, node, boot, &row));
    row.flags |= BOOT_LOST;
    return boot_put(op->txn, node, boot, &row);
}

enum status boot_next_entry(struct write_op *op, const struct id *node, uint64_t boot,
                            uint64_t *number)
{
    struct boot row;
    TRY(boot_get(op->txn, node, boot, &row));
    *number = ++row.entries;
    return boot_put(op->txn, node, boot, &row);
}

enum status boot_forget(struct write_op *op, const struct id *node, uint64_t boot)
{
    struct holding_walk walk;
    struct holding_name name;
    struct key key;
    TRY(holding_walk_boot(&walk, op->txn, node, boot));
    enum status status = holding_walk_next(&walk, &name);
    holding_walk_close(&walk);
    if (status != ST_END)
        return status == ST_OK ? ST_IN_USE : status;
    boot_key(&key, node, boot);
    return kv_delete(op->txn, KV_MAIN, key_str(&key));
}

enum status boot_list(struct kv_txn *txn, const struct boot_name *after, struct boot_name *list,
                      size_t max, size_t *count)
{
    struct kv_cursor *cursor;
    struct key from, table;
    struct str key, row;
    enum status status = ST_OK;
    size_t n = 0;
    book_key(&table, BOOK_BOOT);
    boot_key(&from, &after->node, after->boot);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&from));
    while (n < max && status == ST_OK) {
        status = kv_cursor_next(cursor, &key, &row);
        if (status != ST_OK || !str_starts(key, key_str(&table)))
            break;
        if (key.n != from.n)
            status = ST_BAD_FORMAT;
        if (status != ST_OK || str_eq(key, key_str(&from)))
            continue;
        memcpy(list[n].node.b, key.p + table.n, ID_BYTES);
        list[n++].boot = key_get_u64(key.p + table.n + ID_BYTES);
    }
    kv_cursor_close(cursor);
    *count = n;
    return status == ST_END ? ST_OK : status;
}
