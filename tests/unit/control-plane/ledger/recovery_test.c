/* After a restore from a backup: what was lent, spent and begun since comes back from the nodes,
 * and nothing is lent twice meanwhile. */
#include "control-plane/ledger/recovery.h"

#include "control-plane/ledger/lost.h"
#include "control-plane/store/backup.h"
#include "control-plane/store/migrate.h"
#include "tests/unit/control-plane/grants_fixture.h"

#define STRICT_100   "{\"type\":\"tokens\",\"credit_limit\":100,\"mode\":\"strict\"}"
#define STANDARD_100 "{\"type\":\"tokens\",\"credit_limit\":100}"
#define STRICT_MONTHLY                                                                             \
    "{\"type\":\"tokens\",\"credit_limit\":100,\"mode\":\"strict\",\"periodic_reset\":"            \
    "\"monthly\"}"

static struct gf_node a, b, c;
static struct gf_row ra, rb, rc;
static char backup[64];

static enum status put_node(struct write_op *op, void *arg)
{
    struct record_key key = {.kind = SLUICE__KIND__KIND_NODE, .parent = test_id(99)};
    Sluice__Node node = SLUICE__NODE__INIT;
    key.id = *(struct id *)arg;
    return record_put(op, &key, &node, STR_NONE);
}

static enum status revoke_node(struct write_op *op, void *arg)
{
    struct record_key key = {.kind = SLUICE__KIND__KIND_NODE, .parent = test_id(99)};
    Sluice__Node node = SLUICE__NODE__INIT;
    key.id = *(struct id *)arg;
    node.revoked = true;
    return record_put(op, &key, &node, STR_NONE);
}

static void begin(void)
{
    struct id store_id;
    gf_open();
    OK(migrate_init(lf.f.kv, &store_id));
    a = gf_node(1), b = gf_node(2), c = gf_node(3);
    ra = rb = rc = (struct gf_row){.ref = lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET)};
    OK(fixture_write(&lf.f, put_node, &a.id, NULL));
    OK(fixture_write(&lf.f, put_node, &b.id, NULL));
}

static void end(void)
{
    lf_verify();
    gf_close();
}

TestSuite(recovery, .init = begin, .fini = end, .timeout = 60);

static void make_backup(void)
{
    struct backup_info info;
    fixture_folder(backup);
    OK(backup_make(lf.f.kv, backup, &info));
}

/* The store of the backup takes the place of the present one. */
static void restore(void)
{
    char path[64];
    struct id store_id;
    grants_free(gf.grants);
    fixture_shut(&lf.f);
    fixture_folder(path);
    OK(backup_restore(backup, path, &store_id));
    fixture_remove(backup);
    fixture_remove(lf.f.path);
    memcpy(lf.f.path, path, sizeof path);
    fixture_reopen(&lf.f, FIXTURE_MAP_BYTES);
    struct grants_options options = gf_options();
    OK(grants_new(&options, &gf.grants));
}

/* An event of the journal, sent again. */
static void resend(struct gf_node *node, uint64_t seq, uint64_t epoch, int64_t amount)
{
    struct lf_reserve reserve = {.epoch = epoch, .amount = amount};
    limit_counter_id(&ra.ref, &reserve.counter);
    cr_assert_eq(lf_event(&node->id, node->boot, seq, &reserve, 1), seq);
}

/* Everything is said: `row` (may be NULL) is all that the node holds. */
static bool say_all(struct gf_node *node, struct gf_row *row)
{
    struct gf_message m = {.request = SLUICE__GRANTS_REQUEST__INIT};
    Sluice__GrantsReply reply;
    if (row != NULL)
        gf_fill(&m, row);
    m.request.all = true;
    OK(gf_send(node, &m.request, &reply));
    return reply.say_all;
}

static bool asked_to_say(struct gf_node *node)
{
    Sluice__GrantsRequest request = SLUICE__GRANTS_REQUEST__INIT;
    Sluice__GrantsReply reply;
    OK(gf_send(node, &request, &reply));
    return reply.say_all;
}

