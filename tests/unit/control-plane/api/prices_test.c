/* prices_test.c: prices and adjustments over the admin API: what reads back, what holds from when, what is refused. */
#include "common/clock.h"
#include "tests/unit/control-plane/api_fixture.h"

TestSuite(prices, .init = api_fixture_open, .fini = api_fixture_close);

#define MODELS     "/v1/integrations/oai/models"
#define WORKSPACES "/v1/integrations/oai/workspaces"

static void make_integration(void)
{
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/integrations",
                           "{\"name\":\"oai\",\"slug\":\"oai\",\"ai_provider_id\":\"openai\",\"key\":\"k\"}"),
                  200);
}

/* The line of one model in GET .../models. */
static const struct json *model_line(struct answer got, const char *slug)
{
    const struct json *models = at(got.body, "models");
    for (const struct json *item = models == NULL ? NULL : models->first; item != NULL; item = item->next)
        if (str_eq(text_at(item, "slug"), str_c(slug)))
            return item;
    cr_assert_fail("no model %s in " STR_FMT, slug, STR_ARG(got.text));
    return NULL;
}

static const struct json *workspace_row(const char *slug)
{
    struct answer got = api_call(ADMIN, "GET", WORKSPACES, "");
    const struct json *rows = at(got.body, "workspaces");
    for (const struct json *item = rows == NULL ? NULL : rows->first; item != NULL; item = item->next)
        if (str_eq(text_at(item, "id"), str_c(slug)))
            return item;
    cr_assert_fail("no row %s in " STR_FMT, slug, STR_ARG(got.text));
    return NULL;
}

#define EXPECT_AT(node, path, wanted)                                                              \
    cr_expect(str_eq(raw_at((node), (path)), STR(wanted)), "%s is " STR_FMT, (path),               \
              STR_ARG(raw_at((node), (path))))

static struct answer put_price(const char *config)
{
    return api_call(ADMIN, "PUT", MODELS, TARGET("{\"models\":[{\"slug\":\"gpt-4o\",\"enabled\":true,\"pricing_config\":%s}]}", config));
}

Test(prices, of_a_model_echo_and_history)
{
    clock_test_set(clock_mono_ns(), INT64_C(1767225600000)); /* 2026-01-01 */
    make_integration();
    EXPECT_STATUS(put_price("{\"type\":\"static\",\"pay_as_you_go\":{\"request_token\":{\"price\":0.00025}}}"), 200);
    clock_test_advance(1000);
    EXPECT_STATUS(put_price("{\"type\":\"static\",\"pay_as_you_go\":{\"request_token\":{\"price\":0.00025}}}"), 200);
    const struct json *line = model_line(api_call(ADMIN, "GET", MODELS, ""), "gpt-4o");
    EXPECT_AT(line, "pricing_config", "{\"type\":\"static\",\"pay_as_you_go\":{\"request_token\":{\"price\":0.00025}}}");
    EXPECT_AT(line, "pricing_history",
              "[{\"effective_from\":\"2026-01-01T00:00:00.000Z\",\"prices\":{\"input_token\":0.00025}}]");
    EXPECT_STATUS(put_price("{\"effective_from\":\"2026-06-01T00:00:00Z\",\"pay_as_you_go\":{\"request_token\":{\"price\":0.0005}}}"), 200);
    line = model_line(api_call(ADMIN, "GET", MODELS, ""), "gpt-4o");
    EXPECT_AT(line, "pricing_history.1.effective_from", "\"2026-06-01T00:00:00.000Z\"");
    EXPECT_AT(line, "pricing_history.1.prices", "{\"input_token\":0.0005}");
    EXPECT_STATUS(put_price("null"), 200);
    line = model_line(api_call(ADMIN, "GET", MODELS, ""), "gpt-4o");
    EXPECT_AT(line, "pricing_config", "null");
    EXPECT_AT(line, "pricing_history.1", "{\"effective_from\":\"2026-01-01T00:00:01.000Z\",\"prices\":{}}");
    EXPECT_AT(line, "pricing_history.2", "");
}

