/* The life of a slot, through the death of either side at every step. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data-plane/segment.h"
#include "proto/usage.pb-c.h"

#define COUNT 8

static const struct id node = {{5}};
static struct segment seg;
static uint32_t column;
static struct slots *slots;
static struct slot *got[64];

static void setup(void)
{
    cr_assert_eq(segment_create(1, COUNT, &node, 77, &seg), ST_OK);
    cr_assert_eq(segment_assign(&seg, 0, 3, &column), ST_OK);
    cr_assert_eq(slots_open(&seg, column, &slots), ST_OK);
}

static void teardown(void)
{
    slots_close(slots);
    segment_close(&seg);
}

TestSuite(slots, .init = setup, .fini = teardown);

static struct slot *reserve(void)
{
    struct slot *slot;
    cr_assert_eq(slots_reserve(slots, &slot), ST_OK);
    return slot;
}

static struct slot *settle_one(void)
{
    struct slot *slot = reserve();
    slots_mark_sent(slots, slot);
    (void)!slots_settle(slots, slot);
    return slot;
}

Test(slots, round_trip_many_times)
{
    for (uint64_t round = 1; round <= 100; round++) {
        struct slot *slot = settle_one();
        cr_assert_eq(slot->attempt.n, round);
        cr_assert(slot->attempt.epoch == 3 && slot->attempt.boot == 77 &&
                  id_eq(&slot->attempt.node, &node));
        cr_assert_eq(slots_take_done(&seg, column, got, 64), 1);
        cr_assert_eq(got[0], slot);
        slots_collect(slots);
        cr_assert_eq(slots_free_count(slots), COUNT - 1, "not before it is journaled");
        slots_mark_journaled(&seg, column, got, 1);
        slots_collect(slots);
        cr_assert_eq(slots_free_count(slots), COUNT);
        cr_assert_eq(slots_take_done(&seg, column, got, 64), 0);
    }
}

Test(slots, none_free_is_overloaded_and_cancel_gives_back)
{
    struct slot *slot, *last = NULL;
    for (int i = 0; i < COUNT; i++)
        last = reserve();
    cr_assert_eq(slots_reserve(slots, &slot), ST_OVERLOADED);
    slots_cancel(slots, last);
    cr_assert_eq(reserve(), last);
    cr_assert_eq(last->attempt.n, COUNT + 1, "an attempt id is never used twice");
}

Test(slots, a_reused_slot_is_clean)
{
    struct slot *slot = settle_one();
    slot->model_n = 7;
    slot->cost_nanousd = 5;
    slots_mark_journaled(&seg, column, got, slots_take_done(&seg, column, got, 64));
    slots_collect(slots);
    cr_assert_eq(reserve(), slot);
    cr_assert(slot->model_n == 0 && slot->cost_nanousd == 0);
}

Test(slots, order_and_batches)
{
    struct slot *in[COUNT];
    for (int i = 0; i < COUNT; i++)
        in[i] = settle_one();
    cr_assert_eq(slots_take_done(&seg, column, got, 3), 3);
    cr_assert_eq(slots_take_done(&seg, column, got, 64), COUNT,
                 "the same again until they are marked");
    cr_assert_arr_eq(got, in, sizeof in);
    slots_mark_journaled(&seg, column, got, 3);
    cr_assert_eq(slots_take_done(&seg, column, got, 64), COUNT - 3);
    cr_assert_eq(got[0], in[3]);
}

Test(slots, doorbell_only_when_the_courier_sleeps)
{
    struct slot *slot = reserve();
    slots_mark_sent(slots, slot);
    cr_assert_not(slots_settle(slots, slot));
    slots_courier_sleeps(&seg, column, true);
    slot = reserve();
    slots_mark_sent(slots, slot);
    cr_assert(slots_settle(slots, slot));
}

/* A courier that died while marking: at each step of it the successor loses nothing and marks
 * nothing twice. */
Test(slots, courier_dies_while_marking)
{
    for (int step = 0; step < 4; step++) {
        teardown();
        setup();
        struct column_head *head = segment_column(&seg, column);
        settle_one();
        settle_one();
        cr_assert_eq(slots_take_done(&seg, column, got, 64), 2);
        uint32_t free_head_before = (uint32_t)head->free_head;
        uint64_t tail_before = head->done_tail;
        if (step > 0)
            slots_mark_journaled(&seg, column, got, 2);
        if (step == 1) { /* one state set, nothing handed back */
            got[1]->state = SLOT_DONE;
            head->free_head = free_head_before;
            head->done_tail = tail_before;
        } else if (step ==
                   2) { /* handed back, done_tail not moved, and the worker has used one again */
            head->done_tail = tail_before;
            slots_collect(slots);
            settle_one();
        }
        slots_take_over(&seg, column);
        size_t n = slots_take_done(&seg, column, got, 64), fresh = 0;
        for (size_t i = 0; i < n; i++)
            fresh += !slots_is_journaled(got[i]);
        static const size_t want_n[] = {2, 2, 1, 0}, want_fresh[] = {2, 1, 1, 0};
        cr_assert_eq(n, want_n[step], "step %d: %zu", step, n);
        cr_assert_eq(fresh, want_fresh[step], "step %d", step);
        slots_mark_journaled(&seg, column, got, n);
        slots_collect(slots);
        cr_assert_eq(slots_free_count(slots), COUNT, "step %d", step);
        cr_assert_eq(slots_take_done(&seg, column, got, 64), 0);
    }
}

