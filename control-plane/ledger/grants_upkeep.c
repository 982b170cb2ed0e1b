/* grants_upkeep.c: what time makes due, whether or not a node asks.
 *
 *   ends    epochs whose period is over are ended, so that they are told and shown, also when
 *           nobody uses them any more
 *   boots   silent ones are written off; quiet ones share no limits; ended ones are dropped; those
 *           without holdings forgotten
 *   purge   books of ended epochs whose entries are dropped, counters of which nothing is left
 *
 * Everything here would be right without it: whoever looks sees the period's end, and an unused row
 * harms nobody. So nothing is urgent; operations are small, and a failure waits for the next turn.
 */
#include "common/clock.h"
#include "common/log.h"
#include "control-plane/ledger/alerts.h"
#include "control-plane/ledger/boot.h"
#include "control-plane/ledger/ledger.h"
#include "control-plane/ledger/lend.h"
#include "control-plane/ledger/lost.h"

#define UPKEEP_ENDS     128u
#define UPKEEP_BOOTS    64u
#define UPKEEP_PURGE    1000u
#define UPKEEP_ALERTS   500u
#define UPKEEP_BYTES    ((size_t)16 << 20)
#define UPKEEP_FRESH_MS INT64_C(86400000) /* a counter is kept at least so long */

struct upkeep {
    struct grants *grants;
    struct boot_name boot; /* the newest one looked at */
    bool left;
};

/* --- ends --- */

struct due {
    struct id counter;
    int64_t ends_ms;
};

static enum status find_due(struct kv_txn *txn, int64_t now_ms, struct due *list, size_t *count)
{
    struct kv_cursor *cursor;
    struct key table;
    struct str key, row;
    enum status status;
    size_t n = 0;
    book_key(&table, BOOK_ENDS);
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&table));
    while (n < UPKEEP_ENDS && (status = kv_cursor_next(cursor, &key, &row)) == ST_OK) {
        if (!str_starts(key, key_str(&table)) || key.n != table.n + 8 + ID_BYTES)
            break;
        list[n].ends_ms = (int64_t)key_get_u64(key.p + table.n);
        memcpy(list[n].counter.b, key.p + table.n + 8, ID_BYTES);
        if (list[n].ends_ms > now_ms)
            break;
        n++;
    }
    kv_cursor_close(cursor);
    *count = n;
    return status == ST_END ? ST_OK : status;
}

/* An entity that is gone, or whose limit cannot be read, is looked at again when it is used. */
static enum status end_due(struct write_op *op, void *arg)
{
    struct upkeep *upkeep = arg;
    struct due list[UPKEEP_ENDS];
    size_t count;
    op->no_revision = true;
    TRY(find_due(op->txn, op->now_ms, list, &count));
    for (size_t i = 0; i < count; i++) {
        struct epoch epoch;
        enum status status = epoch_open_id(op, &list[i].counter, &epoch);
        if (status != ST_OK && status != ST_NOT_FOUND && status != ST_INVALID &&
            status != ST_TOO_LARGE)
            return status;
        if (status != ST_OK || epoch.book.ends_ms != list[i].ends_ms)
            TRY(book_end_forget(op->txn, &list[i].counter, list[i].ends_ms));
    }
    upkeep->left = count == UPKEEP_ENDS;
    return ST_OK;
}

/* --- boots --- */

/* Silence counts while we could have heard: not from before we started. */
static enum status look_at_silence(struct write_op *op, const struct grants *grants,
                                   const struct boot_name *name, const struct boot *row)
{
    struct lost_result result = {.boots = 0};
    int64_t since_ms = row->heard_ms > row->seen_ms ? row->heard_ms : row->seen_ms;
    bool left;
    if (since_ms < grants->started_ms)
        since_ms = grants->started_ms;
    if ((row->flags & BOOT_LOST) != 0 ||
        grants_time(grants) - since_ms < grants->options.node_lost_after_ms)
        return ST_OK;
    TRY(lost_boot(op, name, &result, &left));
    if (result.counters > 0)
        log_error("node_lost", LOG_ID("node", &name->node), LOG_U64("boot", name->boot),
                  LOG_U64("counters", result.counters));
    return ST_OK;
}

