/* key_rotation_test.c: keys rotate when their policy says so, nobody is locked out, and the new value can be fetched. */
#include "control-plane/domain/key_rotation.h"
#include "common/clock.h"
#include "tests/unit/control-plane/api_fixture.h"

#define HOUR_MS ((int64_t)3600000)
#define DAY_MS  (24 * HOUR_MS)
#define NOW_MS  1795000000000 /* Wednesday 2026-11-18 11:06:40 UTC */

static void begin(void)
{
    clock_test_set(1, NOW_MS);
    api_fixture_open();
}

TestSuite(key_rotation, .init = begin, .fini = api_fixture_close);

static struct str id, key;

static void make(const char *policy, const char *more)
{
    struct answer made = api_call(ADMIN, "POST", "/v1/api-keys/workspace/service",
                                  TARGET("{\"name\":\"k\",\"workspace_id\":\"default\",\"scopes\":[\"models.list\"],\"rotation_policy\":%s%s}", policy, more));
    EXPECT_STATUS(made, 200);
    id = text_at(made.body, "id");
    key = text_at(made.body, "key");
}

static uint64_t run(void)
{
    uint64_t rotated;
    OK(key_rotation_all_due(fx.store.kv, fx.store.writer, fx.api.vault, &rotated));
    return rotated;
}

static int works(struct str value)
{
    return api_call(value, "GET", "/v1/models", NULL).status == 200;
}

static struct answer read_key(const char *more)
{
    return api_call(ADMIN, more[0] == '\0' ? "GET" : "POST", TARGET("/v1/api-keys/" STR_FMT "%s", STR_ARG(id), more), NULL);
}

Test(key_rotation, by_the_week)
{
    make("{\"rotation_period\":\"weekly\",\"key_transition_period_ms\":7200000}", "");
    EXPECT_RAW(read_key(""), "rotation_policy.next_rotation_at", "\"2026-11-23T00:00:00.000Z\"");
    EXPECT_RAW(read_key(""), "last_rotated_at", "null");
    cr_expect_eq(run(), 0);
    clock_test_set(1, 1795391999999); /* one millisecond before */
    cr_expect_eq(run(), 0);
    EXPECT_STATUS(read_key("/successor"), 404);
    clock_test_set(1, 1795392000000);
    cr_expect_eq(run(), 1);
    cr_expect_eq(run(), 0, "once");
    EXPECT_RAW(read_key(""), "rotation_policy.next_rotation_at", "\"2026-11-30T00:00:00.000Z\"");
    EXPECT_RAW(read_key(""), "rotation_policy.rotation_period", "\"weekly\"");
    EXPECT_RAW(read_key(""), "last_rotated_at", "\"2026-11-23T00:00:00.000Z\"");
    EXPECT_RAW(read_key(""), "key_transition_expires_at", "\"2026-11-23T02:00:00.000Z\"");
    struct answer next = read_key("/successor");
    EXPECT_STATUS(next, 200);
    struct str value = text_at(next.body, "key");
    cr_expect(works(key) && works(value) && !str_eq(key, value));
    clock_test_advance(2 * HOUR_MS);
    cr_expect(!works(key) && works(value));
    cr_expect(str_eq(text_at(read_key("/successor").body, "key"), value), "it can be fetched until the next one");
    struct answer log = api_call(ADMIN, "GET", TARGET("/v1/audit-logs?resource_id=" STR_FMT, STR_ARG(id)), NULL);
    EXPECT_RAW(log, "records.0.action", "\"fetch_successor\"");
    EXPECT_RAW(log, "records.2.action", "\"rotate\"");
    EXPECT_RAW(log, "records.2.user_type", "\"system\"");
    EXPECT_RAW(log, "records.3.response_status_code", "404");
    cr_expect_lt(str_find(log.text, value), 0);
    clock_test_advance(7 * DAY_MS);
    cr_expect_eq(run(), 1);
    cr_expect_not(str_eq(text_at(read_key("/successor").body, "key"), value));
}

/* A date without a period is for once. */
Test(key_rotation, at_a_date)
{
    make("{\"next_rotation_at\":\"2026-12-24T15:00:00Z\"}", "");
    EXPECT_RAW(read_key(""), "rotation_policy.next_rotation_at", "\"2026-12-24T00:00:00.000Z\"");
    clock_test_advance(60 * DAY_MS);
    cr_expect_eq(run(), 1);
    EXPECT_RAW(read_key(""), "rotation_policy.next_rotation_at", "\"2026-12-24T00:00:00.000Z\"");
    clock_test_advance(60 * DAY_MS);
    cr_expect_eq(run(), 0);
    struct answer changed = api_call(ADMIN, "PUT", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(id)), "{\"rotation_policy\":{\"next_rotation_at\":\"2027-03-20\"}}");
    EXPECT_STATUS(changed, 200);
    clock_test_advance(60 * DAY_MS);
    cr_expect_eq(run(), 1, "a new date is a new rotation");
}

