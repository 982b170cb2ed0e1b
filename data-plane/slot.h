/* slot.h: the record of one attempt in shared memory: reservation, in-flight mark and usage event in one (1 KiB).
 *
 *   FREE -worker-> RESERVED -worker-> SENT -worker-> DONE -courier (after fdatasync)-> JOURNALED -worker-> FREE
 *                     |                  `--- worker died: courier makes it DONE (outcome DIED) and journals it
 *                     `--- not sent: worker sets FREE; worker died: courier sets FREE
 *
 * `state` is written last with release order and read first with acquire order. slots.h has its life, segment.h its place.
 *
 * What it reserved: entry i took reserve_amount[i] from row reserve_row[i] of the counter table, in the unit that
 * reserve_kind[i] tells. Until DONE that is the bound or the estimate; from DONE on it is what is charged.
 */
#ifndef SLUICE_DATA_SLOT_H
#define SLUICE_DATA_SLOT_H

#include <stdatomic.h>

#include "common/id.h"

#define SLOT_BYTES        1024
#define SLOT_RESERVES_MAX 16 /* counters that one attempt may take from */
#define SLOT_COUNTS_MAX   16 /* price classes of one attempt */
#define SLOT_BOUNDS_MAX   8  /* price classes of what is charged if the usage never comes */

enum slot_state { SLOT_FREE, SLOT_RESERVED, SLOT_SENT, SLOT_DONE, SLOT_JOURNALED };

enum slot_outcome {
    SLOT_OUTCOME_OK,
    SLOT_OUTCOME_PROVIDER_ERROR,
    SLOT_OUTCOME_TIMEOUT,
    SLOT_OUTCOME_CLIENT_GONE,
    SLOT_OUTCOME_BROKEN,
    SLOT_OUTCOME_DIED,
};

/* What an amount measures. All but the last settle a counter; a rate was spent when it was admitted and is corrected. */
enum slot_reserve_kind {
    SLOT_RESERVE_CHARGE,   /* nano-USD of the internal charge */
    SLOT_RESERVE_COST,     /* nano-USD of the provider cost */
    SLOT_RESERVE_TOKENS,   /* input + output */
    SLOT_RESERVE_REQUESTS, /* 1 */
    SLOT_RESERVE_RATE,     /* tokens of a rate limit */
};

/* A row of the counter table and the generation of its use: the courier believes both only together. */
#define SLOT_ROW(row, generation) ((uint32_t)(row) | (uint32_t)(generation) << 16)
#define SLOT_ROW_INDEX(word)      ((word) & 0xFFFFu)
#define SLOT_ROW_GENERATION(word) ((word) >> 16)

struct slot {
    _Atomic uint32_t state; /* enum slot_state */
    uint32_t op;            /* enum op */
    uint64_t attempt_n;     /* attempt id: node and boot are the segment's */
    uint32_t attempt_epoch;
    uint32_t http_status;
    struct id org, workspace, provider, integration, api_key, user, request_id;
    uint64_t revision;
    int64_t reserved_utc_ms, settled_utc_ms;
    uint64_t duration_us, first_byte_us;
    int64_t cost_nanousd, charge_nanousd;
    int64_t bound_cost_nanousd, bound_charge_nanousd;
    uint64_t counts[SLOT_COUNTS_MAX]; /* usage.h words */
    uint64_t bounds[SLOT_BOUNDS_MAX];
    int64_t reserve_amount[SLOT_RESERVES_MAX];
    uint32_t reserve_row[SLOT_RESERVES_MAX];
    uint8_t reserve_kind[SLOT_RESERVES_MAX]; /* enum slot_reserve_kind */
    uint8_t outcome;                         /* enum slot_outcome */
    uint8_t source;                          /* Sluice__UsageSource */
    uint8_t stream, unpriced;
    uint8_t strict; /* a strict limit holds: what is charged without usage is called bound, not estimated */
    uint8_t reserve_count, count_n, bound_n;
    uint8_t model_n, priced_model_n, trace_n, object_n, object_kind_n, tier_n;
    char model[96], priced_model[64], trace[64], object_kind[16], tier[16];
    char object[120]; /* ids of objects the attempt made or showed as made, a blank between */
};
_Static_assert(sizeof(struct slot) <= SLOT_BYTES, "a slot is 1 KiB");

#endif