Test(prices, of_a_model_refused_with_name_and_rule)
{
    static const struct {
        const char *config, *says;
    } cases[] = {
        {"{\"type\":\"dynamic\"}", "models.pricing_config.type: must be static"},
        {"{\"pay_as_you_go\":{\"request_token\":{\"price\":-1}}}",
         "models.pricing_config.request_token: must be US cents per unit, 0 or more"},
        {"{\"pay_as_you_go\":{\"additional_units\":{\"input_token:tier=flex\":{\"price\":1}}}}",
         "models.pricing_config.input_token: a variant needs the plain price of its unit beside it"},
        {"{\"effective_from\":\"soon\"}", "models.pricing_config.effective_from: must be a time (RFC 3339)"},
    };
    make_integration();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer got = put_price(cases[i].config);
        EXPECT_STATUS(got, 400);
        cr_expect(str_eq(text_at(got.body, "message"), str_c(cases[i].says)), STR_FMT, STR_ARG(text_at(got.body, "message")));
    }
}

Test(prices, adjustments_of_an_integration)
{
    clock_test_set(clock_mono_ns(), INT64_C(1767225600000));
    make_integration();
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/integrations/oai", ""), "pricing_adjustments", "null");
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/oai",
                           "{\"pricing_adjustments\":{\"multiplier\":{\"default\":0.80},\"cost_multiplier\":{\"response_token\":0.5}}}"),
                  200);
    struct answer got = api_call(ADMIN, "GET", "/v1/integrations/oai", "");
    EXPECT_RAW(got, "pricing_adjustments", "{\"multiplier\":{\"default\":0.80},\"cost_multiplier\":{\"response_token\":0.5}}");
    EXPECT_RAW(got, "pricing_history.0.multiplier", "{\"default\":0.8}");
    EXPECT_RAW(got, "pricing_history.0.cost_multiplier", "{\"output_token\":0.5}");
    clock_test_advance(1000);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/oai", "{\"pricing_adjustments\":null}"), 200);
    got = api_call(ADMIN, "GET", "/v1/integrations/oai", "");
    EXPECT_RAW(got, "pricing_adjustments", "null");
    EXPECT_RAW(got, "pricing_history.1.multiplier", "{}");
    got = api_call(ADMIN, "PUT", "/v1/integrations/oai", "{\"pricing_adjustments\":{\"multiplier\":{\"defualt\":1}}}");
    EXPECT_STATUS(got, 400);
    EXPECT_RAW(got, "message", "\"pricing_adjustments.defualt: is no price that can be multiplied\"");
}

