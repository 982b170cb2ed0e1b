/* price_test.c: unit texts, picking among variants, splitting totals, and cost against long
 * arithmetic on decimal strings. */
#include "common/price.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the oracle: unsigned decimals as digit strings, least significant first
 * ---------------------- */

struct dec {
    unsigned char d[160];
};

static struct dec dec_of(uint64_t v)
{
    struct dec out = {{0}};
    for (int i = 0; v > 0; i++, v /= 10)
        out.d[i] = (unsigned char)(v % 10);
    return out;
}

static struct dec dec_add(struct dec a, struct dec b)
{
    int carry = 0;
    for (int i = 0; i < 160; i++) {
        int s = a.d[i] + b.d[i] + carry;
        a.d[i] = (unsigned char)(s % 10);
        carry = s / 10;
    }
    return a;
}

static struct dec dec_mul(struct dec a, struct dec b)
{
    int sums[160] = {0};
    struct dec out;
    for (int i = 0; i < 160; i++)
        for (int j = 0; a.d[i] && j < 160 - i; j++)
            sums[i + j] += a.d[i] * b.d[j];
    for (int i = 0, carry = 0; i < 160; i++) {
        int s = sums[i] + carry;
        out.d[i] = (unsigned char)(s % 10);
        carry = s / 10;
    }
    return out;
}

/* Divides by 10^n, rounding up; false above INT64_MAX. */
static bool dec_scale_up(struct dec a, int n, int64_t *value)
{
    bool rest = false;
    struct dec out = {{0}};
    for (int i = 0; i < n; i++)
        rest |= a.d[i] != 0;
    memcpy(out.d, a.d + n, (size_t)(160 - n));
    if (rest)
        out = dec_add(out, dec_of(1));
    uint64_t v = 0;
    for (int i = 159; i >= 0; i--) {
        if (v > ((uint64_t)INT64_MAX - out.d[i]) / 10)
            return false;
        v = v * 10 + out.d[i];
    }
    *value = (int64_t)v;
    return true;
}

static uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t rnd_bits(unsigned max_bits)
{
    unsigned bits = (unsigned)(rnd() % (max_bits + 1));
    return bits == 0 ? 0 : rnd() >> (64 - bits);
}

static struct price_factors factor_of(int64_t ppm)
{
    struct price_factors factors;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        factors.ppm[i] = ppm;
    return factors;
}

Test(price, cost_equals_long_arithmetic)
{
    unsigned in_range = 0, out_of_range = 0;
    for (int round = 0; round < 20000; round++) {
        struct price_row row = {0};
        struct price_usage usage = {0};
        struct dec sum = dec_of(0);
        bool count_too_big = false;
        unsigned used = 1 + (unsigned)(rnd() % 6);
        unsigned price_bits = round % 2 ? 24 : 59, count_bits = round % 3 ? 20 : 48;
        for (unsigned k = 0; k < used; k++) {
            unsigned i = (unsigned)(rnd() % PRICE_CLASS_COUNT);
            row.has |= PRICE_BIT(i);
            row.picousd[i] = (int64_t)rnd_bits(price_bits);
            usage.n[i] = rnd_bits(count_bits);
        }
        /* one measure of each kind, so that nothing is left out as counted twice */
        usage.n[PRICE_AUDIO_INPUT_SECOND] = usage.n[PRICE_AUDIO_OUTPUT_SECOND] = 0;
        usage.n[PRICE_IMAGE_OUTPUT_TOKEN] = usage.n[PRICE_VIDEO_OUTPUT_TOKEN] = 0;
        for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
            bool millis = i == PRICE_VIDEO_SECOND || i == PRICE_VIDEO_INPUT_SECOND;
            struct dec product = dec_mul(dec_of(usage.n[i]), dec_of((uint64_t)row.picousd[i]));
            count_too_big |= usage.n[i] > PRICE_COUNT_MAX;
            sum = dec_add(sum, millis ? product : dec_mul(product, dec_of(1000)));
        }
        uint64_t ppm = round % 5 ? MONEY_PPM_ONE : rnd() % (MONEY_PPM_MAX + 1);
        int64_t want = 0, got = -1;
        bool fits = dec_scale_up(dec_mul(sum, dec_of(ppm)), 12, &want) && !count_too_big;
        struct price_factors factors = factor_of((int64_t)ppm);
        enum status status = price_cost(&row, &usage, &factors, &got);
        if (fits && status == ST_OK) {
            in_range++;
            cr_assert_eq(got, want, "round %d: %lld, not %lld", round, (long long)got,
                         (long long)want);
        } else {
            /* a tiny factor may bring a sum beyond the cut back into range: refused all the same */
            out_of_range++;
            cr_assert_eq(status, ST_RANGE);
            cr_assert(!fits || ppm < 1000000);
            cr_assert_eq(got, -1, "untouched on failure");
        }
    }
    cr_assert_gt(in_range, 9000);
    cr_assert_gt(out_of_range, 500);
}

