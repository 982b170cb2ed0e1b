/* Budgets against a small oracle, by random steps: grants, returns, events, messages that are lost,
 * repeated or late, deaths and orderly ends, write-offs, cut links, limits raised and lowered,
 * periods and zones changed, resets, clocks that step, control planes that start anew from their
 * store. After every step the counter concerned agrees with the oracle in every figure, and nothing
 * that counts against a strict limit is above its cap. */
#include "control-plane/ledger/holding.h"
#include "control-plane/ledger/lost.h"
#include "tests/unit/control-plane/grants_oracle.h"

#ifdef SLUICE_SANITIZED
#define STEPS 20000
#else
#define STEPS 100000 /* SLUICE_PROPERTY_STEPS=1000000 for a million */
#endif

/* --- the system --- */

static bool is_up(void *arg, const struct id *node, uint64_t boot)
{
    (void)arg;
    for (int n = 0; n < NODES; n++)
        if (id_eq(&fleet[n].node.id, node))
            return fleet[n].lives[0].boot == boot && lf.now_ms >= fleet[n].cut_until_ms;
    return false;
}

static void put_definition(struct budget *b)
{
    static const char *const rules[] = {"", ",\"periodic_reset\":\"weekly\"",
                                        ",\"periodic_reset\":\"monthly\"", ""};
    char json[256], days[40] = "";
    struct record_key key = {SLUICE__KIND__KIND_API_KEY, lf.org, lf.workspace, b->ref.entity};
    Sluice__ApiKey row = SLUICE__API_KEY__INIT;
    struct write_op op = gd_op();
    if (b->period.rule == DAYS)
        snprintf(days, sizeof days, ",\"periodic_reset_days\":%d", b->period.days);
    snprintf(json, sizeof json, "{\"type\":\"tokens\",\"credit_limit\":%d,\"mode\":\"%s\"%s%s}",
             (int)b->limit, b->strict ? "strict" : "standard", rules[b->period.rule], days);
    op.revision = ++gd.revision;
    row.usage_limits_json = json;
    row.created_at_ms = b->period.made_ms;
    row.updated_at_ms = lf.now_ms;
    OK(record_put(&op, &key, &row, str_of(key_hashes[b - budgets], 32)));
}

static void put_zone(void)
{
    struct record_key key = {SLUICE__KIND__KIND_ORGANISATION, lf.org, ID_NONE, lf.org};
    Sluice__Organisation row = SLUICE__ORGANISATION__INIT;
    char name[40];
    struct write_op op = gd_op();
    op.revision = ++gd.revision;
    snprintf(name, sizeof name, "%s", zones[zone]);
    row.time_zone = name;
    row.updated_at_ms = lf.now_ms;
    OK(record_put(&op, &key, &row, STR("acme")));
}

static void compare(struct budget *b)
{
    struct counter_view view;
    int64_t outstanding, lost;
    arena_free(&gd.arena);
    OK(counters_of(gd.txn, &gd.arena, &b->ref, &lf.workspace, lf.now_ms, &view));
    pass(b);
    sums(&b->now, &outstanding, &lost);
    cr_assert_eq(view.used, b->now.settled + lost, "used %ld, not %ld", (long)view.used,
                 (long)(b->now.settled + lost));
    cr_assert_eq(view.lost, lost, "lost %ld, not %ld", (long)view.lost, (long)lost);
    cr_assert_eq(view.outstanding, outstanding, "outstanding %ld, not %ld", (long)view.outstanding,
                 (long)outstanding);
    cr_assert_eq(view.limit, b->limit);
    cr_assert_eq(view.strict, b->strict);
    cr_assert_eq(view.resets_at_ms, b->now.end_ms == INT64_MAX ? 0 : b->now.end_ms,
                 "resets at %ld, not %ld: rule %d of %d days, %s, made %ld, from %ld, now %ld",
                 (long)view.resets_at_ms, (long)b->now.end_ms, (int)b->period.rule, b->period.days,
                 zones[zone], (long)b->period.made_ms, (long)b->now.start_ms, (long)lf.now_ms);
    if (b->now.number != 0)
        cr_assert_eq(view.started_at_ms, b->now.start_ms);
    if (b->now.number != 0 && b->now.number != OPEN)
        cr_assert_eq(view.epoch, b->now.number);
    if (b->strict && !b->now.wild)
        cr_assert_leq(view.used + view.outstanding, b->now.cap);
}

