/* audit_logs_test.c: what the audit log says of a change and of a refusal, and what it must not say. */
#include "common/clock.h"
#include "control-plane/api/shown.h"
#include "tests/unit/control-plane/api_fixture.h"

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
}

TestSuite(audit_logs, .init = begin, .fini = api_fixture_close);

#define CALL(m, p, body) api_call(ADMIN, m, p, body)

static struct answer log_of(const char *query)
{
    struct answer got = api_call(ADMIN, "GET", TARGET("/v1/audit-logs?%s", query), NULL);
    EXPECT_STATUS(got, 200);
    return got;
}

Test(audit_logs, before_and_after)
{
    struct answer made = CALL("POST", "/v1/admin/workspaces?a=b", "{\"name\":\"w\",\"slug\":\"w\",\"usage_limits\":[{\"credit_limit\":5}]}");
    EXPECT_STATUS(made, 200);
    EXPECT_STATUS(CALL("PUT", "/v1/admin/workspaces/w", "{\"name\":\"other\",\"usage_limits\":null}"), 200);
    EXPECT_STATUS(CALL("DELETE", "/v1/admin/workspaces/w", "{\"name\":\"other\"}"), 200);
    struct answer log = log_of("resource_type=workspace&page_size=3");
    EXPECT_RAW(log, "records.2.action", "\"create\"");
    EXPECT_RAW(log, "records.2.before", "null");
    EXPECT_RAW(log, "records.2.after.name", "\"w\"");
    EXPECT_RAW(log, "records.2.after.usage_limits", "[{\"credit_limit\":5}]");
    EXPECT_RAW(log, "records.2.query_params", "\"a=b\"");
    EXPECT_RAW(log, "records.2.after.id", arena_cstr(&fx.store.arena, raw_at(made.body, "id")));
    EXPECT_RAW(log, "records.2.after.created_at", arena_cstr(&fx.store.arena, raw_at(made.body, "created_at")));
    EXPECT_RAW(log, "records.1.before.name", "\"w\"");
    EXPECT_RAW(log, "records.1.after.name", "\"other\"");
    EXPECT_RAW(log, "records.1.before.usage_limits", "[{\"credit_limit\":5}]");
    EXPECT_RAW(log, "records.1.after.usage_limits", "null");
    EXPECT_RAW(log, "records.0.before.name", "\"other\"");
    EXPECT_RAW(log, "records.0.after", "null");
    cr_expect(str_eq(text_at(log.body, "records.1.request_body"), STR("{\"name\":\"other\",\"usage_limits\":null}")));
    EXPECT_RAW(log, "records.0.response_status_code", "200");
}

/* Every refused change of somebody known, and nothing of nobody. */
Test(audit_logs, refusals)
{
    EXPECT_STATUS(CALL("POST", "/v1/admin/workspaces", "{\"name\":5}"), 400);
    EXPECT_STATUS(CALL("POST", "/v1/admin/workspaces", "{\"name\":\"x\",\"slug\":\"second\"}"), 409);
    EXPECT_STATUS(CALL("DELETE", "/v1/providers/none", NULL), 404);
    EXPECT_STATUS(api_call(WORKSPACE, "PUT", "/v1/admin/workspaces/second", "{\"name\":\"mine now\"}"), 403);
    EXPECT_STATUS(CALL("GET", "/v1/providers/none", NULL), 404);
    EXPECT_STATUS(api_call(STR("slk_x"), "POST", "/v1/admin/workspaces", "{}"), 401);
    EXPECT_STATUS(CALL("DELETE", "/v1/providers/none?dry_run=true", NULL), 404);
    struct answer log = log_of("page_size=5");
    static const struct {
        const char *status, *type, *action, *slug, *message;
    } wanted[] = {
        {"403", "workspace", "update", "second", "permissions"},
        {"404", "provider", "delete", "none", "404"},
        {"409", "workspace", "create", "", "already exists"},
        {"400", "workspace", "create", "", "name: must be a string"},
    };
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        const struct json *record = json_at(at(log.body, "records"), i);
        cr_expect(str_eq(raw_at(record, "response_status_code"), str_c(wanted[i].status)), "%zu: " STR_FMT, i, STR_ARG(record->raw));
        cr_expect(str_eq(text_at(record, "resource_type"), str_c(wanted[i].type)), "%zu: " STR_FMT, i, STR_ARG(record->raw));
        cr_expect(str_eq(text_at(record, "action"), str_c(wanted[i].action)), "%zu: " STR_FMT, i, STR_ARG(record->raw));
        cr_expect(str_eq(text_at(record, "resource_slug"), str_c(wanted[i].slug)), "%zu: " STR_FMT, i, STR_ARG(record->raw));
        cr_expect(str_find(text_at(record, "message"), str_c(wanted[i].message)) >= 0, "%zu: " STR_FMT, i, STR_ARG(record->raw));
        cr_expect(str_eq(text_at(record, "user_type"), STR("api_key")));
    }
    EXPECT_RAW(log, "records.4.response_status_code", "200");
    EXPECT_RAW(log_of("response_status_code=404"), "total", "1");
    EXPECT_RAW(log_of("response_status_code=403"), "total", "1");
}

/* A caller that is refused again and again does not fill the store. */
Test(audit_logs, refusals_are_bounded)
{
    uint64_t before = writer_revision(fx.store.writer);
    for (int i = 0; i < 200; i++)
        EXPECT_STATUS(CALL("DELETE", "/v1/providers/none", NULL), 404);
    cr_expect_eq(writer_revision(fx.store.writer) - before, 60);
    clock_test_set(2000000000, 1795000002000);
    for (int i = 0; i < 10; i++)
        EXPECT_STATUS(CALL("DELETE", "/v1/providers/none", NULL), 404);
    cr_expect_eq(writer_revision(fx.store.writer) - before, 62);
    EXPECT_STATUS(api_call(WORKSPACE, "DELETE", "/v1/providers/none", NULL), 404);
    cr_expect_eq(writer_revision(fx.store.writer) - before, 63, "each caller has a measure of their own");
}

