/* From slot to journal exactly once, whoever dies when. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "data-plane/courier/collector.h"

#define BOOT  77
#define SLOTS 64
#define SEEN  (1u << 20)

static const struct id node = {{5}};
static const struct journal_limits limits = {1u << 20, 3600 * 1000, 1u << 30};
static char dir[64];
static struct segment seg;
static uint32_t column;
static struct slots *slots;
static struct journal *journal;
static struct collector *collector;
static unsigned stored_calls;

static void stored(void *arg)
{
    ++*(unsigned *)arg;
}

static void open_courier(void)
{
    struct collector_config config = {&seg, NULL, NULL, node, BOOT, stored, &stored_calls};
    cr_assert_eq(journal_open(dir, BOOT, &limits, &journal), ST_OK);
    config.journal = journal;
    cr_assert_eq(collector_new(&config, &collector), ST_OK);
}

static void close_courier(void)
{
    collector_free(collector);
    journal_close(journal);
    collector = NULL;
    journal = NULL;
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/collector-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(segment_create(2, SLOTS, 64, &node, BOOT, &seg), ST_OK);
    cr_assert_eq(segment_assign(&seg, 0, 3, &column), ST_OK);
    cr_assert_eq(slots_open(&seg, column, &slots), ST_OK);
    open_courier();
}

static void teardown(void)
{
    close_courier();
    slots_close(slots);
    segment_close(&seg);
    pid_t pid = fork();
    if (pid == 0)
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
    waitpid(pid, NULL, 0);
}

TestSuite(collector, .init = setup, .fini = teardown);

static struct slot *send_one(void)
{
    struct slot *slot;
    cr_assert_eq(slots_reserve(slots, &slot), ST_OK);
    slots_mark_sent(slots, slot);
    return slot;
}

static size_t pass(void)
{
    size_t n;
    cr_assert_eq(collector_pass(collector, &n), ST_OK);
    return n;
}

Test(collector, settled_slots_reach_the_journal_and_come_back)
{
    for (int i = 0; i < 10; i++)
        (void)!slots_settle(slots, send_one());
    struct slot *open = send_one();
    cr_assert_eq(pass(), 10);
    cr_assert_eq(stored_calls, 1);
    cr_assert_eq(journal_last_seq(journal), 10);
    slots_collect(slots, NULL, NULL);
    cr_assert_eq(slots_free_count(slots), SLOTS - 1);
    cr_assert_eq(pass(), 0);
    (void)!slots_settle(slots, open);
    cr_assert_eq(pass(), 1);
}

Test(collector, dead_column_is_charged_and_released)
{
    (void)!slots_settle(slots, send_one());
    send_one();
    segment_retire(&seg, column);
    cr_assert_eq(pass(), 2);
    cr_assert_eq(segment_column(&seg, column)->state, COLUMN_DEAD);
    cr_assert_eq(pass(), 0);
    cr_assert_eq(segment_column(&seg, column)->state, COLUMN_UNUSED);
    cr_assert_eq(journal_last_seq(journal), 2);
}

/* A courier that died between the append and the marks: its successor must not write these again.
 */
Test(collector, written_but_not_marked_is_not_written_twice)
{
    struct column_head *head = segment_column(&seg, column);
    for (int dead = 0; dead < 2; dead++) {
        uint64_t before = journal_last_seq(journal), tail = head->done_tail,
                 free_head = head->free_head;
        struct slot *in[5];
        for (int i = 0; i < 5; i++)
            in[i] = send_one();
        for (int i = 0; i < 4; i++)
            (void)!slots_settle(slots, in[i]);
        if (dead)
            segment_retire(&seg, column);
        cr_assert_eq(pass(), dead ? 5 : 4);
        for (int i = 0; i < 4 + dead; i++)
            in[i]->state = SLOT_DONE;
        head->done_tail = tail;
        head->free_head = free_head;
        close_courier();
        open_courier();
        cr_assert_eq(journal_last_seq(journal), before + 4 + (unsigned)dead);
        cr_assert_eq(pass(), dead ? 5 : 4, "marked, not written");
        cr_assert_eq(journal_last_seq(journal), before + 4 + (unsigned)dead);
        cr_assert_eq(pass(), 0);
        if (!dead) {
            slots_collect(slots, NULL, NULL);
            (void)!slots_settle(slots, in[4]);
            cr_assert_eq(pass(), 1);
            slots_collect(slots, NULL, NULL);
            cr_assert_eq(slots_free_count(slots), SLOTS);
        }
    }
    cr_assert_eq(head->state, COLUMN_UNUSED);
}

