/* holding.c: bytes of holdings, and the one place where a book's sums follow from them.
 *
 * Invariant: a book's outstanding and lost change only by holding_move, as the difference between
 * two states of one holding, so they stay the sums that book.h states without ever being added up
 * again (ledger verify does add them up).
 */
#include "control-plane/ledger/holding.h"

#define HOLDING_VERSION   1u
#define HOLDING_FIELDS    6u
#define HOLDING_ROW_BYTES (2u + 8u * HOLDING_FIELDS)
#define HOLDING_KEY_BYTES (3u + 2u * ID_BYTES + 16u)

static void holding_key(struct key *key, const struct holding_name *name)
{
    book_key(key, BOOK_HOLDING);
    key_add_id(key, &name->counter);
    key_add_u64(key, name->epoch);
    key_add_id(key, &name->node);
    key_add_u64(key, name->boot);
}

static void of_node_key(struct key *key, const struct holding_name *name)
{
    book_key(key, BOOK_OF_NODE);
    key_add_id(key, &name->node);
    key_add_u64(key, name->boot);
    key_add_id(key, &name->counter);
    key_add_u64(key, name->epoch);
}

int64_t holding_rest(const struct holding *holding)
{
    int64_t given = book_sum(holding->granted, holding->ghost);
    int64_t rest = book_sum(given, -book_sum(holding->returned, holding->used));
    return rest > 0 ? rest : 0;
}

static int64_t outstanding_of(const struct holding *holding)
{
    return (holding->flags & (HOLDING_LOST | HOLDING_CLOSED)) != 0 ? 0 : holding_rest(holding);
}

int64_t holding_lost(const struct holding *holding)
{
    return (holding->flags & HOLDING_LOST) != 0 ? holding_rest(holding) : 0;
}

void holding_move(const struct holding *before, const struct holding *after, struct book *book)
{
    book->outstanding = book_sum(book->outstanding, outstanding_of(after) - outstanding_of(before));
    book->lost = book_sum(book->lost, holding_lost(after) - holding_lost(before));
    book->holders -= (before->flags & HOLDING_ACTIVE) != 0;
    book->holders += (after->flags & HOLDING_ACTIVE) != 0;
}

enum status holding_get(struct kv_txn *txn, const struct holding_name *name,
                        struct holding *holding)
{
    struct key key;
    struct str row;
    holding_key(&key, name);
    TRY(kv_get(txn, KV_MAIN, key_str(&key), &row));
    if (row.n != HOLDING_ROW_BYTES || (uint8_t)row.p[0] != HOLDING_VERSION)
        return ST_BAD_FORMAT;
    const char *p = row.p + 2;
    *holding = (struct holding){.flags = (uint8_t)row.p[1] | HOLDING_STORED,
                                .granted = (int64_t)key_get_u64(p),
                                .returned = (int64_t)key_get_u64(p + 8),
                                .used = (int64_t)key_get_u64(p + 16),
                                .ghost = (int64_t)key_get_u64(p + 24),
                                .heard_ms = (int64_t)key_get_u64(p + 32),
                                .corrections = key_get_u64(p + 40)};
    return ST_OK;
}

enum status holding_get_or_new(struct kv_txn *txn, const struct holding_name *name,
                               struct holding *holding)
{
    enum status status = holding_get(txn, name, holding);
    if (status != ST_NOT_FOUND)
        return status;
    *holding = (struct holding){0};
    return ST_OK;
}

enum status holding_put(struct kv_txn *txn, const struct holding_name *name,
                        const struct holding *before, const struct holding *after,
                        struct book *book)
{
    const uint64_t numbers[] = {(uint64_t)after->granted,  (uint64_t)after->returned,
                                (uint64_t)after->used,     (uint64_t)after->ghost,
                                (uint64_t)after->heard_ms, after->corrections};
    uint8_t row[HOLDING_ROW_BYTES] = {HOLDING_VERSION, after->flags | HOLDING_STORED};
    struct key key;
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        key_put_u64(row + 2 + 8 * i, numbers[i]);
    holding_move(before, after, book);
    holding_key(&key, name);
    TRY(kv_put(txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row)));
    if ((before->flags & HOLDING_STORED) != 0)
        return ST_OK;
    of_node_key(&key, name);
    return kv_put(txn, KV_MAIN, key_str(&key), STR(""));
}

enum status holding_drop(struct kv_txn *txn, const struct holding_name *name,
                         const struct holding *before, struct book *book)
{
    static const struct holding nothing;
    struct key key;
    holding_move(before, &nothing, book);
    of_node_key(&key, name);
    TRY(kv_delete(txn, KV_MAIN, key_str(&key)));
    holding_key(&key, name);
    return kv_delete(txn, KV_MAIN, key_str(&key));
}

enum status holding_walk_epoch(struct holding_walk *walk, struct kv_txn *txn,
                               const struct id *counter, uint64_t epoch)
{
    book_key(&walk->prefix, BOOK_HOLDING);
    key_add_id(&walk->prefix, counter);
    key_add_u64(&walk->prefix, epoch);
    TRY(kv_cursor_open(txn, KV_MAIN, &walk->cursor));
    kv_cursor_seek(walk->cursor, key_str(&walk->prefix));
    return ST_OK;
}

enum status holding_walk_boot(struct holding_walk *walk, struct kv_txn *txn, const struct id *node,
                              uint64_t boot)
{
    book_key(&walk->prefix, BOOK_OF_NODE);
    key_add_id(&walk->prefix, node);
    key_add_u64(&walk->prefix, boot);
    TRY(kv_cursor_open(txn, KV_MAIN, &walk->cursor));
    kv_cursor_seek(walk->cursor, key_str(&walk->prefix));
    return ST_OK;
}

enum status holding_walk_next(struct holding_walk *walk, struct holding_name *name)
{
    struct str key, row;
    TRY(kv_cursor_next(walk->cursor, &key, &row));
    if (!str_starts(key, key_str(&walk->prefix)))
        return ST_END;
    if (key.n != HOLDING_KEY_BYTES)
        return ST_BAD_FORMAT;
    bool of_node = key.p[2] == BOOK_OF_NODE;
    struct id *first = of_node ? &name->node : &name->counter;
    struct id *second = of_node ? &name->counter : &name->node;
    const char *p = key.p + 3;
    memcpy(first->b, p, ID_BYTES);
    memcpy(second->b, p + ID_BYTES + 8, ID_BYTES);
    uint64_t a = key_get_u64(p + ID_BYTES), b = key_get_u64(p + 2 * ID_BYTES + 8);
    name->boot = of_node ? a : b;
    name->epoch = of_node ? b : a;
    return ST_OK;
}

void holding_walk_close(struct holding_walk *walk)
{
    kv_cursor_close(walk->cursor);
    walk->cursor = NULL;
}
