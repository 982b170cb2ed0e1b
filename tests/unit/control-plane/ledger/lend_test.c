/* Rates and concurrency, case by case: leases, windows, silence, corrections, bursts. */
#include "tests/unit/control-plane/grants_fixture.h"

#define REQUEST_MAX_MS 60000

static void begin(void)
{
    gf_open();
    grants_free(gf.grants);
    struct grants_options options = gf_options();
    options.request_max_ms = REQUEST_MAX_MS;
    OK(grants_new(&options, &gf.grants));
}

static void end(void)
{
    lf_verify();
    gf_close();
}

TestSuite(lend, .init = begin, .fini = end, .timeout = 60);

static struct gf_node a, b;
static struct gf_row ra, rb;

static void rows(enum limit_measure measure, enum limit_window window)
{
    a = gf_node(1), b = gf_node(2);
    ra = rb = (struct gf_row){.ref = lf_ref(LIMIT_KEY, measure, window)};
}

static void spend_all(struct gf_node *node, struct gf_row *row)
{
    row->spent += gf_left(row);
    (void)gf_ask(node, row, 0, 0);
}

Test(lend, leases_by_window)
{
    static const struct {
        const char *unit;
        enum limit_window window;
        uint32_t lease_ms;
    } cases[] = {{"rps", LIMIT_SECOND, 200},
                 {"rpm", LIMIT_MINUTE, 1875},
                 {"rph", LIMIT_HOUR, 60000},
                 {"rpw", LIMIT_WEEK, 60000}};
    char json[400] = "[";
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        snprintf(json + strlen(json), sizeof json - strlen(json),
                 "%s{\"type\":\"requests\",\"unit\":\"%s\",\"value\":10}", i > 0 ? "," : "",
                 cases[i].unit);
    strncat(json, ",{\"type\":\"concurrency\",\"value\":3}]", sizeof json - strlen(json) - 1);
    lf_key(NULL, json);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        rows(LIMIT_REQUESTS, cases[i].window);
        a.frames = i;
        cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_OK);
        cr_expect_eq(ra.lease_ms, cases[i].lease_ms, "%s", cases[i].unit);
    }
    rows(LIMIT_CONCURRENCY, LIMIT_NOW);
    a.frames = 100;
    cr_expect_eq(gf_ask(&a, &ra, 3, 3), GF_OK);
    cr_expect_eq(ra.lease_ms, 30000);
    cr_expect_eq(lf_view(ra.ref).used, 3);
    cr_expect(lf_view(ra.ref).exhausted);
}

Test(lend, a_permit_counts_from_when_it_is_told_for_one_window)
{
    lf_key(NULL, "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":10}]");
    rows(LIMIT_REQUESTS, LIMIT_MINUTE);
    gf_ask(&a, &ra, 10, 10);
    lf_pass(1000);
    spend_all(&a, &ra);
    cr_expect_eq(lf_view(ra.ref).used, 10);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_EXHAUSTED);
    cr_expect_geq(rb.retry_ms, 59000);
    cr_expect_leq(rb.retry_ms, 60500);
    lf_pass(rb.retry_ms - 1);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT); /* it has room soon */
    lf_pass(1);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_OK);
    cr_expect_eq(lf_view(ra.ref).used, 0);
}

Test(lend, what_a_silent_node_held_counts_a_window_beyond_its_lease)
{
    lf_key(NULL, "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":10}]");
    rows(LIMIT_REQUESTS, LIMIT_MINUTE);
    gf_ask(&a, &ra, 10, 10);
    gf.away[1] = true;
    lf_pass(60000 + 1875);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT);
    lf_pass(GRANTS_RECALL_MS);
    cr_expect_eq(gf_ask(&b, &rb, 10, 10), GF_OK);
    ra.spent = 10; /* it comes back: all of it was used, long ago for all we know */
    gf_ask(&a, &ra, 0, 0);
    cr_expect_eq(lf_view(ra.ref).used, 10);
    cr_expect_eq(lf_view(ra.ref).outstanding, 10);
}

Test(lend, corrections_are_applied_once)
{
    struct gf_message m;
    Sluice__GrantsReply reply;
    uint64_t at[3] = {(uint64_t)LF_NOW_MS, (uint64_t)LF_NOW_MS, (uint64_t)LF_NOW_MS};
    int64_t by[3] = {-30, -20, 5};
    lf_key(NULL, "[{\"type\":\"tokens\",\"unit\":\"rpm\",\"value\":100}]");
    rows(LIMIT_TOKENS, LIMIT_MINUTE);
    gf_ask(&a, &ra, 100, 100);
    spend_all(&a, &ra);
    for (int i = 0; i < 2; i++) { /* the answer was lost */
        gf_fill(&m, &ra);
        m.grant.corrections = 1;
        m.grant.n_bucket_ms = m.grant.n_bucket_add = 2;
        m.grant.bucket_ms = at;
        m.grant.bucket_add = by;
        OK(gf_send(&a, &m.request, &reply));
        cr_expect_eq(reply.grants[0]->corrections, 2);
        cr_expect_eq(lf_view(ra.ref).used, 50);
    }
    gf_fill(&m, &ra);
    m.grant.corrections = 2; /* the second again, and a third */
    m.grant.n_bucket_ms = m.grant.n_bucket_add = 2;
    m.grant.bucket_ms = at + 1;
    m.grant.bucket_add = by + 1;
    OK(gf_send(&a, &m.request, &reply));
    cr_expect_eq(reply.grants[0]->corrections, 3);
    cr_expect_eq(lf_view(ra.ref).used, 55);
    gf_fill(&m, &ra);
    m.grant.n_bucket_ms = m.grant.n_bucket_add = 2; /* without a number */
    m.grant.bucket_ms = at;
    m.grant.bucket_add = by;
    IS(gf_send(&a, &m.request, &reply), ST_BAD_FORMAT);
}

Test(lend, a_burst_caps_one_moment)
{
    lf_key(NULL, "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":60,\"burst\":5}]");
    rows(LIMIT_REQUESTS, LIMIT_MINUTE);
    cr_expect_eq(gf_ask(&a, &ra, 5, 5), GF_OK);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT); /* a holds them */
    spend_all(&a, &ra);
    lf_pass(999);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT);
    cr_expect_leq(rb.retry_ms, 1000);
    lf_pass(1);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_OK);
    cr_expect_eq(gf_ask(&a, &ra, 6, 6), GF_EXHAUSTED); /* it never fits */
    cr_expect_eq(ra.retry_ms, 60000);
}

Test(lend, nothing_is_admitted_by_a_rate_of_nothing)
{
    lf_key(NULL, "[{\"type\":\"requests\",\"unit\":\"rps\",\"value\":0}]");
    rows(LIMIT_REQUESTS, LIMIT_SECOND);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_EXHAUSTED);
    cr_expect_eq(ra.granted, 0);
}

Test(lend, permits_of_concurrency_come_back_and_are_renewed)
{
    lf_key(NULL, "[{\"type\":\"concurrency\",\"value\":4}]");
    rows(LIMIT_CONCURRENCY, LIMIT_NOW);
    gf_ask(&a, &ra, 4, 4);
    gf.away[1] = true;
    for (int i = 0; i < 20; i++) {
        lf_pass(10000);
        gf_ask(&a, &ra, 0, 0);
        cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_EXHAUSTED);
    }
    ra.returned = 1;
    gf_ask(&a, &ra, 0, 0);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_OK);
    lf_pass(30000 + REQUEST_MAX_MS);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_EXHAUSTED);
    lf_pass(GRANTS_RECALL_MS + 1);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_OK); /* a is silent for too long */
}
