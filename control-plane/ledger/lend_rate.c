/* lend_rate.c: lending permits: of rates, and of concurrency.
 *
 *   rates        admitted in the window (rate.h) + outstanding <= value
 *                with burst also:  outstanding <= level
 *   concurrency  outstanding <= value
 *
 * A permit of a rate is outstanding from the commit that lends it until the node says that it was
 * spent or gave it back; said spent, it is entered into the window at that moment, which is not
 * before the node used it. So at every instant, whatever messages are lost, no trailing window
 * holds more than value. Of a burst the same holds for the token bucket: permits are drawn from the
 * level when they are said spent, and until then they fit into it.
 *
 * Permits are leased: the node counts the lease from when it sent the request, we from when it is
 * answered, so it stops first. What a silent node held of a rate counts for one window more than
 * its lease (it may all have been spent at the end of it); of concurrency until what it may have
 * started at the end of its lease must be over. Then it counts no more, unless the node comes back
 * and says otherwise.
 */
#include "control-plane/ledger/lend.h"
#include "control-plane/ledger/rate.h"

#define RATE_LEASE_PARTS  32
#define RATE_LEASE_MIN_MS 200
#define RATE_LEASE_MAX_MS 60000
#define NOW_LEASE_MS      30000
#define NOW_RETRY_MS      100u

static int64_t lease_of(int64_t window_ms)
{
    int64_t lease_ms = window_ms / RATE_LEASE_PARTS;
    if (lease_ms < RATE_LEASE_MIN_MS)
        return RATE_LEASE_MIN_MS;
    return lease_ms < RATE_LEASE_MAX_MS ? lease_ms : RATE_LEASE_MAX_MS;
}

/* --- silent holders --- */

/* Closes holdings that were last heard before `before_ms`. Looks at most once in GRANTS_RECALL_MS.
 */
static enum status sweep(struct lend *lend, int64_t before_ms)
{
    struct book *book = &lend->epoch->book;
    struct holding_walk walk;
    struct holding_name name;
    enum status status;
    if (book->outstanding == lend->rest ||
        (lend->time_ms >= book->swept_ms && lend->time_ms - book->swept_ms < GRANTS_RECALL_MS))
        return ST_OK;
    book->swept_ms = lend->time_ms;
    TRY(holding_walk_epoch(&walk, lend->op->txn, &lend->name.counter, lend->name.epoch));
    while ((status = holding_walk_next(&walk, &name)) == ST_OK) {
        struct holding before, after;
        bool self = id_eq(&name.node, &lend->name.node) && name.boot == lend->name.boot;
        status = holding_get(lend->op->txn, &name, &before);
        if (status != ST_OK)
            break;
        if (self || before.heard_ms >= before_ms || (before.flags & HOLDING_CLOSED) != 0)
            continue;
        after = before;
        after.flags |= HOLDING_CLOSED;
        after.flags &= (uint8_t)~HOLDING_ACTIVE;
        status = holding_put(lend->op->txn, &name, &before, &after, book);
        if (status != ST_OK)
            break;
    }
    holding_walk_close(&walk);
    return status == ST_END ? ST_OK : status;
}

/* --- rates --- */

/* Corrections that were not applied yet. bucket_ms is UTC, the window's time is not. */
static void take_corrections(struct lend *lend, struct rate *rate, int64_t window_ms)
{
    const Sluice__Grant *asked = lend->asked;
    if (asked == NULL)
        return;
    int64_t shift_ms = lend->time_ms - lend->op->now_ms;
    for (size_t i = 0; i < asked->n_bucket_ms; i++) {
        if (asked->corrections + i <= lend->holding->corrections)
            continue;
        int64_t at_ms = asked->bucket_ms[i] > (uint64_t)lend->op->now_ms
                            ? lend->op->now_ms
                            : (int64_t)asked->bucket_ms[i];
        rate_correct(rate, window_ms, at_ms + shift_ms, asked->bucket_add[i]);
        rate->level = book_sum(rate->level, -asked->bucket_add[i]);
        lend->holding->corrections = asked->corrections + i;
    }
}

static int64_t window_free(const struct lend *lend, const struct rate *rate)
{
    int64_t taken = book_sum(rate_sum(rate), lend->epoch->book.outstanding);
    return book_sum(lend->epoch->counter.limit, -taken);
}

static int64_t rate_free(const struct lend *lend, const struct rate *rate)
{
    int64_t free = window_free(lend, rate);
    int64_t level = book_sum(rate->level, -lend->epoch->book.outstanding);
    if (lend->epoch->counter.burst > 0 && level < free)
        free = level;
    return free > 0 ? free : 0;
}

