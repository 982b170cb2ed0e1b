/* impact_test.c: what a change would take away, told before it is made, and nothing made by telling. */
#include "control-plane/api/impact.h"
#include "common/clock.h"
#include "tests/unit/control-plane/api_fixture.h"

#define NOW_MS 1795000000000
#define CENT   10000000 /* nano-USD */

static struct id ids[2]; /* providers "acme-ai" of the two workspaces */

static struct id id_at(struct answer got, const char *path)
{
    struct id id;
    OK(id_from_text(text_at(got.body, path), &id));
    return id;
}

#define GET(path)        api_call(ADMIN, "GET", path, NULL)
#define CALL(m, p, body) api_call(ADMIN, m, p, body)

/* One request of a key through a provider, `days` ago, for a cent. */
static void use(const struct id *workspace, const struct id *provider, const struct id *key, const char *model, int days)
{
    static uint64_t seq;
    struct id node = test_id(9), integration = id_at(GET("/v1/integrations/acme-ai"), "id");
    uint8_t attempt[LEDGER_ATTEMPT_BYTES];
    Sluice__UsageEvent event = SLUICE__USAGE_EVENT__INIT, *rows[1] = {&event};
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    uint64_t through;
    seq++;
    memcpy(attempt, node.b, 16);
    key_put_u64(attempt + 16, 1);
    key_put_u32(attempt + 24, 1);
    key_put_u64(attempt + 28, seq);
    event.attempt_id = (ProtobufCBinaryData){sizeof attempt, attempt};
    event.seq = seq;
    event.at_ms = NOW_MS - (int64_t)days * ROLLUP_DAY_MS;
    event.org = wire_id_data(&fx.org[0].org);
    event.workspace = wire_id_data(workspace);
    event.provider = wire_id_data(provider);
    event.integration = wire_id_data(&integration);
    event.api_key = wire_id_data(key);
    event.model = (char *)(uintptr_t)model;
    event.cost_nanousd = event.charge_nanousd = CENT;
    batch.journal_boot = 1;
    batch.first_seq = seq;
    batch.events = rows;
    batch.n_events = 1;
    OK(ledger_ingest(fx.store.writer, &node, &batch, &through));
    cr_assert_eq(through, seq);
}

static void begin(void)
{
    clock_test_set(1, NOW_MS);
    api_fixture_open();
    EXPECT_STATUS(CALL("POST", "/v1/integrations", "{\"name\":\"i\",\"slug\":\"acme-ai\",\"ai_provider_id\":\"openai\",\"key\":\"sk-0123456789abcdef\"}"), 200);
    EXPECT_STATUS(CALL("PUT", "/v1/integrations/acme-ai/workspaces", "{\"workspaces\":[{\"id\":\"default\",\"enabled\":true},{\"id\":\"second\",\"enabled\":true}]}"), 200);
    ids[0] = id_at(GET("/v1/providers?workspace_id=default"), "data.0.id");
    ids[1] = id_at(GET("/v1/providers?workspace_id=second"), "data.0.id");
    const struct id *workspaces[] = {&fx.org[0].workspace, &fx.other_workspace};
    use(workspaces[0], &ids[0], &fx.org[0].workspace_key_id, "gpt-4o", 0);
    use(workspaces[0], &ids[0], &fx.org[0].workspace_key_id, "gpt-4o", 3);
    use(workspaces[0], &ids[0], &fx.org[0].workspace_key_id, "gpt-4o-mini", 6);
    use(workspaces[0], &ids[0], &fx.org[0].workspace_key_id, "gpt-4o-mini", 7); /* too long ago */
    use(workspaces[1], &ids[1], &fx.org[0].workspace_key_id, "gpt-4o", 1);
}

TestSuite(impact, .init = begin, .fini = api_fixture_close);

/* A rehearsal leaves the store as it is. */
static struct answer rehearse(const char *method, const char *target, const char *body)
{
    uint64_t revision = writer_revision(fx.store.writer);
    struct answer got = CALL(method, target, body);
    EXPECT_STATUS(got, 200);
    EXPECT_RAW(got, "object", "\"impact\"");
    EXPECT_RAW(got, "dry_run", "true");
    EXPECT_RAW(got, "complete", "true");
    cr_expect_null(got.revision.p);
    cr_expect_eq(writer_revision(fx.store.writer), revision);
    return got;
}

#define EXPECT_USE(got, requests, usd)                    \
    EXPECT_RAW(got, "last_7_days.requests", requests);    \
    EXPECT_RAW(got, "last_7_days.cost_usd", usd)

static size_t length(struct answer got, const char *path)
{
    const struct json *node = at(got.body, path);
    return node == NULL ? SIZE_MAX : node->count;
}

