/* frame_fuzz.c: envelopes of the link, hostile and sealed. Holds that
 *   1. a stranger's bytes are refused, whatever they are, and never as "no memory";
 *   2. the same bytes, sealed by us as a payload, come back whole, and a changed byte does not;
 *   3. unpacking a payload of any bytes gives a message or a status, within the budget;
 *   4. a counter is taken once.
 * Input: kind, position and mask of the change, then the payload.
 */
#include <stdlib.h>

#include <sodium.h>

#include "common/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

static const uint8_t key[FRAME_KEY_BYTES] = "an example key of 32 bytes: 0123";

/* A frame around raw payload bytes, as a sender with another notion of the message would make it. */
static struct str seal_raw(struct arena *arena, uint64_t kind, struct str payload)
{
    Sluice__Envelope envelope = SLUICE__ENVELOPE__INIT;
    struct id node = {{1}};
    envelope.version = FRAME_VERSION;
    envelope.node = wire_data(id_bytes(&node));
    envelope.boot = 7;
    envelope.kind = (Sluice__LinkKind)kind;
    envelope.counter = 9;
    envelope.payload = wire_data(payload);
    size_t n = sluice__envelope__get_packed_size(&envelope);
    uint8_t *room = arena_alloc(arena, n + 2 + FRAME_MAC_BYTES);
    CHECK(room != NULL);
    sluice__envelope__pack(&envelope, room);
    room[n] = 0x3a;
    room[n + 1] = FRAME_MAC_BYTES;
    int failed =
        crypto_generichash(room + n + 2, FRAME_MAC_BYTES, room, n, key, sizeof key);
    CHECK(failed == 0);
    return str_of((const char *)room, n + 2 + FRAME_MAC_BYTES);
}

static void check_stranger(struct str wire)
{
    struct frame frame;
    struct id node;
    enum status peeked = frame_peek(wire, &node), opened = frame_open(wire, key, &frame);
    CHECK(opened == ST_BAD_FORMAT || opened == ST_UNAUTHORIZED || opened == ST_TOO_LARGE);
    CHECK(peeked == ST_OK || opened != ST_UNAUTHORIZED);
}

static void check_sealed(struct arena *arena, const uint8_t *data, size_t size)
{
    struct str payload = str_of((const char *)data + 4, size - 4), sealed;
    struct frame frame;
    sealed = seal_raw(arena, data[0] % 32u, payload);
    enum status status = frame_open(sealed, key, &frame);
    if (frame_descriptor((Sluice__LinkKind)(data[0] % 32u)) == NULL) {
        CHECK(status == ST_BAD_FORMAT);
        return;
    }
    CHECK(status == ST_OK && frame.boot == 7 && frame.counter == 9);
    CHECK(str_eq(frame.payload, payload));
    ProtobufCMessage *message = NULL;
    struct arena room;
    arena_init(&room, WIRE_HEAP_MAX_BYTES);
    status = frame_message(&frame, &room, &message);
    CHECK(status == ST_OK || status == ST_BAD_FORMAT || status == ST_TOO_LARGE);
    CHECK(status != ST_OK || message->descriptor == frame_descriptor(frame.kind));
    arena_free(&room);
    size_t at = ((size_t)data[1] << 8 | data[2]) % sealed.n;
    char *changed = arena_alloc(arena, sealed.n);
    CHECK(changed != NULL);
    memcpy(changed, sealed.p, sealed.n);
    changed[at] = (char)(changed[at] ^ (data[3] == 0 ? 1 : data[3]));
    CHECK(frame_open(str_of(changed, sealed.n), key, &frame) != ST_OK);
}

static void check_window(const uint8_t *data, size_t size)
{
    struct frame_window window = {0};
    bool taken[512] = {false};
    uint64_t highest = 0;
    for (size_t i = 0; i < size; i++) {
        uint64_t counter = (uint64_t)data[i] + (i > size / 2 ? 200 : 0);
        bool old = counter + FRAME_WINDOW_BITS <= highest;
        bool fresh = counter != 0 && !taken[counter] && !old;
        CHECK((frame_window_take(&window, counter) == ST_OK) == fresh);
        taken[counter] = taken[counter] || fresh;
        highest = fresh && counter > highest ? counter : highest;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size < 4 || size > FUZZ_MAX_BYTES)
        return 0;
    arena_init(&arena, 64u << 20);
    check_stranger(str_of((const char *)data, size));
    check_sealed(&arena, data, size);
    check_window(data, size);
    arena_free(&arena);
    return 0;
}
