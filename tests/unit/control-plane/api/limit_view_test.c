/* limit_view_test.c: every entity shows what was used of its limits, and reset_usage begins anew. */
#include "common/clock.h"
#include "control-plane/ledger/epoch.h"
#include "control-plane/ledger/ledger.h"
#include "tests/unit/control-plane/api_fixture.h"

#define USD    INT64_C(1000000000)
#define NOW_MS INT64_C(1768478400000) /* 2026-01-15 12:00 UTC, a Thursday */

static void begin(void)
{
    clock_test_set(NOW_MS * 1000000, NOW_MS);
    api_fixture_open();
}

TestSuite(limit_view, .init = begin, .fini = api_fixture_close);

static enum status open_op(struct write_op *op, void *arg)
{
    op->no_revision = true;
    return epoch_open(op, arg, &(struct epoch){.id = ID_NONE});
}

static uint64_t epoch_of(const struct rule_owner *owner)
{
    struct epoch epoch;
    struct kv_txn *txn;
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, open_op, (void *)(uintptr_t)owner, NULL));
    OK(kv_begin(fx.store.kv, false, &txn));
    OK(epoch_look(txn, &fx.store.arena, owner, clock_utc_ms(), &epoch));
    kv_abort(txn);
    return epoch.counter.epoch;
}

/* An attempt took `amount` from a counter, and a node told of it. */
static void spend(enum limit_level level, struct id entity, struct id second, struct id workspace, enum limit_measure measure,
                  struct str value_key, int64_t amount)
{
    static uint64_t seq;
    struct rule_owner owner = {.ref = {.level = (uint8_t)level, .measure = (uint8_t)measure, .window = LIMIT_BUDGET,
                                       .org = fx.org[0].org, .entity = entity, .second = second, .value_key = value_key},
                               .workspace = workspace};
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    Sluice__UsageEvent event = SLUICE__USAGE_EVENT__INIT, *events[] = {&event};
    Sluice__Reserve reserve = SLUICE__RESERVE__INIT, *reserves[] = {&reserve};
    uint8_t attempt[LEDGER_ATTEMPT_BYTES] = {0};
    struct id counter, node = test_id(9);
    uint64_t through;
    limit_counter_id(&owner.ref, &counter);
    reserve.counter = wire_id_data(&counter);
    reserve.epoch = epoch_of(&owner);
    reserve.amount = amount;
    memcpy(attempt, node.b, ID_BYTES);
    key_put_u64(attempt + 28, ++seq);
    event.attempt_id = (ProtobufCBinaryData){sizeof attempt, attempt};
    event.seq = seq;
    event.at_ms = clock_utc_ms();
    event.org = wire_id_data(&fx.org[0].org);
    event.reserves = reserves;
    event.n_reserves = 1;
    batch.journal_boot = 1;
    batch.first_seq = seq;
    batch.events = events;
    batch.n_events = 1;
    OK(ledger_ingest(fx.store.writer, &node, &batch, &through));
}

static struct id id_at(const struct json *node, const char *path)
{
    struct id id = ID_NONE;
    cr_assert_eq(id_from_text(text_at(node, path), &id), ST_OK, "%s", path);
    return id;
}