static enum status look_at_boot(struct write_op *op, const struct grants *grants,
                                const struct boot_name *name)
{
    struct ledger_watermark mark;
    struct boot row;
    bool left;
    TRY(boot_get(op->txn, &name->node, name->boot, &row));
    if (grants_reachable(grants, &name->node, name->boot))
        TRY(boot_seen(op, &name->node, name->boot, grants_time(grants)));
    else
        TRY(look_at_silence(op, grants, name, &row));
    if (grants_time(grants) - row.heard_ms < GRANTS_QUIET_MS)
        return ST_OK;
    if ((row.flags & BOOT_ENDING) != 0) {
        TRY(ledger_watermark(op->txn, &name->node, name->boot, &mark));
        TRY(boot_settled(op, &name->node, name->boot, mark.through_seq, &left));
    }
    if ((row.flags & BOOT_QUIET) == 0)
        TRY(boot_quiet(op, &name->node, name->boot));
    enum status status = ST_IN_USE;
    if (grants_time(grants) - row.heard_ms > GRANTS_KEEP_MS)
        status = boot_forget(op, &name->node, name->boot);
    return status == ST_IN_USE ? ST_OK : status;
}

static enum status look_at_boots(struct write_op *op, void *arg)
{
    struct upkeep *upkeep = arg;
    struct boot_name list[UPKEEP_BOOTS];
    size_t count;
    op->no_revision = true;
    TRY(boot_list(op->txn, &upkeep->boot, list, UPKEEP_BOOTS, &count));
    for (size_t i = 0; i < count; i++)
        TRY(look_at_boot(op, upkeep->grants, &list[i]));
    upkeep->left = count == UPKEEP_BOOTS;
    if (count > 0)
        upkeep->boot = list[count - 1];
    return ST_OK;
}

/* --- purge --- */

struct purged {
    struct id counter;
    uint64_t epoch;
};

/* May a book go that was closed at closed_ms? An unused one soon, others when no entry is left. */
static bool may_go(const struct book *book, int64_t now_ms)
{
    bool unused = book->settled == 0 && book->dropped == 0 && book->lost == 0;
    return book->outstanding == 0 && book->settled == book->dropped &&
           book->lost == book->lost_dropped && book->adopted == 0 &&
           now_ms - book->closed_ms > (unused ? UPKEEP_FRESH_MS : GRANTS_KEEP_MS);
}

static enum status drop_holdings(struct write_op *op, const struct purged *at, struct book *book)
{
    struct holding_walk walk;
    struct holding_name name;
    struct holding holding;
    enum status status;
    TRY(holding_walk_epoch(&walk, op->txn, &at->counter, at->epoch));
    while ((status = holding_walk_next(&walk, &name)) == ST_OK) {
        status = holding_get(op->txn, &name, &holding);
        if (status == ST_OK)
            status = holding_drop(op->txn, &name, &holding, book);
        if (status != ST_OK)
            break;
    }
    holding_walk_close(&walk);
    return status == ST_END ? ST_OK : status;
}

/* True if nothing is left of a counter but an empty current epoch. */
static enum status nothing_left(struct write_op *op, const struct purged *at,
                                const struct book *book, bool *empty)
{
    struct holding_walk walk;
    struct holding_name name;
    struct book zero;
    uint64_t other;
    *empty = false;
    if (book_taken(book) != 0 || book->settled != 0 ||
        op->now_ms - book->started_ms < UPKEEP_FRESH_MS ||
        op->now_ms - (int64_t)at->epoch < UPKEEP_FRESH_MS)
        return ST_OK;
    TRY(holding_walk_epoch(&walk, op->txn, &at->counter, at->epoch));
    enum status status = holding_walk_next(&walk, &name);
    holding_walk_close(&walk);
    if (status != ST_END)
        return status;
    if (book_newest(op->txn, &at->counter, at->epoch, &other) == ST_NOT_FOUND &&
        book_get(op->txn, &at->counter, 0, &zero) == ST_NOT_FOUND)
        *empty = true;
    return ST_OK;
}

