/* json_tree_test.c: the tree says what the text says, and refuses what json_scan refuses. */
#include "common/json_tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 16u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(json_tree, .init = setup, .fini = teardown);

static const struct json *parse(struct str text)
{
    struct json *root;
    struct json_error error;
    cr_assert_eq(json_parse(&arena, text, NULL, &root, &error), ST_OK, "%.*s: %s", (int)text.n,
                 text.p, error.what);
    return root;
}

Test(json_tree, keeps_shape_order_and_text)
{
    const struct json *root =
        parse(STR(" {\"a\":[1, 2.50 ,{}],\"b\\n\":\"x\\u0041\",\"c\":{\"d\":null}} "));
    cr_expect_eq(root->type, JSON_OBJECT);
    cr_expect_eq(root->count, 3);
    cr_expect_null(root->key.p);
    const struct json *a = json_get(root, "a");
    cr_assert(json_is(a, JSON_ARRAY));
    cr_expect(str_eq(a->raw, STR("[1, 2.50 ,{}]")));
    cr_expect(str_eq(json_at(a, 1)->raw, STR("2.50")), "numbers stay text");
    cr_expect_null(json_at(a, 1)->key.p);
    cr_expect_eq(json_at(a, 2)->count, 0);
    cr_expect(str_eq(json_at(a, 2)->raw, STR("{}")));
    cr_expect_null(json_at(a, 3));
    cr_expect(str_eq(a->next->key, STR("b\n")), "names are unescaped");
    cr_expect(a->next->escaped);
    struct str text;
    cr_assert_eq(json_text(json_get_str(root, STR("b\n")), &arena, &text), ST_OK);
    cr_expect(str_eq(text, STR("xA")));
    cr_expect(json_is_none(json_get(json_get(root, "c"), "d")));
    cr_expect(json_is_none(json_get(root, "nowhere")));
    cr_expect_null(json_get(a, "a"), "an array has no members");
    cr_expect_null(json_at(root, 0), "an object has no items");
    cr_expect_null(json_get(NULL, "a"));
    cr_expect_eq(json_text(a, &arena, &text), ST_INVALID);
}

Test(json_tree, any_value_may_be_the_root)
{
    cr_expect_eq(parse(STR("5"))->type, JSON_NUMBER);
    cr_expect_eq(parse(STR(" \"x\" "))->type, JSON_STRING);
    cr_expect_eq(parse(STR("[]"))->type, JSON_ARRAY);
    bool value = false;
    cr_expect_eq(json_bool(parse(STR("true")), &value), ST_OK);
    cr_expect(value);
    cr_expect_eq(json_bool(parse(STR("null")), &value), ST_INVALID);
    cr_expect(json_is_bool(parse(STR("false"))));
}

Test(json_tree, refuses)
{
    static const struct str rows[] = {
        S(""),
        S("{"),
        S("[1,]"),
        S("{\"a\":1,}"),
        S("{\"a\":1}x"),
        S("\"\\ud800\""),
        S("01"),
        S("\xEF\xBB\xBF{}"),
        S("{\"a\":1,\"a\":2}"),
        S("[{\"x\":{\"a\":1,\"b\":2,\"\\u0061\":3}}]"),
        S("{\"\":1,\"\":1}"),
        S("[\"\x80\"]"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json *root = NULL;
        struct json_error error = {0, NULL};
        cr_expect_eq(json_parse(&arena, rows[i], NULL, &root, &error), ST_BAD_JSON, "%s",
                     rows[i].p);
        cr_expect_null(root);
        cr_expect_not_null(error.what);
    }
}

static struct str wide_object(char *text, size_t count, size_t twice)
{
    size_t n = 0;
    text[n++] = '{';
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, 40, "%s\"k%zu\":0", i == 0 ? "" : ",", i == twice ? 3 : i);
    text[n++] = '}';
    return str_of(text, n);
}

Test(json_tree, duplicates_among_many)
{
    static const size_t counts[] = {5, 12, 13, 14, 100, 5000};
    char *text = malloc(5001 * 20);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct json *root;
        cr_expect_eq(json_parse(&arena, wide_object(text, counts[i], SIZE_MAX), NULL, &root, NULL),
                     ST_OK);
        cr_expect_eq(root->count, counts[i]);
        cr_expect_eq(
            json_parse(&arena, wide_object(text, counts[i], counts[i] - 1), NULL, &root, NULL),
            ST_BAD_JSON);
    }
    free(text);
}

Test(json_tree, limits)
{
    struct json *root;
    struct json_limits nodes = {.max_nodes = 3}, depth = {.max_depth = 2};
    cr_expect_eq(json_parse(&arena, STR("[1,2]"), &nodes, &root, NULL), ST_OK);
    cr_expect_eq(json_parse(&arena, STR("[1,2,3]"), &nodes, &root, NULL), ST_TOO_LARGE);
    cr_expect_eq(json_parse(&arena, STR("[[1]]"), &depth, &root, NULL), ST_OK);
    cr_expect_eq(json_parse(&arena, STR("[[[]]]"), &depth, &root, NULL), ST_TOO_LARGE);
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    depth.max_depth = 1000;
    cr_expect_eq(json_parse(&arena, str_of(deep, 200), &depth, &root, NULL), ST_TOO_LARGE);
    cr_expect_eq(json_parse(&arena, str_of(deep + 36, 128), NULL, &root, NULL), ST_OK,
                 "64 levels pass");
    struct arena small;
    arena_init(&small, 100);
    cr_expect_eq(json_parse(&small, STR("[1,2,3]"), NULL, &root, NULL), ST_NO_MEMORY);
    arena_free(&small);
}

