/* collector.c: see collector.h.
 *
 * Exactly once: a slot is marked only after its event is durable, and a slot that was written but
 * not marked when an earlier courier died is recognised by its attempt, because at most the last
 * batch of the journal can be in that state (marking a batch comes before writing the next).
 * Invariant: between two appends every slot of the first is marked. Must never: mark what is not
 * durable, or hold a slot pointer across a pass.
 */
#include "data-plane/courier/collector.h"

#include "common/guard.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "data-plane/courier/slot_event.h"

#define COLLECTOR_MAGIC       0x434F4C4Cu
#define COLLECTOR_BATCH       512
#define COLLECTOR_EXIT_IO     74  /* sysexits EX_IOERR */
#define COLLECTOR_LAST_PASSES 256 /* once told to stop: until nothing is left, not for ever */

_Static_assert(COLLECTOR_BATCH <= JOURNAL_BATCH_MAX, "one append");

struct attempt_mark {
    uint32_t epoch;
    uint64_t n;
};

struct column_batch {
    uint32_t column;
    bool dead;
    size_t first, count; /* in `slots` */
};

struct collector {
    uint32_t magic;
    struct collector_config config;
    pthread_t thread;
    bool threaded;
    int bell;
    _Atomic bool stop;
    struct attempt_mark *written; /* of an earlier courier: may be journaled and not marked */
    size_t written_count;
    uint32_t next_column; /* where the next pass begins, so that none starves */
    size_t slot_count, event_count, batch_count;
    struct slot *slots[COLLECTOR_BATCH];
    struct column_batch batches[SEGMENT_MAX_COLUMNS];
    Sluice__UsageEvent *events[COLLECTOR_BATCH];
    struct slot_event rooms[COLLECTOR_BATCH];
};

/* --- what an earlier courier wrote and did not mark --- */

static int mark_compare(const void *a, const void *b)
{
    const struct attempt_mark *left = a, *right = b;
    if (left->epoch != right->epoch)
        return left->epoch < right->epoch ? -1 : 1;
    return left->n < right->n ? -1 : left->n > right->n;
}

static uint64_t get_be(const uint8_t *p, unsigned n)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

static enum status written_load(struct collector *collector)
{
    struct arena arena;
    uint64_t last = journal_last_seq(collector->config.journal);
    uint64_t seq = last > JOURNAL_BATCH_MAX ? last - JOURNAL_BATCH_MAX + 1 : 1;
    enum status status = ST_OK;
    collector->written = calloc(JOURNAL_BATCH_MAX, sizeof *collector->written);
    if (collector->written == NULL)
        return ST_NO_MEMORY;
    arena_init(&arena, 64u << 20);
    while (status == ST_OK && seq <= last) {
        Sluice__UsageBatch *batch;
        status = journal_read(collector->config.journal, collector->config.boot, seq,
                              JOURNAL_BATCH_MAX, SIZE_MAX, &arena, &batch);
        for (size_t i = 0; status == ST_OK && i < batch->n_events; i++) {
            const ProtobufCBinaryData *id = &batch->events[i]->attempt_id;
            if (id->len == ATTEMPT_ID_BYTES && collector->written_count < JOURNAL_BATCH_MAX)
                collector->written[collector->written_count++] = (struct attempt_mark){
                    (uint32_t)get_be(id->data + 24, 4), get_be(id->data + 28, 8)};
        }
        if (status == ST_OK)
            seq = batch->first_seq + batch->n_events;
    }
    arena_free(&arena);
    qsort(collector->written, collector->written_count, sizeof *collector->written, mark_compare);
    return status == ST_END ? ST_OK : status;
}

static bool is_written(const struct collector *collector, const struct slot *slot)
{
    struct attempt_mark mark = {slot->attempt_epoch, slot->attempt_n};
    return slots_is_journaled(slot) || (collector->written_count > 0 &&
                                        bsearch(&mark, collector->written, collector->written_count,
                                                sizeof mark, mark_compare) != NULL);
}

/* --- one pass --- */

static void gather_column(struct collector *collector, uint32_t column)
{
    const struct segment *segment = collector->config.segment;
    uint32_t state =
        atomic_load_explicit(&segment_column(segment, column)->state, memory_order_acquire);
    struct column_batch batch = {
        .column = column, .dead = state == COLUMN_DEAD, .first = collector->slot_count};
    struct slot **room = collector->slots + collector->slot_count;
    size_t max = COLLECTOR_BATCH - collector->slot_count;
    if (state == COLUMN_UNUSED || max == 0)
        return;
    batch.count = batch.dead ? slots_recover(segment, column, clock_utc_ms(), room, max)
                             : slots_take_done(segment, column, room, max);
    if (batch.count == 0 && !batch.dead)
        return;
    collector->slot_count += batch.count;
    collector->batches[collector->batch_count++] = batch;
}

static void gather(struct collector *collector)
{
    const struct segment *segment = collector->config.segment;
    collector->slot_count = collector->batch_count = collector->event_count = 0;
    for (uint32_t i = 0; i < segment->columns; i++)
        gather_column(collector, (collector->next_column + i) % segment->columns);
    collector->next_column = (collector->next_column + 1) % segment->columns;
    for (size_t i = 0; i < collector->slot_count; i++) {
        if (is_written(collector, collector->slots[i]))
            continue;
        struct slot_event *room = &collector->rooms[collector->event_count];
        slot_event_fill(room, collector->config.segment, collector->slots[i],
                        &collector->config.node, collector->config.boot);
        collector->events[collector->event_count++] = &room->event;
    }
}

