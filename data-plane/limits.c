/* limits.c: taking from all limits of a request, or from none; and asking for more before it is
 * needed.
 *
 *   every use:  judge -> ready, or counted locally, or no such limit
 *                     -> blocked: asked for       -> nothing is taken, ST_AGAIN
 *                     -> refused                  -> nothing is taken, and by which
 *   all ready:  take
 *
 * Invariant: limits_take changes nothing unless it takes everything. Must never: wait, or make a
 * system call of its own (the calls ring a doorbell, at most once a second per row and need).
 */
#include "common/guard.h"
#include "common/money.h"
#include "data-plane/limits_internal.h"

#define FRESH_MS       1000 /* a verdict is believed so long without asking again */
#define QUICK_MS       1000 /* a grant that was used up faster was too small */
#define AHEAD_REQUESTS 4    /* asked for beyond need, in requests like this one */
#define LOCAL_DEPTH    8 /* a local bucket holds this part of what a host may admit in a window */

/* --- asking --- */

/* How fast grants are used up decides how much is asked for. */
static void note_grant(struct limits *limits, uint32_t row, const struct limits_now *now)
{
    struct mine *mine = &limits->mine[row];
    int64_t given = limits_get(&limits_account(limits, row)->given),
            more = given - mine->given_seen;
    if (more <= 0)
        return;
    bool quick = mine->given_ms != 0 && now->mono_ms - mine->given_ms < QUICK_MS;
    mine->chunk = quick ? 2 * more : more;
    mine->given_seen = given;
    mine->given_ms = now->mono_ms;
}

static void ring(struct limits *limits, uint32_t row, const struct limits_now *now)
{
    limits->mine[row].rang_ms = now->mono_ms;
    limits->calls.wish(limits->calls.arg, row);
}

/* A request waits for `missing` more. */
static void wish_need(struct limits *limits, uint32_t row, const struct limits_now *now,
                      const struct limit_use *use, int64_t missing)
{
    struct account *account = limits_account(limits, row);
    struct mine *mine = &limits->mine[row];
    int64_t given = limits_get(&account->given), need = given + missing,
            before = limits_get(&account->need);
    int64_t ahead = AHEAD_REQUESTS * use->amount;
    bool open = before > given && before <= need && now->mono_ms - mine->rang_ms < LIMITS_ASK_MS;
    if (open)
        return; /* the smallest need is known, and no answer is overdue */
    limits_put(&account->need, need);
    int64_t want = need + (ahead > mine->chunk ? ahead : mine->chunk);
    if (limits_get(&account->want) < want)
        limits_put(&account->want, want);
    ring(limits, row, now);
}

/* Ahead of need: when less than half of the last grant is left. */
static void wish_ahead(struct limits *limits, uint32_t row, const struct limits_now *now,
                       const struct limit_use *use)
{
    struct account *account = limits_account(limits, row);
    struct mine *mine = &limits->mine[row];
    int64_t given = limits_get(&account->given), ahead = AHEAD_REQUESTS * use->amount;
    int64_t chunk = mine->chunk > ahead ? mine->chunk : ahead;
    bool exhausted = atomic_load_explicit(&limits_counter(limits, row)->verdict,
                                          memory_order_relaxed) == COUNTER_EXHAUSTED;
    int64_t again_ms = exhausted || limits_get(&account->want) > given ? LIMITS_ASK_MS : 0;
    if (limits_available(limits, row) >= chunk / 2 || now->mono_ms - mine->rang_ms < again_ms)
        return;
    limits_put(&account->want, given + chunk);
    ring(limits, row, now);
}

/* --- taking --- */

enum judgement { JUDGE_READY, JUDGE_LOCAL, JUDGE_NONE, JUDGE_BLOCKED, JUDGE_REFUSED };

static enum status refusal_of(const struct limit_use *use)
{
    return limits_is_budget(use) ? ST_BUDGET_EXHAUSTED : ST_RATE_LIMITED;
}

