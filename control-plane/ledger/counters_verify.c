/* counters_verify.c: do the books of limits agree with the ledger and with what nodes hold?
 *
 *   entries of all kept days -> one sum per (counter, epoch)     settled - dropped - adopted
 *   holdings of an epoch     -> rests that are open, and lost    outstanding, lost
 *
 * Read in one transaction, so it is one moment: the invariant settled + lost + outstanding <= cap
 * is checked as it stands in the store. Counters of rates and concurrency have no entries.
 */
#include "common/wire.h"
#include "control-plane/ledger/counters.h"
#include "control-plane/ledger/settle.h"

#define VERIFY_SUMS_MAX  2000000u
#define VERIFY_BYTES_MAX ((size_t)1 << 30)
#define VERIFY_ROW_BYTES ((size_t)1 << 20)

static enum status add_entries(struct kv_txn *txn, struct settle *sums)
{
    struct kv_cursor *cursor;
    struct arena scratch;
    struct str key, row;
    enum status status;
    TRY(kv_cursor_open(txn, KV_EVENTS, &cursor));
    kv_cursor_seek(cursor, STR_NONE);
    arena_init(&scratch, VERIFY_ROW_BYTES);
    while ((status = kv_cursor_next(cursor, &key, &row)) == ST_OK) {
        Sluice__UsageEvent *event;
        arena_free(&scratch);
        status = wire_unpack(&sluice__usage_event__descriptor, row, &scratch, &event);
        if (status == ST_OK)
            status = settle_add(sums, event);
        if (status != ST_OK)
            break;
    }
    arena_free(&scratch);
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

/* What the holdings of an epoch add up to. */
static enum status add_holdings(struct kv_txn *txn, const struct id *counter, uint64_t epoch,
                                struct book *sum)
{
    static const struct holding nothing;
    struct holding_walk walk;
    struct holding_name name;
    struct holding holding;
    enum status status;
    *sum = (struct book){0};
    TRY(holding_walk_epoch(&walk, txn, counter, epoch));
    while ((status = holding_walk_next(&walk, &name)) == ST_OK) {
        status = holding_get(txn, &name, &holding);
        if (status != ST_OK)
            break;
        holding_move(&nothing, &holding, sum);
    }
    holding_walk_close(&walk);
    return status == ST_END ? ST_OK : status;
}

/* What the epochs of a counter took over from epoch 0. */
static enum status add_adopted(struct kv_txn *txn, const struct id *counter, int64_t *adopted)
{
    uint64_t epoch = UINT64_MAX;
    int64_t sum = 0;
    enum status status;
    while ((status = book_newest(txn, counter, epoch, &epoch)) == ST_OK) {
        struct book book;
        TRY(book_get(txn, counter, epoch, &book));
        sum = book_sum(sum, book.adopted);
    }
    *adopted = sum;
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status check_book(struct kv_txn *txn, const struct settle *sums,
                              const struct id *counter, uint64_t epoch, const struct book *book,
                              struct counters_check *check)
{
    static const struct settle_sum none;
    struct counter row = {.strict = false};
    struct book held;
    int64_t adopted = book->adopted;
    const struct settle_sum *sum = settle_find(sums, counter, epoch);
    enum status status = counter_get(txn, counter, &row);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    bool known = status == ST_OK, budget = !known || row.owner.ref.window == LIMIT_BUDGET;
    if (sum == NULL)
        sum = &none;
    TRY(add_holdings(txn, counter, epoch, &held));
    if (epoch == 0)
        TRY(add_adopted(txn, counter, &adopted));
    int64_t settled = epoch == 0 ? book->settled : book->settled - adopted;
    if (budget)
        check->different += settled - book->dropped != sum->amount ||
                            book->lost - book->lost_dropped != sum->lost ||
                            adopted != book->adopted;
    check->held += book->outstanding != held.outstanding || book->lost != held.lost ||
                   book->holders != held.holders;
    bool bound = known && budget && epoch == row.epoch && !book->loose;
    check->over += bound && book_taken(book) > book->cap;
    check->epochs++;
    return ST_OK;
}
static enum status check_books(struct kv_txn *txn, const struct settle *sums,
                               struct counters_check *check)
{
    struct kv_cursor *cursor;
    struct key prefix;
    struct str key, row;
    enum status status;
    book_key(&prefix, BOOK_EPOCH);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&prefix));
    while ((status = kv_cursor_next(cursor, &key, &row)) == ST_OK &&
           str_starts(key, key_str(&prefix))) {
        struct id counter;
        struct book book;
        status = key.n == prefix.n + ID_BYTES + 8 ? ST_OK : ST_BAD_FORMAT;
        if (status == ST_OK) {
            memcpy(counter.b, key.p + prefix.n, ID_BYTES);
            uint64_t epoch = key_get_u64(key.p + prefix.n + ID_BYTES);
            status = book_get(txn, &counter, epoch, &book);
            if (status == ST_OK)
                status = check_book(txn, sums, &counter, epoch, &book, check);
        }
        if (status != ST_OK)
            break;
    }
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

/* Entries that name an epoch without a book. */
static enum status count_missing(struct kv_txn *txn, const struct settle *sums,
                                 struct counters_check *check)
{
    for (size_t i = 0; i < sums->slot_count; i++) {
        const struct settle_sum *sum = sums->slots[i];
        struct counter counter;
        struct book book;
        if (sum == NULL || (sum->amount == 0 && sum->lost == 0))
            continue;
        enum status status = counter_get(txn, &sum->counter, &counter);
        if (status == ST_OK && counter.owner.ref.window != LIMIT_BUDGET)
            continue;
        if (status == ST_OK || status == ST_NOT_FOUND)
            status = book_get(txn, &sum->counter, sum->epoch, &book);
        if (status != ST_OK && status != ST_NOT_FOUND)
            return status;
        check->missing += status == ST_NOT_FOUND;
    }
    return ST_OK;
}

enum status counters_verify(struct kv_txn *txn, struct counters_check *out)
{
    struct counters_check check = {0};
    struct settle sums;
    struct arena arena;
    enum status status;
    arena_init(&arena, VERIFY_BYTES_MAX);
    TRY_OUT(settle_init(&sums, &arena, VERIFY_SUMS_MAX));
    TRY_OUT(add_entries(txn, &sums));
    TRY_OUT(check_books(txn, &sums, &check));
    TRY_OUT(count_missing(txn, &sums, &check));
    *out = check;
out:
    arena_free(&arena);
    return status;
}