Test(recovery, a_store_that_was_never_restored_asks_for_nothing)
{
    lf_key(STRICT_100, NULL);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_OK);
    cr_expect_not(asked_to_say(&a));
}

Test(recovery, strict_lends_nothing_until_all_have_spoken)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 30, 30);
    gf_spend(&a, &ra, 10);
    make_backup();
    gf_ask(&a, &ra, 20, 20); /* 50 in all */
    gf_spend(&a, &ra, 25);
    gf_ask(&b, &rb, 40, 40);
    gf_spend(&b, &rb, 40);
    lf_pass(1000);
    restore();

    cr_expect_eq(lf_view(ra.ref).used, 10);
    cr_expect(asked_to_say(&a));
    struct gf_row fresh = {.ref = ra.ref, .epoch = ra.epoch};
    cr_expect_eq(gf_ask(&c, &fresh, 1, 1), GF_WAIT);
    cr_expect_eq(fresh.retry_ms, GRANTS_SOON_MS);
    resend(&a, 1, ra.epoch, 10); /* known */
    resend(&a, 2, ra.epoch, 25);
    cr_expect_not(say_all(&a, &ra));
    cr_expect_eq(lf_view(ra.ref).used, 35);
    cr_expect_eq(lf_view(ra.ref).outstanding, 15);
    cr_expect_eq(gf_ask(&c, &fresh, 1, 1), GF_WAIT); /* b has not spoken */
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_WAIT);
    resend(&b, 1, rb.epoch, 40);
    cr_expect_not(say_all(&b, &rb));
    cr_expect_eq(lf_view(ra.ref).used, 75);
    cr_expect_eq(lf_view(ra.ref).outstanding, 15);
    cr_expect_eq(gf_ask(&c, &fresh, 10, 10), GF_OK);
    cr_expect_eq(gf_ask(&c, &fresh, 1, 1), GF_WAIT); /* of a */
    cr_expect_not(asked_to_say(&b));
}

Test(recovery, what_is_held_may_be_spent_all_the_while)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 30, 30);
    make_backup();
    restore();
    gf_spend(&a, &ra, 30);
    cr_expect_eq(lf_view(ra.ref).used, 30);
    cr_expect_eq(gf_ask(&a, &ra, 0, 0), GF_OK);
}

Test(recovery, an_epoch_of_the_gap_goes_on)
{
    lf_key(STRICT_MONTHLY, NULL);
    gf_ask(&a, &ra, 30, 30);
    gf_spend(&a, &ra, 30);
    uint64_t january = ra.epoch;
    make_backup();
    lf_time(ra.ends_ms + 1000);
    gf_ask(&a, &ra, 50, 50); /* February begins */
    gf_spend(&a, &ra, 35);
    uint64_t february = ra.epoch;
    cr_expect_gt(february, january);
    lf_pass(5000);
    restore();

    /* Whoever looks now must not begin February anew. */
    grants_upkeep(gf.grants);
    struct gf_row other = {.ref = ra.ref, .epoch = january};
    cr_expect_eq(gf_ask(&c, &other, 1, 1), GF_WAIT);
    cr_expect_eq(lf_view(ra.ref).epoch, january);
    resend(&a, 2, february, 35);
    cr_expect_eq(lf_view(ra.ref).epoch, february);
    cr_expect_eq(lf_view(ra.ref).used, 35);
    cr_expect_not(say_all(&a, &ra));
    cr_expect_not(say_all(&b, NULL));
    cr_expect_eq(lf_view(ra.ref).outstanding, 15);
    gf_ask(&c, &other, 50, 50);
    cr_expect_eq(other.epoch, february);
    cr_expect_eq(other.granted, 50);
    cr_expect_eq(gf_ask(&c, &other, 1, 1), GF_WAIT);
}