/* What this worker may take beyond what it was given, of a counter nobody has spoken about. */
static int64_t starter_of(const struct limits *limits, const struct limit_use *use)
{
    int64_t host = use->limit.def.value / LIMITS_STARTER, most = LIMITS_STARTER_REQUESTS;
    if (use->limit.def.measure == LIMIT_COST)
        most = LIMITS_STARTER_NANOUSD;
    else if (use->limit.def.measure == LIMIT_TOKENS)
        most = LIMITS_STARTER_TOKENS;
    int64_t share = (host < most ? host : most) / limits->segment.workers;
    return share > 0 ? share : 1;
}

/* Nobody has spoken about the counter yet: a standard budget begins at once. */
static bool may_start(const struct limits *limits, uint32_t row, const struct limit_use *use)
{
    return limits_get(&limits_counter(limits, row)->heard_ms) == 0 && limits_is_budget(use) &&
           !use->strict && !use->deny && limits_available(limits, row) > -starter_of(limits, use);
}

/* The least that must be available. Standard budgets go on with anything that is left. */
static int64_t required_of(const struct limit_use *use)
{
    if (limits_is_budget(use) && !use->strict)
        return 1;
    return use->amount > 0 ? use->amount : 1;
}

/* A bucket of our own: this host's workers together admit `value` in a window. */
static bool local_may(struct limits *limits, uint32_t row, const struct limits_now *now,
                      const struct limit_use *use)
{
    struct mine *mine = &limits->mine[row];
    int64_t window_ms = limit_window_ms((enum limit_window)use->limit.def.window);
    int64_t share = use->limit.def.value / limits->segment.workers;
    share = share > 0 ? share : 1;
    if (limits_is_permit(use))
        return mine->held < share;
    int64_t depth = share / LOCAL_DEPTH > use->amount ? share / LOCAL_DEPTH : use->amount;
    int64_t passed_ms = now->mono_ms - mine->local_ms;
    if (mine->local_ms == 0 || passed_ms > window_ms) {
        mine->local_left = depth;
        mine->local_ms = now->mono_ms;
    } else {
        int64_t more = (int64_t)((money_wide)share * passed_ms / window_ms);
        mine->local_left = mine->local_left + more < depth ? mine->local_left + more : depth;
        mine->local_ms = more > 0 ? now->mono_ms : mine->local_ms;
    }
    return mine->local_left >= use->amount;
}

/* Has the control plane said anything since we asked, or just before? */
static bool was_answered(const struct limits *limits, uint32_t row, const struct limits_now *now)
{
    int64_t heard_ms = limits_get(&limits_counter(limits, row)->heard_ms);
    return heard_ms != 0 &&
           (heard_ms >= limits->mine[row].rang_ms || now->mono_ms - heard_ms < FRESH_MS);
}

/* What this worker could be given without the control plane: what the row can give, and what other
 * workers could return (segment.h). Words of others move meanwhile; that costs a question. */
static int64_t left_on_host(const struct limits *limits, uint32_t row)
{
    const struct counter *counter = limits_counter(limits, row);
    int64_t sum = limits_get(&counter->granted) + limits_get(&counter->adopted) -
                  limits_get(&counter->returned) + limits_get(&counter->base);
    for (uint32_t column = 0; column < limits->segment.columns; column++) {
        const struct column_head *head = segment_column(&limits->segment, column);
        uint32_t state = atomic_load_explicit(&head->state, memory_order_acquire);
        if (head->epoch == 0)
            continue; /* never used: looking would give it memory */
        const struct account *account = segment_account(&limits->segment, column, row);
        int64_t given = limits_get(&account->given) - limits_get(&account->returned);
        int64_t rest = given - limits_get(&account->spent) - limits_get(&account->held);
        sum -= given;
        if (column != limits->column && rest > 0 &&
            (state == COLUMN_LIVE || state == COLUMN_DRAINING))
            sum += rest;
    }
    return sum > 0 ? sum : 0;
}

/* Refused without asking: a verdict is fresh, about the limit as it is, and covers what is missing;
 * or room comes too late. */
