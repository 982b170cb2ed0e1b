/* Counters: what is settled follows from events, exactly once; epochs follow from periods, resets
 * and definitions; books agree with the ledger through all of it. */
#include "control-plane/ledger/counters.h"

#include "control-plane/ledger/epoch.h"
#include "tests/unit/control-plane/limits_fixture.h"

static struct id node;
static uint64_t seq;

static void begin(void)
{
    lf_open();
    node = test_id(90);
    seq = 0;
}

TestSuite(counters, .init = begin, .fini = lf_close, .timeout = 60);

static enum status open_op(struct write_op *op, void *arg)
{
    struct epoch epoch;
    struct limit_ref *ref = arg;
    struct rule_owner owner = {*ref, lf_workspace(ref)};
    op->no_revision = true;
    return epoch_open(op, &owner, &epoch);
}

/* Opens the counter as a grant would, and gives its current epoch. */
static uint64_t open_epoch(struct limit_ref ref)
{
    OK(writer_run(lf.f.writer, NULL, &lf.f.arena, open_op, &ref, NULL));
    return lf_view(ref).epoch;
}

static struct id id_of(struct limit_ref ref)
{
    struct id id;
    limit_counter_id(&ref, &id);
    return id;
}

static void spend(struct limit_ref ref, uint64_t epoch, int64_t amount)
{
    struct lf_reserve reserve = {id_of(ref), epoch, amount};
    seq++;
    cr_assert_eq(lf_event(&node, 1, seq, &reserve, 1), seq);
}

static enum status reset_op(struct write_op *op, void *arg)
{
    struct limit_ref *ref = arg;
    struct id workspace = lf_workspace(ref);
    return counters_reset(op, ref, &workspace);
}

static void reset(struct limit_ref ref)
{
    OK(fixture_write(&lf.f, reset_op, &ref, NULL));
}

static int64_t utc(const char *text)
{
    int64_t ms;
    OK(clock_from_text(str_c(text), &ms));
    return ms;
}

#define MONTHLY_50 "{\"credit_limit\":50,\"alert_threshold\":40,\"periodic_reset\":\"monthly\"}"

Test(counters, unused_is_shown_by_its_definition)
{
    lf_key(MONTHLY_50, "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":60}]");
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_eq(view.epoch, 0);
    cr_expect_eq(view.limit, 50 * USD);
    cr_expect_eq(view.alert, 40 * USD);
    cr_expect_eq(view.used, 0);
    cr_expect_eq(view.remaining, 50 * USD);
    cr_expect_eq(view.resets_at_ms, utc("2026-02-01T00:00:00Z"));
    cr_expect_eq(view.started_at_ms, 0);
    cr_expect_eq(view.last_reset_at_ms, 0);
    cr_expect_not(view.exhausted);
    cr_expect_not(view.strict);

    struct counter_view *views;
    size_t count;
    struct limit_ref ref = lf_key_cost();
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(counters_of_entity(txn, &lf.f.arena, &ref, &lf.workspace, lf.now_ms, &views, &count));
    kv_abort(txn);
    cr_assert_eq(count, 2);
    cr_expect_eq(views[0].measure, LIMIT_COST);
    cr_expect_eq(views[1].window, LIMIT_MINUTE);
    cr_expect_eq(views[1].limit, 60);
    cr_expect_eq(views[1].resets_at_ms, 0);
}

Test(counters, what_has_no_such_limit_is_not_found)
{
    struct counter_view view;
    struct limit_ref ref = lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET);
    lf_key(MONTHLY_50, NULL);
    struct kv_txn *txn = fixture_read(&lf.f);
    IS(counters_of(txn, &lf.f.arena, &ref, &lf.workspace, lf.now_ms, &view), ST_NOT_FOUND);
    ref = lf_ref(LIMIT_PROVIDER, LIMIT_COST, LIMIT_BUDGET);
    IS(counters_of(txn, &lf.f.arena, &ref, &lf.workspace, lf.now_ms, &view), ST_NOT_FOUND);
    ref.level = 99;
    IS(counters_of(txn, &lf.f.arena, &ref, &lf.workspace, lf.now_ms, &view), ST_NOT_FOUND);
    kv_abort(txn);
}

