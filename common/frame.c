/* frame.c: sealing and opening the envelope of the link.
 *
 * The order of the checks is the point: size, then the fixed prefix that names the sender, then the
 * MAC over every byte in front of it, and only then a parse. A stranger's bytes reach no parser but
 * the 20-byte prefix compare, and a byte changed anywhere (version, node, boot, kind, counter,
 * payload, length) fails in one place.
 *
 * Must never: use a field of an envelope whose MAC has not been verified, except the claimed node
 * id for the key look-up.
 */
#include "common/frame.h"

#include <sodium.h>

#define FRAME_PREFIX_BYTES (2 + 2 + ID_BYTES)
#define FRAME_TAIL_BYTES   (2 + FRAME_MAC_BYTES)

static const char frame_prefix[] = {0x08, FRAME_VERSION, 0x12, ID_BYTES};
static const char frame_tail[] = {0x3a, FRAME_MAC_BYTES};

const ProtobufCMessageDescriptor *frame_descriptor(Sluice__LinkKind kind)
{
    static const ProtobufCMessageDescriptor *const rows[] = {
        [SLUICE__LINK_KIND__LINK_HELLO] = &sluice__hello__descriptor,
        [SLUICE__LINK_KIND__LINK_HELLO_REPLY] = &sluice__hello_reply__descriptor,
        [SLUICE__LINK_KIND__LINK_CHANGES] = &sluice__changes_request__descriptor,
        [SLUICE__LINK_KIND__LINK_CHANGES_REPLY] = &sluice__changes_reply__descriptor,
        [SLUICE__LINK_KIND__LINK_USAGE] = &sluice__usage_request__descriptor,
        [SLUICE__LINK_KIND__LINK_USAGE_REPLY] = &sluice__usage_ack__descriptor,
        [SLUICE__LINK_KIND__LINK_GRANTS] = &sluice__grants_request__descriptor,
        [SLUICE__LINK_KIND__LINK_GRANTS_REPLY] = &sluice__grants_reply__descriptor,
        [SLUICE__LINK_KIND__LINK_PROBE_RESULT] = &sluice__probe_result__descriptor,
        [SLUICE__LINK_KIND__LINK_PROBE_RESULT_REPLY] = &sluice__probe_result_reply__descriptor,
        [SLUICE__LINK_KIND__LINK_OBJECT] = &sluice__object_request__descriptor,
        [SLUICE__LINK_KIND__LINK_OBJECT_REPLY] = &sluice__object_reply__descriptor,
        [SLUICE__LINK_KIND__LINK_ERROR] = &sluice__link_error__descriptor,
    };
    return (size_t)kind < COUNT_OF(rows) ? rows[kind] : NULL;
}

static void frame_mac(const uint8_t key[FRAME_KEY_BYTES], const void *p, size_t n,
                      uint8_t mac[FRAME_MAC_BYTES])
{
    int failed = crypto_generichash(mac, FRAME_MAC_BYTES, p, n, key, FRAME_KEY_BYTES);
    CHECK(failed == 0);
}

enum status frame_seal(struct arena *arena, const uint8_t key[FRAME_KEY_BYTES],
                       const struct frame *head, const ProtobufCMessage *message, struct str *wire)
{
    CHECK(message == NULL || message->descriptor == frame_descriptor(head->kind));
    struct str payload = STR_NONE;
    if (message != NULL)
        TRY(wire_pack(message, arena, &payload));
    Sluice__Envelope envelope = SLUICE__ENVELOPE__INIT;
    envelope.version = FRAME_VERSION;
    envelope.node = wire_data(id_bytes(&head->node));
    envelope.boot = head->boot;
    envelope.kind = head->kind;
    envelope.counter = head->counter;
    envelope.payload = wire_data(payload);
    size_t n = sluice__envelope__get_packed_size(&envelope);
    if (n > FRAME_MAX_BYTES - FRAME_TAIL_BYTES)
        return ST_TOO_LARGE;
    uint8_t *room = arena_alloc(arena, n + FRAME_TAIL_BYTES);
    if (room == NULL)
        return ST_NO_MEMORY;
    size_t packed = sluice__envelope__pack(&envelope, room);
    CHECK(packed == n && memcmp(room, frame_prefix, sizeof frame_prefix) == 0);
    memcpy(room + n, frame_tail, sizeof frame_tail);
    frame_mac(key, room, n, room + n + sizeof frame_tail);
    *wire = str_of((const char *)room, n + FRAME_TAIL_BYTES);
    return ST_OK;
}