static bool is_hopeless(const struct limits *limits, uint32_t row, const struct limits_now *now,
                        const struct limit_use *use, int64_t missing)
{
    const struct counter *counter = limits_counter(limits, row);
    uint32_t verdict = atomic_load_explicit(&counter->verdict, memory_order_acquire);
    int64_t heard_ms = limits_get(&counter->heard_ms), retry_ms = limits_get(&counter->retry_at_ms);
    bool fresh = heard_ms != 0 && now->mono_ms - heard_ms < FRESH_MS &&
                 limits_get(&counter->limit) == use->limit.def.value &&
                 limits_get(&counter->anew_ms) == use->limit.anew_ms;
    int64_t free = limits_get(&counter->limit) - limits_get(&counter->settled) -
                   limits_get(&counter->outstanding);
    free = free > 0 ? free : 0;
    if (verdict == COUNTER_EXHAUSTED && fresh)
        return missing > free && missing > free + left_on_host(limits, row);
    return verdict == COUNTER_SCARCE && retry_ms > now->mono_ms + now->left_ms;
}

/* Nothing more will come in time. */
static enum judgement judge_last(struct limits *limits, uint32_t row, const struct limits_now *now,
                                 const struct limit_use *use, enum status *why)
{
    *why = refusal_of(use);
    if (row == LIMITS_NO_ROW)
        *why = ST_OVERLOADED;
    else if (was_answered(limits, row, now))
        return JUDGE_REFUSED;
    else if (use->deny)
        *why = ST_CONTROL_AWAY;
    else if (limits_is_budget(use) && limits_available(limits, row) > -starter_of(limits, use))
        return JUDGE_READY;
    else if (!limits_is_budget(use) && local_may(limits, row, now, use))
        return JUDGE_LOCAL;
    return JUDGE_REFUSED;
}

static enum judgement judge(struct limits *limits, const struct limits_now *now,
                            struct limit_use *use, enum status *why)
{
    *why = refusal_of(use);
    use->row = LIMITS_NO_ROW;
    if (GUARD_OFF("check"))
        return JUDGE_NONE;
    if (use->limit.def.value == 0)
        return JUDGE_REFUSED;
    uint32_t row = limits_row_of(limits, now, use);
    if (row == LIMITS_NO_ROW)
        return now->left_ms > 0 ? JUDGE_BLOCKED : judge_last(limits, row, now, use, why);
    const struct counter *counter = limits_counter(limits, row);
    use->row = row;
    use->generation = limits->mine[row].generation;
    limits->mine[row].used_ms = now->mono_ms;
    if (atomic_load_explicit(&counter->verdict, memory_order_acquire) == COUNTER_GONE)
        return JUDGE_NONE;
    limits_recalled(limits, row);
    note_grant(limits, row, now);
    if (limits_has_lapsed(limits, row, now))
        limits_return_rest(limits, row);
    int64_t missing = required_of(use) - limits_available(limits, row);
    if (missing <= 0)
        return JUDGE_READY;
    if (is_hopeless(limits, row, now, use, missing))
        return JUDGE_REFUSED;
    wish_need(limits, row, now, use, missing);
    if (may_start(limits, row, use))
        return JUDGE_READY;
    return now->left_ms > 0 ? JUDGE_BLOCKED : judge_last(limits, row, now, use, why);
}

static void take(struct limits *limits, const struct limits_now *now, const struct limit_use *use)
{
    struct mine *mine = &limits->mine[use->row];
    if (limits_is_budget(use) || limits_is_permit(use)) {
        limits_hold(limits, use->row, use->amount);
        mine->refs++;
    } else {
        struct account *account = limits_account(limits, use->row);
        limits_put(&account->spent, limits_get(&account->spent) + use->amount);
        mine->refs += use->limit.def.measure == LIMIT_TOKENS;
    }
    wish_ahead(limits, use->row, now, use);
}

