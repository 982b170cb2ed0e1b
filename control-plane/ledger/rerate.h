/* rerate.h: pricing a span of entries again after a price was corrected.
 *
 *   entry (never changed) + adjusting entries so far = what it counts as now
 *   counts x prices that hold for its time, as the records say them today = what it should be
 *   the difference becomes one more adjusting entry
 *
 * Rows (KV_EVENTS): adjusting entries, under [day of the entry][run 16][0][LEDGER_OWN_SEQ + n]:
 * source ADJUSTED, `adjusts` names the attempt, cost, charge and reserves are differences
 *       (KV_MAIN):  [0x7F 'J'][day u16][attempt 36] -> i64 cost, i64 charge adjusted so far, u32
 * times An adjusting entry goes the way of all entries: sums of the entry's day and hour and the
 * books of the budgets that the attempt was taken from follow in the same operation.
 *
 * What cannot be priced exactly is left as it is and counted: usage that no provider told, a model
 * without a price, a price that depends on what the entry does not say (an image's quality), a row
 * or integration that is gone. Repeating a run, or breaking one off anywhere, changes nothing
 * twice. Threads: any but the writer's.
 */
#ifndef SLUICE_CONTROL_LEDGER_RERATE_H
#define SLUICE_CONTROL_LEDGER_RERATE_H

#include "common/json_write.h"
#include "control-plane/ledger/ledger.h"

#define RERATE_GROUPS_MAX 100u
#define RERATE_NOTE_MAX   200u
#define RERATE_ROW_BYTES  20u

struct rerate_order {
    struct ledger_events_filter filter;
    bool apply;      /* false: a preview */
    struct str note; /* why; goes into each adjusting entry */
};

/* What a run changes, by workspace, provider and model. */
struct rerate_group {
    struct id workspace, provider;
    struct str model;
    uint64_t entries;
    int64_t cost_nanousd, charge_nanousd; /* differences */
};

struct rerate_report {
    uint64_t entries, changed;
    uint64_t unsure, unpriced, ambiguous, gone; /* left as they are */
    int64_t cost_before, cost_after, charge_before,
        charge_after;                              /* of those that change, nano-USD */
    struct rerate_group groups[RERATE_GROUPS_MAX]; /* texts in the arena */
    size_t group_count;
    bool groups_cut; /* there were more */
    bool more;       /* go on with `place` */
    uint8_t place[LEDGER_EVENT_KEY];
};

/* Looks at about `max` entries from `place` (NULL: the beginning) and adds to the report, which is
 * zeroed before the first call. ST_RANGE (note), ST_OVERLOADED, ST_NO_MEMORY, ST_STORE_FULL, ST_IO,
 * ST_BAD_FORMAT. What was applied before a failure stays, and is not applied again. */
MUST_USE enum status rerate_run(struct kv *kv, struct writer *writer,
                                const struct write_actor *actor, const struct rerate_order *order,
                                const uint8_t *place, size_t max, struct arena *arena,
                                struct rerate_report *report);

/* The report as members of the object that is open. */
void rerate_write(struct json_writer *w, const struct rerate_report *report);

#endif