/* While the value before last still works, the next rotation waits; by hand it starts anew. */
Test(key_rotation, beside_rotations_by_hand)
{
    make("{\"rotation_period_days\":1,\"key_transition_period_ms\":3600000}", "");
    struct answer by_hand = api_call(ADMIN, "POST", TARGET("/v1/api-keys/" STR_FMT "/rotate", STR_ARG(id)), "{\"key_transition_period_ms\":172800000}");
    EXPECT_STATUS(by_hand, 200);
    EXPECT_STATUS(read_key("/successor"), 404);
    clock_test_advance(DAY_MS);
    cr_expect_eq(run(), 0, "in transition");
    cr_expect(works(key));
    clock_test_advance(DAY_MS);
    cr_expect_eq(run(), 1);
    cr_expect(!works(key) && works(text_at(by_hand.body, "key")));
    EXPECT_STATUS(api_call(ADMIN, "POST", TARGET("/v1/api-keys/" STR_FMT "/rotate", STR_ARG(id)), NULL), 409);
    clock_test_advance(2 * HOUR_MS);
    EXPECT_STATUS(api_call(ADMIN, "POST", TARGET("/v1/api-keys/" STR_FMT "/rotate", STR_ARG(id)), NULL), 200);
    EXPECT_STATUS(read_key("/successor"), 404);
}

Test(key_rotation, what_does_not_rotate)
{
    make("{\"rotation_period_days\":1,\"key_transition_period_ms\":3600000}", ",\"expires_at\":\"2026-11-19T00:00:00Z\"");
    clock_test_advance(5 * DAY_MS);
    cr_expect_eq(run(), 0, "expired");
    EXPECT_STATUS(api_call(ADMIN, "PUT", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(id)), "{\"expires_at\":null,\"rotation_policy\":null}"), 200);
    cr_expect_eq(run(), 0, "no policy");
    make("{\"rotation_period\":\"monthly\"}", "");
    EXPECT_STATUS(api_call(ADMIN, "DELETE", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(id)), NULL), 200);
    clock_test_advance(40 * DAY_MS);
    cr_expect_eq(run(), 0, "deleted");
}

/* Who may not rotate a key may not fetch what a rotation gave it. */
Test(key_rotation, who_may_fetch)
{
    make("{\"rotation_period_days\":1}", "");
    clock_test_advance(2 * DAY_MS);
    cr_expect_eq(run(), 1);
    const char *path = TARGET("/v1/api-keys/" STR_FMT "/successor", STR_ARG(id));
    EXPECT_STATUS(api_call(key, "POST", path, NULL), 403);
    EXPECT_STATUS(api_call(fx.other_key, "POST", path, NULL), 404);
    EXPECT_STATUS(api_call(fx.org[1].org_key, "POST", path, NULL), 404);
    EXPECT_STATUS(api_call(WORKSPACE, "POST", path, NULL), 200);
}

static enum status rotate_vault(struct write_op *op, void *arg)
{
    (void)arg;
    return vault_rotate(op, fx.api.vault);
}

static enum status reseal(struct write_op *op, void *arg)
{
    return vault_reseal_step(op, fx.api.vault, 3, arg);
}

/* The sealed value follows the vault's keys, and never reaches a node. */
Test(key_rotation, the_vault_keeps_it)
{
    struct vault_reseal job = {.stage = 0};
    make("{\"rotation_period_days\":1}", "");
    clock_test_advance(2 * DAY_MS);
    cr_expect_eq(run(), 1);
    struct str value = text_at(read_key("/successor").body, "key");
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, rotate_vault, NULL, NULL));
    while (!job.done)
        OK(writer_run(fx.store.writer, NULL, &fx.store.arena, reseal, &job, NULL));
    cr_expect(str_eq(text_at(read_key("/successor").body, "key"), value));
}

Test(key_rotation, policies_are_checked)
{
    static const char *const wrong[] = {
        "{}", "[]", "5", "{\"rotation_period\":\"daily\"}", "{\"rotation_period_days\":0}", "{\"rotation_period_days\":366}",
        "{\"rotation_period\":\"weekly\",\"rotation_period_days\":3}", "{\"next_rotation_at\":\"soon\"}",
        "{\"rotation_period\":\"weekly\",\"key_transition_period_ms\":1799999}", "{\"rotation_period\":\"weekly\",\"key_transition_period_ms\":604800000}",
        "{\"rotation_period_days\":1,\"key_transition_period_ms\":86400000}",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct answer got = api_call(ADMIN, "POST", "/v1/api-keys/organisation/service", TARGET("{\"name\":\"k\",\"scopes\":[],\"rotation_policy\":%s}", wrong[i]));
        EXPECT_STATUS(got, 400);
        cr_expect(str_find(got.text, STR("rotation_policy: ")) > 0, "%s: " STR_FMT, wrong[i], STR_ARG(got.text));
    }
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/api-keys/organisation/service", "{\"name\":\"k\",\"scopes\":[],\"alert_emails\":[\"nobody\"]}"), 400);
}
