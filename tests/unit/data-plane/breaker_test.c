/* breaker_test.c: several workers' views of the same columns, with a clock of the test's own. */
#include "data-plane/breaker.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#define WORKERS 4
#define KEY     UINT64_C(0x1234567890ABCDEF)

static struct breaker_column *columns[WORKERS];
static struct breaker *workers[WORKERS];
static int64_t now_ms;

static void setup(void)
{
    now_ms = 1000000;
    for (size_t i = 0; i < WORKERS; i++) {
        columns[i] = aligned_alloc(64, sizeof *columns[i]);
        cr_assert_not_null(columns[i]);
        memset(columns[i], 0, sizeof *columns[i]);
    }
    for (size_t i = 0; i < WORKERS; i++)
        cr_assert_eq(breaker_new(columns, WORKERS, i, &workers[i]), ST_OK);
}

static void teardown(void)
{
    for (size_t i = 0; i < WORKERS; i++) {
        breaker_free(workers[i]);
        free(columns[i]);
    }
}

TestSuite(breaker, .init = setup, .fini = teardown);

/* One attempt by a worker that takes no time. */
static void attempt(size_t worker, enum breaker_result result)
{
    struct breaker_ticket ticket = breaker_begin(workers[worker], KEY, now_ms);
    breaker_end(workers[worker], &ticket, result, -1, now_ms);
}

/* All workers agree. */
static bool is_cooled(void)
{
    bool first = breaker_is_cooled(workers[0], KEY, now_ms);
    for (size_t i = 1; i < WORKERS; i++)
        cr_assert_eq(breaker_is_cooled(workers[i], KEY, now_ms), first);
    return first;
}

static void fail_until_open(void)
{
    for (int i = 0; i < BREAKER_STREAK; i++) {
        now_ms += 2;
        attempt((size_t)i % WORKERS, BREAKER_FAILED);
    }
    cr_assert(is_cooled());
}

Test(breaker, a_row_of_failures_over_all_workers_opens_it)
{
    cr_expect_not(is_cooled());
    for (int i = 1; i <= BREAKER_STREAK; i++) {
        cr_expect_not(is_cooled(), "before failure %d", i);
        now_ms += 2;
        attempt((size_t)i % WORKERS, BREAKER_FAILED);
    }
    cr_expect(is_cooled());
    cr_expect_not(breaker_is_cooled(workers[0], KEY + 1, now_ms), "other keys are not concerned");
    cr_expect_not(breaker_is_cooled(workers[0], KEY + BREAKER_SETS, now_ms),
                  "nor those of its set");
}

Test(breaker, failures_of_one_instant_are_a_row_too)
{
    for (int i = 0; i < BREAKER_STREAK; i++)
        attempt(0, BREAKER_FAILED);
    cr_expect(is_cooled());
}

/* 500 a second until a target dies, on all workers: what the first target of a fallback sees. */
Test(breaker, opens_within_10_failures_after_thousands_of_successes)
{
    for (int i = 0; i < 5000; i++) {
        now_ms += i % 2 == 0 ? 4 : 0;
        attempt((size_t)i % WORKERS, BREAKER_OK);
    }
    int failures = 0;
    while (!is_cooled() && failures < 100) {
        now_ms += 2;
        attempt((size_t)failures++ % WORKERS, BREAKER_FAILED);
    }
    cr_expect_leq(failures, 10);
}

Test(breaker, a_success_anywhere_ends_the_row)
{
    for (int round = 0; round < 4; round++) {
        for (int i = 1; i < BREAKER_STREAK; i++) {
            now_ms += 10;
            attempt((size_t)i % WORKERS, BREAKER_FAILED);
        }
        now_ms += 10;
        attempt((size_t)round % WORKERS, BREAKER_OK);
        now_ms += 20000; /* out of the window of the rate */
    }
    cr_expect_not(is_cooled());
}

Test(breaker, old_failures_are_no_row)
{
    for (int i = 0; i < 20; i++) {
        now_ms += 8000;
        attempt((size_t)i % WORKERS, BREAKER_FAILED);
        cr_assert_not(is_cooled(), "at most four in half a minute");
    }
}

static bool opens_at_rate(int failing_of_10)
{
    for (int i = 0; i < 400; i++) {
        now_ms += 7;
        attempt((size_t)i % WORKERS,
                i % 10 * failing_of_10 % 10 < failing_of_10 ? BREAKER_FAILED : BREAKER_OK);
        if (breaker_is_cooled(workers[0], KEY, now_ms))
            return true;
    }
    return false;
}

Test(breaker, half_of_all_attempts_failing_opens_it)
{
    cr_expect(opens_at_rate(5));
}

Test(breaker, three_of_ten_failing_do_not)
{
    cr_expect_not(opens_at_rate(3));
}

Test(breaker, few_attempts_have_no_rate)
{
    for (int i = 0; i < BREAKER_SAMPLES - 2; i++) {
        now_ms += 10;
        attempt((size_t)i % WORKERS, i % 2 == 0 ? BREAKER_FAILED : BREAKER_OK);
    }
    cr_expect_not(is_cooled());
}

