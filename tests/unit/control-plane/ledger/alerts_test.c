/* Alerts: told once per figure and epoch, in the transaction that reached it, with an audit record
 * in the chain; and what upkeep does by time. */
#include "control-plane/ledger/alerts.h"

#include "control-plane/ledger/boot.h"
#include "control-plane/ledger/epoch.h"
#include "tests/unit/control-plane/grants_fixture.h"

static struct gf_node a;
static struct gf_row ra;

static void begin(void)
{
    gf_open();
    a = gf_node(1);
    ra = (struct gf_row){.ref = lf_key_cost()};
}

static void end(void)
{
    lf_verify();
    gf_close();
}

TestSuite(alerts, .init = begin, .fini = end, .timeout = 60);

#define MONTHLY "{\"credit_limit\":50,\"alert_threshold\":40,\"periodic_reset\":\"monthly\"}"

static struct alert *list(size_t *count)
{
    struct alert *alerts;
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(alerts_list(txn, 0, ALERTS_PAGE_MAX, &lf.f.arena, &alerts, count));
    kv_abort(txn);
    return alerts;
}

static size_t audits(const char *action)
{
    struct audit_page page;
    struct audit_check check = {.done = false};
    struct kv_txn *txn = fixture_read(&lf.f);
    OK(audit_list(txn, &(struct audit_filter){.action = str_c(action), .resource = lf.key},
                  &(struct audit_place){0}, 1000, &lf.f.arena, &page));
    while (!check.done)
        OK(audit_check_step(txn, 7, &check));
    kv_abort(txn);
    cr_assert(check.intact);
    return page.count;
}

Test(alerts, threshold_and_limit_are_told_once)
{
    size_t count;
    lf_key(MONTHLY, NULL);
    uint64_t revision = writer_revision(lf.f.writer);
    gf_ask(&a, &ra, 50 * USD, 50 * USD);
    gf_spend(&a, &ra, 39 * USD);
    list(&count);
    cr_expect_eq(count, 0);
    gf_spend(&a, &ra, USD);
    gf_spend(&a, &ra, USD);
    struct alert *alerts = list(&count);
    cr_assert_eq(count, 1);
    cr_expect_eq(alerts[0].kind, ALERT_THRESHOLD);
    cr_expect_eq(alerts[0].figure, 40 * USD);
    cr_expect_eq(alerts[0].used, 40 * USD);
    cr_expect_eq(alerts[0].limit, 50 * USD);
    cr_expect_eq(alerts[0].epoch, ra.epoch);
    cr_expect_eq(alerts[0].at_ms, lf.now_ms);
    cr_expect_gt(alerts[0].resets_at_ms, lf.now_ms);
    cr_expect(id_eq(&alerts[0].ref.entity, &lf.key));
    cr_expect(id_eq(&alerts[0].workspace, &lf.workspace));
    gf_spend(&a, &ra, 20 * USD);
    gf_spend(&a, &ra, 20 * USD);
    alerts = list(&count);
    cr_assert_eq(count, 2);
    cr_expect_eq(alerts[1].kind, ALERT_LIMIT);
    cr_expect_eq(alerts[1].number, alerts[0].number + 1);
    cr_expect_not(id_eq(&alerts[0].id, &alerts[1].id));
    cr_expect_eq(audits("limit_alert"), 1);
    cr_expect_eq(audits("limit_reached"), 1);
    cr_expect_eq(writer_revision(lf.f.writer), revision); /* spending makes no revision */
}

Test(alerts, both_at_once_and_again_for_another_figure)
{
    size_t count;
    lf_key(MONTHLY, NULL);
    gf_ask(&a, &ra, USD, USD);
    gf_spend(&a, &ra, 60 * USD);
    list(&count);
    cr_expect_eq(count, 2);
    lf_key("{\"credit_limit\":80,\"alert_threshold\":70,\"periodic_reset\":\"monthly\"}", NULL);
    gf_spend(&a, &ra, 15 * USD);
    struct alert *alerts = list(&count);
    cr_assert_eq(count, 3);
    cr_expect_eq(alerts[2].figure, 70 * USD);
    lf_key("{\"credit_limit\":75,\"periodic_reset\":\"monthly\"}", NULL); /* below what is used */
    gf_spend(&a, &ra, USD);
    alerts = list(&count);
    cr_assert_eq(count, 4);
    cr_expect_eq(alerts[3].kind, ALERT_LIMIT);
    cr_expect_eq(alerts[3].figure, 75 * USD);
}

Test(alerts, a_lowered_limit_is_told_by_the_next_look)
{
    size_t count;
    lf_key(MONTHLY, NULL);
    gf_ask(&a, &ra, USD, USD);
    gf_spend(&a, &ra, 30 * USD);
    lf_key("{\"credit_limit\":20,\"periodic_reset\":\"monthly\"}", NULL);
    gf_ask(&a, &ra, 0, 0);
    list(&count);
    cr_expect_eq(count, 1);
}

static enum status reset_op(struct write_op *op, void *arg)
{
    (void)arg;
    return counters_reset_entity(op, &ra.ref, &lf.workspace);
}

Test(alerts, the_end_of_a_used_epoch_is_told)
{
    size_t count;
    lf_key(MONTHLY, NULL);
    gf_ask(&a, &ra, USD, USD);
    uint64_t first = ra.epoch;
    gf_spend(&a, &ra, 30 * USD);
    OK(fixture_write(&lf.f, reset_op, NULL, NULL));
    struct alert *alerts = list(&count);
    cr_assert_eq(count, 1);
    cr_expect_eq(alerts[0].kind, ALERT_RESET);
    cr_expect_eq(alerts[0].epoch, first);
    cr_expect_eq(alerts[0].used, 30 * USD);
    OK(fixture_write(&lf.f, reset_op, NULL, NULL)); /* nothing was used since */
    list(&count);
    cr_expect_eq(count, 1);
    cr_expect_eq(audits("limit_reset"), 1);
}