Test(slots, recovery_charges_the_sent_ones)
{
    struct slot *reserved = reserve(), *sent = reserve(), *strict = reserve(), *done = settle_one();
    (void)reserved;
    sent->bound.output_tokens = 100;
    slots_mark_sent(slots, sent);
    strict->bound.output_tokens = 200;
    strict->strict = 1;
    strict->source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER; /* died while settling */
    strict->usage.output_tokens = 1;
    slots_mark_sent(slots, strict);
    done->outcome = SLOT_OUTCOME_TIMEOUT;
    segment_retire(&seg, column);
    cr_assert_eq(slots_recover(&seg, column, 555, got, 1), 1, "bounded by max");
    cr_assert_eq(slots_recover(&seg, column, 555, got, 64), 3);
    cr_assert_eq(sent->outcome, SLOT_OUTCOME_DIED);
    cr_assert_eq(sent->source, SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED);
    cr_assert_eq(sent->usage.output_tokens, 100);
    cr_assert_eq(sent->settled_utc_ms, 555);
    cr_assert_eq(strict->source, SLUICE__USAGE_SOURCE__USAGE_SOURCE_BOUND);
    cr_assert_eq(strict->usage.output_tokens, 200);
    cr_assert_eq(done->outcome, SLOT_OUTCOME_TIMEOUT, "what was settled stays as it is");
    cr_assert_eq(slots_recover(&seg, column, 999, got, 64), 3,
                 "again the same, for a courier that died");
    cr_assert_eq(sent->settled_utc_ms, 555);
    slots_mark_recovered(got, 3);
    cr_assert_eq(slots_recover(&seg, column, 555, got, 64), 0);
}

/* What a worker that was taken over could write must not lead the courier outside. */
Test(slots, hostile_rings)
{
    struct column_head *head = segment_column(&seg, column);
    settle_one();
    head->done_head = UINT64_MAX;
    cr_assert_eq(slots_take_done(&seg, column, got, 64), 0);
    head->done_head = COUNT + 1;
    cr_assert_eq(slots_take_done(&seg, column, got, 64), 0);
    head->done_head = 1;
    segment_ring(&seg, column, SEGMENT_RING_DONE)[0] = COUNT;
    cr_assert_eq(slots_take_done(&seg, column, got, 64), 0);
    segment_ring(&seg, column, SEGMENT_RING_DONE)[0] = UINT32_MAX;
    cr_assert_eq(slots_take_done(&seg, column, got, 64), 0);
}

/* --- kill -9 --- */

struct tally {
    _Atomic uint64_t sent, settled; /* highest attempt number that certainly got there */
    _Atomic uint8_t was_sent[1u << 20];
};

static void worker_forever(struct tally *tally)
{
    struct slots *own;
    struct slot *open[3] = {NULL};
    if (slots_open(&seg, column, &own) != ST_OK)
        _exit(1);
    for (unsigned turn = 0;; turn++) {
        slots_collect(own);
        struct slot **at = &open[turn % 3];
        if (*at != NULL) {
            (void)!slots_settle(own, *at);
            *at = NULL;
        }
        if (slots_reserve(own, at) != ST_OK) {
            *at = NULL;
            sched_yield();
            continue;
        }
        if (turn % 5 == 4) {
            slots_cancel(own, *at);
            *at = NULL;
            continue;
        }
        tally->was_sent[(*at)->attempt.n & ((1u << 20) - 1)] =
            1; /* "about to": the provider may see it from here on */
        slots_mark_sent(own, *at);
        tally->was_sent[(*at)->attempt.n & ((1u << 20) - 1)] = 2;
    }
}

/* Each attempt that was sent is journaled exactly once, whether settled before the kill or
 * recovered after it. */
Test(slots, killed_worker_leaves_exactly_its_sent_attempts, .timeout = 60)
{
    struct tally *tally =
        mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    static uint8_t journaled[1u << 20];
    for (int round = 0; round < 20; round++) {
        segment_retire(&seg, column);
        segment_release(&seg, column);
        cr_assert_eq(segment_assign(&seg, 0, 100 + (uint32_t)round, &column), ST_OK);
        memset(tally, 0, sizeof *tally);
        memset(journaled, 0, sizeof journaled);
        pid_t pid = fork();
        if (pid == 0)
            worker_forever(tally);
        size_t target = 50 + (size_t)round * 37, total = 0;
        while (total < target) {
            size_t n = slots_take_done(&seg, column, got, 64);
            for (size_t i = 0; i < n; i++)
                journaled[got[i]->attempt.n]++;
            slots_mark_journaled(&seg, column, got, n);
            total += n;
            sched_yield();
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        segment_retire(&seg, column);
        size_t n, died = 0;
        while ((n = slots_recover(&seg, column, 1, got, 64)) > 0) {
            for (size_t i = 0; i < n; i++) {
                journaled[got[i]->attempt.n]++;
                died += got[i]->outcome == SLOT_OUTCOME_DIED;
            }
            slots_mark_recovered(got, n);
        }
        cr_assert_leq(died, 3);
        uint64_t minted = segment_column(&seg, column)->next_n;
        for (uint64_t i = 1; i <= minted; i++) {
            if (tally->was_sent[i] == 2)
                cr_assert_eq(journaled[i], 1, "round %d: attempt %lu", round, (unsigned long)i);
            else if (tally->was_sent[i] == 0)
                cr_assert_eq(journaled[i], 0, "round %d: attempt %lu", round, (unsigned long)i);
            else
                cr_assert_leq(journaled[i], 1);
        }
    }
    munmap(tally, sizeof *tally);
}
