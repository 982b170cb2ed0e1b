/* pricing_test.c: cents per unit into pico-USD, exactly. */
#include "control-plane/domain/pricing.h"

#include <criterion/criterion.h>

static const struct {
    const char *config, *unit;
    int64_t picousd; /* -1: refused, 0 with unit NULL: no rows */
} cases[] = {
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":0.00025}}}", "input_token", 2500000},
    {"{\"pay_as_you_go\":{\"response_token\":{\"price\":0.001}}}", "output_token", 10000000},
    {"{\"pay_as_you_go\":{\"cache_read_input_token\":{\"price\":1e-5}}}", "cache_read_token",
     100000},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":0.00000000001}}}", "input_token", 1},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":0}}}", "input_token", 0},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"web_search\":{\"price\":1}}}}", "web_search",
     10000000000},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":-1}}}", NULL, -1},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":\"1\"}}}", NULL, -1},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":1e30}}}", NULL, -1},
    {"{\"pay_as_you_go\":{\"request_token\":{}}}", NULL, 0},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"unknown_thing\":{\"price\":1}}}}", NULL, 0},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"thinking_token\":{\"price\":1}}}}",
     "reasoning_token", 10000000000},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"video_second:1280x720\":{\"price\":10}}}}",
     "video_second:1280x720", 100000000000},
    {"{\"pay_as_you_go\":{\"image\":{\"hd\":{\"1024x1024\":{\"price\":8}}}}}", "image:hd/1024x1024",
     80000000000},
    {"{\"pay_as_you_go\":{\"image\":{\"default\":{\"default\":{\"price\":8}}}}}", "image",
     80000000000},
    {"{\"pay_as_you_go\":{\"image\":{\"default\":{\"512x512\":{\"price\":1}}}}}", "image:512x512",
     10000000000},
    {"{\"pay_as_you_go\":{\"prediction_rejected_token\":{\"price\":1}}}", NULL, 0},
    {"{\"pay_as_you_go\":{\"request_token\":{\"price\":1},\"request_text_token\":{\"price\":2}}}",
     "input_token", 20000000000},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"input_token:tier=batch\":{\"price\":1}}}}", NULL,
     -1},
    {"{\"pay_as_you_go\":{\"additional_units\":{\"image:\":{\"price\":1}}}}", NULL, -1},
    {"{\"type\":\"dynamic\"}", NULL, -1},
    {"{\"effective_from\":\"soon\"}", NULL, -1},
    {"[]", NULL, -1},
    {"{}", NULL, 0},
};

Test(pricing, rows)
{
    struct arena arena;
    arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json *config;
        Sluice__Prices *prices;
        struct str where;
        const char *why;
        cr_assert_eq(json_parse(&arena, str_c(cases[i].config), NULL, &config, NULL), ST_OK);
        enum status status = pricing_read(&arena, config, 77, &prices, &where, &why);
        cr_expect_eq(status, cases[i].picousd < 0 ? ST_INVALID : ST_OK, "%s", cases[i].config);
        if (status != ST_OK)
            continue;
        cr_expect_eq(prices->effective_from_ms, 77);
        cr_expect_eq(prices->n_rows, cases[i].unit != NULL, "%s", cases[i].config);
        if (prices->n_rows != 1)
            continue;
        cr_expect_str_eq(prices->rows[0]->unit, cases[i].unit);
        cr_expect_eq(prices->rows[0]->picousd, cases[i].picousd, "%s: %lld", cases[i].config,
                     (long long)prices->rows[0]->picousd);
    }
    arena_free(&arena);
}

static enum status adjust(struct arena *arena, const char *text, Sluice__PriceAdjust **out)
{
    struct json *node;
    struct str where;
    const char *why;
    cr_assert_eq(json_parse(arena, str_c(text), NULL, &node, NULL), ST_OK);
    return pricing_read_adjust(arena, node, 77, out, &where, &why);
}