/* What the present lives were lent. */
static void compare_holdings(const struct id *id, const struct span *p)
{
    for (int n = 0; n < NODES; n++) {
        const struct share *s = &p->shares[n][0];
        struct holding_name name = {*id, p->number, fleet[n].node.id, fleet[n].lives[0].boot};
        struct holding holding;
        OK(holding_get_or_new(gd.txn, &name, &holding));
        cr_assert_eq(holding.granted, s->granted, "granted %ld, not %ld", (long)holding.granted,
                     (long)s->granted);
        cr_assert_eq(holding.returned, s->returned);
        cr_assert_eq(holding.used, s->told);
    }
}

/* The store itself, every epoch. One without use may be forgotten. */
static void compare_books(struct budget *b)
{
    struct rule_owner owner = {b->ref, lf.workspace};
    struct id id = counter_name(&owner);
    for (int i = -1; i < b->old_count; i++) {
        const struct span *p = i < 0 ? &b->now : &b->old[i];
        struct book book = {.settled = 0};
        int64_t outstanding, lost;
        if (p->number == 0 || p->number == OPEN)
            continue;
        enum status status = book_get(gd.txn, &id, p->number, &book);
        sums(p, &outstanding, &lost);
        cr_assert(status == ST_OK || (status == ST_NOT_FOUND && taken(p) == 0));
        cr_assert_eq(book.settled, p->settled, "epoch %d: settled %ld, not %ld", i,
                     (long)book.settled, (long)p->settled);
        cr_assert_eq(book.outstanding, outstanding);
        cr_assert_eq(book.lost, lost);
        compare_holdings(&id, p);
        if (i < 0)
            cr_assert_eq(book.cap, p->cap, "cap %ld, not %ld", (long)book.cap, (long)p->cap);
    }
}

/* Nobody has spent more of a strict budget than counts against it, whatever was told of it yet. */
static void compare_truth(const struct budget *b)
{
    int64_t spent = 0, told = 0;
    for (int n = 0; n < NODES; n++)
        for (int l = 0; l < 2; l++) {
            spent += b->now.shares[n][l].spent;
            told += b->now.shares[n][l].told;
        }
    if (b->strict && !b->now.wild)
        cr_assert_leq(b->now.settled + (spent - told), taken(&b->now));
}

/* --- steps --- */

/* The control plane looks at a counter: what time and edits changed is written. */
static void touch(struct budget *b)
{
    static struct gf_node nobody = {.boot = 1};
    struct gf_message m;
    struct grants_work work;
    Sluice__GrantsReply reply;
    struct gf_row row = {.ref = b->ref};
    nobody.id = test_id(77);
    gf_fill(&m, &row);
    OK(gd_send(&nobody, ++nobody.frames, &m.request, &reply, &work));
    pass(b);
    if (b->now.number == 0)
        b->now.start_ms = lf.now_ms;
    b->now.number = reply.grants[0]->epoch;
}

/* Between two bounds, and all of the need where the mode says so. */
static void check_size(const struct budget *b, int64_t give, int64_t need, int64_t wanted)
{
    int64_t left = b->limit - taken(&b->now), free = left > 0 ? left : 0;
    int64_t share = free / 4 < wanted ? free / 4 : wanted;
    cr_assert_geq(give, 0);
    cr_assert_leq(give, free);
    cr_assert_leq(give, need > share ? need : share, "gave %ld of %ld free, need %ld, wanted %ld",
                  (long)give, (long)free, (long)need, (long)wanted);
    if (b->strict)
        cr_assert(give >= need || (give == 0 && need > free));
    else
        cr_assert_geq(give, need < free ? need : free);
}

