/* slots.c: the life of a slot: the worker's side, the courier's side, and what happens when either
 * dies.
 *
 *   worker    free list (private) -> RESERVED -> SENT -> DONE -> done ring
 *   courier   done ring -> journal, fdatasync -> JOURNALED -> free ring
 *   worker    free ring -> fold into the accounts -> FREE
 *
 * The done ring's tail moves only when slots are marked, so a courier that dies leaves what it took
 * where it was; a successor finds those that were written but not marked by scanning states and
 * asking the journal.
 *
 * A fold changes several words. It is written down first as the values that will stand there
 * (redo), then done, then crossed out; what was written down may be done any number of times:
 *
 *   redo.row, redo.spent, redo.slot -> redo.valid = 1 -> spent = ..., slot FREE -> redo.valid = 0
 *
 * Invariant: `state` is stored last (release) by the side that hands over, loaded first (acquire)
 * by the other. A process that is killed has either made a store or not, in program order, so the
 * release stores below are all the order that is needed. Must never: on the courier's side follow a
 * number from the segment without a check; on the worker's side make a system call.
 */
#include <stdlib.h>

#include "data-plane/slots.h"
#include "data-plane/usage.h"
#include "proto/usage.pb-c.h"

#define SLOTS_MAGIC 0x534C4F54u

struct slots {
    uint32_t magic;
    struct segment segment; /* layout and mapping; borrowed */
    uint32_t column;
    struct column_head *head;
    _Atomic uint32_t *done_ring, *free_ring;
    struct id node;
    uint64_t boot;
    uint32_t free_count;
    uint32_t free[]; /* a stack of slot numbers */
};

static void state_set(struct slot *slot, enum slot_state state)
{
    atomic_store_explicit(&slot->state, (uint32_t)state, memory_order_release);
}

static bool state_is(const struct slot *slot, enum slot_state state)
{
    return atomic_load_explicit(&slot->state, memory_order_acquire) == (uint32_t)state;
}

static uint32_t slot_number(const struct segment *segment, uint32_t column, const struct slot *slot)
{
    const char *first = (const char *)segment_slot(segment, column, 0);
    return (uint32_t)((size_t)((const char *)slot - first) / SEGMENT_SLOT_BYTES);
}

/* --- folding: by the column's owner, who alone writes its accounts --- */

static int64_t total_add(int64_t total, int64_t amount)
{
    int64_t sum;
    return amount > 0 && !__builtin_add_overflow(total, amount, &sum) ? sum : total;
}

static void redo_apply(const struct segment *segment, uint32_t column)
{
    struct slot_redo *redo = &segment_column(segment, column)->redo;
    if (atomic_load_explicit(&redo->valid, memory_order_acquire) == 0)
        return;
    for (uint32_t i = 0; i < redo->count && i < SLOT_RESERVES_MAX; i++)
        if (redo->row[i] < segment->counter_count)
            atomic_store_explicit(&segment_account(segment, column, redo->row[i])->spent,
                                  redo->spent[i], memory_order_release);
    if (redo->slot < segment->slot_count)
        state_set(segment_slot(segment, column, redo->slot), SLOT_FREE);
    atomic_store_explicit(&redo->valid, 0, memory_order_release);
}

/* JOURNALED -> FREE. Rates were spent when they were admitted. */
static void slot_fold(const struct segment *segment, uint32_t column, const struct slot *slot)
{
    struct slot_redo *redo = &segment_column(segment, column)->redo;
    uint32_t count = 0;
    for (uint32_t i = 0; i < slot->reserve_count && i < SLOT_RESERVES_MAX; i++) {
        uint32_t row = SLOT_ROW_INDEX(slot->reserve_row[i]);
        if (row >= segment->counter_count || slot->reserve_kind[i] == SLOT_RESERVE_RATE)
            continue;
        int64_t spent = atomic_load_explicit(&segment_account(segment, column, row)->spent,
                                             memory_order_relaxed);
        redo->row[count] = row;
        redo->spent[count++] = total_add(spent, slot->reserve_amount[i]);
    }
    redo->slot = slot_number(segment, column, slot);
    redo->count = count;
    atomic_store_explicit(&redo->valid, 1, memory_order_release);
    redo_apply(segment, column);
}

/* --- worker --- */

enum status slots_open(const struct segment *segment, uint32_t column, struct slots **slots)
{
    if (column >= segment->columns)
        return ST_INVALID;
    struct slots *made = calloc(1, sizeof *made + segment->slot_count * sizeof(uint32_t));
    if (made == NULL)
        return ST_NO_MEMORY;
    made->magic = SLOTS_MAGIC;
    made->segment = *segment;
    made->column = column;
    made->head = segment_column(segment, column);
    made->done_ring = segment_ring(segment, column, SEGMENT_RING_DONE);
    made->free_ring = segment_ring(segment, column, SEGMENT_RING_FREE);
    made->node = segment->head->node;
    made->boot = segment->head->boot;
    /* Not looked at: segment_assign made them FREE, and a slot never touched costs no memory. */
    for (uint32_t i = segment->slot_count; i > 0; i--)
        made->free[made->free_count++] = i - 1;
    *slots = made;
    return ST_OK;
}

