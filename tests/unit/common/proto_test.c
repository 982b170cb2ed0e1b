/* proto_test.c: hostile wire bytes against proto_unpack. */
#include <criterion/criterion.h>
#include <string.h>

#include "common/proto.h"
#include "proto/link.pb-c.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 256u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(proto, .init = setup, .fini = teardown);

Test(proto, round_trip_keeps_everything)
{
    Sluice__Hello hello = SLUICE__HELLO__INIT;
    char software[] = "sluice 1.0 \xe2\x82\xac";
    hello.software = software;
    hello.workers = 7;
    struct str wire;
    cr_assert_eq(proto_pack(&arena, &hello.base, &wire), ST_OK);
    Sluice__Hello *back;
    cr_assert_eq(proto_unpack(&arena, &sluice__hello__descriptor, wire, &back), ST_OK);
    cr_assert_str_eq(back->software, software);
    cr_assert_eq(back->workers, 7);
}

struct hostile {
    const char *why;
    const ProtobufCMessageDescriptor *type;
    const char *p;
    size_t n;
};
#define HOSTILE(why, type, literal) {why, &sluice__##type##__descriptor, literal, sizeof(literal) - 1}

Test(proto, hostile_bytes_are_refused)
{
    static const struct hostile rows[] = {
        HOSTILE("NUL in a string", hello, "\x0a\x03" "a\0b"),
        HOSTILE("0xFF in a string", hello, "\x0a\x02" "a\xff"),
        HOSTILE("surrogate in a string", hello, "\x0a\x03\xed\xa0\x80"),
        HOSTILE("length beyond the end", hello, "\x0a\x7f" "abc"),
        HOSTILE("length of 2^64 - 1", hello, "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        HOSTILE("varint of 11 bytes", hello, "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
        HOSTILE("varint above 64 bits", hello, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        HOSTILE("varint cut", hello, "\x10\x80"),
        HOSTILE("field number 0", hello, "\x00\x01"),
        HOSTILE("string as a varint", hello, "\x08\x01"),
        HOSTILE("varint as a string", hello, "\x12\x01" "a"),
        HOSTILE("group", hello, "\x0b\x0c"),
        HOSTILE("wire type 7", hello, "\x0f"),
        HOSTILE("unknown enum in an integration", probe, "\x22\x02\x38\x63"),
        HOSTILE("enum of 2^32", probe, "\x22\x06\x38\x80\x80\x80\x80\x10"),
        HOSTILE("bad string two levels down", probe, "\x22\x03\x12\x01\xc0"),
        HOSTILE("packed run cut", object_reply, "\x0a\x02\x01\x80"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *message = NULL;
        enum status status = proto_unpack(&arena, rows[i].type, str_of(rows[i].p, rows[i].n), &message);
        cr_expect_eq(status, ST_BAD_FORMAT, "%s: %s", rows[i].why, status_row(status)->name);
        cr_expect_null(message);
    }
}

Test(proto, unknown_fields_are_counted_and_unknown_feed_kinds_pass)
{
    uint64_t before = proto_unknown_count();
    Sluice__Change *change;
    struct str wire = STR("\x08\x05\x10\x63\x9a\x06\x01x");
    cr_assert_eq(proto_unpack(&arena, &sluice__change__descriptor, wire, &change), ST_OK);
    cr_assert_eq((int)change->kind, 0x63);
    cr_assert_eq(proto_unknown_count(), before + 1);
}

Test(proto, a_bomb_of_empty_messages_hits_the_budget)
{
    size_t n = 1u << 20;
    char *bomb = arena_alloc(&arena, n);
    for (size_t i = 0; i < n; i += 2) {
        bomb[i] = 0x3a; /* ChangesReply.changes, empty */
        bomb[i + 1] = 0;
    }
    Sluice__ChangesReply *reply = NULL;
    size_t before = arena.used_bytes;
    cr_assert_eq(proto_unpack(&arena, &sluice__changes_reply__descriptor, str_of(bomb, n), &reply), ST_TOO_LARGE);
    cr_assert_null(reply);
    cr_assert_lt(arena.used_bytes - before, (PROTO_HEAP_FACTOR + 2) * n);
}

Test(proto, a_full_batch_of_small_events_fits_the_budget)
{
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
    cr_assert_eq(proto_pack(&arena, &batch.base, &wire), ST_OK);
    Sluice__UsageBatch *back;
    cr_assert_eq(proto_unpack(&arena, &sluice__usage_batch__descriptor, wire, &back), ST_OK);
    cr_assert_eq(back->n_events, EVENTS);
    cr_assert_eq(back->events[EVENTS - 1]->seq, EVENTS);
}

Test(proto, no_memory_is_told_from_too_large)
{
    struct arena tiny;
    arena_init(&tiny, 4096);
    char text[8192];
    memset(text, 'a', sizeof text);
    text[0] = 0x0a;
    text[1] = (char)0xfd;
    text[2] = 0x3f;
    Sluice__Hello *hello;
    cr_assert_eq(proto_unpack(&tiny, &sluice__hello__descriptor, str_of(text, 3 + 0x1ffd), &hello), ST_NO_MEMORY);
    arena_free(&tiny);
}

Test(proto, oversized_wire_is_refused_before_it_is_read)
{
    struct str wire = {"x", PROTO_WIRE_MAX_BYTES + 1};
    cr_assert_eq(proto_check(&sluice__hello__descriptor, wire), ST_TOO_LARGE);
}
