/* ledger_verify.c: does the ledger add up, and letting go of what is old.
 *
 * Verifying re-adds a day's raw events with the code that ingest uses and compares every sum, in
 * both directions: each sum that follows from events must be stored, and as many must be stored as
 * follow. One day at a time, so memory and the time a read transaction is held are bounded by a
 * day's traffic. Raw events are dropped in slices: the first day that is kept moves first, so that
 * a half-dropped day is never verified nor written to again; sums outlive the events, and a limit's
 * book notes how much of what it settled has no event any more.
 */
#include "common/wire.h"
#include "control-plane/ledger/ledger_rows.h"
#include "control-plane/ledger/settle.h"

#define LEDGER_VERIFY_SUMS  1000000u
#define LEDGER_VERIFY_BYTES ((size_t)1 << 30)
#define LEDGER_ROW_BYTES    ((size_t)1 << 20)
#define LEDGER_DAY_HOURS    24u

static enum status ledger_add_day(struct kv_txn *txn, uint32_t day, struct rollups *sums,
                                  uint64_t *events)
{
    struct kv_cursor *cursor;
    struct arena scratch;
    struct key prefix;
    struct str key, row;
    enum status status;
    key_init(&prefix);
    key_add_u16(&prefix, (uint16_t)day);
    TRY(kv_cursor_open(txn, KV_EVENTS, &cursor));
    kv_cursor_seek(cursor, key_str(&prefix));
    arena_init(&scratch, LEDGER_ROW_BYTES);
    while ((status = kv_cursor_next(cursor, &key, &row)) == ST_OK &&
           str_starts(key, key_str(&prefix))) {
        Sluice__UsageEvent *event;
        arena_free(&scratch);
        status = wire_unpack(&sluice__usage_event__descriptor, row, &scratch, &event);
        if (status == ST_OK && event->at_ms / ROLLUP_DAY_MS != (int64_t)day)
            status = ST_BAD_FORMAT;
        bool lost = event->seq >= LEDGER_OWN_SEQ &&
                    event->source != SLUICE__USAGE_SOURCE__USAGE_SOURCE_ADJUSTED;
        if (status == ST_OK && !lost) /* what was lost is in books alone: one entry a counter */
            status = rollups_add(sums, event);
        if (status != ST_OK)
            break;
        ++*events;
    }
    arena_free(&scratch);
    kv_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static enum status ledger_count_stored(struct kv_txn *txn, enum rollup_period kind, uint32_t from,
                                       uint32_t to, uint64_t *stored)
{
    for (enum rollup_dim dim = ROLLUP_MODEL; dim < ROLLUP_DIM_END; dim++) {
        struct rollup_walk walk;
        struct rollup_row row;
        enum status status;
        TRY(rollup_walk_open(&walk, txn, kind, dim, NULL, NULL, from, to));
        while ((status = rollup_walk_next(&walk, &row)) == ST_OK)
            ++*stored;
        rollup_walk_close(&walk);
        if (status != ST_END)
            return status;
    }
    return ST_OK;
}

enum status ledger_verify_day(struct kv_txn *txn, uint32_t day, struct ledger_check *out)
{
    struct ledger_check check = {0};
    struct rollups sums;
    struct arena arena;
    uint32_t first_day;
    uint64_t stored = 0;
    enum status status;
    TRY(ledger_first_day(txn, &first_day));
    if (day < first_day || day > UINT16_MAX)
        return ST_RANGE;
    arena_init(&arena, LEDGER_VERIFY_BYTES);
    TRY_OUT(rollups_init(&sums, &arena, LEDGER_VERIFY_SUMS));
    TRY_OUT(ledger_add_day(txn, day, &sums, &check.events));
    TRY_OUT(rollups_compare(&sums, txn, &check.different, &check.missing));
    TRY_OUT(ledger_count_stored(txn, ROLLUP_DAY, day, day + 1, &stored));
    TRY_OUT(ledger_count_stored(txn, ROLLUP_HOUR, day * LEDGER_DAY_HOURS,
                                (day + 1) * LEDGER_DAY_HOURS, &stored));
    check.rows = sums.count;
    check.extra = stored - (sums.count - check.missing);
    *out = check;
out:
    arena_free(&arena);
    return status;
}

enum status ledger_days(struct kv_txn *txn, uint32_t *first, uint32_t *last)
{
    struct kv_cursor *cursor;
    struct key end;
    struct str key, row, last_key;
    TRY(kv_cursor_open(txn, KV_EVENTS, &cursor));
    kv_cursor_seek(cursor, STR_NONE);
    enum status status = kv_cursor_next(cursor, &key, &row);
    if (status == ST_OK) {
        key_init(&end);
        key_add_u64(&end, UINT64_MAX);
        kv_cursor_seek_last(cursor, key_str(&end));
        status = kv_cursor_prev(cursor, &last_key, &row);
    }
    if (status == ST_OK && (key.n != LEDGER_EVENT_KEY || last_key.n != LEDGER_EVENT_KEY))
        status = ST_BAD_FORMAT;
    if (status == ST_OK) {
        *first = key_get_u16(key.p);
        *last = key_get_u16(last_key.p);
    }
    kv_cursor_close(cursor);
    return status == ST_END ? ST_NOT_FOUND : status;
}

/* --- dropping ------------------------------------------------------------------------------------
 */

static enum status ledger_keep_from(struct write_op *op, uint32_t day)
{
    struct key key;
    uint8_t row[2];
    uint32_t first_day;
    TRY(ledger_first_day(op->txn, &first_day));
    if (day <= first_day)
        return ST_OK;
    key_init_meta(&key, KEY_META_LEDGER);
    key_put_u16(row, (uint16_t)day);
    return kv_put(op->txn, KV_MAIN, key_str(&key), str_of((const char *)row, sizeof row));
}

static enum status ledger_delete_key(struct kv_txn *txn, enum kv_table table, struct str key)
{
    struct key copy; /* a key that the engine lent does not outlive the page it is deleted from */
    key_init(&copy);
    key_add_bytes(&copy, key.p, key.n);
    return kv_delete(txn, table, key_str(&copy));
}

/* Deletes one raw event; what it settled is noted by whom the sum stays. */
static enum status ledger_drop_event(struct write_op *op, struct str key, struct str row,
                                     struct settle *dropped)
{
    Sluice__UsageEvent *event;
    struct arena scratch;
    arena_init(&scratch, LEDGER_ROW_BYTES);
    enum status status = wire_unpack(&sluice__usage_event__descriptor, row, &scratch, &event);
    if (status == ST_OK)
        status = settle_add(dropped, event);
    arena_free(&scratch);
    return status == ST_OK ? ledger_delete_key(op->txn, KV_EVENTS, key) : status;
}

enum status ledger_drop_events(struct write_op *op, uint32_t day, size_t rows, bool *left)
{
    struct kv_cursor *cursor;
    struct settle dropped;
    struct str key, row;
    enum status status;
    bool some_left = false;
    op->no_revision = true;
    if (day > UINT16_MAX)
        return ST_RANGE;
    TRY(ledger_keep_from(op, day));
    TRY(settle_init(&dropped, op->arena, rows * SETTLE_RESERVES_MAX));
    TRY(kv_cursor_open(op->txn, KV_EVENTS, &cursor));
    kv_cursor_seek(cursor, STR_NONE);
    while ((status = kv_cursor_next(cursor, &key, &row)) == ST_OK && key.n == LEDGER_EVENT_KEY &&
           key_get_u16(key.p) < day) {
        if (rows == 0) {
            some_left = true;
            break;
        }
        rows--;
        status = ledger_drop_event(op, key, row, &dropped);
        if (status != ST_OK)
            break;
    }
    kv_cursor_close(cursor);
    if (status != ST_OK && status != ST_END)
        return status;
    *left = some_left;
    return settle_drop(&dropped, op);
}

/* Deletes rows of one dim; `rows` is what is left of the budget. */
static enum status ledger_drop_dim(struct write_op *op, enum rollup_period kind,
                                   enum rollup_dim dim, uint32_t period, size_t *rows, bool *left)
{
    struct rollup_walk walk;
    struct rollup_row row;
    enum status status;
    TRY(rollup_walk_open(&walk, op->txn, kind, dim, NULL, NULL, 0, period));
    while ((status = rollup_walk_next(&walk, &row)) == ST_OK) {
        if (*rows == 0) {
            *left = true;
            break;
        }
        --*rows;
        status = ledger_delete_key(op->txn, KV_MAIN, walk.key);
        if (status != ST_OK)
            break;
    }
    rollup_walk_close(&walk);
    return status == ST_END ? ST_OK : status;
}

enum status ledger_drop_sums(struct write_op *op, enum rollup_period kind, bool labels,
                             uint32_t period, size_t rows, bool *left)
{
    bool some_left = false;
    uint32_t first_day;
    op->no_revision = true;
    TRY(ledger_first_day(op->txn, &first_day));
    if (period > (kind == ROLLUP_DAY ? first_day : first_day * LEDGER_DAY_HOURS))
        return ST_RANGE;
    for (enum rollup_dim dim = labels ? ROLLUP_LABEL : ROLLUP_MODEL;
         dim < ROLLUP_DIM_END && !some_left; dim++)
        TRY(ledger_drop_dim(op, kind, dim, period, &rows, &some_left));
    *left = some_left;
    return ST_OK;
}