Test(json_tree, whole_numbers_in_any_spelling)
{
    static const struct {
        const char *text;
        enum status u64, i64;
        int64_t value;
    } rows[] = {
        {"0", ST_OK, ST_OK, 0},
        {"-0", ST_OK, ST_OK, 0},
        {"0.000", ST_OK, ST_OK, 0},
        {"0e999999999999999", ST_OK, ST_OK, 0},
        {"1e2", ST_OK, ST_OK, 100},
        {"100.0", ST_OK, ST_OK, 100},
        {"1.5e1", ST_OK, ST_OK, 15},
        {"1200e-2", ST_OK, ST_OK, 12},
        {"0.00012e5", ST_OK, ST_OK, 12},
        {"10.50E1", ST_OK, ST_OK, 105},
        {"-7", ST_RANGE, ST_OK, -7},
        {"-1.0e3", ST_RANGE, ST_OK, -1000},
        {"1.5", ST_INVALID, ST_INVALID, 0},
        {"1e-1", ST_INVALID, ST_INVALID, 0},
        {"0.1", ST_INVALID, ST_INVALID, 0},
        {"1e-999999999999999999999", ST_INVALID, ST_INVALID, 0},
        {"9223372036854775807", ST_OK, ST_OK, INT64_MAX},
        {"-9223372036854775808", ST_RANGE, ST_OK, INT64_MIN},
        {"9007199254740993", ST_OK, ST_OK, 9007199254740993},
        {"1e19", ST_OK, ST_RANGE, 0},
        {"1e20", ST_RANGE, ST_RANGE, 0},
        {"18446744073709551615", ST_OK, ST_RANGE, 0},
        {"18446744073709551616", ST_RANGE, ST_RANGE, 0},
        {"-9223372036854775809", ST_RANGE, ST_RANGE, 0},
        {"1e999999999999999999999", ST_RANGE, ST_RANGE, 0},
        {"123456789012345678901234567890", ST_RANGE, ST_RANGE, 0},
        {"\"5\"", ST_INVALID, ST_INVALID, 0},
        {"true", ST_INVALID, ST_INVALID, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct json *node = parse(str_c(rows[i].text));
        uint64_t u = 77;
        int64_t s = 77;
        cr_expect_eq(json_u64(node, &u), rows[i].u64, "%s", rows[i].text);
        cr_expect_eq(json_i64(node, &s), rows[i].i64, "%s", rows[i].text);
        cr_expect_eq(s, rows[i].i64 == ST_OK ? rows[i].value : 77, "%s", rows[i].text);
        if (rows[i].u64 == ST_OK && rows[i].i64 == ST_OK)
            cr_expect_eq(u, (uint64_t)rows[i].value, "%s", rows[i].text);
    }
}

Test(json_tree, decimals_are_exact)
{
    static const struct {
        const char *text;
        unsigned digits;
        bool round_up;
        enum status status;
        int64_t value;
    } rows[] = {
        {"0.15", 9, false, ST_OK, 150000000},
        {"0.00000015", 12, false, ST_OK, 150000},
        {"1.5e-7", 12, false, ST_OK, 150000},
        {"3", 9, false, ST_OK, 3000000000},
        {"-0.5", 1, false, ST_OK, -5},
        {"0", 9, false, ST_OK, 0},
        {"0.1234567891", 9, false, ST_RANGE, 0},
        {"0.1234567891", 9, true, ST_OK, 123456790},
        {"0.0000000001", 9, true, ST_OK, 1},
        {"-0.0000000001", 9, true, ST_OK, 0},
        {"-1.5", 0, true, ST_OK, -1},
        {"1e-400", 9, true, ST_OK, 1},
        {"0.1000000000000000000000", 1, false, ST_OK, 1},
        {"9223372036.854775807", 9, false, ST_OK, INT64_MAX},
        {"9223372036.854775808", 9, false, ST_RANGE, 0},
        {"9223372036.8547758071", 9, true, ST_RANGE, 0},
        {"-9223372036.854775808", 9, false, ST_OK, INT64_MIN},
        {"1e10", 9, false, ST_RANGE, 0},
        {"\"0.1\"", 9, false, ST_INVALID, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value = 77;
        enum status status =
            json_decimal(parse(str_c(rows[i].text)), rows[i].digits, rows[i].round_up, &value);
        cr_expect_eq(status, rows[i].status, "%s", rows[i].text);
        cr_expect_eq(value, status == ST_OK ? rows[i].value : 77, "%s: %lld", rows[i].text,
                     (long long)value);
    }
}
