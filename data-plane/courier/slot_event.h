/* slot_event.h: a settled slot as the usage event that the ledger gets.
 *
 * The slot is a private copy of memory that a worker can write to: every length, number and text in it is checked or
 * bounded here, so that the event packs and the control plane accepts it, whatever the slot holds. Who attempted (node,
 * boot) is this host's word, not the slot's; so are the names of the counters, which stand in the counter table.
 */
#ifndef SLUICE_DATA_COURIER_SLOT_EVENT_H
#define SLUICE_DATA_COURIER_SLOT_EVENT_H

#include "data-plane/segment.h"
#include "proto/usage.pb-c.h"

struct slot_event {
    Sluice__UsageEvent event; /* points into this struct and into `slot` */
    struct slot slot;         /* the private copy */
    uint8_t attempt[ATTEMPT_ID_BYTES];
    char model[97], priced_model[65], trace[65], object[121], object_kind[17], tier[17];
    Sluice__Reserve reserves[SLOT_RESERVES_MAX], *reserve_at[SLOT_RESERVES_MAX];
    struct id counters[SLOT_RESERVES_MAX];
    bool untold[SLOT_RESERVES_MAX]; /* by entry of the slot: its epoch is not known yet */
    Sluice__UsageCount counts[SLOT_COUNTS_MAX], *count_at[SLOT_COUNTS_MAX];
};

/* Reads `slot` once (it may change meanwhile) and fills `out`, which must stay where it is while the event is used. Rows of
 * the table are taken only if the slot names their present use. */
void slot_event_fill(struct slot_event *out, const struct segment *segment, const struct slot *slot, const struct id *node,
                     uint64_t boot);

#endif
