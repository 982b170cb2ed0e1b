/* rerate_test.c: a corrected price becomes adjusting entries, exactly once; sums and budgets follow; what cannot be priced stays. */
#include "control-plane/ledger/rerate.h"

#include "control-plane/ledger/epoch.h"
#include "control-plane/ledger/event.h"
#include "control-plane/ledger/keep.h"
#include "tests/unit/control-plane/limits_fixture.h"

static struct id node;
static uint64_t seq;

static void begin(void)
{
    lf_open();
    node = test_id(9);
    seq = 0;
}

TestSuite(rerate, .init = begin, .fini = lf_close, .timeout = 60);

/* --- prices --- */

struct price_change {
    const char *slug, *unit;
    int64_t from_ms, picousd; /* < 0: no page */
    bool remove;
};

static enum status price_op(struct write_op *op, void *arg)
{
    const struct price_change *change = arg;
    struct record_key key = {SLUICE__KIND__KIND_MODEL_RULE, lf.org, lf.integration, test_id(70)};
    Sluice__ModelRule rule = SLUICE__MODEL_RULE__INIT;
    Sluice__Prices prices = SLUICE__PRICES__INIT, *pages[] = {&prices};
    Sluice__Price row = SLUICE__PRICE__INIT, *rows[] = {&row};
    key.id.b[15] = (uint8_t)change->slug[0];
    if (change->remove)
        return record_delete(op, &key);
    row.unit = (char *)(uintptr_t)(change->unit == NULL ? "input_token" : change->unit);
    row.picousd = change->picousd;
    prices.rows = rows;
    prices.n_rows = 1;
    prices.effective_from_ms = change->from_ms;
    rule.id = wire_id_data(&key.id);
    rule.slug = (char *)(uintptr_t)change->slug;
    rule.enabled = 1;
    rule.prices = pages;
    rule.n_prices = change->picousd >= 0;
    return record_put(op, &key, &rule, str_c(change->slug));
}

static void set_price(struct price_change change)
{
    OK(fixture_write(&lf.f, price_op, &change, NULL));
}

/* --- entries --- */

struct entry {
    const char *model;
    uint64_t tokens, images;
    int64_t cost, charge;
    Sluice__UsageSource source; /* 0: provider */
    struct id counter;          /* none: no budget */
    uint64_t epoch;
    int64_t reserved;
};

static void spend(struct entry e)
{
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    Sluice__UsageEvent event = SLUICE__USAGE_EVENT__INIT, *events[] = {&event};
    Sluice__UsageCount counts[2] = {SLUICE__USAGE_COUNT__INIT, SLUICE__USAGE_COUNT__INIT}, *count_at[] = {&counts[0], &counts[1]};
    Sluice__Reserve reserve = SLUICE__RESERVE__INIT, *reserves[] = {&reserve};
    uint8_t attempt[LEDGER_ATTEMPT_BYTES] = {0};
    uint64_t through;
    memcpy(attempt, node.b, ID_BYTES);
    key_put_u64(attempt + 28, ++seq);
    event.attempt_id = (ProtobufCBinaryData){sizeof attempt, attempt};
    event.seq = seq;
    event.at_ms = event.priced_at_ms = lf.now_ms;
    event.org = wire_id_data(&lf.org);
    event.workspace = wire_id_data(&lf.workspace);
    event.integration = wire_id_data(&lf.integration);
    event.api_key = wire_id_data(&lf.key);
    event.model = (char *)(uintptr_t)e.model;
    event.source = e.source == 0 ? SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER : e.source;
    event.cost_nanousd = e.cost;
    event.charge_nanousd = e.charge;
    counts[0].price_class = PRICE_INPUT_TOKEN;
    counts[0].n = e.tokens;
    counts[1].price_class = PRICE_IMAGE;
    counts[1].n = e.images;
    event.counts = count_at;
    event.n_counts = 2;
    reserve.counter = wire_id_data(&e.counter);
    reserve.epoch = e.epoch;
    reserve.amount = e.reserved;
    event.reserves = reserves;
    event.n_reserves = !id_is_none(&e.counter);
    batch.journal_boot = 1;
    batch.first_seq = seq;
    batch.events = events;
    batch.n_events = 1;
    OK(ledger_ingest(lf.f.writer, &node, &batch, &through));
    cr_assert_eq(through, seq);
}

