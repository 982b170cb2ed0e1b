/* breaker.c: circuit breakers over columns of shared memory (breaker.h).
 *
 *   columns    worker 0      worker 1      worker 2         verdict for a key
 *   opened        -           12:00:05      12:00:01   ->   opened 12:00:05 (newest)
 *   closed     12:00:03          -             -       ->   closed 12:00:03 (newest)  => open
 *
 * Nobody changes another's word: a worker closes what another opened by writing a newer `closed` of
 * its own. What was counted before the newest closing is not counted again. Invariant: a word has
 * one writer; a reader takes any value as a number and no more. Races cost at most one probe more
 * per worker.
 */
#include "data-plane/breaker.h"

#include <stdlib.h>

#define BREAKER_MAGIC 0x42524B31u
#define WINDOW_MS     10000
#define STREAK_MS     30000 /* older failures are not part of a row */
#define PROBE_LOST_MS 30000 /* a probe that did not come back by then may be followed by another   \
                             */
#define REPEAT_MS     60000 /* opened again so soon after closing: a longer pause */
#define LEVEL_MAX     8u
#define RING          8u
#define COUNT_MAX     0xFFFFu
#define SLOW_MS       10000
#define SLOW_TIMES    5
#define USUAL_SAMPLES 20u /* before "usual" means something */

/* What this worker alone knows of its cells. */
struct own_cell {
    int64_t touched_ms;
    uint32_t samples;
    int64_t usual_ms; /* moving mean of the time to the first byte */
};

struct breaker {
    uint32_t magic;
    size_t count, own;
    struct breaker_column *columns[BREAKER_COLUMNS_MAX];
    struct own_cell cells[BREAKER_SETS][BREAKER_WAYS];
};

/* The newest words of all columns. */
struct verdict {
    uint64_t opened, closed, probing;
};

struct counts {
    uint64_t ok, failed, slow;
};

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

enum status breaker_new(struct breaker_column *const *columns, size_t count, size_t own,
                        struct breaker **breaker)
{
    if (count == 0 || count > BREAKER_COLUMNS_MAX || own >= count)
        return ST_INVALID;
    struct breaker *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    made->magic = BREAKER_MAGIC;
    made->count = count;
    made->own = own;
    memcpy(made->columns, columns, count * sizeof *columns);
    *breaker = made;
    return ST_OK;
}

void breaker_free(struct breaker *breaker)
{
    free(breaker);
}

/* --- cells --- */

static struct breaker_cell *find(struct breaker_column *column, uint64_t key)
{
    size_t set = key % BREAKER_SETS;
    for (size_t way = 0; way < BREAKER_WAYS; way++)
        if (atomic_load_explicit(&column->keys[set][way], memory_order_acquire) == key)
            return &column->cells[set][way];
    return NULL;
}

static void clear_cell(struct breaker_cell *cell)
{
    _Atomic uint64_t *words[] = {&cell->opened,    &cell->closed,    &cell->probing,
                                 &cell->window[0], &cell->window[1], &cell->last_ok_ms};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        store(words[i], 0);
    atomic_store_explicit(&cell->failures, 0, memory_order_relaxed);
}

/* This worker's cell for the key; the one that was quiet longest makes room. The key goes first and
 * comes last, so a reader of another process does not take one target's words for another's. */
static struct breaker_cell *own_cell(struct breaker *breaker, uint64_t key, int64_t now_ms,
                                     struct own_cell **mine)
{
    struct breaker_column *column = breaker->columns[breaker->own];
    struct own_cell *set = breaker->cells[key % BREAKER_SETS];
    _Atomic uint64_t *keys = column->keys[key % BREAKER_SETS];
    size_t at = 0, way = 0;
    for (; way < BREAKER_WAYS && load(&keys[way]) != key; way++)
        if (set[way].touched_ms < set[at].touched_ms)
            at = way;
    if (way < BREAKER_WAYS) {
        at = way;
    } else {
        store(&keys[at], 0);
        atomic_thread_fence(memory_order_release);
        clear_cell(&column->cells[key % BREAKER_SETS][at]);
        set[at] = (struct own_cell){.touched_ms = now_ms};
        atomic_store_explicit(&keys[at], key, memory_order_release);
    }
    set[at].touched_ms = now_ms;
    *mine = &set[at];
    return &column->cells[key % BREAKER_SETS][at];
}

/* --- verdicts --- */

