/* wire.c: what stands between bytes and a protobuf-c struct.
 *
 * The check walks the wire beside the descriptor before protobuf-c sees a byte. It has to be the
 * wire: once unpacked, a string with a NUL inside looks like a shorter string. Unpacking then runs
 * on an allocator with a budget. The unpacker frees its scratch slabs while it works; the allocator
 * hands the same sizes out again, so the budget measures what the message needs and not how often
 * the unpacker scratched. Nothing is recursive beyond WIRE_MAX_DEPTH, and no length is used before
 * it is compared with what is left.
 *
 * Must never: unpack unchecked bytes, or let the caller free single parts of a message.
 */
#include "common/wire.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "proto/catalog.pb-c.h"

#define WIRE_SPARES_MAX 8

static _Atomic uint64_t wire_unknown;

uint64_t wire_unknown_count(void)
{
    return atomic_load_explicit(&wire_unknown, memory_order_relaxed);
}

static bool wire_take_varint(struct str *rest, uint64_t *value)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 10 && i < rest->n; i++) {
        uint8_t byte = (uint8_t)rest->p[i];
        if (i == 9 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *rest = str_from(*rest, i + 1);
            *value = v;
            return true;
        }
    }
    return false;
}

static bool wire_take_bytes(struct str *rest, uint64_t n, struct str *bytes)
{
    if (n > rest->n)
        return false;
    *bytes = str_head(*rest, (size_t)n);
    *rest = str_from(*rest, (size_t)n);
    return true;
}

bool wire_next(struct str *rest, struct wire_field *field)
{
    struct str at = *rest;
    uint64_t tag, n;
    *field = (struct wire_field){0};
    if (at.n == 0 || !wire_take_varint(&at, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return false;
    field->number = (uint32_t)(tag >> 3);
    field->type = (ProtobufCWireType)(tag & 7);
    bool ok;
    switch (tag & 7) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        ok = wire_take_varint(&at, &field->value);
        break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        ok = wire_take_bytes(&at, 8, &field->bytes);
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        ok = wire_take_varint(&at, &n) && wire_take_bytes(&at, n, &field->bytes);
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        ok = wire_take_bytes(&at, 4, &field->bytes);
        break;
    default: /* groups were never part of proto3 */
        ok = false;
    }
    if (ok)
        *rest = at;
    return ok;
}

static ProtobufCWireType wire_wire_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

static bool wire_enum_known(const ProtobufCFieldDescriptor *desc, uint64_t value)
{
    const ProtobufCEnumDescriptor *values = desc->descriptor;
    if (values == &sluice__kind__descriptor)
        return value <= INT32_MAX;
    return value <= INT32_MAX && protobuf_c_enum_descriptor_get_value(values, (int)value) != NULL;
}

/* A packed run of scalars: whole varints, each a known value where that is asked of an enum. */
static bool wire_check_packed(const ProtobufCFieldDescriptor *desc, struct str run, bool known)
{
    ProtobufCWireType type = wire_wire_type(desc->type);
    if (type == PROTOBUF_C_WIRE_TYPE_32BIT)
        return run.n % 4 == 0;
    if (type == PROTOBUF_C_WIRE_TYPE_64BIT)
        return run.n % 8 == 0;
    while (run.n > 0) {
        uint64_t value;
        if (!wire_take_varint(&run, &value))
            return false;
        if (known && desc->type == PROTOBUF_C_TYPE_ENUM && !wire_enum_known(desc, value))
            return false;
    }
    return true;
}

static bool wire_check_message(const ProtobufCMessageDescriptor *descriptor, struct str wire,
                               unsigned depth, bool known);

static bool wire_check_field(const ProtobufCFieldDescriptor *desc, const struct wire_field *field,
                             unsigned depth, bool known)
{
    ProtobufCWireType type = wire_wire_type(desc->type);
    if (field->type != type)
        return desc->label == PROTOBUF_C_LABEL_REPEATED &&
               field->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED &&
               wire_check_packed(desc, field->bytes, known);
    switch (desc->type) {
    case PROTOBUF_C_TYPE_STRING:
        return str_is_utf8(field->bytes) && str_find_char(field->bytes, '\0') < 0;
    case PROTOBUF_C_TYPE_ENUM:
        return !known || wire_enum_known(desc, field->value);
    case PROTOBUF_C_TYPE_MESSAGE:
        return wire_check_message(desc->descriptor, field->bytes, depth + 1, known);
    default:
        return true;
    }
}

static bool wire_check_message(const ProtobufCMessageDescriptor *descriptor, struct str wire,
                               unsigned depth, bool known)
{
    struct wire_field field;
    if (depth >= WIRE_MAX_DEPTH)
        return false;
    while (wire_next(&wire, &field)) {
        const ProtobufCFieldDescriptor *desc =
            protobuf_c_message_descriptor_get_field(descriptor, field.number);
        if (desc == NULL)
            atomic_fetch_add_explicit(&wire_unknown, 1, memory_order_relaxed);
        else if (!wire_check_field(desc, &field, depth, known))
            return false;
    }
    return wire.n == 0;
}

enum status wire_check(const ProtobufCMessageDescriptor *descriptor, struct str bytes)
{
    return wire_check_message(descriptor, bytes, 0, false) ? ST_OK : ST_BAD_FORMAT;
}

/* --- the counting allocator ------------------------------------------------------------------- */

/* In front of every piece handed out. */
struct wire_piece {
    size_t bytes;
    struct wire_piece *next; /* in the list of spares */
};
_Static_assert(sizeof(struct wire_piece) == 16, "keeps the alignment of the arena");

struct wire_heap {
    struct arena *arena;
    size_t left_bytes;
    bool over;    /* the budget said no */
    bool refused; /* the arena said no */
    struct wire_piece *spares;
};

static void *wire_heap_alloc(void *data, size_t n)
{
    struct wire_heap *heap = data;
    struct wire_piece **link = &heap->spares;
    for (unsigned i = 0; i < WIRE_SPARES_MAX && *link != NULL; i++, link = &(*link)->next) {
        struct wire_piece *piece = *link;
        if (piece->bytes == n) {
            *link = piece->next;
            return piece + 1;
        }
    }
    if (n > heap->left_bytes || heap->left_bytes - n < sizeof(struct wire_piece)) {
        heap->over = true;
        return NULL;
    }
    struct wire_piece *piece = arena_alloc(heap->arena, sizeof *piece + n);
    if (piece == NULL) {
        heap->refused = true;
        return NULL;
    }
    heap->left_bytes -= n + sizeof *piece;
    piece->bytes = n;
    return piece + 1;
}

static void wire_heap_free(void *data, void *p)
{
    struct wire_heap *heap = data;
    if (p == NULL)
        return;
    struct wire_piece *piece = (struct wire_piece *)p - 1;
    piece->next = heap->spares;
    heap->spares = piece;
}

static enum status wire_unpack_checked(const ProtobufCMessageDescriptor *descriptor,
                                       struct str bytes, struct arena *arena, void *message)
{
    size_t budget = bytes.n * WIRE_HEAP_FACTOR;
    if (budget < WIRE_HEAP_MIN_BYTES)
        budget = WIRE_HEAP_MIN_BYTES;
    struct wire_heap heap = {
        .arena = arena, .left_bytes = budget < WIRE_HEAP_MAX_BYTES ? budget : WIRE_HEAP_MAX_BYTES};
    ProtobufCAllocator allocator = {
        .alloc = wire_heap_alloc, .free = wire_heap_free, .allocator_data = &heap};
    ProtobufCMessage *out =
        protobuf_c_message_unpack(descriptor, &allocator, bytes.n, (const uint8_t *)bytes.p);
    if (out == NULL)
        return heap.over ? ST_TOO_LARGE : heap.refused ? ST_NO_MEMORY : ST_BAD_FORMAT;
    memcpy(message, &out, sizeof out);
    return ST_OK;
}

enum status wire_unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes,
                        struct arena *arena, void *message)
{
    if (bytes.n > WIRE_MAX_BYTES)
        return ST_TOO_LARGE;
    TRY(wire_check(descriptor, bytes));
    return wire_unpack_checked(descriptor, bytes, arena, message);
}

