/* A slot becomes an event that packs and passes the control plane's check, whatever a worker wrote
 * into it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/ops.h"
#include "common/wire.h"
#include "data-plane/courier/slot_event.h"

static const struct id node = {{7}}, other = {{8}};

Test(slot_event, carries_everything)
{
    static struct slot slot;
    static struct slot_event out;
    slot.attempt = (struct attempt_id){node, 9, 2, 77};
    slot.org.b[0] = 1;
    slot.op = OP_EMBEDDINGS;
    slot.http_status = 200;
    slot.source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    slot.usage.input_tokens = 10;
    slot.usage.audio_ms = 1500;
    slot.cost_nanousd = 123;
    slot.settled_utc_ms = 5;
    memcpy(slot.model, "text-embedding-3", slot.model_n = 16);
    memcpy(slot.object_kind, "0123456789abcdef", slot.object_kind_n = 16);
    slot_event_fill(&out, &slot, &node, 9);
    cr_assert_str_eq(out.event.model, "text-embedding-3");
    cr_assert_str_eq(out.event.object_kind, "0123456789abcdef");
    cr_assert_str_eq(out.event.operation, "embeddings");
    cr_assert_eq(out.event.input_tokens, 10);
    cr_assert_eq(out.event.seconds_milli, 1500);
    cr_assert_eq(out.event.cost_nanousd, 123);
    cr_assert_eq(out.event.org.len, 16);
    cr_assert_eq(out.event.workspace.len, 0, "none is the empty field");
    cr_assert_eq(out.event.attempt_id.data[35], 77);
}

Test(slot_event, hostile_slots_still_pass_the_check)
{
    static struct slot slot;
    static struct slot_event out;
    static uint8_t packed[16384];
    srandom(42);
    for (int round = 0; round < 3000; round++) {
        for (size_t i = 0; i < sizeof slot; i++)
            ((unsigned char *)&slot)[i] = (unsigned char)random();
        slot.attempt.node = other;
        slot_event_fill(&out, &slot, &node, 9);
        size_t n = sluice__usage_event__get_packed_size(&out.event);
        cr_assert_leq(n, sizeof packed);
        sluice__usage_event__pack(&out.event, packed);
        cr_assert_eq(wire_check(&sluice__usage_event__descriptor, str_of((char *)packed, n)),
                     ST_OK);
        cr_assert_eq(memcmp(out.event.attempt_id.data, node.b, 16), 0,
                     "a worker cannot name another node");
        cr_assert_leq(out.event.outcome, 5);
        cr_assert(out.event.source >= 1 && out.event.source <= 3);
    }
}
