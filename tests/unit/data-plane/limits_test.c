/* Taking from every limit or from none; what standard, strict, rates and permits do, and what the
 * end of a budget looks like. */
#include "tests/unit/data-plane/limits_host.h"

static struct host_worker *one;
static size_t which;

static void setup(void)
{
    plane_begin();
    host_start(0, 1);
    one = &hosts[0].workers[0];
}

static void teardown(void)
{
    host_stop(&hosts[0]);
}

TestSuite(limits, .init = setup, .fini = teardown);

static enum status take(struct limit_use *uses, size_t count, int64_t left_ms)
{
    const struct limits_now now = worker_now(left_ms);
    return limits_take(one->limits, &now, uses, count, &which);
}

/* As a request does: tries, waits until something moved, tries again; at the end of its patience
 * decides. */
static enum status take_patiently(struct limit_use *uses, size_t count)
{
    for (int left_ms = 250; left_ms > 0; left_ms -= 30) {
        const struct limits_now now = worker_now(left_ms);
        if (left_ms == 250 || limits_moved(one->limits, &now, &uses[which])) {
            enum status status = take(uses, count, left_ms);
            if (status != ST_AGAIN)
                return status;
        }
        host_settle(&hosts[0]);
        plane_pass(30);
    }
    return take(uses, count, 0);
}

static void give_back(struct limit_use *uses, size_t count)
{
    const struct limits_now now = worker_now(0);
    limits_give_back(one->limits, &now, uses, count);
}

Test(limits, strict_waits_for_its_grant_and_stops_at_the_limit)
{
    size_t budget = plane_add(LIMIT_COST, LIMIT_BUDGET, 1000, true);
    struct limit_use use = use_of(budget, 300);
    cr_assert_eq(take(&use, 1, 100), ST_AGAIN);
    for (int i = 0; i < 3; i++) {
        use = use_of(budget, 300);
        cr_assert_eq(take_patiently(&use, 1), ST_OK, "%d", i);
    }
    use = use_of(budget, 300);
    cr_assert_eq(take_patiently(&use, 1), ST_BUDGET_EXHAUSTED);
    use = use_of(budget, 100);
    cr_assert_eq(take_patiently(&use, 1), ST_OK, "a smaller one fits");
    use = use_of(budget, 1);
    cr_assert_eq(take_patiently(&use, 1), ST_BUDGET_EXHAUSTED);
    cr_assert_eq(take(&use, 1, 250), ST_BUDGET_EXHAUSTED, "at once, on a fresh verdict");
    plane_check();
    use = use_of(budget, 300);
    use.row = 0;
    struct limit_view view;
    const struct limits_now now = worker_now(0);
    cr_assert(limits_view(one->limits, &now, &use, &view));
    cr_assert(view.limit == 1000 && view.remaining == 0);
}

Test(limits, all_or_none)
{
    size_t a = plane_add(LIMIT_COST, LIMIT_BUDGET, 1000, true);
    size_t b = plane_add(LIMIT_REQUESTS, LIMIT_BUDGET, 1, true);
    struct limit_use uses[] = {use_of(a, 100), use_of(b, 1)};
    cr_assert_eq(take_patiently(uses, 2), ST_OK);
    struct limit_use more[] = {use_of(a, 100), use_of(b, 1)};
    cr_assert_eq(take_patiently(more, 2), ST_BUDGET_EXHAUSTED);
    cr_assert_eq(which, 1);
    struct limit_use rest = use_of(a, 900);
    cr_assert_eq(take_patiently(&rest, 1), ST_OK, "nothing of the refused one was taken");
    give_back(uses, 2);
    struct limit_use again[] = {use_of(b, 1)};
    cr_assert_eq(take_patiently(again, 1), ST_OK);
}

Test(limits, zero_admits_nothing_and_needs_no_question)
{
    size_t zero = plane_add(LIMIT_REQUESTS, LIMIT_MINUTE, 0, false);
    struct limit_use use = use_of(zero, 1);
    cr_assert_eq(take(&use, 1, 250), ST_RATE_LIMITED);
    cr_assert_eq(hosts[0].queued, 0);
}

Test(limits, standard_begins_at_once_and_passes_by_no_more_than_its_estimates)
{
    size_t budget = plane_add(LIMIT_COST, LIMIT_BUDGET, 6400, false);
    plane.counters[budget].limit.def.on_disconnect = LIMIT_AWAY_ALLOW;
    struct limit_use use = use_of(budget, 60);
    cr_assert_eq(take(&use, 1, 250), ST_AGAIN, "the courier must give it a row");
    host_deliver(&hosts[0]);
    cr_assert_eq(take(&use, 1, 250), ST_OK, "the control plane was not asked yet");
    use = use_of(budget, 60);
    cr_assert_eq(take(&use, 1, 250), ST_OK);
    use = use_of(budget, 60);
    cr_assert_eq(take(&use, 1, 250), ST_AGAIN, "the starter is a 64th of the limit");
    host_settle(&hosts[0]);
    int64_t taken = 120;
    for (int i = 0; i < 300; i++) {
        use = use_of(budget, 60);
        enum status status = take_patiently(&use, 1);
        if (status != ST_OK) {
            cr_assert_eq(status, ST_BUDGET_EXHAUSTED);
            break;
        }
        taken += 60;
    }
    cr_assert(taken >= 6400 && taken < 6400 + 60 + 100, "%ld", (long)taken);
}