Test(breaker, what_says_nothing_changes_nothing)
{
    for (int i = 0; i < 100; i++)
        attempt(0, BREAKER_UNKNOWN);
    cr_expect_not(is_cooled());
    for (int i = 1; i < BREAKER_STREAK; i++) {
        now_ms += 2;
        attempt(1, BREAKER_FAILED);
        attempt(2, BREAKER_UNKNOWN);
    }
    cr_expect_not(is_cooled());
    now_ms += 2;
    attempt(1, BREAKER_FAILED);
    cr_expect(is_cooled(), "it does not end a row either");
}

/* --- latency --- */

static void answer_in(size_t worker, int64_t first_byte_ms)
{
    struct breaker_ticket ticket = breaker_begin(workers[worker], KEY, now_ms);
    breaker_end(workers[worker], &ticket, BREAKER_OK, first_byte_ms, now_ms);
}

Test(breaker, much_slower_than_usual_opens_it)
{
    for (int i = 0; i < 200; i++) {
        now_ms += 100;
        answer_in((size_t)i % WORKERS, 400 + i % 7 * 50);
    }
    now_ms += 25000;
    int slow = 0;
    while (!is_cooled() && slow < 200) {
        now_ms += 100;
        answer_in((size_t)slow++ % WORKERS, 15000);
    }
    cr_expect_eq(slow, BREAKER_SAMPLES);
}

Test(breaker, a_slow_target_that_always_was_is_usual)
{
    for (int i = 0; i < 400; i++) {
        now_ms += 100;
        answer_in((size_t)i % WORKERS, 30000 + i % 5 * 4000);
        cr_assert_not(is_cooled());
    }
}

Test(breaker, five_times_of_little_is_not_slow)
{
    for (int i = 0; i < 400; i++) {
        now_ms += 100;
        answer_in((size_t)i % WORKERS, i < 200 ? 50 : 5000);
        cr_assert_not(is_cooled());
    }
}

Test(breaker, answers_without_a_first_byte_say_nothing_of_speed)
{
    for (int i = 0; i < 200; i++) {
        now_ms += 100;
        answer_in(0, i < 100 ? 300 : -1);
    }
    cr_expect_not(is_cooled());
}

/* --- pauses and probes --- */

Test(breaker, pauses_grow_with_every_failed_probe_up_to_a_bound)
{
    static const int64_t pauses_ms[] = {5000, 10000, 20000, 40000, 60000, 60000, 60000};
    fail_until_open();
    for (size_t i = 0; i < COUNT_OF(pauses_ms); i++) {
        now_ms += pauses_ms[i] - 1;
        cr_expect(is_cooled(), "pause %zu", i);
        now_ms += 1;
        cr_expect_not(is_cooled(), "pause %zu is over", i);
        struct breaker_ticket ticket = breaker_begin(workers[i % WORKERS], KEY, now_ms);
        cr_expect(ticket.probe);
        breaker_end(workers[i % WORKERS], &ticket, BREAKER_FAILED, -1, now_ms);
        cr_expect(is_cooled());
    }
}

Test(breaker, half_open_lets_one_through_at_a_time)
{
    fail_until_open();
    now_ms += BREAKER_PAUSE_MS;
    cr_expect_not(is_cooled());
    struct breaker_ticket probe = breaker_begin(workers[2], KEY, now_ms);
    cr_expect(probe.probe);
    cr_expect(is_cooled(), "while it is on its way");
    now_ms += 20000;
    cr_expect(is_cooled());
    breaker_end(workers[2], &probe, BREAKER_OK, -1, now_ms);
    cr_expect_not(is_cooled());
    cr_expect_not(breaker_begin(workers[0], KEY, now_ms).probe, "closed");
}

Test(breaker, a_probe_that_says_nothing_is_followed_by_another)
{
    fail_until_open();
    now_ms += BREAKER_PAUSE_MS;
    attempt(1, BREAKER_UNKNOWN);
    cr_expect_not(is_cooled());
    cr_expect(breaker_begin(workers[3], KEY, now_ms).probe);
}

Test(breaker, a_probe_whose_worker_died_is_followed_by_another)
{
    fail_until_open();
    now_ms += BREAKER_PAUSE_MS;
    cr_expect(breaker_begin(workers[1], KEY, now_ms).probe);
    cr_expect(is_cooled());
    now_ms += 29999;
    cr_expect(is_cooled());
    now_ms += 1;
    cr_expect_not(is_cooled());
    cr_expect(breaker_begin(workers[2], KEY, now_ms).probe);
}

Test(breaker, a_success_from_before_it_opened_does_not_close_it)
{
    struct breaker_ticket old = breaker_begin(workers[0], KEY, now_ms);
    fail_until_open();
    now_ms += 100;
    breaker_end(workers[0], &old, BREAKER_OK, -1, now_ms);
    cr_expect(is_cooled());
}

/* When every target is cooled they are tried all the same (route_walk.h). */
Test(breaker, a_success_while_it_is_open_closes_it)
{
    fail_until_open();
    now_ms += 100;
    attempt(3, BREAKER_OK);
    cr_expect_not(is_cooled());
}