Test(limit_view, a_key_shows_used_and_remaining)
{
    struct answer made = api_call(ADMIN, "POST", "/v1/api-keys/workspace/service",
                                  "{\"name\":\"k\",\"workspace_id\":\"second\",\"scopes\":[],"
                                  "\"usage_limits\":{\"credit_limit\":50,\"alert_threshold\":10,\"periodic_reset\":\"weekly\",\"mode\":\"strict\"},"
                                  "\"rate_limits\":[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":7}]}");
    EXPECT_STATUS(made, 200);
    const char *path = TARGET("/v1/api-keys/" STR_FMT, STR_ARG(text_at(made.body, "id")));
    struct id key = id_at(made.body, "id");
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/admin/organisation", "{\"time_zone\":\"America/New_York\"}"), 200);
    struct answer got = api_call(ADMIN, "GET", path, "");
    EXPECT_RAW(got, "usage.0.used", "0");
    EXPECT_RAW(got, "usage.0.next_reset_at", "\"2026-01-18T00:00:00.000-05:00\"");
    EXPECT_RAW(got, "usage.1.unit", "\"rpm\"");
    EXPECT_RAW(got, "usage.1.limit", "7");
    spend(LIMIT_KEY, key, ID_NONE, fx.other_workspace, LIMIT_COST, STR_NONE, 12 * USD + USD / 2);
    got = api_call(ADMIN, "GET", path, "");
    EXPECT_RAW(got, "status", "\"active\"");
    EXPECT_RAW(got, "usage.0.type", "\"cost\"");
    EXPECT_RAW(got, "usage.0.limit", "50");
    EXPECT_RAW(got, "usage.0.used", "12.5");
    EXPECT_RAW(got, "usage.0.remaining", "37.5");
    EXPECT_RAW(got, "usage.0.alerted", "true");
    EXPECT_RAW(got, "usage.0.mode", "\"strict\"");
    EXPECT_RAW(got, "usage_limits", "{\"credit_limit\":50,\"alert_threshold\":10,\"periodic_reset\":\"weekly\",\"mode\":\"strict\"}");
    spend(LIMIT_KEY, key, ID_NONE, fx.other_workspace, LIMIT_COST, STR_NONE, 40 * USD);
    got = api_call(ADMIN, "GET", path, "");
    EXPECT_RAW(got, "status", "\"exhausted\"");
    EXPECT_RAW(got, "usage.0.remaining", "0");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/api-keys?workspace_id=second", ""), "data.1.limit_status", "\"exhausted\"");
    clock_test_advance(1000);
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"reset_usage\":true}"), 200);
    got = api_call(ADMIN, "GET", path, "");
    EXPECT_RAW(got, "status", "\"active\"");
    EXPECT_RAW(got, "usage.0.used", "0");
    EXPECT_RAW(got, "last_reset_at", "\"2026-01-15T12:00:01.000Z\"");
    EXPECT_RAW(got, "usage.0.last_reset_at", "\"2026-01-15T12:00:01.000Z\"");
}

Test(limit_view, raising_a_limit_reopens)
{
    struct answer made = api_call(ADMIN, "POST", "/v1/admin/workspaces", "{\"name\":\"w\",\"usage_limits\":[{\"type\":\"tokens\",\"credit_limit\":100}]}");
    EXPECT_STATUS(made, 200);
    EXPECT_RAW(made, "usage.0.remaining", "100");
    const char *path = TARGET("/v1/admin/workspaces/" STR_FMT, STR_ARG(text_at(made.body, "id")));
    spend(LIMIT_WORKSPACE, id_at(made.body, "id"), ID_NONE, ID_NONE, LIMIT_TOKENS, STR_NONE, 100);
    struct answer got = api_call(ADMIN, "GET", path, "");
    EXPECT_RAW(got, "limit_status", "\"exhausted\"");
    EXPECT_RAW(got, "status", "\"active\"");
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"usage_limits\":[{\"type\":\"tokens\",\"credit_limit\":101}]}"), 200);
    got = api_call(ADMIN, "GET", path, "");
    EXPECT_RAW(got, "limit_status", "\"active\"");
    EXPECT_RAW(got, "usage.0.used", "100");
    EXPECT_RAW(got, "usage.0.remaining", "1");
    clock_test_advance(1000);
    EXPECT_STATUS(api_call(fx.other_key, "PUT", "/v1/admin/workspaces/second", "{\"reset_usage\":true}"), 403);
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"reset_usage\":true}"), 200);
    EXPECT_RAW(api_call(ADMIN, "GET", path, ""), "usage.0.used", "0");
}

Test(limit_view, integration_row_and_provider)
{
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/integrations",
                           "{\"name\":\"oai\",\"slug\":\"oai\",\"ai_provider_id\":\"openai\",\"key\":\"k\",\"usage_limits\":[{\"credit_limit\":1500}]}"),
                  200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/oai/workspaces",
                           "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true,\"usage_limits\":[{\"credit_limit\":1000}]}]}"),
                  200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/providers/oai?workspace_id=second", "{\"usage_limits\":{\"credit_limit\":100}}"), 200);
    struct answer integration = api_call(ADMIN, "GET", "/v1/integrations/oai", "");
    struct answer provider = api_call(ADMIN, "GET", "/v1/providers/oai?workspace_id=second", "");
    struct id id = id_at(integration.body, "id"), provider_id = id_at(provider.body, "id");
    spend(LIMIT_INTEGRATION, id, ID_NONE, ID_NONE, LIMIT_COST, STR_NONE, USD);
    spend(LIMIT_ACCESS, id, fx.other_workspace, ID_NONE, LIMIT_COST, STR_NONE, 2 * USD);
    spend(LIMIT_PROVIDER, provider_id, ID_NONE, fx.other_workspace, LIMIT_COST, STR_NONE, 100 * USD);
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/integrations/oai", ""), "usage.0.remaining", "1499");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/integrations/oai/workspaces", ""), "workspaces.0.usage.0.remaining", "998");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/providers/oai?workspace_id=second", ""), "status", "\"exhausted\"");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/virtual-keys/oai?workspace_id=second", ""), "status", "\"exhausted\"");
    clock_test_advance(1000);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/oai", "{\"reset_usage\":true}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/oai/workspaces",
                           "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true,\"reset_usage\":true}]}"),
                  200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/providers/oai?workspace_id=second", "{\"reset_usage\":true}"), 200);
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/integrations/oai", ""), "usage.0.used", "0");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/integrations/oai/workspaces", ""), "workspaces.0.usage.0.used", "0");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/providers/oai?workspace_id=second", ""), "status", "\"active\"");
}

