/* Grants of budgets: sizes, verdicts, recalls, and messages that are lost, repeated, late or wrong.
 */
#include "tests/unit/control-plane/grants_fixture.h"

#define STRICT_100   "{\"type\":\"tokens\",\"credit_limit\":100,\"mode\":\"strict\"}"
#define STRICT_1000  "{\"type\":\"tokens\",\"credit_limit\":1000,\"mode\":\"strict\"}"
#define STANDARD_100 "{\"type\":\"tokens\",\"credit_limit\":100}"

static struct gf_node a, b, c;
static struct gf_row ra, rb, rc;

static void begin(void)
{
    gf_open();
    a = gf_node(1), b = gf_node(2), c = gf_node(3);
    ra = rb = rc = (struct gf_row){.ref = lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET)};
}

static void end(void)
{
    lf_verify();
    gf_close();
}

TestSuite(grants, .init = begin, .fini = end, .timeout = 60);

static struct counter_view view(void)
{
    return lf_view(ra.ref);
}

Test(grants, a_first_request_opens_the_counter)
{
    lf_key(STRICT_1000, NULL);
    cr_expect_eq(gf_ask(&a, &ra, 10, 500), GF_OK);
    cr_expect_eq(ra.epoch, (uint64_t)LF_NOW_MS);
    cr_expect_eq(ra.granted, 250); /* a quarter of what is free */
    cr_expect_eq(ra.limit, 1000);
    cr_expect_eq(ra.outstanding, 250);
    cr_expect_eq(ra.ends_ms, 0);
    cr_expect_eq(view().outstanding, 250);
    cr_expect_eq(view().used, 0);
}

Test(grants, shrink_with_the_nodes_and_near_the_limit)
{
    lf_key(STRICT_1000, NULL);
    gf_ask(&a, &ra, 1, 1000);
    gf_ask(&b, &rb, 1, 1000);
    cr_expect_eq(ra.granted, 250);
    cr_expect_eq(rb.granted, 750 / 8); /* a quarter of a half */
    gf_ask(&b, &rb, 1, 1000);
    cr_expect_eq(rb.granted, 93 + 657 / 8);
    int64_t last = 1000, before = ra.granted;
    while (gf_ask(&a, &ra, 1, 1000) == GF_OK) {
        cr_expect_leq(ra.granted - before, last);
        last = ra.granted - before;
        before = ra.granted;
    }
    cr_expect_eq(last, 1);
    cr_expect_eq(view().outstanding, 1000);
}

Test(grants, strict_gives_all_of_a_need_or_nothing)
{
    lf_key(STRICT_100, NULL);
    cr_expect_eq(gf_ask(&a, &ra, 60, 60), GF_OK);
    cr_expect_eq(ra.granted, 60);
    gf_spend(&a, &ra, 60);
    cr_expect_eq(gf_ask(&b, &rb, 41, 41), GF_EXHAUSTED);
    cr_expect_eq(rb.granted, 0);
    cr_expect_eq(gf_ask(&b, &rb, 40, 41), GF_OK);
    cr_expect_eq(rb.granted, 40);
    gf_spend(&b, &rb, 40);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_EXHAUSTED);
    cr_expect(view().exhausted);
}

Test(grants, standard_gives_what_is_free)
{
    lf_key(STANDARD_100, NULL);
    cr_expect_eq(gf_ask(&a, &ra, 60, 60), GF_OK);
    cr_expect_eq(gf_ask(&b, &rb, 90, 90), GF_OK);
    cr_expect_eq(rb.granted, 40);
    gf_spend(&a, &ra, 75); /* cost more than it reserved */
    cr_expect_eq(view().used, 75);
    cr_expect_eq(view().outstanding, 40);
    gf_spend(&b, &rb, 40);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_EXHAUSTED);
    cr_expect_eq(rb.settled, 115);
}

Test(grants, what_is_returned_is_free)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 80, 80);
    gf_spend(&a, &ra, 10);
    gf_return(&a, &ra, 5);
    cr_expect_eq(view().outstanding, 5);
    cr_expect_eq(gf_ask(&b, &rb, 85, 85), GF_OK);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT); /* a still has 5 */
}