static uint64_t newer(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static struct verdict read_verdict(const struct breaker *breaker, uint64_t key)
{
    struct verdict out = {0, 0, 0};
    for (size_t i = 0; i < breaker->count; i++) {
        const struct breaker_cell *cell = find(breaker->columns[i], key);
        if (cell == NULL)
            continue;
        out.opened = newer(out.opened, load(&cell->opened));
        out.closed = newer(out.closed, load(&cell->closed));
        out.probing = newer(out.probing, load(&cell->probing));
    }
    return out;
}

static int64_t ms_of(uint64_t word)
{
    return (int64_t)(word >> 8);
}

static uint64_t word_of(int64_t ms, unsigned level)
{
    return (uint64_t)ms << 8 | level;
}

static bool is_open(const struct verdict *verdict)
{
    return ms_of(verdict->opened) > ms_of(verdict->closed);
}

static unsigned level_of(const struct verdict *verdict)
{
    unsigned level = verdict->opened & 0xFF;
    return level < LEVEL_MAX ? level : LEVEL_MAX;
}

static bool is_pausing(const struct verdict *verdict, int64_t now_ms)
{
    int64_t pause_ms = (int64_t)BREAKER_PAUSE_MS << level_of(verdict);
    if (pause_ms > BREAKER_PAUSE_MAX_MS)
        pause_ms = BREAKER_PAUSE_MAX_MS;
    return now_ms - ms_of(verdict->opened) < pause_ms;
}

static bool is_probed(const struct verdict *verdict, int64_t now_ms)
{
    return ms_of(verdict->probing) > ms_of(verdict->opened) &&
           now_ms - ms_of(verdict->probing) < PROBE_LOST_MS;
}

bool breaker_is_cooled(const struct breaker *breaker, uint64_t key, int64_t now_ms)
{
    CHECK_OBJ(breaker, BREAKER_MAGIC);
    struct verdict verdict = read_verdict(breaker, key);
    return is_open(&verdict) && (is_pausing(&verdict, now_ms) || is_probed(&verdict, now_ms));
}

struct breaker_ticket breaker_begin(struct breaker *breaker, uint64_t key, int64_t now_ms)
{
    CHECK_OBJ(breaker, BREAKER_MAGIC);
    struct breaker_ticket ticket = {key, now_ms, false};
    struct verdict verdict = read_verdict(breaker, key);
    struct own_cell *mine;
    ticket.probe =
        is_open(&verdict) && !is_pausing(&verdict, now_ms) && !is_probed(&verdict, now_ms);
    if (ticket.probe)
        store(&own_cell(breaker, key, now_ms, &mine)->probing, word_of(now_ms, 0));
    return ticket;
}

/* --- counting --- */

static uint64_t window_of(int64_t now_ms)
{
    return (uint64_t)(now_ms / WINDOW_MS) & 0xFFFF;
}

static struct counts unpack(uint64_t word)
{
    return (struct counts){word >> 32 & 0xFFFF, word >> 16 & 0xFFFF, word & 0xFFFF};
}

/* Counts that would not fit are halved, all of them: their relation is what matters. */
static void count(struct breaker_cell *cell, int64_t now_ms, bool failed, bool slow)
{
    uint64_t number = window_of(now_ms);
    _Atomic uint64_t *window = &cell->window[number & 1];
    uint64_t word = load(window);
    struct counts counts = {0, 0, 0};
    if (word >> 48 == number)
        counts = unpack(word);
    if (counts.ok == COUNT_MAX || counts.failed == COUNT_MAX || counts.slow == COUNT_MAX)
        counts = (struct counts){counts.ok / 2, counts.failed / 2, counts.slow / 2};
    counts.ok += !failed && !slow;
    counts.failed += failed;
    counts.slow += slow;
    store(window, number << 48 | counts.ok << 32 | counts.failed << 16 | counts.slow);
}

/* What all workers counted in this window and the one before, begun after the last closing. */
static struct counts sum_counts(const struct breaker *breaker, uint64_t key,
                                const struct verdict *verdict, int64_t now_ms)
{
    struct counts sum = {0, 0, 0};
    for (size_t i = 0; i < breaker->count; i++) {
        const struct breaker_cell *cell = find(breaker->columns[i], key);
        for (int64_t back = 0; cell != NULL && back < 2; back++) {
            int64_t at_ms = now_ms - back * WINDOW_MS;
            uint64_t number = window_of(at_ms), word = load(&cell->window[number & 1]);
            int64_t begun_ms = at_ms / WINDOW_MS * WINDOW_MS;
            if (word >> 48 != number || begun_ms < ms_of(verdict->closed))
                continue;
            struct counts counts = unpack(word);
            sum.ok += counts.ok;
            sum.failed += counts.failed;
            sum.slow += counts.slow;
        }
    }
    return sum;
}

/* Failures of all workers since the last success of any, or the last closing. */
static unsigned count_streak(const struct breaker *breaker, uint64_t key,
                             const struct verdict *verdict, int64_t now_ms)
{
    int64_t since_ms = ms_of(verdict->closed);
    unsigned streak = 0;
    for (size_t i = 0; i < breaker->count; i++) {
        const struct breaker_cell *cell = find(breaker->columns[i], key);
        int64_t ok_ms = cell == NULL ? 0 : (int64_t)load(&cell->last_ok_ms);
        since_ms = ok_ms > since_ms ? ok_ms : since_ms;
    }
    int64_t reach_ms = now_ms - since_ms < STREAK_MS ? now_ms - since_ms : STREAK_MS;
    for (size_t i = 0; i < breaker->count; i++) {
        const struct breaker_cell *cell = find(breaker->columns[i], key);
        if (cell == NULL)
            continue;
        uint32_t failures = atomic_load_explicit(&cell->failures, memory_order_acquire);
        for (uint32_t k = 0; k < RING && k < failures; k++) {
            uint32_t at = atomic_load_explicit(&cell->failed_at[k], memory_order_relaxed);
            streak += (int64_t)((uint32_t)now_ms - at) < reach_ms;
        }
    }
    return streak;
}

/* --- outcomes --- */

static void open_now(struct breaker_cell *cell, const struct verdict *verdict, int64_t now_ms,
                     bool again)
{
    unsigned level = again ? level_of(verdict) + 1 : 0;
    store(&cell->opened, word_of(now_ms, level < LEVEL_MAX ? level : LEVEL_MAX));
}

static bool is_too_much(const struct breaker *breaker, uint64_t key, const struct verdict *verdict,
                        int64_t now_ms)
{
    if (count_streak(breaker, key, verdict, now_ms) >= BREAKER_STREAK)
        return true;
    struct counts sum = sum_counts(breaker, key, verdict, now_ms);
    uint64_t total = sum.ok + sum.failed + sum.slow;
    return total >= BREAKER_SAMPLES && (sum.failed * 2 >= total || sum.slow * 5 >= total * 4);
}

/* Slow is what takes much longer than this target usually does; what is usual follows slowly, so a
 * target that has become slow for good is taken back in time. */
static bool judge_latency(struct own_cell *mine, int64_t first_byte_ms)
{
    if (first_byte_ms < 0)
        return false;
    bool slow = mine->samples >= USUAL_SAMPLES && first_byte_ms > SLOW_MS &&
                first_byte_ms > SLOW_TIMES * mine->usual_ms;
    int64_t weight = slow ? 64 : mine->samples < 16 ? (int64_t)mine->samples + 1 : 16;
    mine->usual_ms += (first_byte_ms - mine->usual_ms) / weight;
    mine->samples += mine->samples < UINT32_MAX;
    return slow;
}

static void note_failure(struct breaker_cell *cell, int64_t now_ms)
{
    uint32_t failures = atomic_load_explicit(&cell->failures, memory_order_relaxed);
    atomic_store_explicit(&cell->failed_at[failures % RING], (uint32_t)now_ms,
                          memory_order_relaxed);
    atomic_store_explicit(&cell->failures, failures + 1, memory_order_release);
}

void breaker_end(struct breaker *breaker, const struct breaker_ticket *ticket,
                 enum breaker_result result, int64_t first_byte_ms, int64_t now_ms)
{
    CHECK_OBJ(breaker, BREAKER_MAGIC);
    if (ticket->key == 0)
        return;
    struct own_cell *mine;
    struct breaker_cell *cell = own_cell(breaker, ticket->key, now_ms, &mine);
    if (ticket->probe)
        store(&cell->probing, 0);
    if (result == BREAKER_UNKNOWN)
        return;
    bool failed = result == BREAKER_FAILED, slow = !failed && judge_latency(mine, first_byte_ms);
    count(cell, now_ms, failed, slow);
    if (failed)
        note_failure(cell, now_ms);
    else
        store(&cell->last_ok_ms, (uint64_t)now_ms);
    struct verdict verdict = read_verdict(breaker, ticket->key);
    if (is_open(&verdict)) {
        bool after = ticket->started_ms >= ms_of(verdict.opened);
        if (after && !failed && !slow)
            store(&cell->closed, word_of(now_ms, 0));
        else if (ticket->probe)
            open_now(cell, &verdict, now_ms, true);
        return;
    }
    if ((failed || slow) && is_too_much(breaker, ticket->key, &verdict, now_ms))
        open_now(cell, &verdict, now_ms,
                 verdict.closed != 0 && now_ms - ms_of(verdict.closed) < REPEAT_MS);
}

enum breaker_result breaker_judge(int http_status)
{
    if (http_status < 400)
        return BREAKER_OK;
    bool failed =
        http_status >= 500 || http_status == 401 || http_status == 408 || http_status == 429;
    return failed ? BREAKER_FAILED : BREAKER_UNKNOWN;
}
