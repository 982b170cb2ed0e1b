/* Wire: what is refused before protobuf-c sees it, and what it may cost. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/wire.h"
#include "proto/catalog.pb-c.h"
#include "proto/link.pb-c.h"

static enum status unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes,
                          size_t room)
{
    struct arena arena;
    void *message;
    arena_init(&arena, room);
    enum status status = wire_unpack(descriptor, bytes, &arena, &message);
    arena_free(&arena);
    return status;
}

Test(wire, round_trip)
{
    struct arena arena;
    struct str packed;
    arena_init(&arena, 1 << 20);
    Sluice__ApiKey key = SLUICE__API_KEY__INIT, *back;
    char scope[] = "completions.write", *scopes[] = {scope};
    struct id id = id_new(), got;
    key.id = wire_id_data(&id);
    key.scopes = scopes;
    key.n_scopes = 1;
    cr_assert_eq(wire_pack(&key, &arena, &packed), ST_OK);
    cr_assert_eq(wire_unpack(&sluice__api_key__descriptor, packed, &arena, &back), ST_OK);
    cr_assert_eq(wire_id(&back->id, &got), ST_OK);
    cr_assert(id_eq(&id, &got));
    cr_assert_str_eq(back->scopes[0], scope);
    cr_assert_eq(wire_id(&back->workspace, &got), ST_OK);
    cr_assert(id_is_none(&got));
    ProtobufCBinaryData bad = wire_data(STR("short"));
    cr_assert_eq(wire_id(&bad, &got), ST_BAD_FORMAT);
    uint8_t *bytes;
    size_t n;
    cr_assert_eq(wire_pack_alloc(&key, 5, &bytes, &n), ST_OK);
    cr_assert_eq(n, packed.n + 5);
    cr_assert_eq(memcmp(bytes + 5, packed.p, packed.n), 0);
    free(bytes);
    arena_free(&arena);
}

Test(wire, hostile_bytes)
{
    const struct {
        struct str bytes;
        enum status status;
    } rows[] = {
        {STR(""), ST_OK},
        {STR("\x12\1a"), ST_OK},
        {STR("\x12\2\xC3\xA9"), ST_OK},
        {STR("\x12\1\xFF"), ST_BAD_FORMAT},         /* not UTF-8 */
        {STR("\x12\3\xED\xA0\x80"), ST_BAD_FORMAT}, /* surrogate */
        {STR("\x12\2a\0"), ST_BAD_FORMAT},          /* NUL */
        {STR("\x12\2a"), ST_BAD_FORMAT},            /* longer than what is left */
        {STR("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1"), ST_BAD_FORMAT},
        {STR("\x12"), ST_BAD_FORMAT},
        {STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"), ST_BAD_FORMAT}, /* long varint */
        {STR("\0\1"), ST_BAD_FORMAT},                                       /* field 0 */
        {STR("\x13"), ST_BAD_FORMAT},                                       /* group */
        {STR("\x16\1"), ST_BAD_FORMAT},                                     /* wire type 6 */
        {STR("\x11\1\2\3"), ST_BAD_FORMAT},                                 /* half a fixed64 */
        {STR("\x52\3\x1A\1\xFF"), ST_OK},         /* bytes field inside SealedSecrets */
        {STR("\x52\3\x2A\1\xFF"), ST_BAD_FORMAT}, /* string field inside it */
        {STR("\xC2\x3E\1\xFF"), ST_OK},           /* unknown field: kept, not judged */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_eq(unpack(&sluice__integration__descriptor, rows[i].bytes, 1 << 20),
                     rows[i].status, "row %zu", i);
}

Test(wire, does_not_swell)
{
    size_t n = 1 << 20;
    char *bytes = malloc(n);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < n;
         i += 2) { /* UsageBatch.events = empty message, half a million times */
        bytes[i] = 0x1A;
        bytes[i + 1] = 0;
    }
    cr_assert_eq(unpack(&sluice__usage_batch__descriptor, str_of(bytes, n), (size_t)1 << 30),
                 ST_TOO_LARGE);
    cr_assert_eq(unpack(&sluice__usage_batch__descriptor, str_of(bytes, 200), 1 << 20), ST_OK);
    cr_assert_eq(unpack(&sluice__usage_batch__descriptor, str_of(bytes, 200), 1 << 10),
                 ST_NO_MEMORY);
    cr_assert_eq(
        unpack(&sluice__usage_batch__descriptor, str_of(bytes, WIRE_MAX_BYTES + 1), 1 << 10),
        ST_TOO_LARGE);
    free(bytes);
}

