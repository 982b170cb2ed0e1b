/* lend.c: sizes of grants, and asking them back.
 *
 * Grants shrink geometrically: one takes at most a quarter of a node's fair share of what is free,
 * so the last of a budget is handed out in small pieces, near where it is used. What is lent to a
 * node that does not need it comes back by a recall when somebody else would be refused for lack of
 * it; holders that cannot be reached now are not waited for.
 */
#include "control-plane/ledger/lend.h"

#include "common/guard.h"

#define LEND_SHARE_PARTS 4

int64_t lend_size(int64_t free, int64_t need, int64_t wanted, uint32_t nodes)
{
    int64_t share = free / (LEND_SHARE_PARTS * (int64_t)(nodes > 0 ? nodes : 1));
    int64_t size = wanted < share ? wanted : share;
    if (size < need)
        size = need;
    return size < free ? size : free;
}

bool lend_holds(const struct lend *lend, int64_t until_ms, struct lent *lent)
{
    if (lend->op->now_ms >= until_ms ||
        !recovery_holds(&lend->work->recovery, true, lend->op->now_ms))
        return false;
    lent->verdict =
        lend->need > 0 ? SLUICE__GRANT_VERDICT__GRANT_WAIT : SLUICE__GRANT_VERDICT__GRANT_OK;
    lent->retry_after_ms = lend->need > 0 ? GRANTS_SOON_MS : 0;
    return true;
}

/* --- recalls --- */

struct holder {
    struct holding_name name;
    int64_t rest;
};
struct holders {
    struct holder *list;
    size_t count;
    int64_t sum;
};

/* Everybody who holds something and can be reached; the asking node only if `own`. */
static enum status find_holders(struct lend *lend, bool own, struct holders *holders)
{
    struct grants_work *work = lend->work;
    struct holding_walk walk;
    struct holding_name name;
    size_t room = GRANTS_RECALLS_MAX - work->recall_count;
    enum status status;
    if (work->holders == NULL)
        work->holders = arena_calloc(lend->op->arena, GRANTS_RECALLS_MAX, sizeof *work->holders);
    if (work->holders == NULL)
        return ST_NO_MEMORY;
    *holders = (struct holders){.list = work->holders};
    TRY(holding_walk_epoch(&walk, lend->op->txn, &lend->name.counter, lend->name.epoch));
    while ((status = holding_walk_next(&walk, &name)) == ST_OK && holders->count < room) {
        struct holding holding;
        status = holding_get(lend->op->txn, &name, &holding);
        if (status != ST_OK)
            break;
        int64_t rest = holding_rest(&holding);
        bool self = id_eq(&name.node, &lend->name.node) && name.boot == lend->name.boot;
        if ((self && !own) || rest == 0 || (holding.flags & (HOLDING_LOST | HOLDING_CLOSED)) != 0 ||
            !grants_reachable(work->grants, &name.node, name.boot))
            continue;
        holders->list[holders->count++] = (struct holder){name, rest};
        holders->sum = book_sum(holders->sum, rest);
    }
    holding_walk_close(&walk);
    return status == ST_END ? ST_OK : status;
}

static enum status add_recall(struct lend *lend, const struct holding_name *name, int64_t keep)
{
    struct grants_work *work = lend->work;
    if (work->recalls == NULL) {
        work->recalls = arena_calloc(lend->op->arena, GRANTS_RECALLS_MAX, sizeof *work->recalls);
        if (work->recalls == NULL)
            return ST_NO_MEMORY;
    }
    CHECK(work->recall_count < GRANTS_RECALLS_MAX);
    work->recalls[work->recall_count++] =
        (struct grants_recall){name->node, name->counter, name->boot, name->epoch, keep};
    return ST_OK;
}

/* What each may keep, so that `missing` comes back. */
static int64_t fair_keep(const struct lend *lend, const struct holders *holders, int64_t missing)
{
    const struct book *book = &lend->epoch->book;
    int64_t left = book_sum(book->limit, -book_sum(book->settled, book->lost));
    int64_t keep = left > 0 ? lend_size(left, 0, left, book->holders) : 0, back = 0;
    for (size_t i = 0; i < holders->count; i++)
        if (holders->list[i].rest > keep)
            back = book_sum(back, holders->list[i].rest - keep);
    return back >= missing ? keep : 0;
}

static bool lately(const struct lend *lend, int64_t at_ms)
{
    bool now = lend->epoch->counter.owner.ref.window == LIMIT_NOW;
    return lend->time_ms >= at_ms &&
           lend->time_ms - at_ms < (now ? GRANTS_RECALL_NOW_MS : GRANTS_RECALL_MS);
}

enum status lend_recall(struct lend *lend, int64_t missing, bool own, bool *possible)
{
    struct book *book = &lend->epoch->book;
    struct holders holders;
    int64_t held = own ? book->outstanding : book->outstanding - lend->rest;
    *possible = lately(lend, book->recalled_ms); /* asked a moment ago, and not yet answered */
    if (held < missing || lend->work->recall_count == GRANTS_RECALLS_MAX)
        *possible = false;
    else if (!*possible && !lately(lend, book->fruitless_ms)) {
        TRY(find_holders(lend, own, &holders));
        *possible = holders.sum >= missing;
        *(*possible ? &book->recalled_ms : &book->fruitless_ms) = lend->time_ms;
        int64_t keep = fair_keep(lend, &holders, missing);
        for (size_t i = 0; *possible && i < holders.count; i++)
            if (holders.list[i].rest > keep)
                TRY(add_recall(lend, &holders.list[i].name, keep));
    }
    return ST_OK;
}

/* --- budgets --- */

enum status lend_budget(struct lend *lend, struct lent *lent)
{
    const struct book *book = &lend->epoch->book;
    int64_t taken = GUARD_OFF("shared") ? book->settled : book_taken(book);
    int64_t free = taken < book->limit ? book->limit - taken : 0;
    bool strict = lend->epoch->counter.strict, possible;
    *lent = (struct lent){.verdict = SLUICE__GRANT_VERDICT__GRANT_OK};
    if (strict && lend_holds(lend, INT64_MAX, lent))
        return ST_OK;
    if (taken > book->limit && book->outstanding > 0) { /* it was lowered */
        int64_t over = taken - book->limit;
        TRY(lend_recall(lend, over < book->outstanding ? over : book->outstanding, true,
                        &possible));
    }
    if (lend->need <= free) {
        lent->give = lend_size(free, lend->need, lend->wanted, book->holders);
        return ST_OK;
    }
    if (!strict && free > 0) {
        lent->give = free;
        return ST_OK;
    }
    /* Standard limits go on with any positive amount. */
    TRY(lend_recall(lend, strict ? lend->need - free : 1, false, &possible));
    lent->verdict =
        possible ? SLUICE__GRANT_VERDICT__GRANT_WAIT : SLUICE__GRANT_VERDICT__GRANT_EXHAUSTED;
    lent->retry_after_ms = possible ? GRANTS_WAIT_MS : 0;
    return ST_OK;
}
