/* frame.h: the sealed envelope in which every message of the link travels (proto/link.proto,
 * ARCHITECTURE section 4).
 *
 *   wire = [08 01][12 10 node 16][boot][kind][counter][payload] [3A 20 mac 32]
 *          `------------- MAC: keyed BLAKE2b-256, key = node key ----------'
 *
 * It is a packed sluice.Envelope; fields 1 and 2 come first and the mac last, so that a receiver
 * can name the sender and verify every byte before it parses one. TLS keeps strangers out; the node
 * key says which node speaks. Checked both ways. Pure functions; what they give lives in the arena
 * or borrows the wire. Keys are borrowed: 32 bytes that the caller has opened.
 */
#ifndef SLUICE_COMMON_FRAME_H
#define SLUICE_COMMON_FRAME_H

#include "common/id.h"
#include "common/wire.h"
#include "proto/link.pb-c.h"

#define FRAME_VERSION   1u
#define FRAME_MAX_BYTES WIRE_MAX_BYTES
#define FRAME_KEY_BYTES 32
#define FRAME_MAC_BYTES 32

struct frame {
    struct id node;
    uint64_t boot;
    uint64_t counter;
    Sluice__LinkKind kind;
    struct str payload; /* borrows the wire */
};

/* Packs `message` (the generated type of head->kind; NULL: empty) and seals it; head->payload is
 * not read. gives `wire` in the arena. ST_TOO_LARGE (16 MiB), ST_NO_MEMORY. */
MUST_USE enum status frame_seal(struct arena *arena, const uint8_t key[FRAME_KEY_BYTES],
                                const struct frame *head, const ProtobufCMessage *message,
                                struct str *wire);

/* The node that a frame claims to come from, so that its key can be looked up. Proves nothing.
 * ST_BAD_FORMAT: not a frame of a version we read. ST_TOO_LARGE. */
MUST_USE enum status frame_peek(struct str wire, struct id *node);

/* Verifies the MAC over all bytes, then reads the head. ST_UNAUTHORIZED: wrong key or changed
 * bytes. ST_BAD_FORMAT, ST_TOO_LARGE. */
MUST_USE enum status frame_open(struct str wire, const uint8_t key[FRAME_KEY_BYTES],
                                struct frame *frame);

/* Unpacks the payload as the type of frame->kind. `message` is the address of a pointer to that
 * struct. ST_BAD_FORMAT, ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status frame_message(const struct frame *frame, struct arena *arena, void *message);

/* The generated type of a kind's payload; NULL for kinds that do not exist. */
const ProtobufCMessageDescriptor *frame_descriptor(Sluice__LinkKind kind);

/* Which counters of one (node, boot) were seen. Requests that overtake each other are legal, a
 * repeated one is not: the window is RFC 4303's, 256 wide. Zero-initialised is empty. */
#define FRAME_WINDOW_BITS 256u
struct frame_window {
    uint64_t highest;
    uint64_t seen[FRAME_WINDOW_BITS / 64];
};
/* Takes a counter. ST_CONFLICT: seen before, too old, or 0. */
MUST_USE enum status frame_window_take(struct frame_window *window, uint64_t counter);

#endif