/* Nothing is left to be journaled in a dead column: its accounts are closed, its gauges no longer
 * mean anything, and the master may use it again. */
static void column_release(const struct collector *collector, uint32_t column)
{
    const struct segment *segment = collector->config.segment;
    const struct grants_now now = {clock_mono_ms(), clock_utc_ms()};
    struct metrics metrics;
    if (collector->config.grants != NULL)
        grants_close_column(collector->config.grants, &now, column);
    else
        slots_close_dead(segment, column);
    metrics_bind(&metrics, segment_metrics(segment, column), SEGMENT_METRICS);
    metrics_forget_gauges(&metrics);
    segment_release(segment, column);
    log_info("column_recovered", LOG_U64("column", column));
}

static void mark(struct collector *collector)
{
    const struct segment *segment = collector->config.segment;
    for (size_t i = 0; i < collector->batch_count; i++) {
        const struct column_batch *batch = &collector->batches[i];
        struct slot *const *slots = collector->slots + batch->first;
        if (!batch->dead)
            slots_mark_journaled(segment, batch->column, slots, batch->count);
        else if (batch->count > 0)
            slots_mark_recovered(slots, batch->count);
        else
            column_release(collector, batch->column);
    }
}

enum status collector_pass(struct collector *collector, size_t *stored)
{
    CHECK_OBJ(collector, COLLECTOR_MAGIC);
    gather(collector);
    if (GUARD_OFF("journal"))
        collector->event_count = 0;
    TRY(journal_append(collector->config.journal, collector->events, collector->event_count));
    for (size_t i = 0; i < collector->event_count && collector->config.grants != NULL; i++)
        grants_journaled(collector->config.grants, &collector->rooms[i].slot,
                         collector->rooms[i].untold);
    mark(collector);
    if (collector->event_count > 0 && collector->config.stored != NULL)
        collector->config.stored(collector->config.arg);
    if (collector->slot_count == 0)
        collector->written_count = 0; /* all that could stand unmarked is marked */
    *stored = collector->slot_count;
    return ST_OK;
}

/* --- the thread --- */

static void tell_workers(const struct collector *collector, bool sleeps)
{
    const struct segment *segment = collector->config.segment;
    for (uint32_t i = 0; i < segment->columns; i++)
        slots_courier_sleeps(segment, i, sleeps);
}

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* After the flag is set, one more look: a slot that came before it rang for nobody. */
static void sleep_until_rung(struct collector *collector)
{
    uint64_t rings;
    struct slot *one;
    bool waits = false;
    tell_workers(collector, true);
    for (uint32_t i = 0; i < collector->config.segment->columns && !waits; i++)
        waits = slots_take_done(collector->config.segment, i, &one, 1) > 0;
    struct pollfd bell = {.fd = collector->bell, .events = POLLIN};
    if (!waits && !collector->stop && poll(&bell, 1, COLLECTOR_IDLE_MS) > 0)
        (void)!read(collector->bell, &rings, sizeof rings);
    tell_workers(collector, false);
}

static void *collector_main(void *arg)
{
    struct collector *collector = arg;
    bool full_said = false;
    for (unsigned last = 0; last < COLLECTOR_LAST_PASSES;) {
        size_t stored = 0;
        last += collector->stop;
        enum status status = collector_pass(collector, &stored);
        if (status == ST_STORE_FULL || status == ST_NO_MEMORY) {
            if (!full_said)
                log_error("journal_full", LOG_STATUS(status));
            full_said = true;
            pause_ms(COLLECTOR_FULL_MS);
        } else if (status != ST_OK) {
            log_error("journal_failed", LOG_STATUS(status));
            _exit(COLLECTOR_EXIT_IO);
        } else {
            full_said = false;
        }
        if (last > 0 && (stored == 0 || status != ST_OK))
            break;
        if (stored == 0 && status == ST_OK && !collector->stop)
            sleep_until_rung(collector);
        if (!collector->stop)
            pause_ms(COLLECTOR_GATHER_MS);
    }
    return NULL;
}

enum status collector_new(const struct collector_config *config, struct collector **collector)
{
    struct collector *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    made->magic = COLLECTOR_MAGIC;
    made->config = *config;
    made->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum status status = made->bell < 0 ? ST_IO : written_load(made);
    if (status != ST_OK) {
        collector_free(made);
        return status;
    }
    for (uint32_t i = 0; i < config->segment->columns; i++) {
        uint32_t state = atomic_load(&segment_column(config->segment, i)->state);
        if (state == COLUMN_LIVE || state == COLUMN_DRAINING)
            slots_take_over(config->segment, i);
    }
    *collector = made;
    return ST_OK;
}

void collector_free(struct collector *collector)
{
    if (collector == NULL)
        return;
    if (collector->bell >= 0)
        close(collector->bell);
    free(collector->written);
    free(collector);
}

enum status collector_start(const struct collector_config *config, struct collector **collector)
{
    struct collector *made;
    TRY(collector_new(config, &made));
    if (pthread_create(&made->thread, NULL, collector_main, made) != 0) {
        collector_free(made);
        return ST_NO_MEMORY;
    }
    made->threaded = true;
    *collector = made;
    return ST_OK;
}

void collector_wake(struct collector *collector)
{
    uint64_t one = 1;
    (void)!write(collector->bell, &one, sizeof one);
}

void collector_stop(struct collector *collector)
{
    if (collector == NULL)
        return;
    CHECK_OBJ(collector, COLLECTOR_MAGIC);
    collector->stop = true;
    collector_wake(collector);
    if (collector->threaded)
        pthread_join(collector->thread, NULL);
    collector_free(collector);
}