/* A node says what it has of an epoch, and asks for more. The answer may get lost. */
static void step_ask(int n, int c)
{
    struct budget *b = &budgets[c];
    struct life *life = &fleet[n].lives[0];
    bool lose = dice(8) == 0;
    pass(b);
    struct span *about = &b->now;
    if (b->old_count > 0 && dice(4) == 0)
        about = &b->old[dice(b->old_count)];
    bool named = about->number != 0 && about->number != OPEN && dice(8) != 0;
    struct share *s = &about->shares[n][0];
    struct gf_message m;
    struct grants_work work;
    Sluice__GrantsReply reply;
    int64_t need = dice(3) == 0 ? 0 : dice(b->limit / 8 + 2), wanted = dice(b->limit / 2 + 2);
    if (named && s->heard - s->back - s->spent > 0 && dice(3) == 0)
        s->back += dice(s->heard - s->back - s->spent + 1);
    struct gf_row row = {.ref = b->ref,
                         .epoch = named ? about->number : 0,
                         .granted = named ? s->heard : 0,
                         .returned = named ? s->back : 0,
                         .need = need,
                         .wanted = wanted};
    gf_fill(&m, &row);
    if (fleet[n].node.frames > 0 && dice(20) == 0) { /* one that a later one has overtaken */
        IS(gd_send(&fleet[n].node, fleet[n].node.frames, &m.request, &reply, &work), ST_CONFLICT);
        return;
    }
    OK(gd_send(&fleet[n].node, ++fleet[n].node.frames, &m.request, &reply, &work));
    life->heard_ms = lf.now_ms;
    life->written_off = false;
    if (b->now.number == 0)
        b->now.start_ms = lf.now_ms;
    if (named) { /* its word is taken */
        s->lost = s->closed = false;
        s->returned = s->back > s->returned ? s->back : s->returned;
        cap_falls(b, about);
    }
    const Sluice__Grant *grant = reply.grants[reply.n_grants - 1];
    bool over = named && about != &b->now;
    if (over && need == 0 && wanted == 0)
        return;
    if (b->now.number == 0 || b->now.number == OPEN)
        b->now.number = grant->epoch;
    cr_assert_eq(grant->epoch, b->now.number);
    struct share *now = &b->now.shares[n][0];
    now->lost = now->closed = false; /* it is there */
    int64_t known = named && !over ? now->heard : 0, unheard = now->granted - known;
    int64_t give = (int64_t)grant->granted - now->granted;
    check_size(b, give, need > unheard ? need - unheard : 0,
               wanted > unheard ? wanted - unheard : 0);
    now->granted += give;
    if (!lose)
        now->heard = now->granted;
}

static void step_spend(int n, int c)
{
    struct budget *b = &budgets[c];
    struct life *life = &fleet[n].lives[0];
    struct span *p = b->old_count > 0 && dice(3) == 0 ? &b->old[dice(b->old_count)] : &b->now;
    struct share *s = &p->shares[n][0];
    int64_t left = s->heard - s->back - s->spent;
    if (p->number == 0 || p->number == OPEN || left <= 0)
        return;
    int64_t amount = dice(left + 1) + (!b->strict && dice(10) == 0 ? dice(20) : 0);
    if (life->count == life->room) {
        life->room = life->room == 0 ? 256 : 2 * life->room;
        life->events = realloc(life->events, life->room * sizeof *life->events);
    }
    life->events[life->count++] = (struct event){p->number, amount, c};
    s->spent += amount;
}