Test(limits, away_strict_denies_and_standard_allows_a_bounded_rest)
{
    size_t strict = plane_add(LIMIT_COST, LIMIT_BUDGET, 6400, true);
    size_t standard = plane_add(LIMIT_COST, LIMIT_BUDGET, 6400, false);
    plane.counters[standard].limit.def.on_disconnect = LIMIT_AWAY_ALLOW;
    struct limit_use uses[] = {use_of(strict, 60), use_of(standard, 60)};
    cr_assert_eq(take_patiently(uses, 2), ST_OK);
    int64_t extra = 0;
    bool denied = false;
    for (int i = 0; i < 100; i++) { /* nobody answers from here on */
        struct limit_use use = use_of(strict, 60);
        while (take(&use, 1, 0) == ST_OK)
            use = use_of(strict, 60);
        denied = denied || take(&use, 1, 0) == ST_CONTROL_AWAY;
        use = use_of(standard, 60);
        extra += take(&use, 1, 0) == ST_OK ? 60 : 0;
        plane_pass(20);
    }
    cr_assert(denied, "what was held is spent, then it is denied");
    cr_assert_leq(extra, 6400 / 8 + 100 + 60, "%ld", (long)extra);
}

Test(limits, a_row_that_is_gone_limits_nothing)
{
    size_t budget = plane_add(LIMIT_COST, LIMIT_BUDGET, 100, true);
    struct limit_use use = use_of(budget, 100);
    plane.counters[budget].gone = true;
    cr_assert_eq(take_patiently(&use, 1), ST_OK);
    cr_assert_eq(use.row, LIMITS_NO_ROW);
}

Test(limits, raised_limit_reopens)
{
    size_t budget = plane_add(LIMIT_COST, LIMIT_BUDGET, 100, true);
    struct limit_use use = use_of(budget, 100);
    cr_assert_eq(take_patiently(&use, 1), ST_OK);
    use = use_of(budget, 100);
    cr_assert_eq(take_patiently(&use, 1), ST_BUDGET_EXHAUSTED);
    plane.counters[budget].limit.def.value = 200;
    plane_pass(1000);
    use = use_of(budget, 100);
    cr_assert_eq(take_patiently(&use, 1), ST_OK);
}

Test(limits, reset_begins_a_new_epoch)
{
    size_t budget = plane_add(LIMIT_COST, LIMIT_BUDGET, 100, true);
    struct limit_use first = use_of(budget, 100), next = use_of(budget, 100);
    cr_assert_eq(take_patiently(&first, 1), ST_OK);
    plane_reset(&plane.counters[budget]);
    plane.counters[budget].limit.anew_ms = plane.utc_ms;
    plane_pass(1000);
    next = use_of(budget, 100);
    enum status status = ST_AGAIN;
    for (int i = 0; i < 3 && status != ST_OK; i++, plane_pass(1000))
        status = take_patiently(&next, 1);
    cr_assert_eq(status, ST_OK);
    cr_assert_neq(first.row, next.row, "what is in flight stays charged to its own epoch");
    plane_check();
}

/* --- rates and permits --- */

Test(limits, rates_are_spent_and_lapse)
{
    size_t rate = plane_add(LIMIT_REQUESTS, LIMIT_MINUTE, 100, true);
    struct limit_use use = use_of(rate, 1);
    cr_assert_eq(take_patiently(&use, 1), ST_OK);
    give_back(&use, 1);
    int64_t taken = 1;
    for (int i = 0; i < 200; i++) {
        use = use_of(rate, 1);
        if (take_patiently(&use, 1) != ST_OK)
            break;
        taken++;
    }
    cr_assert_eq(taken, 100, "%ld", (long)taken);
    plane_pass(3000);
    cr_assert_eq(take_patiently(&use, 1), ST_RATE_LIMITED, "what was spent does not come back");
}

Test(limits, a_lease_that_ended_admits_nothing)
{
    size_t rate = plane_add(LIMIT_REQUESTS, LIMIT_MINUTE, 100, true);
    struct limit_use use = use_of(rate, 1);
    cr_assert_eq(take_patiently(&use, 1), ST_OK);
    cr_assert_eq(take(&use, 1, 250), ST_OK, "some were wished for ahead");
    plane_pass(2000);
    cr_assert_eq(take(&use, 1, 250), ST_AGAIN);
    host_settle(&hosts[0]);
    cr_assert_eq(take(&use, 1, 250), ST_OK);
}