void slots_close(struct slots *slots)
{
    free(slots);
}

enum status slots_reserve(struct slots *slots, struct slot **slot)
{
    if (slots->free_count == 0)
        return ST_OVERLOADED;
    struct slot *taken =
        segment_slot(&slots->segment, slots->column, slots->free[--slots->free_count]);
    CHECK(state_is(taken, SLOT_FREE));
    memset((char *)taken + sizeof taken->state, 0, sizeof *taken - sizeof taken->state);
    uint64_t n = atomic_fetch_add_explicit(&slots->head->next_n, 1, memory_order_relaxed) + 1;
    taken->attempt_n = n;
    taken->attempt_epoch = slots->head->epoch;
    taken->source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED;
    state_set(taken, SLOT_RESERVED);
    *slot = taken;
    return ST_OK;
}

static uint32_t slot_index(const struct slots *slots, const struct slot *slot)
{
    uint32_t index = slot_number(&slots->segment, slots->column, slot);
    CHECK(index < slots->segment.slot_count);
    return index;
}

struct attempt_id slots_attempt(const struct slots *slots, const struct slot *slot)
{
    return (struct attempt_id){slots->node, slots->boot, slot->attempt_epoch, slot->attempt_n};
}

void slots_mark_sent(struct slots *slots, struct slot *slot)
{
    (void)slots;
    CHECK(state_is(slot, SLOT_RESERVED));
    state_set(slot, SLOT_SENT);
}

void slots_cancel(struct slots *slots, struct slot *slot)
{
    CHECK(state_is(slot, SLOT_RESERVED));
    state_set(slot, SLOT_FREE);
    slots->free[slots->free_count++] = slot_index(slots, slot);
}

bool slots_settle(struct slots *slots, struct slot *slot)
{
    CHECK(state_is(slot, SLOT_SENT));
    state_set(slot, SLOT_DONE);
    uint64_t at = atomic_load_explicit(&slots->head->done_head, memory_order_relaxed);
    atomic_store_explicit(&slots->done_ring[at & (slots->segment.ring_count - 1)],
                          slot_index(slots, slot), memory_order_relaxed);
    /* Sequentially consistent on both sides: either the courier sees the slot, or we see that it
     * sleeps. */
    atomic_store(&slots->head->done_head, at + 1);
    return atomic_load(&slots->head->courier_sleeps) != 0;
}

void slots_collect(struct slots *slots, void (*freed)(void *arg, const struct slot *slot),
                   void *arg)
{
    uint64_t tail = atomic_load_explicit(&slots->head->free_tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&slots->head->free_head, memory_order_acquire);
    if (tail == head)
        return;
    for (; tail != head; tail++) {
        uint32_t index = atomic_load_explicit(
            &slots->free_ring[tail & (slots->segment.ring_count - 1)], memory_order_relaxed);
        struct slot *slot = segment_slot(&slots->segment, slots->column, index);
        CHECK(state_is(slot, SLOT_JOURNALED) && slots->free_count < slots->segment.slot_count);
        slot_fold(&slots->segment, slots->column, slot);
        if (freed != NULL)
            freed(arg, slot); /* what the slot says is still there */
        slots->free[slots->free_count++] = index;
    }
    atomic_store_explicit(&slots->head->free_tail, tail, memory_order_release);
}

uint32_t slots_free_count(const struct slots *slots)
{
    return slots->free_count;
}

/* --- courier --- */

size_t slots_take_done(const struct segment *segment, uint32_t column, struct slot **out,
                       size_t max)
{
    struct column_head *head = segment_column(segment, column);
    const _Atomic uint32_t *ring = segment_ring(segment, column, SEGMENT_RING_DONE);
    uint64_t tail = atomic_load_explicit(&head->done_tail, memory_order_relaxed);
    uint64_t waiting = atomic_load(&head->done_head) - tail;
    if (waiting > segment->slot_count)
        return 0; /* a damaged ring: the worker's death will have the column scanned */
    size_t count = 0;
    while (count < max && count < waiting) {
        uint32_t index = atomic_load_explicit(&ring[(tail + count) & (segment->ring_count - 1)],
                                              memory_order_relaxed);
        if (index >= segment->slot_count)
            break;
        struct slot *slot = segment_slot(segment, column, index);
        if (!state_is(slot, SLOT_DONE) && !state_is(slot, SLOT_JOURNALED))
            break;
        out[count++] = slot;
    }
    return count;
}

bool slots_is_journaled(const struct slot *slot)
{
    return state_is(slot, SLOT_JOURNALED);
}

void slots_take_over(const struct segment *segment, uint32_t column)
{
    struct column_head *head = segment_column(segment, column);
    atomic_store_explicit(&head->done_tail,
                          atomic_load_explicit(&head->free_head, memory_order_relaxed),
                          memory_order_relaxed);
}

