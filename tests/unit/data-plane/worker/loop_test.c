/* loop_test.c: order within a turn, timers against an oracle, and callbacks that remove each other.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "data-plane/worker/loop.h"

static struct loop *loop;
static char trace[256];
static size_t trace_n;

static void note(char c)
{
    if (trace_n < sizeof trace - 1)
        trace[trace_n++] = c;
    trace[trace_n] = '\0';
}

static void setup(void)
{
    cr_assert_eq(loop_new(&loop), ST_OK);
    trace_n = 0;
    trace[0] = '\0';
}

static void teardown(void)
{
    loop_free(loop);
}

TestSuite(loop, .init = setup, .fini = teardown, .timeout = 60);

static void stop_timer(struct loop_timer *timer)
{
    note('s');
    loop_stop(timer->owner);
}

static void note_timer(struct loop_timer *timer)
{
    note(*(const char *)timer->owner);
}

static void stop_job(struct loop_job *job)
{
    note('J');
    loop_stop(job->owner);
}

Test(loop, timers_fire_in_order_of_time)
{
    struct loop_timer a = {.expired = note_timer, .owner = "a"},
                      b = {.expired = note_timer, .owner = "b"};
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    loop_timer_set(loop, &end, 6);
    loop_timer_set(loop, &a, 3);
    loop_timer_set(loop, &b, 1);
    loop_run(loop, NULL, NULL);
    cr_assert_str_eq(trace, "bas");
    cr_assert_eq(a.due_ns, 0);
}

Test(loop, a_cleared_timer_does_not_fire_and_a_moved_one_fires_once)
{
    struct loop_timer a = {.expired = note_timer, .owner = "a"},
                      b = {.expired = note_timer, .owner = "b"};
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    loop_timer_set(loop, &a, 1);
    loop_timer_set(loop, &b, 1);
    loop_timer_set(loop, &b, 4);
    loop_timer_set(loop, &end, 8);
    loop_timer_clear(loop, &a);
    loop_timer_clear(loop, &a);
    loop_run(loop, NULL, NULL);
    cr_assert_str_eq(trace, "bs");
}

Test(loop, a_timer_moved_to_an_earlier_time_fires_earlier)
{
    struct loop_timer a = {.expired = note_timer, .owner = "a"},
                      b = {.expired = note_timer, .owner = "b"};
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    loop_timer_set(loop, &end, 6);
    loop_timer_set(loop, &a, 3);
    loop_timer_set(loop, &b, 3600000);
    loop_timer_set(loop, &b, 1);
    loop_run(loop, NULL, NULL);
    cr_assert_str_eq(trace, "bas");
}

static struct loop_timer *victim;

static void clear_victim(struct loop_timer *timer)
{
    note('c');
    loop_timer_clear(timer->owner, victim);
}

Test(loop, a_timer_may_clear_another_that_is_due_too)
{
    struct loop_timer a = {.expired = clear_victim, .owner = loop};
    struct loop_timer b = {.expired = note_timer, .owner = "b"};
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    victim = &b;
    loop_timer_set(loop, &a, 0);
    loop_timer_set(loop, &b, 0);
    loop_timer_set(loop, &end, 1);
    loop_run(loop, NULL, NULL);
    cr_assert_str_eq(trace, "cs");
}

#define ORACLE_TIMERS 500
static struct loop_timer many[ORACLE_TIMERS];
static int64_t last_due;
static int fired;

static void oracle_expired(struct loop_timer *timer)
{
    int64_t due = (int64_t)(intptr_t)timer->owner;
    cr_expect(due >= last_due, "out of order");
    cr_expect(due <= loop_now_ns(loop), "early");
    last_due = due;
    fired++;
}

Test(loop, five_hundred_timers_set_moved_and_cleared_at_random)
{
    clock_test_set(clock_mono_ns(), 0);
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    loop_timer_set(loop, &end, 0);
    loop_run(loop, NULL, NULL); /* takes over the test clock */
    srand(7);
    for (int i = 0; i < 20000; i++) {
        struct loop_timer *timer = &many[rand() % ORACLE_TIMERS];
        timer->expired = oracle_expired;
        if (rand() % 4 == 0) {
            loop_timer_clear(loop, timer);
            continue;
        }
        loop_timer_set(loop, timer, rand() % 1000);
        timer->owner = (void *)(intptr_t)timer->due_ns;
    }
    int armed = 0;
    for (int i = 0; i < ORACLE_TIMERS; i++)
        armed += many[i].place != 0;
    cr_assert_gt(armed, 100);
    for (int step = 0; step < 1001; step++) {
        clock_test_advance(1);
        loop_timer_set(loop, &end, 0);
        loop_run(loop, NULL, NULL);
    }
    cr_assert_eq(fired, armed);
}

