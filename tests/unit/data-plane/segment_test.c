/* The segment's layout is proved before it is used, and columns go round. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data-plane/slots.h"

static const struct id node = {{5}};
static struct segment made;

static void setup(void)
{
    cr_assert_eq(segment_create(2, 10, 64, &node, 77, &made), ST_OK);
}

static void teardown(void)
{
    segment_close(&made);
}

TestSuite(segment, .init = setup, .fini = teardown);

Test(segment, map_sees_the_same_bytes)
{
    struct segment mapped;
    cr_assert_eq(segment_map(dup(made.fd), &mapped), ST_OK);
    cr_assert_eq(mapped.columns, 4);
    cr_assert_eq(mapped.ring_count, 16);
    cr_assert_eq(mapped.head->boot, 77);
    segment_slot(&made, 3, 9)->http_status = 418;
    cr_assert_eq(segment_slot(&mapped, 3, 9)->http_status, 418);
    cr_assert_eq((uintptr_t)segment_slot(&made, 3, 9) % SEGMENT_SLOT_BYTES, 0);
    cr_assert_leq((char *)segment_slot(&made, 3, 9) + SEGMENT_SLOT_BYTES,
                  (char *)made.head + made.bytes);
    segment_close(&mapped);
}

Test(segment, sizes_out_of_range_are_refused)
{
    struct segment other;
    cr_assert_eq(segment_create(0, 10, 64, &node, 1, &other), ST_BAD_FORMAT);
    cr_assert_eq(segment_create(129, 10, 64, &node, 1, &other), ST_BAD_FORMAT);
    cr_assert_eq(segment_create(1, 0, 64, &node, 1, &other), ST_BAD_FORMAT);
    cr_assert_eq(segment_create(1, (1u << 20) + 1, 64, &node, 1, &other), ST_BAD_FORMAT);
    cr_assert_eq(segment_create(1, 10, 0, &node, 1, &other), ST_BAD_FORMAT);
    cr_assert_eq(segment_create(1, 10, 65536, &node, 1, &other), ST_BAD_FORMAT);
}

/* The size cannot change, so an address that was proved stays valid. */
Test(segment, is_sealed)
{
    cr_assert_neq(ftruncate(made.fd, 4096), 0);
    cr_assert_neq(ftruncate(made.fd, (off_t)made.bytes + 4096), 0);
}

Test(segment, foreign_and_damaged_descriptors_are_refused)
{
    struct segment mapped;
    int plain = memfd_create("x", MFD_CLOEXEC);
    cr_assert_eq(ftruncate(plain, (off_t)made.bytes), 0);
    cr_assert_eq(segment_map(plain, &mapped), ST_BAD_FORMAT, "no seals");
    close(plain);
    cr_assert_eq(segment_map(-1, &mapped), ST_IO);
    struct segment_head good = *made.head;
    const struct {
        size_t at;
        uint32_t value;
    } damage[] = {
        {offsetof(struct segment_head, magic), 1},
        {offsetof(struct segment_head, version), 9},
        {offsetof(struct segment_head, workers), 3},
        {offsetof(struct segment_head, workers), 0},
        {offsetof(struct segment_head, workers), ~0u},
        {offsetof(struct segment_head, columns), 5},
        {offsetof(struct segment_head, slot_count), 900},
        {offsetof(struct segment_head, slot_count), 0},
        {offsetof(struct segment_head, slot_count), ~0u},
    };
    for (size_t i = 0; i < COUNT_OF(damage); i++) {
        memcpy((char *)made.head + damage[i].at, &damage[i].value, 4);
        cr_assert_eq(segment_map(made.fd, &mapped), ST_BAD_FORMAT, "%zu", i);
        memcpy(made.head, &good, sizeof good);
    }
}

Test(segment, columns_go_round)
{
    uint32_t column, seen = 0;
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert_eq(segment_assign(&made, i % 2, 100 + i, &column), ST_OK);
        seen |= 1u << column;
        cr_assert_eq(segment_column(&made, column)->epoch, 100 + i);
    }
    cr_assert_eq(seen, 15);
    cr_assert_eq(segment_assign(&made, 0, 200, &column), ST_OVERLOADED);
    segment_retire(&made, 2);
    cr_assert_eq(segment_assign(&made, 0, 200, &column), ST_OVERLOADED, "dead is not yet unused");
    segment_slot(&made, 2, 1)->state = SLOT_JOURNALED;
    segment_release(&made, 2);
    cr_assert_eq(segment_assign(&made, 1, 201, &column), ST_OK);
    cr_assert_eq(column, 2);
    cr_assert_eq(segment_slot(&made, 2, 1)->state, SLOT_FREE);
}

Test(segment, attempt_id_text)
{
    struct attempt_id id = {{{0xff, 0xee}}, 0x0102030405060708, 0x0a0b0c0d, 1};
    uint8_t bytes[ATTEMPT_ID_BYTES];
    char text[ATTEMPT_ID_TEXT + 1];
    attempt_id_pack(&id, bytes);
    cr_assert(bytes[0] == 0xff && bytes[16] == 1 && bytes[23] == 8 && bytes[24] == 0x0a &&
              bytes[35] == 1);
    attempt_id_to_text(&id, text);
    cr_assert_str_eq(text, "_-4AAAAAAAAAAAAAAAAAAAECAwQFBgcICgsMDQAAAAAAAAAB");
}