/* What the acknowledged events have settled. */
static void settle_oracle(int n, int l, uint64_t through)
{
    struct life *life = &fleet[n].lives[l];
    for (; life->acked < through; life->acked++) {
        const struct event *e = &life->events[life->acked];
        struct budget *b = &budgets[e->counter];
        pass(b);
        struct span *p = span_of(b, e->number);
        if (p == NULL)
            continue; /* so long ago that the oracle forgot it */
        p->settled += e->amount;
        p->shares[n][l].told += e->amount;
        cap_falls(b, p);
    }
    for (int c = 0, i = 0; life->ending && life->acked == life->count;) {
        struct span *p = each_span(&c, &i);
        if (p == NULL)
            break;
        p->shares[n][l].closed = true;
        cap_falls(&budgets[c], p);
    }
}

/* Some of a journal is sent, from before where it is acknowledged (the answer was lost) or there.
 */
static void step_upload(int n, int l, uint64_t most)
{
    enum { MOST = 16 };
    struct life *life = &fleet[n].lives[l];
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    Sluice__UsageEvent events[MOST], *at[MOST];
    Sluice__Reserve reserves[MOST], *reserve_at[MOST];
    struct id counters[MOST];
    uint8_t attempts[MOST][LEDGER_ATTEMPT_BYTES];
    uint64_t first = life->acked - (life->acked < 3 ? 0 : (uint64_t)dice(3)), through;
    uint64_t count = life->count - first < most ? life->count - first : most;
    if (life->boot == 0)
        return;
    for (uint64_t i = 0; i < count; i++) {
        const struct event *e = &life->events[first + i];
        limit_counter_id(&budgets[e->counter].ref, &counters[i]);
        memset(attempts[i], 0, sizeof attempts[i]);
        memcpy(attempts[i], fleet[n].node.id.b, ID_BYTES);
        reserves[i] = (Sluice__Reserve)SLUICE__RESERVE__INIT;
        reserves[i].counter = wire_id_data(&counters[i]);
        reserves[i].epoch = e->number;
        reserves[i].amount = e->amount;
        reserve_at[i] = &reserves[i];
        events[i] = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
        events[i].attempt_id = (ProtobufCBinaryData){sizeof attempts[i], attempts[i]};
        events[i].seq = first + i + 1;
        events[i].at_ms = lf.now_ms;
        events[i].org = wire_id_data(&lf.org);
        events[i].source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
        events[i].n_reserves = 1;
        events[i].reserves = &reserve_at[i];
        at[i] = &events[i];
    }
    batch.journal_boot = life->boot;
    batch.first_seq = first + 1;
    batch.n_events = count;
    batch.events = at;
    struct write_op op = gd_op();
    OK(ledger_ingest_op(&op, &fleet[n].node.id, &batch, &through));
    cr_assert_eq(through, first + count > life->acked ? first + count : life->acked);
    settle_oracle(n, l, through);
}

/* All that is held by a life is written off. */
static void lose_oracle(int n, int l)
{
    for (int c = 0, i = 0;;) {
        struct span *p = each_span(&c, &i);
        if (p == NULL)
            break;
        p->shares[n][l].lost = p->shares[n][l].lost || rest(&p->shares[n][l]) > 0;
    }
    fleet[n].lives[l].written_off = true;
}

/* The life before the present one is over for good: its journal came, the rest is lost. */
static void bury(int n)
{
    struct life *life = &fleet[n].lives[1];
    struct lost_result result = {.boots = 0};
    struct boot_name name = {fleet[n].node.id, life->boot};
    bool left = true;
    if (life->boot == 0)
        return;
    while (life->acked < life->count)
        step_upload(n, 1, 16);
    while (left) {
        struct write_op op = gd_op();
        OK(lost_boot(&op, &name, &result, &left));
    }
    lose_oracle(n, 1);
    for (int c = 0, i = 0;;) {
        struct span *p = each_span(&c, &i);
        if (p == NULL)
            break;
        p->buried[n] += rest(&p->shares[n][1]);
    }
    free(life->events);
}