struct hostile {
    const char *why;
    const ProtobufCMessageDescriptor *type;
    const char *p;
    size_t n;
};
#define HOSTILE(why, type, literal)                                                                \
    {                                                                                              \
        why, &sluice__##type##__descriptor, literal, sizeof(literal) - 1                           \
    }

Test(wire, hostile_bytes_from_another_host)
{
    struct arena arena;
    arena_init(&arena, 64u << 20);
    static const struct hostile rows[] = {
        HOSTILE("NUL in a string", hello,
                "\x0a\x03"
                "a\0b"),
        HOSTILE("0xFF in a string", hello,
                "\x0a\x02"
                "a\xff"),
        HOSTILE("surrogate in a string", hello, "\x0a\x03\xed\xa0\x80"),
        HOSTILE("length beyond the end", hello,
                "\x0a\x7f"
                "abc"),
        HOSTILE("length of 2^64 - 1", hello, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        HOSTILE("varint of 11 bytes", hello, "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
        HOSTILE("varint above 64 bits", hello, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        HOSTILE("varint cut", hello, "\x10\x80"),
        HOSTILE("field number 0", hello, "\x00\x01"),
        HOSTILE("string as a varint", hello, "\x08\x01"),
        HOSTILE("varint as a string", hello,
                "\x12\x01"
                "a"),
        HOSTILE("group", hello, "\x0b\x0c"),
        HOSTILE("wire type 7", hello, "\x0f"),
        HOSTILE("unknown enum in an integration", probe, "\x22\x02\x38\x63"),
        HOSTILE("enum of 2^32", probe, "\x22\x06\x38\x80\x80\x80\x80\x10"),
        HOSTILE("bad string two levels down", probe, "\x22\x03\x12\x01\xc0"),
        HOSTILE("packed run cut", object_reply, "\x0a\x02\x01\x80"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *message = NULL;
        enum status status =
            wire_unpack_known(rows[i].type, str_of(rows[i].p, rows[i].n), &arena, &message);
        cr_expect_eq(status, ST_BAD_FORMAT, "%s: %s", rows[i].why, status_row(status)->name);
        cr_expect_null(message);
    }
    arena_free(&arena);
}

Test(wire, unknown_fields_are_counted_and_unknown_feed_kinds_pass)
{
    struct arena arena;
    arena_init(&arena, 64u << 20);
    uint64_t before = wire_unknown_count();
    Sluice__Change *change;
    struct str wire = STR("\x08\x05\x10\x63\x9a\x06\x01x");
    cr_assert_eq(wire_unpack_known(&sluice__change__descriptor, wire, &arena, &change), ST_OK);
    cr_assert_eq((int)change->kind, 0x63);
    cr_assert_eq(wire_unknown_count(), before + 1);
    arena_free(&arena);
}

Test(wire, a_full_batch_of_small_events_fits_the_budget)
{
    struct arena arena;
    arena_init(&arena, 64u << 20);
    enum { EVENTS = 2000 };
    static Sluice__UsageEvent events[EVENTS];
    static Sluice__UsageEvent *list[EVENTS];
    static uint8_t id[36];
    for (size_t i = 0; i < EVENTS; i++) {
        sluice__usage_event__init(&events[i]);
        events[i].attempt_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
        events[i].seq = i + 1;
        events[i].at_ms = 1700000000000;
        events[i].org = events[i].workspace = events[i].provider = events[i].integration =
            (ProtobufCBinaryData){.len = 16, .data = id};
        events[i].http_status = 200;
        events[i].input_tokens = events[i].output_tokens = 1;
        events[i].duration_us = events[i].first_byte_us = 1;
        list[i] = &events[i];
    }
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    batch.n_events = EVENTS;
    batch.events = list;
    struct str wire;
    cr_assert_eq(wire_pack(&batch, &arena, &wire), ST_OK);
    Sluice__UsageBatch *back;
    cr_assert_eq(wire_unpack_known(&sluice__usage_batch__descriptor, wire, &arena, &back), ST_OK);
    cr_assert_eq(back->n_events, EVENTS);
    cr_assert_eq(back->events[EVENTS - 1]->seq, EVENTS);
    arena_free(&arena);
}