Test(prices, a_workspace_is_charged_its_own_way)
{
    clock_test_set(clock_mono_ns(), INT64_C(1767225600000));
    make_integration();
    EXPECT_STATUS(api_call(ADMIN, "PUT", WORKSPACES,
                           "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true,\"free\":true,"
                           "\"model_prices\":[{\"slug\":\"o1\",\"pricing_config\":{\"pay_as_you_go\":{\"request_token\":{\"price\":1}}}},"
                           "{\"slug\":\"gpt-4o\",\"pricing_config\":{\"pay_as_you_go\":{\"request_token\":{\"price\":2}}}}]}]}"),
                  200);
    const struct json *row = workspace_row("second");
    EXPECT_AT(row, "free", "true");
    EXPECT_AT(row, "pricing_adjustments", "null");
    EXPECT_AT(row, "model_prices.0.slug", "\"gpt-4o\"");
    EXPECT_AT(row, "model_prices.1.pricing_config", "{\"pay_as_you_go\":{\"request_token\":{\"price\":1}}}");
    /* one change keeps the other; absent keeps all */
    clock_test_advance(1000);
    EXPECT_STATUS(api_call(ADMIN, "PUT", WORKSPACES,
                           "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true,\"pricing_adjustments\":{\"multiplier\":{\"default\":2}}}]}"),
                  200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", WORKSPACES, "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true}]}"), 200);
    row = workspace_row("second");
    EXPECT_AT(row, "free", "true");
    EXPECT_AT(row, "pricing_history.1.multiplier", "{\"default\":2}");
    EXPECT_AT(row, "pricing_history.1.free", "true");
    clock_test_advance(1000);
    EXPECT_STATUS(api_call(ADMIN, "PUT", WORKSPACES,
                           "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true,\"free\":false,"
                           "\"model_prices\":[{\"slug\":\"o1\",\"pricing_config\":null}]}]}"),
                  200);
    row = workspace_row("second");
    EXPECT_AT(row, "free", "false");
    EXPECT_AT(row, "pricing_adjustments", "{\"multiplier\":{\"default\":2}}");
    EXPECT_AT(row, "pricing_history.2.multiplier", "{\"default\":2}");
    EXPECT_AT(row, "model_prices.1.pricing_config", "null");
    EXPECT_AT(row, "model_prices.1.pricing_history.1.prices", "{}");
    /* from a date to come */
    EXPECT_STATUS(api_call(ADMIN, "PUT", WORKSPACES,
                           "{\"workspaces\":[{\"id\":\"second\",\"enabled\":true,\"free\":true,\"effective_from\":\"2026-02-01T00:00:00Z\"}]}"),
                  200);
    row = workspace_row("second");
    EXPECT_AT(row, "free", "false");
    EXPECT_AT(row, "pricing_history.3.effective_from", "\"2026-02-01T00:00:00.000Z\"");
}

Test(prices, rows_of_a_workspace_refuse)
{
    static const struct {
        const char *member, *says;
    } cases[] = {
        {"\"free\":1", "workspaces.free: must be true or false"},
        {"\"pricing_adjustments\":{\"cost_multiplier\":{\"default\":1}}",
         "workspaces.pricing_adjustments.cost_multiplier: is the integration's, not a workspace's"},
        {"\"free\":true,\"effective_from\":\"x\"", "workspaces.effective_from: must be a time (RFC 3339)"},
        {"\"model_prices\":{}", "workspaces.model_prices: must be an array"},
        {"\"model_prices\":[{\"slug\":\"m\"}]", "workspaces.model_prices.pricing_config: is required; null ends it"},
        {"\"model_prices\":[{\"pricing_config\":{}}]", "workspaces.model_prices.slug: must be 1 to 255 characters"},
    };
    make_integration();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer got = api_call(ADMIN, "PUT", WORKSPACES,
                                     TARGET("{\"workspaces\":[{\"id\":\"second\",\"enabled\":true,%s}]}", cases[i].member));
        EXPECT_STATUS(got, 400);
        cr_expect(str_eq(text_at(got.body, "message"), str_c(cases[i].says)), STR_FMT, STR_ARG(text_at(got.body, "message")));
    }
}

Test(prices, limits_of_an_integration_are_absent_until_set)
{
    make_integration();
    struct answer got = api_call(ADMIN, "GET", "/v1/integrations/oai", "");
    cr_expect_null(at(got.body, "usage_limits"));
    cr_expect_null(at(got.body, "rate_limits"));
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/oai",
                           "{\"usage_limits\":[{\"credit_limit\":5}],\"rate_limits\":{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":3},"
                           "\"reset_usage\":true}"),
                  200);
    got = api_call(ADMIN, "GET", "/v1/integrations/oai", "");
    EXPECT_RAW(got, "usage_limits", "[{\"credit_limit\":5}]");
    EXPECT_RAW(got, "rate_limits", "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":3}]");
    cr_expect_neq(raw_at(got.body, "last_reset_at").n, 4, "a time, not null");
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/integrations/oai", "{\"usage_limits\":null,\"rate_limits\":[]}"), 200);
    got = api_call(ADMIN, "GET", "/v1/integrations/oai", "");
    cr_expect_null(at(got.body, "usage_limits"));
}