Test(grants, a_lost_reply_is_made_up_for)
{
    lf_key(STRICT_1000, NULL);
    ra.need = 100;
    gf_ask_lost(&a, &ra, true);
    gf_ask_lost(&a, &ra, true);
    cr_expect_eq(view().outstanding, 100);
    gf_ask_lost(&a, &ra, false); /* the same wish */
    cr_expect_eq(ra.granted, 100);
    cr_expect_eq(view().outstanding, 100);
    ra.need = 30;
    gf_ask_lost(&a, &ra, true);
    ra.need = 50; /* a larger one, the answer to the smaller unheard */
    gf_ask_lost(&a, &ra, false);
    cr_expect_eq(ra.granted, 150);
    cr_expect_eq(view().outstanding, 150);
}

Test(grants, a_late_request_is_refused)
{
    struct gf_message m;
    Sluice__GrantsReply reply;
    lf_key(STRICT_1000, NULL);
    gf_ask(&a, &ra, 100, 100);
    gf_fill(&m, &ra);
    m.grant.need = 100;
    ra.returned = 60;
    gf_ask(&a, &ra, 0, 0);
    a.frames -= 2;
    IS(gf_send(&a, &m.request, &reply), ST_CONFLICT);
    a.frames++;
    cr_expect_eq(view().outstanding, 40);
}

Test(grants, an_older_total_changes_nothing)
{
    lf_key(STRICT_1000, NULL);
    gf_ask(&a, &ra, 100, 100);
    ra.returned = 60;
    gf_ask(&a, &ra, 0, 0);
    ra.returned = 20;
    gf_ask(&a, &ra, 0, 0);
    cr_expect_eq(view().outstanding, 40);
}

Test(grants, idle_begins_the_totals_anew_and_keeps_what_is_on_its_way)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 80, 80);
    ra.spent = 30; /* in the journal, not yet sent */
    ra.returned = 50;
    ra.idle = true;
    gf_ask_lost(&a, &ra, true);
    gf_ask_lost(&a, &ra, false); /* said again */
    cr_expect_eq(view().outstanding, 30);
    cr_expect_eq(ra.granted, 0);
    cr_expect_eq(gf_ask(&a, &ra, 70, 70), GF_OK);
    cr_expect_eq(ra.granted, 70);
    cr_expect_eq(view().outstanding, 100);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT);
    struct gf_row old = ra;
    gf_spend(&a, &old, 30); /* now it comes */
    cr_expect_eq(view().used, 30);
    cr_expect_eq(view().outstanding, 70);
    gf_spend(&a, &ra, 70);
    cr_expect_eq(view().used, 100);
    cr_expect_eq(view().outstanding, 0);
}

Test(grants, idle_twice_with_a_beginning_in_between)
{
    lf_key(STRICT_100, NULL);
    for (int i = 0; i < 3; i++) {
        struct gf_row row = {.ref = ra.ref}; /* it knows the epoch no more */
        cr_expect_eq(gf_ask(&a, &row, 40, 40), GF_OK);
        cr_expect_eq(row.granted, 40);
        row.returned = 40;
        row.idle = true;
        gf_ask_lost(&a, &row, false);
        cr_expect_eq(view().outstanding, 0);
    }
}

Test(grants, a_need_asks_back_what_others_do_not_use)
{
    lf_key(STRICT_1000, NULL);
    while (gf_ask(&a, &ra, 1, 1000) == GF_OK && gf_ask(&b, &rb, 1, 1000) == GF_OK)
        ;
    cr_assert_eq(view().outstanding, 1000);
    lf_pass(GRANTS_RECALL_MS);
    gf_spend(&a, &ra, gf_left(&ra) - 300);
    gf_spend(&b, &rb, gf_left(&rb) - 200);
    cr_expect_eq(gf_ask(&c, &rc, 10, 10), GF_WAIT);
    cr_expect_eq(rc.retry_ms, GRANTS_WAIT_MS);
    cr_assert_eq(gf.recall_count, 2);
    int64_t keep = gf.recalls[0].keep;
    cr_expect_eq(keep, 500 / 12); /* a quarter of a third of what is left */
    gf_return(&a, &ra, keep);
    gf_return(&b, &rb, keep);
    cr_expect_eq(gf_ask(&c, &rc, 10, 10), GF_OK);
    lf_pass(GRANTS_RECALL_MS);
    cr_expect_eq(gf_ask(&c, &rc, 490, 490), GF_WAIT); /* only if nobody keeps any */
    cr_assert_eq(gf.recall_count, 2);
    cr_expect_eq(gf.recalls[0].keep, 0);
    lf_pass(GRANTS_RECALL_MS);
    cr_expect_eq(gf_ask(&c, &rc, 491, 491), GF_EXHAUSTED);
    cr_expect_eq(gf.recall_count, 0);
}