Test(counters, every_level_finds_its_record)
{
    static const struct {
        Sluice__Kind kind;
        enum limit_level level;
    } levels[] = {{SLUICE__KIND__KIND_INTEGRATION, LIMIT_INTEGRATION},
                  {SLUICE__KIND__KIND_WORKSPACE_ACCESS, LIMIT_ACCESS},
                  {SLUICE__KIND__KIND_WORKSPACE, LIMIT_WORKSPACE},
                  {SLUICE__KIND__KIND_PROVIDER, LIMIT_PROVIDER},
                  {SLUICE__KIND__KIND_API_KEY, LIMIT_KEY},
                  {SLUICE__KIND__KIND_USAGE_POLICY, LIMIT_POLICY}};
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        char json[64];
        snprintf(json, sizeof json, "{\"type\":\"tokens\",\"credit_limit\":%u}", (unsigned)i + 1);
        lf_put((struct lf_entity){levels[i].kind, .usage = json});
        struct limit_ref ref = lf_ref(levels[i].level, LIMIT_TOKENS, LIMIT_BUDGET);
        cr_expect_eq(lf_view(ref).limit, (int64_t)i + 1);
        uint64_t epoch = open_epoch(ref);
        spend(ref, epoch, (int64_t)i + 1);
        cr_expect(lf_view(ref).exhausted);
    }
    lf_verify();
}

Test(counters, default_mode_is_the_workspaces_then_the_organisations)
{
    lf_key(MONTHLY_50, NULL);
    lf_put((struct lf_entity){SLUICE__KIND__KIND_ORGANISATION, .mode = 1});
    cr_expect(lf_view(lf_key_cost()).strict);
    lf_put((struct lf_entity){SLUICE__KIND__KIND_WORKSPACE, .mode = 1});
    cr_expect_not(lf_view(lf_key_cost()).strict);
    lf_put((struct lf_entity){SLUICE__KIND__KIND_WORKSPACE, .mode = 2});
    lf_put((struct lf_entity){.kind = SLUICE__KIND__KIND_ORGANISATION});
    cr_expect(lf_view(lf_key_cost()).strict);
    lf_key("{\"credit_limit\":50,\"mode\":\"standard\"}", NULL);
    cr_expect_not(lf_view(lf_key_cost()).strict);
}

