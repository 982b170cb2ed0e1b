/* shape_test.c: the notation as a table, and that all texts written in it are whole. */
#include "control-plane/describe/shape.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct buf out;

static void begin(void)
{
    buf_init(&out, 4u << 20);
}

static void end(void)
{
    buf_free(&out);
}

TestSuite(shape, .init = begin, .fini = end);

static struct str type(const char *text)
{
    struct json_writer w;
    buf_clear(&out);
    jw_init(&w, &out);
    shape_write_type(&w, str_c(text));
    return buf_str(&out);
}

Test(shape, types)
{
    static const struct {
        const char *type, *schema;
    } cases[] = {
        {"id", "{\"type\":\"string\",\"format\":\"uuid\"}"},
        {"any", "{}"},
        {"text?", "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}"},
        {"[int]", "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}"},
        {"[[int]?]", "{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},{\"type\":\"null\"}]}}"},
        {"{text}", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}"},
        {"'a'|'b-c'", "{\"type\":\"string\",\"enum\":[\"a\",\"b-c\"]}"},
        {"'a'?", "{\"anyOf\":[{\"type\":\"string\",\"enum\":[\"a\"]},{\"type\":\"null\"}]}"},
        {"workspace", "{\"$ref\":\"#/components/schemas/workspace\"}"},
        {"<id>", "{\"type\":\"object\",\"properties\":{\"object\":{\"const\":\"list\"},\"data\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":"
                 "\"uuid\"}},\"total\":{\"type\":\"integer\"}},\"required\":[\"object\",\"data\",\"total\"],\"additionalProperties\":false}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_expect(str_eq(type(cases[i].type), str_c(cases[i].schema)), "%s: " STR_FMT, cases[i].type, STR_ARG(type(cases[i].type)));
}

Test(shape, items)
{
    struct str items = STR(" a: [text], b?:'x'|'y,z'?,...page , @user, * ");
    struct shape_item item;
    cr_assert(shape_next(&items, &item) && item.kind == SHAPE_MEMBER && str_eq(item.name, STR("a")) && !item.optional && str_eq(item.type, STR("[text]")));
    cr_assert(shape_next(&items, &item) && item.kind == SHAPE_MEMBER && item.optional && str_eq(item.type, STR("'x'|'y,z'?")));
    cr_assert(shape_next(&items, &item) && item.kind == SHAPE_SPREAD && str_eq(item.name, STR("page")));
    cr_assert(shape_next(&items, &item) && item.kind == SHAPE_FIELDS && str_eq(item.name, STR("user")));
    cr_assert(shape_next(&items, &item) && item.kind == SHAPE_OPEN);
    cr_assert_not(shape_next(&items, &item));
}

Test(shape, objects)
{
    struct json_writer w;
    jw_init(&w, &out);
    shape_write_object(&w, STR("a: int, b?: text"));
    cr_expect_str_eq(out.p, "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},\"required\":[\"a\"],"
                            "\"additionalProperties\":false}");
    buf_clear(&out);
    jw_init(&w, &out);
    shape_write_object(&w, STR("*"));
    cr_expect_str_eq(out.p, "{\"type\":\"object\",\"properties\":{},\"required\":[]}");
}

/* Everything in shapes.def can be written: each name that it uses is there. */
Test(shape, all_of_them)
{
    const struct shape *shape;
    size_t count = 0;
    for (; (shape = shape_at(count)) != NULL; count++) {
        struct json_writer w;
        buf_clear(&out);
        jw_init(&w, &out);
        shape_write_object(&w, str_c(shape->items));
        cr_expect_eq(buf_status(&out), ST_OK);
        cr_expect_eq(shape_find(str_c(shape->name)), shape, "%s is there twice", shape->name);
    }
    cr_expect_gt(count, 40);
}

/* What a field table leaves to its handler has a type in in_<table>, and nothing else is there. */
Test(shape, bodies_are_whole)
{
    static const char *const tables[] = {
#define FIELD_SET(name) #name,
#include "control-plane/api/fields.def"
#undef FIELD_SET
    };
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        char name[80];
        snprintf(name, sizeof name, "in_%s", tables[t]);
        const struct field_set *set = shape_fields(str_c(tables[t]));
        const struct shape *shape = shape_find(str_c(name));
        cr_assert_not_null(set, "%s: the table has another name", tables[t]);
        struct str items = shape == NULL ? STR("") : str_c(shape->items);
        struct shape_item item;
        size_t typed = 0, others = 0;
        while (shape_next(&items, &item)) {
            bool found = false;
            for (size_t i = 0; i < set->count; i++)
                found = found || (set->rows[i].kind == FIELD_OTHER && str_eq(item.name, str_c(set->rows[i].name)));
            cr_expect(found, "%s: " STR_FMT " is no member that %s leaves to its handler", name, STR_ARG(item.name), tables[t]);
            typed++;
        }
        for (size_t i = 0; i < set->count; i++)
            others += set->rows[i].kind == FIELD_OTHER;
        cr_expect_eq(typed, others, "%s types %zu of %zu members", name, typed, others);
    }
}
