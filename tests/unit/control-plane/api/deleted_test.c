/* deleted_test.c: what was deleted comes back as it was: ids, names, credentials, limits, keys that work. */
#include "control-plane/api/deleted.h"
#include "common/clock.h"
#include "control-plane/store/trash.h"
#include "tests/unit/control-plane/api_fixture.h"

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
}

TestSuite(deleted, .init = begin, .fini = api_fixture_close);

#define GET(path)       api_call(ADMIN, "GET", path, NULL)
#define POST(path, ...) api_call(ADMIN, "POST", path, __VA_ARGS__)
#define DELETE(path)    api_call(ADMIN, "DELETE", path, "{\"force_delete\":true}")

static struct answer restore(struct str key, struct str id)
{
    return api_call(key, "POST", TARGET("/v1/admin/deleted/" STR_FMT "/restore", STR_ARG(id)), NULL);
}

/* The members of an answer that a restore may change are cut out. */
static struct str shown(struct answer got)
{
    EXPECT_STATUS(got, 200);
    return got.text;
}

static struct str make_integration(void)
{
    struct answer made = POST("/v1/integrations", "{\"name\":\"i\",\"slug\":\"acme-ai\",\"ai_provider_id\":\"openai\",\"key\":\"sk-0123456789abcdef\","
                                                  "\"usage_limits\":[{\"credit_limit\":7}]}");
    EXPECT_STATUS(made, 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/acme-ai/workspaces",
                           "{\"workspaces\":[{\"id\":\"default\",\"enabled\":true,\"usage_limits\":[{\"credit_limit\":5}]},{\"id\":\"second\",\"enabled\":true}]}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/acme-ai/models", "{\"models\":[{\"slug\":\"mine\",\"enabled\":true,\"is_custom\":true}]}"), 200);
    return text_at(made.body, "id");
}

static enum status open_credential(struct id id)
{
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, fx.org[0].org, ID_NONE, id};
    struct kv_txn *txn = fixture_read(&fx.store);
    Sluice__Integration *record;
    struct secret *plain = NULL;
    enum status status = record_get(txn, &key, &fx.store.arena, &record, NULL);
    if (status == ST_OK)
        status = vault_open_secrets(fx.api.vault, txn, &key.org, &key.id, record->secrets, &plain);
    secret_free(plain);
    kv_abort(txn);
    return status;
}

Test(deleted, an_integration_with_all_that_went_along)
{
    struct str id = make_integration();
    struct str before = shown(GET("/v1/integrations/acme-ai")), rows = shown(GET("/v1/integrations/acme-ai/workspaces")),
               models = shown(GET("/v1/integrations/acme-ai/models")), providers = shown(GET("/v1/providers?workspace_id=second"));
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    EXPECT_STATUS(GET("/v1/integrations/acme-ai"), 404);
    EXPECT_RAW(GET("/v1/providers?workspace_id=second"), "total", "0");
    struct answer list = GET("/v1/admin/deleted");
    EXPECT_RAW(list, "total", "1");
    EXPECT_RAW(list, "data.0.name", "\"acme-ai\"");
    EXPECT_RAW(list, "data.0.type", "\"integration\"");
    EXPECT_RAW(list, "data.0.deleted_by_type", "\"api_key\"");
    struct answer restored = restore(ADMIN, id);
    EXPECT_STATUS(restored, 200);
    cr_expect(restored.revision.n > 0, "a change like any other");
    cr_expect(str_eq(shown(GET("/v1/integrations/acme-ai")), before));
    cr_expect(str_eq(shown(GET("/v1/integrations/acme-ai/workspaces")), rows));
    cr_expect(str_eq(shown(GET("/v1/integrations/acme-ai/models")), models));
    cr_expect(str_eq(shown(GET("/v1/providers?workspace_id=second")), providers));
    EXPECT_RAW(GET("/v1/admin/deleted"), "total", "0");
    EXPECT_STATUS(restore(ADMIN, id), 404);
    struct id key;
    OK(id_from_text(id, &key));
    IS(open_credential(key), ST_OK);
}

/* Nodes hear of it as of any other change. */
static enum status count_change(void *arg, const struct record_change *change)
{
    size_t *counts = arg;
    counts[change->deleted]++;
    return ST_OK;
}

Test(deleted, the_feed_tells)
{
    struct str id = make_integration();
    size_t counts[2] = {0, 0};
    bool more;
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    uint64_t revision = writer_revision(fx.store.writer);
    EXPECT_STATUS(restore(ADMIN, id), 200);
    struct kv_txn *txn = fixture_read(&fx.store);
    OK(record_changes(txn, revision, STR(""), 1u << 20, count_change, counts, &more));
    kv_abort(txn);
    cr_expect_eq(counts[0], 6, "integration, rule, two access rows, two providers: %zu", counts[0]);
    cr_expect_eq(counts[1], 0);
}

