/* grants_deal.c: what a row has, and who gets it.
 *
 *   pool = granted + adopted - returned + base - sum over columns (given - returned)
 *
 *   1. another host waits (Recall): what is beyond `keep` goes back as it comes in
 *   2. needs, the smallest first: a request waits for each
 *   3. wishes, in equal parts
 *   still a need, and other workers hold something: they return what they have not reserved, but
 * for the one that needs
 *
 * Invariant: given only grows, and only for living columns; the pool of a row is never given twice,
 * because each step writes one word from which it follows.
 */
#include "data-plane/courier/grants_internal.h"

static bool is_living(const struct grants *grants, uint32_t column)
{
    uint32_t state = atomic_load_explicit(&segment_column(&grants->segment, column)->state,
                                          memory_order_acquire);
    return state == COLUMN_LIVE || state == COLUMN_DRAINING;
}

static bool is_used(const struct grants *grants, uint32_t column)
{
    return atomic_load_explicit(&segment_column(&grants->segment, column)->state,
                                memory_order_acquire) != COLUMN_UNUSED;
}

static void sum_wishes(const struct account *account, uint32_t column, struct row_sums *sums)
{
    int64_t given = grants_get(&account->given);
    int64_t need = grants_less(grants_get(&account->need), given);
    int64_t want = grants_less(grants_get(&account->want), given);
    if (need > 0 && (sums->need == 0 || need < sums->need)) {
        sums->need = need;
        sums->needy = column;
    }
    if (want > 0 && __builtin_add_overflow(sums->wants, want, &sums->wants))
        sums->wants = INT64_MAX;
}

void grants_sum(const struct grants *grants, uint32_t at, struct row_sums *sums)
{
    const struct counter *counter = grants_counter(grants, at);
    int64_t held = 0;
    *sums = (struct row_sums){.needy = COUNTER_KEEPER_NONE};
    for (uint32_t column = 0; column < grants->segment.columns; column++) {
        if (segment_column(&grants->segment, column)->epoch == 0)
            continue; /* never used: looking would give it memory */
        const struct account *account = segment_account(&grants->segment, column, at);
        int64_t spent = grants_get(&account->spent);
        int64_t mine = grants_less(grants_get(&account->given), grants_get(&account->returned));
        held = grants_add(held, mine);
        sums->spent = grants_add(sums->spent, spent);
        if (atomic_load(&account->uses) == counter->generation && is_used(grants, column))
            sums->users++;
        if (!is_living(grants, column))
            continue;
        int64_t rest = grants_less(grants_less(mine, spent), grants_get(&account->held));
        sums->rests = grants_add(sums->rests, rest > 0 ? rest : 0);
        sum_wishes(account, column, sums);
    }
    int64_t base = grants_get(&counter->base);
    int64_t lent = grants_add(grants_get(&counter->granted), grants_get(&counter->adopted));
    lent = grants_less(lent, grants_get(&counter->returned));
    sums->spent = grants_less(sums->spent, base);
    sums->pool = grants_less(grants_add(lent, base), held);
}

/* --- telling --- */

static void tell(const struct grants *grants, uint32_t column, uint32_t kind, uint32_t at)
{
    const struct ipc_head message = {kind, at};
    uint32_t worker = segment_column(&grants->segment, column)->worker;
    if (worker < grants->segment.workers)
        grants->calls.tell(grants->calls.arg, worker, &message, sizeof message);
}

static void tell_users(const struct grants *grants, uint32_t at, uint32_t kind, uint32_t but)
{
    for (uint32_t column = 0; column < grants->segment.columns; column++) {
        if (column == but || !is_living(grants, column))
            continue;
        const struct account *account = segment_account(&grants->segment, column, at);
        if (atomic_load(&account->uses) != 0)
            tell(grants, column, kind, at);
    }
}

void grants_ring(const struct grants *grants, uint32_t at)
{
    tell_users(grants, at, IPC_GRANTED, COUNTER_KEEPER_NONE);
}

/* --- dealing --- */

static void give(const struct grants *grants, uint32_t column, uint32_t at, int64_t amount)
{
    struct account *account = segment_account(&grants->segment, column, at);
    grants_put(&account->given, grants_add(grants_get(&account->given), amount));
}

static void deal_needs(const struct grants *grants, uint32_t at, struct row_sums *sums)
{
    for (uint32_t i = 0; i < grants->segment.columns && sums->need > 0 && sums->need <= sums->pool;
         i++) {
        give(grants, sums->needy, at, sums->need);
        tell(grants, sums->needy, IPC_GRANTED, at);
        grants_sum(grants, at, sums);
    }
}

/* When nothing more comes, most stays in the pool: taking it back from a worker takes longer. */
static void deal_wishes(const struct grants *grants, uint32_t at, struct row_sums *sums)
{
    bool last = grants_counter(grants, at)->verdict == COUNTER_EXHAUSTED;
    uint32_t wishing = last ? 2 * grants->segment.workers : 0;
    for (uint32_t column = 0; column < grants->segment.columns; column++) {
        const struct account *account = segment_account(&grants->segment, column, at);
        wishing +=
            is_living(grants, column) && grants_get(&account->want) > grants_get(&account->given);
    }
    for (uint32_t column = 0; column < grants->segment.columns && wishing > 0; column++) {
        if (!is_living(grants, column))
            continue;
        const struct account *account = segment_account(&grants->segment, column, at);
        int64_t want = grants_less(grants_get(&account->want), grants_get(&account->given));
        if (want <= 0)
            continue;
        int64_t share = sums->pool / wishing;
        wishing -= !last;
        share = want < share ? want : share;
        if (share <= 0)
            continue;
        give(grants, column, at, share);
        sums->pool -= share;
        sums->wants -= share;
    }
}

