/* slots.h: the life of a slot (slot.h): the worker's side, the courier's side, and what happens when either dies.
 *
 * The worker's functions are for the one thread of the worker that owns the column: O(1), no system call. The courier's are
 * for the thread that owns the journal. A column whose worker died is the courier's.
 *
 * Freeing a journaled slot folds what it was charged into account.spent of its counters (segment.h). The fold is written to
 * column_head.redo first, as the values that will stand there, so that it can be repeated by whoever finds it half done.
 */
#ifndef SLUICE_DATA_SLOTS_H
#define SLUICE_DATA_SLOTS_H

#include "data-plane/segment.h"

/* --- worker side -------------------------------------------------------------------------------------------------- */
struct slots; /* a worker's view of its column: free list in private memory. Opened once per assigned column */
MUST_USE enum status slots_open(const struct segment *segment, uint32_t column, struct slots **slots);
void slots_close(struct slots *slots);
/* Takes a FREE slot, mints its attempt id, sets RESERVED. ST_OVERLOADED: none free. */
MUST_USE enum status slots_reserve(struct slots *slots, struct slot **slot);
void slots_mark_sent(struct slots *slots, struct slot *slot);
/* RESERVED -> FREE: nothing was sent. */
void slots_cancel(struct slots *slots, struct slot *slot);
/* SENT -> DONE, and tells the courier. True if its doorbell must be rung (send IPC_DONE). */
MUST_USE bool slots_settle(struct slots *slots, struct slot *slot);
/* Frees what the courier journaled. Call once per loop turn. `freed` (may be NULL) hears of each slot
 * as it was, right after its charge was folded. */
void slots_collect(struct slots *slots, void (*freed)(void *arg, const struct slot *slot), void *arg);
uint32_t slots_free_count(const struct slots *slots);
/* The whole attempt id of a slot of this segment. */
struct attempt_id slots_attempt(const struct slots *slots, const struct slot *slot);

/* --- courier side ------------------------------------------------------------------------------------------------- */
/* A courier that starts says so for every LIVE column before it takes anything. */
void slots_take_over(const struct segment *segment, uint32_t column);
/* Up to `max` DONE slots of a column in order; the same ones again until slots_mark_journaled moves on. Behind a courier that
 * died some may be JOURNALED already (slots_is_journaled): not to be written again, but to be marked with the others. */
size_t slots_take_done(const struct segment *segment, uint32_t column, struct slot **out, size_t max);
bool slots_is_journaled(const struct slot *slot);
/* DONE -> JOURNALED for the first `count` that slots_take_done gave, after fdatasync. */
void slots_mark_journaled(const struct segment *segment, uint32_t column, struct slot *const *slots, size_t count);
/* Tells the worker whether to ring (IPC_DONE). After setting true, look once more before sleeping. */
void slots_courier_sleeps(const struct segment *segment, uint32_t column, bool sleeps);
/* The worker of this column is dead: RESERVED -> FREE, SENT -> DONE with outcome DIED and the bound as usage. Gives up to `max`
 * slots that must be journaled; 0 = none is left. The caller marks them with slots_mark_recovered. */
size_t slots_recover(const struct segment *segment, uint32_t column, int64_t utc_ms, struct slot **out, size_t max);
void slots_mark_recovered(struct slot *const *slots, size_t count);
/* The last of a dead column, when slots_recover gives none: a fold left half done is finished, JOURNALED slots are folded and
 * freed, and what the worker held and did not spend is returned: afterwards its accounts hold nothing and use no row. May be
 * repeated from any point. */
void slots_close_dead(const struct segment *segment, uint32_t column);

#endif
