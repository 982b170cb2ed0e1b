/* Trailing windows and token buckets against the plain definition. */
#include "control-plane/ledger/rate.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ENTRIES 400

struct entry {
    int64_t at_ms, amount;
};

/* What was admitted in (now - W, now]. */
static int64_t exact(const struct entry *entries, size_t count, int64_t window_ms, int64_t now_ms)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        if (entries[i].at_ms > now_ms - window_ms && entries[i].at_ms <= now_ms)
            sum += entries[i].amount;
    return sum;
}

static void check_window(int64_t window_ms, unsigned seed)
{
    static struct entry entries[ENTRIES];
    struct rate rate = {.newest = 0};
    int64_t now_ms = INT64_C(1768478400000);
    size_t count = 0;
    srandom(seed);
    for (int step = 0; step < 20000; step++) {
        now_ms += random() % (random() % 50 == 0 ? 2 * window_ms : window_ms / 40 + 2);
        rate_advance(&rate, window_ms, now_ms);
        int64_t has = exact(entries, count < ENTRIES ? count : ENTRIES, window_ms, now_ms);
        int64_t says = rate_sum(&rate);
        cr_assert_geq(says, has, "window %d", (int)window_ms);
        /* One bucket more than the window at the most. */
        int64_t most = exact(entries, count < ENTRIES ? count : ENTRIES,
                             window_ms + window_ms / RATE_PARTS + 1, now_ms);
        cr_assert_leq(says, most);
        if (says > 0 && random() % 4 == 0) {
            int64_t less = 1 + random() % says, wait = rate_until(&rate, window_ms, now_ms, less);
            struct rate later = rate;
            cr_assert_geq(wait, 0);
            rate_advance(&later, window_ms, now_ms + wait);
            cr_assert_leq(rate_sum(&later), says - less);
            if (wait > 0) {
                later = rate;
                rate_advance(&later, window_ms, now_ms + wait - 1);
                cr_assert_gt(rate_sum(&later), says - less);
            }
        }
        struct entry entry = {now_ms, random() % 100};
        rate_add(&rate, entry.amount);
        entries[count++ % ENTRIES] = entry;
    }
}

Test(rate, never_says_less_than_was_admitted)
{
    check_window(1000, 1);
    check_window(60000, 2);
    check_window(3600000, 3);
    check_window(86400000, 4);
    check_window(604800000, 5);
}

Test(rate, corrections_keep_the_sum_right_and_no_bucket_below_zero)
{
    struct rate rate = {.newest = 0};
    const int64_t window_ms = 60000, begin_ms = INT64_C(1768478400000);
    rate_advance(&rate, window_ms, begin_ms);
    rate_add(&rate, 100); /* admitted a little before */
    rate_correct(&rate, window_ms, begin_ms - 300, -60);
    cr_expect_eq(rate_sum(&rate), 40);
    rate_correct(&rate, window_ms, begin_ms - 300, 25);
    cr_expect_eq(rate_sum(&rate), 65);
    rate_correct(&rate, window_ms, begin_ms, -1000);
    cr_expect_eq(rate_sum(&rate), 0);
    for (size_t i = 0; i < RATE_BUCKETS; i++)
        cr_expect_geq(rate.buckets[i], 0);
    rate_correct(&rate, window_ms, begin_ms - 2 * window_ms, 50); /* long out of the window */
    rate_correct(&rate, window_ms, begin_ms + window_ms, 7);      /* a clock that is ahead */
    cr_expect_eq(rate_sum(&rate), 7);
    rate_advance(&rate, window_ms, begin_ms + window_ms + 1000);
    cr_expect_eq(rate_sum(&rate), 0);
}

/* Less is never taken from what will leave later than what it corrects. */
Test(rate, a_correction_never_outlives_what_it_corrects)
{
    const int64_t window_ms = 60000;
    srandom(11);
    for (int round = 0; round < 300; round++) {
        struct rate rate = {.newest = 0};
        struct entry real[ENTRIES];
        int64_t now_ms = INT64_C(1768478400000) + random() % 100000;
        size_t count = 0;
        for (int i = 0; i < 200; i++) {
            now_ms += random() % 900;
            rate_advance(&rate, window_ms, now_ms);
            int64_t reserved = 50 + random() % 50, used = random() % 50;
            rate_add(&rate, reserved); /* told now, admitted up to 400 ms ago */
            real[count] = (struct entry){now_ms - random() % 400, used};
            rate_correct(&rate, window_ms, real[count].at_ms, used - reserved);
            count++;
            cr_assert_geq(rate_sum(&rate), exact(real, count, window_ms, now_ms));
        }
        for (int i = 0; i < 200; i++) {
            now_ms += random() % 900;
            rate_advance(&rate, window_ms, now_ms);
            cr_assert_geq(rate_sum(&rate), exact(real, count, window_ms, now_ms));
        }
    }
}

Test(rate, a_clock_set_back_shuts_for_a_window_at_most)
{
    struct rate rate = {.newest = 0};
    const int64_t window_ms = 60000, now_ms = INT64_C(1768478400000);
    rate_advance(&rate, window_ms, now_ms + 86400000);
    rate_add(&rate, 9);
    rate_advance(&rate, window_ms, now_ms);
    cr_expect_eq(rate_sum(&rate), 9);
    rate_advance(&rate, window_ms, now_ms + window_ms + 1000);
    cr_expect_eq(rate_sum(&rate), 0);
    rate_add(&rate, 5);
    rate_advance(&rate, window_ms, now_ms + window_ms - 2000); /* a little back */
    cr_expect_eq(rate_sum(&rate), 5);
}

Test(rate, the_level_fills_exactly)
{
    struct rate rate = {.newest = 0};
    int64_t now_ms = INT64_C(1768478400000), drawn = 0;
    const int64_t value = 7, window_ms = 60000, burst = 3, begin_ms = now_ms;
    rate_refill(&rate, value, burst, window_ms, now_ms);
    cr_expect_eq(rate.level, burst);
    rate.level--, drawn++; /* a full one takes nothing in */
    while (now_ms - begin_ms < 10 * window_ms) {
        now_ms += 13;
        rate_refill(&rate, value, burst, window_ms, now_ms);
        if (rate.level > 0)
            rate.level--, drawn++;
    }
    cr_expect_eq(drawn, burst + 10 * value);
    rate.level = 0, rate.level_rest = 0;
    int64_t wait_ms = rate_until_level(value, window_ms, 2);
    struct rate later = rate;
    rate_refill(&later, value, burst, window_ms, now_ms + wait_ms - 1);
    cr_expect_eq(later.level, 1);
    rate_refill(&rate, value, burst, window_ms, now_ms + wait_ms);
    cr_expect_eq(rate.level, 2);
    cr_expect_eq(rate_until_level(0, window_ms, 1), -1);
    rate_refill(&rate, value, 0, window_ms, now_ms + wait_ms); /* no burst any more */
    rate_refill(&rate, value, 5, window_ms, now_ms + wait_ms);
    cr_expect_eq(rate.level, 5);
}
