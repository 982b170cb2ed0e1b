/* counters_list.c: all counters, and who holds what of them, for operators.
 *
 * Pages by id, each in a transaction of the caller, so a store of any size is listed in constant
 * memory. A counter whose entity is gone is shown with what its rows say: that is when an operator
 * wants to see it.
 */
#include "control-plane/ledger/counters.h"
#include "control-plane/ledger/holding.h"

#define LIST_LINES_MAX   1000u
#define LIST_HOLDERS_MAX 10000u

static void view_of_rows(const struct id *id, const struct counter *counter,
                         const struct book *book, struct counter_view *view)
{
    const struct limit_ref *ref = &counter->owner.ref;
    *view = (struct counter_view){.counter = *id,
                                  .measure = ref->measure,
                                  .window = ref->window,
                                  .nth = ref->nth,
                                  .strict = counter->strict,
                                  .epoch = counter->epoch,
                                  .limit = counter->limit,
                                  .alert = counter->alert,
                                  .used = book_sum(book->settled, book->lost),
                                  .lost = book->lost,
                                  .outstanding = book->outstanding,
                                  .started_at_ms = book->started_ms,
                                  .last_reset_at_ms = counter->last_reset_ms};
}

static enum status line_of(struct kv_txn *txn, struct arena *arena, const struct id *id,
                           int64_t now_ms, struct counter_line *line)
{
    struct counter counter;
    struct book book;
    TRY(counter_get(txn, id, &counter));
    TRY(book_get(txn, id, counter.epoch, &book));
    counter.owner.ref.value_key = arena_str(arena, counter.owner.ref.value_key);
    if (counter.owner.ref.value_key.p == NULL)
        return ST_NO_MEMORY;
    *line = (struct counter_line){.ref = counter.owner.ref,
                                  .workspace = counter.owner.workspace,
                                  .cap = book.cap,
                                  .holders = book.holders};
    enum status status = counters_of(txn, arena, &line->ref, &line->workspace, now_ms, &line->view);
    line->gone = status == ST_NOT_FOUND;
    if (!line->gone)
        return status;
    view_of_rows(id, &counter, &book, &line->view);
    return ST_OK;
}

enum status counters_list(struct kv_txn *txn, struct arena *arena, const struct id *after,
                          size_t limit, int64_t now_ms, struct counter_line **lines, size_t *count)
{
    struct kv_cursor *cursor;
    struct key table, from;
    struct str key, row;
    enum status status = ST_OK;
    size_t n = 0;
    if (limit > LIST_LINES_MAX)
        return ST_RANGE;
    struct counter_line *list = arena_calloc(arena, limit + 1, sizeof *list);
    if (list == NULL)
        return ST_NO_MEMORY;
    book_key(&table, BOOK_COUNTER);
    from = table;
    key_add_id(&from, after);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&from));
    while (n < limit && (status = kv_cursor_next(cursor, &key, &row)) == ST_OK) {
        struct id id;
        if (!str_starts(key, key_str(&table)))
            break;
        status = id_from_bytes(str_from(key, table.n), &id) == ST_OK ? ST_OK : ST_BAD_FORMAT;
        if (status == ST_OK && id_eq(&id, after))
            continue;
        if (status == ST_OK)
            status = line_of(txn, arena, &id, now_ms, &list[n]);
        if (status != ST_OK)
            break;
        n++;
    }
    kv_cursor_close(cursor);
    if (status != ST_OK && status != ST_END)
        return status;
    *lines = list;
    *count = n;
    return ST_OK;
}

enum status counters_holders(struct kv_txn *txn, struct arena *arena, const struct id *counter,
                             uint64_t epoch, size_t limit, struct counter_holder **holders,
                             size_t *count)
{
    struct holding_walk walk;
    struct holding_name name;
    enum status status = ST_OK;
    size_t n = 0;
    if (limit > LIST_HOLDERS_MAX)
        return ST_RANGE;
    struct counter_holder *list = arena_calloc(arena, limit + 1, sizeof *list);
    if (list == NULL)
        return ST_NO_MEMORY;
    TRY(holding_walk_epoch(&walk, txn, counter, epoch));
    while (n < limit && (status = holding_walk_next(&walk, &name)) == ST_OK) {
        struct holding holding;
        status = holding_get(txn, &name, &holding);
        if (status != ST_OK)
            break;
        list[n++] = (struct counter_holder){.node = name.node,
                                            .boot = name.boot,
                                            .granted = holding.granted,
                                            .returned = holding.returned,
                                            .used = holding.used,
                                            .rest = holding_rest(&holding),
                                            .lost = (holding.flags & HOLDING_LOST) != 0,
                                            .closed = (holding.flags & HOLDING_CLOSED) != 0,
                                            .idle = (holding.flags & HOLDING_IDLE) != 0,
                                            .heard_ms = holding.heard_ms};
    }
    holding_walk_close(&walk);
    if (status != ST_OK && status != ST_END)
        return status;
    *holders = list;
    *count = n;
    return ST_OK;
}