Test(impact, deleting_an_integration)
{
    struct answer got = rehearse("DELETE", "/v1/integrations/acme-ai?dry_run=true", NULL);
    EXPECT_USE(got, "4", "0.04");
    cr_expect_eq(length(got, "providers"), 2);
    EXPECT_RAW(got, "providers.0.effect", "\"deleted\"");
    EXPECT_RAW(got, "providers.0.name", "\"acme-ai\"");
    EXPECT_RAW(got, "models", "[\"@acme-ai/gpt-4o\",\"@acme-ai/gpt-4o-mini\"]");
    EXPECT_STATUS(GET("/v1/integrations/acme-ai"), 200);
    EXPECT_STATUS(CALL("DELETE", "/v1/integrations/acme-ai?dry_run=false", NULL), 200);
}

Test(impact, taking_it_from_a_workspace)
{
    struct answer got = rehearse("PUT", "/v1/integrations/acme-ai/workspaces?dry_run=true", "{\"workspaces\":[{\"id\":\"second\",\"enabled\":false}]}");
    EXPECT_USE(got, "1", "0.01");
    cr_expect_eq(length(got, "providers"), 1);
    EXPECT_RAW(got, "providers.0.effect", "\"disabled\"");
    got = rehearse("PUT", "/v1/integrations/acme-ai/workspaces?dry_run=true", "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true}]}");
    EXPECT_USE(got, "0", "0");
    cr_expect_eq(length(got, "providers"), 0);
}

Test(impact, narrowing_models)
{
    struct answer got = rehearse("PUT", "/v1/integrations/acme-ai/models?dry_run=true", "{\"models\":[{\"slug\":\"gpt-4o-mini\",\"enabled\":false}]}");
    EXPECT_USE(got, "1", "0.01");
    EXPECT_RAW(got, "models", "[\"@acme-ai/gpt-4o-mini\"]");
    EXPECT_RAW(got, "providers.0.effect", "\"narrowed\"");
    got = rehearse("PUT", "/v1/integrations/acme-ai/models?dry_run=true", "{\"models\":[{\"slug\":\"gpt-4o\",\"enabled\":true}],\"allow_all_models\":false}");
    EXPECT_USE(got, "1", "0.01");
    got = rehearse("PUT", "/v1/integrations/acme-ai/models?dry_run=true", "{\"models\":[{\"slug\":\"o1-mini\",\"enabled\":false}]}");
    EXPECT_USE(got, "0", "0");
    got = rehearse("PUT", "/v1/providers/acme-ai?workspace_id=default&dry_run=true", "{\"allowed_models\":[\"gpt-4o-mini\"]}");
    EXPECT_USE(got, "2", "0.02");
    got = rehearse("PUT", "/v1/providers/acme-ai?workspace_id=default&dry_run=true", "{\"expires_at\":\"2020-01-01T00:00:00Z\"}");
    EXPECT_USE(got, "3", "0.03");
    EXPECT_RAW(got, "providers.0.effect", "\"disabled\"");
}

Test(impact, keys)
{
    char id[ID_TEXT + 1];
    id_to_text(&fx.org[0].workspace_key_id, id);
    struct answer got = rehearse("DELETE", TARGET("/v1/api-keys/%s?dry_run=true", id), NULL);
    EXPECT_USE(got, "3", "0.03");
    EXPECT_RAW(got, "api_keys.0.effect", "\"deleted\"");
    got = rehearse("PUT", TARGET("/v1/api-keys/%s?dry_run=true", id), "{\"expires_at\":\"2020-01-01T00:00:00Z\"}");
    EXPECT_USE(got, "3", "0.03");
    EXPECT_RAW(got, "api_keys.0.effect", "\"disabled\"");
    got = rehearse("PUT", TARGET("/v1/api-keys/%s?dry_run=true", id), "{\"allowed_models\":[\"gpt-4o\"]}");
    EXPECT_USE(got, "1", "0.01");
    EXPECT_RAW(got, "api_keys.0.effect", "\"narrowed\"");
    EXPECT_RAW(got, "models", "[\"@acme-ai/gpt-4o-mini\"]");
    got = rehearse("PUT", TARGET("/v1/api-keys/%s?dry_run=true", id), "{\"name\":\"renamed\"}");
    EXPECT_USE(got, "0", "0");
    cr_expect_eq(length(got, "api_keys"), 0);
}

/* Requests of a workspace are counted once, though both its keys and its providers go. */
Test(impact, a_workspace)
{
    struct answer got = rehearse("DELETE", "/v1/admin/workspaces/default?dry_run=true", NULL);
    EXPECT_USE(got, "3", "0.03");
    EXPECT_RAW(got, "workspaces.0.name", "\"default\"");
    cr_expect_eq(length(got, "providers"), 1);
    cr_expect_eq(length(got, "api_keys"), 1);
}

#define CONFIG(document, more) "{\"name\":\"c\",\"config\":" document ",\"workspace_id\":\"default\"" more "}"