static struct rerate_report run(bool apply)
{
    static struct rerate_report report;
    const struct rerate_order order = {.filter = {.org = lf.org, .end_ms = INT64_MAX}, .apply = apply, .note = STR("price was wrong")};
    uint8_t place[LEDGER_EVENT_KEY];
    report = (struct rerate_report){.entries = 0};
    do {
        memcpy(place, report.place, sizeof place);
        OK(rerate_run(lf.f.kv, lf.f.writer, NULL, &order, report.more ? place : NULL, 1, &lf.f.arena, &report));
    } while (report.more);
    return report;
}

static struct rollup_totals totals(void)
{
    const struct ledger_question question = {.org = lf.org, .end_ms = LF_NOW_MS + 90 * ROLLUP_DAY_MS};
    struct ledger_answer answer;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(ledger_ask(txn, &question, &lf.f.arena, &answer));
    kv_abort(txn);
    return answer.totals;
}

static void expect_money(int64_t cost, int64_t charge)
{
    struct rollup_totals sum = totals();
    cr_expect_eq(sum.cost_nanousd, cost, "cost %lld", (long long)sum.cost_nanousd);
    cr_expect_eq(sum.charge_nanousd, charge, "charge %lld", (long long)sum.charge_nanousd);
}

/* Sums and books agree with entries. */
static void verify(void)
{
    uint32_t first, last;
    struct ledger_check check;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(ledger_days(txn, &first, &last));
    for (uint32_t day = first; day <= last; day++) {
        OK(ledger_verify_day(txn, day, &check));
        cr_assert(check.different == 0 && check.missing == 0 && check.extra == 0);
    }
    kv_abort(txn);
    lf_verify();
}

/* --- a budget of the key --- */

static uint64_t open_epoch(enum limit_measure measure)
{
    struct epoch epoch;
    struct rule_owner owner = {lf_ref(LIMIT_KEY, measure, LIMIT_BUDGET), lf.workspace};
    struct kv_txn *txn;
    OK(kv_begin(lf.f.kv, false, &txn));
    OK(epoch_look(txn, &lf.f.arena, &owner, lf.now_ms, &epoch));
    kv_abort(txn);
    return epoch.counter.epoch;
}

static enum status open_op(struct write_op *op, void *arg)
{
    struct epoch epoch;
    op->no_revision = true;
    return epoch_open(op, arg, &epoch);
}

static struct id counter_of(enum limit_measure measure)
{
    struct rule_owner owner = {lf_ref(LIMIT_KEY, measure, LIMIT_BUDGET), lf.workspace};
    struct id counter;
    OK(writer_run(lf.f.writer, NULL, &lf.f.arena, open_op, &owner, NULL));
    limit_counter_id(&owner.ref, &counter);
    return counter;
}

