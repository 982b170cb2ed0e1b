/* price_book_test.c: pages by date, adjustments, prices of several models, and damaged bytes. */
#include "common/price_book.h"

#include <criterion/criterion.h>

static Sluice__Price row = SLUICE__PRICE__INIT;
static Sluice__Price *rows[] = {&row};

static Sluice__Prices prices_at(int64_t from_ms)
{
    Sluice__Prices prices = SLUICE__PRICES__INIT;
    row.unit = "input_token";
    row.picousd = 5;
    prices.rows = rows;
    prices.n_rows = 1;
    prices.effective_from_ms = from_ms;
    return prices;
}

Test(price_book, the_page_in_force_is_the_last_that_began)
{
    Sluice__Prices first = prices_at(100), none = SLUICE__PRICES__INIT, third = prices_at(300);
    Sluice__Prices *pages[] = {&first, &none, &third};
    struct buf out;
    struct str page;
    none.effective_from_ms = 200;
    buf_init(&out, 1u << 20);
    cr_assert_eq(price_book_add_prices(&out, 3, pages), ST_OK);
    static const struct {
        int64_t at_ms;
        bool priced;
    } cases[] = {{0, false},   {99, false},  {100, true}, {199, true},
                 {200, false}, {299, false}, {300, true}, {INT64_MAX, true}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cr_assert_eq(price_book_at(buf_str(&out), cases[i].at_ms, &page), ST_OK);
        cr_expect_eq(page.n > 0, cases[i].priced, "at %lld", (long long)cases[i].at_ms);
    }
    cr_assert_eq(price_book_at(STR_NONE, 5, &page), ST_OK);
    cr_assert_eq(page.n, 0);
    buf_free(&out);
}

Test(price_book, refuses_what_cannot_be)
{
    Sluice__Prices first = prices_at(100), second = prices_at(100);
    Sluice__Prices *pages[PRICE_BOOK_PAGES + 1] = {&first, &second};
    struct buf out;
    buf_init(&out, 1u << 20);
    cr_assert_eq(price_book_add_prices(&out, 2, pages), ST_BAD_FORMAT, "two of one date");
    second.effective_from_ms = 50;
    cr_assert_eq(price_book_add_prices(&out, 2, pages), ST_BAD_FORMAT, "descending");
    cr_assert_eq(price_book_add_prices(&out, PRICE_BOOK_PAGES + 1, pages), ST_BAD_FORMAT);
    row.picousd = -1;
    cr_assert_eq(price_book_add_prices(&out, 1, pages), ST_BAD_FORMAT, "negative");
    buf_free(&out);
}

Test(price_book, factors_default_then_named)
{
    Sluice__PriceFactor input = SLUICE__PRICE_FACTOR__INIT, all = SLUICE__PRICE_FACTOR__INIT,
                        newer = SLUICE__PRICE_FACTOR__INIT;
    Sluice__PriceFactor *charge[] = {&input, &all, &newer};
    Sluice__PriceAdjust adjust = SLUICE__PRICE_ADJUST__INIT, *pages[] = {&adjust};
    struct price_adjust read;
    struct buf out;
    struct str page;
    input.unit = "input_token";
    input.ppm = 3;
    all.ppm = 7;
    newer.unit = "thought_token";
    newer.ppm = 9;
    adjust.charge = charge;
    adjust.n_charge = 3;
    adjust.has_charge = 1;
    buf_init(&out, 1u << 20);
    cr_assert_eq(price_book_add_adjusts(&out, 1, pages), ST_OK);
    cr_assert_eq(price_book_at(buf_str(&out), 0, &page), ST_OK);
    cr_assert_eq(price_adjust_read(page, &read), ST_OK);
    cr_assert_eq(read.charge_ppm[PRICE_INPUT_TOKEN], 3, "the named one wins over the default");
    cr_assert_eq(read.charge_ppm[PRICE_OUTPUT_TOKEN], 7);
    cr_assert_eq(read.cost_ppm[PRICE_OUTPUT_TOKEN], MONEY_PPM_ONE);
    all.ppm = (uint64_t)MONEY_PPM_MAX + 1;
    cr_assert_eq(price_book_add_adjusts(&out, 1, pages), ST_BAD_FORMAT);
    cr_assert_eq(price_adjust_read(STR_NONE, &read), ST_OK);
    cr_assert_not(read.free);
    cr_assert_eq(read.charge_ppm[PRICE_IMAGE], MONEY_PPM_ONE);
    buf_free(&out);
}

/* A file written by a version that knew fewer classes, or more. */
Test(price_book, factors_of_another_version)
{
    struct price_adjust read;
    for (uint16_t count = 0; count <= 64; count += 16) {
        uint32_t words[2 + 2 * 64] = {0};
        memcpy(words, &count, sizeof count);
        for (size_t i = 2; i < 2 + 2u * count; i++)
            words[i] = i < 2u + count ? 5 : 6;
        struct str page = str_of((char *)words, 8 + 8u * count);
        cr_assert_eq(price_adjust_read(page, &read), ST_OK);
        bool known = count > PRICE_CODE_EXECUTION;
        cr_assert_eq(read.cost_ppm[PRICE_CODE_EXECUTION], known ? 5 : MONEY_PPM_ONE);
        cr_assert_eq(read.charge_ppm[PRICE_CODE_EXECUTION], known ? 6 : MONEY_PPM_ONE);
        page.n--;
        cr_assert_eq(count > 0 ? price_adjust_read(page, &read) : ST_BAD_FORMAT, ST_BAD_FORMAT);
    }
}

Test(price_book, damaged_bytes_are_refused_or_read_inside)
{
    Sluice__Prices first = prices_at(1), second = prices_at(2), *pages[] = {&first, &second};
    Sluice__ModelPrices model = SLUICE__MODEL_PRICES__INIT;
    struct buf out;
    struct str page, book;
    model.slug = "m";
    model.prices = pages;
    model.n_prices = 2;
    buf_init(&out, 1u << 20);
    cr_assert_eq(price_book_add_model(&out, &model), ST_OK);
    for (size_t n = 1; n < out.n; n++) {
        char *copy = malloc(n); /* so that a sanitizer sees a read beyond it */
        memcpy(copy, out.p, n);
        cr_assert_eq(price_book_of_model(str_of(copy, n), STR("m"), &book), ST_BAD_FORMAT);
        free(copy);
    }
    cr_assert_eq(price_book_of_model(buf_str(&out), STR("m"), &book), ST_OK);
    cr_assert_eq(price_book_of_model(buf_str(&out), STR("other"), &page), ST_OK);
    cr_assert_eq(page.n, 0);
    for (size_t n = 1; n < book.n; n++) {
        enum status status = price_book_at(str_head(book, n), 5, &page);
        cr_assert(status == ST_BAD_FORMAT || n == book.n / 2);
    }
    buf_free(&out);
}
