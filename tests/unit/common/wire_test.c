/* Wire: what is refused before protobuf-c sees it, and what it may cost. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/wire.h"
#include "proto/catalog.pb-c.h"
#include "proto/usage.pb-c.h"

static enum status unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes, size_t room)
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
        {STR("\x12\1\xFF"), ST_BAD_FORMAT},                       /* not UTF-8 */
        {STR("\x12\3\xED\xA0\x80"), ST_BAD_FORMAT},               /* surrogate */
        {STR("\x12\2a\0"), ST_BAD_FORMAT},                        /* NUL */
        {STR("\x12\2a"), ST_BAD_FORMAT},                          /* longer than what is left */
        {STR("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1"), ST_BAD_FORMAT},
        {STR("\x12"), ST_BAD_FORMAT},
        {STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"), ST_BAD_FORMAT}, /* long varint */
        {STR("\0\1"), ST_BAD_FORMAT},                             /* field 0 */
        {STR("\x13"), ST_BAD_FORMAT},                             /* group */
        {STR("\x16\1"), ST_BAD_FORMAT},                           /* wire type 6 */
        {STR("\x11\1\2\3"), ST_BAD_FORMAT},                       /* half a fixed64 */
        {STR("\x52\3\x1A\1\xFF"), ST_OK},                         /* bytes field inside SealedSecrets */
        {STR("\x52\3\x2A\1\xFF"), ST_BAD_FORMAT},                 /* string field inside it */
        {STR("\xC2\x3E\1\xFF"), ST_OK},                           /* unknown field: kept, not judged */
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
    for (size_t i = 0; i < n; i += 2) { /* UsageBatch.events = empty message, half a million times */
        bytes[i] = 0x1A;
        bytes[i + 1] = 0;
    }
    cr_assert_eq(unpack(&sluice__usage_batch__descriptor, str_of(bytes, n), (size_t)1 << 30), ST_NO_MEMORY);
    cr_assert_eq(unpack(&sluice__usage_batch__descriptor, str_of(bytes, 200), 1 << 20), ST_OK);
    cr_assert_eq(unpack(&sluice__usage_batch__descriptor, str_of(bytes, 200), 1 << 10), ST_NO_MEMORY);
    cr_assert_eq(unpack(&sluice__usage_batch__descriptor, str_of(bytes, WIRE_MAX_BYTES + 1), 1 << 10), ST_TOO_LARGE);
    free(bytes);
}
