/* limits.h: one worker's accounts: taking from every limit that holds for a request, all of them or none.
 *
 *   struct limit_use[]  --limits_take-->  taken                          a loop in one thread, no system call, no lock
 *                                         ST_AGAIN: asked the courier, try again when it rings or after a while
 *                                         refused, and by which
 *
 * The worker knows a counter by its place in the counter table (segment.h), which the courier gives when it is asked for
 * (limits_calls.open -> limits_opened). What it may take is what the courier gave its account; when that runs low it
 * asks for more ahead of need (limits_calls.wish).
 *
 *   budgets      held from limits_take until the slot is freed, then spent (slots.h); charged what they really cost
 *   rates        spent at once; tokens are corrected by the courier when their slot is journaled
 *   concurrency  held until limits_end
 *
 * strict: never takes more than it was given. standard budgets: go on while anything is left, so what attempts cost beyond
 * their estimate may pass the limit; a counter that the control plane has not spoken about yet may begin with a small
 * starter allowance. With the control plane away: on_disconnect (limit.h) refuses, or allows the same starter per counter
 * and epoch (budgets), or `value` per window and host (rates, concurrency).
 *
 * Owner: limits_open gives. One thread. Times: milliseconds; mono is CLOCK_MONOTONIC, utc the control plane's.
 */
#ifndef SLUICE_DATA_LIMITS_H
#define SLUICE_DATA_LIMITS_H

#include "common/catalog_codec.h"
#include "data-plane/slots.h"

#define LIMITS_USES_MAX    48         /* limits of one attempt or request; more are refused */
#define LIMITS_NO_ROW      UINT32_MAX
#define LIMITS_STARTER     64         /* a starter is this part of the limit ... */
#define LIMITS_STARTER_NANOUSD INT64_C(1000000000) /* ... and at most a dollar, */
#define LIMITS_STARTER_TOKENS  INT64_C(200000)     /* so many tokens, */
#define LIMITS_STARTER_REQUESTS INT64_C(64)        /* or requests, per host, counter and epoch */

struct limits;

/* One limit that holds for a request or attempt. Filled by the caller down to `amount`; strings and ids are borrowed. */
struct limit_use {
    struct cat_limit limit; /* `counter` set, for policies too */
    struct limit_ref ref;
    struct id workspace; /* the entity's parent where it has one */
    struct str name;     /* slug of the entity, for people */
    bool strict, deny;   /* mode and on_disconnect with all defaults applied */
    int64_t amount;      /* to take */
    /* by limits_take */
    uint32_t row; /* LIMITS_NO_ROW: nothing was taken (no such limit any more, or counted locally) */
    uint32_t generation;
};

struct limits_calls {
    void *arg;
    /* Ask the courier for the row of a counter, or tell it that the definition changed. */
    void (*open)(void *arg, const struct limit_use *use);
    /* More is wanted of a row, or something was returned. */
    void (*wish)(void *arg, uint32_t row);
    /* Tokens of a rate that were taken at `utc_ms` and not needed. */
    void (*fix)(void *arg, uint32_t row, uint32_t generation, int64_t utc_ms, int64_t add);
};

struct limits_now {
    int64_t mono_ms, utc_ms;
    int64_t left_ms; /* how much longer the request may wait; 0: it must be decided now */
};

/* What a caller is told about a limit; figures over all hosts as last heard, less what this worker took since. */
struct limit_view {
    int64_t limit, spent, remaining; /* of rates and concurrency: in the window, now */
    int64_t resets_at_ms;            /* UTC; 0 = never or not known */
    int64_t retry_after_ms;          /* 0 = not known */
};

/* copies calls. ST_NO_MEMORY. */
MUST_USE enum status limits_open(const struct segment *segment, uint32_t column, const struct limits_calls *calls,
                                 struct limits **limits);
void limits_close(struct limits *limits);

/* Takes the amounts of all uses, or nothing. ST_OK. ST_AGAIN: something was asked for; *which blocks. Else *which refuses:
 * ST_BUDGET_EXHAUSTED, ST_RATE_LIMITED, ST_CONTROL_AWAY (on_disconnect), ST_OVERLOADED (the table has no room),
 * ST_UNPROCESSABLE (more limits than one attempt can carry). */
MUST_USE enum status limits_take(struct limits *limits, const struct limits_now *now, struct limit_use *uses, size_t count,
                                 size_t *which);
/* Entries of a slot that these uses need; all of an attempt together at most SLOT_RESERVES_MAX. */
size_t limits_entries(const struct limit_use *uses, size_t count);
/* Nothing was sent: gives back what limits_take took. Rates of requests stay spent. */
void limits_give_back(struct limits *limits, const struct limits_now *now, const struct limit_use *uses, size_t count);
/* The request or attempt is over: its concurrency permits come back; budgets and rates are the slot's. */
void limits_end(struct limits *limits, const struct limit_use *uses, size_t count);

/* Writes what was taken into the slot, behind what is there: budgets, and rates of tokens. They are the slot's from here on. */
void limits_note(const struct limit_use *uses, size_t count, struct slot *slot);
/* The slot is settled: entries become what is charged, by their kind (cost, charge and counts of the slot). */
void limits_charge(struct limits *limits, struct slot *slot);
/* The slot is given back without having been sent. */
void limits_cancel(struct limits *limits, struct slot *slot, const struct limits_now *now);
/* The slot is freed (slots_collect): its charge stands in `spent` now. */
void limits_freed(void *limits, const struct slot *slot);

/* The courier's answer to `open`: the counter's row, or ST_OVERLOADED. Rows that are not what they claim are ignored. */
void limits_opened(struct limits *limits, const struct id *counter, enum status status, uint32_t row, uint32_t generation);
/* Another node or worker needs what this one does not: returns what is not reserved, if the row says so. */
void limits_recalled(struct limits *limits, uint32_t row);
/* Once a second: lets go of what is over, closing or idle. */
void limits_beat(struct limits *limits, const struct limits_now *now);

/* True if a request that was blocked on this use might go on now, or has not told what it lacks. */
bool limits_moved(struct limits *limits, const struct limits_now *now, const struct limit_use *use);
/* A request that waited for this use waits no longer. True: what it told may still stand; forget it soon. */
bool limits_gave_up(struct limits *limits, const struct limit_use *use);
/* Takes back what those told who gave up; requests that still wait tell it again when they are woken (limits_moved). */
void limits_forget(struct limits *limits);
/* For messages and headers. False: nothing is known of the counter yet. */
bool limits_view(struct limits *limits, const struct limits_now *now, const struct limit_use *use, struct limit_view *view);

#endif