Test(alerts, upkeep_ends_periods_that_nobody_looks_at)
{
    size_t count;
    lf_key(MONTHLY, NULL);
    gf_ask(&a, &ra, USD, USD);
    gf_spend(&a, &ra, 50 * USD);
    grants_upkeep(gf.grants);
    struct alert *alerts = list(&count);
    cr_assert_eq(count, 2);
    lf_time(ra.ends_ms);
    grants_upkeep(gf.grants);
    grants_upkeep(gf.grants);
    alerts = list(&count);
    cr_assert_eq(count, 3);
    cr_expect_eq(alerts[2].kind, ALERT_RESET);
    cr_expect_gt(alerts[2].resets_at_ms, lf.now_ms);
    cr_expect_eq(lf_view(ra.ref).used, 0);
}

Test(alerts, upkeep_ends_many_and_passes_over_what_is_gone)
{
    struct limit_ref ref = lf_ref(LIMIT_POLICY, LIMIT_COST, LIMIT_BUDGET);
    lf_put((struct lf_entity){SLUICE__KIND__KIND_USAGE_POLICY, .usage = MONTHLY});
    lf_key(MONTHLY, NULL);
    gf_ask(&a, &ra, USD, USD);
    gf_spend(&a, &ra, USD);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "user:%d", i);
        struct gf_row row = {.ref = ref};
        row.ref.value_key = str_c(name);
        gf_ask(&a, &row, USD, USD);
        gf_spend(&a, &row, USD);
    }
    lf_key("", NULL); /* the key's limit is gone */
    lf_time(ra.ends_ms);
    grants_upkeep(gf.grants);
    size_t count;
    list(&count);
    cr_expect_eq(count, 300);
    lf_key(MONTHLY, NULL); /* and there again: its period has ended meanwhile */
    cr_expect_eq(lf_view(ra.ref).used, 0);
}

static size_t rows_of(enum book_table table)
{
    struct kv_cursor *cursor;
    struct key prefix;
    struct str key, row;
    size_t count = 0;
    struct kv_txn *txn = fixture_read(&lf.f);
    book_key(&prefix, table);
    OK(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, key_str(&prefix));
    while (kv_cursor_next(cursor, &key, &row) == ST_OK && str_starts(key, key_str(&prefix)))
        count++;
    kv_cursor_close(cursor);
    kv_abort(txn);
    return count;
}

struct drop_job {
    uint32_t day;
    bool left;
};
static enum status drop_op(struct write_op *op, void *arg)
{
    struct drop_job *job = arg;
    return ledger_drop_events(op, job->day, 1000, &job->left);
}

Test(alerts, upkeep_lets_go_of_what_nothing_refers_to)
{
    struct limit_ref ref = lf_ref(LIMIT_POLICY, LIMIT_COST, LIMIT_BUDGET);
    lf_put((struct lf_entity){SLUICE__KIND__KIND_USAGE_POLICY, .usage = MONTHLY});
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "user:%d", i);
        struct gf_row row = {.ref = ref};
        row.ref.value_key = str_c(name);
        gf_ask(&a, &row, USD, USD);
        gf_spend(&a, &row, USD);
    }
    cr_expect_eq(rows_of(BOOK_OF_POLICY), 4);
    lf_pass(GRANTS_KEEP_MS + INT64_C(40) * 86400000);
    grants_upkeep(gf.grants); /* the epochs end */
    cr_expect_eq(rows_of(BOOK_EPOCH), 6);
    grants_upkeep(gf.grants); /* their events are kept */
    cr_expect_eq(rows_of(BOOK_EPOCH), 6);
    struct drop_job job = {(uint32_t)(lf.now_ms / 86400000), false};
    OK(writer_run(lf.f.writer, NULL, &lf.f.arena, drop_op, &job, NULL));
    for (int i = 0; i < 5; i++) { /* also over further ends of periods without use */
        lf_pass(INT64_C(10) * 86400000);
        grants_upkeep(gf.grants);
        lf_verify();
    }
    cr_expect_eq(rows_of(BOOK_EPOCH), 0);
    cr_expect_eq(rows_of(BOOK_HOLDING), 0);
    cr_expect_eq(rows_of(BOOK_OF_NODE), 0);
    cr_expect_eq(rows_of(BOOK_COUNTER), 0);
    cr_expect_eq(rows_of(BOOK_OF_POLICY), 1); /* how many: none */
    cr_expect_eq(rows_of(BOOK_ENDS), 0);
    cr_expect_eq(rows_of(BOOK_BOOT), 0);
    size_t count;
    list(&count);
    cr_expect_eq(count, 0);
}

Test(alerts, quiet_boots_share_no_more)
{
    struct gf_node b = gf_node(2);
    struct gf_row rb = {.ref = ra.ref};
    lf_key("{\"credit_limit\":1000,\"mode\":\"strict\"}", NULL);
    gf_ask(&a, &ra, 0, 100 * USD);
    gf_return(&a, &ra, 0);
    lf_pass(GRANTS_QUIET_MS);
    gf_ask(&b, &rb, 0, 1000 * USD);
    cr_expect_eq(rb.granted, 125 * USD); /* half of a quarter */
    grants_upkeep(gf.grants);
    gf_return(&b, &rb, 0);
    struct gf_row fresh = {
        .ref = ra.ref, .epoch = rb.epoch, .granted = rb.granted, .returned = rb.returned};
    gf_ask(&b, &fresh, 0, 1000 * USD);
    cr_expect_eq(fresh.granted - rb.granted, 250 * USD);
}