Test(pricing, adjustments)
{
    struct arena arena;
    Sluice__PriceAdjust *out;
    arena_init(&arena, 1u << 20);
    cr_assert_eq(adjust(&arena,
                        "{\"multiplier\":{\"default\":0.8,\"cache_read_input_token\":null,"
                        "\"image\":{\"default\":2},\"additional_units\":{\"search\":1.5}},"
                        "\"cost_multiplier\":{\"response_token\":0.0000001},"
                        "\"effective_from\":\"1970-01-01T00:00:05Z\"}",
                        &out),
                 ST_OK);
    cr_assert_eq(out->effective_from_ms, 5000);
    cr_assert(out->has_charge);
    cr_assert_eq(out->n_charge, 3);
    cr_assert_str_eq(out->charge[0]->unit, "");
    cr_assert_eq(out->charge[0]->ppm, 800000);
    cr_assert_str_eq(out->charge[1]->unit, "image");
    cr_assert_str_eq(out->charge[2]->unit, "grounding_search");
    cr_assert_eq(out->n_cost, 1);
    cr_assert_eq(out->cost[0]->ppm, 1, "rounded up, never down to free");
    cr_assert_eq(adjust(&arena, "{}", &out), ST_OK);
    cr_assert_not(out->has_charge);
    static const char *const bad[] = {
        "{\"multiplier\":{\"defualt\":1}}",
        "{\"multiplier\":{\"default\":-0.1}}",
        "{\"multiplier\":{\"default\":1000.5}}",
        "{\"multiplier\":{\"default\":\"1\"}}",
        "{\"multiplier\":[]}",
        "{\"multiplier\":{\"additional_units\":{\"gold\":1}}}",
        "{\"multiplier\":{\"additional_units\":1}}",
        "{\"effective_from\":1}",
        "[]",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_expect_eq(adjust(&arena, bad[i], &out), ST_INVALID, "%s", bad[i]);
    arena_free(&arena);
}

static Sluice__Prices *page(struct arena *arena, int64_t from_ms, int64_t picousd)
{
    Sluice__Prices *out = arena_calloc(arena, 1, sizeof *out);
    Sluice__Price *row = arena_calloc(arena, 1, sizeof *row),
                  **rows = arena_calloc(arena, 1, sizeof *rows);
    sluice__prices__init(out);
    sluice__price__init(row);
    out->effective_from_ms = from_ms;
    row->unit = "input_token";
    row->picousd = picousd;
    rows[0] = row;
    out->rows = rows;
    out->n_rows = picousd >= 0;
    return out;
}

/* Dates and prices of a history as text: "0:5 100:7". */
static struct str told(struct arena *arena, Sluice__Prices *const *pages, size_t count)
{
    struct str text = STR("");
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, STR_FMT "%s%lld:%lld", STR_ARG(text), i > 0 ? " " : "",
                            (long long)pages[i]->effective_from_ms,
                            pages[i]->n_rows > 0 ? (long long)pages[i]->rows[0]->picousd : -1LL);
    return text;
}

Test(pricing, history_keeps_what_held_before)
{
    static const struct {
        int64_t from_ms, picousd;
        const char *then;
    } steps[] = {
        {50, -1, ""}, /* nothing held, nothing is said */
        {100, 5, "100:5"},
        {200, 5, "100:5"}, /* the same: the date stays */
        {200, 6, "100:5 200:6"},
        {900, 7, "100:5 200:6 900:7"},   /* to come */
        {300, 8, "100:5 200:6 300:8"},   /* holds from then on: what was to come is replaced */
        {150, 9, "100:5 150:9"},         /* a correction of the past */
        {400, -1, "100:5 150:9 400:-1"}, /* none of its own any more */
        {10, 1, "10:1"},
    };
    struct arena arena;
    Sluice__Prices **pages = NULL;
    size_t count = 0;
    arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        cr_assert_eq(pricing_put(&arena, 1000, page(&arena, steps[i].from_ms, steps[i].picousd),
                                 &pages, &count),
                     ST_OK);
        struct str text = told(&arena, pages, count);
        cr_expect(str_eq(text, str_c(steps[i].then)), "step %zu: " STR_FMT, i, STR_ARG(text));
    }
    arena_free(&arena);
}

Test(pricing, history_is_bounded_and_drops_only_what_is_old)
{
    struct arena arena;
    Sluice__Prices **pages = NULL;
    size_t count = 0;
    arena_init(&arena, 4u << 20);
    for (int64_t i = 1; i <= 32; i++)
        cr_assert_eq(pricing_put(&arena, 100, page(&arena, i, i), &pages, &count), ST_OK);
    cr_assert_eq(count, 32);
    cr_assert_eq(pricing_put(&arena, 100, page(&arena, 33, 33), &pages, &count), ST_TOO_LARGE);
    cr_assert_eq(count, 32, "unchanged on failure");
    cr_assert_eq(pricing_put(&arena, PRICING_KEEP_MS + 3, page(&arena, 33, 33), &pages, &count),
                 ST_OK);
    cr_assert_eq(count, 32);
    cr_assert_eq(pages[0]->effective_from_ms, 2);
    arena_free(&arena);
}