Test(deleted, a_key_works_again)
{
    struct answer made = POST("/v1/api-keys/workspace/service", "{\"name\":\"k\",\"workspace_id\":\"default\",\"scopes\":[\"models.list\"],\"usage_limits\":{\"credit_limit\":3}}");
    struct str id = text_at(made.body, "id"), key = text_at(made.body, "key");
    struct answer rotated = POST(TARGET("/v1/api-keys/" STR_FMT "/rotate", STR_ARG(id)), NULL);
    const char *path = TARGET("/v1/api-keys/" STR_FMT, STR_ARG(id));
    struct str before = shown(GET(path));
    EXPECT_STATUS(api_call(key, "GET", "/v1/models", NULL), 200);
    EXPECT_STATUS(DELETE(path), 200);
    EXPECT_STATUS(api_call(key, "GET", "/v1/models", NULL), 401);
    EXPECT_STATUS(restore(ADMIN, id), 200);
    EXPECT_STATUS(api_call(key, "GET", "/v1/models", NULL), 200);
    EXPECT_STATUS(api_call(text_at(rotated.body, "key"), "GET", "/v1/models", NULL), 200);
    cr_expect(str_eq(shown(GET(path)), before));
}

Test(deleted, a_workspace)
{
    (void)make_integration();
    POST("/v1/configs", "{\"name\":\"c\",\"config\":{\"retry\":{\"attempts\":2}},\"workspace_id\":\"second\",\"is_default\":1}");
    struct str before = shown(GET("/v1/admin/workspaces/second")), configs = shown(GET("/v1/configs?workspace_id=second")), keys = shown(GET("/v1/api-keys?workspace_id=second"));
    struct str id = text_at(GET("/v1/admin/workspaces/second").body, "id");
    EXPECT_STATUS(DELETE("/v1/admin/workspaces/second"), 200);
    EXPECT_STATUS(api_call(fx.other_key, "GET", "/v1/models", NULL), 401);
    EXPECT_STATUS(restore(ADMIN, id), 200);
    EXPECT_STATUS(api_call(fx.other_key, "GET", "/v1/models", NULL), 200);
    cr_expect(str_eq(shown(GET("/v1/admin/workspaces/second")), before));
    cr_expect(str_eq(shown(GET("/v1/configs?workspace_id=second")), configs));
    cr_expect(str_eq(shown(GET("/v1/api-keys?workspace_id=second")), keys));
    EXPECT_RAW(GET("/v1/providers?workspace_id=second"), "total", "1");
}

/* What was deleted after another thing of the deletion is missing then, and is not made up. */
Test(deleted, parts_that_others_took)
{
    struct str id = make_integration();
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    EXPECT_STATUS(DELETE("/v1/admin/workspaces/second"), 200);
    EXPECT_STATUS(restore(ADMIN, id), 200);
    EXPECT_RAW(GET("/v1/integrations/acme-ai/workspaces"), "total", "1");
    EXPECT_RAW(GET("/v1/providers"), "total", "1");
    /* the provider's workspace is gone: that one first */
    struct answer provider = GET("/v1/providers?workspace_id=default");
    struct str provider_id = text_at(provider.body, "data.0.id");
    EXPECT_STATUS(DELETE(TARGET("/v1/providers/" STR_FMT, STR_ARG(provider_id))), 200);
    struct str workspace = text_at(GET("/v1/admin/workspaces/default").body, "id");
    EXPECT_STATUS(DELETE("/v1/admin/workspaces/default"), 200);
    EXPECT_STATUS(restore(ADMIN, provider_id), 409);
    EXPECT_STATUS(restore(ADMIN, workspace), 200);
    EXPECT_STATUS(restore(ADMIN, provider_id), 200);
    EXPECT_RAW(GET("/v1/providers?workspace_id=default"), "data.0.slug", "\"acme-ai\"");
}

/* A name that somebody took meanwhile is a conflict, and nothing is half restored. */
Test(deleted, a_name_that_is_taken)
{
    struct str id = make_integration();
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    EXPECT_STATUS(POST("/v1/integrations", "{\"name\":\"i\",\"slug\":\"acme-ai\",\"ai_provider_id\":\"openai\",\"key\":\"sk-0123456789abcdef\"}"), 200);
    EXPECT_STATUS(restore(ADMIN, id), 409);
    EXPECT_RAW(GET("/v1/providers"), "total", "0");
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    EXPECT_STATUS(restore(ADMIN, id), 200);
}

/* The default of a workspace: again, unless there is another by now. */
Test(deleted, a_default_config)
{
    const char *first = "{\"name\":\"a\",\"config\":{},\"workspace_id\":\"default\",\"is_default\":1}";
    struct answer a = POST("/v1/configs", first);
    const char *path = TARGET("/v1/configs/" STR_FMT, STR_ARG(text_at(a.body, "slug")));
    EXPECT_STATUS(DELETE(path), 200);
    EXPECT_STATUS(restore(ADMIN, text_at(a.body, "id")), 200);
    EXPECT_RAW(GET(path), "is_default", "1");
    EXPECT_STATUS(DELETE(path), 200);
    struct answer b = POST("/v1/configs", first);
    EXPECT_STATUS(restore(ADMIN, text_at(a.body, "id")), 200);
    EXPECT_RAW(GET(path), "is_default", "0");
    EXPECT_RAW(GET(TARGET("/v1/configs/" STR_FMT, STR_ARG(text_at(b.body, "slug")))), "is_default", "1");
}