Test(grants, a_counter_is_not_recalled_again_at_once)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 100, 100);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT);
    cr_expect_eq(gf.recall_count, 1);
    cr_expect_eq(gf_ask(&c, &rc, 1, 1), GF_WAIT);
    cr_expect_eq(gf.recall_count, 0);
    lf_pass(GRANTS_RECALL_MS);
    cr_expect_eq(gf_ask(&c, &rc, 1, 1), GF_WAIT);
    cr_expect_eq(gf.recall_count, 1);
}

Test(grants, who_cannot_be_reached_is_not_waited_for)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 100, 100);
    gf.away[1] = true;
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_EXHAUSTED);
    cr_expect_eq(gf.recall_count, 0);
}

Test(grants, a_lowered_limit_takes_grants_back_and_never_grants_above)
{
    lf_key(STRICT_1000, NULL);
    gf_ask(&a, &ra, 600, 600);
    gf_ask(&b, &rb, 300, 300);
    gf_spend(&a, &ra, 100);
    lf_pass(1000);
    lf_key("{\"type\":\"tokens\",\"credit_limit\":400,\"mode\":\"strict\"}", NULL);
    cr_expect_eq(gf_ask(&a, &ra, 0, 0), GF_OK);
    cr_expect_eq(ra.limit, 400);
    cr_expect_eq(gf.recall_count, 2); /* also from the one that asks */
    cr_expect_eq(gf_ask(&b, &rb, 10, 10), GF_WAIT);
    gf_return(&a, &ra, gf.recalls[0].keep);
    gf_return(&b, &rb, gf.recalls[0].keep);
    cr_expect_leq(view().used + view().outstanding, 400);
    lf_pass(1000);
    cr_expect_eq(gf_ask(&b, &rb, 10, 10), GF_OK);
    lf_key(STRICT_1000, NULL);
    cr_expect_eq(gf_ask(&b, &rb, 600, 600), GF_OK);
}

Test(grants, an_epoch_that_is_over_is_told_so)
{
    lf_key("{\"type\":\"tokens\",\"credit_limit\":100,\"mode\":\"strict\",\"periodic_reset\":"
           "\"monthly\"}",
           NULL);
    gf_ask(&a, &ra, 100, 100);
    int64_t ends_ms = ra.ends_ms;
    cr_expect_gt(ends_ms, lf.now_ms);
    gf_spend(&a, &ra, 70);
    lf_time(ends_ms + 5);
    struct gf_message m;
    Sluice__GrantsReply reply;
    gf_fill(&m, &ra);
    m.grant.need = 50;
    m.grant.returned = 10;
    OK(gf_send(&a, &m.request, &reply));
    cr_assert_eq(reply.n_grants, 2);
    cr_expect_eq(reply.grants[0]->epoch, ra.epoch);
    cr_expect_eq(reply.grants[0]->granted, 100);
    cr_expect_eq(reply.grants[0]->outstanding, 20);
    cr_expect_eq(reply.grants[0]->epoch_ends_ms, ends_ms);
    cr_expect_neq(reply.grants[0]->verdict, GF_OK);
    cr_expect_gt(reply.grants[1]->epoch, ra.epoch);
    cr_expect_eq(reply.grants[1]->granted, 50);
    cr_expect_eq(view().outstanding, 50);
    gf_fill(&m, &ra); /* nothing wanted: only the old one is answered */
    OK(gf_send(&a, &m.request, &reply));
    cr_expect_eq(reply.n_grants, 1);
}

static enum status reset_op(struct write_op *op, void *arg)
{
    (void)arg;
    return counters_reset_entity(op, &ra.ref, &lf.workspace);
}