Test(breaker, failures_while_it_is_open_do_not_lengthen_the_pause)
{
    fail_until_open();
    for (int i = 0; i < 49; i++) {
        now_ms += 100;
        attempt(0, BREAKER_FAILED);
    }
    now_ms += 100;
    cr_expect_not(is_cooled());
}

Test(breaker, what_was_counted_before_it_closed_is_not_counted_again)
{
    fail_until_open();
    now_ms += BREAKER_PAUSE_MS;
    attempt(0, BREAKER_OK);
    for (int i = 1; i < BREAKER_STREAK; i++) {
        now_ms += 2;
        attempt((size_t)i % WORKERS, BREAKER_FAILED);
        cr_expect_not(is_cooled(), "failure %d after closing", i);
    }
    now_ms += 2;
    attempt(0, BREAKER_FAILED);
    cr_expect(is_cooled());
    now_ms += BREAKER_PAUSE_MS;
    cr_expect(is_cooled(), "opened again soon after: a longer pause");
    now_ms += BREAKER_PAUSE_MS;
    cr_expect_not(is_cooled());
}

/* --- bounds --- */

Test(breaker, the_table_is_bounded_and_the_quiet_are_forgotten)
{
    fail_until_open();
    for (uint64_t key = 1; key <= 20 * BREAKER_CELLS; key++) {
        struct breaker_ticket ticket = breaker_begin(workers[0], key, now_ms);
        breaker_end(workers[0], &ticket, BREAKER_OK, -1, ++now_ms);
    }
    for (uint64_t key = 5; key <= 20; key += 5)
        for (int i = 0; i < BREAKER_STREAK; i++) {
            struct breaker_ticket ticket = breaker_begin(workers[0], key, ++now_ms);
            breaker_end(workers[0], &ticket, BREAKER_FAILED, -1, now_ms);
        }
    for (uint64_t key = 5; key <= 20; key += 5)
        cr_expect(breaker_is_cooled(workers[3], key, now_ms), "a new key works as the first did");
}

Test(breaker, a_spoilt_column_harms_nobody)
{
    uint32_t dice = 99;
    unsigned char *bytes = (unsigned char *)columns[1];
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof *columns[1]; i++) {
            dice = dice * 1664525u + 1013904223u;
            bytes[i] = (unsigned char)(round % 3 == 0 ? 0xFF : dice >> 24);
        }
        columns[1]->keys[KEY % BREAKER_SETS][0] = KEY;
        for (int i = 0; i < 30; i++) {
            now_ms += 500;
            attempt(0, i % 3 == 0 ? BREAKER_FAILED : BREAKER_OK);
            (void)breaker_is_cooled(workers[2], KEY, now_ms);
        }
    }
}

Test(breaker, columns_are_checked_when_it_is_made)
{
    struct breaker *made;
    cr_expect_eq(breaker_new(columns, 0, 0, &made), ST_INVALID);
    cr_expect_eq(breaker_new(columns, WORKERS, WORKERS, &made), ST_INVALID);
    cr_expect_eq(breaker_new(columns, BREAKER_COLUMNS_MAX + 1, 0, &made), ST_INVALID);
}

Test(breaker, statuses_are_judged)
{
    static const struct {
        int status;
        enum breaker_result result;
    } rows[] = {{200, BREAKER_OK},      {204, BREAKER_OK},      {302, BREAKER_OK},
                {400, BREAKER_UNKNOWN}, {401, BREAKER_FAILED},  {403, BREAKER_UNKNOWN},
                {404, BREAKER_UNKNOWN}, {408, BREAKER_FAILED},  {422, BREAKER_UNKNOWN},
                {429, BREAKER_FAILED},  {499, BREAKER_UNKNOWN}, {500, BREAKER_FAILED},
                {503, BREAKER_FAILED},  {529, BREAKER_FAILED}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(breaker_judge(rows[i].status), rows[i].result, "%d", rows[i].status);
}

/* Real threads in the place of processes: for the thread sanitizer, and that all come to one
 * verdict. */
static void *run(void *arg)
{
    size_t worker = (size_t)(uintptr_t)arg;
    for (int64_t i = 0; i < 20000; i++) {
        uint64_t key = (uint64_t)i % 7 + 1;
        struct breaker_ticket ticket = breaker_begin(workers[worker], key, 5000 + i);
        bool fails = key == 3 || (key == 5 && i % 3 == 0);
        breaker_end(workers[worker], &ticket, fails ? BREAKER_FAILED : BREAKER_OK, i % 100,
                    5000 + i);
        (void)breaker_is_cooled(workers[worker], 3, 5000 + i);
    }
    return NULL;
}

Test(breaker, workers_at_once)
{
    pthread_t threads[WORKERS];
    for (size_t i = 0; i < WORKERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < WORKERS; i++) {
        cr_expect(breaker_is_cooled(workers[i], 3, 25000), "it never went well");
        cr_expect_not(breaker_is_cooled(workers[i], 4, 25000), "it always went well");
    }
}
