/* lender_test.c: grants over a real link: lent, asked back through a waiting Changes request. */
#include "common/limit.h"
#include "tests/unit/control-plane/publish_fixture.h"

static struct test_node node;
static struct arena arena;

static void setup(void)
{
    pf_open();
    pf_listen();
    arena_init(&arena, (size_t)256 << 20);
    node_join(&node, "one", "");
}

static void teardown(void)
{
    node_leave(&node);
    pf_close();
    arena_free(&arena);
}

TestSuite(lender, .init = setup, .fini = teardown, .timeout = 60);

static enum status put_limited_key(struct write_op *op, void *arg)
{
    struct id *key_id = arg;
    struct record_key key = {SLUICE__KIND__KIND_API_KEY, pf.org, pf.workspace, *key_id};
    Sluice__ApiKey row = SLUICE__API_KEY__INIT;
    row.usage_limits_json = arena_cstr(
        op->arena, STR("{\"type\":\"tokens\",\"credit_limit\":100,\"mode\":\"strict\"}"));
    return record_put(op, &key, &row, STR("0123456789abcdef0123456789abcdef"));
}

/* One row about the tokens of an API key; epoch 0 sends the ref. */
struct grant_ask {
    struct id key, counter;
    Sluice__Grant grant, *list[1];
    Sluice__CounterRef ref;
    Sluice__GrantsRequest request;
};

static void grant_ask(struct grant_ask *ask, const struct id *key, uint64_t need)
{
    ask->key = *key;
    struct limit_ref ref = {.level = LIMIT_KEY,
                            .measure = LIMIT_TOKENS,
                            .window = LIMIT_BUDGET,
                            .org = pf.org,
                            .entity = *key};
    limit_counter_id(&ref, &ask->counter);
    sluice__grants_request__init(&ask->request);
    sluice__grant__init(&ask->grant);
    sluice__counter_ref__init(&ask->ref);
    ask->ref.org = wire_id_data(&pf.org);
    ask->ref.level = LIMIT_KEY;
    ask->ref.entity = wire_id_data(&ask->key);
    ask->ref.workspace = wire_id_data(&pf.workspace);
    ask->ref.measure = LIMIT_TOKENS;
    ask->ref.window = LIMIT_BUDGET;
    ask->grant.counter = wire_id_data(&ask->counter);
    ask->grant.ref = &ask->ref;
    ask->grant.need = need;
    ask->list[0] = &ask->grant;
    ask->request.grants = ask->list;
    ask->request.n_grants = 1;
}

static Sluice__Grant *grants_call(struct test_node *who, struct grant_ask *ask)
{
    Sluice__GrantsReply *reply;
    cr_assert_eq(
        node_call(who, &arena, SLUICE__LINK_KIND__LINK_GRANTS, &ask->request.base, 10000, &reply),
        SLUICE__LINK_KIND__LINK_GRANTS_REPLY);
    cr_assert_eq(reply->n_grants, 1);
    return reply->grants[0];
}

Test(lender, grants_are_lent_and_asked_back)
{
    struct test_node second;
    struct grant_ask ask, other;
    struct id key = test_id(50);
    node_join(&second, "two", "");
    OK(fixture_write(&pf.f, put_limited_key, &key, NULL));
    grant_ask(&ask, &key, 100);
    cr_expect_eq(grants_call(&node, &ask)->granted, 100);

    /* The holder waits for changes; another node's need wakes it. */
    struct waiter waiter;
    uint64_t have = writer_revision(pf.f.writer);
    waiter_start(&waiter, &node, changes_ask(have, 25000));
    wait_until_applied(&node, have);
    grant_ask(&other, &key, 30);
    const Sluice__Grant *grant = grants_call(&second, &other);
    cr_expect_eq(grant->verdict, SLUICE__GRANT_VERDICT__GRANT_WAIT);
    cr_expect_eq(grant->granted, 0);
    waiter_join(&waiter);
    cr_assert_eq(waiter.kind, SLUICE__LINK_KIND__LINK_CHANGES_REPLY);
    cr_assert_eq(waiter.reply->n_recalls, 1);
    cr_expect(str_eq(wire_str(&waiter.reply->recalls[0]->counter), id_bytes(&ask.counter)));
    cr_expect_eq(waiter.reply->recalls[0]->keep, 12);
    arena_free(&waiter.arena);

    ask.grant.epoch = grant->epoch;
    ask.grant.ref = NULL;
    ask.grant.need = 0;
    ask.grant.granted = 100;
    ask.grant.returned = 88;
    cr_expect_eq(grants_call(&node, &ask)->outstanding, 12);
    cr_expect_eq(grants_call(&second, &other)->granted, 30);
    node_leave(&second);
}

Test(lender, a_grants_request_that_contradicts_itself_is_refused)
{
    struct grant_ask ask;
    struct id key = test_id(50);
    Sluice__LinkError *error;
    grant_ask(&ask, &key, 1);
    ask.grant.returned = 7;
    cr_assert_eq(
        node_call(&node, &arena, SLUICE__LINK_KIND__LINK_GRANTS, &ask.request.base, 10000, &error),
        SLUICE__LINK_KIND__LINK_ERROR);
    cr_expect_str_eq(error->status, "bad_format");
}