/* Counted by our own bucket; a permit is held all the same, so that it is counted while in use. */
static void take_local(struct limits *limits, struct limit_use *use)
{
    struct mine *mine = &limits->mine[use->row];
    if (limits_is_permit(use)) {
        limits_hold(limits, use->row, use->amount);
        mine->refs++;
        return;
    }
    mine->local_left -= use->amount;
    use->row = LIMITS_NO_ROW;
}

enum status limits_take(struct limits *limits, const struct limits_now *now, struct limit_use *uses,
                        size_t count, size_t *which)
{
    CHECK_OBJ(limits, LIMITS_MAGIC);
    enum judgement found[LIMITS_USES_MAX];
    size_t blocked = count;
    if (count > LIMITS_USES_MAX || limits_entries(uses, count) > SLOT_RESERVES_MAX) {
        *which = 0;
        return ST_UNPROCESSABLE;
    }
    for (size_t i = 0; i < count; i++) {
        enum status why;
        found[i] = judge(limits, now, &uses[i], &why);
        if (found[i] == JUDGE_BLOCKED && blocked == count)
            blocked = i;
        if (found[i] == JUDGE_REFUSED) {
            *which = i;
            return why;
        }
    }
    if (blocked < count) {
        *which = blocked;
        return ST_AGAIN;
    }
    for (size_t i = 0; i < count; i++) {
        if (found[i] == JUDGE_READY)
            take(limits, now, &uses[i]);
        else if (found[i] == JUDGE_LOCAL)
            take_local(limits, &uses[i]);
        else
            uses[i].row = LIMITS_NO_ROW;
    }
    return ST_OK;
}

void limits_give_back(struct limits *limits, const struct limits_now *now,
                      const struct limit_use *uses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct limit_use *use = &uses[i];
        if (use->row == LIMITS_NO_ROW || limits_is_permit(use))
            continue;
        if (limits_is_budget(use)) {
            limits_hold(limits, use->row, -use->amount);
            limits_drop_ref(limits, use->row);
        } else if (use->limit.def.measure == LIMIT_TOKENS) {
            limits->calls.fix(limits->calls.arg, use->row, use->generation, now->utc_ms,
                              -use->amount);
            limits_drop_ref(limits, use->row);
        }
    }
    limits_end(limits, uses, count);
}

void limits_end(struct limits *limits, const struct limit_use *uses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uses[i].row == LIMITS_NO_ROW || !limits_is_permit(&uses[i]))
            continue;
        limits_hold(limits, uses[i].row, -uses[i].amount);
        limits_drop_ref(limits, uses[i].row);
    }
}

bool limits_moved(struct limits *limits, const struct limits_now *now, const struct limit_use *use)
{
    uint32_t row = limits_row_known(limits, &use->limit.counter);
    if (row == LIMITS_NO_ROW)
        return false;
    const struct counter *counter = limits_counter(limits, row);
    const struct account *account = limits_account(limits, row);
    int64_t missing = required_of(use) - limits_available(limits, row);
    bool untold = limits_get(&account->need) <= limits_get(&account->given);
    return missing <= 0 || untold || limits_is_over(counter, now) || may_start(limits, row, use) ||
           atomic_load_explicit(&counter->verdict, memory_order_acquire) == COUNTER_GONE ||
           is_hopeless(limits, row, now, use, missing);
}

bool limits_gave_up(struct limits *limits, const struct limit_use *use)
{
    uint32_t row = limits_row_known(limits, &use->limit.counter);
    if (row == LIMITS_NO_ROW)
        return false;
    const struct account *account = limits_account(limits, row);
    bool told = limits_get(&account->need) > limits_get(&account->given);
    limits->mine[row].gave_up |= told;
    return told;
}

void limits_forget(struct limits *limits)
{
    CHECK_OBJ(limits, LIMITS_MAGIC);
    for (uint32_t i = 0; i < limits->listed; i++) {
        struct mine *mine = &limits->mine[limits->list[i]];
        if (mine->gave_up)
            limits_put(&limits_account(limits, limits->list[i])->need, 0);
        mine->gave_up = false;
    }
}
