/* The life of a slot, through the death of either side at every step. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data-plane/slots.h"
#include "data-plane/usage.h"
#include "proto/usage.pb-c.h"

#define COUNT 8

static const struct id node = {{5}};
static struct segment seg;
static uint32_t column;
static struct slots *slots;
static struct slot *got[64];

static void setup(void)
{
    cr_assert_eq(segment_create(1, COUNT, 64, &node, 77, &seg), ST_OK);
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
        cr_assert_eq(slot->attempt_n, round);
        struct attempt_id id = slots_attempt(slots, slot);
        cr_assert(id.epoch == 3 && id.n == round && id.boot == 77 && id_eq(&id.node, &node));
        cr_assert_eq(slots_take_done(&seg, column, got, 64), 1);
        cr_assert_eq(got[0], slot);
        slots_collect(slots, NULL, NULL);
        cr_assert_eq(slots_free_count(slots), COUNT - 1, "not before it is journaled");
        slots_mark_journaled(&seg, column, got, 1);
        slots_collect(slots, NULL, NULL);
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
    cr_assert_eq(last->attempt_n, COUNT + 1, "an attempt id is never used twice");
}

Test(slots, a_reused_slot_is_clean)
{
    struct slot *slot = settle_one();
    slot->model_n = 7;
    slot->cost_nanousd = 5;
    slots_mark_journaled(&seg, column, got, slots_take_done(&seg, column, got, 64));
    slots_collect(slots, NULL, NULL);
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
            slots_collect(slots, NULL, NULL);
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
        slots_collect(slots, NULL, NULL);
        cr_assert_eq(slots_free_count(slots), COUNT, "step %d", step);
        cr_assert_eq(slots_take_done(&seg, column, got, 64), 0);
    }
}

/* As a reservation does: for `tokens` of output at 2 nano-USD charge and 3 cost each, of every
 * kind. */
static void reserve_bound(struct slot *slot, int64_t tokens)
{
    const int64_t amounts[] = {2 * tokens, 3 * tokens, tokens, 1, 3 * tokens};
    static const uint8_t kinds[] = {SLOT_RESERVE_CHARGE, SLOT_RESERVE_COST, SLOT_RESERVE_TOKENS,
                                    SLOT_RESERVE_REQUESTS, SLOT_RESERVE_COST};
    slot->bounds[0] = USAGE_COUNT(PRICE_OUTPUT_TOKEN, tokens);
    slot->bound_n = 1;
    slot->bound_charge_nanousd = 2 * tokens;
    slot->bound_cost_nanousd = 3 * tokens;
    slot->reserve_count = COUNT_OF(kinds);
    for (uint32_t i = 0; i < COUNT_OF(kinds); i++) {
        slot->reserve_amount[i] = amounts[i];
        slot->reserve_kind[i] = kinds[i];
        slot->reserve_row[i] = SLOT_ROW(i, 1);
    }
}

Test(slots, recovery_charges_the_sent_ones)
{
    struct slot *reserved = reserve(), *sent = reserve(), *strict = reserve(), *done = settle_one();
    (void)reserved;
    reserve_bound(sent, 100);
    slots_mark_sent(slots, sent);
    reserve_bound(strict, 200);
    strict->strict = 1;
    strict->source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER; /* died while settling */
    strict->counts[0] = USAGE_COUNT(PRICE_OUTPUT_TOKEN, 1);
    strict->count_n = 1;
    strict->cost_nanousd = strict->charge_nanousd = 1;
    strict->reserve_amount[0] = strict->reserve_amount[1] = 0;
    slots_mark_sent(slots, strict);
    done->outcome = SLOT_OUTCOME_TIMEOUT;
    segment_retire(&seg, column);
    cr_assert_eq(slots_recover(&seg, column, 555, got, 1), 1, "bounded by max");
    cr_assert_eq(slots_recover(&seg, column, 555, got, 64), 3);
    cr_assert_eq(sent->outcome, SLOT_OUTCOME_DIED);
    cr_assert_eq(sent->source, SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED);
    cr_assert_eq(sent->counts[0], USAGE_COUNT(PRICE_OUTPUT_TOKEN, 100));
    cr_assert_eq(sent->settled_utc_ms, 555);
    cr_assert_eq(strict->source, SLUICE__USAGE_SOURCE__USAGE_SOURCE_BOUND);
    cr_assert(strict->count_n == 1 && strict->counts[0] == USAGE_COUNT(PRICE_OUTPUT_TOKEN, 200));
    cr_assert(strict->charge_nanousd == 400 && strict->cost_nanousd == 600);
    static const int64_t want[] = {400, 600, 200, 1, 600};
    cr_assert_arr_eq(strict->reserve_amount, want, sizeof want);
    cr_assert_arr_eq(sent->reserve_amount, ((const int64_t[]){200, 300, 100, 1, 300}), sizeof want);
    cr_assert_eq(done->outcome, SLOT_OUTCOME_TIMEOUT, "what was settled stays as it is");
    cr_assert_eq(slots_recover(&seg, column, 999, got, 64), 3,
                 "again the same, for a courier that died");
    cr_assert_eq(sent->settled_utc_ms, 555);
    slots_mark_recovered(got, 3);
    cr_assert_eq(slots_recover(&seg, column, 555, got, 64), 0);
}

