/* shape.c: see shape.h. A walk over the body and the tables together; it stops at the first fault.
 *
 * Members that are listed are looked at in the order of the table, so a missing member is told
 * before an unknown one. The walk never looks at what a value means: rules over several members
 * belong to the API.
 */
#include "tests/sim/shape.h"

#include <stdio.h>

struct shape_walk {
    const struct shape_style *style;
    struct arena *arena;
    struct shape_fault *fault;
    size_t n; /* bytes of the path so far */
};

/* Adds a member's name to the path; returns the length to go back to. */
static size_t shape_enter(struct shape_walk *walk, struct str name)
{
    size_t before = walk->n;
    int n = snprintf(walk->fault->path + before, SHAPE_PATH_MAX - before, "%s" STR_FMT,
                     before > 0 ? "." : "", STR_ARG(name));
    walk->n =
        n < 0 || (size_t)n >= SHAPE_PATH_MAX - before ? SHAPE_PATH_MAX - 1 : before + (size_t)n;
    (void)snprintf(walk->fault->name, sizeof walk->fault->name, STR_FMT, STR_ARG(name));
    return before;
}

static size_t shape_enter_item(struct shape_walk *walk, size_t index)
{
    size_t before = walk->n;
    bool brackets = walk->style->brackets;
    int n = snprintf(walk->fault->path + before, SHAPE_PATH_MAX - before, "%s%zu%s",
                     brackets ? "[" : ".", index, brackets ? "]" : "");
    walk->n =
        n < 0 || (size_t)n >= SHAPE_PATH_MAX - before ? SHAPE_PATH_MAX - 1 : before + (size_t)n;
    return before;
}

static void shape_leave(struct shape_walk *walk, size_t before)
{
    walk->n = before;
    walk->fault->path[before] = '\0';
}

static bool shape_fail(struct shape_walk *walk, enum shape_rule rule,
                       const struct shape_field *field)
{
    walk->fault->rule = rule;
    walk->fault->field = field;
    return false;
}

static bool shape_type_fits(const struct json *node, unsigned types)
{
    int64_t whole = 0;
    switch (node->type) {
    case JSON_STRING:
        return (types & SHAPE_STRING) != 0;
    case JSON_NUMBER:
        return (types & SHAPE_NUMBER) != 0 ||
               ((types & SHAPE_INTEGER) != 0 && json_i64(node, &whole) == ST_OK);
    case JSON_TRUE:
    case JSON_FALSE:
        return (types & SHAPE_BOOL) != 0;
    case JSON_OBJECT:
        return (types & SHAPE_OBJECT) != 0;
    case JSON_ARRAY:
        return (types & SHAPE_ARRAY) != 0;
    default:
        return (types & SHAPE_NULL) != 0;
    }
}

/* Whether `text` is one of "a|b|c". */
static bool shape_is_choice(struct str text, const char *choices)
{
    struct str rest = str_c(choices), one;
    while (str_split(&rest, '|', &one)) {
        if (str_eq(text, one))
            return true;
    }
    return false;
}

static bool shape_check_number(struct shape_walk *walk, const struct json *node,
                               const struct shape_field *field)
{
    int64_t value = 0;
    enum status status = json_decimal(node, 6, true, &value);
    bool negative = node->raw.n > 0 && node->raw.p[0] == '-';
    if (status != ST_OK)
        value = negative ? INT64_MIN : INT64_MAX;
    if (value < field->min)
        return shape_fail(walk, SHAPE_TOO_SMALL, field);
    return value <= field->max || shape_fail(walk, SHAPE_TOO_LARGE, field);
}

static bool shape_check_string(struct shape_walk *walk, const struct json *node,
                               const struct shape_field *field)
{
    struct str text = STR("");
    if (json_text(node, walk->arena, &text) != ST_OK)
        return shape_fail(walk, SHAPE_WRONG_TYPE, field);
    walk->fault->found = text;
    if (field->choices != NULL && !shape_is_choice(text, field->choices))
        return shape_fail(walk, SHAPE_NO_CHOICE, field);
    if (field->max == 0)
        return text.n >= (size_t)field->min || shape_fail(walk, SHAPE_TOO_SHORT, field);
    if (text.n < (size_t)field->min)
        return shape_fail(walk, SHAPE_TOO_SHORT, field);
    return text.n <= (size_t)field->max || shape_fail(walk, SHAPE_TOO_LONG, field);
}

static bool shape_check_object(struct shape_walk *walk, const struct json *node,
                               const struct shape *shape);

static bool shape_check_array(struct shape_walk *walk, const struct json *node,
                              const struct shape_field *field)
{
    size_t index = 0;
    if (node->count < (uint32_t)field->min)
        return shape_fail(walk, SHAPE_TOO_SHORT, field);
    if (field->max > 0 && node->count > (uint32_t)field->max)
        return shape_fail(walk, SHAPE_TOO_LONG, field);
    for (const struct json *item = node->first; field->items != 0 && item != NULL;
         item = item->next) {
        size_t before = shape_enter_item(walk, index++);
        if (!shape_type_fits(item, field->items)) {
            walk->fault->types = field->items;
            return shape_fail(walk, SHAPE_WRONG_TYPE, NULL);
        }
        if (item->type == JSON_OBJECT && field->shape != NULL &&
            !shape_check_object(walk, item, field->shape))
            return false;
        shape_leave(walk, before);
    }
    return true;
}

