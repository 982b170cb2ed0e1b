/* check_micro.c: what the limits of a request cost its worker when grants are held (README.md): CPU
 * of taking from all of them, of the end of the attempt, in a segment as the master makes it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "data-plane/limits.h"

#define MUST(expr)                                                                                 \
    do {                                                                                           \
        enum status must_ = (expr);                                                                \
        if (must_ != ST_OK) {                                                                      \
            (void)fprintf(stderr, "%s: %s\n", #expr, status_row(must_)->code);                     \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

enum { USES = 6, ROUNDS = 31, RUNS = 20000, SLOTS = 64, COUNTERS = 64 };

static struct segment segment;
static struct limits *limits;
static struct limits_now now;

static void no_open(void *arg, const struct limit_use *use)
{
    (void)arg;
    (void)use;
}

static void no_wish(void *arg, uint32_t row)
{
    (void)arg;
    (void)row;
}

static void no_fix(void *arg, uint32_t row, uint32_t generation, int64_t utc_ms, int64_t add)
{
    (void)arg;
    (void)row;
    (void)generation;
    (void)utc_ms;
    (void)add;
}

/* As the courier does: a row, and a grant that lasts for the whole run. */
static void grant(struct limit_use *use, uint32_t column, uint32_t row)
{
    struct counter *counter = segment_counter(&segment, row);
    counter->id = use->limit.counter;
    counter->generation = 1;
    counter->epoch = 1;
    counter->limit = counter->value = use->limit.def.value;
    counter->heard_ms = now.mono_ms;
    counter->recall_keeper = COUNTER_KEEPER_NONE;
    counter->state = COUNTER_LIVE;
    segment_account(&segment, column, row)->given = use->limit.def.value;
    limits_opened(limits, &counter->id, ST_OK, row, 1);
}

static void fill_uses(struct limit_use *uses, uint32_t column)
{
    for (uint32_t i = 0; i < USES; i++) {
        uses[i] =
            (struct limit_use){.limit = {.counter = {{0xC0, (uint8_t)(i + 1), (uint8_t)(17 * i)}},
                                         .def = {.measure = i == 1 ? LIMIT_TOKENS : LIMIT_COST,
                                                 .window = LIMIT_BUDGET,
                                                 .value = INT64_C(1) << 60}},
                               .strict = true,
                               .deny = true,
                               .amount = 1000};
        grant(&uses[i], column, i);
    }
}

static int64_t cpu_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One request: taken, noted, charged less than reserved, freed. */
static void run(struct limit_use *uses, size_t count, bool whole)
{
    static struct slot slot;
    size_t which;
    MUST(limits_take(limits, &now, uses, count, &which));
    if (!whole) {
        limits_give_back(limits, &now, uses, count);
        return;
    }
    slot.reserve_count = 0;
    limits_note(uses, count, &slot);
    slot.charge_nanousd = 700;
    limits_charge(limits, &slot);
    limits_freed(limits, &slot);
}

static void measure(const char *name, struct limit_use *uses, size_t count, bool whole)
{
    int64_t ns[ROUNDS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        int64_t begin = cpu_ns();
        for (unsigned i = 0; i < RUNS; i++)
            run(uses, count, whole);
        ns[round] = (cpu_ns() - begin) / RUNS;
    }
    qsort(ns, ROUNDS, sizeof ns[0], compare);
    printf("{\"step\":\"%s\",\"limits\":%zu,\"ns\":%lld}\n", name, count,
           (long long)ns[ROUNDS / 2]);
}

int main(void)
{
    const struct id node = {{1}};
    const struct limits_calls calls = {NULL, no_open, no_wish, no_fix};
    struct limit_use uses[USES];
    uint32_t column;
    now = (struct limits_now){.mono_ms = clock_mono_ms(), .utc_ms = clock_utc_ms()};
    MUST(segment_create(1, SLOTS, COUNTERS, &node, 1, &segment));
    MUST(segment_assign(&segment, 0, 1, &column));
    MUST(limits_open(&segment, column, &calls, &limits));
    fill_uses(uses, column);
    measure("check", uses, 1, false);
    measure("check", uses, USES, false);
    measure("check_and_settle", uses, 1, true);
    measure("check_and_settle", uses, USES, true);
    limits_close(limits);
    segment_close(&segment);
    return 0;
}