Test(rerate, preview_then_apply_then_nothing)
{
    lf_key("[{\"credit_limit\":5},{\"type\":\"tokens\",\"credit_limit\":1000000}]", "");
    struct id cost = counter_of(LIMIT_COST), tokens = counter_of(LIMIT_TOKENS);
    uint64_t cost_epoch = open_epoch(LIMIT_COST), token_epoch = open_epoch(LIMIT_TOKENS);
    set_price((struct price_change){.slug = "gpt-4o", .from_ms = 0, .picousd = 2000000});
    for (int i = 0; i < 5; i++) {
        spend((struct entry){.model = "gpt-4o", .tokens = 1000, .cost = USD, .charge = USD, .counter = cost, .epoch = cost_epoch, .reserved = USD});
        spend((struct entry){.model = "gpt-4o", .tokens = 1000, .cost = 2000000, .charge = 2000000, .counter = tokens, .epoch = token_epoch, .reserved = 1000});
    }
    cr_assert(lf_view(lf_key_cost()).exhausted);
    struct rerate_report seen = run(false);
    cr_assert_eq(seen.entries, 10);
    cr_assert_eq(seen.changed, 5, "the others were right");
    cr_assert_eq(seen.charge_before, 5 * USD);
    cr_assert_eq(seen.charge_after, 5 * 2000000);
    cr_assert_eq(seen.group_count, 1);
    cr_assert_eq(seen.groups[0].charge_nanousd, 5 * (2000000 - USD));
    expect_money(5 * USD + 5 * 2000000, 5 * USD + 5 * 2000000);
    cr_assert_eq(run(true).changed, 5);
    expect_money(10 * 2000000, 10 * 2000000);
    struct counter_view view = lf_view(lf_key_cost());
    cr_assert_eq(view.used, 5 * 2000000, "the budget follows");
    cr_assert_not(view.exhausted);
    cr_assert_eq(lf_view(lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET)).used, 5000, "tokens are tokens");
    cr_assert_eq(totals().requests, 10, "an adjusting entry is no request");
    verify();
    cr_assert_eq(run(true).changed, 0, "nothing twice");
    expect_money(10 * 2000000, 10 * 2000000);
}

/* What was spent was spent, also of a budget that may not be passed: nobody can lend from it. */
Test(rerate, a_strict_budget_is_passed_by_what_was_spent)
{
    lf_key("[{\"credit_limit\":5,\"mode\":\"strict\"}]", "");
    struct id cost = counter_of(LIMIT_COST);
    uint64_t epoch = open_epoch(LIMIT_COST);
    set_price((struct price_change){.slug = "gpt-4o", .from_ms = 0, .picousd = 2 * USD});
    for (int i = 0; i < 4; i++)
        spend((struct entry){.model = "gpt-4o", .tokens = 1000, .cost = USD, .charge = USD, .counter = cost, .epoch = epoch, .reserved = USD});
    cr_assert_not(lf_view(lf_key_cost()).exhausted);
    cr_assert_eq(run(true).changed, 4);
    struct counter_view view = lf_view(lf_key_cost());
    cr_assert_eq(view.used, 8 * USD);
    cr_assert(view.exhausted);
    verify();
}

static struct ledger_events_page entries(void)
{
    const struct ledger_events_filter all = {.org = lf.org, .end_ms = INT64_MAX};
    struct ledger_events_page page;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(ledger_events(txn, &all, NULL, 1000, &lf.f.arena, &page));
    kv_abort(txn);
    return page;
}

Test(rerate, original_entries_never_change_and_corrections_can_be_corrected)
{
    set_price((struct price_change){.slug = "m", .from_ms = 0, .picousd = 5000});
    spend((struct entry){.model = "m", .tokens = 1000, .cost = 1, .charge = 7});
    run(true);
    set_price((struct price_change){.slug = "m", .from_ms = 0, .picousd = 3000});
    lf_pass(1000);
    run(true);
    expect_money(3000, 3000);
    struct ledger_events_page page = entries();
    cr_assert_eq(page.count, 3);
    int64_t costs[3] = {0};
    size_t originals = 0;
    for (size_t i = 0; i < 3; i++) {
        const Sluice__UsageEvent *event = page.events[i];
        if (event->source != SLUICE__USAGE_SOURCE__USAGE_SOURCE_ADJUSTED) {
            originals++;
            cr_assert_eq(event->cost_nanousd, 1);
            cr_assert_eq(event->charge_nanousd, 7);
            continue;
        }
        costs[i] = event->cost_nanousd;
        cr_assert_eq(event->at_ms, LF_NOW_MS, "dated as the attempt");
        cr_assert_geq(event->posted_at_ms, LF_NOW_MS);
        cr_assert_eq(event->adjusts.len, LEDGER_ATTEMPT_BYTES);
        cr_assert_str_eq(event->note, "price was wrong");
    }
    cr_assert_eq(originals, 1);
    cr_assert_eq(costs[0] + costs[1] + costs[2], 4999 - 2000);
    verify();
}