static bool shape_check_map(struct shape_walk *walk, const struct json *node,
                            const struct shape_field *field)
{
    for (const struct json *m = node->first; m != NULL; m = m->next) {
        size_t before = shape_enter(walk, m->key);
        if (m->type != JSON_OBJECT) {
            walk->fault->types = SHAPE_OBJECT;
            return shape_fail(walk, SHAPE_WRONG_TYPE, field);
        }
        if (!shape_check_object(walk, m, field->shape))
            return false;
        shape_leave(walk, before);
    }
    return true;
}

static bool shape_check_field(struct shape_walk *walk, const struct json *node,
                              const struct shape_field *field)
{
    bool bounded = field->min != 0 || field->max != 0;
    if (!shape_type_fits(node, field->types)) {
        walk->fault->types = field->types;
        return shape_fail(walk, SHAPE_WRONG_TYPE, field);
    }
    switch (node->type) {
    case JSON_NUMBER:
        return !bounded || shape_check_number(walk, node, field);
    case JSON_STRING:
        return shape_check_string(walk, node, field);
    case JSON_ARRAY:
        return shape_check_array(walk, node, field);
    case JSON_OBJECT:
        return field->map ? shape_check_map(walk, node, field)
                          : field->shape == NULL || shape_check_object(walk, node, field->shape);
    default:
        return true;
    }
}

/* Whether a member's name is the field's: the same, or the same in snake case. */
static bool shape_name_is(const struct shape_walk *walk, struct str key, const char *name)
{
    size_t i = 0;
    if (str_eq(key, str_c(name)))
        return true;
    for (; walk->style->snake_or_camel && *name != '\0'; name++) {
        bool upper = *name >= 'A' && *name <= 'Z';
        if (upper && (i >= key.n || key.p[i++] != '_'))
            return false;
        if (i >= key.n || key.p[i++] != (upper ? (char)(*name + ('a' - 'A')) : *name))
            return false;
    }
    return walk->style->snake_or_camel && i == key.n;
}

static bool shape_is_listed(const struct shape_walk *walk, const struct shape *shape,
                            struct str key)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (shape_name_is(walk, key, shape->fields[i].name))
            return true;
    }
    return false;
}

static bool shape_check_members(struct shape_walk *walk, const struct json *node,
                                const struct shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct shape_field *field = &shape->fields[i];
        const struct json *member = node->first;
        while (member != NULL && !shape_name_is(walk, member->key, field->name))
            member = member->next;
        size_t before = shape_enter(walk, member == NULL ? str_c(field->name) : member->key);
        if (member == NULL && field->needed)
            return shape_fail(walk, SHAPE_MISSING, field);
        if (member != NULL && !shape_check_field(walk, member, field))
            return false;
        shape_leave(walk, before);
    }
    for (const struct json *m = shape->open ? NULL : node->first; m != NULL; m = m->next) {
        if (!shape_is_listed(walk, shape, m->key)) {
            (void)shape_enter(walk, m->key);
            return shape_fail(walk, SHAPE_UNKNOWN, NULL);
        }
    }
    return true;
}

static bool shape_check_object(struct shape_walk *walk, const struct json *node,
                               const struct shape *shape)
{
    walk->fault->shape = shape;
    if (shape->one_of && node->count != 1)
        return shape_fail(walk, SHAPE_NOT_ONE, NULL);
    if (shape->tag == NULL)
        return shape_check_members(walk, node, shape);
    const struct json *tag = json_get(node, shape->tag);
    struct str value = str_c(shape->tag_default);
    if (json_is(tag, JSON_STRING) && json_text(tag, walk->arena, &value) != ST_OK)
        value = STR_NONE;
    walk->fault->found = value;
    if (value.p == NULL) {
        (void)shape_enter(walk, str_c(shape->tag));
        return shape_fail(walk, SHAPE_MISSING, NULL);
    }
    for (size_t i = 0; i < shape->case_count; i++) {
        if (!str_eq(value, str_c(shape->cases[i].value)))
            continue;
        size_t before = walk->n;
        if (walk->style->tags)
            (void)shape_enter(walk, value);
        bool fits = shape_check_members(walk, node, shape->cases[i].shape);
        if (fits)
            shape_leave(walk, before);
        return fits;
    }
    return shape_fail(walk, SHAPE_NO_CASE, NULL);
}

bool shape_check(const struct json *root, const struct shape *shape,
                 const struct shape_style *style, struct arena *arena, struct shape_fault *fault)
{
    struct shape_walk walk = {.style = style, .arena = arena, .fault = fault};
    *fault = (struct shape_fault){.path = ""};
    return shape_check_object(&walk, root, shape);
}