Test(grants, a_reset_reopens)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 100, 100);
    gf_spend(&a, &ra, 100);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_EXHAUSTED);
    uint64_t epoch = ra.epoch;
    OK(fixture_write(&lf.f, reset_op, NULL, NULL));
    cr_expect_eq(gf_ask(&a, &ra, 40, 40), GF_OK);
    cr_expect_neq(ra.epoch, epoch);
    cr_expect_eq(ra.granted, 40);
}

static enum status delete_key_op(struct write_op *op, void *arg)
{
    (void)arg;
    return record_delete(
        op, &(struct record_key){SLUICE__KIND__KIND_API_KEY, lf.org, lf.workspace, lf.key});
}

Test(grants, a_limit_that_is_gone_is_unknown)
{
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_UNKNOWN);
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 50, 50);
    lf_key("{\"type\":\"cost\",\"credit_limit\":100}", NULL);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_UNKNOWN);
    cr_expect_eq(ra.granted, 50);
    lf_key(STRICT_100, NULL);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_OK);
    OK(fixture_write(&lf.f, delete_key_op, NULL, NULL));
    ra.returned = 20;
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_UNKNOWN);
    struct gf_row other = {.ref = ra.ref, .epoch = 99};
    other.ref.nth = 7;
    cr_expect_eq(gf_ask(&a, &other, 1, 1), GF_UNKNOWN);
}

Test(grants, an_unreadable_limit_lends_nothing)
{
    lf_key("{\"type\":\"tokens\",\"credit_limit\":100,\"mode\":\"lax\"}", NULL);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_EXHAUSTED);
    cr_expect_eq(ra.granted, 0);
}

Test(grants, a_limit_of_nothing_lends_nothing)
{
    lf_key("{\"type\":\"tokens\",\"credit_limit\":0}", NULL);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_EXHAUSTED);
    lf_key("{\"type\":\"tokens\",\"credit_limit\":0,\"mode\":\"strict\"}", NULL);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_EXHAUSTED);
    cr_expect_eq(view().outstanding, 0);
}

Test(grants, what_contradicts_itself_is_refused_whole)
{
    struct gf_message m;
    Sluice__GrantsReply reply;
    struct id other = test_id(44);
    lf_key(STRICT_100, NULL);
    gf_fill(&m, &ra);
    m.grant.returned = 1; /* more than it says it was granted */
    IS(gf_send(&a, &m.request, &reply), ST_BAD_FORMAT);
    gf_fill(&m, &ra);
    m.grant.counter = wire_id_data(&other); /* not the ref's */
    IS(gf_send(&a, &m.request, &reply), ST_BAD_FORMAT);
    gf_fill(&m, &ra);
    m.grant.ref = NULL;
    IS(gf_send(&a, &m.request, &reply), ST_BAD_FORMAT);
    gf_fill(&m, &ra);
    m.grant.need = UINT64_MAX;
    IS(gf_send(&a, &m.request, &reply), ST_BAD_FORMAT);
    gf_fill(&m, &ra);
    m.grant.counter.len = 3;
    IS(gf_send(&a, &m.request, &reply), ST_BAD_FORMAT);
    cr_expect_eq(view().epoch, 0);
}

/* --- ends of boots --- */

static void end_boot(struct gf_node *node, uint64_t boot, uint64_t through)
{
    Sluice__GrantsRequest request = SLUICE__GRANTS_REQUEST__INIT;
    Sluice__GrantsReply reply;
    request.ended_boot = boot;
    request.ended_through = through;
    OK(gf_send(node, &request, &reply));
}

Test(grants, a_boot_that_ended_in_order_holds_nothing)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 80, 80);
    gf_spend(&a, &ra, 30);
    struct gf_node next = {.id = a.id, .boot = 2};
    end_boot(&next, 1, 1);
    cr_expect_eq(view().used, 30);
    cr_expect_eq(view().outstanding, 0);
    end_boot(&next, 1, 1);
    cr_expect_eq(view().outstanding, 0);
    end_boot(&next, 2, 0); /* it cannot end itself while it speaks */
    end_boot(&next, 7, 0); /* one that never asked */
    cr_expect_eq(view().used, 30);
}