Test(price, known_costs)
{
    /* gpt-4o: 2.50 in, 1.25 cached, 10.00 out per million tokens */
    struct price_row row = {.has = PRICE_BIT(PRICE_INPUT_TOKEN) |
                                   PRICE_BIT(PRICE_CACHE_READ_TOKEN) |
                                   PRICE_BIT(PRICE_OUTPUT_TOKEN)};
    row.picousd[PRICE_INPUT_TOKEN] = 2500000;
    row.picousd[PRICE_CACHE_READ_TOKEN] = 1250000;
    row.picousd[PRICE_OUTPUT_TOKEN] = 10000000;
    struct price_usage usage = {0};
    price_usage_split(&usage, &(struct price_totals){.input_tokens = 1000,
                                                     .cached_tokens = 400,
                                                     .output_tokens = 100,
                                                     .reasoning_tokens = 60});
    int64_t cost;
    cr_assert_eq(price_cost(&row, &usage, NULL, &cost), ST_OK);
    cr_assert_eq(cost, 600 * 2500 + 400 * 1250 + 100 * 10000); /* reasoning at the output price */
    struct price_factors factors = factor_of(1150000);
    cr_assert_eq(price_cost(&row, &usage, &factors, &cost), ST_OK);
    cr_assert_eq(cost, (600 * 2500 + 400 * 1250 + 100 * 10000) * 115 / 100);
}

Test(price, rounds_up_once)
{
    struct price_row row = {.has = PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_OUTPUT_TOKEN)};
    row.picousd[PRICE_INPUT_TOKEN] = row.picousd[PRICE_OUTPUT_TOKEN] = 1;
    struct price_usage usage = {.n = {[PRICE_INPUT_TOKEN] = 1, [PRICE_OUTPUT_TOKEN] = 1}};
    int64_t cost;
    cr_assert_eq(price_cost(&row, &usage, NULL, &cost), ST_OK);
    cr_assert_eq(cost, 1, "2 pico-USD are 1 nano-USD, not 2");
    usage.n[PRICE_INPUT_TOKEN] = 999;
    cr_assert_eq(price_cost(&row, &usage, NULL, &cost), ST_OK);
    cr_assert_eq(cost, 1);
    usage.n[PRICE_INPUT_TOKEN] = 1000;
    cr_assert_eq(price_cost(&row, &usage, NULL, &cost), ST_OK);
    cr_assert_eq(cost, 2);
    memset(&usage, 0, sizeof(usage));
    cr_assert_eq(price_cost(&row, &usage, NULL, &cost), ST_OK);
    cr_assert_eq(cost, 0);
    usage.n[PRICE_INPUT_TOKEN] = 1;
    struct price_factors below = factor_of(-1), above = factor_of(PRICE_FACTOR_MAX + 1);
    cr_assert_eq(price_cost(&row, &usage, &below, &cost), ST_RANGE);
    cr_assert_eq(price_cost(&row, &usage, &above, &cost), ST_RANGE);
}

