/* What a node held and cannot give back: written off, taken back by its word, freed by an operator;
 * entries and books agree through all of it. */
#include "control-plane/ledger/lost.h"

#include "control-plane/ledger/alerts.h"
#include "tests/unit/control-plane/grants_fixture.h"

#define STRICT_100 "{\"type\":\"tokens\",\"credit_limit\":100,\"mode\":\"strict\"}"

static struct gf_node a, b;
static struct gf_row ra, rb;

static void begin(void)
{
    gf_open();
    a = gf_node(1), b = gf_node(2);
    ra = rb = (struct gf_row){.ref = lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET)};
    lf_key(STRICT_100, NULL);
}

static void end(void)
{
    lf_verify();
    gf_close();
}

TestSuite(lost, .init = begin, .fini = end, .timeout = 60);

static void expect(int64_t used, int64_t lost, int64_t outstanding)
{
    struct counter_view view = lf_view(ra.ref);
    cr_assert_eq(view.used, used, "used %d", (int)view.used);
    cr_assert_eq(view.lost, lost, "lost %d", (int)view.lost);
    cr_assert_eq(view.outstanding, outstanding, "outstanding %d", (int)view.outstanding);
    lf_verify();
}

/* LOST entries, and their sum. */
static size_t entries(int64_t *sum)
{
    const struct ledger_events_filter all = {.end_ms = INT64_MAX};
    struct ledger_events_page page;
    size_t count = 0;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(ledger_events(txn, &all, NULL, 1000, &lf.f.arena, &page));
    kv_abort(txn);
    *sum = 0;
    for (size_t i = 0; i < page.count; i++) {
        const Sluice__UsageEvent *event = page.events[i];
        if (event->source != SLUICE__USAGE_SOURCE__USAGE_SOURCE_LOST)
            continue;
        cr_assert_eq(event->n_reserves, 1);
        cr_expect_eq(event->cost_nanousd, 0);
        cr_expect(str_eq(wire_str(&event->api_key), id_bytes(&lf.key)));
        *sum += event->reserves[0]->amount;
        count++;
    }
    return count;
}

static size_t audits(const char *action)
{
    struct audit_page page;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(audit_list(txn, &(struct audit_filter){.action = str_c(action)}, &(struct audit_place){0},
                  1000, &lf.f.arena, &page));
    kv_abort(txn);
    return page.count;
}

static void lose_a(void)
{
    gf_ask(&a, &ra, 80, 80);
    gf_spend(&a, &ra, 30);
    gf.away[1] = true;
    lf_pass(GF_LOST_MS);
    grants_upkeep(gf.grants);
}

Test(lost, silence_writes_off_what_was_held)
{
    int64_t sum;
    gf_ask(&a, &ra, 80, 80);
    gf_spend(&a, &ra, 30);
    gf.away[1] = true;
    lf_pass(GF_LOST_MS - 1);
    grants_upkeep(gf.grants);
    expect(30, 0, 50);
    lf_pass(1);
    grants_upkeep(gf.grants);
    expect(80, 50, 0);
    grants_upkeep(gf.grants);
    expect(80, 50, 0);
    cr_expect_eq(entries(&sum), 1);
    cr_expect_eq(sum, 50);
    cr_expect_eq(audits("write_off"), 1);
    cr_expect_eq(gf_ask(&b, &rb, 21, 21), GF_EXHAUSTED);
    cr_expect_eq(gf_ask(&b, &rb, 20, 20), GF_OK);
}

Test(lost, a_node_that_is_connected_is_not_lost)
{
    gf_ask(&a, &ra, 80, 80);
    lf_pass(GF_LOST_MS - 1);
    grants_upkeep(gf.grants); /* it asks for nothing, but is there */
    gf.away[1] = true;
    lf_pass(GF_LOST_MS - 1);
    grants_upkeep(gf.grants);
    expect(0, 0, 80);
    lf_pass(1);
    grants_upkeep(gf.grants);
    expect(80, 80, 0);
}

Test(lost, our_own_absence_is_not_the_nodes_silence)
{
    gf_ask(&a, &ra, 80, 80);
    gf.away[1] = true;
    grants_free(gf.grants);
    lf_pass(10 * GF_LOST_MS);
    struct grants_options options = gf_options();
    OK(grants_new(&options, &gf.grants));
    grants_upkeep(gf.grants);
    expect(0, 0, 80);
    lf_pass(GF_LOST_MS);
    grants_upkeep(gf.grants);
    expect(80, 80, 0);
}

Test(lost, late_events_settle_what_was_lost)
{
    int64_t sum;
    lose_a();
    gf_spend(&a, &ra, 20); /* from its journal, uploaded by another courier of the host */
    expect(80, 30, 0);
    gf_spend(&a, &ra, 30);
    expect(80, 0, 0);
    gf_spend(&a, &ra, 5); /* more than it was lent */
    expect(85, 0, 0);
    cr_expect_eq(entries(&sum), 3);
    cr_expect_eq(sum, 0);
}

Test(lost, a_node_that_comes_back_holds_it_again)
{
    int64_t sum;
    lose_a();
    gf.away[1] = false;
    ra.returned = 10;
    gf_ask(&a, &ra, 0, 0);
    expect(30, 0, 40);
    entries(&sum);
    cr_expect_eq(sum, 0);
    gf.away[1] = true;
    lf_pass(GF_LOST_MS);
    grants_upkeep(gf.grants); /* and is lost a second time */
    expect(70, 40, 0);
    gf.away[1] = false;
    ra.idle = true;
    gf_ask_lost(&a, &ra, false);
    expect(30, 0, 40);
}

