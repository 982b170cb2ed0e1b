/* Rates and concurrency: a trace of a million requests over several nodes with a test clock,
 * messages that are slow or lost, nodes that die. Single cases are in lend_test.c. */
#include "control-plane/ledger/rate.h"
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

TestSuite(lend_rate, .init = begin, .fini = end, .timeout = 900);

/* --- the trace --- */

enum { NODES = 5, RECENT = 1 << 17 };

struct sim_node {
    struct gf_node node;
    struct gf_row row;
    int64_t lease_until_ms, next_ask_ms, last_grant, need;
    /* the request in flight, as it was sent */
    bool asking, lost, tell;
    struct gf_row sent;
    int64_t sent_ms, arrives_ms, answered_ms; /* answered_ms 0: it did not arrive yet */
    uint64_t frame;
    Sluice__GrantVerdict verdict;
    int64_t granted, lease_ms, retry_ms;
    uint64_t epoch;
    /* corrections of tokens that are not acknowledged */
    uint64_t fix_first;
    size_t fix_count;
    uint64_t fix_at[512];
    int64_t fix_by[512];
    size_t fix_sent;
    uint64_t fix_acked;
};

struct sim {
    const char *name, *json;
    enum limit_measure measure;
    enum limit_window window;
    int64_t value, burst, amount_max; /* of one request; above 1: tokens, corrected afterwards */
    int64_t gap_us;                   /* mean time between requests, all nodes together */
    int64_t slow_ms;                  /* longest way of a message */
    int requests, loss_percent;
    double wanted; /* share of the limit that must be used */
};

static struct sim_node sim[NODES];
static struct {
    int64_t at_ms, amount;
} recent[RECENT]; /* admitted: ring */
static size_t admitted_first, admitted_count;
static int64_t in_window, admitted_total, worst;
static uint64_t rng;
static struct rate bucket; /* what a burst allows, by its definition */

static int64_t dice(int64_t n)
{
    rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
    return n <= 0 ? 0 : (int64_t)((rng * 0x2545F4914F6CDD1Du >> 33) % (uint64_t)n);
}

static int64_t admitted_in(int64_t window_ms)
{
    while (admitted_first < admitted_count &&
           recent[admitted_first % RECENT].at_ms <= lf.now_ms - window_ms)
        in_window -= recent[admitted_first++ % RECENT].amount;
    return in_window;
}

/* `amount` may be less than was reserved: what counts is what was used. */
static void admit(const struct sim *s, int64_t amount)
{
    int64_t window_ms = limit_window_ms(s->window);
    cr_assert_lt(admitted_count - admitted_first, RECENT);
    recent[admitted_count % RECENT].at_ms = lf.now_ms;
    recent[admitted_count++ % RECENT].amount = amount;
    in_window += amount;
    admitted_total += amount;
    int64_t now = admitted_in(window_ms);
    worst = now > worst ? now : worst;
    cr_assert_leq(now, s->value, "more than the limit in a window");
    if (s->burst == 0)
        return;
    rate_refill(&bucket, s->value, s->burst, window_ms, lf.now_ms);
    bucket.level -= amount;
    cr_assert_geq(bucket.level, 0, "more than the burst at one moment");
}

static void sim_request(const struct sim *s, struct sim_node *n)
{
    int64_t reserve = 1 + dice(s->amount_max), used = reserve;
    bool live = lf.now_ms < n->lease_until_ms;
    if (!live || gf_left(&n->row) < reserve) {
        if (reserve > n->need)
            n->need = reserve;
        return;
    }
    n->row.spent += reserve;
    if (s->amount_max > 1 && n->fix_count < COUNT_OF(n->fix_at)) {
        used = 1 + dice(reserve);
        n->fix_at[n->fix_count] = (uint64_t)lf.now_ms;
        n->fix_by[n->fix_count++] = used - reserve;
    }
    admit(s, used);
}

/* A node asks when somebody waits, when half of the last grant is gone, or to tell what it spent.
 */
static void sim_ask(const struct sim *s, struct sim_node *n)
{
    if (n->asking || lf.now_ms < n->next_ask_ms)
        return;
    if (lf.now_ms >= n->lease_until_ms && gf_left(&n->row) > 0)
        n->row.returned += gf_left(&n->row);
    bool low = n->last_grant > 0 && gf_left(&n->row) <= n->last_grant / 2;
    if (n->need == 0 && !low && !n->tell)
        return;
    n->tell = false;
    n->row.need = n->need;
    n->row.wanted = n->last_grant * 2 + n->need;
    n->sent = n->row;
    n->fix_sent = n->fix_count;
    n->sent_ms = lf.now_ms;
    n->arrives_ms = lf.now_ms + 1 + dice(s->slow_ms);
    n->answered_ms = 0;
    n->lost = dice(100) < s->loss_percent;
    n->frame = ++n->node.frames;
    n->asking = true;
}

