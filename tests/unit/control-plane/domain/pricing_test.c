/* pricing_test.c: cents per unit into pico-USD, exactly. */
#include "control-plane/domain/pricing.h"

#include <criterion/criterion.h>

static const struct {
    const char *config, *unit;
    int64_t picousd; /* -1: refused, 0 with unit NULL: no rows */
} cases[] = {
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":0.00025}}}", "input_token", 2500000},
    {"{\"pay_as_you_go\":{\"response_token\":{\"price\":0.001}}}", "output_token", 10000000},
    {"{\"pay_as_you_go\":{\"cache_read_input_token\":{\"price\":1e-5}}}", "cache_read_token", 100000},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":0.00000000001}}}", "input_token", 1},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":0}}}", "input_token", 0},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"web_search\":{\"price\":1}}}}", "web_search", 10000000000},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":-1}}}", NULL, -1},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":\"1\"}}}", NULL, -1},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":1e30}}}", NULL, -1},
    {"{\"pay_as_you_go\":{\"request_token\":{}}}", NULL, 0},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"unknown_thing\":{\"price\":1}}}}", NULL, 0},
    {"{}", NULL, 0},
};

Test(pricing, rows)
{
    struct arena arena;
    arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json *config;
        Sluice__Prices *prices;
        const char *where;
        cr_assert_eq(json_parse(&arena, str_c(cases[i].config), NULL, &config, NULL), ST_OK);
        enum status status = pricing_read(&arena, config, &prices, &where);
        cr_expect_eq(status, cases[i].picousd < 0 ? ST_INVALID : ST_OK, "%s", cases[i].config);
        if (status != ST_OK)
            continue;
        cr_expect_eq(prices == NULL, cases[i].unit == NULL, "%s", cases[i].config);
        if (prices == NULL || cases[i].unit == NULL)
            continue;
        cr_expect_eq(prices->n_rows, 1);
        cr_expect_str_eq(prices->rows[0]->unit, cases[i].unit);
        cr_expect_eq(prices->rows[0]->picousd, cases[i].picousd, "%s: %lld", cases[i].config, (long long)prices->rows[0]->picousd);
    }
    arena_free(&arena);
}