/* Others on this host hold what a request here waits for. */
static void recall_others(struct grants *grants, const struct grants_now *now, uint32_t at,
                          const struct row_sums *sums, uint32_t keeper)
{
    struct counter *counter = grants_counter(grants, at);
    struct row *row = &grants->rows[at];
    bool lately = now->mono_ms - row->recalled_ms < GRANTS_RECALL_MS;
    if (sums->rests == 0 || (lately && counter->recall_keeper == keeper))
        return;
    row->recalled_ms = now->mono_ms;
    counter->recall_keeper = keeper;
    atomic_fetch_add(&counter->recall, 1);
    tell_users(grants, at, IPC_RECALL, keeper);
}

/* What another host waits for: all that is not reserved here, but for `keep`. */
static void let_back(struct grants *grants, const struct grants_now *now, uint32_t at,
                     struct row_sums *sums)
{
    struct row *row = &grants->rows[at];
    struct counter *counter = grants_counter(grants, at);
    if (row->keep < 0 || now->mono_ms >= row->keep_until_ms)
        return;
    int64_t beyond = grants_less(grants_add(sums->pool, sums->rests), row->keep);
    int64_t back = beyond < sums->pool ? beyond : sums->pool;
    if (back > 0) {
        grants_put(&counter->returned, grants_add(grants_get(&counter->returned), back));
        sums->pool -= back;
        grants_todo(grants, at);
        grants->calls.wake(grants->calls.arg);
    }
    if (beyond > back)
        recall_others(grants, now, at, sums, COUNTER_KEEPER_NONE);
}

void grants_deal(struct grants *grants, const struct grants_now *now, uint32_t at)
{
    struct counter *counter = grants_counter(grants, at);
    struct row_sums sums;
    grants_sum(grants, at, &sums);
    let_back(grants, now, at, &sums);
    if (grants_state(grants, at) != COUNTER_LIVE || grants_is_over(counter, now))
        return;
    deal_needs(grants, at, &sums);
    if (sums.need == 0 && sums.pool > 0)
        deal_wishes(grants, at, &sums);
    if (sums.need > 0)
        recall_others(grants, now, at, &sums, sums.needy);
    if (sums.need > 0 || sums.wants > 0) {
        grants_todo(grants, at);
        grants->calls.wake(grants->calls.arg);
    }
}

/* --- closing --- */

/* No account uses the row: debts of standard limits are given, so that all of them hold nothing. */
static void balance(const struct grants *grants, uint32_t at)
{
    for (uint32_t column = 0; column < grants->segment.columns; column++) {
        if (segment_column(&grants->segment, column)->epoch == 0)
            continue;
        struct account *account = segment_account(&grants->segment, column, at);
        int64_t mine = grants_less(grants_get(&account->given), grants_get(&account->returned));
        int64_t debt = grants_less(grants_get(&account->spent), mine);
        if (debt > 0)
            give(grants, column, at, debt);
    }
}

static bool may_close(struct grants *grants, const struct grants_now *now, uint32_t at,
                      const struct row_sums *sums)
{
    struct row *row = &grants->rows[at];
    const struct counter *counter = grants_counter(grants, at);
    bool tight = atomic_load(&grants->segment.head->status.counters_tight) != 0;
    if (grants_is_over(counter, now))
        return true;
    if (sums->users > 0)
        row->unused_ms = 0;
    else if (row->unused_ms == 0)
        row->unused_ms = now->mono_ms;
    return grants->ending ||
           (row->unused_ms != 0 && (tight || now->mono_ms - row->unused_ms >= GRANTS_UNUSED_MS));
}

void grants_close_row(struct grants *grants, const struct grants_now *now, uint32_t at)
{
    struct counter *counter = grants_counter(grants, at);
    struct row_sums sums;
    uint32_t state = grants_state(grants, at);
    grants_sum(grants, at, &sums);
    if (state == COUNTER_LIVE && may_close(grants, now, at, &sums)) {
        /* Sequentially consistent: a worker that announces itself now sees it, or we see the
         * worker. */
        atomic_store(&counter->state, COUNTER_CLOSING);
        state = COUNTER_CLOSING;
        grants_sum(grants, at, &sums);
        tell_users(grants, at, IPC_GRANTED, COUNTER_KEEPER_NONE);
    }
    if (state != COUNTER_CLOSING || sums.users > 0)
        return;
    balance(grants, at);
    if (counter->epoch == 0) {
        grants_free_row(grants, at);
        return;
    }
    if (grants_get(&counter->heard_ms) < grants->rows[at].sent_ms) {
        grants->rows[at].ask = true; /* what the answer that is missing gave must be heard first */
        grants_todo(grants, at);
        return;
    }
    grants_sum(grants, at, &sums);
    if (sums.pool > 0)
        grants_put(&counter->returned, grants_add(grants_get(&counter->returned), sums.pool));
    atomic_store(&counter->state, COUNTER_LEAVING);
    grants->rows[at].ask = true;
    grants_todo(grants, at);
    grants->calls.wake(grants->calls.arg);
}
