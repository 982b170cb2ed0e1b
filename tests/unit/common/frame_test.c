/* frame_test.c: what a frame proves, byte by byte. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "common/frame.h"

static struct arena arena;
static uint8_t key[FRAME_KEY_BYTES];
static struct frame head;
static struct str wire;

static void setup(void)
{
    arena_init(&arena, 64u << 20);
    memset(key, 0x5a, sizeof key);
    head = (struct frame){.node = id_new(), .boot = 9, .counter = 3, .kind = SLUICE__LINK_KIND__LINK_HELLO};
    Sluice__Hello hello;
    sluice__hello__init(&hello);
    char software[] = "test";
    hello.software = software;
    cr_assert_eq(frame_seal(&arena, key, &head, &hello.base, &wire), ST_OK);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(frame, .init = setup, .fini = teardown);

Test(frame, opens_with_the_key_it_was_sealed_with)
{
    struct frame back;
    struct id node;
    cr_assert_eq(frame_peek(wire, &node), ST_OK);
    cr_assert(id_eq(&node, &head.node));
    cr_assert_eq(frame_open(wire, key, &back), ST_OK);
    cr_assert(id_eq(&back.node, &head.node));
    cr_assert_eq(back.boot, 9);
    cr_assert_eq(back.counter, 3);
    Sluice__Hello *hello;
    cr_assert_eq(frame_message(&back, &arena, &hello), ST_OK);
    cr_assert_str_eq(hello->software, "test");
}

Test(frame, is_a_packed_envelope)
{
    Sluice__Envelope *envelope;
    cr_assert_eq(wire_unpack_known(&sluice__envelope__descriptor, wire, &arena, &envelope), ST_OK);
    cr_assert_eq(envelope->mac.len, FRAME_MAC_BYTES);
    cr_assert_eq(envelope->counter, 3);
}

Test(frame, wrong_key_is_refused)
{
    struct frame back;
    key[31] ^= 1;
    cr_assert_eq(frame_open(wire, key, &back), ST_UNAUTHORIZED);
}

Test(frame, any_flipped_bit_is_refused)
{
    char *copy = arena_alloc(&arena, wire.n);
    for (size_t bit = 0; bit < wire.n * 8; bit++) {
        memcpy(copy, wire.p, wire.n);
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << (bit % 8)));
        struct frame back;
        cr_assert_neq(frame_open(str_of(copy, wire.n), key, &back), ST_OK, "bit %zu", bit);
    }
}

Test(frame, any_cut_is_refused)
{
    for (size_t n = 0; n < wire.n; n++) {
        struct frame back;
        cr_assert_neq(frame_open(str_head(wire, n), key, &back), ST_OK, "cut at %zu", n);
    }
}

/* Bytes that carry a right MAC but are not what a frame may be. */
static enum status open_resealed(const char *middle, size_t n)
{
    char raw[256];
    memcpy(raw, wire.p, 20);
    memcpy(raw + 20, middle, n);
    raw[20 + n] = 0x3a;
    raw[21 + n] = 32;
    cr_assert_eq(crypto_generichash((unsigned char *)raw + 22 + n, 32, (unsigned char *)raw, 20 + n, key, 32), 0);
    struct frame back;
    return frame_open(str_of(raw, 54 + n), key, &back);
}

Test(frame, authentic_but_malformed_is_refused)
{
    static const struct {
        const char *why, *p;
        size_t n;
        enum status status;
    } rows[] = {
#define ROW(why, literal, status) {why, literal, sizeof(literal) - 1, status}
        ROW("plain", "\x18\x09\x20\x01\x28\x03", ST_OK),
        ROW("unknown field of a later version", "\x18\x09\x20\x01\x28\x03\x40\x01", ST_OK),
        ROW("no kind", "\x18\x09\x28\x03", ST_BAD_FORMAT),
        ROW("kind 14", "\x20\x0e\x28\x03", ST_BAD_FORMAT),
        ROW("kind 2^32 + 1", "\x20\x81\x80\x80\x80\x10\x28\x03", ST_BAD_FORMAT),
        ROW("counter twice", "\x20\x01\x28\x03\x28\x04", ST_BAD_FORMAT),
        ROW("second node", "\x12\x01x\x20\x01", ST_BAD_FORMAT),
        ROW("second version", "\x08\x01\x20\x01", ST_BAD_FORMAT),
        ROW("inner mac", "\x20\x01\x3a\x01x", ST_BAD_FORMAT),
        ROW("payload as a number", "\x20\x01\x30\x01", ST_BAD_FORMAT),
        ROW("boot as bytes", "\x1a\x01x\x20\x01", ST_BAD_FORMAT),
        ROW("trailing byte", "\x20\x01\x28", ST_BAD_FORMAT),
#undef ROW
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(open_resealed(rows[i].p, rows[i].n), rows[i].status, "%s", rows[i].why);
}

Test(frame, another_version_is_not_read)
{
    char *copy = arena_alloc(&arena, wire.n);
    memcpy(copy, wire.p, wire.n);
    copy[1] = 2;
    struct id node;
    cr_assert_eq(frame_peek(str_of(copy, wire.n), &node), ST_BAD_FORMAT);
}

Test(frame, oversize_is_refused)
{
    struct id node;
    struct str large = {wire.p, FRAME_MAX_BYTES + 1};
    cr_assert_eq(frame_peek(large, &node), ST_TOO_LARGE);
    size_t n = FRAME_MAX_BYTES - 8;
    char *text = arena_alloc(&arena, n + 1);
    memset(text, 'a', n);
    text[n] = '\0';
    Sluice__Hello hello;
    sluice__hello__init(&hello);
    hello.software = text;
    cr_assert_eq(frame_seal(&arena, key, &head, &hello.base, &wire), ST_TOO_LARGE);
}

Test(frame, window_takes_each_counter_once)
{
    struct frame_window window = {0};
    static const struct {
        uint64_t counter;
        enum status status;
    } rows[] = {
        {0, ST_CONFLICT}, {1, ST_OK},         {1, ST_CONFLICT},   {5, ST_OK},           {3, ST_OK},
        {3, ST_CONFLICT}, {5, ST_CONFLICT},   {70, ST_OK},        {5, ST_CONFLICT},     {4, ST_OK},
        {69, ST_OK},      {260, ST_OK},       {4, ST_CONFLICT},   {5, ST_CONFLICT},     {6, ST_OK},
        {70, ST_CONFLICT}, {600, ST_OK},      {260, ST_CONFLICT}, {344, ST_CONFLICT},   {345, ST_OK},
        {345, ST_CONFLICT}, {UINT64_MAX, ST_OK}, {UINT64_MAX, ST_CONFLICT}, {UINT64_MAX - 255, ST_OK},
        {600, ST_CONFLICT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(frame_window_take(&window, rows[i].counter), rows[i].status, "row %zu", i);
}

Test(frame, window_agrees_with_a_plain_set)
{
    struct frame_window window = {0};
    static bool seen[4096];
    uint64_t highest = 0, state = 88172645463325252u;
    for (unsigned round = 0; round < 20000; round++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        uint64_t base = round / 6 + 1;
        uint64_t counter = base + state % 400;
        bool fresh = !seen[counter] && (counter > highest || highest - counter < FRAME_WINDOW_BITS);
        cr_assert_eq(frame_window_take(&window, counter) == ST_OK, fresh, "counter %lu", (unsigned long)counter);
        seen[counter] = seen[counter] || fresh;
        if (counter > highest)
            highest = counter;
    }
}
