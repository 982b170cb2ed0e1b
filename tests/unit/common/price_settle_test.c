/* price_settle_test.c: cost and charge of an attempt, and that a bound holds for everything within
 * it. */
#include "common/price_settle.h"

#include <criterion/criterion.h>

static uint64_t seed = UINT64_C(0x2545F4914F6CDD1D);

static uint64_t rnd(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static struct price_adjust adjust_of(uint32_t cost_ppm, uint32_t charge_ppm)
{
    struct price_adjust adjust = {.class_count = PRICE_CLASS_COUNT, .has_charge = 1};
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        adjust.cost_ppm[i] = cost_ppm;
        adjust.charge_ppm[i] = charge_ppm;
    }
    return adjust;
}

static struct str page_of(const struct price_adjust *adjust)
{
    return str_of((const char *)adjust, sizeof *adjust);
}

static void add(struct price_table *table, const char *unit, int64_t picousd)
{
    cr_assert_eq(price_table_add(table, str_c(unit), picousd), ST_OK);
}

static struct price_table catalog, rule, access;
static const struct price_usage used = {
    .n = {[PRICE_INPUT_TOKEN] = 1000, [PRICE_OUTPUT_TOKEN] = 100}};

static struct price_terms begin(void)
{
    price_table_init(&catalog);
    price_table_init(&rule);
    price_table_init(&access);
    add(&catalog, "input_token", 2000000);
    add(&catalog, "output_token", 8000000);
    return (struct price_terms){.catalog = price_table_blob(&catalog), .ceiling_picousd = -1};
}

static struct price_amounts settle(const struct price_terms *terms, const struct price_usage *usage)
{
    struct price_amounts out;
    cr_assert_eq(price_settle(terms, &(struct price_query){0}, usage, &out), ST_OK);
    return out;
}

Test(price_settle, plain_prices_are_cost_and_charge)
{
    struct price_terms terms = begin();
    struct price_amounts got = settle(&terms, &used);
    cr_assert_eq(got.cost_nanousd, 1000 * 2000 + 100 * 8000);
    cr_assert_eq(got.charge_nanousd, got.cost_nanousd);
    cr_assert(got.priced && got.unpriced == 0 && got.uncharged == 0);
}

Test(price_settle, the_contract_makes_the_cost_and_the_multiplier_the_charge)
{
    struct price_terms terms = begin();
    struct price_adjust adjust = adjust_of(500000, 1500000), team = adjust_of(1, 2000000);
    add(&rule, "input_token", 1000000);
    add(&rule, "output_token", 4000000);
    terms.rule = price_table_blob(&rule);
    terms.adjust = page_of(&adjust);
    struct price_amounts got = settle(&terms, &used);
    cr_assert_eq(got.cost_nanousd, (1000 * 1000 + 100 * 4000) / 2);
    cr_assert_eq(got.charge_nanousd, got.cost_nanousd * 3 / 2);
    terms.access_adjust = page_of(&team);
    got = settle(&terms, &used);
    cr_assert_eq(got.cost_nanousd, (1000 * 1000 + 100 * 4000) / 2, "a team's row is no contract");
    cr_assert_eq(got.charge_nanousd, got.cost_nanousd * 2);
}

Test(price_settle, a_teams_price_is_charged_as_it_is)
{
    struct price_terms terms = begin();
    struct price_adjust adjust = adjust_of(500000, 1500000);
    terms.adjust = page_of(&adjust);
    add(&access, "input_token", 7000);
    add(&access, "output_token", 0);
    terms.access = price_table_blob(&access);
    struct price_amounts got = settle(&terms, &used);
    cr_assert_eq(got.cost_nanousd, (1000 * 2000 + 100 * 8000) / 2);
    cr_assert_eq(got.charge_nanousd, 7000);
}

Test(price_settle, a_free_team_costs_us_all_the_same)
{
    struct price_terms terms = begin();
    struct price_adjust team = {.class_count = PRICE_CLASS_COUNT, .free = 1};
    terms.access_adjust = page_of(&team);
    struct price_amounts got = settle(&terms, &used);
    cr_assert_eq(got.cost_nanousd, 1000 * 2000 + 100 * 8000);
    cr_assert_eq(got.charge_nanousd, 0);
    terms.catalog = STR_NONE;
    got = settle(&terms, &used);
    cr_assert(got.unpriced != 0 && got.uncharged == 0 && !got.priced);
    struct price_bounds bounds = {.input_tokens = 5, .input_classes = PRICE_BOUND_INPUT};
    cr_assert_eq(price_bound(&terms, &(struct price_query){0}, &bounds, &got), ST_OK);
    cr_assert(got.charge_nanousd == 0 && got.uncharged == 0 && got.unpriced != 0);
}