static enum status purge_one(struct write_op *op, const struct purged *at)
{
    struct counter counter = {.epoch = 0};
    struct book book;
    bool empty;
    TRY(book_get(op->txn, &at->counter, at->epoch, &book));
    enum status status = counter_get(op->txn, &at->counter, &counter);
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    bool current = status == ST_OK && counter.epoch == at->epoch;
    if (at->epoch == 0 || (!current && book.closed_ms == 0))
        return ST_OK;
    if (!current && may_go(&book, op->now_ms)) {
        TRY(drop_holdings(op, at, &book));
        return book_drop(op->txn, &at->counter, at->epoch);
    }
    if (!current)
        return ST_OK;
    TRY(nothing_left(op, at, &book, &empty));
    if (!empty)
        return ST_OK;
    TRY(book_end_forget(op->txn, &at->counter, book.ends_ms));
    TRY(book_drop(op->txn, &at->counter, at->epoch));
    return counter_drop(op->txn, &at->counter, &counter);
}

/* The next books to look at, from where the last turn ended. */
static enum status find_books(struct kv_txn *txn, struct key *from, struct purged *list,
                              size_t *count)
{
    struct kv_cursor *cursor;
    struct key table;
    struct str key, row;
    enum status status = ST_OK;
    size_t n = 0;
    book_key(&table, BOOK_EPOCH);
    if (from->n == 0)
        *from = table;
    TRY(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(from));
    while (n < UPKEEP_PURGE && (status = kv_cursor_next(cursor, &key, &row)) == ST_OK) {
        if (!str_starts(key, key_str(&table)) || key.n != table.n + ID_BYTES + 8) {
            status = ST_END;
            break;
        }
        memcpy(list[n].counter.b, key.p + table.n, ID_BYTES);
        list[n++].epoch = key_get_u64(key.p + table.n + ID_BYTES);
        key_init(from);
        key_add_bytes(from, key.p, key.n);
    }
    kv_cursor_close(cursor);
    if (status == ST_END)
        key_init(from); /* from the beginning next time */
    *count = n;
    return status == ST_END ? ST_OK : status;
}

static enum status purge(struct write_op *op, void *arg)
{
    struct upkeep *upkeep = arg;
    size_t count;
    op->no_revision = true;
    struct purged *list = arena_calloc(op->arena, UPKEEP_PURGE, sizeof *list);
    if (list == NULL)
        return ST_NO_MEMORY;
    TRY(find_books(op->txn, &upkeep->grants->purge_from, list, &count));
    for (size_t i = 0; i < count; i++)
        TRY(purge_one(op, &list[i]));
    upkeep->left = false;
    return ST_OK;
}

/* Nodes that were removed will say nothing any more. */
static enum status look_at_recovery(struct write_op *op, void *arg)
{
    struct upkeep *upkeep = arg;
    struct recovery recovery;
    uint64_t missing;
    op->no_revision = true;
    upkeep->left = false;
    TRY(recovery_get(op->txn, &recovery));
    TRY(recovery_check(op, &recovery, &missing));
    if (missing > 0 && recovery_holds(&recovery, true, op->now_ms))
        log_warn("limits_recovering", LOG_U64("nodes", missing));
    return ST_OK;
}

static enum status drop_alerts(struct write_op *op, void *arg)
{
    struct upkeep *upkeep = arg;
    return alerts_drop(op, op->now_ms - ALERTS_KEEP_MS, UPKEEP_ALERTS, &upkeep->left);
}

/* --- all of it --- */

void grants_upkeep(struct grants *grants)
{
    CHECK_OBJ(grants, GRANTS_MAGIC);
    static const struct {
        const char *name;
        write_fn fn;
    } jobs[] = {{"recovery", look_at_recovery},

                {"ends", end_due},
                {"boots", look_at_boots},
                {"purge", purge},
                {"alerts", drop_alerts}};
    struct arena arena;
    arena_init(&arena, UPKEEP_BYTES);
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        struct upkeep upkeep = {.grants = grants, .left = true};
        enum status status = ST_OK;
        while (upkeep.left && status == ST_OK) {
            status = writer_run(grants->options.writer, NULL, &arena, jobs[i].fn, &upkeep, NULL);
            arena_free(&arena);
        }
        if (status != ST_OK)
            log_warn("limits_upkeep_failed", LOG_CSTR("job", jobs[i].name), LOG_STATUS(status));
    }
}
