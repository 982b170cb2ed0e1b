/* limits_slots.c: what was taken becomes part of the slot, and what the slot was charged comes out
 * of the accounts; and what people are told about a limit.
 *
 *   taken (limits.c) -> limits_note -> settled: limits_charge -> freed: limits_freed, spent by the
 * fold (slots.c)
 *                                   -> not sent: limits_cancel
 *
 * Invariant: held is the sum of reserve_amount over our slots that are not FREE, per row.
 */
#include "common/guard.h"
#include "data-plane/limits_internal.h"
#include "data-plane/usage.h"

static enum slot_reserve_kind kind_of(const struct limit_use *use)
{
    if (!limits_is_budget(use))
        return SLOT_RESERVE_RATE;
    switch ((enum limit_measure)use->limit.def.measure) {
    case LIMIT_TOKENS:
        return SLOT_RESERVE_TOKENS;
    case LIMIT_REQUESTS:
        return SLOT_RESERVE_REQUESTS;
    case LIMIT_COST:
    case LIMIT_CONCURRENCY:
        break;
    }
    return use->limit.def.amount == LIMIT_AMOUNT_COST ? SLOT_RESERVE_COST : SLOT_RESERVE_CHARGE;
}

static bool is_noted(const struct limit_use *use)
{
    return limits_is_budget(use) || use->limit.def.measure == LIMIT_TOKENS;
}

size_t limits_entries(const struct limit_use *uses, size_t count)
{
    size_t entries = 0;
    for (size_t i = 0; i < count; i++)
        entries += is_noted(&uses[i]);
    return entries;
}

void limits_note(const struct limit_use *uses, size_t count, struct slot *slot)
{
    for (size_t i = 0; i < count; i++) {
        if (uses[i].row == LIMITS_NO_ROW || !is_noted(&uses[i]))
            continue;
        CHECK(slot->reserve_count < SLOT_RESERVES_MAX);
        uint32_t at = slot->reserve_count++;
        slot->reserve_row[at] = SLOT_ROW(uses[i].row, uses[i].generation);
        slot->reserve_kind[at] = (uint8_t)kind_of(&uses[i]);
        slot->reserve_amount[at] = uses[i].amount;
    }
}

static int64_t tokens_of(const struct slot *slot)
{
    struct price_usage usage;
    usage_unpack(&usage, slot->counts, slot->count_n);
    return (int64_t)(usage_input_tokens(&usage) + usage_output_tokens(&usage));
}

/* A rate keeps what it was reserved with: the courier corrects it by the counts. */
void limits_charge(struct limits *limits, struct slot *slot)
{
    CHECK_OBJ(limits, LIMITS_MAGIC);
    for (uint32_t i = 0; i < slot->reserve_count; i++) {
        int64_t charged = slot->reserve_amount[i];
        switch ((enum slot_reserve_kind)slot->reserve_kind[i]) {
        case SLOT_RESERVE_CHARGE:
            charged = GUARD_OFF("release") ? charged : slot->charge_nanousd;
            break;
        case SLOT_RESERVE_COST:
            charged = slot->cost_nanousd;
            break;
        case SLOT_RESERVE_TOKENS:
            charged = tokens_of(slot);
            break;
        case SLOT_RESERVE_REQUESTS:
        case SLOT_RESERVE_RATE:
            continue;
        }
        uint32_t row = SLOT_ROW_INDEX(slot->reserve_row[i]);
        limits_hold(limits, row, charged - slot->reserve_amount[i]);
        slot->reserve_amount[i] = charged;
    }
}

void limits_cancel(struct limits *limits, struct slot *slot, const struct limits_now *now)
{
    CHECK_OBJ(limits, LIMITS_MAGIC);
    for (uint32_t i = 0; i < slot->reserve_count; i++) {
        uint32_t row = SLOT_ROW_INDEX(slot->reserve_row[i]);
        if (slot->reserve_kind[i] == SLOT_RESERVE_RATE)
            limits->calls.fix(limits->calls.arg, row, SLOT_ROW_GENERATION(slot->reserve_row[i]),
                              now->utc_ms, -slot->reserve_amount[i]);
        else
            limits_hold(limits, row, -slot->reserve_amount[i]);
        limits_drop_ref(limits, row);
    }
    slot->reserve_count = 0;
}

void limits_freed(void *arg, const struct slot *slot)
{
    struct limits *limits = arg;
    CHECK_OBJ(limits, LIMITS_MAGIC);
    for (uint32_t i = 0; i < slot->reserve_count; i++) {
        uint32_t row = SLOT_ROW_INDEX(slot->reserve_row[i]);
        if (slot->reserve_kind[i] != SLOT_RESERVE_RATE)
            limits_hold(limits, row, -slot->reserve_amount[i]);
        limits_drop_ref(limits, row);
    }
}

bool limits_view(struct limits *limits, const struct limits_now *now, const struct limit_use *use,
                 struct limit_view *view)
{
    uint32_t row = limits_row_known(limits, &use->limit.counter);
    *view = (struct limit_view){.limit = use->limit.def.value};
    if (row == LIMITS_NO_ROW)
        return false;
    const struct counter *counter = limits_counter(limits, row);
    int64_t ends_ms = limits_get(&counter->ends_ms), retry_ms = limits_get(&counter->retry_at_ms);
    if (limits_get(&counter->heard_ms) == 0)
        return false;
    view->limit = limits_get(&counter->limit);
    view->spent = limits_get(&counter->settled);
    int64_t ours = limits_available(limits, row);
    view->remaining =
        view->limit - view->spent - limits_get(&counter->outstanding) + (ours > 0 ? ours : 0);
    view->remaining = view->remaining > 0 ? view->remaining : 0;
    view->resets_at_ms = ends_ms;
    view->retry_after_ms = retry_ms > now->mono_ms ? retry_ms - now->mono_ms : 0;
    return true;
}