Test(audit_logs, filters)
{
    char org[ID_TEXT + 1], other[ID_TEXT + 1], key[ID_TEXT + 1];
    id_to_text(&fx.org[0].org, org);
    id_to_text(&fx.org[1].org, other);
    id_to_text(&fx.org[0].org_key_id, key);
    struct answer made = CALL("POST", "/v1/admin/workspaces", "{\"name\":\"w\",\"slug\":\"w\"}");
    clock_test_set(1, 1795000060000);
    EXPECT_STATUS(CALL("PUT", "/v1/admin/workspaces/w", "{\"name\":\"x\"}"), 200);
    const char *id = arena_cstr(&fx.store.arena, text_at(made.body, "id"));
    EXPECT_RAW(log_of(TARGET("resource_id=%s", id)), "total", "2");
    EXPECT_RAW(log_of(TARGET("workspace_id=%s&action=update", id)), "total", "1");
    EXPECT_RAW(log_of(TARGET("user_id=%s&method=PUT", key)), "total", "1");
    EXPECT_RAW(log_of("user_type=user"), "total", "0");
    EXPECT_RAW(log_of("uri=/workspaces/w"), "total", "1");
    EXPECT_RAW(log_of("client_ip=127.0.0.1"), "total", "2");
    EXPECT_RAW(log_of("client_ip=127.0.0.2"), "total", "0");
    EXPECT_RAW(log_of("country=DE"), "total", "0");
    EXPECT_RAW(log_of("start_time=2026-11-18T11:07:00Z"), "total", "1");
    EXPECT_RAW(log_of("user_type=api_key&end_time=2026-11-18T11:07:00Z"), "total", "1");
    EXPECT_RAW(log_of(TARGET("organisation_id=%s&user_type=api_key", org)), "total", "2");
    EXPECT_STATUS(api_call(ADMIN, "GET", TARGET("/v1/audit-logs?organisation_id=%s", other), NULL), 403);
    EXPECT_STATUS(api_call(ADMIN, "GET", "/v1/audit-logs?start_time=yesterday", NULL), 400);
    EXPECT_STATUS(api_call(ADMIN, "GET", "/v1/audit-logs?resource_id=w", NULL), 400);
    struct answer page = log_of("user_type=api_key&page_size=1&current_page=1");
    EXPECT_RAW(page, "total", "2");
    EXPECT_RAW(page, "records.0.action", "\"create\"");
    struct str request = text_at(log_of("action=update&resource_type=workspace").body, "records.0.request_id");
    EXPECT_RAW(log_of(TARGET("request_id=" STR_FMT, STR_ARG(request))), "total", "1");
}

/* No credential, key or password, in whatever form it came. */
Test(audit_logs, secrets)
{
    const char *secret = "canary-0123456789";
    struct answer made = CALL("POST", "/v1/integrations", TARGET("{\"name\":\"i\",\"slug\":\"i\",\"ai_provider_id\":\"openai\",\"key\":\"%s\",\"configurations\":{"
                                                                 "\"custom_headers\":{\"x-a\":\"%s\"},\"aws_secret_access_key\":\"%s\"}}", secret, secret, secret));
    EXPECT_STATUS(made, 200);
    EXPECT_STATUS(CALL("PUT", "/v1/integrations/i", TARGET("{\"key\":\"%s-2\"}", secret)), 200);
    EXPECT_STATUS(CALL("POST", "/v1/configs", TARGET("{\"name\":\"c\",\"workspace_id\":\"default\",\"config\":{\"targets\":[{\"provider\":\"openai\",\"api_key\":\"%s\"}]}}", secret)), 400);
    EXPECT_STATUS(CALL("POST", "/v1/configs", TARGET("{\"name\":\"c\",\"workspace_id\":\"default\",\"config\":\"{\\\"targets\\\":[{\\\"api_key\\\":\\\"%s\\\"}]}\"}", secret)), 400);
    EXPECT_STATUS(CALL("POST", "/v1/api-keys/organisation/service", TARGET("{\"name\":\"k\",\"scopes\":[],\"key\":\"%s\"}", secret)), 200);
    EXPECT_STATUS(CALL("POST", "/v1/integrations", TARGET("{\"ai_provider_id\":\"openai\",\"key\":\"%s\"}", secret)), 400);
    EXPECT_STATUS(CALL("DELETE", "/v1/integrations/i", NULL), 200);
    struct answer log = log_of("page_size=100");
    cr_expect_lt(str_find(log.text, STR("canary")), 0, STR_FMT, STR_ARG(log.text));
    cr_expect_geq(str_find(log.text, STR("***")), 0);
    EXPECT_RAW(log, "records.0.before.base_url", "\"https://api.openai.com/v1\"");
}

/* What was recorded proves itself. */
Test(audit_logs, the_chain_holds)
{
    EXPECT_STATUS(CALL("POST", "/v1/admin/workspaces", "{\"name\":\"w\"}"), 200);
    EXPECT_STATUS(CALL("POST", "/v1/admin/workspaces", "{}"), 400);
    struct audit_check check = {0};
    struct kv_txn *txn = fixture_read(&fx.store);
    while (!check.done)
        OK(audit_check_step(txn, 3, &check));
    kv_abort(txn);
    cr_expect(check.intact);
}