static void step_die(int n)
{
    bool orderly = dice(2) == 0;
    bury(n);
    fleet[n].lives[1] = fleet[n].lives[0];
    fleet[n].lives[0] = (struct life){.boot = ++fleet[n].node.boot};
    fleet[n].node.frames = 0;
    for (int c = 0, i = 0;;) {
        struct span *p = each_span(&c, &i);
        if (p == NULL)
            break;
        p->shares[n][1] = p->shares[n][0];
        p->shares[n][0] = (struct share){.granted = 0};
    }
    if (!orderly)
        return;
    struct life *old = &fleet[n].lives[1];
    Sluice__GrantsRequest request = SLUICE__GRANTS_REQUEST__INIT;
    Sluice__GrantsReply reply;
    struct grants_work work;
    request.ended_boot = old->boot;
    request.ended_through = old->count;
    for (int repeated = 0; repeated < 2; repeated++)
        OK(gd_send(&fleet[n].node, ++fleet[n].node.frames, &request, &reply, &work));
    fleet[n].lives[0].heard_ms = lf.now_ms;
    old->ending = true;
    settle_oracle(n, 1, old->acked);
}

static void step_edit(int c)
{
    struct budget *b = &budgets[c];
    touch(b);
    int64_t limit = b->limit;
    if (dice(2) == 0)
        b->limit = 40 + dice(4000);
    if (b->limit != limit)
        b->now.cap = taken(&b->now) > b->limit ? taken(&b->now) : b->limit;
    if (dice(8) == 0) {
        b->strict = !b->strict;
        b->now.wild = true; /* estimates of standard mode are under way */
    }
    if (dice(6) == 0) {
        struct period before = b->period;
        b->period.rule = (enum period_rule)dice(4);
        b->period.days = 1 + (int)dice(45);
        bool same_days = b->period.rule != DAYS || b->period.days == before.days;
        if (b->period.rule != before.rule || !same_days)
            b->now.end_ms = period_end(&b->period, lf.now_ms);
    }
    put_definition(b);
    touch(b);
}

static void step_zone(void)
{
    for (int c = 0; c < COUNTERS; c++)
        touch(&budgets[c]);
    int before = zone;
    zone = (int)dice((int64_t)COUNT_OF(zones));
    put_zone();
    for (int c = 0; c < COUNTERS; c++) {
        if (zone != before)
            budgets[c].now.end_ms = period_end(&budgets[c].period, lf.now_ms);
        touch(&budgets[c]);
    }
}

static void step_reset(int c)
{
    struct budget *b = &budgets[c];
    struct write_op op = gd_op();
    pass(b);
    OK(counters_reset(&op, &b->ref, &lf.workspace));
    if (b->now.number != 0)
        begin_span(b, lf.now_ms, period_end(&b->period, lf.now_ms));
}

/* Ends the transaction, so that the writer thread can work; begins the next. */
static void restart_plane(void)
{
    OK(kv_commit(gd.txn));
    grants_free(gf.grants);
    struct grants_options options = gf_options();
    options.reachable = is_up;
    OK(grants_new(&options, &gf.grants));
    plane_started_ms = lf.now_ms;
    OK(kv_begin(lf.f.kv, true, &gd.txn));
}

static void step_clock(void)
{
    int64_t step_ms = dice(2) == 0 ? dice(40 * 86400000LL) : dice(7200000);
    for (int c = 0; c < COUNTERS; c++) /* what only was looked at is not written */
        touch(&budgets[c]);
    lf_time(dice(3) == 0 ? lf.now_ms - step_ms / 4 : lf.now_ms + step_ms);
    restart_plane();
    for (int c = 0; c < COUNTERS; c++)
        touch(&budgets[c]);
}

