/* shown.c: see shown.h.
 *
 * Messages are walked by their descriptor, so a field that is added later is shown without a line
 * here; one that must not be is named in `unshown`. Bytes are ids or secrets: only those that have
 * the length of an id are shown at all.
 */
#include "control-plane/api/shown.h"

#include "common/id.h"
#include "control-plane/api/credentials.h"

/* Fields of stored messages that say nothing to a reader, or too much. */
static const char *const unshown[] = {"password_hash", "hash",     "previous_hash", "reset_hash",
                                      "secrets",       "prices",   "key_box",       "vault_box",
                                      "public_key",    "delivery", "custom_headers", "successor_box",
                                      "absent_models"};

static bool is_hidden(struct str name)
{
    return str_eq(name, STR("key")) || str_eq(name, STR("custom_headers")) ||
           str_eq(name, STR("customHeaders")) || str_eq(name, STR("token")) ||
           str_ends(name, STR("password")) || credentials_is_secret(name);
}

static void write_json(struct json_writer *w, struct arena *arena, const struct json *node);

/* A text may hold JSON with credentials in it (configs are sent so): that is shown as JSON. */
static void write_leaf(struct json_writer *w, struct arena *arena, const struct json *node)
{
    struct json *inner;
    struct str text;
    if (w->depth < 8 && node->type == JSON_STRING && json_text(node, arena, &text) == ST_OK &&
        text.n > 0 && text.p[0] == '{' && json_parse(arena, text, NULL, &inner, NULL) == ST_OK)
        write_json(w, arena, inner);
    else
        jw_raw(w, node->raw);
}

/* Depth is bounded by the parser. */
static void write_json(struct json_writer *w, struct arena *arena, const struct json *node)
{
    if (w->depth >= JSON_MAX_DEPTH) {
        jw_null(w);
        return;
    }
    if (node->type != JSON_OBJECT && node->type != JSON_ARRAY) {
        write_leaf(w, arena, node);
        return;
    }
    bool object = node->type == JSON_OBJECT;
    object ? jw_object(w) : jw_array(w);
    for (const struct json *item = node->first; item != NULL; item = item->next) {
        if (object)
            jw_key_str(w, item->key);
        if (object && item->type != JSON_NULL && is_hidden(item->key))
            jw_cstr(w, "***");
        else
            write_json(w, arena, item);
    }
    jw_end(w);
}

static struct str finish(struct arena *arena, struct buf *out)
{
    struct str text = STR_NONE;
    if (buf_status(out) == ST_OK)
        text = arena_str(arena, buf_str(out));
    buf_free(out);
    return text;
}

struct str shown_json(struct arena *arena, const struct json *node)
{
    struct buf out;
    struct json_writer w;
    if (node == NULL)
        return STR_NONE;
    buf_init(&out, SHOWN_MAX_BYTES);
    jw_init(&w, &out);
    write_json(&w, arena, node);
    return finish(arena, &out);
}

/* --- messages */

static bool is_shown(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(unshown); i++)
        if (strcmp(name, unshown[i]) == 0)
            return false;
    return true;
}

/* "usage_limits_json" -> "usage_limits", "created_at_ms" -> "created_at". */
static struct str shown_name(const char *name, const char *ending)
{
    struct str text = str_c(name), tail = str_c(ending);
    return str_ends(text, tail) ? str_head(text, text.n - tail.n) : text;
}

static void write_message(struct json_writer *w, struct arena *arena,
                          const ProtobufCMessage *message);

static void write_text(struct json_writer *w, struct arena *arena, bool is_json, const char *text)
{
    struct json *node;
    if (!is_json)
        jw_cstr(w, text);
    else if (text[0] == '\0' || json_parse(arena, str_c(text), NULL, &node, NULL) != ST_OK)
        jw_null(w);
    else
        write_json(w, arena, node);
}

static void write_value(struct json_writer *w, struct arena *arena,
                        const ProtobufCFieldDescriptor *field, const void *at)
{
    const ProtobufCBinaryData *bytes = at;
    struct id id = ID_NONE;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        write_text(w, arena, str_ends(str_c(field->name), STR("_json")), *(char *const *)at);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        (void)(id_from_bytes(str_of((const char *)bytes->data, bytes->len), &id) == ST_OK);
        jw_id(w, &id);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        write_message(w, arena, *(ProtobufCMessage *const *)at);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        jw_bool(w, *(const protobuf_c_boolean *)at != 0);
        break;
    case PROTOBUF_C_TYPE_INT64:
        if (str_ends(str_c(field->name), STR("_at_ms")))
            jw_time(w, *(const int64_t *)at);
        else
            jw_i64(w, *(const int64_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        jw_u64(w, *(const uint64_t *)at);
        break;
    default: /* enum, uint32: what else the store's messages have */
        jw_u64(w, *(const uint32_t *)at);
        break;
    }
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(void *);
}

static void write_field(struct json_writer *w, struct arena *arena, const ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message, *at = base + field->offset;
    struct str name = shown_name(field->name, "_json");
    name = str_ends(name, STR("_at_ms")) ? str_head(name, name.n - 3) : name;
    jw_key_str(w, name);
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && *(void *const *)(const void *)at == NULL)
            jw_null(w);
        else
            write_value(w, arena, field, at);
        return;
    }
    size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
    const char *items = *(const char *const *)(const void *)at;
    jw_array(w);
    for (size_t i = 0; i < count; i++)
        write_value(w, arena, field, items + i * size_of(field));
    jw_end(w);
}

static void write_message(struct json_writer *w, struct arena *arena,
                          const ProtobufCMessage *message)
{
    jw_object(w);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        if (is_shown(message->descriptor->fields[i].name))
            write_field(w, arena, message, &message->descriptor->fields[i]);
    jw_end(w);
}

struct str shown_message(struct arena *arena, const ProtobufCMessage *message)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, SHOWN_MAX_BYTES);
    jw_init(&w, &out);
    write_message(&w, arena, message);
    return finish(arena, &out);
}
