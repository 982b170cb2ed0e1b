/* buf_test.c: the cap holds, and a failed buffer stays failed until it is cleared. */
#include "common/buf.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(buf, appends_and_terminates)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_add_lit(&b, "n=");
    buf_add_u64(&b, 0);
    buf_add_char(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    buf_add_char(&b, ' ');
    buf_add_i64(&b, INT64_MIN);
    buf_printf(&b, " %s %d", "x", -5);
    buf_add_str(&b, STR_NONE);
    cr_expect_str_eq(b.p, "n=0 18446744073709551615 -9223372036854775808 x -5");
    cr_expect_eq(b.n, strlen(b.p));
    buf_drop_front(&b, 2);
    cr_expect_eq(b.p[0], '0');
    buf_drop_front(&b, b.n);
    cr_expect_eq(b.n, 0);
    cr_expect_eq(b.p[0], '\0');
    buf_free(&b);
    cr_expect_null(b.p);
    buf_free(&b);
}

Test(buf, the_cap_is_exact_and_sticky)
{
    struct buf b;
    buf_init(&b, 300);
    for (int i = 0; i < 300; i++)
        buf_add_char(&b, 'x');
    cr_expect_eq(buf_status(&b), ST_OK);
    cr_expect_eq(b.n, 300);
    buf_add_char(&b, 'y');
    cr_expect_eq(buf_status(&b), ST_TOO_LARGE);
    buf_drop_front(&b, 200);
    buf_add_char(&b, 'z');
    cr_expect_eq(b.n, 100, "a failed buffer takes no more");
    buf_clear(&b);
    buf_add_char(&b, 'z');
    cr_expect_eq(buf_status(&b), ST_OK);
    cr_expect_str_eq(b.p, "z");
    buf_free(&b);
}

Test(buf, a_long_piece_is_refused_whole)
{
    struct buf b;
    buf_init(&b, 8);
    buf_printf(&b, "%s", "123456789");
    cr_expect_eq(buf_status(&b), ST_TOO_LARGE);
    cr_expect_eq(b.n, 0);
    buf_clear(&b);
    cr_expect_eq(buf_reserve(&b, SIZE_MAX), ST_TOO_LARGE);
    buf_free(&b);
}

Test(buf, dropping_more_than_there_is_is_a_bug, .signal = SIGABRT)
{
    struct buf b;
    buf_init(&b, 8);
    buf_add_char(&b, 'x');
    buf_drop_front(&b, 2);
}