void slots_mark_journaled(const struct segment *segment, uint32_t column, struct slot *const *slots,
                          size_t count)
{
    struct column_head *head = segment_column(segment, column);
    _Atomic uint32_t *ring = segment_ring(segment, column, SEGMENT_RING_FREE);
    uint64_t at = atomic_load_explicit(&head->free_head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&head->done_tail, memory_order_relaxed);
    for (size_t i = 0; i < count; i++) {
        uint32_t index = slot_number(segment, column, slots[i]);
        state_set(slots[i], SLOT_JOURNALED);
        atomic_store_explicit(&ring[(at + i) & (segment->ring_count - 1)], index,
                              memory_order_relaxed);
    }
    atomic_store_explicit(&head->free_head, at + count, memory_order_release);
    atomic_store_explicit(&head->done_tail, tail + count, memory_order_release);
}

void slots_courier_sleeps(const struct segment *segment, uint32_t column, bool sleeps)
{
    atomic_store(&segment_column(segment, column)->courier_sleeps, sleeps ? 1u : 0u);
}

static size_t bounds_of(const struct slot *slot)
{
    return slot->bound_n < SLOT_BOUNDS_MAX ? slot->bound_n : SLOT_BOUNDS_MAX;
}

/* What the slot was reserved for, in the unit of one entry. */
static int64_t died_amount(const struct slot *slot, uint32_t entry)
{
    struct price_usage bound;
    usage_unpack(&bound, slot->bounds, bounds_of(slot));
    switch ((enum slot_reserve_kind)slot->reserve_kind[entry]) {
    case SLOT_RESERVE_CHARGE:
        return slot->bound_charge_nanousd;
    case SLOT_RESERVE_COST:
        return slot->bound_cost_nanousd;
    case SLOT_RESERVE_TOKENS:
    case SLOT_RESERVE_RATE:
        return (int64_t)(usage_input_tokens(&bound) + usage_output_tokens(&bound));
    case SLOT_RESERVE_REQUESTS:
        return 1;
    }
    return slot->reserve_amount[entry];
}

/* Runs without the worker, so plain fields are safe to change; the state still moves last. The
 * worker may have died while it wrote down what the attempt cost: everything is written anew. */
static void slot_died(struct slot *slot, int64_t utc_ms)
{
    size_t bound_n = bounds_of(slot);
    slot->outcome = SLOT_OUTCOME_DIED;
    slot->source = slot->strict ? SLUICE__USAGE_SOURCE__USAGE_SOURCE_BOUND
                                : SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED;
    memcpy(slot->counts, slot->bounds, bound_n * sizeof slot->bounds[0]);
    slot->count_n = (uint8_t)bound_n;
    slot->cost_nanousd = slot->bound_cost_nanousd;
    slot->charge_nanousd = slot->bound_charge_nanousd;
    for (uint32_t i = 0; i < slot->reserve_count && i < SLOT_RESERVES_MAX; i++)
        slot->reserve_amount[i] = died_amount(slot, i);
    slot->settled_utc_ms = utc_ms;
    state_set(slot, SLOT_DONE);
}

size_t slots_recover(const struct segment *segment, uint32_t column, int64_t utc_ms,
                     struct slot **out, size_t max)
{
    size_t count = 0;
    for (uint32_t i = 0; i < segment->slot_count && count < max; i++) {
        struct slot *slot = segment_slot(segment, column, i);
        if (state_is(slot, SLOT_RESERVED))
            state_set(slot, SLOT_FREE);
        else if (state_is(slot, SLOT_SENT))
            slot_died(slot, utc_ms);
        if (state_is(slot, SLOT_DONE))
            out[count++] = slot;
    }
    return count;
}

void slots_mark_recovered(struct slot *const *slots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        state_set(slots[i], SLOT_JOURNALED);
}

/* What is left of an account goes back; what a standard limit let pass beyond it is given now, so
 * that the next user of the column or the row finds neither credit nor debt. */
static void account_close(struct account *account)
{
    int64_t held = atomic_load(&account->given) - atomic_load(&account->returned);
    int64_t left = held - atomic_load(&account->spent);
    if (left > 0)
        atomic_fetch_add(&account->returned, left);
    else if (left < 0)
        atomic_fetch_sub(&account->given, left);
    atomic_store(&account->want, 0);
    atomic_store(&account->need, 0);
    atomic_store(&account->uses, 0);
}

void slots_close_dead(const struct segment *segment, uint32_t column)
{
    redo_apply(segment, column);
    for (uint32_t i = 0; i < segment->slot_count; i++) {
        struct slot *slot = segment_slot(segment, column, i);
        if (state_is(slot, SLOT_JOURNALED))
            slot_fold(segment, column, slot);
    }
    for (uint32_t i = 0; i < segment_counters_used(segment); i++)
        account_close(segment_account(segment, column, i));
}
