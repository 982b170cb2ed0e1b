/* wire.h: packing and unpacking protobuf messages, safely.
 *
 * protobuf-c alone turns 1 MiB of wire into 68 MiB of heap and accepts strings with NUL and broken UTF-8 (reliability.md M13).
 * Here the text is checked first against the descriptor, then unpacked into an arena under a cap of its own. The message dies
 * with the arena: never call free_unpacked on it. Unknown fields are kept. Enum ranges are the caller's affair: a reader must
 * decide what an unknown value means to it. Any thread. Limits: 16 MiB of wire, 8 levels, 64 KiB + 16 x wire of memory.
 */
#ifndef SLUICE_COMMON_WIRE_H
#define SLUICE_COMMON_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "common/arena.h"
#include "common/id.h"

#define WIRE_MAX_BYTES ((size_t)16 << 20)
#define WIRE_MAX_DEPTH 8

/* Unpacks `bytes` into the arena. `message` is the address of a pointer to the descriptor's type.
 * ST_TOO_LARGE, ST_BAD_FORMAT (malformed, bad UTF-8, NUL in a string), ST_NO_MEMORY (also: swells beyond the cap). */
MUST_USE enum status wire_unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes, struct arena *arena,
                                 void *message);

/* Packs into the arena. ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status wire_pack(const void *message, struct arena *arena, struct str *bytes);

/* Packs behind `head` zero bytes into memory that the caller frees with free(). ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status wire_pack_alloc(const void *message, size_t head, uint8_t **out, size_t *n);

/* Checks wire text against a descriptor without unpacking it: well-formed, strings UTF-8 without NUL. ST_BAD_FORMAT. */
MUST_USE enum status wire_check(const ProtobufCMessageDescriptor *descriptor, struct str bytes);

/* borrows a bytes field as text, and text or an id as a bytes field (protobuf-c does not write through it). */
struct str wire_str(const ProtobufCBinaryData *data);
ProtobufCBinaryData wire_data(struct str bytes);
ProtobufCBinaryData wire_id_data(const struct id *id); /* none gives the empty field */
/* Reads an id field: 16 bytes, or none if empty. ST_BAD_FORMAT. */
MUST_USE enum status wire_id(const ProtobufCBinaryData *data, struct id *id);

#endif
