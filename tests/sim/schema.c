/* schema.c: see schema.h. Depth is bounded, so a schema that refers to itself ends in null.
 *
 * Only what the SDKs' helpers generate (zod, pydantic, dataclasses) is understood; a keyword that
 * is not known here changes nothing. It must never refuse a schema: judging schemas is not the
 * simulator's task.
 */
#include "tests/sim/schema.h"

#define SCHEMA_DEPTH_MAX 12

struct schema_walk {
    struct json_writer *w;
    const struct json *root;
    struct str text;
    struct arena *arena;
};

static struct str schema_string(const struct json *node, const char *name, struct arena *arena)
{
    struct str text = STR_NONE;
    const struct json *member = json_get(node, name);
    return json_is(member, JSON_STRING) && json_text(member, arena, &text) == ST_OK ? text
                                                                                    : STR_NONE;
}

static const struct json *schema_follow(const struct schema_walk *walk, const struct json *schema)
{
    struct str ref = schema_string(schema, "$ref", walk->arena), piece;
    if (ref.p == NULL || !str_starts(ref, STR("#")))
        return schema;
    const struct json *at = walk->root;
    ref = str_from(ref, 1);
    while (str_split(&ref, '/', &piece)) {
        if (piece.n > 0)
            at = json_get_str(at, piece);
    }
    return at;
}

static struct str schema_type(const struct json *schema, struct arena *arena)
{
    const struct json *type = json_get(schema, "type");
    struct str text = STR_NONE;
    if (json_is(type, JSON_STRING))
        return schema_string(schema, "type", arena);
    for (const struct json *one = json_is(type, JSON_ARRAY) ? type->first : NULL; one != NULL;
         one = one->next) {
        if (json_text(one, arena, &text) == ST_OK && !str_eq(text, STR("null")))
            return text;
    }
    return json_get(schema, "properties") != NULL ? STR("object") : text;
}

static void schema_write(const struct schema_walk *walk, const struct json *schema, unsigned depth);

static void schema_write_object(const struct schema_walk *walk, const struct json *schema,
                                unsigned depth)
{
    const struct json *properties = json_get(schema, "properties");
    jw_object(walk->w);
    for (const struct json *p = properties == NULL ? NULL : properties->first; p != NULL;
         p = p->next) {
        jw_key_str(walk->w, p->key);
        schema_write(walk, p, depth + 1);
    }
    jw_end(walk->w);
}

static void schema_write_number(const struct schema_walk *walk, const struct json *schema)
{
    const struct json *minimum = json_get(schema, "minimum");
    if (json_is(minimum, JSON_NUMBER))
        jw_raw(walk->w, minimum->raw);
    else
        jw_u64(walk->w, 1);
}

static const struct json *schema_first_choice(const struct json *schema)
{
    static const char *const names[] = {"anyOf", "oneOf", "allOf"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *list = json_get(schema, names[i]);
        if (json_is(list, JSON_ARRAY) && list->count > 0)
            return list->first;
    }
    return NULL;
}

static void schema_write(const struct schema_walk *walk, const struct json *schema, unsigned depth)
{
    schema = schema_follow(walk, schema);
    const struct json *fixed = json_get(schema, "const"), *list = json_get(schema, "enum");
    const struct json *choice = schema_first_choice(schema);
    if (fixed == NULL && json_is(list, JSON_ARRAY))
        fixed = list->first;
    struct str type = schema_type(schema, walk->arena);
    if (depth > SCHEMA_DEPTH_MAX) {
        jw_null(walk->w);
    } else if (fixed != NULL) {
        jw_raw(walk->w, fixed->raw);
    } else if (choice != NULL) {
        schema_write(walk, choice, depth + 1);
    } else if (str_eq_nocase(type, STR("string"))) {
        jw_str(walk->w, walk->text);
    } else if (str_eq_nocase(type, STR("integer")) || str_eq_nocase(type, STR("number"))) {
        schema_write_number(walk, schema);
    } else if (str_eq_nocase(type, STR("boolean"))) {
        jw_bool(walk->w, true);
    } else if (str_eq_nocase(type, STR("array"))) {
        jw_array(walk->w);
        if (json_get(schema, "items") != NULL)
            schema_write(walk, json_get(schema, "items"), depth + 1);
        jw_end(walk->w);
    } else if (str_eq_nocase(type, STR("null"))) {
        jw_null(walk->w);
    } else {
        schema_write_object(walk, schema, depth);
    }
}

void schema_write_sample(struct json_writer *w, const struct json *schema, struct str text,
                         struct arena *arena)
{
    struct schema_walk walk = {.w = w, .root = schema, .text = text, .arena = arena};
    schema_write(&walk, schema, 0);
}