Test(counters, events_settle_once)
{
    lf_key(MONTHLY_50, NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    cr_expect_eq(epoch, (uint64_t)LF_NOW_MS);
    struct lf_reserve reserve = {id_of(lf_key_cost()), epoch, 30 * USD};
    for (int i = 0; i < 3; i++) /* repeated: a lost answer */
        cr_assert_eq(lf_event(&node, 1, 1, &reserve, 1), 1);
    cr_expect_eq(lf_view(lf_key_cost()).used, 30 * USD);
    seq = 1;
    spend(lf_key_cost(), epoch, 25 * USD);
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_eq(view.used, 55 * USD);
    cr_expect_eq(view.remaining, 0);
    cr_expect(view.exhausted);
    cr_expect(view.alerted);
    lf_verify();
}

Test(counters, raising_a_limit_reopens_it)
{
    lf_key(MONTHLY_50, NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    spend(lf_key_cost(), epoch, 50 * USD);
    cr_expect(lf_view(lf_key_cost()).exhausted);
    lf_key("{\"credit_limit\":80,\"periodic_reset\":\"monthly\"}", NULL);
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_not(view.exhausted);
    cr_expect_eq(view.epoch, epoch);
    cr_expect_eq(view.remaining, 30 * USD);
    lf_verify();
}

Test(counters, a_period_ends_and_the_next_is_empty)
{
    lf_key(MONTHLY_50, NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    spend(lf_key_cost(), epoch, 50 * USD);
    lf_time(utc("2026-01-31T23:59:59Z"));
    cr_expect(lf_view(lf_key_cost()).exhausted);
    lf_time(utc("2026-04-10T08:00:00Z")); /* two ends were missed */
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_eq(view.used, 0);
    cr_expect_eq(view.started_at_ms, utc("2026-04-01T00:00:00Z"));
    cr_expect_eq(view.resets_at_ms, utc("2026-05-01T00:00:00Z"));
    cr_expect_eq(view.last_reset_at_ms, utc("2026-04-01T00:00:00Z"));
    uint64_t next = open_epoch(lf_key_cost());
    cr_expect_gt(next, epoch);
    spend(lf_key_cost(), epoch, 5 * USD); /* reserved before the end */
    spend(lf_key_cost(), next, 7 * USD);
    cr_expect_eq(lf_view(lf_key_cost()).used, 7 * USD);
    lf_verify();
}

Test(counters, periods_are_of_the_organisations_zone)
{
    lf_put((struct lf_entity){SLUICE__KIND__KIND_ORGANISATION, .zone = "America/New_York"});
    lf_key(MONTHLY_50, NULL);
    cr_expect_eq(lf_view(lf_key_cost()).resets_at_ms, utc("2026-02-01T05:00:00Z"));
    open_epoch(lf_key_cost());
    lf_put((struct lf_entity){SLUICE__KIND__KIND_ORGANISATION, .zone = "Asia/Tokyo"});
    cr_expect_eq(lf_view(lf_key_cost()).resets_at_ms, utc("2026-01-31T15:00:00Z"));
    open_epoch(lf_key_cost());
    lf_time(utc("2026-01-31T15:00:00Z"));
    cr_expect_eq(lf_view(lf_key_cost()).resets_at_ms, utc("2026-02-28T15:00:00Z"));
}

Test(counters, days_are_counted_from_the_entitys_first_day)
{
    lf_put((struct lf_entity){SLUICE__KIND__KIND_API_KEY,
                              .usage = "{\"credit_limit\":5,\"periodic_reset_days\":10}",
                              .made_ms = utc("2026-01-03T09:00:00Z")});
    cr_expect_eq(lf_view(lf_key_cost()).resets_at_ms, utc("2026-01-23T00:00:00Z"));
    lf_time(utc("2026-02-27T01:00:00Z"));
    cr_expect_eq(lf_view(lf_key_cost()).resets_at_ms, utc("2026-03-04T00:00:00Z"));
}

Test(counters, an_explicit_reset_counts_once)
{
    lf_key("{\"credit_limit\":5,\"periodic_reset\":\"monthly\","
           "\"next_usage_reset_at\":\"2026-01-20T10:00:00Z\"}",
           NULL);
    open_epoch(lf_key_cost());
    cr_expect_eq(lf_view(lf_key_cost()).resets_at_ms, utc("2026-01-20T00:00:00Z"));
    lf_time(utc("2026-01-20T00:00:00Z"));
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_eq(view.started_at_ms, utc("2026-01-20T00:00:00Z"));
    cr_expect_eq(view.resets_at_ms, utc("2026-02-01T00:00:00Z"));
}

Test(counters, another_period_ends_no_epoch_by_itself)
{
    lf_key(MONTHLY_50, NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    spend(lf_key_cost(), epoch, 20 * USD);
    lf_time(utc("2026-01-20T12:00:00Z"));
    lf_key("{\"credit_limit\":50,\"periodic_reset\":\"weekly\"}", NULL);
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_eq(view.used, 20 * USD); /* the week that is running began after the epoch did */
    cr_expect_eq(view.resets_at_ms, utc("2026-01-25T00:00:00Z"));
    lf_time(utc("2026-01-26T12:00:00Z")); /* nobody has looked since */
    view = lf_view(lf_key_cost());
    cr_expect_eq(view.used, 0);
    cr_expect_eq(view.started_at_ms, utc("2026-01-25T00:00:00Z"));
    cr_expect_eq(view.resets_at_ms, utc("2026-02-01T00:00:00Z"));
}

Test(counters, a_change_after_the_end_does_not_revive_an_epoch)
{
    lf_key(MONTHLY_50, NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    spend(lf_key_cost(), epoch, 20 * USD);
    lf_time(utc("2026-02-02T12:00:00Z")); /* nobody has looked since */
    lf_key("{\"credit_limit\":50,\"periodic_reset_days\":300}", NULL);
    cr_expect_eq(lf_view(lf_key_cost()).used, 0);
    cr_expect_gt(open_epoch(lf_key_cost()), epoch);
    lf_verify();
}

Test(counters, a_clock_set_back_does_not_stretch_an_epoch)
{
    lf_time(utc("2027-05-02T00:00:00Z")); /* wrong by more than a year */
    lf_key(MONTHLY_50, NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    spend(lf_key_cost(), epoch, 20 * USD);
    lf_time(LF_NOW_MS);
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_eq(view.used, 20 * USD);
    cr_expect_eq(view.resets_at_ms, utc("2026-02-01T00:00:00Z"));
    cr_expect_eq(open_epoch(lf_key_cost()), epoch);
    lf_time(utc("2026-02-01T00:00:00Z"));
    cr_expect_gt(open_epoch(lf_key_cost()), epoch);
    cr_expect_eq(lf_view(lf_key_cost()).used, 0);
    lf_verify();
}

Test(counters, reset_begins_anew_and_old_reserves_stay_old)
{
    lf_key(MONTHLY_50, NULL);
    reset(lf_key_cost()); /* never used: stays so */
    cr_expect_eq(lf_view(lf_key_cost()).epoch, 0);
    uint64_t epoch = open_epoch(lf_key_cost());
    spend(lf_key_cost(), epoch, 50 * USD);
    reset(lf_key_cost()); /* within the same millisecond */
    struct counter_view view = lf_view(lf_key_cost());
    cr_expect_eq(view.epoch, epoch + 1);
    cr_expect_eq(view.used, 0);
    cr_expect_eq(view.last_reset_at_ms, lf.now_ms);
    cr_expect_eq(view.resets_at_ms, utc("2026-02-01T00:00:00Z"));
    spend(lf_key_cost(), epoch, 3 * USD);
    cr_expect_eq(lf_view(lf_key_cost()).used, 0);
    lf_verify();
}

static enum status reset_entity_op(struct write_op *op, void *arg)
{
    struct limit_ref *ref = arg;
    return counters_reset_entity(op, ref, &lf.workspace);
}

Test(counters, reset_of_an_entity_is_of_all_its_budgets)
{
    lf_key("[{\"credit_limit\":50},{\"type\":\"tokens\",\"credit_limit\":9}]",
           "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":60}]");
    struct limit_ref cost = lf_key_cost(), tokens = lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET),
                     rate = lf_ref(LIMIT_KEY, LIMIT_REQUESTS, LIMIT_MINUTE);
    uint64_t a = open_epoch(cost), b = open_epoch(tokens), c = open_epoch(rate);
    spend(cost, a, USD);
    spend(tokens, b, 9);
    OK(fixture_write(&lf.f, reset_entity_op, &cost, NULL));
    cr_expect_eq(lf_view(cost).used, 0);
    cr_expect_eq(lf_view(tokens).used, 0);
    cr_expect_eq(lf_view(rate).epoch, c);
    lf_verify();
}

Test(counters, what_a_node_spent_without_an_epoch_is_settled_in_the_current_one)
{
    lf_key(MONTHLY_50, NULL);
    spend(lf_key_cost(), 0, 2 * USD); /* before the counter is known here */
    cr_expect_eq(lf_view(lf_key_cost()).used, 0);
    lf_verify();
    uint64_t first = open_epoch(lf_key_cost());
    cr_expect_eq(lf_view(lf_key_cost()).used, 2 * USD);
    lf_pass(1000);
    spend(lf_key_cost(), 0, 3 * USD);
    cr_expect_eq(lf_view(lf_key_cost()).used, 5 * USD);
    lf_pass(1000);
    int64_t before_ms = lf.now_ms;
    lf_pass(1000);
    reset(lf_key_cost());
    lf_time(before_ms); /* an event from before the reset, whatever the clock says later */
    spend(lf_key_cost(), 0, 4 * USD);
    lf_pass(5000);
    cr_expect_eq(lf_view(lf_key_cost()).used, 0);
    spend(lf_key_cost(), 0, 6 * USD);
    cr_expect_eq(lf_view(lf_key_cost()).used, 6 * USD);
    spend(lf_key_cost(), first, USD);
    lf_verify();
}

Test(counters, an_unknown_counter_is_settled_all_the_same)
{
    struct lf_reserve reserve = {test_id(77), 1234, 5};
    cr_assert_eq(lf_event(&node, 1, 1, &reserve, 1), 1);
    lf_verify();
}

Test(counters, reserves_that_cannot_be_reject_the_event)
{
    struct lf_reserve bad = {test_id(77), 1, -5};
    struct ledger_watermark mark;
    cr_assert_eq(lf_event(&node, 1, 1, &bad, 1), 1);
    bad.amount = INT64_MAX;
    cr_assert_eq(lf_event(&node, 1, 2, &bad, 1), 2);
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(ledger_watermark(txn, &node, 1, &mark));
    kv_abort(txn);
    cr_expect_eq(mark.rejected, 2);
    lf_verify();
}

struct drop_job {
    uint32_t day;
    size_t rows;
    bool left;
};
static enum status drop_op(struct write_op *op, void *arg)
{
    struct drop_job *job = arg;
    return ledger_drop_events(op, job->day, job->rows, &job->left);
}

Test(counters, books_outlive_the_events)
{
    lf_key("{\"credit_limit\":50}", NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    for (int i = 0; i < 7; i++)
        spend(lf_key_cost(), i % 2 == 0 ? epoch : 0, USD);
    int64_t old_ms = lf.now_ms;
    lf_pass(2 * 86400000);
    spend(lf_key_cost(), epoch, USD);
    struct drop_job job = {(uint32_t)(lf.now_ms / 86400000), 3, true};
    while (job.left) {
        OK(writer_run(lf.f.writer, NULL, &lf.f.arena, drop_op, &job, NULL));
        lf_verify();
    }
    cr_expect_eq(lf_view(lf_key_cost()).used, 8 * USD);
    lf_time(old_ms); /* one of a day whose events are gone */
    spend(lf_key_cost(), epoch, USD);
    lf_pass(2 * 86400000);
    cr_expect_eq(lf_view(lf_key_cost()).used, 9 * USD);
    lf_verify();
}

/* --- policies --- */

static struct counter_page page_of(struct counter_question question)
{
    struct counter_page page;
    question.org = lf.org;
    question.workspace = lf.workspace;
    question.policy = lf.policy;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(counters_of_policy(txn, &lf.f.arena, &question, lf.now_ms, &page));
    kv_abort(txn);
    return page;
}

static struct limit_ref policy_ref(const char *value_key)
{
    struct limit_ref ref = lf_ref(LIMIT_POLICY, LIMIT_COST, LIMIT_BUDGET);
    ref.value_key = str_c(value_key);
    return ref;
}

static enum status reset_value_op(struct write_op *op, void *arg)
{
    return counters_reset_value(op, &lf.org, &lf.policy, arg);
}

Test(counters, a_policy_has_one_counter_per_value_key)
{
    lf_put((struct lf_entity){SLUICE__KIND__KIND_USAGE_POLICY,
                              .usage = "{\"type\":\"cost\",\"credit_limit\":10}"});
    char name[40];
    for (int i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "metadata._user:user-%d", i);
        struct limit_ref ref = policy_ref(name);
        spend(ref, open_epoch(ref), (i < 5 ? 10 : 1) * USD);
    }
    struct counter_page page = page_of((struct counter_question){.limit = 10});
    cr_expect_eq(page.total, 25);
    cr_expect_eq(page.count, 10);
    struct counter_page rest = page_of((struct counter_question){.limit = 100, .skip = 10});
    cr_expect_eq(rest.count, 15);
    for (size_t i = 0; i < rest.count; i++)
        for (size_t j = 0; j < page.count; j++)
            cr_expect_not(id_eq(&rest.entities[i].id, &page.entities[j].id));
    page = page_of((struct counter_question){.limit = 100, .state = COUNTER_EXHAUSTED});
    cr_expect_eq(page.total, 5);
    cr_expect_eq(page.entities[0].view.used, 10 * USD);
    page = page_of((struct counter_question){.limit = 3, .state = COUNTER_ACTIVE, .skip = 18});
    cr_expect_eq(page.total, 20);
    cr_expect_eq(page.count, 2);
    page = page_of((struct counter_question){.limit = 100, .search = STR("user-2")});
    cr_expect_eq(page.total, 6); /* 2, 20..24 */
    page = page_of((struct counter_question){.limit = 100, .search = STR("user-24")});
    cr_assert_eq(page.count, 1);
    cr_expect(str_eq(page.entities[0].value_key, STR("metadata._user:user-24")));
    OK(fixture_write(&lf.f, reset_value_op, &page.entities[0].id, NULL));
    cr_expect_eq(lf_view(policy_ref("metadata._user:user-24")).used, 0);
    cr_expect_eq(lf_view(policy_ref("metadata._user:user-2")).used, 10 * USD);
    struct id other = test_id(33);
    IS(fixture_write(&lf.f, reset_value_op, &other, NULL), ST_NOT_FOUND);
    lf_verify();
}

Test(counters, a_wrong_book_is_found)
{
    lf_key("{\"credit_limit\":50,\"mode\":\"strict\"}", NULL);
    uint64_t epoch = open_epoch(lf_key_cost());
    spend(lf_key_cost(), epoch, USD);
    struct id id = id_of(lf_key_cost());
    struct counters_check check;
    struct book book;
    struct kv_txn *txn;
    OK(kv_begin(lf.f.kv, true, &txn));
    OK(book_get(txn, &id, epoch, &book));
    struct book right = book;
    book.settled++;
    book.outstanding = 3;
    book.cap = 0;
    OK(book_put(txn, &id, epoch, &book));
    OK(counters_verify(txn, &check));
    cr_expect_eq(check.different, 1);
    cr_expect_eq(check.held, 1);
    cr_expect_eq(check.over, 1);
    OK(book_put(txn, &id, epoch, &right));
    OK(counters_verify(txn, &check));
    cr_expect_eq(check.different + check.held + check.over, 0);
    kv_abort(txn);
}
