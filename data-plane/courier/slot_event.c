/* slot_event.c: copies a slot out of shared memory, then trusts only the copy's shape that it
 * checked itself.
 *
 * Must never: read the shared slot twice for one decision, or let a worker name another node's
 * attempts.
 */
#include "data-plane/courier/slot_event.h"

#include "common/ops.h"
#include "common/wire.h"

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

static void usage_fill(Sluice__UsageEvent *event, const struct slot_usage *usage)
{
    event->input_tokens = usage->input_tokens;
    event->output_tokens = usage->output_tokens;
    event->cached_tokens = usage->cached_tokens;
    event->cache_write_tokens = usage->cache_write_tokens;
    event->reasoning_tokens = usage->reasoning_tokens;
    event->audio_input_tokens = usage->audio_input_tokens;
    event->audio_output_tokens = usage->audio_output_tokens;
    event->images = usage->images;
    event->seconds_milli = usage->audio_ms;
    event->characters = usage->characters;
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

void slot_event_fill(struct slot_event *out, const struct slot *slot, const struct id *node,
                     uint64_t boot)
{
    memcpy(&out->slot, slot, sizeof out->slot);
    const struct slot *copy = &out->slot;
    Sluice__UsageEvent *event = &out->event;
    sluice__usage_event__init(event);
    struct attempt_id attempt = {*node, boot, copy->attempt.epoch, copy->attempt.n};
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
    usage_fill(event, &copy->usage);
    texts_fill(out);
    ids_fill(out);
}
