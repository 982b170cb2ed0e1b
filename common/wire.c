/* wire.c: protobuf text in and out.
 *
 * The check walks the wire beside the descriptor before protobuf-c sees a byte. It has to be the wire: once unpacked, a string
 * with a NUL inside looks like a shorter string. Invariant: what wire_unpack gives has no string that C would read
 * differently from its length, and cost at most WIRE_SWELL times its size in memory. Nothing here is recursive beyond
 * WIRE_MAX_DEPTH, and no length from the wire is used before it is compared with what is left.
 */
#include "common/wire.h"

#include <stdlib.h>

#define WIRE_SWELL      16u
#define WIRE_BASE_BYTES ((size_t)64 << 10)

struct wire_budget {
    struct arena *arena;
    size_t left_bytes;
    bool refused;
};

static void *wire_alloc(void *data, size_t n)
{
    struct wire_budget *budget = data;
    void *out = n > budget->left_bytes ? NULL : arena_alloc(budget->arena, n);
    if (out == NULL)
        budget->refused = true;
    else
        budget->left_bytes -= n;
    return out;
}

static void wire_free(void *data, void *p)
{
    (void)data;
    (void)p;
}

static enum status wire_varint(struct str *rest, uint64_t *value)
{
    uint64_t out = 0;
    for (unsigned i = 0; i < 10 && i < rest->n; i++) {
        uint8_t byte = (uint8_t)rest->p[i];
        if (i == 9 && byte > 1)
            return ST_BAD_FORMAT;
        out |= (uint64_t)(byte & 0x7F) << (7 * i);
        if ((byte & 0x80) == 0) {
            *rest = str_from(*rest, i + 1);
            *value = out;
            return ST_OK;
        }
    }
    return ST_BAD_FORMAT;
}

static enum status wire_check_at(const ProtobufCMessageDescriptor *descriptor, struct str rest,
                                 unsigned depth);

static enum status wire_check_run(const ProtobufCFieldDescriptor *field, struct str run, unsigned depth)
{
    if (field == NULL)
        return ST_OK;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return str_is_utf8(run) && str_find_char(run, '\0') < 0 ? ST_OK : ST_BAD_FORMAT;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return wire_check_at(field->descriptor, run, depth + 1);
    return ST_OK;
}

static enum status wire_check_at(const ProtobufCMessageDescriptor *descriptor, struct str rest,
                                 unsigned depth)
{
    if (depth >= WIRE_MAX_DEPTH)
        return ST_BAD_FORMAT;
    while (rest.n > 0) {
        uint64_t tag, n;
        TRY(wire_varint(&rest, &tag));
        if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
            return ST_BAD_FORMAT;
        switch (tag & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            TRY(wire_varint(&rest, &n));
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
        case PROTOBUF_C_WIRE_TYPE_32BIT:
            n = (tag & 7) == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;
            if (rest.n < n)
                return ST_BAD_FORMAT;
            rest = str_from(rest, (size_t)n);
            break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            TRY(wire_varint(&rest, &n));
            if (n > rest.n)
                return ST_BAD_FORMAT;
            TRY(wire_check_run(
                protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3)),
                str_head(rest, (size_t)n), depth));
            rest = str_from(rest, (size_t)n);
            break;
        default:
            return ST_BAD_FORMAT;
        }
    }
    return ST_OK;
}

enum status wire_check(const ProtobufCMessageDescriptor *descriptor, struct str bytes)
{
    return wire_check_at(descriptor, bytes, 0);
}

enum status wire_unpack(const ProtobufCMessageDescriptor *descriptor, struct str bytes,
                        struct arena *arena, void *message)
{
    if (bytes.n > WIRE_MAX_BYTES)
        return ST_TOO_LARGE;
    TRY(wire_check(descriptor, bytes));
    struct wire_budget budget = {.arena = arena,
                                 .left_bytes = WIRE_BASE_BYTES + WIRE_SWELL * bytes.n};
    ProtobufCAllocator allocator = {
        .alloc = wire_alloc, .free = wire_free, .allocator_data = &budget};
    ProtobufCMessage *out =
        protobuf_c_message_unpack(descriptor, &allocator, bytes.n, (const uint8_t *)bytes.p);
    if (out == NULL)
        return budget.refused ? ST_NO_MEMORY : ST_BAD_FORMAT;
    memcpy(message, &out, sizeof out);
    return ST_OK;
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