/* Could the need ever be lent? */
static bool fits(const struct lend *lend)
{
    const struct counter *counter = &lend->epoch->counter;
    return lend->need <= counter->limit && (counter->burst == 0 || lend->need <= counter->burst);
}

/* When there may be room for the need, as far as time alone makes it. */
static uint32_t retry_after(const struct lend *lend, const struct rate *rate, int64_t window_ms)
{
    const struct counter *counter = &lend->epoch->counter;
    int64_t missing = lend->need - window_free(lend, rate), wait_ms = 1, level_ms = 0;
    int64_t over = book_sum(lend->epoch->book.outstanding, lend->need) - rate->level;
    if (missing > 0)
        wait_ms = rate_until(rate, window_ms, lend->time_ms, missing);
    if (wait_ms < 0) /* what is outstanding must come back first */
        wait_ms = lease_of(window_ms) / 4;
    if (counter->burst > 0 && over > 0)
        level_ms = rate_until_level(counter->limit, window_ms, over);
    if (!fits(lend))
        wait_ms = window_ms;
    if (level_ms > wait_ms)
        wait_ms = level_ms;
    return wait_ms < 1 ? 1 : wait_ms > INT32_MAX ? INT32_MAX : (uint32_t)wait_ms;
}

static enum status size_rate(struct lend *lend, struct rate *rate, int64_t window_ms,
                             struct lent *lent)
{
    int64_t free = rate_free(lend, rate);
    bool possible;
    if (lend->need > free) {
        TRY(sweep(lend, lend->time_ms - window_ms - lease_of(window_ms)));
        free = rate_free(lend, rate);
    }
    lent->verdict = SLUICE__GRANT_VERDICT__GRANT_OK;
    if (lend->need <= free) {
        lent->give = lend_size(free, lend->need, lend->wanted, lend->epoch->book.holders);
        return ST_OK;
    }
    TRY(lend_recall(lend, lend->need - free, false, &possible));
    lent->retry_after_ms = possible ? GRANTS_WAIT_MS : retry_after(lend, rate, window_ms);
    bool soon = possible || (fits(lend) && lent->retry_after_ms <= GRANTS_SOON_MS);
    lent->verdict =
        soon ? SLUICE__GRANT_VERDICT__GRANT_WAIT : SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED;
    return ST_OK;
}

enum status lend_rate(struct lend *lend, struct lent *lent)
{
    const struct counter *counter = &lend->epoch->counter;
    int64_t window_ms = limit_window_ms((enum limit_window)counter->owner.ref.window);
    struct rate rate;
    TRY(rate_get(lend->op->txn, &lend->name.counter, lend->name.epoch, &rate));
    rate_advance(&rate, window_ms, lend->time_ms);
    rate_refill(&rate, counter->limit, counter->burst, window_ms, lend->time_ms);
    rate_add(&rate, lend->spent);
    rate.level = book_sum(rate.level, -lend->spent);
    take_corrections(lend, &rate, window_ms);
    *lent = (struct lent){.lease_ms = (uint32_t)lease_of(window_ms)};
    int64_t until_ms = book_sum(lend->work->recovery.restored_ms, window_ms + lease_of(window_ms));
    if (!lend_holds(lend, until_ms, lent))
        TRY(size_rate(lend, &rate, window_ms, lent));
    lent->used = rate_sum(&rate);
    return rate_put(lend->op->txn, &lend->name.counter, lend->name.epoch, &rate);
}

/* --- concurrency --- */

static int64_t permits_free(const struct lend *lend)
{
    const struct book *book = &lend->epoch->book;
    return book->outstanding < book->limit ? book->limit - book->outstanding : 0;
}

enum status lend_permits(struct lend *lend, struct lent *lent)
{
    int64_t silent_ms = NOW_LEASE_MS + lend->work->grants->options.request_max_ms;
    int64_t free = permits_free(lend);
    bool possible;
    *lent = (struct lent){.lease_ms = NOW_LEASE_MS, .verdict = SLUICE__GRANT_VERDICT__GRANT_OK};
    if (lend_holds(lend, book_sum(lend->work->recovery.restored_ms, silent_ms), lent))
        return ST_OK;
    if (lend->need > free) {
        TRY(sweep(lend, lend->time_ms - silent_ms));
        free = permits_free(lend);
    }
    if (lend->need <= free) {
        lent->give = lend_size(free, lend->need, lend->wanted, lend->epoch->book.holders);
        return ST_OK;
    }
    TRY(lend_recall(lend, lend->need - free, false, &possible));
    lent->verdict =
        possible ? SLUICE__GRANT_VERDICT__GRANT_WAIT : SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED;
    lent->retry_after_ms = possible ? GRANTS_WAIT_MS : NOW_RETRY_MS;
    return ST_OK;
}
