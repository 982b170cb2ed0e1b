/* A slot becomes an event that packs and passes the control plane's check, whatever a worker wrote
 * into it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/ops.h"
#include "common/wire.h"
#include "data-plane/courier/slot_event.h"
#include "data-plane/usage.h"

static const struct id node = {{7}};
static struct segment seg;

static void setup(void)
{
    cr_assert_eq(segment_create(1, 8, 8, &node, 9, &seg), ST_OK);
}

static void teardown(void)
{
    segment_close(&seg);
}

TestSuite(slot_event, .init = setup, .fini = teardown);

Test(slot_event, carries_everything)
{
    static struct slot slot;
    static struct slot_event out;
    slot.attempt_epoch = 2;
    slot.attempt_n = 77;
    slot.org.b[0] = 1;
    slot.op = OP_EMBEDDINGS;
    slot.http_status = 200;
    slot.source = SLUICE__USAGE_SOURCE__USAGE_SOURCE_PROVIDER;
    slot.counts[0] = USAGE_COUNT(PRICE_INPUT_TOKEN, 7);
    slot.counts[1] = USAGE_COUNT(PRICE_CACHE_READ_TOKEN, 3);
    slot.counts[2] = USAGE_COUNT(PRICE_AUDIO_INPUT_SECOND, 1500);
    slot.count_n = 3;
    slot.cost_nanousd = 123;
    slot.settled_utc_ms = 5;
    memcpy(slot.model, "text-embedding-3", slot.model_n = 16);
    memcpy(slot.object_kind, "0123456789abcdef", slot.object_kind_n = 16);
    slot_event_fill(&out, &seg, &slot, &node, 9);
    cr_assert_str_eq(out.event.model, "text-embedding-3");
    cr_assert_str_eq(out.event.object_kind, "0123456789abcdef");
    cr_assert_str_eq(out.event.operation, "embeddings");
    cr_assert_eq(out.event.input_tokens, 10);
    cr_assert_eq(out.event.cached_tokens, 3);
    cr_assert_eq(out.event.n_counts, 3);
    cr_assert(out.event.counts[1]->price_class == PRICE_CACHE_READ_TOKEN &&
              out.event.counts[1]->n == 3);
    cr_assert_eq(out.event.seconds_milli, 1500);
    cr_assert_eq(out.event.cost_nanousd, 123);
    cr_assert_eq(out.event.org.len, 16);
    cr_assert_eq(out.event.workspace.len, 0, "none is the empty field");
    cr_assert_eq(out.event.attempt_id.data[35], 77);
}

Test(slot_event, reserves_are_named_by_the_table)
{
    static struct slot slot;
    static struct slot_event out;
    struct counter *counter = segment_counter(&seg, 5);
    counter->generation = 3;
    counter->id = (struct id){{0xC5}};
    counter->epoch = 12;
    static const struct {
        uint32_t row, generation;
        enum slot_reserve_kind kind;
        int64_t amount;
    } rows[] = {{5, 3, SLOT_RESERVE_CHARGE, 100},  {5, 3, SLOT_RESERVE_TOKENS, 7},
                {5, 2, SLOT_RESERVE_CHARGE, 100},  /* another use of the row */
                {8, 3, SLOT_RESERVE_CHARGE, 100},  /* no row of this table */
                {5, 3, SLOT_RESERVE_RATE, 100},    /* settles nothing */
                {5, 3, SLOT_RESERVE_REQUESTS, -1}, /* nonsense */
                {65535, 3, SLOT_RESERVE_COST, 1}};
    slot.reserve_count = COUNT_OF(rows);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slot.reserve_row[i] = SLOT_ROW(rows[i].row, rows[i].generation);
        slot.reserve_kind[i] = (uint8_t)rows[i].kind;
        slot.reserve_amount[i] = rows[i].amount;
    }
    slot_event_fill(&out, &seg, &slot, &node, 9);
    cr_assert_eq(out.event.n_reserves, 2);
    cr_assert_eq(out.event.reserves[0]->counter.data[0], 0xC5);
    cr_assert_eq(out.event.reserves[0]->epoch, 12);
    cr_assert_eq(out.event.reserves[0]->amount, 100);
    cr_assert_eq(out.event.reserves[1]->amount, 7);
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
        slot_event_fill(&out, &seg, &slot, &node, 9);
        size_t n = sluice__usage_event__get_packed_size(&out.event);
        cr_assert_leq(n, sizeof packed);
        sluice__usage_event__pack(&out.event, packed);
        cr_assert_eq(wire_check(&sluice__usage_event__descriptor, str_of((char *)packed, n)),
                     ST_OK);
        cr_assert_eq(memcmp(out.event.attempt_id.data, node.b, 16), 0,
                     "a worker cannot name another node");
        cr_assert_leq(out.event.n_reserves, SLOT_RESERVES_MAX);
        for (size_t i = 0; i < out.event.n_reserves; i++)
            cr_assert_geq(out.event.reserves[i]->amount, 0);
        cr_assert_leq(out.event.outcome, 5);
        cr_assert(out.event.source >= 1 && out.event.source <= 3);
    }
}
