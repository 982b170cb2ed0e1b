/* limits_rows.c: which row of the counter table a counter is taken from, and who says so.
 *
 *   unknown -> open -> limits_opened -> announced (account.uses) -> mapped
 *   mapped  -> over, closing, idle, or the counter moved to another epoch -> not mapped
 *   not mapped and the last slot is freed -> what is left returned, account.uses = 0
 *
 * Invariant: a row that anything of ours refers to stays announced, so that the courier cannot use
 * it for another counter; and nothing is taken from a row that is not.
 */
#include <stdlib.h>

#include "data-plane/limits_internal.h"

#define OPEN_MS       100 /* a row is asked for again after so long */
#define IDLE_MS       60000
#define IDLE_TIGHT_MS 2000

/* --- life --- */

enum status limits_open(const struct segment *segment, uint32_t column,
                        const struct limits_calls *calls, struct limits **out)
{
    struct limits *limits = calloc(1, sizeof *limits);
    uint32_t places = 4;
    if (limits == NULL)
        return ST_NO_MEMORY;
    while (places < 2 * segment->counter_count)
        places *= 2;
    *limits = (struct limits){.magic = LIMITS_MAGIC,
                              .segment = *segment,
                              .column = column,
                              .calls = *calls,
                              .map_mask = places - 1};
    limits->mine = calloc(segment->counter_count, sizeof *limits->mine);
    limits->list = calloc(segment->counter_count, sizeof *limits->list);
    limits->map = calloc(places, sizeof *limits->map);
    if (limits->mine == NULL || limits->list == NULL || limits->map == NULL) {
        limits_close(limits);
        return ST_NO_MEMORY;
    }
    *out = limits;
    return ST_OK;
}

void limits_close(struct limits *limits)
{
    if (limits == NULL)
        return;
    CHECK_OBJ(limits, LIMITS_MAGIC);
    limits->magic = 0;
    free(limits->mine);
    free(limits->list);
    free(limits->map);
    free(limits);
}

/* --- counters to rows --- */

/* Names of counters are hashes: their first bytes are as good as any hash of them. */
static uint32_t place_of(const struct limits *limits, const struct id *counter)
{
    uint32_t first;
    memcpy(&first, counter->b, sizeof first);
    return first & limits->map_mask;
}

static struct place *map_find(const struct limits *limits, const struct id *counter)
{
    uint32_t at = place_of(limits, counter);
    while (limits->map[at].row != 0 && !id_eq(&limits->map[at].counter, counter))
        at = (at + 1) & limits->map_mask;
    return &limits->map[at];
}

/* Closes the gap, so that no search ends early. */
static void map_remove(struct limits *limits, struct place *place)
{
    uint32_t gap = (uint32_t)(place - limits->map), at = gap;
    limits->map[gap].row = 0;
    for (;;) {
        at = (at + 1) & limits->map_mask;
        if (limits->map[at].row == 0)
            return;
        uint32_t home = place_of(limits, &limits->map[at].counter);
        if (((at - home) & limits->map_mask) < ((at - gap) & limits->map_mask))
            continue;
        limits->map[gap] = limits->map[at];
        limits->map[at].row = 0;
        gap = at;
    }
}

static void unmap(struct limits *limits, uint32_t row)
{
    struct mine *mine = &limits->mine[row];
    if (!mine->mapped)
        return;
    mine->mapped = false;
    struct place *place = map_find(limits, &limits_counter(limits, row)->id);
    if (place->row == row + 1)
        map_remove(limits, place);
}

bool limits_return_rest(struct limits *limits, uint32_t row)
{
    struct account *account = limits_account(limits, row);
    int64_t rest = limits_available(limits, row);
    if (rest <= 0)
        return false;
    limits_put(&account->returned, limits_get(&account->returned) + rest);
    return true;
}

/* The last reference is gone: the row may be used for another counter. */
static void let_go(struct limits *limits, uint32_t row)
{
    struct mine *mine = &limits->mine[row];
    struct account *account = limits_account(limits, row);
    unmap(limits, row);
    if (mine->refs > 0 || mine->generation == 0)
        return;
    limits_return_rest(limits, row);
    limits_put(&account->want, 0);
    limits_put(&account->need, 0);
    uint32_t last = limits->list[--limits->listed];
    limits->list[mine->listed - 1] = last;
    limits->mine[last].listed = mine->listed;
    *mine = (struct mine){0};
    atomic_store_explicit(&account->uses, 0, memory_order_release);
    limits->calls.wish(limits->calls.arg, row);
}

/* Announces our use, then looks again: either the courier sees it, or we see that it closes the
 * row.
 */
static bool announce(struct limits *limits, uint32_t row, const struct id *name,
                     uint32_t generation)
{
    struct counter *counter = limits_counter(limits, row);
    struct account *account = limits_account(limits, row);
    atomic_store(&account->uses, generation);
    if (atomic_load(&counter->state) == COUNTER_LIVE &&
        atomic_load(&counter->generation) == generation && id_eq(&counter->id, name))
        return true;
    atomic_store(&account->uses, 0);
    return false;
}

