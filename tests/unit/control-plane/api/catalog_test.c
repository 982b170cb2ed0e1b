/* catalog_test.c: the built-in catalog over the admin API, and what the console asks before sign-in. */
#include "tests/unit/control-plane/api_fixture.h"

static enum status add_rows(struct write_op *op, void *arg)
{
    Sluice__ProviderType type = SLUICE__PROVIDER_TYPE__INIT;
    Sluice__Model model = SLUICE__MODEL__INIT;
    Sluice__Prices before = SLUICE__PRICES__INIT, now = SLUICE__PRICES__INIT, later = SLUICE__PRICES__INIT;
    Sluice__Prices *prices[] = {&before, &now, &later};
    Sluice__Price old_price = SLUICE__PRICE__INIT, price = SLUICE__PRICE__INIT;
    Sluice__Price *old_rows[] = {&old_price}, *rows[] = {&price};
    Sluice__Endpoint chat = {PROTOBUF_C_MESSAGE_INIT(&sluice__endpoint__descriptor), "chat", "/chat/completions"};
    Sluice__Endpoint *endpoints[] = {&chat};
    char *env[] = {"ACME_API_KEY"}, *input[] = {"text", "image"};
    struct record_key key = {SLUICE__KIND__KIND_PROVIDER_TYPE, ID_NONE, ID_NONE, builtin_provider_type_id(STR("acme-ai"))};
    (void)arg;
    writer_audit(op, &(struct write_audit){.action = "update", .resource_type = "catalog"});
    type.slug = "acme-ai";
    type.name = "Acme AI";
    type.dialect = "openai";
    type.env = env;
    type.n_env = 1;
    type.endpoints = endpoints;
    type.n_endpoints = 1;
    type.data_json = "{\"auth\":{\"scheme\":\"header\"},\"placeholders\":[\"account\"],\"native_endpoints\":{}}";
    TRY(record_put(op, &key, &type, STR("acme-ai")));
    old_price.unit = price.unit = "input_token";
    old_price.picousd = 5000000;
    price.picousd = 2500000;
    before.rows = later.rows = old_rows;
    now.rows = rows;
    before.n_rows = now.n_rows = later.n_rows = 1;
    now.effective_from_ms = 1;
    later.effective_from_ms = INT64_MAX;
    model.slug = "a1";
    model.type = "chat";
    model.context_window_tokens = 128000;
    model.input_modalities = input;
    model.n_input_modalities = 2;
    model.prices = prices;
    model.n_prices = COUNT_OF(prices);
    struct record_key model_key = {SLUICE__KIND__KIND_MODEL, ID_NONE, key.id, builtin_model_id(STR("acme-ai"), STR("a1"))};
    return record_put(op, &model_key, &model, STR("a1"));
}

static void open_all(void)
{
    api_fixture_open();
    OK(writer_run(fx.store.writer, &(struct write_actor){.type = "cli"}, &fx.store.arena, add_rows, NULL, NULL));
}

TestSuite(catalog, .init = open_all, .fini = api_fixture_close);

Test(catalog, provider)
{
    struct answer got = api_call(WORKSPACE, "GET", "/v1/ai-providers/acme-ai", "");
    EXPECT_STATUS(got, 200);
    cr_expect(str_eq(text_at(got.body, "id"), STR("acme-ai")));
    cr_expect(str_eq(text_at(got.body, "name"), STR("Acme AI")));
    cr_expect(str_eq(raw_at(got.body, "env"), STR("[\"ACME_API_KEY\"]")));
    cr_expect(str_eq(raw_at(got.body, "operations"), STR("[\"chat\"]")));
    cr_expect(str_eq(raw_at(got.body, "model_count"), STR("1")));
    cr_expect(str_eq(raw_at(got.body, "auth"), STR("{\"scheme\":\"header\"}")));
    cr_expect(str_eq(raw_at(got.body, "placeholders"), STR("[\"account\"]")));
    cr_expect_null(at(got.body, "native_endpoints"));
    cr_expect_null(at(got.body, "docs_url"), "what is unknown is absent");
}

Test(catalog, providers_are_listed_with_all_their_models_counted)
{
    struct answer got = api_call(ADMIN, "GET", "/v1/ai-providers", "");
    EXPECT_STATUS(got, 200);
    cr_expect(str_eq(raw_at(got.body, "total"), STR("5")));
    struct answer page = api_call(ADMIN, "GET", "/v1/ai-providers?page_size=2&current_page=2", "");
    cr_expect_eq(at(page.body, "data")->count, 1);
    cr_expect(str_eq(raw_at(page.body, "total"), STR("5")));
}

Test(catalog, models)
{
    struct answer got = api_call(WORKSPACE, "GET", "/v1/ai-providers/acme-ai/models", "");
    EXPECT_STATUS(got, 200);
    cr_expect(str_eq(raw_at(got.body, "total"), STR("1")));
    cr_expect(str_eq(text_at(got.body, "data.0.slug"), STR("a1")));
    cr_expect(str_eq(text_at(got.body, "data.0.name"), STR("a1")), "a model without a name has its slug");
    cr_expect(str_eq(raw_at(got.body, "data.0.limits"), STR("{\"context_window_tokens\":128000}")));
    cr_expect(str_eq(raw_at(got.body, "data.0.input"), STR("[\"text\",\"image\"]")));
    cr_expect(str_eq(raw_at(got.body, "data.0.prices_picousd"), STR("{\"input_token\":2500000}")), "those in effect");
    cr_expect_null(at(got.body, "data.0.capabilities"), "what is unknown is absent");
}

Test(catalog, unknown_provider)
{
    struct answer got = api_call(ADMIN, "GET", "/v1/ai-providers/nobody/models", "");
    EXPECT_STATUS(got, 404);
    cr_expect(str_eq(text_at(got.body, "data.errorCode"), STR("AB08")));
}

Test(catalog, console_before_sign_in)
{
    fx.api.gateway_url = STR("https://gateway.example");
    struct answer got = api_call(STR_NONE, "GET", "/v1/console", "");
    EXPECT_STATUS(got, 200);
    cr_expect(str_eq(text_at(got.body, "gateway_url"), STR("https://gateway.example")));
    cr_expect_eq(got.body->count, 2, "nothing else is told to strangers");
}