/* --- accounts --- */

static struct account *account(uint32_t row)
{
    return segment_account(&seg, column, row);
}

static void accounts_open(int64_t given)
{
    seg.head->status.counters_high = 8;
    for (uint32_t i = 0; i < 8; i++) {
        account(i)->given += given;
        account(i)->uses = 1;
    }
}

/* Nothing is held and nothing is owed. */
static void accounts_are_closed(void)
{
    for (uint32_t i = 0; i < 8; i++) {
        cr_assert_eq(account(i)->given - account(i)->returned, account(i)->spent);
        cr_assert_eq(account(i)->uses, 0);
    }
}

Test(slots, a_freed_slot_is_spent)
{
    accounts_open(1000);
    struct slot *slot = reserve();
    reserve_bound(slot, 100);
    slot->reserve_kind[4] = SLOT_RESERVE_RATE;
    slots_mark_sent(slots, slot);
    (void)!slots_settle(slots, slot);
    cr_assert_eq(account(0)->spent, 0);
    slots_mark_journaled(&seg, column, got, slots_take_done(&seg, column, got, 64));
    slots_collect(slots, NULL, NULL);
    cr_assert(account(0)->spent == 200 && account(1)->spent == 300 && account(2)->spent == 100 &&
              account(3)->spent == 1);
    cr_assert_eq(account(4)->spent, 0, "a rate was spent when it was admitted");
    cr_assert_eq(segment_column(&seg, column)->redo.valid, 0);
}

Test(slots, closing_gives_back_what_was_not_spent_and_grants_what_was_overspent)
{
    accounts_open(250);
    struct slot *slot = settle_one();
    reserve_bound(slot, 100);
    (void)reserve();
    segment_retire(&seg, column);
    slots_mark_recovered(got, slots_recover(&seg, column, 1, got, 64));
    for (int again = 0; again < 2; again++) {
        slots_close_dead(&seg, column);
        accounts_are_closed();
        cr_assert(account(0)->spent == 200 && account(0)->given == 250, "50 came back");
        cr_assert(account(1)->spent == 300 && account(1)->given == 300, "50 beyond it are given");
        cr_assert_eq(account(5)->returned, 250);
    }
}

/* The worker died at each line of a fold: whoever closes the column ends with the same totals. */
Test(slots, a_fold_half_done_is_finished_once)
{
    for (uint32_t line = 0; line <= 7; line++) {
        teardown();
        setup();
        accounts_open(1000);
        struct slot *slot = settle_one();
        reserve_bound(slot, 100);
        slots_mark_journaled(&seg, column, got, slots_take_done(&seg, column, got, 64));
        struct slot_redo *redo = &segment_column(&seg, column)->redo;
        static const int64_t spent[] = {200, 300, 100, 1, 300};
        for (uint32_t i = 0; i < 5; i++) { /* line 0: written down, not yet valid */
            redo->row[i] = i;
            redo->spent[i] = spent[i];
        }
        redo->count = 5;
        redo->slot = (uint32_t)(slot - segment_slot(&seg, column, 0));
        redo->valid = line > 0;
        for (uint32_t i = 0; i + 1 < line && i < 5; i++)
            account(i)->spent = spent[i];
        if (line == 7)
            slot->state = SLOT_FREE;
        segment_retire(&seg, column);
        slots_close_dead(&seg, column);
        accounts_are_closed();
        for (uint32_t i = 0; i < 5; i++)
            cr_assert_eq(account(i)->spent, spent[i], "line %u, row %u", line, i);
    }
}

