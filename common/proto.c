/* proto.c: what stands between bytes from a peer and a protobuf-c struct.
 *
 * protobuf-c 1.4.1 trusts its input: a string may hold 0xFF and NUL, an enum any number, and 1 MiB of empty sub-messages becomes 68 MiB
 * of heap. So the wire is walked first against the descriptor (no allocation, depth bounded), and unpacking then runs on an
 * allocator with a budget. The unpacker frees its scratch slabs while it works; the allocator hands the same sizes out again, so
 * the budget measures what the message needs and not how often the unpacker scratched.
 *
 * Must never: unpack unchecked bytes, or let the caller free single parts of a message.
 */
#include "common/proto.h"

#include <stdatomic.h>

#include "proto/catalog.pb-c.h"

#define PROTO_DEPTH_MAX  16
#define PROTO_SPARES_MAX 8

static _Atomic uint64_t proto_unknown;

uint64_t proto_unknown_count(void)
{
    return atomic_load_explicit(&proto_unknown, memory_order_relaxed);
}

static bool proto_take_varint(struct str *rest, uint64_t *value)
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

static bool proto_take_bytes(struct str *rest, uint64_t n, struct str *bytes)
{
    if (n > rest->n)
        return false;
    *bytes = str_head(*rest, (size_t)n);
    *rest = str_from(*rest, (size_t)n);
    return true;
}