static void step_upkeep(void)
{
    OK(kv_commit(gd.txn));
    grants_upkeep(gf.grants);
    OK(kv_begin(lf.f.kv, true, &gd.txn));
    for (int n = 0; n < NODES; n++)
        for (int l = 0; l < 2; l++) {
            struct life *life = &fleet[n].lives[l];
            int64_t since_ms = life->heard_ms > life->seen_ms ? life->heard_ms : life->seen_ms;
            if (since_ms < plane_started_ms)
                since_ms = plane_started_ms;
            if (life->boot == 0 || life->heard_ms == 0)
                continue;
            if (is_up(NULL, &fleet[n].node.id, life->boot))
                life->seen_ms = lf.now_ms;
            else if (!life->written_off && lf.now_ms - since_ms >= GF_LOST_MS)
                lose_oracle(n, l);
        }
}

static void step_operator(int n)
{
    struct lost_result result;
    bool undo = dice(3) == 0;
    OK(kv_commit(gd.txn));
    if (undo)
        OK(lost_undo(lf.f.writer, NULL, &fleet[n].node.id, &result));
    else
        OK(lost_write_off(lf.f.writer, NULL, &fleet[n].node.id, &result));
    OK(kv_begin(lf.f.kv, true, &gd.txn));
    for (int l = 0; l < 2 && !undo; l++)
        lose_oracle(n, l);
    for (int c = 0, i = 0; undo;) {
        struct span *p = each_span(&c, &i);
        if (p == NULL)
            break;
        p->wild = true;
        p->buried[n] = 0;
        for (int l = 0; l < 2; l++) {
            struct share *s = &p->shares[n][l];
            if (s->lost)
                s->returned += rest(s), s->lost = false;
        }
        cap_falls(&budgets[c], p);
    }
}

static void step_random(void)
{
    int n = (int)dice(NODES), c = (int)dice(COUNTERS);
    int64_t kind = dice(10000);
    bool cut = lf.now_ms < fleet[n].cut_until_ms;
    lf_time(lf.now_ms + dice(dice(40) == 0 ? 4000000 : 2000));
    if (kind < 4200)
        cut ? (void)0 : step_ask(n, c);
    else if (kind < 6800)
        step_spend(n, c);
    else if (kind < 9500)
        cut ? (void)0 : step_upload(n, (int)dice(2), (uint64_t)dice(16));
    else if (kind < 9800)
        step_edit(c);
    else if (kind < 9850)
        step_reset(c);
    else if (kind < 9900)
        step_die(n);
    else if (kind < 9950)
        fleet[n].cut_until_ms = lf.now_ms + dice(3 * GF_LOST_MS);
    else if (kind < 9960)
        step_zone();
    else if (kind < 9970)
        step_clock();
    else if (kind < 9980)
        restart_plane();
    else if (kind < 9997)
        step_upkeep();
    else
        step_operator(n);
    compare(&budgets[c]);
    compare_truth(&budgets[c]);
}

static void begin_all(void)
{
    for (int n = 0; n < NODES; n++) {
        fleet[n].node = gf_node((uint8_t)(n + 1));
        fleet[n].lives[0].boot = 1;
    }
    for (int c = 0; c < COUNTERS; c++) {
        struct budget *b = &budgets[c];
        b->ref = lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET);
        b->ref.entity = test_id((uint8_t)(100 + c));
        b->limit = 100 + dice(3000);
        b->strict = c % 2 == 0;
        b->period = (struct period){(enum period_rule)(c % 4), 10, lf.now_ms - dice(90) * 86400000};
        snprintf(key_hashes[c], sizeof key_hashes[c], "%032d", c);
        put_definition(b);
    }
    restart_plane();
}

Test(grants_property, agrees_with_the_oracle, .init = gf_open, .fini = gf_close, .timeout = 0)
{
    const char *wish = getenv("SLUICE_PROPERTY_STEPS");
    uint64_t steps = STEPS;
    if (wish != NULL)
        OK(str_to_u64(str_c(wish), &steps));
    gd_begin();
    begin_all();
    for (uint64_t step = 0; step < steps; step++) {
        step_random();
        if (step % 50 == 0)
            compare_books(&budgets[dice(COUNTERS)]);
        if (step % (steps / 8) == 0) {
            gd_commit();
            lf_verify();
        }
    }
    gd_end();
    lf_verify();
}
