/* credentials_test.c: which fields are secret, what a mask shows, and what an update keeps. */
#include "control-plane/api/credentials.h"
#include "tests/unit/control-plane/api_fixture.h"

TestSuite(credentials, .init = api_fixture_open, .fini = api_fixture_close);

Test(credentials, names)
{
    static const char *const secret[] = {"aws_secret_access_key", "aws_access_key_id", "azure_entra_client_secret", "vertex_service_account_json",
                                         "aws_session_token", "awsSecretAccessKey", "API-KEY", "api_key", "my_api_key", "db_password", "some_private_key"};
    static const char *const open[] = {"aws_region", "azure_resource_name", "openai_organization", "custom_host", "azure_deployment_config",
                                       "aws_role_arn", "tokenizer", "keynote"};
    for (size_t i = 0; i < COUNT_OF(secret); i++)
        cr_expect(credentials_is_secret(str_c(secret[i])), "%s", secret[i]);
    for (size_t i = 0; i < COUNT_OF(open); i++)
        cr_expect(!credentials_is_secret(str_c(open[i])), "%s", open[i]);
}

Test(credentials, masks)
{
    struct arena *arena = &fx.store.arena;
    cr_expect(str_eq(credentials_mask(arena, STR("sk-1234567890123456wxyz")), STR("sk-***wxyz")));
    cr_expect(str_eq(credentials_mask(arena, STR("sk-12345678901234567")), STR("sk-***4567")));
    cr_expect(str_eq(credentials_mask(arena, STR("sk-1234567890123456")), STR("***")));
    cr_expect(str_eq(credentials_mask(arena, STR("a multi line\nsecret value")), STR("***")));
    cr_expect(str_eq(credentials_mask(arena, STR("")), STR("***")));
}

static struct answer put(const char *body)
{
    return api_call(ADMIN, "PUT", "/v1/integrations/x", body);
}

static void expect_secrets(const char *wanted)
{
    struct kv_txn *txn = fixture_read(&fx.store);
    struct record_key key;
    Sluice__Integration *record;
    struct secret *plain = NULL;
    OK(record_resolve(txn, SLUICE__KIND__KIND_INTEGRATION, &fx.org[0].org, &ID_NONE, STR("x"), &key));
    OK(record_get(txn, &key, &fx.store.arena, &record, NULL));
    if (record->secrets != NULL)
        OK(vault_open_secrets(fx.api.vault, txn, &key.org, &key.id, record->secrets, &plain));
    struct str text = plain == NULL ? STR("") : secret_open(plain);
    cr_expect(str_eq(text, str_c(wanted)), STR_FMT " is not %s", STR_ARG(text), wanted);
    if (plain != NULL)
        secret_close(plain);
    secret_free(plain);
    kv_abort(txn);
}

Test(credentials, updates_are_three_state)
{
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/integrations", "{\"name\":\"x\",\"slug\":\"x\",\"ai_provider_id\":\"bedrock\",\"key\":\"k1\","
                           "\"configurations\":{\"aws_region\":\"eu\",\"aws_secret_access_key\":\"s1\",\"custom_headers\":{\"x-a\":\"h1\"}}}"), 200);
    expect_secrets("{\"key\":\"k1\",\"configurations.aws_secret_access_key\":\"s1\",\"custom_headers.x-a\":\"h1\"}");
    EXPECT_STATUS(put("{\"name\":\"y\"}"), 200);
    expect_secrets("{\"key\":\"k1\",\"configurations.aws_secret_access_key\":\"s1\",\"custom_headers.x-a\":\"h1\"}");
    EXPECT_STATUS(put("{\"key\":\"k2\"}"), 200);
    expect_secrets("{\"key\":\"k2\",\"configurations.aws_secret_access_key\":\"s1\",\"custom_headers.x-a\":\"h1\"}");
    EXPECT_STATUS(put("{\"key\":null,\"configurations\":{\"aws_region\":\"eu\",\"aws_access_key_id\":\"i1\",\"masked_aws_secret_access_key\":\"***\"}}"), 200);
    expect_secrets("{\"configurations.aws_access_key_id\":\"i1\",\"configurations.aws_secret_access_key\":\"s1\",\"custom_headers.x-a\":\"h1\"}");
    EXPECT_STATUS(put("{\"configurations\":{\"aws_region\":\"eu\",\"aws_access_key_id\":null,\"custom_headers\":{\"x-b\":\"h2\"}}}"), 200);
    expect_secrets("{\"custom_headers.x-b\":\"h2\",\"configurations.aws_secret_access_key\":\"s1\"}");
    struct answer read = api_call(ADMIN, "GET", "/v1/integrations/x", NULL);
    EXPECT_RAW(read, "configurations", "{\"aws_region\":\"eu\",\"masked_aws_secret_access_key\":\"***\",\"masked_custom_headers\":{\"x-b\":\"***\"}}");
    EXPECT_RAW(read, "masked_key", "null");
    EXPECT_STATUS(put("{\"configurations\":null}"), 200);
    expect_secrets("");
}

