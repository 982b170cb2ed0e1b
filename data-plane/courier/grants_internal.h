/* grants_internal.h: what the files of the host's books share. For grants*.c only; everything under the lock.
 *
 *   grants.c        life, rows and their names, what workers and the collector say
 *   grants_deal.c   what a row has, and who gets it
 *   grants_ask.c    what is said to the control plane, and what its answers change
 */
#ifndef SLUICE_DATA_COURIER_GRANTS_INTERNAL_H
#define SLUICE_DATA_COURIER_GRANTS_INTERNAL_H

#include <pthread.h>

#include "common/limit.h"
#include "data-plane/courier/grants.h"

#define GRANTS_MAGIC     0x4752414Eu
#define GRANTS_ASK_MS    1000 /* a verdict stands, and a question that was not answered waits, so long */
#define GRANTS_RECALL_MS 30   /* workers have so long to return what they do not need */
#define GRANTS_KEEP_MS   200  /* what another host asked back is let go of as it comes in, so long */
#define GRANTS_UNUSED_MS 5000 /* a row that no worker uses is returned after so long */

struct fix {
    int64_t utc_ms, add;
};

/* What is only remembered here. */
struct row {
    struct ipc_counter *ref; /* malloc'ed; NULL: a predecessor had it */
    uint32_t next;           /* of the same hash, from 1 */
    bool todo;               /* in grants.todo */
    bool ask;                /* to be named in the next request, whatever it has */
    bool wished;             /* a worker rang since it was last named */
    bool sent_idle;          /* the request in flight hands it back */
    int64_t sent_ms;         /* when it was last named */
    int64_t lease_ms;        /* of rates and permits, as last told; 0 = none */
    int64_t verdict_due_ms;  /* refused by the control plane; until then workers may return some. 0 = no */
    int64_t said_returned, said_spent; /* what the control plane has heard */
    int64_t sent_returned, sent_spent, sent_wanted; /* in the request that is in flight */
    int64_t scant_until_ms; /* little came of the last wish: none is told until then */
    int64_t recalled_ms;
    int64_t keep, keep_until_ms; /* another host waits: what is beyond `keep` goes back as it comes in */
    int64_t unused_ms;           /* since when nobody uses it; 0: somebody does */
    struct fix *fixes;           /* malloc'ed, GRANTS_FIXES_MAX */
    uint32_t fix_count;
    uint64_t fix_first; /* number of the first that waits, from 1 */
};

struct grants {
    uint32_t magic;
    struct segment segment;
    struct grants_calls calls;
    pthread_mutex_t lock;
    struct row *rows;   /* one per row of the table */
    uint32_t *heads;    /* rows by the hash of their counter, from 1 */
    uint32_t head_mask;
    uint32_t *todo; /* rows to look at; each once */
    uint32_t todo_count, used, next_free;
    int64_t scanned_ms;
    bool ending;
};

/* One look over the accounts of a row. */
struct row_sums {
    int64_t pool;  /* what can be given to workers */
    int64_t rests; /* what living ones have neither spent nor reserved */
    int64_t spent; /* by all columns in this use of the row */
    int64_t need;  /* smallest amount that a waiting request lacks; 0: none waits */
    uint32_t needy; /* its column */
    int64_t wants; /* sum of what is wished for beyond what was given */
    uint32_t users; /* living or not yet closed columns that use it */
};

static inline int64_t grants_get(const _Atomic int64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void grants_put(_Atomic int64_t *word, int64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static inline struct counter *grants_counter(const struct grants *grants, uint32_t at)
{
    return segment_counter(&grants->segment, at);
}

/* Totals stand in memory that workers write to: nonsense may come out, but nothing undefined. */
static inline int64_t grants_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t grants_less(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline uint32_t grants_state(const struct grants *grants, uint32_t at)
{
    return atomic_load_explicit(&grants_counter(grants, at)->state, memory_order_acquire);
}

static inline bool grants_is_rate(const struct counter *counter)
{
    return limit_window_ms((enum limit_window)counter->window) != 0;
}

/* --- grants.c --- */
/* Looks at the row in the next request. */
void grants_todo(struct grants *grants, uint32_t at);
bool grants_is_over(const struct counter *counter, const struct grants_now *now);
/* The row of (counter, epoch), FREE ones left out; UINT32_MAX: none. */
uint32_t grants_find(const struct grants *grants, const struct id *counter, uint64_t epoch);
/* The LIVE row from which the counter is taken now; UINT32_MAX: none. */
uint32_t grants_current(const struct grants *grants, const struct grants_now *now, const struct id *counter);
/* A FREE row for a counter, LIVE with no epoch; UINT32_MAX: the table is full. `ref` may be NULL. */
uint32_t grants_take_row(struct grants *grants, const struct id *counter, const struct ipc_counter *ref);
void grants_free_row(struct grants *grants, uint32_t at);

/* --- grants_deal.c --- */
void grants_sum(const struct grants *grants, uint32_t at, struct row_sums *sums);
/* Gives what the row has to the workers that need or want it; asks others for what they can spare. */
void grants_deal(struct grants *grants, const struct grants_now *now, uint32_t at);
/* Tells the workers that use the row to look again. */
void grants_ring(const struct grants *grants, uint32_t at);
/* Moves a row that is over or unused towards FREE, as far as it can go now. */
void grants_close_row(struct grants *grants, const struct grants_now *now, uint32_t at);

#endif
