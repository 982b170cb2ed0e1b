/* clock_test.c: calendar edges, strict texts, and a clock that never steps back. */
#include "common/clock.h"

#include <criterion/criterion.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

Test(clock, texts_of_edges)
{
    static const struct {
        int64_t ms;
        const char *text, *http;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {951782400000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1709164799999, "2024-02-28T23:59:59.999Z", "Wed, 28 Feb 2024 23:59:59 GMT"},
        {1709164800000, "2024-02-29T00:00:00.000Z", "Thu, 29 Feb 2024 00:00:00 GMT"},
        {1798761599001, "2026-12-31T23:59:59.001Z", "Thu, 31 Dec 2026 23:59:59 GMT"},
        {4107542400000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"},
        {253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[CLOCK_TEXT + 1], http[30];
        int64_t back;
        clock_to_text(rows[i].ms, text);
        cr_expect_str_eq(text, rows[i].text);
        clock_to_http(rows[i].ms, http);
        cr_expect_str_eq(http, rows[i].http);
        cr_assert_eq(clock_from_text(str_c(text), &back), ST_OK);
        cr_expect_eq(back, rows[i].ms);
    }
}

Test(clock, reads_rfc3339)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-02", 86400000},         {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T23:00:00-01:00", 0}, {"1970-01-01 00:00:01z", 1000},
        {"1970-01-01t00:00:00.5Z", 500},  {"1970-01-01T00:00:00.123999Z", 123},
        {"1970-01-01T00:00:60Z", 60000},  {"1969-12-31T23:59:59.999Z", -1},
    };
    static const struct str bad[] = {
        S(""),
        S("1970"),
        S("1970-1-1"),
        S("1970-02-29"),
        S("2100-02-29"),
        S("2026-04-31"),
        S("2026-00-01"),
        S("2026-13-01"),
        S("2026-01-00"),
        S("2026-01-01T"),
        S("2026-01-01T00:00Z"),
        S("2026-01-01T00:00:00"),
        S("2026-01-01T24:00:00Z"),
        S("2026-01-01T00:60:00Z"),
        S("2026-01-01T00:00:61Z"),
        S("2026-01-01T00:00:00.Z"),
        S("2026-01-01T00:00:00+1:00"),
        S("2026-01-01T00:00:00+24:00"),
        S("2026-01-01T00:00:00Zx"),
        S(" 2026-01-01"),
        S("2026-01-01Z"),
        S("-026-01-01"),
        S("2026-01-01T00:00:00+0100"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = 42;
        cr_expect_eq(clock_from_text(str_c(rows[i].text), &ms), ST_OK, "%s", rows[i].text);
        cr_expect_eq(ms, rows[i].ms, "%s: %lld", rows[i].text, (long long)ms);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t ms = 42;
        cr_expect_eq(clock_from_text(bad[i], &ms), ST_INVALID, "%s", bad[i].p);
        cr_expect_eq(ms, 42);
    }
}

Test(clock, civil_days_are_a_bijection)
{
    int64_t last_year = 0;
    for (int64_t day = -800000; day < 3000000; day += 13) {
        int64_t year;
        unsigned month, date;
        clock_civil_from_days(day, &year, &month, &date);
        cr_assert(month >= 1 && month <= 12 && date >= 1 && date <= 31);
        cr_assert_eq(clock_days_from_civil(year, month, date), day);
        cr_assert(last_year == 0 || year >= last_year);
        last_year = year;
    }
}

Test(clock, utc_never_steps_back)
{
    clock_test_set(1000000000, 5000);
    clock_set_offset(100);
    cr_expect_eq(clock_mono_ms(), 1000);
    cr_expect_eq(clock_utc_ms(), 5100);
    clock_test_advance(-2000);
    cr_expect_eq(clock_utc_ms(), 5100);
    clock_set_offset(-4000);
    cr_expect_eq(clock_utc_ms(), 5100);
    clock_set_offset(100);
    clock_test_advance(2001);
    cr_expect_eq(clock_utc_ms(), 5101);
    cr_expect_eq(clock_wall_ms(), 5001);
}