Test(limits, permits_come_back)
{
    size_t permits = plane_add(LIMIT_CONCURRENCY, LIMIT_NOW, 3, true);
    struct limit_use uses[4];
    for (int i = 0; i < 3; i++) {
        uses[i] = use_of(permits, 1);
        cr_assert_eq(take_patiently(&uses[i], 1), ST_OK);
    }
    uses[3] = use_of(permits, 1);
    cr_assert_eq(take_patiently(&uses[3], 1), ST_RATE_LIMITED);
    limits_end(one->limits, &uses[1], 1);
    cr_assert_eq(take_patiently(&uses[3], 1), ST_OK);
}

Test(limits, away_rates_and_permits_are_counted_by_the_host)
{
    size_t rate = plane_add(LIMIT_REQUESTS, LIMIT_SECOND, 80, false);
    size_t permits = plane_add(LIMIT_CONCURRENCY, LIMIT_NOW, 5, false);
    plane.counters[rate].limit.def.on_disconnect = LIMIT_AWAY_ALLOW;
    plane.counters[permits].limit.def.on_disconnect = LIMIT_AWAY_ALLOW;
    struct limit_use use = use_of(rate, 1), permit = use_of(permits, 1);
    (void)!take(&use, 1, 250);
    (void)!take(&permit, 1, 250);
    host_deliver(&hosts[0]);
    int64_t admitted = 0, held = 0;
    for (int ms = 0; ms < 2000; ms++, plane_pass(1)) {
        use = use_of(rate, 1);
        admitted += take(&use, 1, 0) == ST_OK;
        permit = use_of(permits, 1);
        held += take(&permit, 1, 0) == ST_OK;
    }
    cr_assert(admitted >= 150 && admitted <= 2 * 80 + 10, "%ld", (long)admitted);
    cr_assert_eq(held, 5);
}

/* --- slots --- */

Test(limits, what_a_slot_was_charged_is_what_is_spent)
{
    size_t cost = plane_add(LIMIT_COST, LIMIT_BUDGET, 10000, true);
    size_t tokens = plane_add(LIMIT_TOKENS, LIMIT_BUDGET, 10000, true);
    struct limit_use uses[] = {use_of(cost, 1000), use_of(tokens, 50)};
    struct slot *slot, *got[4];
    cr_assert_eq(take_patiently(uses, 2), ST_OK);
    cr_assert_eq(slots_reserve(one->slots, &slot), ST_OK);
    limits_note(uses, 2, slot);
    slots_mark_sent(one->slots, slot);
    slot->charge_nanousd = 400;
    slot->counts[0] = 30u << 8 | PRICE_INPUT_TOKEN;
    slot->count_n = 1;
    limits_charge(one->limits, slot);
    cr_assert(slot->reserve_amount[0] == 400 && slot->reserve_amount[1] == 30);
    (void)!slots_settle(one->slots, slot);
    host_collect(&hosts[0], 4);
    slots_collect(one->slots, limits_freed, one->limits);
    cr_assert_eq(segment_account(&hosts[0].segment, one->column, uses[0].row)->spent, 400);
    host_upload(&hosts[0], 4);
    cr_assert_eq(plane_now(&plane.counters[cost])->settled, 400);
    cr_assert_eq(plane_now(&plane.counters[tokens])->settled, 30);
    (void)got;
}

/* Hosts share the rest of a budget down to the last request that fits. */
Test(limits, a_budget_is_used_up, .timeout = 60)
{
    int64_t spent = 0;
    unsigned refused = 0;
    host_stop(&hosts[0]);
    for (size_t i = 0; i < HOSTS_MAX; i++)
        host_start(i, WORKERS_MAX);
    plane_begin();
    size_t budget = plane_add(LIMIT_COST, LIMIT_BUDGET, 100000, true);
    while (refused < 40) {
        struct host *host = &hosts[dice(HOSTS_MAX)];
        one = &host->workers[dice(WORKERS_MAX)];
        struct limit_use use = use_of(budget, 1 + dice(450));
        enum status status = ST_AGAIN;
        for (int i = 0; i < 9 && status == ST_AGAIN; i++) {
            status = take(&use, 1, 240 - 30 * i);
            for (size_t j = 0; j < HOSTS_MAX; j++)
                host_settle(&hosts[j]);
            plane_pass(30);
        }
        refused += status != ST_OK;
        spent += status == ST_OK ? use.amount : 0;
    }
    cr_assert(spent <= 100000 && spent >= 100000 - 450, "%ld", (long)spent);
    plane_check();
    host_stop(&hosts[1]);
}