/* --- descriptors ------------------------------------------------------------------------------ */

struct pipe_end {
    struct loop_watch watch;
    struct pipe_end *kills;
    char name;
};

static void pipe_ready(struct loop_watch *watch, uint32_t events)
{
    struct pipe_end *end = watch->owner;
    cr_expect(events & EPOLLIN);
    note(end->name);
    if (end->kills != NULL)
        loop_watch_remove(loop, &end->kills->watch);
    loop_watch_remove(loop, watch);
}

Test(loop, a_watch_removed_within_the_batch_hears_nothing)
{
    int fds[2][2];
    struct pipe_end a = {.name = 'a'}, b = {.name = 'b'};
    a.kills = &b;
    b.kills = &a;
    struct pipe_end *ends[] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pipe(fds[i]), 0);
        ends[i]->watch =
            (struct loop_watch){.fd = fds[i][0], .ready = pipe_ready, .owner = ends[i]};
        cr_assert_eq(loop_watch_set(loop, &ends[i]->watch, EPOLLIN), ST_OK);
        cr_assert_eq(write(fds[i][1], "x", 1), 1);
    }
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    loop_timer_set(loop, &end, 2);
    loop_run(loop, NULL, NULL);
    cr_assert_eq(strlen(trace), 2, "%s", trace); /* one of the two, and the stop */
}

Test(loop, a_bad_descriptor_is_a_status)
{
    struct loop_watch watch = {.fd = -1, .ready = pipe_ready};
    cr_assert_eq(loop_watch_set(loop, &watch, EPOLLIN), ST_IO);
    cr_assert_not(watch.armed);
    loop_watch_remove(loop, &watch);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static struct loop_job second, third;

static void first_run(struct loop_job *job)
{
    note('1');
    loop_defer(loop, job->owner); /* queued while jobs run: still in this turn */
    loop_defer_cancel(loop, &third);
}

static void second_run(struct loop_job *job)
{
    (void)job;
    note('2');
}

Test(loop, jobs_run_in_the_turn_and_can_cancel_each_other)
{
    struct loop_job end = {.run = stop_job, .owner = loop};
    second.run = second_run;
    third = (struct loop_job){.run = second_run};
    struct loop_job first = {.run = first_run, .owner = &second};
    loop_defer(loop, &first);
    loop_defer(loop, &first);
    loop_defer(loop, &third);
    loop_defer(loop, &end);
    loop_run(loop, NULL, NULL);
    cr_assert_str_eq(trace, "1J2");
}

static void again(struct loop_job *job)
{
    loop_defer(loop, job);
}

Test(loop, a_job_that_always_defers_itself_does_not_starve_timers)
{
    struct loop_job job = {.run = again};
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    loop_defer(loop, &job);
    loop_timer_set(loop, &end, 3);
    loop_run(loop, NULL, NULL);
    cr_assert_str_eq(trace, "s");
    loop_defer_cancel(loop, &job);
    cr_assert_not(job.queued);
}

static void zero_again(struct loop_timer *timer)
{
    loop_timer_set(loop, timer, 0);
}

Test(loop, a_timer_of_zero_that_rearms_does_not_starve_the_rest)
{
    struct loop_timer zero = {.expired = zero_again}, end = {.expired = stop_timer, .owner = loop};
    loop_timer_set(loop, &zero, 0);
    loop_timer_set(loop, &end, 3);
    loop_run(loop, NULL, NULL);
    cr_assert_str_eq(trace, "s");
}

static int turns;

static void count_turn(void *arg)
{
    (void)arg;
    turns++;
}

Test(loop, the_turn_callback_is_called_each_turn)
{
    struct loop_timer end = {.expired = stop_timer, .owner = loop};
    loop_timer_set(loop, &end, 1);
    loop_run(loop, count_turn, NULL);
    cr_assert_geq(turns, 1);
}
