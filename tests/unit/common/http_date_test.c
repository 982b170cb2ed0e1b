/* http_date_test.c: the three forms, days that do not exist, centuries, and a round trip. */
#include "common/http_date.h"

#include <criterion/criterion.h>

#include "common/clock.h"

#define NOW_2026 INT64_C(1785542400000) /* 2026-08-01 */

Test(http_date, three_forms_of_one_instant)
{
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994"};
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        int64_t ms = 0;
        cr_expect_eq(http_date_read(str_c(forms[i]), NOW_2026, &ms), ST_OK, "%s", forms[i]);
        cr_expect_eq(ms, INT64_C(784111777000), "%s", forms[i]);
    }
}

Test(http_date, what_is_no_date_is_refused)
{
    static const char *const bad[] = {
        "",
        "120",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 31 Feb 2026 08:49:37 GMT",
        "Sun, 29 Feb 2027 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Su, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "2026-08-01T00:00:00Z",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t ms = 42;
        cr_expect_eq(http_date_read(str_c(bad[i]), NOW_2026, &ms), ST_INVALID, "%s", bad[i]);
        cr_expect_eq(ms, 42);
    }
}

Test(http_date, two_digits_mean_the_century_within_50_years)
{
    static const struct {
        const char *text;
        int64_t year;
    } rows[] = {{"Sunday, 06-Nov-26 00:00:00 GMT", 2026},
                {"Sunday, 06-Nov-76 00:00:00 GMT", 2076},
                {"Sunday, 06-Nov-77 00:00:00 GMT", 1977},
                {"Sunday, 06-Nov-00 00:00:00 GMT", 2000},
                {"Sunday, 06-Nov-99 00:00:00 GMT", 1999}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = 0, year;
        unsigned month, day;
        cr_assert_eq(http_date_read(str_c(rows[i].text), NOW_2026, &ms), ST_OK);
        clock_civil_from_days(ms / 86400000, &year, &month, &day);
        cr_expect_eq(year, rows[i].year, "%s: %lld", rows[i].text, (long long)year);
    }
}

Test(http_date, reads_what_the_clock_writes)
{
    for (int64_t ms = 0; ms < INT64_C(250000000000000); ms += INT64_C(98765432101000)) {
        char text[30];
        int64_t back = -1;
        clock_to_http(ms, text);
        cr_assert_eq(http_date_read(str_c(text), NOW_2026, &back), ST_OK, "%s", text);
        cr_assert_eq(back, ms / 1000 * 1000, "%s", text);
    }
}
