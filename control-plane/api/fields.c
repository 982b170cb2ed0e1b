/* fields.c: the engine behind the field tables.
 *
 * Each row names where its value lives in the protobuf message, so reading and writing a resource
 * is one loop and no resource has code per field. Offsets are of generated structs and checked by
 * their use in tests. Must never CHECK what a client sent.
 */
#include "control-plane/api/fields.h"

#include "common/clock.h"
#include "common/secret.h"
#include "control-plane/api/limits.h"

#define FIELDS_TEXTS_MAX  512
#define FIELDS_TEXT_MAX   4096

const struct field_set api_fields_NONE = {"NONE", NULL, 0};

static const struct field removal_rows[] = {{"force_delete", FIELD_OTHER, 0, 0, 0, 0}};
const struct field_set api_fields_removal = {"removal", removal_rows, COUNT_OF(removal_rows)};

static size_t count_chars(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    return n;
}

enum status fields_take(struct arena *arena, struct buf *buf, char **text)
{
    enum status status = buf_status(buf);
    if (status == ST_OK)
        status = api_cstr(arena, buf_str(buf), text);
    if (buf->p != NULL)
        secret_wipe(buf->p, buf->room_bytes);
    buf_free(buf);
    return status;
}

static enum status read_text(struct api_call *call, const struct field *field,
                             const struct json *node, char **out)
{
    struct str text;
    if (!json_is(node, JSON_STRING))
        return api_invalid(call, field->name, "must be a string");
    TRY(json_text(node, call->arena, &text));
    size_t max = field->max == 0 ? FIELDS_TEXT_MAX : field->max, chars = count_chars(text);
    if (chars < field->min || chars > max)
        return api_fail(call, ST_INVALID, "%s: must have %zu to %zu characters", field->name,
                        field->min, max);
    if (str_find_char(text, '\0') >= 0)
        return api_invalid(call, field->name, "must not hold a NUL character");
    return api_cstr(call->arena, text, out);
}

static enum status read_object(struct api_call *call, const struct field *field,
                               const struct json *node, char **out)
{
    if (!json_is(node, JSON_OBJECT))
        return api_invalid(call, field->name, "must be an object");
    if (node->raw.n > FIELDS_OBJECT_MAX)
        return api_invalid(call, field->name, "is too large");
    return api_cstr(call->arena, node->raw, out);
}

static enum status read_time(struct api_call *call, const struct field *field,
                             const struct json *node, int64_t *out)
{
    struct str text;
    if (!json_is(node, JSON_STRING))
        return api_invalid(call, field->name, "must be a time (RFC 3339)");
    TRY(json_text(node, call->arena, &text));
    if (clock_from_text(text, out) != ST_OK)
        return api_invalid(call, field->name, "must be a time (RFC 3339)");
    return ST_OK;
}

static enum status read_texts(struct api_call *call, const struct field *field,
                              const struct json *node, size_t *count, char ***out)
{
    size_t max = field->max == 0 ? FIELDS_TEXTS_MAX : field->max;
    if (!json_is(node, JSON_ARRAY) || node->count > max)
        return api_fail(call, ST_INVALID, "%s: must be an array of at most %zu strings",
                        field->name, max);
    char **texts = arena_calloc(call->arena, node->count + 1, sizeof(*texts));
    if (texts == NULL)
        return ST_NO_MEMORY;
    size_t n = 0;
    for (const struct json *item = node->first; item != NULL; item = item->next) {
        const struct field one = {.name = field->name, .min = 1, .max = 255};
        TRY(read_text(call, &one, item, &texts[n]));
        n++;
    }
    *count = n;
    *out = texts;
    return ST_OK;
}

static void clear(const struct field *field, char *at)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_OBJECT:
    case FIELD_USAGE:
    case FIELD_RATES:
        *(char **)(void *)at = (char *)(uintptr_t)protobuf_c_empty_string;
        break;
    case FIELD_BOOL:
        *(protobuf_c_boolean *)(void *)at = 0;
        break;
    case FIELD_TIME:
        *(int64_t *)(void *)at = 0;
        break;
    case FIELD_TEXTS:
        *(size_t *)(void *)at = 0;
        break;
    case FIELD_OTHER:
        break;
    }
}

static enum status read_value(struct api_call *call, const struct field *field,
                              const struct json *node, char *at)
{
    char **text = (char **)(void *)at;
    bool flag = false;
    switch (field->kind) {
    case FIELD_TEXT:
        return read_text(call, field, node, text);
    case FIELD_OBJECT:
        return read_object(call, field, node, text);
    case FIELD_USAGE:
        return limits_usage(call, field->name, node, (field->flags & FIELD_SINGLE) != 0, text);
    case FIELD_RATES:
        return limits_rates(call, field->name, node, text);
    case FIELD_BOOL:
        TRY(api_body_bool(call, field->name, &flag));
        *(protobuf_c_boolean *)(void *)at = flag;
        return ST_OK;
    case FIELD_TIME:
        return read_time(call, field, node, (int64_t *)(void *)at);
    case FIELD_TEXTS:
        return read_texts(call, field, node, (size_t *)(void *)at,
                          (char ***)(void *)(at + sizeof(size_t)));
    case FIELD_OTHER:
        break;
    }
    return ST_OK;
}