Test(grants, an_ended_boot_is_held_until_its_journal_is_here)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 80, 80);
    struct gf_node next = {.id = a.id, .boot = 2};
    end_boot(&next, 1, 2);
    cr_expect_eq(view().outstanding, 80);
    gf_spend(&a, &ra, 30);
    cr_expect_eq(view().outstanding, 50);
    cr_expect_eq(gf_ask(&b, &rb, 30, 30), GF_WAIT);
    gf_spend(&a, &ra, 10); /* the last one */
    cr_expect_eq(view().used, 40);
    cr_expect_eq(view().outstanding, 0);
    cr_expect_eq(gf_ask(&b, &rb, 60, 60), GF_OK);
}

Test(grants, a_boot_that_did_not_end_keeps_what_it_holds)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 80, 80);
    struct gf_node next = {.id = a.id, .boot = 2};
    struct gf_row row = {.ref = ra.ref};
    cr_expect_eq(gf_ask(&next, &row, 20, 20), GF_OK);
    cr_expect_eq(view().outstanding, 100);
}

Test(grants, many_limits_in_one_request)
{
    enum { ROWS = 8 };
    struct gf_message m[ROWS];
    struct gf_row known[ROWS];
    Sluice__Grant *rows[ROWS];
    Sluice__GrantsRequest request = SLUICE__GRANTS_REQUEST__INIT;
    Sluice__GrantsReply reply;
    char json[900] = "[";
    for (int i = 0; i < ROWS; i++)
        snprintf(json + strlen(json), sizeof json - strlen(json),
                 "%s{\"type\":\"tokens\",\"credit_limit\":%d,\"mode\":\"strict\"}",
                 i > 0 ? "," : "", 100 * (i + 1));
    strncat(json, "]", sizeof json - strlen(json) - 1);
    lf_key(json, NULL);
    for (int i = 0; i < ROWS; i++) {
        known[i] = (struct gf_row){.ref = ra.ref, .need = 100};
        known[i].ref.nth = (uint8_t)i;
        gf_fill(&m[i], &known[i]);
        rows[i] = &m[i].grant;
    }
    request.grants = rows;
    request.n_grants = ROWS;
    OK(gf_send(&a, &request, &reply));
    cr_assert_eq(reply.n_grants, ROWS);
    for (int i = 0; i < ROWS; i++) {
        cr_expect_eq(reply.grants[i]->granted, 100);
        cr_expect_eq(reply.grants[i]->limit, 100 * (i + 1));
    }
}

Test(grants, a_restart_of_the_control_plane_changes_nothing)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 80, 80);
    grants_free(gf.grants);
    fixture_shut(&lf.f);
    fixture_reopen(&lf.f, FIXTURE_MAP_BYTES);
    struct grants_options options = gf_options();
    OK(grants_new(&options, &gf.grants));
    cr_expect_eq(gf_ask(&b, &rb, 21, 21), GF_WAIT);
    cr_expect_eq(gf_ask(&b, &rb, 20, 20), GF_OK);
}

Test(grants, a_request_about_many_exhausted_counters_is_small)
{
    enum { ROWS = 3000 };
    static struct gf_message m[ROWS];
    static struct gf_row known[ROWS];
    static char names[ROWS][16];
    static Sluice__Grant *rows[ROWS];
    Sluice__GrantsRequest request = SLUICE__GRANTS_REQUEST__INIT;
    Sluice__GrantsReply reply;
    struct arena small;
    lf_put((struct lf_entity){SLUICE__KIND__KIND_USAGE_POLICY, .usage = STRICT_100});
    for (int i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof names[i], "user:%d", i);
        known[i] =
            (struct gf_row){.ref = lf_ref(LIMIT_POLICY, LIMIT_TOKENS, LIMIT_BUDGET), .need = 100};
        known[i].ref.value_key = str_c(names[i]);
        gf_fill(&m[i], &known[i]);
        rows[i] = &m[i].grant;
    }
    request.grants = rows;
    request.n_grants = ROWS;
    OK(gf_send(&a, &request, &reply)); /* takes all of each */
    arena_init(&small, (size_t)16 << 20);
    const struct grants_asker asker = {b.id, b.boot, ++b.frames};
    OK(grants_answer(gf.grants, &asker, &request, &small, &reply));
    cr_expect_eq(reply.grants[ROWS - 1]->verdict, GF_WAIT);
    arena_free(&small);
}
