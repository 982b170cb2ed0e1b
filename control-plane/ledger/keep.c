/* keep.c: see keep.h.
 *
 *   entries -> what was adjusted of them -> hours -> metadata by day -> days
 *
 * In this order, because sums may go only where entries have gone before them.
 */
#include "control-plane/ledger/keep.h"

#include "common/clock.h"
#include "common/log.h"
#include "control-plane/ledger/rerate_post.h"

#define KEEP_ARENA_BYTES ((size_t)16 << 20)
#define DAY_HOURS        24u

struct drop {
    bool entries, adjusted, labels;
    enum rollup_period kind;
    uint32_t before; /* day, or hour */
    bool left;
};

static enum status drop_op(struct write_op *op, void *arg)
{
    struct drop *drop = arg;
    op->no_revision = true;
    if (drop->entries)
        return ledger_drop_events(op, drop->before, KEEP_ROWS, &drop->left);
    if (drop->adjusted)
        return rerate_drop(op, drop->before, KEEP_ROWS, &drop->left);
    return ledger_drop_sums(op, drop->kind, drop->labels, drop->before, KEEP_ROWS, &drop->left);
}

/* The first day that is kept at an age; 0: all. */
static uint32_t day_of(int64_t now_ms, int64_t age_ms)
{
    return now_ms <= age_ms ? 0 : (uint32_t)((now_ms - age_ms) / ROLLUP_DAY_MS);
}

/* False when the run is over: no time left, or a failure. */
static bool drop_all(struct writer *writer, struct drop *drop, int64_t end_ms)
{
    struct write_actor actor = {.type = "system"};
    struct arena arena;
    enum status status = ST_OK;
    drop->left = true;
    arena_init(&arena, KEEP_ARENA_BYTES);
    while (status == ST_OK && drop->left && clock_mono_ms() < end_ms) {
        status = writer_run(writer, &actor, &arena, drop_op, drop, NULL);
        arena_free(&arena);
    }
    if (status != ST_OK)
        log_warn("ledger_not_dropped", LOG_STATUS(status));
    return status == ST_OK && !drop->left;
}

void keep_run(struct writer *writer, const struct keep_options *options, int64_t now_ms,
              int64_t run_ms)
{
    int64_t end_ms = clock_mono_ms() + run_ms;
    uint32_t entries = day_of(now_ms, options->entries_ms),
             hours = day_of(now_ms, options->hours_ms), days = day_of(now_ms, options->days_ms);
    hours = hours < entries ? hours : entries;
    days = days < entries ? days : entries;
    struct drop drops[] = {
        {.entries = true, .before = entries},
        {.adjusted = true, .before = entries},
        {.kind = ROLLUP_HOUR, .before = hours * DAY_HOURS},
        {.kind = ROLLUP_DAY, .labels = true, .before = hours},
        {.kind = ROLLUP_DAY, .before = days},
    };
    for (size_t i = 0; i < COUNT_OF(drops); i++)
        if (drops[i].before > 0 && !drop_all(writer, &drops[i], end_ms))
            return;
}
