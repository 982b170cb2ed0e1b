/* proto.h: protobuf-c behind the rules that it does not keep itself (reliability.md M13 and section 5).
 *
 * Wire bytes are walked once before anything is allocated: sizes, wire types, UTF-8 without NUL in every string, known values in
 * every enum. Then they are unpacked into an arena through an allocator that counts: at most 8 times the wire size (64 KiB
 * at least) and 128 MiB in all. Unknown fields are kept by protobuf-c and counted here. The enum sluice.Kind may hold values that we
 * do not know: a feed may name kinds of a later version, which are skipped by those who read it.
 * Messages live and die with their arena: never call a generated free_unpacked. Pure but for one counter; any thread.
 */
#ifndef SLUICE_COMMON_PROTO_H
#define SLUICE_COMMON_PROTO_H

#include <protobuf-c/protobuf-c.h>

#include "common/arena.h"

#define PROTO_WIRE_MAX_BYTES (16u << 20)
#define PROTO_HEAP_MAX_BYTES (128u << 20)
#define PROTO_HEAP_FACTOR    8u
#define PROTO_HEAP_MIN_BYTES (64u << 10)

/* One field of a wire message. */
struct proto_field {
    uint32_t number;
    ProtobufCWireType type;
    uint64_t value;   /* VARINT */
    struct str bytes; /* LENGTH_PREFIXED; for 32BIT and 64BIT the raw bytes */
};

/* Takes the next field off `rest`. False at the end and on malformed bytes; then `rest` is empty only if all was well. */
bool proto_next(struct str *rest, struct proto_field *field);

/* Proves wire bytes against a descriptor, allocating nothing. ST_BAD_FORMAT, ST_TOO_LARGE. */
MUST_USE enum status proto_check(const ProtobufCMessageDescriptor *descriptor, struct str wire);

/* Checks and unpacks. `message` is the address of a pointer to the generated struct; it is given in the arena.
 * ST_BAD_FORMAT, ST_TOO_LARGE (wire above 16 MiB, or it would grow beyond the cap), ST_NO_MEMORY. */
MUST_USE enum status proto_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
                                  struct str wire, void *message);

/* Packs any generated message (give it as &m->base). gives in the arena. ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status proto_pack(struct arena *arena, const ProtobufCMessage *message, struct str *wire);

/* Unknown fields met by this process, for /metrics. */
uint64_t proto_unknown_count(void);

/* str and protobuf bytes carry the same two words. */
static inline struct str proto_str(ProtobufCBinaryData data)
{
    return (struct str){(const char *)data.data, data.len};
}

/* borrows `s`: protobuf-c never writes through what it packs. */
static inline ProtobufCBinaryData proto_bytes(struct str s)
{
    union {
        const char *from;
        uint8_t *to;
    } cast = {.from = s.p};
    return (ProtobufCBinaryData){.len = s.n, .data = cast.to};
}

#endif