Test(price_settle, unknown_is_told_or_charged_at_the_ceiling)
{
    struct price_terms terms = begin();
    struct price_usage usage = used;
    terms.catalog = STR_NONE;
    usage.n[PRICE_IMAGE] = 1;
    struct price_amounts got = settle(&terms, &usage);
    cr_assert_eq(got.charge_nanousd, 0);
    cr_assert_eq(got.uncharged, PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_OUTPUT_TOKEN) |
                                    PRICE_BIT(PRICE_IMAGE));
    terms.ceiling_picousd = 3000;
    got = settle(&terms, &usage);
    cr_assert_eq(got.charge_nanousd, 1100 * 3);
    cr_assert_eq(got.uncharged, PRICE_BIT(PRICE_IMAGE), "a ceiling is per token");
    cr_assert_eq(got.cost_nanousd, 0);
    cr_assert(got.unpriced & PRICE_BIT(PRICE_INPUT_TOKEN), "the cost stays unknown");
}

Test(price_settle, each_amount_is_rounded_up_once)
{
    struct price_terms terms = begin();
    struct price_adjust adjust = adjust_of(1000000, 333333);
    price_table_init(&catalog);
    add(&catalog, "input_token", 1);
    add(&catalog, "output_token", 1);
    terms.catalog = price_table_blob(&catalog);
    terms.adjust = page_of(&adjust);
    struct price_usage usage = {.n = {[PRICE_INPUT_TOKEN] = 1500, [PRICE_OUTPUT_TOKEN] = 1500}};
    struct price_amounts got = settle(&terms, &usage);
    cr_assert_eq(got.cost_nanousd, 3);
    cr_assert_eq(got.charge_nanousd, 1, "0.999999 of 1, not 1 of each class");
}

Test(price_settle, damaged_pages_are_refused)
{
    struct price_terms terms = begin();
    struct price_amounts out;
    struct price_query query = {0};
    terms.adjust = STR("x");
    cr_assert_eq(price_settle(&terms, &query, &used, &out), ST_BAD_FORMAT);
    terms.adjust = STR_NONE;
    terms.access = STR("x");
    cr_assert_eq(price_settle(&terms, &query, &used, &out), ST_BAD_FORMAT);
}

/* --- bounds hold --- */

static const char *const tiers[] = {"", "flex", "priority", "batch"};
static const char *const qualities[] = {"", "hd", "low"};
static const char *const sizes[] = {"", "512x512", "1024x1024"};

/* Every plain price may be missing in the catalog; pages laid over it price what they vary. */
static void random_table(struct price_table *table, bool over)
{
    static const char *const plain[] = {"input_token",       "output_token",    "cache_read_token",
                                        "cache_write_token", "reasoning_token", "image",
                                        "web_search"};
    static const char *const variants[] = {"input_token:>100",
                                           "input_token:>1000",
                                           "output_token:>100",
                                           "input_token:tier=flex",
                                           "output_token:tier=priority",
                                           "cache_read_token:tier=batch",
                                           "image:hd",
                                           "image:512x512",
                                           "image:hd/1024x1024",
                                           "image:low/512x512",
                                           "web_search:low"};
    price_table_init(table);
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        if (rnd(4) > 0)
            add(table, plain[i], (int64_t)rnd(10000000));
    for (size_t i = 0; i < COUNT_OF(variants); i++) {
        enum price_class price_class;
        struct str variant;
        cr_assert_eq(price_unit_parse(str_c(variants[i]), &price_class, &variant), ST_OK);
        bool alone =
            price_class == PRICE_IMAGE || !over || (table->base.has & PRICE_BIT(price_class)) != 0;
        if (alone && rnd(3) == 0)
            add(table, variants[i], (int64_t)rnd(10000000));
    }
}

static struct str maybe(const char *text)
{
    return text[0] == '\0' ? STR_NONE : str_c(text);
}

/* A use within the bounds, split over the classes that can occur. */
static struct price_usage within(const struct price_bounds *bounds, struct price_query *query)
{
    struct price_usage usage = {{0}};
    uint64_t in = rnd(bounds->input_tokens + 1), out = rnd(bounds->output_tokens + 1);
    query->input_tokens = in;
    usage.n[PRICE_CACHE_READ_TOKEN] = rnd(in + 1);
    usage.n[PRICE_CACHE_WRITE_TOKEN] = rnd(in - usage.n[PRICE_CACHE_READ_TOKEN] + 1);
    usage.n[PRICE_INPUT_TOKEN] =
        in - usage.n[PRICE_CACHE_READ_TOKEN] - usage.n[PRICE_CACHE_WRITE_TOKEN];
    usage.n[PRICE_REASONING_TOKEN] = rnd(out + 1);
    usage.n[PRICE_OUTPUT_TOKEN] = out - usage.n[PRICE_REASONING_TOKEN];
    usage.n[PRICE_IMAGE] = rnd(bounds->other.n[PRICE_IMAGE] + 1);
    usage.n[PRICE_WEB_SEARCH] = rnd(bounds->other.n[PRICE_WEB_SEARCH] + 1);
    return usage;
}