/* What a config names is in use: 409 with the list, unless forced. */
Test(impact, what_a_config_names)
{
    struct answer made = CALL("POST", "/v1/configs", CONFIG("{\"targets\":[{\"provider\":\"@acme-ai\"},{\"override_params\":{\"model\":\"@other/x\"}}]}", ""));
    CALL("POST", "/v1/configs", CONFIG("{\"targets\":[{\"override_params\":{\"model\":\"@acme-ai-2/x\"}}]}", ""));
    struct answer got = rehearse("DELETE", "/v1/providers/acme-ai?workspace_id=default&dry_run=1", NULL);
    cr_expect_eq(length(got, "configs"), 1);
    EXPECT_RAW(got, "configs.0.effect", "\"dangling\"");
    EXPECT_RAW(got, "configs.0.id", arena_cstr(&fx.store.arena, raw_at(made.body, "id")));
    const char *path = "/v1/providers/acme-ai?workspace_id=default";
    struct answer refused = CALL("DELETE", path, NULL);
    EXPECT_STATUS(refused, 409);
    EXPECT_RAW(refused, "data.errorCode", "\"AB07\"");
    EXPECT_RAW(refused, "data.impact.configs.0.effect", "\"dangling\"");
    EXPECT_RAW(refused, "data.impact.last_7_days.requests", "3");
    EXPECT_RAW(refused, "data.impact.dry_run", "false");
    EXPECT_STATUS(GET(path), 200);
    EXPECT_STATUS(CALL("DELETE", "/v1/integrations/acme-ai", NULL), 409);
    EXPECT_STATUS(CALL("DELETE", path, "{\"force_delete\":5}"), 400);
    EXPECT_STATUS(CALL("DELETE", path, "{\"force_delete\":true}"), 200);
    EXPECT_STATUS(CALL("DELETE", "/v1/integrations/acme-ai?force_delete=true", NULL), 200);
}

Test(impact, a_provider_made_by_hand)
{
    EXPECT_STATUS(CALL("POST", "/v1/providers", "{\"name\":\"p\",\"integration_id\":\"acme-ai\",\"workspace_id\":\"default\",\"slug\":\"mine\"}"), 200);
    struct answer refused = CALL("DELETE", "/v1/integrations/acme-ai", NULL);
    EXPECT_STATUS(refused, 409);
    cr_expect(str_find(text_at(refused.body, "message"), STR("mine")) > 0);
    cr_expect_eq(length(refused, "data.impact.providers"), 3);
}

/* A default that would point to nothing; forced, it is unbound. */
Test(impact, a_bound_config)
{
    struct answer made = CALL("POST", "/v1/configs", CONFIG("{\"retry\":{\"attempts\":1}}", ""));
    const char *path = TARGET("/v1/configs/" STR_FMT, STR_ARG(text_at(made.body, "slug")));
    struct answer key = CALL("POST", "/v1/api-keys/workspace/service",
                             TARGET("{\"name\":\"bound\",\"workspace_id\":\"default\",\"scopes\":[],\"defaults\":{\"config_id\":\"" STR_FMT "\",\"metadata\":{\"a\":\"b\"}}}", STR_ARG(text_at(made.body, "slug"))));
    EXPECT_STATUS(key, 200);
    struct answer refused = CALL("DELETE", path, NULL);
    EXPECT_STATUS(refused, 409);
    EXPECT_RAW(refused, "data.impact.bindings.0.type", "\"api_key\"");
    EXPECT_RAW(refused, "data.impact.bindings.0.name", "\"bound\"");
    EXPECT_STATUS(CALL("DELETE", path, "{\"force_delete\":true}"), 200);
    struct answer read = GET(TARGET("/v1/api-keys/" STR_FMT, STR_ARG(text_at(key.body, "id"))));
    EXPECT_RAW(read, "defaults", "{\"metadata\":{\"a\":\"b\"}}");
}

/* A rehearsal needs the same right as the change, and is refused as it would be. */
Test(impact, a_rehearsal_is_refused_alike)
{
    EXPECT_STATUS(api_call(WORKSPACE, "DELETE", "/v1/integrations/acme-ai?dry_run=true", NULL), 403);
    EXPECT_STATUS(CALL("DELETE", "/v1/integrations/none?dry_run=true", NULL), 404);
    EXPECT_STATUS(CALL("PUT", "/v1/providers/acme-ai?workspace_id=default&dry_run=true", "{\"name\":5}"), 400);
    EXPECT_STATUS(CALL("POST", "/v1/admin/workspaces?dry_run=true", "{\"name\":\"w\",\"slug\":\"second\"}"), 409);
    struct answer got = rehearse("POST", "/v1/admin/workspaces?dry_run=true", "{\"name\":\"w\"}");
    EXPECT_USE(got, "0", "0");
}