void limits_opened(struct limits *limits, const struct id *counter, enum status status,
                   uint32_t row, uint32_t generation)
{
    CHECK_OBJ(limits, LIMITS_MAGIC);
    if (status != ST_OK || row >= limits->segment.counter_count || generation == 0)
        return;
    struct mine *mine = &limits->mine[row];
    struct place *place = map_find(limits, counter);
    if (place->row == row + 1 && mine->generation == generation)
        return;
    if (mine->generation == 0) {
        if (!announce(limits, row, counter, generation))
            return;
        const struct account *account = limits_account(limits, row);
        *mine = (struct mine){.generation = generation,
                              .listed = limits->listed + 1,
                              .recall_seen = limits_counter(limits, row)->recall,
                              .given_seen = limits_get(&account->given)};
        limits->list[limits->listed++] = row;
        limits_hold(limits, row, 0);
    } else if (mine->generation != generation ||
               !id_eq(&limits_counter(limits, row)->id, counter)) {
        return; /* an answer that came late */
    }
    if (place->row != 0)
        let_go(limits, place->row - 1); /* the counter moved to another epoch */
    place = map_find(limits, counter);
    *place = (struct place){*counter, row + 1};
    mine->mapped = true;
}

bool limits_is_over(const struct counter *counter, const struct limits_now *now)
{
    int64_t ends_ms = limits_get(&counter->ends_ms);
    return atomic_load_explicit(&counter->state, memory_order_acquire) != COUNTER_LIVE ||
           (ends_ms != 0 && now->utc_ms >= ends_ms);
}

static void ask_open(struct limits *limits, const struct limits_now *now,
                     const struct limit_use *use, int64_t again_ms)
{
    struct asked *asked = &limits->asked[use->limit.counter.b[4] % LIMITS_ASKED_PLACES];
    if (id_eq(&asked->counter, &use->limit.counter) && asked->value == use->limit.def.value &&
        asked->anew_ms == use->limit.anew_ms && asked->mono_ms != 0 &&
        now->mono_ms - asked->mono_ms < again_ms)
        return;
    *asked = (struct asked){use->limit.counter, use->limit.def.value, use->limit.anew_ms,
                            now->mono_ms};
    limits->calls.open(limits->calls.arg, use);
}

uint32_t limits_row_of(struct limits *limits, const struct limits_now *now,
                       const struct limit_use *use)
{
    const struct place *place = map_find(limits, &use->limit.counter);
    if (place->row == 0) {
        ask_open(limits, now, use, OPEN_MS);
        return LIMITS_NO_ROW;
    }
    uint32_t row = place->row - 1;
    const struct counter *counter = limits_counter(limits, row);
    if (limits_is_over(counter, now)) {
        let_go(limits, row);
        ask_open(limits, now, use, OPEN_MS);
        return LIMITS_NO_ROW;
    }
    bool changed = limits_get(&counter->value) != use->limit.def.value ||
                   limits_get(&counter->anew_ms) != use->limit.anew_ms;
    bool silent = limits_get(&counter->heard_ms) == 0 ||
                  atomic_load_explicit(&counter->verdict, memory_order_relaxed) == COUNTER_GONE;
    if (changed || silent)
        ask_open(limits, now, use, LIMITS_ASK_MS);
    return row;
}

uint32_t limits_row_known(const struct limits *limits, const struct id *counter)
{
    const struct place *place = map_find(limits, counter);
    return place->row == 0 ? LIMITS_NO_ROW : place->row - 1;
}

void limits_drop_ref(struct limits *limits, uint32_t row)
{
    struct mine *mine = &limits->mine[row];
    CHECK(mine->refs > 0);
    if (--mine->refs == 0 && !mine->mapped)
        let_go(limits, row);
}

bool limits_has_lapsed(const struct limits *limits, uint32_t row, const struct limits_now *now)
{
    int64_t until_ms = limits_get(&limits_counter(limits, row)->lease_until_ms);
    return until_ms != 0 && now->mono_ms >= until_ms;
}

void limits_recalled(struct limits *limits, uint32_t row)
{
    CHECK_OBJ(limits, LIMITS_MAGIC);
    if (row >= limits->segment.counter_count || limits->mine[row].generation == 0)
        return;
    const struct counter *counter = limits_counter(limits, row);
    uint32_t recall = atomic_load_explicit(&counter->recall, memory_order_acquire);
    if (recall == limits->mine[row].recall_seen)
        return;
    limits->mine[row].recall_seen = recall;
    if (atomic_load_explicit(&counter->recall_keeper, memory_order_relaxed) == limits->column)
        return;
    limits_put(&limits_account(limits, row)->want, 0);
    if (limits_return_rest(limits, row))
        limits->calls.wish(limits->calls.arg, row);
}

static void beat_row(struct limits *limits, const struct limits_now *now, uint32_t row)
{
    struct mine *mine = &limits->mine[row];
    struct account *account = limits_account(limits, row);
    bool tight = atomic_load_explicit(&limits->segment.head->status.counters_tight,
                                      memory_order_relaxed) != 0;
    int64_t idle_ms = now->mono_ms - mine->used_ms;
    limits_recalled(limits, row);
    if (limits_get(&account->need) != 0 && now->mono_ms - mine->rang_ms >= LIMITS_ASK_MS)
        limits_put(&account->need, 0); /* whoever waited has gone */
    if (limits_has_lapsed(limits, row, now))
        (void)limits_return_rest(limits, row);
    if (!mine->mapped || limits_is_over(limits_counter(limits, row), now) ||
        (mine->refs == 0 && idle_ms >= (tight ? IDLE_TIGHT_MS : IDLE_MS)))
        let_go(limits, row);
}

void limits_beat(struct limits *limits, const struct limits_now *now)
{
    CHECK_OBJ(limits, LIMITS_MAGIC);
    for (uint32_t i = limits->listed; i > 0; i--) /* from the end: letting go moves the last */
        beat_row(limits, now, limits->list[i - 1]);
}