static void sim_recall(struct sim_node *n, int64_t keep)
{
    if (gf_left(&n->row) <= keep)
        return;
    n->row.returned += gf_left(&n->row) - keep;
    n->next_ask_ms = 0;
    n->tell = true;
}

/* The request arrives; half of those that are lost never do. */
static void sim_arrive(const struct sim *s, struct sim_node *n)
{
    struct gf_message m;
    struct grants_work work;
    Sluice__GrantsReply reply;
    n->answered_ms = lf.now_ms + 1 + dice(s->slow_ms);
    if (n->lost && dice(2) == 0)
        return;
    gf_fill(&m, &n->sent);
    if (n->fix_sent > 0 && n->sent.epoch != 0) {
        m.grant.corrections = n->fix_first;
        m.grant.n_bucket_ms = m.grant.n_bucket_add = n->fix_sent;
        m.grant.bucket_ms = n->fix_at;
        m.grant.bucket_add = n->fix_by;
    }
    OK(gd_send(&n->node, n->frame, &m.request, &reply, &work));
    cr_assert_eq(reply.n_grants, 1);
    n->verdict = reply.grants[0]->verdict;
    n->granted = (int64_t)reply.grants[0]->granted;
    n->lease_ms = reply.grants[0]->lease_ms;
    n->retry_ms = reply.grants[0]->retry_after_ms;
    n->epoch = reply.grants[0]->epoch;
    n->fix_acked = reply.grants[0]->corrections;
    for (size_t i = 0; i < work.recall_count; i++)
        for (int k = 0; k < NODES; k++)
            if (id_eq(&sim[k].node.id, &work.recalls[i].node))
                sim_recall(&sim[k], work.recalls[i].keep);
}

static void sim_answer(struct sim_node *n)
{
    n->asking = false;
    if (n->lost) {
        n->next_ask_ms = lf.now_ms + 1000;
        return;
    }
    int64_t more = n->granted - n->row.granted;
    n->row.epoch = n->epoch;
    if (more > 0)
        n->row.granted = n->granted, n->last_grant = more;
    n->lease_until_ms = n->sent_ms + n->lease_ms;
    n->next_ask_ms = lf.now_ms + (n->retry_ms > 1000 ? 1000 : n->retry_ms);
    if (n->verdict == GF_OK && n->need <= n->sent.need)
        n->need = 0; /* a larger one may have come meanwhile */
    while (n->fix_count > 0 && n->fix_first <= n->fix_acked) {
        memmove(n->fix_at, n->fix_at + 1, --n->fix_count * sizeof n->fix_at[0]);
        memmove(n->fix_by, n->fix_by + 1, n->fix_count * sizeof n->fix_by[0]);
        n->fix_first++;
    }
}

/* A node dies and comes back as another life that knows nothing. */
static void sim_die(const struct sim *s, struct sim_node *n)
{
    struct limit_ref ref = n->row.ref;
    (void)s;
    *n = (struct sim_node){.node = {n->node.id, n->node.boot + 1, 0, 0}, .fix_first = 1};
    n->row.ref = ref;
}

/* Everything that is due at a node until now, in the order of time. */
static void sim_due(const struct sim *s, struct sim_node *n, int64_t until_ms)
{
    for (;;) {
        int64_t due_ms = !n->asking            ? INT64_MAX
                         : n->answered_ms == 0 ? n->arrives_ms
                                               : n->answered_ms;
        if (due_ms > until_ms)
            return;
        lf_time(due_ms > lf.now_ms ? due_ms : lf.now_ms);
        if (n->answered_ms == 0)
            sim_arrive(s, n);
        else
            sim_answer(n);
        sim_ask(s, n);
    }
}