enum status frame_peek(struct str wire, struct id *node)
{
    if (wire.n > FRAME_MAX_BYTES)
        return ST_TOO_LARGE;
    if (wire.n < FRAME_PREFIX_BYTES + FRAME_TAIL_BYTES ||
        memcmp(wire.p, frame_prefix, sizeof frame_prefix) != 0)
        return ST_BAD_FORMAT;
    memcpy(node->b, wire.p + sizeof frame_prefix, ID_BYTES);
    return ST_OK;
}

/* The fields behind version and node, each at most once and of its own wire type. Unknown ones are
 * kept for later versions. */
static enum status frame_read(struct str rest, struct frame *frame)
{
    struct wire_field field;
    uint32_t seen = 0;
    while (wire_next(&rest, &field)) {
        if (field.number > 7)
            continue;
        bool bytes = field.number == 6;
        if (field.number < 3 || field.number == 7 || (seen & 1u << field.number) != 0 ||
            field.type !=
                (bytes ? PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED : PROTOBUF_C_WIRE_TYPE_VARINT))
            return ST_BAD_FORMAT;
        seen |= 1u << field.number;
        if (field.number == 3)
            frame->boot = field.value;
        else if (field.number == 4)
            frame->kind =
                field.value < 64 ? (Sluice__LinkKind)field.value : SLUICE__LINK_KIND__LINK_NONE;
        else if (field.number == 5)
            frame->counter = field.value;
        else
            frame->payload = field.bytes;
    }
    return rest.n == 0 && frame_descriptor(frame->kind) != NULL ? ST_OK : ST_BAD_FORMAT;
}

enum status frame_open(struct str wire, const uint8_t key[FRAME_KEY_BYTES], struct frame *frame)
{
    struct frame read = {0};
    TRY(frame_peek(wire, &read.node));
    size_t n = wire.n - FRAME_TAIL_BYTES;
    if (memcmp(wire.p + n, frame_tail, sizeof frame_tail) != 0)
        return ST_BAD_FORMAT;
    uint8_t mac[FRAME_MAC_BYTES];
    frame_mac(key, wire.p, n, mac);
    if (sodium_memcmp(mac, wire.p + n + sizeof frame_tail, sizeof mac) != 0)
        return ST_UNAUTHORIZED;
    TRY(frame_read(str_from(str_head(wire, n), FRAME_PREFIX_BYTES), &read));
    *frame = read;
    return ST_OK;
}

enum status frame_message(const struct frame *frame, struct arena *arena, void *message)
{
    const ProtobufCMessageDescriptor *descriptor = frame_descriptor(frame->kind);
    if (descriptor == NULL)
        return ST_BAD_FORMAT;
    return wire_unpack_known(descriptor, frame->payload, arena, message);
}

static void frame_window_slide(struct frame_window *window, uint64_t by)
{
    uint64_t old[COUNT_OF(window->seen)];
    memcpy(old, window->seen, sizeof old);
    memset(window->seen, 0, sizeof window->seen);
    if (by >= FRAME_WINDOW_BITS)
        return;
    /* Bit k stands for counter highest - k: sliding by n moves bit k to bit k + n. */
    size_t words = by / 64;
    unsigned bits = (unsigned)(by % 64);
    for (size_t i = COUNT_OF(old); i-- > words;) {
        window->seen[i] = old[i - words] << bits;
        if (bits != 0 && i > words)
            window->seen[i] |= old[i - words - 1] >> (64 - bits);
    }
}

enum status frame_window_take(struct frame_window *window, uint64_t counter)
{
    if (counter == 0)
        return ST_CONFLICT;
    if (counter > window->highest) {
        frame_window_slide(window, counter - window->highest);
        window->highest = counter;
        window->seen[0] |= 1;
        return ST_OK;
    }
    uint64_t back = window->highest - counter;
    if (back >= FRAME_WINDOW_BITS)
        return ST_CONFLICT;
    uint64_t bit = (uint64_t)1 << (back % 64);
    if ((window->seen[back / 64] & bit) != 0)
        return ST_CONFLICT;
    window->seen[back / 64] |= bit;
    return ST_OK;
}