enum status wire_unpack_known(const ProtobufCMessageDescriptor *descriptor, struct str bytes,
                              struct arena *arena, void *message)
{
    if (bytes.n > WIRE_MAX_BYTES)
        return ST_TOO_LARGE;
    if (!wire_check_message(descriptor, bytes, 0, true))
        return ST_BAD_FORMAT;
    return wire_unpack_checked(descriptor, bytes, arena, message);
}

enum status wire_pack_alloc(const void *message, size_t head, uint8_t **out, size_t *n)
{
    size_t bytes = protobuf_c_message_get_packed_size(message);
    if (bytes > WIRE_MAX_BYTES)
        return ST_TOO_LARGE;
    uint8_t *memory = malloc(head + bytes + 1);
    if (memory == NULL)
        return ST_NO_MEMORY;
    memset(memory, 0, head);
    CHECK(protobuf_c_message_pack(message, memory + head) == bytes);
    *out = memory;
    *n = head + bytes;
    return ST_OK;
}

enum status wire_pack(const void *message, struct arena *arena, struct str *bytes)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    if (n > WIRE_MAX_BYTES)
        return ST_TOO_LARGE;
    uint8_t *memory = arena_alloc(arena, n);
    if (memory == NULL)
        return ST_NO_MEMORY;
    CHECK(protobuf_c_message_pack(message, memory) == n);
    *bytes = (struct str){(const char *)memory, n};
    return ST_OK;
}

struct str wire_str(const ProtobufCBinaryData *data)
{
    return (struct str){(const char *)data->data, data->len};
}

ProtobufCBinaryData wire_data(struct str bytes)
{
    union {
        const char *in;
        uint8_t *out;
    } p = {.in = bytes.p};
    return (ProtobufCBinaryData){.len = bytes.n, .data = p.out};
}

ProtobufCBinaryData wire_id_data(const struct id *id)
{
    return id_is_none(id) ? (ProtobufCBinaryData){0} : wire_data(id_bytes(id));
}

enum status wire_id(const ProtobufCBinaryData *data, struct id *id)
{
    if (data->len == 0) {
        *id = ID_NONE;
        return ST_OK;
    }
    return id_from_bytes(wire_str(data), id) == ST_OK ? ST_OK : ST_BAD_FORMAT;
}

void wire_field_id(struct json_writer *w, const char *name, const ProtobufCBinaryData *data)
{
    struct id id;
    jw_field_id(w, name, wire_id(data, &id) == ST_OK ? &id : &ID_NONE);
}