static enum status reset_op(struct write_op *op, void *arg)
{
    (void)arg;
    return counters_reset_entity(op, &ra.ref, &lf.workspace);
}

Test(recovery, a_reset_of_the_gap_is_learned_from_a_grant)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 100, 100);
    gf_spend(&a, &ra, 100);
    make_backup();
    lf_pass(1000);
    OK(fixture_write(&lf.f, reset_op, NULL, NULL));
    gf_ask(&a, &ra, 60, 60);
    lf_pass(1000);
    restore();
    cr_expect_not(say_all(&a, &ra));
    cr_expect_not(say_all(&b, NULL));
    struct counter_view view = lf_view(ra.ref);
    cr_expect_eq(view.epoch, ra.epoch);
    cr_expect_eq(view.used, 0);
    cr_expect_eq(view.outstanding, 60);
    cr_expect_eq(gf_ask(&b, &rb, 40, 40), GF_OK);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT);
}

Test(recovery, a_counter_of_the_gap_is_found_again)
{
    lf_key(STRICT_100, NULL);
    make_backup();
    gf_ask(&a, &ra, 70, 70);
    gf_spend(&a, &ra, 20);
    lf_pass(1000);
    restore();
    cr_expect_eq(lf_view(ra.ref).epoch, 0);
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT); /* it may have been used */
    cr_expect_eq(rb.epoch, 0);
    cr_expect_eq(gf_ask(&a, &ra, 1, 1), GF_WAIT); /* by its name, without a ref: no UNKNOWN */
    resend(&a, 1, ra.epoch, 20);
    cr_expect_not(say_all(&a, &ra));
    cr_expect_not(say_all(&b, NULL));
    cr_expect_eq(gf_ask(&b, &rb, 31, 31), GF_WAIT);
    cr_expect_eq(rb.epoch, ra.epoch);
    cr_expect_eq(gf_ask(&b, &rb, 30, 30), GF_OK);
    cr_expect_eq(lf_view(ra.ref).used, 20);
    cr_expect_eq(lf_view(ra.ref).outstanding, 80);
}

Test(recovery, silence_is_waited_for_no_longer_than_a_node_is_lost)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 30, 30);
    make_backup();
    restore();
    cr_expect_eq(gf_ask(&b, &rb, 70, 70), GF_WAIT);
    lf_pass(GF_LOST_MS - 1);
    cr_expect_eq(gf_ask(&b, &rb, 70, 70), GF_WAIT);
    lf_pass(1);
    cr_expect_eq(gf_ask(&b, &rb, 70, 70), GF_OK);
}

Test(recovery, who_will_not_come_back_is_not_waited_for)
{
    struct lost_result result;
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 30, 30);
    make_backup();
    restore();
    cr_expect_not(say_all(&b, NULL));
    cr_expect_eq(gf_ask(&b, &rb, 70, 70), GF_WAIT);
    OK(lost_write_off(lf.f.writer, NULL, &a.id, &result));
    cr_expect_eq(gf_ask(&b, &rb, 70, 70), GF_OK);
    cr_expect_eq(lf_view(ra.ref).lost, 30);
}

Test(recovery, removed_nodes_say_nothing)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&b, &rb, 10, 10);
    make_backup();
    restore();
    OK(fixture_write(&lf.f, revoke_node, &a.id, NULL));
    cr_expect_not(say_all(&b, &rb));
    cr_expect_eq(gf_ask(&b, &rb, 70, 70), GF_OK);
}

Test(recovery, a_removal_after_all_others_have_spoken_ends_it_too)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&b, &rb, 10, 10);
    make_backup();
    restore();
    cr_expect_not(say_all(&b, &rb));
    OK(fixture_write(&lf.f, revoke_node, &a.id, NULL));
    grants_upkeep(gf.grants);
    cr_expect_eq(gf_ask(&b, &rb, 70, 70), GF_OK);
}

