/* wire.h: packing and unpacking protobuf messages, safely.
 *
 * protobuf-c alone turns 1 MiB of wire into 68 MiB of heap and accepts strings with NUL and broken
 * UTF-8 (reliability.md M13).
 * Here the bytes are walked first against the descriptor, allocating nothing, then unpacked into an
 * arena under a budget of their own. The message dies with the arena: never call a generated
 * free_unpacked on it. Unknown fields are kept, and counted. Any thread.
 * Limits: 16 MiB of wire, 8 levels, memory of 8 times the wire (64 KiB at least, 128 MiB at most).
 */
#ifndef SLUICE_COMMON_WIRE_H
#define SLUICE_COMMON_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "common/arena.h"
#include "common/id.h"
#include "common/json_write.h"

#define WIRE_MAX_BYTES      ((size_t)16 << 20)
#define WIRE_MAX_DEPTH      8
#define WIRE_HEAP_FACTOR    8u
#define WIRE_HEAP_MIN_BYTES ((size_t)64 << 10)
#define WIRE_HEAP_MAX_BYTES ((size_t)128 << 20)

/* Unpacks `bytes` into the arena. `message` is the address of a pointer to the descriptor's type.
 * Enum ranges are the caller's affair: it must decide what an unknown value means to it.
 * ST_BAD_FORMAT (malformed, wrong wire type, bad UTF-8, NUL in a string), ST_TOO_LARGE (wire, or it
 * swells beyond the budget), ST_NO_MEMORY. */
MUST_USE enum status wire_unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes,
                                 struct arena *arena, void *message);
/* As wire_unpack for messages from another host: an unknown value of an enum is ST_BAD_FORMAT too.
 * Only sluice.Kind may hold values we do not know: a feed may name kinds of a later version, which
 * its readers skip. */
MUST_USE enum status wire_unpack_known(const ProtobufCMessageDescriptor *descriptor,
                                       struct str bytes, struct arena *arena, void *message);

/* Packs into the arena. ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status wire_pack(const void *message, struct arena *arena, struct str *bytes);

/* Packs behind `head` zero bytes into memory that the caller frees with free(). ST_TOO_LARGE,
 * ST_NO_MEMORY. */
MUST_USE enum status wire_pack_alloc(const void *message, size_t head, uint8_t **out, size_t *n);

/* Checks wire bytes as wire_unpack does without unpacking them. ST_BAD_FORMAT. */
MUST_USE enum status wire_check(const ProtobufCMessageDescriptor *descriptor, struct str bytes);

/* One field of a wire message. */
struct wire_field {
    uint32_t number;
    ProtobufCWireType type;
    uint64_t value;   /* VARINT */
    struct str bytes; /* LENGTH_PREFIXED; for 32BIT and 64BIT the raw bytes; borrowed */
};
/* Takes the next field off `rest`. False at the end and on malformed bytes: `rest` is empty only if
 * all was well. */
bool wire_next(struct str *rest, struct wire_field *field);

/* Unknown fields met by this process, for /metrics. */
uint64_t wire_unknown_count(void);

/* borrows a bytes field as text, and text or an id as a bytes field (protobuf-c does not write
 * through it). */
struct str wire_str(const ProtobufCBinaryData *data);
ProtobufCBinaryData wire_data(struct str bytes);
ProtobufCBinaryData wire_id_data(const struct id *id); /* none gives the empty field */
/* Reads an id field: 16 bytes, or none if empty. ST_BAD_FORMAT. */
MUST_USE enum status wire_id(const ProtobufCBinaryData *data, struct id *id);
/* A member that holds an id: null if `data` is none. */
void wire_field_id(struct json_writer *w, const char *name, const ProtobufCBinaryData *data);

#endif