Test(price, fallbacks)
{
    static const struct {
        enum price_class used;
        uint64_t priced; /* one priced class, at 7 pico-USD */
        int64_t picousd; /* expected, -1 = unpriced */
    } cases[] = {
        {PRICE_CACHE_READ_TOKEN, PRICE_BIT(PRICE_INPUT_TOKEN), 7},
        {PRICE_CACHE_WRITE_TOKEN, PRICE_BIT(PRICE_INPUT_TOKEN), 7},
        {PRICE_CACHE_WRITE_1H_TOKEN, PRICE_BIT(PRICE_INPUT_TOKEN), 14},
        {PRICE_REASONING_TOKEN, PRICE_BIT(PRICE_OUTPUT_TOKEN), 7},
        {PRICE_AUDIO_INPUT_TOKEN, PRICE_BIT(PRICE_INPUT_TOKEN), 7},
        {PRICE_AUDIO_CACHE_TOKEN, PRICE_BIT(PRICE_AUDIO_INPUT_TOKEN), 7},
        {PRICE_AUDIO_CACHE_TOKEN, PRICE_BIT(PRICE_INPUT_TOKEN), 7},
        {PRICE_IMAGE_CACHE_TOKEN, PRICE_BIT(PRICE_INPUT_TOKEN), 7},
        {PRICE_GROUNDING_SEARCH, PRICE_BIT(PRICE_WEB_SEARCH), 7},
        {PRICE_INPUT_TOKEN, PRICE_BIT(PRICE_OUTPUT_TOKEN), -1},
        {PRICE_OUTPUT_TOKEN, PRICE_BIT(PRICE_INPUT_TOKEN), -1},
        {PRICE_AUDIO_OUTPUT_TOKEN, PRICE_BIT(PRICE_OUTPUT_TOKEN), -1},
        {PRICE_IMAGE_OUTPUT_TOKEN, PRICE_BIT(PRICE_OUTPUT_TOKEN), -1},
        {PRICE_IMAGE, PRICE_BIT(PRICE_OUTPUT_TOKEN), -1},
        {PRICE_FILE_SEARCH, PRICE_BIT(PRICE_WEB_SEARCH), -1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price_row row = {.has = cases[i].priced};
        struct price_usage usage = {0};
        struct price_bill bill;
        int64_t cost = -1;
        for (unsigned k = 0; k < PRICE_CLASS_COUNT; k++)
            row.picousd[k] = row.has & PRICE_BIT(k) ? 7 : 0;
        usage.n[cases[i].used] = 1000;
        enum status status = price_cost(&row, &usage, NULL, &cost);
        cr_assert_eq(price_bill(&row, &usage, NULL, &bill), ST_OK);
        cr_assert_eq(cost, cases[i].picousd, "case %zu: %lld", i, (long long)cost);
        cr_assert_eq(status, cases[i].picousd < 0 ? ST_UNPRICED : ST_OK, "case %zu", i);
        cr_assert_eq(bill.unpriced, cases[i].picousd < 0 ? PRICE_BIT(cases[i].used) : 0);
        cr_assert_eq(bill.fallback, cases[i].picousd < 0 ? 0 : PRICE_BIT(cases[i].used));
    }
}

Test(price, unpriced_part_is_told_and_the_rest_charged)
{
    struct price_row row = {.has = PRICE_BIT(PRICE_INPUT_TOKEN)};
    struct price_usage usage = {.n = {[PRICE_INPUT_TOKEN] = 3, [PRICE_OUTPUT_TOKEN] = 5}};
    struct price_bill bill;
    row.picousd[PRICE_INPUT_TOKEN] = 2000;
    cr_assert_eq(price_bill(&row, &usage, NULL, &bill), ST_OK);
    cr_assert_eq(bill.nanousd, 6);
    cr_assert_eq(bill.unpriced, PRICE_BIT(PRICE_OUTPUT_TOKEN));
}

Test(price, alternatives_are_never_added)
{
    struct price_row row = {.has = PRICE_BIT(PRICE_INPUT_TOKEN) |
                                   PRICE_BIT(PRICE_AUDIO_INPUT_SECOND) | PRICE_BIT(PRICE_IMAGE) |
                                   PRICE_BIT(PRICE_IMAGE_OUTPUT_TOKEN)};
    int64_t cost;
    row.picousd[PRICE_INPUT_TOKEN] = 1000;
    row.picousd[PRICE_AUDIO_INPUT_SECOND] = 100000000; /* 0.006 USD per minute */
    row.picousd[PRICE_IMAGE] = 40000000000;
    row.picousd[PRICE_IMAGE_OUTPUT_TOKEN] = 40000000;
    struct price_usage both = {.n = {[PRICE_INPUT_TOKEN] = 10,
                                     [PRICE_AUDIO_INPUT_SECOND] = 60000,
                                     [PRICE_IMAGE] = 1,
                                     [PRICE_IMAGE_OUTPUT_TOKEN] = 2}};
    cr_assert_eq(price_cost(&row, &both, NULL, &cost), ST_OK);
    cr_assert_eq(cost, 10 + 80000);
    struct price_usage measured = {.n = {[PRICE_AUDIO_INPUT_SECOND] = 90500, [PRICE_IMAGE] = 2}};
    cr_assert_eq(price_cost(&row, &measured, NULL, &cost), ST_OK);
    cr_assert_eq(cost, 90500 * 100 + 80000000);
    row.has = PRICE_BIT(PRICE_AUDIO_INPUT_SECOND) | PRICE_BIT(PRICE_IMAGE);
    cr_assert_eq(price_cost(&row, &both, NULL, &cost), ST_OK,
                 "tokens without a price: by the minute");
    cr_assert_eq(cost, 6000000 + 40000000);
}

Test(price, split_is_disjoint_and_keeps_the_totals)
{
    for (int round = 0; round < 20000; round++) {
        struct price_totals t = {rnd_bits(12), rnd_bits(12), rnd_bits(12), rnd_bits(12),
                                 rnd_bits(12), rnd_bits(12), rnd_bits(12), rnd_bits(12),
                                 rnd_bits(12), rnd_bits(12), rnd_bits(12), rnd_bits(12)};
        struct price_usage u = {0};
        price_usage_split(&u, &t);
        uint64_t in = u.n[PRICE_INPUT_TOKEN] + u.n[PRICE_CACHE_READ_TOKEN] +
                      u.n[PRICE_CACHE_WRITE_TOKEN] + u.n[PRICE_CACHE_WRITE_1H_TOKEN] +
                      u.n[PRICE_AUDIO_INPUT_TOKEN] + u.n[PRICE_AUDIO_CACHE_TOKEN] +
                      u.n[PRICE_IMAGE_INPUT_TOKEN] + u.n[PRICE_IMAGE_CACHE_TOKEN];
        uint64_t out = u.n[PRICE_OUTPUT_TOKEN] + u.n[PRICE_REASONING_TOKEN] +
                       u.n[PRICE_AUDIO_OUTPUT_TOKEN] + u.n[PRICE_IMAGE_OUTPUT_TOKEN];
        cr_assert_eq(in, t.input_tokens);
        cr_assert_eq(out, t.output_tokens);
    }
}

Test(price, unit_texts)
{
    enum price_class c;
    struct str v;
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++) {
        cr_assert_eq(price_unit_parse(str_c(price_class_unit((enum price_class)i)), &c, &v), ST_OK);
        cr_assert_eq(c, i);
        cr_assert_eq(v.n, 0);
    }
    cr_assert_eq(price_unit_parse(STR("image:hd/1024x1792"), &c, &v), ST_OK);
    cr_assert(c == PRICE_IMAGE && str_eq(v, STR("hd/1024x1792")));
    cr_assert_eq(price_unit_parse(STR("image:"), &c, &v), ST_INVALID);
    cr_assert_eq(price_unit_parse(STR("image:12345678901234567890123"), &c, &v), ST_INVALID);
    cr_assert_eq(price_unit_parse(STR(""), &c, &v), ST_NOT_FOUND);
    cr_assert_eq(price_unit_parse(STR("input_tokens"), &c, &v), ST_NOT_FOUND);
}