Test(recovery, a_restart_in_the_middle_forgets_nothing)
{
    lf_key(STRICT_100, NULL);
    gf_ask(&a, &ra, 30, 30);
    make_backup();
    restore();
    cr_expect_not(say_all(&a, &ra));
    grants_free(gf.grants);
    fixture_shut(&lf.f);
    fixture_reopen(&lf.f, FIXTURE_MAP_BYTES);
    struct grants_options options = gf_options();
    OK(grants_new(&options, &gf.grants));
    cr_expect_not(asked_to_say(&a));
    cr_expect(asked_to_say(&b));
    cr_expect_eq(gf_ask(&a, &ra, 70, 70), GF_WAIT);
    cr_expect_not(say_all(&b, NULL));
    cr_expect_eq(gf_ask(&a, &ra, 70, 70), GF_OK);
}

Test(recovery, standard_goes_on_but_begins_no_epoch_at_once)
{
    lf_key(STANDARD_100, NULL);
    gf_ask(&a, &ra, 30, 30);
    make_backup();
    restore();
    cr_expect_eq(gf_ask(&b, &rb, 10, 10), GF_OK);
    lf_put((struct lf_entity){SLUICE__KIND__KIND_PROVIDER, .usage = STANDARD_100});
    struct gf_row row = {.ref = lf_ref(LIMIT_PROVIDER, LIMIT_TOKENS, LIMIT_BUDGET)};
    cr_expect_eq(gf_ask(&b, &row, 1, 1), GF_WAIT);
    lf_pass(RECOVERY_STANDARD_MS);
    cr_expect_eq(gf_ask(&b, &row, 1, 1), GF_OK);
}

Test(recovery, permits_wait_until_what_was_lent_counts_no_more)
{
    lf_key(NULL, "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":10},"
                 "{\"type\":\"concurrency\",\"value\":4}]");
    struct gf_row rate = {.ref = lf_ref(LIMIT_KEY, LIMIT_REQUESTS, LIMIT_MINUTE)};
    struct gf_row now = {.ref = lf_ref(LIMIT_KEY, LIMIT_CONCURRENCY, LIMIT_NOW)};
    make_backup();
    gf_ask(&a, &rate, 10, 10);
    gf_ask(&a, &now, 4, 4);
    lf_pass(1000);
    restore();
    struct gf_row rate_b = {.ref = rate.ref}, now_b = {.ref = now.ref};
    cr_expect_eq(gf_ask(&b, &rate_b, 1, 1), GF_WAIT);
    cr_expect_eq(gf_ask(&b, &now_b, 1, 1), GF_WAIT);
    lf_pass(60000 + 1875 - 1);
    cr_expect_eq(gf_ask(&b, &rate_b, 1, 1), GF_WAIT);
    lf_pass(1);
    cr_expect_eq(gf_ask(&b, &rate_b, 1, 1), GF_OK);
    cr_expect_eq(gf_ask(&b, &now_b, 1, 1), GF_WAIT);
    lf_pass(30000);
    cr_expect_eq(gf_ask(&b, &now_b, 1, 1), GF_OK);
}

Test(recovery, restored_twice_is_asked_twice)
{
    lf_key(STRICT_100, NULL);
    make_backup();
    restore();
    cr_expect_not(say_all(&a, NULL));
    cr_expect_not(say_all(&b, NULL));
    cr_expect_eq(gf_ask(&a, &ra, 10, 10), GF_OK);
    make_backup();
    lf_pass(1000);
    gf_ask(&a, &ra, 10, 10);
    restore();
    cr_expect(asked_to_say(&a));
    cr_expect_eq(gf_ask(&b, &rb, 1, 1), GF_WAIT);
    cr_expect_not(say_all(&b, NULL));
    cr_expect_not(say_all(&a, &ra));
    cr_expect_eq(gf_ask(&b, &rb, 81, 81), GF_WAIT);
    cr_expect_eq(gf_ask(&b, &rb, 80, 80), GF_OK);
}