static void random_adjust(struct price_adjust *adjust)
{
    *adjust = adjust_of(0, 0);
    adjust->has_charge = rnd(2) == 0;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        adjust->cost_ppm[i] = (uint32_t)rnd(3000000);
        adjust->charge_ppm[i] = (uint32_t)rnd(3000000);
    }
}

Test(price_settle, a_bound_is_never_below_what_lies_within_it)
{
    struct price_adjust adjust, team;
    unsigned tight = 0;
    for (int round = 0; round < 30000; round++) {
        struct price_terms terms = {.ceiling_picousd = rnd(2) ? -1 : (int64_t)rnd(10000000)};
        random_table(&catalog, false);
        random_table(&rule, true);
        random_table(&access, true);
        random_adjust(&adjust);
        random_adjust(&team);
        terms.catalog = rnd(8) ? price_table_blob(&catalog) : STR_NONE;
        terms.rule = rnd(2) ? price_table_blob(&rule) : STR_NONE;
        terms.access = rnd(2) ? price_table_blob(&access) : STR_NONE;
        terms.adjust = rnd(2) ? page_of(&adjust) : STR_NONE;
        terms.access_adjust = rnd(2) ? page_of(&team) : STR_NONE;
        struct price_bounds bounds = {.input_tokens = rnd(2000),
                                      .output_tokens = rnd(2000),
                                      .input_classes = PRICE_BOUND_INPUT,
                                      .output_classes = PRICE_BOUND_OUTPUT};
        bounds.other.n[PRICE_IMAGE] = rnd(3);
        bounds.other.n[PRICE_WEB_SEARCH] = rnd(3);
        struct price_query asked = {.quality = maybe(qualities[rnd(3)]),
                                    .size = maybe(sizes[rnd(3)])};
        struct price_amounts most, got;
        cr_assert_eq(price_bound(&terms, &asked, &bounds, &most), ST_OK);
        for (int k = 0; k < 4; k++) {
            struct price_query served = asked;
            served.tier = maybe(tiers[rnd(4)]);
            if (served.quality.n == 0)
                served.quality = maybe(qualities[rnd(3)]);
            if (served.size.n == 0)
                served.size = maybe(sizes[rnd(3)]);
            struct price_usage usage = within(&bounds, &served);
            cr_assert_eq(price_settle(&terms, &served, &usage, &got), ST_OK);
            cr_assert_leq(got.cost_nanousd, most.cost_nanousd, "round %d", round);
            cr_assert_leq(got.charge_nanousd, most.charge_nanousd, "round %d", round);
            tight += got.charge_nanousd * 2 > most.charge_nanousd;
        }
    }
    cr_assert_gt(tight, 1000, "the bound is no mere infinity");
}

/* Bounds name what could come and has no price. */
Test(price_settle, a_bound_tells_what_it_cannot_price)
{
    struct price_terms terms = begin();
    struct price_bounds bounds = {.input_tokens = 10,
                                  .output_tokens = 10,
                                  .input_classes = PRICE_BOUND_INPUT,
                                  .output_classes =
                                      PRICE_BOUND_OUTPUT | PRICE_BIT(PRICE_AUDIO_OUTPUT_TOKEN)};
    struct price_amounts most;
    bounds.other.n[PRICE_WEB_SEARCH] = 2;
    cr_assert_eq(price_bound(&terms, &(struct price_query){0}, &bounds, &most), ST_OK);
    cr_assert_eq(most.uncharged, PRICE_BIT(PRICE_AUDIO_OUTPUT_TOKEN) | PRICE_BIT(PRICE_WEB_SEARCH));
    cr_assert_eq(most.charge_nanousd, 10 * 2000 + 10 * 8000);
    terms.ceiling_picousd = 9000000;
    cr_assert_eq(price_bound(&terms, &(struct price_query){0}, &bounds, &most), ST_OK);
    cr_assert_eq(most.uncharged, PRICE_BIT(PRICE_WEB_SEARCH));
    cr_assert_eq(most.charge_nanousd, 10 * 2000 + 10 * 9000);
    cr_assert_eq(most.cost_nanousd, 10 * 2000 + 10 * 8000);
}