static void add(struct price_table *table, const char *unit, int64_t picousd)
{
    cr_assert_eq(price_table_add(table, str_c(unit), picousd), ST_OK, "%s", unit);
}

Test(price, picks_the_variant_that_fits)
{
    static struct price_table table;
    price_table_init(&table);
    add(&table, "input_token", 10);
    add(&table, "input_token:>200000", 20);
    add(&table, "input_token:>1000", 15);
    add(&table, "input_token:tier=batch", 5);
    add(&table, "input_token:tier=priority", 30);
    add(&table, "output_token:tier=batch", 6);
    add(&table, "image", 40);
    add(&table, "image:hd", 80);
    add(&table, "image:1792x1024", 70);
    add(&table, "image:hd/1792x1024", 120);
    add(&table, "video_second:1280x720", 9);
    add(&table, "web_search", 3);
    add(&table, "web_search:high", 4);
    static const struct {
        struct price_query query;
        enum price_class price_class;
        int64_t want; /* -1: no price */
    } cases[] = {
        {{0}, PRICE_INPUT_TOKEN, 10},
        {{.input_tokens = 1000}, PRICE_INPUT_TOKEN, 10},
        {{.input_tokens = 1001}, PRICE_INPUT_TOKEN, 15},
        {{.input_tokens = 200001}, PRICE_INPUT_TOKEN, 20},
        {{.tier = {"batch", 5}}, PRICE_INPUT_TOKEN, 5},
        {{.tier = {"Batch", 5}}, PRICE_INPUT_TOKEN, 5},
        {{.tier = {"other", 5}}, PRICE_INPUT_TOKEN, 10},
        {{.tier = {"batch", 5}, .input_tokens = 200001}, PRICE_INPUT_TOKEN, 20},
        {{.tier = {"priority", 8}, .input_tokens = 200001}, PRICE_INPUT_TOKEN, 30},
        {{0}, PRICE_OUTPUT_TOKEN, -1},
        {{.tier = {"batch", 5}}, PRICE_OUTPUT_TOKEN, 6},
        {{0}, PRICE_IMAGE, 40},
        {{.quality = {"hd", 2}}, PRICE_IMAGE, 80},
        {{.quality = {"hd", 2}, .size = {"1024x1024", 9}}, PRICE_IMAGE, 80},
        {{.quality = {"hd", 2}, .size = {"1792x1024", 9}}, PRICE_IMAGE, 120},
        {{.quality = {"odd", 3}, .size = {"1792x1024", 9}}, PRICE_IMAGE, 70},
        {{.size = {"1x1", 3}}, PRICE_IMAGE, 40},
        {{.size = {"1280x720", 8}}, PRICE_VIDEO_SECOND, 9},
        {{.size = {"720x1280", 8}}, PRICE_VIDEO_SECOND, -1},
        {{.search = {"high", 4}}, PRICE_WEB_SEARCH, 4},
        {{.search = {"low", 3}}, PRICE_WEB_SEARCH, 3},
    };
    char shifted[sizeof(table) + 1]; /* blobs are read at any alignment */
    struct str blob = price_table_blob(&table);
    memcpy(shifted + 1, blob.p, blob.n);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price_row row;
        cr_assert_eq(price_pick(str_of(shifted + 1, blob.n), &cases[i].query, &row), ST_OK);
        bool has = row.has & PRICE_BIT(cases[i].price_class);
        cr_assert_eq(has ? row.picousd[cases[i].price_class] : -1, cases[i].want, "case %zu", i);
    }
}