/* Who may make it may take it back; others do not see it. */
Test(deleted, who_may)
{
    struct answer made = POST("/v1/configs", "{\"name\":\"a\",\"config\":{},\"workspace_id\":\"default\"}");
    struct str id = text_at(made.body, "id");
    EXPECT_STATUS(DELETE(TARGET("/v1/configs/" STR_FMT, STR_ARG(text_at(made.body, "slug")))), 200);
    struct str integration = make_integration();
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    EXPECT_RAW(GET("/v1/admin/deleted"), "total", "2");
    EXPECT_RAW(GET("/v1/admin/deleted?type=config"), "total", "1");
    EXPECT_RAW(api_call(fx.other_key, "GET", "/v1/admin/deleted", NULL), "total", "0");
    EXPECT_RAW(api_call(fx.org[1].org_key, "GET", "/v1/admin/deleted", NULL), "total", "0");
    EXPECT_RAW(api_call(WORKSPACE, "GET", "/v1/admin/deleted", NULL), "total", "1");
    struct answer narrow = POST("/v1/api-keys/organisation/service", "{\"name\":\"n\",\"scopes\":[\"organisation_integrations.create\"]}");
    struct str key = text_at(narrow.body, "key");
    EXPECT_RAW(api_call(key, "GET", "/v1/admin/deleted", NULL), "total", "1");
    EXPECT_STATUS(restore(key, id), 404);
    EXPECT_STATUS(restore(fx.other_key, id), 404);
    EXPECT_STATUS(restore(WORKSPACE, integration), 404);
    EXPECT_STATUS(restore(WORKSPACE, id), 200);
    EXPECT_STATUS(restore(key, integration), 200);
    struct answer log = GET("/v1/audit-logs?action=restore&response_status_code=200");
    EXPECT_RAW(log, "total", "2");
    EXPECT_RAW(log, "records.0.resource_type", "\"integration\"");
}

static enum status purge(struct write_op *op, void *arg)
{
    struct key place = {.n = 0};
    return trash_purge(op, clock_utc_ms() - DELETED_KEEP_MS, 1000, &place, arg);
}

Test(deleted, is_gone_after_its_time_or_at_once)
{
    bool left;
    struct str id = make_integration();
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    clock_test_advance(DELETED_KEEP_MS);
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, purge, &left, NULL));
    EXPECT_RAW(GET("/v1/admin/deleted"), "total", "1");
    clock_test_advance(1);
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, purge, &left, NULL));
    cr_expect_not(left);
    EXPECT_RAW(GET("/v1/admin/deleted"), "total", "0");
    EXPECT_STATUS(restore(ADMIN, id), 404);
    id = make_integration();
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    EXPECT_STATUS(DELETE(TARGET("/v1/admin/deleted/" STR_FMT, STR_ARG(id))), 200);
    EXPECT_STATUS(restore(ADMIN, id), 404);
    struct kv_cursor *cursor;
    struct kv_txn *txn = fixture_read(&fx.store);
    struct str name, row;
    OK(kv_cursor_open(txn, KV_MAIN, &cursor));
    kv_cursor_seek(cursor, STR("\x7FT"));
    cr_expect(kv_cursor_next(cursor, &name, &row) != ST_OK || !str_starts(name, STR("\x7FT")), "no row is left");
    kv_cursor_close(cursor);
    kv_abort(txn);
}

static enum status rotate(struct write_op *op, void *arg)
{
    (void)arg;
    return vault_rotate(op, fx.api.vault);
}

static enum status reseal(struct write_op *op, void *arg)
{
    return vault_reseal_step(op, fx.api.vault, 2, arg);
}

static enum status new_group(struct write_op *op, void *arg)
{
    struct id id;
    struct write_audit audit = test_audit("create");
    (void)arg;
    writer_audit(op, &audit);
    return enrol_group(op, fx.api.vault, STR("europe"), &id);
}

/* Keys that were replaced while it lay in the trash: the credential opens, and every group of today gets it. */
Test(deleted, credentials_follow_their_keys)
{
    struct str id = make_integration();
    struct vault_reseal job = {.stage = 0};
    struct id integration;
    OK(id_from_text(id, &integration));
    EXPECT_STATUS(DELETE("/v1/integrations/acme-ai"), 200);
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, rotate, NULL, NULL));
    while (!job.done)
        OK(writer_run(fx.store.writer, NULL, &fx.store.arena, reseal, &job, NULL));
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, new_group, NULL, NULL));
    EXPECT_STATUS(restore(ADMIN, id), 200);
    IS(open_credential(integration), ST_OK);
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, fx.org[0].org, ID_NONE, integration};
    struct kv_txn *txn = fixture_read(&fx.store);
    Sluice__Integration *record;
    OK(record_get(txn, &key, &fx.store.arena, &record, NULL));
    kv_abort(txn);
    cr_expect_eq(record->secrets->n_delivery, 2);
}