Test(rerate, a_price_holds_for_its_time_only)
{
    set_price((struct price_change){.slug = "m", .from_ms = LF_NOW_MS + 500, .picousd = 3000});
    spend((struct entry){.model = "m", .tokens = 1000, .cost = 1000, .charge = 1000});
    lf_pass(1000);
    spend((struct entry){.model = "m", .tokens = 1000, .cost = 1000, .charge = 1000});
    struct rerate_report report = run(true);
    cr_assert_eq(report.changed, 1);
    cr_assert_eq(report.unpriced, 1, "before its date there was none");
    expect_money(4000, 4000);
}

Test(rerate, what_cannot_be_priced_exactly_stays)
{
    set_price((struct price_change){.slug = "known", .from_ms = 0, .picousd = 9});
    set_price((struct price_change){.slug = "image", .unit = "image:hd", .from_ms = 0, .picousd = 9});
    spend((struct entry){.model = "known", .tokens = 1000, .cost = 5, .charge = 5, .source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_BOUND});
    spend((struct entry){.model = "other", .tokens = 1000, .cost = 5, .charge = 5});
    spend((struct entry){.model = "image", .images = 2, .cost = 5, .charge = 5});
    struct rerate_report report = run(true);
    cr_assert_eq(report.changed, 0);
    cr_assert_eq(report.unsure, 1);
    cr_assert_eq(report.unpriced, 1);
    cr_assert_eq(report.ambiguous, 1);
    expect_money(15, 15);
    lf.integration = test_id(33);
    spend((struct entry){.model = "known", .tokens = 1000, .cost = 5, .charge = 5});
    cr_assert_eq(run(true).gone, 1);
}

Test(rerate, long_spans_go_page_by_page)
{
    set_price((struct price_change){.slug = "m", .from_ms = 0, .picousd = 2000});
    for (int i = 0; i < 1100; i++)
        spend((struct entry){.model = "m", .tokens = 1, .cost = 1, .charge = 1});
    struct rerate_report report = run(true);
    cr_assert_eq(report.entries, 1100);
    cr_assert_eq(report.changed, 1100);
    expect_money(2200, 2200);
    verify();
}

/* When entries go by age, what was adjusted of them goes too, and sums stay. */
Test(rerate, adjustments_go_with_their_entries)
{
    const struct keep_options options = {.entries_ms = ROLLUP_DAY_MS, .hours_ms = ROLLUP_DAY_MS, .days_ms = 90 * ROLLUP_DAY_MS};
    struct key key;
    struct str row;
    struct kv_cursor *cursor;
    set_price((struct price_change){.slug = "m", .from_ms = 0, .picousd = 2000});
    spend((struct entry){.model = "m", .tokens = 1, .cost = 1, .charge = 1});
    run(true);
    cr_assert_eq(entries().count, 2);
    keep_run(lf.f.writer, &options, LF_NOW_MS + 3 * ROLLUP_DAY_MS, 10000);
    cr_assert_eq(entries().count, 0);
    expect_money(2, 2);
    struct kv_txn *txn = fixture_read(&lf.f);
    key_init_space(&key, KEY_SPACE_ADJUST);
    OK(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&key));
    struct str found;
    enum status status = kv_cursor_next(cursor, &found, &row);
    cr_assert(status == ST_END || !str_starts(found, key_str(&key)));
    kv_cursor_close(cursor);
    kv_abort(txn);
}