Test(price, table_refuses)
{
    static struct price_table table;
    price_table_init(&table);
    cr_assert_eq(price_table_add(&table, STR("input_token"), -1), ST_RANGE);
    cr_assert_eq(price_table_add(&table, STR("input_token"), PRICE_UNIT_MAX + 1), ST_RANGE);
    cr_assert_eq(price_table_add(&table, STR("input_token:>x"), 1), ST_INVALID);
    cr_assert_eq(price_table_add(&table, STR("gold"), 1), ST_NOT_FOUND);
    cr_assert_eq(table.base.has, 0);
    for (int i = 0; i < PRICE_VARIANT_MAX; i++) {
        char unit[32];
        snprintf(unit, sizeof(unit), "image:q%d", i);
        add(&table, unit, i);
    }
    add(&table, "image:q7", 700); /* replaced, not added */
    cr_assert_eq(table.variant_count, PRICE_VARIANT_MAX);
    cr_assert_eq(price_table_add(&table, STR("image:new"), 1), ST_TOO_LARGE);
    struct price_row row;
    cr_assert_eq(
        price_pick(price_table_blob(&table), &(struct price_query){.quality = STR("q7")}, &row),
        ST_OK);
    cr_assert_eq(row.picousd[PRICE_IMAGE], 700);
}

