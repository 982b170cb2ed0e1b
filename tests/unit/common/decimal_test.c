/* decimal_test.c: prefixes as parseFloat takes them, and the order of texts, checked both ways. */
#include "common/decimal.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(decimal, a_prefix_is_what_parse_float_reads)
{
    static const struct {
        const char *text, *number;
    } rows[] = {
        {"12", "12"},   {"12abc", "12"},  {"  -3.5x", "-3.5"}, {"+7", "+7"}, {".5", ".5"},
        {"5.", "5."},   {"1e3", "1e3"},   {"1e", "1"},         {"1e+", "1"}, {"1E-2z", "1E-2"},
        {"0x10", "0"},  {"1.2.3", "1.2"}, {"\t\n 4", "4"},     {"", NULL},   {"abc", NULL},
        {"-", NULL},    {".", NULL},      {"+.e5", NULL},      {"e5", NULL}, {"Infinity", NULL},
        {"1,000", "1"}, {"-0", "-0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str number = STR_NONE;
        bool found = decimal_prefix(str_c(rows[i].text), &number);
        cr_expect_eq(found, rows[i].number != NULL, "%s", rows[i].text);
        if (found && rows[i].number != NULL)
            cr_expect(str_eq(number, str_c(rows[i].number)), "%s: %.*s", rows[i].text,
                      STR_ARG(number));
    }
    cr_expect_not(decimal_prefix(str_of("\0"
                                        "1",
                                        2),
                                 &(struct str){0}));
}

Test(decimal, order_is_exact)
{
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        {"1", "1", 0},
        {"1", "1.0", 0},
        {"1", "1e0", 0},
        {"100", "1e2", 0},
        {"100.0", "1.000e2", 0},
        {"0.001", "1e-3", 0},
        {"0012", "12", 0},
        {"+5", "5.", 0},
        {"0", "-0", 0},
        {"0", "0e999999999999999999999", 0},
        {"9007199254740993", "9007199254740992", 1},
        {"0.1", "0.10000000000000000000000000000001", -1},
        {"1e400", "1e401", -1},
        {"1e-400", "0", 1},
        {"-1e400", "1", -1},
        {"-2", "-1", -1},
        {"-2", "-2.0001", 1},
        {"-1", "0", -1},
        {"9", "10", -1},
        {"99.9", "100", -1},
        {"0.09", "0.1", -1},
        {".5", "0.50", 0},
        {"1e99999999999999999999", "1e15", 1},
        {"1e-99999999999999999999", "1e-15", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_expect_eq(decimal_cmp(str_c(rows[i].a), str_c(rows[i].b)), rows[i].order, "%s ? %s",
                     rows[i].a, rows[i].b);
        cr_expect_eq(decimal_cmp(str_c(rows[i].b), str_c(rows[i].a)), -rows[i].order, "%s ? %s",
                     rows[i].b, rows[i].a);
    }
}

Test(decimal, whole_numbers_order_like_integers)
{
    char a[32], b[32];
    for (int i = -120; i <= 120; i++)
        for (int j = -120; j <= 120; j++) {
            snprintf(a, sizeof a, "%d", i);
            snprintf(b, sizeof b, "%d.0e0", j);
            cr_assert_eq(decimal_cmp(str_c(a), str_c(b)), (i > j) - (i < j), "%s ? %s", a, b);
        }
}
