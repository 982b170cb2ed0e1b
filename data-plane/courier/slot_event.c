/* slot_event.c: copies a slot out of shared memory, then trusts only the copy's shape that it
 * checked itself.
 *
 * Must never: read the shared slot twice for one decision, or let a worker name another node's
 * attempts.
 */
#include "data-plane/courier/slot_event.h"

#include "common/ops.h"
#include "common/wire.h"
#include "data-plane/usage.h"

/* Text that the control plane's check will accept: bounded, no NUL, UTF-8. Odd bytes become '?':
 * usage is worth more than a name. */
static void text_copy(char *out, size_t room, const char *from, size_t from_room, size_t n)
{
    if (n > from_room)
        n = from_room;
    if (n > room - 1)
        n = room - 1;
    memcpy(out, from, n);
    out[n] = '\0';
    bool utf8 = str_is_utf8(str_of(out, n));
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)out[i];
        if (c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8))
            out[i] = '?';
    }
}

static char *operation_text(uint32_t op)
{
    union {
        const char *from;
        char *to;
    } cast = {.from = op < OP_COUNT ? op_row((enum op)op)->text
                                    : "unknown"}; /* protobuf-c does not write */
    return cast.to;
}

/* The totals that reports show, of the disjoint counts; and every count. */
static void usage_fill(struct slot_event *out)
{
    Sluice__UsageEvent *event = &out->event;
    size_t count = out->slot.count_n < SLOT_COUNTS_MAX ? out->slot.count_n : SLOT_COUNTS_MAX;
    struct price_usage usage;
    usage_unpack(&usage, out->slot.counts, count);
    const uint64_t *n = usage.n;
    event->input_tokens = usage_input_tokens(&usage);
    event->output_tokens = usage_output_tokens(&usage);
    event->cached_tokens =
        n[PRICE_CACHE_READ_TOKEN] + n[PRICE_AUDIO_CACHE_TOKEN] + n[PRICE_IMAGE_CACHE_TOKEN];
    event->cache_write_tokens = n[PRICE_CACHE_WRITE_TOKEN] + n[PRICE_CACHE_WRITE_1H_TOKEN];
    event->reasoning_tokens = n[PRICE_REASONING_TOKEN];
    event->audio_input_tokens = n[PRICE_AUDIO_INPUT_TOKEN] + n[PRICE_AUDIO_CACHE_TOKEN];
    event->audio_output_tokens = n[PRICE_AUDIO_OUTPUT_TOKEN];
    event->images = n[PRICE_IMAGE];
    event->seconds_milli = n[PRICE_AUDIO_INPUT_SECOND];
    event->characters = n[PRICE_INPUT_CHARACTER];
    for (unsigned i = 0; i < PRICE_CLASS_COUNT && event->n_counts < SLOT_COUNTS_MAX; i++) {
        Sluice__UsageCount *room = &out->counts[event->n_counts];
        if (n[i] == 0)
            continue;
        sluice__usage_count__init(room);
        room->price_class = i;
        room->n = n[i];
        out->count_at[event->n_counts++] = room;
    }
    event->counts = out->count_at;
}

/* A rate settles nothing: it was spent when it was admitted. */
static void reserves_fill(struct slot_event *out, const struct segment *segment)
{
    Sluice__UsageEvent *event = &out->event;
    const struct slot *slot = &out->slot;
    for (uint32_t i = 0; i < slot->reserve_count && i < SLOT_RESERVES_MAX; i++) {
        uint32_t row = SLOT_ROW_INDEX(slot->reserve_row[i]);
        out->untold[i] = false;
        if (row >= segment->counter_count || slot->reserve_kind[i] >= SLOT_RESERVE_RATE)
            continue;
        const struct counter *counter = segment_counter(segment, row);
        if (counter->generation != SLOT_ROW_GENERATION(slot->reserve_row[i]) ||
            slot->reserve_amount[i] < 0)
            continue;
        Sluice__Reserve *room = &out->reserves[event->n_reserves];
        sluice__reserve__init(room);
        out->counters[event->n_reserves] = counter->id;
        out->untold[i] = counter->epoch == 0;
        room->counter = wire_id_data(&out->counters[event->n_reserves]);
        room->epoch = out->untold[i] ? 0 : counter->epoch;
        room->amount = slot->reserve_amount[i];
        out->reserve_at[event->n_reserves++] = room;
    }
    event->reserves = out->reserve_at;
}

static void texts_fill(struct slot_event *out)
{
    const struct slot *slot = &out->slot;
    Sluice__UsageEvent *event = &out->event;
    text_copy(out->model, sizeof out->model, slot->model, sizeof slot->model, slot->model_n);
    text_copy(out->priced_model, sizeof out->priced_model, slot->priced_model,
              sizeof slot->priced_model, slot->priced_model_n);
    text_copy(out->trace, sizeof out->trace, slot->trace, sizeof slot->trace, slot->trace_n);
    text_copy(out->object, sizeof out->object, slot->object, sizeof slot->object, slot->object_n);
    text_copy(out->object_kind, sizeof out->object_kind, slot->object_kind,
              sizeof slot->object_kind, slot->object_kind_n);
    text_copy(out->tier, sizeof out->tier, slot->tier, sizeof slot->tier, slot->tier_n);
    event->tier = out->tier;
    event->model = out->model;
    event->priced_model = out->priced_model;
    event->trace_id = out->trace;
    event->object_id = out->object;
    event->object_kind = out->object_kind;
    event->operation = operation_text(slot->op);
}

static void ids_fill(struct slot_event *out)
{
    Sluice__UsageEvent *event = &out->event;
    const struct slot *slot = &out->slot;
    event->org = wire_id_data(&slot->org);
    event->workspace = wire_id_data(&slot->workspace);
    event->provider = wire_id_data(&slot->provider);
    event->integration = wire_id_data(&slot->integration);
    event->api_key = wire_id_data(&slot->api_key);
    event->user = wire_id_data(&slot->user);
    event->request_id = wire_id_data(&slot->request_id);
}

void slot_event_fill(struct slot_event *out, const struct segment *segment, const struct slot *slot,
                     const struct id *node, uint64_t boot)
{
    memcpy(&out->slot, slot, sizeof out->slot);
    const struct slot *copy = &out->slot;
    Sluice__UsageEvent *event = &out->event;
    sluice__usage_event__init(event);
    struct attempt_id attempt = {*node, boot, copy->attempt_epoch, copy->attempt_n};
    attempt_id_pack(&attempt, out->attempt);
    event->attempt_id = (ProtobufCBinaryData){sizeof out->attempt, out->attempt};
    event->at_ms = copy->settled_utc_ms;
    event->priced_at_ms = copy->reserved_utc_ms;
    event->http_status = copy->http_status;
    event->outcome = copy->outcome <= SLOT_OUTCOME_DIED ? copy->outcome : SLOT_OUTCOME_BROKEN;
    event->source = copy->source >= SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER &&
                            copy->source <= SLUICE__USAGE_SOURCE__USAGE_SOURCE_BOUND
                        ? (Sluice__UsageSource)copy->source
                        : SLUICE__USAGE_SOURCE__USAGE_SOURCE_ESTIMATED;
    event->duration_us = copy->duration_us;
    event->first_byte_us = copy->first_byte_us;
    event->cost_nanousd = copy->cost_nanousd;
    event->charge_nanousd = copy->charge_nanousd;
    event->unpriced = copy->unpriced != 0;
    event->stream = copy->stream != 0;
    event->revision = copy->revision;
    usage_fill(out);
    reserves_fill(out, segment);
    texts_fill(out);
    ids_fill(out);
}