Test(price, blob_of_fewer_or_more_classes_is_read)
{
    static struct price_table table;
    struct price_row row;
    price_table_init(&table);
    add(&table, "input_token", 4);
    add(&table, "code_execution", 5);
    struct str blob = price_table_blob(&table);
    char bytes[sizeof(table) + 64] = {0};
    size_t cut = blob.n - sizeof(int64_t);
    uint16_t classes = PRICE_CLASS_COUNT - 1;
    memcpy(bytes, blob.p, cut);
    memcpy(bytes, &classes, sizeof(classes));
    cr_assert_eq(price_pick(str_of(bytes, cut), &(struct price_query){0}, &row), ST_OK);
    cr_assert_eq(row.has, PRICE_BIT(PRICE_INPUT_TOKEN));
    classes = PRICE_CLASS_COUNT + 2;
    memcpy(bytes, blob.p, blob.n);
    memset(bytes + blob.n, 1, 2 * sizeof(int64_t));
    memcpy(bytes, &classes, sizeof(classes));
    cr_assert_eq(
        price_pick(str_of(bytes, blob.n + 2 * sizeof(int64_t)), &(struct price_query){0}, &row),
        ST_OK);
    cr_assert_eq(row.has, PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_CODE_EXECUTION));
}

Test(price, damaged_blobs)
{
    static struct price_table table;
    struct price_row row;
    price_table_init(&table);
    add(&table, "input_token", 4);
    add(&table, "image:hd", 5);
    add(&table, "input_token:>5", 5);
    struct str blob = price_table_blob(&table);
    cr_assert_eq(price_pick(STR_NONE, &(struct price_query){0}, &row), ST_OK);
    cr_assert_eq(row.has, 0);
    for (size_t n = 1; n < blob.n; n++)
        cr_assert_eq(price_pick(str_of(blob.p, n), &(struct price_query){0}, &row), ST_BAD_FORMAT);
    for (int round = 0; round < 50000; round++) {
        char *bytes = malloc(blob.n); /* exact size: the sanitizer sees every byte too far */
        memcpy(bytes, blob.p, blob.n);
        for (unsigned k = 0; k < 1 + rnd() % 4; k++)
            bytes[rnd() % blob.n] = (char)rnd();
        enum status status = price_pick(
            str_of(bytes, blob.n),
            &(struct price_query){.input_tokens = rnd() % 10, .quality = STR("hd")}, &row);
        cr_assert(status == ST_OK || status == ST_BAD_FORMAT);
        for (unsigned i = 0; status == ST_OK && i < PRICE_CLASS_COUNT; i++)
            cr_assert(row.picousd[i] >= 0 && row.picousd[i] <= PRICE_UNIT_MAX);
        free(bytes);
    }
}

Test(price, overlay_never_mixes_token_prices)
{
    struct price_row row = {.has = PRICE_BIT(PRICE_INPUT_TOKEN) |
                                   PRICE_BIT(PRICE_CACHE_READ_TOKEN) | PRICE_BIT(PRICE_WEB_SEARCH)};
    struct price_row over = {.has = PRICE_BIT(PRICE_INPUT_TOKEN)};
    row.picousd[PRICE_INPUT_TOKEN] = 9;
    row.picousd[PRICE_CACHE_READ_TOKEN] = 3;
    row.picousd[PRICE_WEB_SEARCH] = 8;
    over.picousd[PRICE_INPUT_TOKEN] = 2;
    price_row_overlay(&row, &over);
    cr_assert_eq(row.has, PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_WEB_SEARCH));
    cr_assert_eq(row.picousd[PRICE_INPUT_TOKEN], 2);
    struct price_row none = {0};
    price_row_overlay(&row, &none);
    cr_assert_eq(row.has, PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_WEB_SEARCH));
}