static void sim_run(const struct sim *s, int deaths)
{
    int64_t window_ms = limit_window_ms(s->window), now_us = LF_NOW_MS * 1000;
    int64_t begin_ms = 0, counted = 0;
    double used;
    rng = 88172645463325252u;
    bucket = (struct rate){.newest = 0};
    lf_key(NULL, s->json);
    for (int i = 0; i < NODES; i++) {
        sim[i] = (struct sim_node){.node = gf_node((uint8_t)(i + 1)), .fix_first = 1};
        sim[i].row.ref = lf_ref(LIMIT_KEY, s->measure, s->window);
    }
    admitted_first = admitted_count = 0;
    in_window = admitted_total = worst = 0;
    gd_begin();
    for (int request = 0; request < s->requests; request++) {
        now_us += 1 + dice(2 * s->gap_us);
        /* One ms at a time, so that the nodes' messages meet in the order of time. */
        for (int64_t ms = lf.now_ms + 1; ms <= now_us / 1000; ms++)
            for (int i = 0; i < NODES; i++)
                sim_due(s, &sim[i], ms);
        lf_time(now_us / 1000 > lf.now_ms ? now_us / 1000 : lf.now_ms);
        struct sim_node *n = &sim[dice(dice(2) == 0 ? 2 : NODES)]; /* two are hotter */
        sim_request(s, n);
        for (int i = 0; i < NODES; i++)
            sim_ask(s, &sim[i]);
        if (deaths > 0 && dice(s->requests / deaths) == 0)
            sim_die(s, &sim[dice(NODES)]);
        if (begin_ms == 0 && lf.now_ms - LF_NOW_MS > 2 * window_ms)
            begin_ms = lf.now_ms, counted = admitted_total;
    }
    gd_end();
    cr_assert_neq(begin_ms, 0, "the trace is shorter than two windows");
    used = (double)(admitted_total - counted) * (double)window_ms /
           ((double)s->value * (double)(lf.now_ms - begin_ms));
    printf("%s: %.1f %% used, at most %.1f %% of value in a window, %d requests\n", s->name,
           used * 100, (double)worst * 100 / (double)s->value, s->requests);
    cr_expect_geq(used, s->wanted, "%s", s->name);
}

#ifdef SLUICE_SANITIZED
#define SCALE 3
#else
#define SCALE 1
#endif

Test(lend_rate, a_minute_under_overload)
{
    sim_run(&(struct sim){"6000 rpm", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":6000}]",
                          LIMIT_REQUESTS, LIMIT_MINUTE, 6000, 0, 1, 4000, 30, 1000000 / SCALE, 1,
                          0.95},
            0);
}

Test(lend_rate, a_second_under_overload)
{
    sim_run(&(struct sim){"400 rps", "[{\"type\":\"requests\",\"unit\":\"rps\",\"value\":400}]",
                          LIMIT_REQUESTS, LIMIT_SECOND, 400, 0, 1, 1200, 10, 300000 / SCALE, 0,
                          0.80},
            0);
}

Test(lend_rate, an_hour_under_overload)
{
    sim_run(&(struct sim){"50000 rph", "[{\"type\":\"requests\",\"unit\":\"rph\",\"value\":50000}]",
                          LIMIT_REQUESTS, LIMIT_HOUR, 50000, 0, 1, 36000, 150, 300000, 1, 0.95},
            0);
}

Test(lend_rate, tokens_corrected_in_a_minute)
{
    sim_run(&(struct sim){"tokens", "[{\"type\":\"tokens\",\"unit\":\"rpm\",\"value\":900000}]",
                          LIMIT_TOKENS, LIMIT_MINUTE, 900000, 0, 1000, 10000, 30, 300000 / SCALE, 1,
                          0.80},
            0);
}

Test(lend_rate, slow_links_losses_and_deaths)
{
    sim_run(&(struct sim){"slow, 5 % lost, 40 deaths",
                          "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":6000}]",
                          LIMIT_REQUESTS, LIMIT_MINUTE, 6000, 0, 1, 4000, 400, 400000 / SCALE, 5,
                          0.50},
            40 / SCALE);
}

Test(lend_rate, a_burst_is_never_passed)
{
    sim_run(&(struct sim){"6000 rpm, burst 60",
                          "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":6000,\"burst\":60}]",
                          LIMIT_REQUESTS, LIMIT_MINUTE, 6000, 60, 1, 4000, 20, 300000 / SCALE, 1,
                          0.80},
            0);
}

/* --- concurrency: nodes with requests that last, crashes, and links that are cut --- */

enum { PERMITS = 40, RUNNING_MAX = 64 };

struct now_node {
    struct gf_node node;
    struct gf_row row;
    int64_t lease_until_ms, heard_ms, cut_until_ms;
    int64_t ends_ms[RUNNING_MAX];
    int running;
};
static struct now_node now_nodes[NODES];

