/* limits_internal.h: what the files of the worker's accounts share. For limits*.c only.
 *
 *   limits_rows.c   which row a counter is taken from; announcing it, letting go of it
 *   limits.c        taking and giving back; asking for more
 *   limits_slots.c  from what was taken to what a slot carries and is charged; what people are told
 *
 *   available = given - returned - spent - held
 *
 * given is the courier's word, returned and spent ours in shared memory, held our own sum over the slots that are not free
 * and the permits in use.
 */
#ifndef SLUICE_DATA_LIMITS_INTERNAL_H
#define SLUICE_DATA_LIMITS_INTERNAL_H

#include "data-plane/limits.h"

#define LIMITS_MAGIC        0x4C494D54u
#define LIMITS_ASK_MS       1000 /* the same question is asked again after so long */
#define LIMITS_ASKED_PLACES 256

/* This worker's side of one row. */
struct mine {
    int64_t held;
    uint32_t refs;       /* slots and permits that refer to the row */
    uint32_t generation; /* of the use that we announced; 0: none */
    uint32_t listed;     /* place in `list`, from 1 */
    uint32_t recall_seen;
    bool mapped;  /* the map leads here: it is where the counter is taken from now */
    bool gave_up; /* whose need was told may wait no longer */
    int64_t used_ms, rang_ms;
    int64_t given_seen, given_ms, chunk; /* the last grant: when, and how much */
    int64_t local_left, local_ms;        /* with the control plane away */
};

struct place {
    struct id counter;
    uint32_t row; /* from 1; 0: free */
};

struct asked {
    struct id counter;
    int64_t value, anew_ms; /* the definition that was told */
    int64_t mono_ms;
};

struct limits {
    uint32_t magic;
    struct segment segment;
    uint32_t column, listed;
    struct limits_calls calls;
    struct mine *mine; /* one per row */
    uint32_t *list;    /* rows that we use */
    struct place *map; /* open addressing by the counter's first bytes */
    uint32_t map_mask;
    struct asked asked[LIMITS_ASKED_PLACES];
};

static inline int64_t limits_get(const _Atomic int64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* Our own words: nobody else writes them. */
static inline void limits_put(_Atomic int64_t *word, int64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static inline struct counter *limits_counter(const struct limits *limits, uint32_t row)
{
    return segment_counter(&limits->segment, row);
}

static inline struct account *limits_account(const struct limits *limits, uint32_t row)
{
    return segment_account(&limits->segment, limits->column, row);
}

static inline int64_t limits_available(const struct limits *limits, uint32_t row)
{
    const struct account *account = limits_account(limits, row);
    return limits_get(&account->given) - limits_get(&account->returned) - limits_get(&account->spent) -
           limits->mine[row].held;
}

static inline void limits_hold(struct limits *limits, uint32_t row, int64_t more)
{
    limits->mine[row].held += more;
    limits_put(&limits_account(limits, row)->held, limits->mine[row].held);
}

static inline bool limits_is_budget(const struct limit_use *use)
{
    return use->limit.def.window == LIMIT_BUDGET;
}

static inline bool limits_is_permit(const struct limit_use *use)
{
    return use->limit.def.measure == LIMIT_CONCURRENCY;
}

/* The row that a use is taken from now; LIMITS_NO_ROW: asked for. */
uint32_t limits_row_of(struct limits *limits, const struct limits_now *now, const struct limit_use *use);
/* The row of a counter as it is mapped, without asking; LIMITS_NO_ROW: none. */
uint32_t limits_row_known(const struct limits *limits, const struct id *counter);
/* The epoch is over, or the row closes. */
bool limits_is_over(const struct counter *counter, const struct limits_now *now);
/* Everything that is not reserved goes back. True if that was something. */
bool limits_return_rest(struct limits *limits, uint32_t row);
void limits_drop_ref(struct limits *limits, uint32_t row);
/* The lease of a rate or of permits has ended. */
bool limits_has_lapsed(const struct limits *limits, uint32_t row, const struct limits_now *now);

#endif