bool proto_next(struct str *rest, struct proto_field *field)
{
    struct str at = *rest;
    uint64_t tag, n;
    *field = (struct proto_field){0};
    if (at.n == 0 || !proto_take_varint(&at, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return false;
    field->number = (uint32_t)(tag >> 3);
    field->type = (ProtobufCWireType)(tag & 7);
    bool ok;
    switch (tag & 7) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        ok = proto_take_varint(&at, &field->value);
        break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        ok = proto_take_bytes(&at, 8, &field->bytes);
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        ok = proto_take_varint(&at, &n) && proto_take_bytes(&at, n, &field->bytes);
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        ok = proto_take_bytes(&at, 4, &field->bytes);
        break;
    default: /* groups were never part of proto3 */
        ok = false;
    }
    if (ok)
        *rest = at;
    return ok;
}

static ProtobufCWireType proto_wire_type(ProtobufCType type)
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

static bool proto_enum_known(const ProtobufCFieldDescriptor *desc, uint64_t value)
{
    const ProtobufCEnumDescriptor *values = desc->descriptor;
    if (values == &sluice__kind__descriptor)
        return value <= INT32_MAX;
    return value <= INT32_MAX && protobuf_c_enum_descriptor_get_value(values, (int)value) != NULL;
}

/* A packed run of scalars: whole varints, each a known value where it is an enum. */
static bool proto_check_packed(const ProtobufCFieldDescriptor *desc, struct str run)
{
    ProtobufCWireType type = proto_wire_type(desc->type);
    if (type == PROTOBUF_C_WIRE_TYPE_32BIT)
        return run.n % 4 == 0;
    if (type == PROTOBUF_C_WIRE_TYPE_64BIT)
        return run.n % 8 == 0;
    while (run.n > 0) {
        uint64_t value;
        if (!proto_take_varint(&run, &value))
            return false;
        if (desc->type == PROTOBUF_C_TYPE_ENUM && !proto_enum_known(desc, value))
            return false;
    }
    return true;
}

static bool proto_check_message(const ProtobufCMessageDescriptor *descriptor, struct str wire, unsigned depth);

static bool proto_check_field(const ProtobufCFieldDescriptor *desc, const struct proto_field *field,
                              unsigned depth)
{
    ProtobufCWireType type = proto_wire_type(desc->type);
    if (field->type != type)
        return desc->label == PROTOBUF_C_LABEL_REPEATED &&
               field->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED && proto_check_packed(desc, field->bytes);
    switch (desc->type) {
    case PROTOBUF_C_TYPE_STRING:
        return str_is_utf8(field->bytes) && str_find_char(field->bytes, '\0') < 0;
    case PROTOBUF_C_TYPE_ENUM:
        return proto_enum_known(desc, field->value);
    case PROTOBUF_C_TYPE_MESSAGE:
        return proto_check_message(desc->descriptor, field->bytes, depth + 1);
    default:
        return true;
    }
}

static bool proto_check_message(const ProtobufCMessageDescriptor *descriptor, struct str wire, unsigned depth)
{
    struct proto_field field;
    if (depth > PROTO_DEPTH_MAX)
        return false;
    while (proto_next(&wire, &field)) {
        const ProtobufCFieldDescriptor *desc =
            protobuf_c_message_descriptor_get_field(descriptor, field.number);
        if (desc == NULL)
            atomic_fetch_add_explicit(&proto_unknown, 1, memory_order_relaxed);
        else if (!proto_check_field(desc, &field, depth))
            return false;
    }
    return wire.n == 0;
}

enum status proto_check(const ProtobufCMessageDescriptor *descriptor, struct str wire)
{
    if (wire.n > PROTO_WIRE_MAX_BYTES)
        return ST_TOO_LARGE;
    return proto_check_message(descriptor, wire, 0) ? ST_OK : ST_BAD_FORMAT;
}

/* --- the counting allocator ------------------------------------------------------------------------ */

/* In front of every piece handed out. */
struct proto_piece {
    size_t bytes;
    struct proto_piece *next; /* in the list of spares */
};
_Static_assert(sizeof(struct proto_piece) == 16, "keeps the alignment of the arena");

struct proto_heap {
    struct arena *arena;
    size_t left_bytes;
    bool over; /* the budget, not the arena, said no */
    struct proto_piece *spares;
};

static void *proto_heap_alloc(void *data, size_t n)
{
    struct proto_heap *heap = data;
    struct proto_piece **link = &heap->spares;
    for (unsigned i = 0; i < PROTO_SPARES_MAX && *link != NULL; i++, link = &(*link)->next) {
        struct proto_piece *piece = *link;
        if (piece->bytes == n) {
            *link = piece->next;
            return piece + 1;
        }
    }
    if (n > heap->left_bytes || heap->left_bytes - n < sizeof(struct proto_piece)) {
        heap->over = true;
        return NULL;
    }
    struct proto_piece *piece = arena_alloc(heap->arena, sizeof *piece + n);
    if (piece == NULL)
        return NULL;
    heap->left_bytes -= n + sizeof *piece;
    piece->bytes = n;
    return piece + 1;
}

static void proto_heap_free(void *data, void *p)
{
    struct proto_heap *heap = data;
    if (p == NULL)
        return;
    struct proto_piece *piece = (struct proto_piece *)p - 1;
    piece->next = heap->spares;
    heap->spares = piece;
}

enum status proto_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct str wire,
                         void *message)
{
    TRY(proto_check(descriptor, wire));
    size_t budget = wire.n * PROTO_HEAP_FACTOR;
    if (budget < PROTO_HEAP_MIN_BYTES)
        budget = PROTO_HEAP_MIN_BYTES;
    struct proto_heap heap = {.arena = arena,
                              .left_bytes = budget < PROTO_HEAP_MAX_BYTES ? budget : PROTO_HEAP_MAX_BYTES};
    ProtobufCAllocator allocator = {
        .alloc = proto_heap_alloc, .free = proto_heap_free, .allocator_data = &heap};
    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(descriptor, &allocator, wire.n, (const uint8_t *)wire.p);
    if (unpacked == NULL)
        return heap.over ? ST_TOO_LARGE : ST_NO_MEMORY;
    *(ProtobufCMessage **)message = unpacked;
    return ST_OK;
}

enum status proto_pack(struct arena *arena, const ProtobufCMessage *message, struct str *wire)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    if (n > PROTO_WIRE_MAX_BYTES)
        return ST_TOO_LARGE;
    uint8_t *room = arena_alloc(arena, n);
    if (room == NULL)
        return ST_NO_MEMORY;
    size_t packed = protobuf_c_message_pack(message, room);
    CHECK(packed == n);
    *wire = str_of((const char *)room, n);
    return ST_OK;
}
