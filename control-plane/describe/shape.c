/* shape.c: see shape.h: a reader of one pass without a tree, because the texts are short and are
 * read once per document. */
#include "control-plane/describe/shape.h"

#include <stdio.h>

static const struct shape shapes[] = {
#define SHAPE(name, items) {#name, items},
#include "control-plane/describe/shapes.def"
#undef SHAPE
};

static const struct field_set *const field_sets[] = {
#define FIELD_SET(name) &api_fields_##name,
#include "control-plane/api/fields.def"
#undef FIELD_SET
};

const struct shape *shape_at(size_t index)
{
    return index < COUNT_OF(shapes) ? &shapes[index] : NULL;
}

const struct shape *shape_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        if (str_eq(name, str_c(shapes[i].name)))
            return &shapes[i];
    return NULL;
}

const struct field_set *shape_fields(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(field_sets); i++)
        if (str_eq(name, str_c(field_sets[i]->name)))
            return field_sets[i];
    return NULL;
}

/* --- reading */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str take_word(struct str *rest)
{
    size_t n = 0;
    while (n < rest->n && is_word(rest->p[n]))
        n++;
    CHECK(n > 0);
    struct str word = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return word;
}

/* The comma that ends an item: brackets and quotes do not count. */
static size_t item_end(struct str items)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < items.n; i++) {
        char c = items.p[i];
        quoted ^= c == '\'';
        if (quoted)
            continue;
        depth += c == '[' || c == '{' || c == '<';
        depth -= c == ']' || c == '}' || c == '>';
        if (c == ',' && depth == 0)
            return i;
    }
    CHECK(depth == 0 && !quoted);
    return items.n;
}

bool shape_next(struct str *items, struct shape_item *item)
{
    *items = str_trim(*items);
    if (items->n == 0)
        return false;
    size_t end = item_end(*items);
    struct str text = str_trim(str_head(*items, end));
    *items = str_from(*items, end + 1);
    *item = (struct shape_item){.kind = SHAPE_MEMBER};
    if (str_eq(text, STR("*"))) {
        item->kind = SHAPE_OPEN;
        return true;
    }
    if (str_starts(text, STR("...")) || text.p[0] == '@') {
        item->kind = text.p[0] == '@' ? SHAPE_FIELDS : SHAPE_SPREAD;
        text = str_from(text, text.p[0] == '@' ? 1 : 3);
        item->name = take_word(&text);
        CHECK(text.n == 0);
        return true;
    }
    item->name = take_word(&text);
    item->optional = text.n > 0 && text.p[0] == '?';
    text = str_from(text, item->optional ? 1 : 0);
    CHECK(text.n > 0 && text.p[0] == ':');
    item->type = str_trim(str_from(text, 1));
    return true;
}

/* --- writing */

static const struct {
    const char *word, *schema;
} words[] = {
    {"id", "{\"type\":\"string\",\"format\":\"uuid\"}"},
    {"text", "{\"type\":\"string\"}"},
    {"int", "{\"type\":\"integer\"}"},
    {"num", "{\"type\":\"number\"}"},
    {"bool", "{\"type\":\"boolean\"}"},
    {"time", "{\"type\":\"string\",\"format\":\"date-time\"}"},
    {"any", "{}"},
    {"object", "{\"type\":\"object\"}"},
};

static void write_word(struct json_writer *w, struct str word)
{
    char ref[128];
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq(word, str_c(words[i].word))) {
            jw_raw(w, str_c(words[i].schema));
            return;
        }
    }
    CHECK(shape_find(word) != NULL);
    int n = snprintf(ref, sizeof(ref), "#/components/schemas/" STR_FMT, STR_ARG(word));
    CHECK(n > 0 && (size_t)n < sizeof(ref));
    jw_object(w);
    jw_field_cstr(w, "$ref", ref);
    jw_end(w);
}

static void write_texts(struct json_writer *w, struct str type)
{
    struct str text;
    jw_object(w);
    jw_field_cstr(w, "type", "string");
    jw_key(w, "enum");
    jw_array(w);
    while (str_split(&type, '|', &text)) {
        CHECK(text.n > 2 && text.p[0] == '\'' && text.p[text.n - 1] == '\'');
        jw_str(w, str_of(text.p + 1, text.n - 2));
    }
    jw_end(w);
    jw_end(w);
}