Test(slots, hostile_reserves_and_redo_stay_inside)
{
    accounts_open(10);
    struct slot *slot = settle_one();
    memset(slot->reserve_row, 0xFF, sizeof slot->reserve_row);
    memset(slot->reserve_amount, 0x7F, sizeof slot->reserve_amount);
    slot->reserve_count = 255;
    slot->bound_n = slot->count_n = 255;
    slot->reserve_row[1] = SLOT_ROW(3, 9);
    slot->reserve_amount[1] = -5;
    slot->reserve_row[2] = SLOT_ROW(2, 9);
    account(2)->spent = INT64_MAX;
    segment_retire(&seg, column);
    slots_mark_recovered(got, slots_recover(&seg, column, 1, got, 64));
    slots_close_dead(&seg, column);
    cr_assert_eq(account(3)->spent, 0, "nothing is taken back");
    cr_assert_eq(account(2)->spent, INT64_MAX, "a total does not wrap");
    struct slot_redo *redo = &segment_column(&seg, column)->redo;
    memset(redo, 0xFF, sizeof *redo);
    slots_close_dead(&seg, column);
    cr_assert_eq(redo->valid, 0);
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

#define AMOUNT(n)                                                                                  \
    ((int64_t)((n)*7919 % 1000)) /* what attempt n is charged, in row n % 8 and row 0 */

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
        slots_collect(own, NULL, NULL);
        struct slot **at = &open[turn % 3];
        if (*at != NULL) {
            (*at)->reserve_amount[0] = (*at)->reserve_amount[1] = AMOUNT((*at)->attempt_n);
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
        (*at)->reserve_row[0] = SLOT_ROW((*at)->attempt_n % 7 + 1, 1);
        (*at)->reserve_row[1] = SLOT_ROW(0, 1);
        (*at)->reserve_kind[0] = (*at)->reserve_kind[1] = SLOT_RESERVE_CHARGE;
        (*at)->bound_charge_nanousd = 5000;
        (*at)->reserve_amount[0] = (*at)->reserve_amount[1] = 5000;
        (*at)->reserve_count = 2;
        tally->was_sent[(*at)->attempt_n & ((1u << 20) - 1)] =
            1; /* "about to": the provider may see it from here on */
        slots_mark_sent(own, *at);
        tally->was_sent[(*at)->attempt_n & ((1u << 20) - 1)] = 2;
    }
}

static int64_t journaled_amounts[8];

static void note_amounts(const struct slot *slot)
{
    for (uint32_t i = 0; i < slot->reserve_count; i++)
        journaled_amounts[SLOT_ROW_INDEX(slot->reserve_row[i])] += slot->reserve_amount[i];
}

/* Each attempt that was sent is journaled exactly once, whether settled before the kill or
 * recovered after it; and what the accounts spent is what the journal says. */
Test(slots, killed_worker_leaves_exactly_its_sent_attempts, .timeout = 60)
{
    struct tally *tally =
        mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    static uint8_t journaled[1u << 20];
    for (int round = 0; round < 40; round++) {
        segment_retire(&seg, column);
        segment_release(&seg, column);
        cr_assert_eq(segment_assign(&seg, 0, 100 + (uint32_t)round, &column), ST_OK);
        memset(tally, 0, sizeof *tally);
        memset(journaled, 0, sizeof journaled);
        accounts_open(1 << 20);
        pid_t pid = fork();
        if (pid == 0)
            worker_forever(tally);
        size_t target = 50 + (size_t)round * 37, total = 0;
        while (total < target) {
            size_t n = slots_take_done(&seg, column, got, 64);
            for (size_t i = 0; i < n; i++) {
                journaled[got[i]->attempt_n]++;
                note_amounts(got[i]);
            }
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
                journaled[got[i]->attempt_n]++;
                died += got[i]->outcome == SLOT_OUTCOME_DIED;
                note_amounts(got[i]);
            }
            slots_mark_recovered(got, n);
        }
        cr_assert_leq(died, 3);
        slots_close_dead(&seg, column);
        accounts_are_closed();
        for (uint32_t i = 0; i < 8; i++)
            cr_assert_eq(account(i)->spent, journaled_amounts[i], "round %d, row %u", round, i);
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