Test(collector, thread_is_woken_by_the_bell)
{
    struct collector_config config = {&seg, journal, NULL, node, BOOT, NULL, NULL};
    struct collector *threaded;
    cr_assert_eq(collector_start(&config, &threaded), ST_OK);
    for (unsigned i = 1; i <= 20; i++) {
        if (slots_settle(slots, send_one()))
            collector_wake(threaded);
        for (int wait = 0; wait < 5000 && journal_last_seq(journal) < i; wait++) {
            struct timespec ms = {0, 1000000};
            nanosleep(&ms, NULL);
        }
        cr_assert_eq(journal_last_seq(journal), i);
        slots_collect(slots, NULL, NULL);
    }
    collector_stop(threaded);
}

/* --- kill -9 of worker and courier --- */

static _Noreturn void worker_forever(_Atomic uint8_t *sent)
{
    struct slots *own;
    struct slot *open[7] = {NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (slots_open(&seg, column, &own) != ST_OK)
        _exit(1);
    for (unsigned turn = 0;; turn++) {
        struct slot **at = &open[turn % 7];
        slots_collect(own, NULL, NULL);
        if (*at != NULL)
            (void)!slots_settle(own, *at);
        *at = NULL;
        if (slots_reserve(own, at) != ST_OK) {
            *at = NULL;
            sched_yield();
            continue;
        }
        uint64_t n = (*at)->attempt_n % SEEN;
        sent[n] = 1;
        slots_mark_sent(own, *at);
        sent[n] = 2;
    }
}

static _Noreturn void courier_forever(void)
{
    struct collector_config config = {&seg, NULL, NULL, node, BOOT, NULL, NULL};
    struct collector *own;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (journal_open(dir, BOOT, &limits, &config.journal) == ST_CONFLICT)
        sched_yield();
    if (config.journal == NULL || collector_start(&config, &own) != ST_OK)
        _exit(1);
    for (;;)
        pause();
}

static void kill_and_wait(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status), "ended by itself: %d", WEXITSTATUS(status));
}

static void count_journal(uint32_t epoch, uint8_t *counts)
{
    struct arena arena;
    Sluice__UsageBatch *batch;
    uint64_t seq = 1;
    arena_init(&arena, 1u << 30);
    while (journal_read(journal, BOOT, seq, 1000, 1 << 20, &arena, &batch) == ST_OK) {
        for (size_t i = 0; i < batch->n_events; i++) {
            const uint8_t *id = batch->events[i]->attempt_id.data;
            uint32_t n = (uint32_t)id[33] << 16 | (uint32_t)id[34] << 8 | id[35];
            if (id[27] == epoch)
                counts[n % SEEN]++;
        }
        seq = batch->first_seq + batch->n_events;
        arena_free(&arena);
    }
    arena_free(&arena);
}

Test(collector, exactly_once_through_kills_of_both, .timeout = 120)
{
    static uint8_t counts[SEEN];
    _Atomic uint8_t *sent =
        mmap(NULL, SEEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    close_courier();
    srandom(7);
    for (uint32_t epoch = 10; epoch < 16; epoch++) {
        segment_retire(&seg, column);
        segment_release(&seg, column);
        cr_assert_eq(segment_assign(&seg, 0, epoch, &column), ST_OK);
        memset((void *)sent, 0, SEEN);
        memset(counts, 0, sizeof counts);
        pid_t worker = fork();
        if (worker == 0)
            worker_forever(sent);
        for (int kills = 0; kills < 6; kills++) {
            pid_t courier = fork();
            if (courier == 0)
                courier_forever();
            struct timespec time = {0, 1000000 * (1 + random() % 40)};
            nanosleep(&time, NULL);
            kill_and_wait(courier);
        }
        kill_and_wait(worker);
        segment_retire(&seg, column);
        open_courier();
        while (pass() > 0)
            ;
        uint64_t minted = segment_column(&seg, column)->next_n;
        cr_assert_gt(minted, 0);
        cr_assert_lt(minted, SEEN);
        count_journal(epoch, counts);
        for (uint64_t n = 1; n <= minted; n++) {
            if (sent[n] == 2)
                cr_assert_eq(counts[n], 1, "epoch %u attempt %lu: %u times", epoch,
                             (unsigned long)n, counts[n]);
            else
                cr_assert_leq(counts[n], sent[n]);
        }
        close_courier();
    }
    munmap((void *)sent, SEEN);
    open_courier();
}