static int running_all(void)
{
    int sum = 0;
    for (int i = 0; i < NODES; i++)
        sum += now_nodes[i].running;
    return sum;
}

static void now_finish(struct now_node *n)
{
    for (int i = 0; i < n->running; i++)
        if (n->ends_ms[i] <= lf.now_ms)
            n->ends_ms[i--] = n->ends_ms[--n->running];
}

static int64_t now_held(const struct now_node *n)
{
    return n->row.granted - n->row.returned;
}

/* Tells and asks; a cut link loses the request or the answer. */
static void now_talk(struct now_node *n, int64_t need)
{
    struct gf_message m;
    struct grants_work work;
    Sluice__GrantsReply reply;
    int64_t sent_ms = lf.now_ms;
    if (lf.now_ms >= n->lease_until_ms) /* free permits are dead; running requests go on */
        n->row.returned = n->row.granted - n->running;
    n->row.need = need;
    n->row.wanted = 2 * need;
    n->node.frames++;
    bool cut = lf.now_ms < n->cut_until_ms;
    if (cut && dice(2) == 0)
        return;
    gf_fill(&m, &n->row);
    OK(gd_send(&n->node, n->node.frames, &m.request, &reply, &work));
    for (size_t i = 0; i < work.recall_count; i++)
        for (int k = 0; k < NODES; k++) {
            struct now_node *other = &now_nodes[k];
            if (!id_eq(&other->node.id, &work.recalls[i].node) || lf.now_ms < other->cut_until_ms)
                continue;
            int64_t keep =
                work.recalls[i].keep > other->running ? work.recalls[i].keep : other->running;
            if (now_held(other) > keep)
                other->row.returned = other->row.granted - keep;
        }
    if (cut)
        return;
    gf_take(&n->row, reply.grants[0]);
    n->lease_until_ms = sent_ms + n->row.lease_ms;
    n->heard_ms = lf.now_ms;
}

static void now_request(struct now_node *n)
{
    if (lf.now_ms >= n->lease_until_ms || now_held(n) <= n->running) {
        now_talk(n, 1);
        if (lf.now_ms >= n->lease_until_ms || now_held(n) <= n->running)
            return;
    }
    if (n->running == RUNNING_MAX)
        return;
    n->ends_ms[n->running++] = lf.now_ms + 1 + dice(dice(20) == 0 ? REQUEST_MAX_MS : 3000);
    cr_assert_leq(running_all(), PERMITS);
}

Test(lend_rate, concurrency_is_never_passed_and_never_stuck)
{
    const char *json = "[{\"type\":\"concurrency\",\"value\":40}]";
    uint64_t busy = 0, steps = 200000 / SCALE;
    rng = 123456789123456789u;
    lf_key(NULL, json);
    for (int i = 0; i < NODES; i++) {
        now_nodes[i] = (struct now_node){.node = gf_node((uint8_t)(i + 1))};
        now_nodes[i].row.ref = lf_ref(LIMIT_KEY, LIMIT_CONCURRENCY, LIMIT_NOW);
    }
    gd_begin();
    for (uint64_t step = 0; step < steps; step++) {
        lf_pass(1 + dice(60));
        struct now_node *n = &now_nodes[dice(NODES)];
        for (int i = 0; i < NODES; i++)
            now_finish(&now_nodes[i]);
        for (int i = 0; i < NODES; i++)
            if (lf.now_ms - now_nodes[i].heard_ms > 10000 && dice(10) == 0)
                now_talk(&now_nodes[i], 0);
        now_request(n);
        if (dice(20000) == 0)
            n->cut_until_ms = lf.now_ms + dice(200000);
        if (dice(20000) == 0) { /* its requests die with it */
            struct limit_ref ref = n->row.ref;
            *n = (struct now_node){.node = {n->node.id, n->node.boot + 1, 0, 0}};
            n->row.ref = ref;
        }
        busy += (uint64_t)running_all();
    }
    printf("concurrency %d: %.1f running on average\n", PERMITS, (double)busy / (double)steps);
    cr_expect_gt(busy, steps * PERMITS / 2);

    /* All die; whatever they held is free after lease and longest request. */
    lf_pass(30000 + REQUEST_MAX_MS + GRANTS_RECALL_MS + 1);
    struct now_node last = {.node = gf_node(7)};
    last.row.ref = now_nodes[0].row.ref;
    now_talk(&last, PERMITS);
    cr_expect_eq(last.row.verdict, GF_OK);
    cr_expect_eq(last.row.granted, PERMITS);
    gd_end();
}