Test(lost, a_node_that_comes_back_without_knowing_its_epoch_holds_it_again)
{
    lose_a();
    gf.away[1] = false;
    struct gf_row row = {.ref = ra.ref};
    cr_expect_eq(gf_ask(&a, &row, 60, 60),
                 GF_OK); /* 80 of which it has not heard, for all we know */
    cr_expect_eq(row.granted, 80);
    expect(30, 0, 50);
}

Test(lost, an_end_in_order_takes_it_back)
{
    int64_t sum;
    lose_a();
    Sluice__GrantsRequest request = SLUICE__GRANTS_REQUEST__INIT;
    Sluice__GrantsReply reply;
    struct gf_node next = {.id = a.id, .boot = 2};
    request.ended_boot = 1;
    request.ended_through = 1;
    OK(gf_send(&next, &request, &reply));
    expect(30, 0, 0);
    cr_expect_eq(entries(&sum), 2);
    cr_expect_eq(sum, 0);
}

Test(lost, it_counts_as_spent_and_is_told)
{
    struct alert *alerts;
    size_t count;
    gf_ask(&a, &ra, 100, 100);
    gf.away[1] = true;
    lf_pass(GF_LOST_MS);
    grants_upkeep(gf.grants);
    cr_expect(lf_view(ra.ref).exhausted);
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(alerts_list(txn, 0, 10, &lf.f.arena, &alerts, &count));
    kv_abort(txn);
    cr_assert_eq(count, 1);
    cr_expect_eq(alerts[0].kind, ALERT_LIMIT);
}

Test(lost, an_operator_writes_off_and_frees)
{
    struct lost_result result;
    struct write_actor actor = {.type = "cli"};
    int64_t sum;
    gf_ask(&a, &ra, 50, 50);
    struct gf_node later = {.id = a.id, .boot = 9};
    struct gf_row row = {.ref = ra.ref};
    gf_ask(&later, &row, 20, 20);
    gf_ask(&b, &rb, 5, 5);
    OK(lost_write_off(lf.f.writer, &actor, &a.id, &result));
    cr_expect_eq(result.boots, 2);
    cr_expect_eq(result.counters, 2);
    expect(70, 70, 5);
    OK(lost_write_off(lf.f.writer, &actor, &a.id, &result));
    cr_expect_eq(result.counters, 0);
    gf_spend(&a, &ra, 10);
    expect(70, 60, 5);
    OK(lost_undo(lf.f.writer, &actor, &a.id, &result));
    cr_expect_eq(result.boots, 2);
    cr_expect_eq(result.counters, 2);
    expect(10, 0, 5);
    entries(&sum);
    cr_expect_eq(sum, 0);
    cr_expect_eq(audits("write_off"), 2);
    cr_expect_eq(audits("write_off_undo"), 2);
    OK(lost_undo(lf.f.writer, &actor, &a.id, &result));
    cr_expect_eq(result.counters, 0);
    OK(lost_write_off(lf.f.writer, &actor, &lf.key, &result)); /* no node at all */
    cr_expect_eq(result.boots, 0);
    gf_spend(&a, &ra, 25); /* the operator was wrong */
    expect(35, 0, 5);
}

Test(lost, rates_and_concurrency_lapse_by_themselves)
{
    struct lost_result result;
    lf_key(NULL, "[{\"type\":\"concurrency\",\"value\":3}]");
    struct gf_row row = {.ref = lf_ref(LIMIT_KEY, LIMIT_CONCURRENCY, LIMIT_NOW)};
    gf_ask(&a, &row, 3, 3);
    OK(lost_write_off(lf.f.writer, NULL, &a.id, &result));
    cr_expect_eq(result.counters, 0);
    cr_expect_eq(lf_view(row.ref).used, 3);
    lf_key(STRICT_100, NULL);
}

static enum status drop_op(struct write_op *op, void *arg)
{
    bool left;
    return ledger_drop_events(op, *(uint32_t *)arg, 1000, &left);
}

Test(lost, books_outlive_the_entries)
{
    lose_a();
    lf_pass(86400000);
    gf_spend(&a, &ra, 20);
    uint32_t day = (uint32_t)(lf.now_ms / 86400000);
    OK(writer_run(lf.f.writer, NULL, &lf.f.arena, drop_op, &day, NULL));
    expect(80, 30, 0);
    gf_spend(&a, &ra, 5);
    expect(80, 25, 0);
}

Test(lost, many_counters_in_several_operations)
{
    enum { COUNTERS = 2500 };
    static char names[COUNTERS][16];
    struct lost_result result;
    lf_put((struct lf_entity){SLUICE__KIND__KIND_USAGE_POLICY, .usage = STRICT_100});
    gd_begin();
    for (int i = 0; i < COUNTERS; i++) {
        struct grants_work work;
        struct gf_message m;
        Sluice__GrantsReply reply;
        struct gf_row row = {.ref = lf_ref(LIMIT_POLICY, LIMIT_TOKENS, LIMIT_BUDGET), .need = 3};
        snprintf(names[i], sizeof names[i], "user:%d", i);
        row.ref.value_key = str_c(names[i]);
        gf_fill(&m, &row);
        OK(gd_send(&a, ++a.frames, &m.request, &reply, &work));
    }
    gd_end();
    OK(lost_write_off(lf.f.writer, NULL, &a.id, &result));
    cr_expect_eq(result.boots, 1);
    cr_expect_eq(result.counters, COUNTERS);
    cr_expect_eq(audits("write_off"), 3);
    lf_verify();
}
