/* retry_after_test.c: every spelling as a table. */
#include "data-plane/retry_after.h"

#include <criterion/criterion.h>

#define NOW INT64_C(784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT */

struct header {
    const char *name, *value;
};

static const struct {
    struct header headers[3];
    int64_t wait_ms; /* -1: says nothing */
} rows[] = {
    {{{"retry-after", "2"}}, 2000},
    {{{"Retry-After", " 2 "}}, 2000},
    {{{"retry-after", "0"}}, 0},
    {{{"retry-after", "0.5"}}, 500},
    {{{"retry-after", "1.2345"}}, 1235},
    {{{"retry-after", "1.2340000"}}, 1234},
    {{{"retry-after", "59.9999"}}, 60000},
    {{{"retry-after-ms", "1500"}}, 1500},
    {{{"retry-after-ms", "1500.2"}}, 1501},
    {{{"x-ms-retry-after-ms", "700"}}, 700},
    {{{"retry-after", "9"}, {"x-ms-retry-after-ms", "8"}, {"retry-after-ms", "7"}}, 7},
    {{{"retry-after", "9"}, {"x-ms-retry-after-ms", "8"}}, 8},
    {{{"retry-after", "9"}, {"retry-after-ms", "soon"}}, 9000},
    {{{"retry-after", "9"}, {"retry-after", "1"}}, 9000},
    {{{"retry-after", "x"}, {"retry-after", "1"}}, 1000},
    {{{"retry-after", "-1"}}, -1},
    {{{"retry-after", ""}}, -1},
    {{{"retry-after", "."}}, -1},
    {{{"retry-after", ".5"}}, -1},
    {{{"retry-after", "1e3"}}, -1},
    {{{"retry-after", "+1"}}, -1},
    {{{"retry-after", "1 second"}}, -1},
    {{{"x-retry-after", "1"}}, -1},
    {{{"retry-after", "99999999999999999999999"}}, RETRY_AFTER_MAX_MS},
    {{{"retry-after-ms", "99999999999999999999999"}}, RETRY_AFTER_MAX_MS},
    {{{"retry-after", "Sun, 06 Nov 1994 08:49:57 GMT"}}, 20000},
    {{{"retry-after", "Sunday, 06-Nov-94 08:49:57 GMT"}}, 20000},
    {{{"retry-after", "Sun Nov  6 08:49:57 1994"}}, 20000},
    {{{"retry-after", "Sun, 06 Nov 1994 08:49:00 GMT"}}, 0},
    {{{"retry-after", "Sun, 06 Nov 2994 08:49:00 GMT"}}, RETRY_AFTER_MAX_MS},
    {{{"date", "Sun, 06 Nov 1994 10:00:00 GMT"}, {"retry-after", "Sun, 06 Nov 1994 10:00:05 GMT"}},
     5000},
    {{{"retry-after", "Sun, 06 Nov 1994 10:00:05 GMT"}, {"Date", "Sun, 06 Nov 1994 10:00:00 GMT"}},
     5000},
    {{{"date", "yesterday"}, {"retry-after", "Sun, 06 Nov 1994 08:49:38 GMT"}}, 1000},
    {{{"date", "Sun, 06 Nov 1994 10:00:00 GMT"}}, -1},
};

Test(retry_after, every_spelling)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct retry_after after = {0};
        int64_t wait = -1;
        for (size_t h = 0; h < 3 && rows[i].headers[h].name != NULL; h++)
            retry_after_header(&after, str_c(rows[i].headers[h].name),
                               str_c(rows[i].headers[h].value), NOW);
        bool says = retry_after_wait(&after, NOW, &wait);
        cr_expect_eq(says, rows[i].wait_ms >= 0, "row %zu", i);
        cr_expect_eq(wait, rows[i].wait_ms, "row %zu: %lld", i, (long long)wait);
    }
}

Test(retry_after, bug_2_4_http_dates_are_understood)
{
    struct retry_after after = {0};
    int64_t wait = -1;
    retry_after_header(&after, STR("retry-after"), STR("Sun, 06 Nov 1994 08:50:07 GMT"), NOW);
    cr_expect(retry_after_wait(&after, NOW, &wait));
    cr_expect_eq(wait, 30000);
}