Test(limit_view, entities_of_a_policy)
{
    struct answer made = api_call(ADMIN, "POST", "/v1/policies/usage-limits",
                                  "{\"workspace_id\":\"second\",\"type\":\"cost\",\"credit_limit\":10,\"periodic_reset\":\"weekly\","
                                  "\"conditions\":[{\"key\":\"metadata._user\",\"value\":\"*\"}],\"group_by\":[{\"key\":\"metadata._user\"}]}");
    EXPECT_STATUS(made, 200);
    struct id policy = id_at(made.body, "id");
    const char *path = TARGET("/v1/policies/usage-limits/" STR_FMT, STR_ARG(text_at(made.body, "id")));
    EXPECT_RAW(api_call(ADMIN, "GET", path, ""), "next_usage_reset_at", "\"2026-01-19T00:00:00.000Z\"");
    spend(LIMIT_POLICY, policy, ID_NONE, fx.other_workspace, LIMIT_COST, STR("metadata._user:alice"), 10 * USD);
    spend(LIMIT_POLICY, policy, ID_NONE, fx.other_workspace, LIMIT_COST, STR("metadata._user:bob"), USD / 4);
    struct answer got = api_call(ADMIN, "GET", TARGET("%s/entities", path), "");
    EXPECT_RAW(got, "total", "2");
    got = api_call(ADMIN, "GET", TARGET("%s/entities?status=exhausted", path), "");
    EXPECT_RAW(got, "total", "1");
    EXPECT_RAW(got, "data.0.value_key", "\"metadata._user:alice\"");
    EXPECT_RAW(got, "data.0.current_usage", "10");
    EXPECT_STATUS(api_call(ADMIN, "GET", TARGET("%s/entities?status=odd", path), ""), 400);
    const char *alice = TARGET("%s/entities/" STR_FMT "/reset", path, STR_ARG(text_at(got.body, "data.0.id")));
    got = api_call(ADMIN, "GET", TARGET("%s?include_usage=true", path), "");
    const struct json *bob = json_get(at(got.body, "value_key_usage_map"), "metadata._user:bob");
    cr_expect(str_eq(raw_at(bob, "current_usage"), STR("0.25")), STR_FMT, STR_ARG(got.text));
    clock_test_advance(1000);
    EXPECT_STATUS(api_call(ADMIN, "PUT", alice, "{}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", TARGET("%s/entities/00000000-0000-7000-8000-000000000000/reset", path), "{}"), 404);
    EXPECT_RAW(api_call(ADMIN, "GET", TARGET("%s/entities?search=alice", path), ""), "data.0.current_usage", "0");
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"reset_usage_for_value\":\"bob\"}"), 200);
    EXPECT_RAW(api_call(ADMIN, "GET", TARGET("%s/entities?search=bob", path), ""), "data.0.current_usage", "0");
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"reset_usage_for_value\":\"ob\"}"), 400);
}

Test(limit_view, time_zones_must_be_known)
{
    struct answer got = api_call(ADMIN, "PUT", "/v1/admin/organisation", "{\"time_zone\":\"Mars/Olympus\"}");
    EXPECT_STATUS(got, 400);
    cr_expect(str_starts(text_at(got.body, "message"), STR("time_zone: must be an IANA time zone")));
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/admin/organisation", "{\"time_zone\":\"../../etc/passwd\"}"), 400);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/admin/organisation", "{\"time_zone\":\"Europe/Berlin\"}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/admin/organisation", "{\"time_zone\":null}"), 200);
}