static void write_page(struct json_writer *w, struct str of)
{
    jw_object(w);
    jw_field_cstr(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    jw_key(w, "object");
    jw_raw(w, STR("{\"const\":\"list\"}"));
    jw_key(w, "data");
    jw_object(w);
    jw_field_cstr(w, "type", "array");
    jw_key(w, "items");
    shape_write_type(w, of);
    jw_end(w);
    jw_key(w, "total");
    jw_raw(w, STR("{\"type\":\"integer\"}"));
    jw_end(w);
    jw_field_raw(w, "required", STR("[\"object\",\"data\",\"total\"]"));
    jw_field_bool(w, "additionalProperties", false);
    jw_end(w);
}

void shape_write_type(struct json_writer *w, struct str type)
{
    type = str_trim(type);
    CHECK(type.n > 0);
    char first = type.p[0], last = type.p[type.n - 1];
    struct str inner = str_of(type.p + 1, type.n - 2);
    if (last == '?') {
        jw_object(w);
        jw_key(w, "anyOf");
        jw_array(w);
        shape_write_type(w, str_head(type, type.n - 1));
        jw_raw(w, STR("{\"type\":\"null\"}"));
        jw_end(w);
        jw_end(w);
    } else if (first == '[' || first == '{') {
        CHECK(last == (first == '[' ? ']' : '}'));
        jw_object(w);
        jw_field_cstr(w, "type", first == '[' ? "array" : "object");
        jw_key(w, first == '[' ? "items" : "additionalProperties");
        shape_write_type(w, inner);
        jw_end(w);
    } else if (first == '<') {
        CHECK(last == '>');
        write_page(w, inner);
    } else if (first == '\'') {
        write_texts(w, type);
    } else {
        write_word(w, type);
    }
}

static void write_lengths(struct json_writer *w, const struct field *field)
{
    jw_object(w);
    jw_field_cstr(w, "type", "string");
    if (field->min > 0)
        jw_field_u64(w, "minLength", field->min);
    if (field->max > 0)
        jw_field_u64(w, "maxLength", field->max);
    jw_end(w);
}

static const char *field_type(const struct field *field)
{
    switch (field->kind) {
    case FIELD_TEXT:
        return "text";
    case FIELD_BOOL:
        return "bool";
    case FIELD_OBJECT:
        return "object";
    case FIELD_USAGE:
        return (field->flags & FIELD_SINGLE) != 0 ? "usage_limit" : "[usage_limit]";
    case FIELD_RATES:
        return "[rate_limit]";
    case FIELD_TIME:
        return "time";
    case FIELD_TEXTS:
        return "[text]";
    case FIELD_OTHER:
        break;
    }
    CHECK(false);
    return "any";
}

/* In an answer: always a value? */
static bool field_is_full(const struct field *field)
{
    return field->kind == FIELD_BOOL || field->kind == FIELD_TEXTS ||
           (field->flags & (FIELD_TEXT_OUT | FIELD_LIST_OUT)) != 0 ||
           (field->kind == FIELD_TEXT && (field->flags & FIELD_REQUIRED) != 0);
}

void shape_write_field(struct json_writer *w, const struct field *field, bool answer)
{
    bool full = answer ? field_is_full(field) : (field->flags & FIELD_REQUIRED) != 0;
    if (!full) {
        jw_object(w);
        jw_key(w, "anyOf");
        jw_array(w);
    }
    if (field->kind == FIELD_TEXT && !answer)
        write_lengths(w, field);
    else
        shape_write_type(w, str_c(field_type(field)));
    if (!answer && (field->kind == FIELD_RATES || field->kind == FIELD_USAGE) && !full)
        shape_write_type(w, str_c(field->kind == FIELD_RATES           ? "rate_limit"
                                  : (field->flags & FIELD_SINGLE) != 0 ? "[usage_limit]"
                                                                       : "usage_limit"));
    if (!full) {
        jw_raw(w, STR("{\"type\":\"null\"}"));
        jw_end(w);
        jw_end(w);
    }
}

/* Properties of the object that is open, or with `required` the names in the array that is open.
 * True if further members may come. */
static bool write_items(struct json_writer *w, struct str items, bool required)
{
    struct shape_item item;
    bool open = false;
    while (shape_next(&items, &item)) {
        if (item.kind == SHAPE_OPEN) {
            open = true;
        } else if (item.kind == SHAPE_SPREAD) {
            const struct shape *shape = shape_find(item.name);
            CHECK(shape != NULL);
            open |= write_items(w, str_c(shape->items), required);
        } else if (item.kind == SHAPE_FIELDS) {
            const struct field_set *set = shape_fields(item.name);
            CHECK(set != NULL);
            for (size_t i = 0; i < set->count; i++) {
                unsigned flags = set->rows[i].flags;
                if ((flags & FIELD_OUT) == 0 || (required && (flags & FIELD_ABSENT) != 0))
                    continue;
                required ? jw_cstr(w, set->rows[i].name) : jw_key(w, set->rows[i].name);
                if (!required)
                    shape_write_field(w, &set->rows[i], true);
            }
        } else if (!required) {
            jw_key_str(w, item.name);
            shape_write_type(w, item.type);
        } else if (!item.optional) {
            jw_str(w, item.name);
        }
    }
    return open;
}

void shape_write_object(struct json_writer *w, struct str items)
{
    jw_object(w);
    jw_field_cstr(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    bool open = write_items(w, items, false);
    jw_end(w);
    jw_key(w, "required");
    jw_array(w);
    (void)write_items(w, items, true);
    jw_end(w);
    if (!open)
        jw_field_bool(w, "additionalProperties", false);
    jw_end(w);
}