/* Usage and rate limits of one entity share their number of places. */
static enum status check_limits(struct api_call *call, const struct field_set *set,
                                const void *message)
{
    struct str texts[2] = {STR_NONE, STR_NONE};
    for (size_t i = 0; i < set->count; i++) {
        const struct field *field = &set->rows[i];
        const char *at = (const char *)message + field->offset;
        if (field->kind == FIELD_USAGE || field->kind == FIELD_RATES)
            texts[field->kind == FIELD_RATES] = str_c(*(char *const *)(const void *)at);
    }
    return texts[0].n == 0 || texts[1].n == 0 ? ST_OK
                                              : limits_check_count(call, texts[0], texts[1]);
}

enum status fields_read(struct api_call *call, const struct field_set *set, void *message,
                        bool creating)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct field *field = &set->rows[i];
        const struct json *node = api_body(call, field->name);
        bool required = (field->flags & FIELD_REQUIRED) != 0;
        if (field->kind == FIELD_OTHER || (!creating && (field->flags & FIELD_FIXED) != 0))
            continue;
        if (node == NULL && creating && required)
            return api_invalid(call, field->name, "is required");
        if (node == NULL)
            continue;
        char *at = (char *)message + field->offset;
        if (json_is(node, JSON_NULL)) {
            if (required)
                return api_invalid(call, field->name, "must not be null");
            clear(field, at);
            continue;
        }
        TRY(read_value(call, field, node, at));
    }
    return check_limits(call, set, message);
}

enum status fields_read_item(struct api_call *call, const struct json *item,
                             const struct field_set *set, void *message, bool creating)
{
    const struct json *body = call->body;
    call->body = item;
    enum status status = fields_read(call, set, message, creating);
    call->body = body;
    return status;
}

static void write_texts(struct json_writer *w, const char *at)
{
    size_t count;
    char **texts;
    memcpy(&count, at, sizeof(count));
    memcpy(&texts, at + sizeof(count), sizeof(texts));
    jw_array(w);
    for (size_t i = 0; i < count; i++)
        jw_cstr(w, texts[i]);
    jw_end(w);
}

static void write_text(struct json_writer *w, const struct field *field, const char *text)
{
    if (field->kind == FIELD_TEXT) {
        if (text[0] == '\0' && (field->flags & FIELD_TEXT_OUT) == 0)
            jw_null(w);
        else
            jw_cstr(w, text);
    } else if (text[0] != '\0') {
        jw_raw(w, str_c(text));
    } else if ((field->flags & FIELD_LIST_OUT) != 0) {
        jw_raw(w, STR("[]"));
    } else {
        jw_null(w);
    }
}

static bool is_absent(const struct field *field, const char *at)
{
    return (field->flags & FIELD_ABSENT) != 0 && (*(char *const *)(const void *)at)[0] == '\0';
}

void fields_write(struct json_writer *w, const struct field_set *set, const void *message)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct field *field = &set->rows[i];
        const char *at = (const char *)message + field->offset;
        if ((field->flags & FIELD_OUT) == 0 || is_absent(field, at))
            continue;
        jw_key(w, field->name);
        if (field->kind == FIELD_BOOL)
            jw_bool(w, *(const protobuf_c_boolean *)(const void *)at != 0);
        else if (field->kind == FIELD_TIME)
            jw_time(w, *(const int64_t *)(const void *)at);
        else if (field->kind == FIELD_TEXTS)
            write_texts(w, at);
        else
            write_text(w, field, *(char *const *)(const void *)at);
    }
}

enum status fields_merge(struct arena *arena, struct str old, const struct json *patch,
                         struct str *merged)
{
    struct json *base = NULL;
    if (!json_is(patch, JSON_OBJECT))
        return ST_INVALID;
    if (old.n > 0)
        TRY(json_parse(arena, old, NULL, &base, NULL));
    struct buf out;
    buf_init(&out, FIELDS_OBJECT_MAX);
    struct json_writer w;
    jw_init(&w, &out);
    jw_object(&w);
    size_t kept = 0;
    for (const struct json *member = base == NULL ? NULL : base->first; member != NULL;
         member = member->next) {
        const struct json *with = json_get_str(patch, member->key);
        if (with != NULL && with->type == JSON_NULL)
            continue;
        jw_key_str(&w, member->key);
        jw_raw(&w, with == NULL ? member->raw : with->raw);
        kept++;
    }
    for (const struct json *member = patch->first; member != NULL; member = member->next) {
        if (member->type == JSON_NULL || json_get_str(base, member->key) != NULL)
            continue;
        jw_key_str(&w, member->key);
        jw_raw(&w, member->raw);
        kept++;
    }
    jw_end(&w);
    char *text;
    TRY(fields_take(arena, &out, &text));
    *merged = kept == 0 ? STR("") : str_c(text);
    return ST_OK;
}