Test(credentials, a_kept_secret_never_gets_a_new_host)
{
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/integrations", "{\"name\":\"x\",\"slug\":\"x\",\"ai_provider_id\":\"bedrock\","
                           "\"configurations\":{\"aws_region\":\"eu\",\"aws_secret_access_key\":\"s1\"}}"), 200);
    EXPECT_STATUS(put("{\"configurations\":{\"aws_region\":\"us\"}}"), 400);
    EXPECT_STATUS(put("{\"configurations\":{\"aws_region\":\"eu\",\"custom_host\":\"https://evil.example\"}}"), 400);
    EXPECT_STATUS(put("{\"configurations\":{\"aws_region\":\"eu\",\"credential_hosts\":[\"evil.example\"]}}"), 400);
    EXPECT_STATUS(put("{\"key\":\"k\",\"configurations\":{\"aws_region\":\"eu\",\"custom_host\":\"https://evil.example\"}}"), 400);
    EXPECT_STATUS(put("{\"configurations\":{\"aws_region\":\"us\",\"aws_secret_access_key\":\"s2\"}}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/x/models", "{\"models\":[{\"slug\":\"m\",\"enabled\":true,"
                           "\"configurations\":{\"custom_host\":\"https://evil.example\"}}]}"), 400);
    expect_secrets("{\"configurations.aws_secret_access_key\":\"s2\"}");
}

Test(credentials, what_gateways_read_out_of_them_is_checked)
{
    static const char *const good[] = {"\"request_timeout\":1", "\"idle_timeout\":86400000", "\"on_client_disconnect\":\"drain\"",
                                       "\"on_client_disconnect\":\"cancel\"", "\"other_timeout\":\"any\""};
    static const char *const bad[] = {"\"request_timeout\":0", "\"connect_timeout\":-5", "\"first_byte_timeout\":1.5", "\"idle_timeout\":\"5s\"",
                                      "\"total_timeout\":86400001", "\"on_client_disconnect\":true", "\"on_client_disconnect\":\"stop\""};
    char body[256];
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/integrations", "{\"name\":\"x\",\"slug\":\"x\",\"ai_provider_id\":\"openai\",\"key\":\"k\"}"), 200);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        snprintf(body, sizeof body, "{\"configurations\":{%s}}", good[i]);
        EXPECT_STATUS(put(body), 200);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        snprintf(body, sizeof body, "{\"configurations\":{%s}}", bad[i]);
        EXPECT_STATUS(put(body), 400);
    }
}

Test(credentials, headers_that_cannot_be)
{
    static const char *const headers[] = {"{\"host\":\"x\"}", "{\"Content-Length\":\"1\"}", "{\"a b\":\"x\"}", "{\"a\":\"x\\r\\ny: z\"}", "{\"\":\"x\"}",
                                          "{\"a\":5}", "[]", "\"a\"", "{\"a\\u0000\":\"x\"}"};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct answer got = api_call(ADMIN, "POST", "/v1/integrations",
                                     TARGET("{\"name\":\"h\",\"ai_provider_id\":\"openai\",\"configurations\":{\"custom_headers\":%s}}", headers[i]));
        cr_expect_eq(got.status, 400, "%s: %d", headers[i], got.status);
        cr_expect(str_find(text_at(got.body, "message"), STR("custom_headers")) >= 0, "%s: " STR_FMT, headers[i], STR_ARG(got.text));
    }
}
