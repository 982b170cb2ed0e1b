/* auth_test.c: which key is somebody, and until when. */
#include "control-plane/auth/auth.h"
#include "common/clock.h"
#include "tests/unit/control-plane/api_fixture.h"

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
}

TestSuite(auth, .init = begin, .fini = api_fixture_close);

static enum status identify(const char *name, struct str value, struct auth *auth)
{
    struct http_header header = {str_c(name), value};
    struct http_request request = {.headers = &header, .header_count = 1};
    struct kv_txn *txn = fixture_read(&fx.store);
    enum status status = auth_identify(txn, &fx.store.arena, &request, clock_utc_ms(), auth);
    kv_abort(txn);
    return status;
}

static struct str bearer(const char *scheme, struct str key)
{
    return arena_printf(&fx.store.arena, "%s" STR_FMT, scheme, STR_ARG(key));
}

Test(auth, headers)
{
    struct auth auth;
    IS(identify("x-portkey-api-key", ADMIN, &auth), ST_OK);
    cr_expect(auth_is_org(&auth) && id_is_none(&auth.workspace));
    IS(identify("X-Portkey-Api-Key", WORKSPACE, &auth), ST_OK);
    cr_expect(!auth_is_org(&auth) && id_eq(&auth.workspace, &fx.org[0].workspace));
    IS(identify("authorization", bearer("Bearer ", ADMIN), &auth), ST_OK);
    IS(identify("authorization", bearer("bearer   ", ADMIN), &auth), ST_OK);
    IS(identify("authorization", ADMIN, &auth), ST_UNAUTHORIZED);
    IS(identify("authorization", bearer("Basic ", ADMIN), &auth), ST_UNAUTHORIZED);
    IS(identify("x-api-key", ADMIN, &auth), ST_UNAUTHORIZED);
    IS(identify("x-portkey-api-key", STR(""), &auth), ST_UNAUTHORIZED);
    IS(identify("x-portkey-api-key", str_head(ADMIN, ADMIN.n - 1), &auth), ST_UNAUTHORIZED);
    IS(identify("x-portkey-api-key", bearer("x", ADMIN), &auth), ST_UNAUTHORIZED);
}

Test(auth, expiry_and_end)
{
    struct auth auth;
    char until[CLOCK_TEXT + 1];
    clock_to_text(clock_utc_ms() + 2000, until);
    struct answer made = api_call(ADMIN, "POST", "/v1/api-keys/organisation/service",
                                  TARGET("{\"name\":\"k\",\"scopes\":[],\"expires_at\":\"%s\"}", until));
    struct str key = text_at(made.body, "key");
    IS(identify("x-portkey-api-key", key, &auth), ST_OK);
    clock_test_advance(5000);
    IS(identify("x-portkey-api-key", key, &auth), ST_KEY_EXPIRED);
    struct str id = text_at(made.body, "id");
    EXPECT_STATUS(api_call(ADMIN, "PUT", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(id)), "{\"expires_at\":null}"), 200);
    IS(identify("x-portkey-api-key", key, &auth), ST_OK);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(id)), NULL), 200);
    IS(identify("x-portkey-api-key", key, &auth), ST_UNAUTHORIZED);
}

Test(auth, rotation_keeps_the_old_value_for_a_while)
{
    struct auth auth;
    struct answer made = api_call(ADMIN, "POST", "/v1/api-keys/organisation/service", "{\"name\":\"k\",\"scopes\":[]}");
    struct str id = text_at(made.body, "id"), first = text_at(made.body, "key");
    const char *path = TARGET("/v1/api-keys/" STR_FMT "/rotate", STR_ARG(id));
    EXPECT_STATUS(api_call(ADMIN, "POST", path, "{\"key_transition_period_ms\":5}"), 400);
    struct answer rotated = api_call(ADMIN, "POST", path, NULL);
    struct str second = text_at(rotated.body, "key");
    IS(identify("x-portkey-api-key", first, &auth), ST_OK);
    IS(identify("x-portkey-api-key", second, &auth), ST_OK);
    EXPECT_STATUS(api_call(ADMIN, "POST", path, NULL), 409);
    clock_test_advance(30 * 60 * 1000);
    IS(identify("x-portkey-api-key", first, &auth), ST_UNAUTHORIZED);
    IS(identify("x-portkey-api-key", second, &auth), ST_OK);
    struct answer again = api_call(ADMIN, "POST", path, NULL);
    EXPECT_STATUS(again, 200);
    IS(identify("x-portkey-api-key", first, &auth), ST_UNAUTHORIZED);
    IS(identify("x-portkey-api-key", second, &auth), ST_OK);
    IS(identify("x-portkey-api-key", text_at(again.body, "key"), &auth), ST_OK);
}

Test(auth, nobody_gives_what_they_do_not_hold)
{
    struct answer made = api_call(ADMIN, "POST", "/v1/api-keys/organisation/service",
                                  "{\"name\":\"k\",\"scopes\":[\"organisation_service_api_keys.create\",\"workspace_service_api_keys.create\"]}");
    struct str narrow = text_at(made.body, "key");
    EXPECT_STATUS(api_call(narrow, "POST", "/v1/api-keys/organisation/service", "{\"name\":\"k\",\"scopes\":[\"workspaces.delete\"]}"), 403);
    EXPECT_STATUS(api_call(narrow, "POST", "/v1/api-keys/organisation/service", "{\"name\":\"k\",\"scopes\":[\"workspace_service_api_keys.create\"]}"), 200);
    EXPECT_STATUS(api_call(narrow, "POST", "/v1/api-keys/workspace/service", "{\"name\":\"k\",\"workspace_id\":\"default\",\"scopes\":[\"completions.write\"]}"), 200);
    EXPECT_STATUS(api_call(narrow, "POST", "/v1/api-keys/workspace/service", "{\"name\":\"k\",\"workspace_id\":\"default\",\"scopes\":[\"configs.delete\"]}"), 403);
    EXPECT_STATUS(api_call(WORKSPACE, "POST", "/v1/api-keys/organisation/service", "{\"name\":\"k\",\"scopes\":[]}"), 403);
    EXPECT_STATUS(api_call(WORKSPACE, "POST", "/v1/api-keys/workspace/service", "{\"name\":\"k\",\"workspace_id\":\"second\",\"scopes\":[]}"), 403);
}
