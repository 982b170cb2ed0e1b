/* json_scan_test.c: tables of valid and hostile texts; jansson is the oracle where its rules and
 * ours coincide.
 *
 * Every text of the tables is also tried inside padding of every length up to a few blocks, so that
 * each rule is met at every place of the sixteen-byte step, and as an exact-size heap copy, so that
 * a read past the end is seen.
 */
#include "common/json_scan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/common/json_oracle.h"

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static const struct str good[] = {
    S("{}"),
    S("[]"),
    S("0"),
    S("-0"),
    S("1.5e+3"),
    S("1E-2"),
    S("true"),
    S("false"),
    S("null"),
    S("\"\""),
    S(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"),
    S("[[[[[]]]]]"),
    S("{\"a\":{\"a\":{\"a\":{}}}}"),
    S("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u0000\""),
    S("\"\\ud83d\\ude00\""),
    S("\"\\uD83D\\uDE00x\""),
    S("\"\x7F\""),
    S("\"\xC3\xA9\""),
    S("\"\xE2\x82\xAC\xE6\x97\xA5\""),
    S("\"\xF0\x9F\x98\x80\""),
    S("\"\xF4\x8F\xBF\xBF\""),
    S("\"\xED\x9F\xBF\xEE\x80\x80\""),
    S("\"\xC2\x80\""),
    S("\"\xE0\xA0\x80\""),
    S("9007199254740993"),
    S("[1,2,3,{\"x\":[null,true,false]}]"),
    S("{\"\":1}"),
    S("[\"a\",\"b\\\\\"]"),
};

static const struct str bad[] = {
    S(""),
    S(" "),
    S("{"),
    S("}"),
    S("["),
    S("]"),
    S("{]"),
    S("[}"),
    S("[1,]"),
    S("{\"a\":1,}"),
    S("[,1]"),
    S("{,}"),
    S("[1 2]"),
    S("{\"a\" 1}"),
    S("{\"a\":}"),
    S("{a:1}"),
    S("{'a':1}"),
    S("{1:1}"),
    S("{\"a\"}"),
    S("[1:2]"),
    S("{\"a\":1 \"b\":2}"),
    S("nul"),
    S("nulll"),
    S("True"),
    S("NaN"),
    S("Infinity"),
    S("-Infinity"),
    S("undefined"),
    S("+1"),
    S("-"),
    S("01"),
    S("-01"),
    S("00"),
    S("1."),
    S(".5"),
    S("1.e5"),
    S("1e"),
    S("1e+"),
    S("0x10"),
    S("1_000"),
    S("1,"),
    S("1 1"),
    S("{}{}"),
    S("[]x"),
    S("\""),
    S("\"a"),
    S("\"\\"),
    S("\"\\\""),
    S("\"\\x41\""),
    S("\"\\a\""),
    S("\"\\u\""),
    S("\"\\u12\""),
    S("\"\\u123"),
    S("\"\\u12g4\""),
    S("\"\\U0041\""),
    S("\"\\ud800\""),
    S("\"\\udc00\""),
    S("\"\\ud800\\u0041\""),
    S("\"\\ud800\\ud800\""),
    S("\"\\ud800x\""),
    S("\"\\ud83d\\ude0"),
    S("\"\\ud83d\\n\""),
    S("\"\n\""),
    S("\"\t\""),
    S("\"\0\""),
    S("\"\x1F\""),
    S("{}\0"),
    S("\0{}"),
    S("[1\0]"),
    S("/* c */1"),
    S("1//x"),
    S("\xEF\xBB\xBF{}"),
    S("\xEF\xBB\xBF"),
    S("\"\x80\""),
    S("\"\xBF\""),
    S("\"\xC0\x80\""),
    S("\"\xC1\xBF\""),
    S("\"\xC3\""),
    S("\"\xC3"),
    S("\"\xE2\x82\""),
    S("\"\xE2\x82"),
    S("\"\xE0\x80\x80\""),
    S("\"\xE0\x9F\xBF\""),
    S("\"\xED\xA0\x80\""),
    S("\"\xED\xBF\xBF\""),
    S("\"\xF0\x80\x80\x80\""),
    S("\"\xF0\x8F\xBF\xBF\""),
    S("\"\xF4\x90\x80\x80\""),
    S("\"\xF5\x80\x80\x80\""),
    S("\"\xFF\""),
    S("\"\xFE\""),
    S("\"\xF0\x9F\x98\""),
    S("\"\xE2\x28\xA1\""),
    S("\"\xF0\x28\x8C\xBC\""),
    S("\"\xF0\x90\x28\xBC\""),
    S("\"\xF0\x90\x8C\x28\""),
    S("\xA0{}"),
    S("\x0B{}"),
    S("\x0C{}"),
    S("{}\x0C"),
    S("[1,\v2]"),
    S("\xC2\xA0{}"),
    S("{\"a\":1}}"),
    S("[[]"),
};

/* Scans an exact-size heap copy, so that the sanitizer sees a read past the end. */
static enum status scan(struct str text, enum json_type *type, struct json_error *error)
{
    char *copy = malloc(text.n == 0 ? 1 : text.n);
    memcpy(copy, text.p, text.n);
    enum status status = json_scan_value(str_of(copy, text.n), type, error);
    free(copy);
    return status;
}

Test(json_scan, accepts_what_is_valid)
{
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        enum json_type type;
        struct json_error error = {0, NULL};
        cr_expect_eq(scan(good[i], &type, &error), ST_OK, "%s: %s at %zu", good[i].p, error.what,
                     error.at);
        cr_expect_eq(oracle_judge(good[i], true), ORACLE_ACCEPTS, "%s", good[i].p);
    }
}

Test(json_scan, refuses_what_is_not)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        enum json_type type = JSON_NULL;
        struct json_error error = {0, NULL};
        cr_expect_eq(scan(bad[i], &type, &error), ST_BAD_JSON, "row %zu: %s", i, bad[i].p);
        cr_expect_not_null(error.what);
        cr_expect_leq(error.at, bad[i].n);
        cr_expect_neq(oracle_judge(bad[i], true), ORACLE_ACCEPTS, "row %zu: %s", i, bad[i].p);
    }
}

static void try_padded(struct str row, bool valid, size_t before, size_t after)
{
    char text[512];
    size_t n = 0;
    enum json_type type;
    text[n++] = '[';
    text[n++] = '"';
    for (size_t i = 0; i < before; i++)
        text[n++] = 'x';
    text[n++] = '"';
    text[n++] = ',';
    memcpy(text + n, row.p, row.n);
    n += row.n;
    for (size_t i = 0; i < after; i++)
        text[n++] = ' ';
    text[n++] = ']';
    enum status status = scan(str_of(text, n), &type, NULL);
    if (valid)
        cr_expect_eq(status, ST_OK, "%zu+%zu: %s", before, after, row.p);
    else
        cr_expect(status == ST_BAD_JSON || oracle_judge(str_of(text, n), true) == ORACLE_ACCEPTS,
                  "%zu+%zu: %s", before, after, row.p);
}

Test(json_scan, holds_at_every_place_of_a_block)
{
    for (size_t pad = 0; pad < 40; pad++) {
        for (size_t i = 0; i < COUNT_OF(good); i++)
            try_padded(good[i], true, pad, pad % 3 * 8);
        for (size_t i = 0; i < COUNT_OF(bad); i++)
            try_padded(bad[i], false, pad, pad % 3 * 8);
    }
}

Test(json_scan, every_cut_of_a_valid_text_is_refused)
{
    struct str text =
        STR("{\"model\":\"@a/b\",\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9 "
            "\xF0\x9F\x98\x80 "
            "\\ud83d\\ude00 and some more plain text\"}],\"n\":-1.5e3,\"x\":[true,false,null,{}]}");
    enum json_type type;
    cr_assert_eq(scan(text, &type, NULL), ST_OK);
    cr_assert_eq(type, JSON_OBJECT);
    for (size_t n = 0; n < text.n; n++)
        cr_expect_eq(scan(str_head(text, n), &type, NULL), ST_BAD_JSON, "cut at %zu", n);
}

Test(json_scan, every_byte_changed_agrees_with_the_oracle)
{
    char text[] = "{\"a\":[1.5e3,\"x\\u00e9\\n\xE2\x82\xAC\",null,true],\"b\":{\"c\":-0}}";
    size_t n = sizeof text - 1;
    for (size_t at = 0; at < n; at++) {
        char kept = text[at];
        for (int byte = 0; byte < 256; byte++) {
            enum json_type type;
            text[at] = (char)byte;
            bool ours = scan(str_of(text, n), &type, NULL) == ST_OK;
            enum oracle oracle = oracle_judge(str_of(text, n), true);
            cr_expect(oracle == ORACLE_CANNOT_SAY || ours == (oracle == ORACLE_ACCEPTS),
                      "byte %d at %zu", byte, at);
        }
        text[at] = kept;
    }
}

Test(json_scan, depth_is_bounded)
{
    char text[2 * JSON_MAX_DEPTH + 8];
    enum json_type type;
    for (int objects = 0; objects < 2; objects++) {
        memset(text, '[', JSON_MAX_DEPTH);
        memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
        cr_expect_eq(json_scan_value(str_of(text, 2 * JSON_MAX_DEPTH), &type, NULL), ST_OK);
        memset(text, '[', JSON_MAX_DEPTH + 1);
        memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
        cr_expect_eq(json_scan_value(str_of(text, 2 * JSON_MAX_DEPTH + 2), &type, NULL),
                     ST_TOO_LARGE);
    }
    /* the top-level object counts as one level */
    char object[2 * JSON_MAX_DEPTH + 16] = "{\"a\":";
    size_t inner = JSON_MAX_DEPTH - 1, n = 5;
    memset(object + n, '[', inner);
    memset(object + n + inner, ']', inner);
    n += 2 * inner;
    object[n++] = '}';
    cr_expect_eq(json_scan_object(str_of(object, n), NULL, 0, NULL), ST_OK);
    memmove(object + 6, object + 5, n - 5);
    object[5] = '[';
    cr_expect_eq(json_scan_object(str_of(object, n + 1), NULL, 0, NULL), ST_TOO_LARGE);
}

Test(json_scan_object, finds_the_wanted_members)
{
    struct str text =
        STR(" { \"model\" : \"@a/b\" , \"stream\":true,\"x\":{\"model\":1},\"n\":[1, 2] } ");
    struct json_field f[] = {
        {.name = "stream"}, {.name = "model"}, {.name = "none"}, {.name = "n"}};
    cr_assert_eq(json_scan_object(text, f, COUNT_OF(f), NULL), ST_OK);
    cr_expect(str_eq(f[0].raw, STR("true")));
    cr_expect_eq(f[0].type, JSON_TRUE);
    cr_expect(str_eq(f[1].raw, STR("\"@a/b\"")));
    cr_expect(str_eq(f[1].member, STR("\"model\" : \"@a/b\"")));
    cr_expect_eq(f[1].type, JSON_STRING);
    cr_expect_null(f[2].raw.p);
    cr_expect(str_eq(f[3].raw, STR("[1, 2]")));
    cr_expect_eq(f[3].type, JSON_ARRAY);
}

Test(json_scan_object, names_are_compared_unescaped)
{
    struct json_field f[] = {{.name = "model"}};
    cr_assert_eq(json_scan_object(STR("{\"mod\\u0065l\":\"x\"}"), f, 1, NULL), ST_OK);
    cr_expect(str_eq(f[0].raw, STR("\"x\"")));
    cr_assert_eq(
        json_scan_object(STR("{\"mod\\u0065\":\"x\",\"model\\u0000\":2,\"mode\\u006cs\":2}"), f, 1,
                         NULL),
        ST_OK);
    cr_expect_null(f[0].raw.p);
}

Test(json_scan_object, duplicates_are_refused)
{
    static const struct {
        struct str text;
        size_t at;
    } rows[] = {
        {S("{\"a\":1,\"a\":2}"), 7},
        {S("{\"model\":1,\"b\":2,\"mod\\u0065l\":3}"), 17},
        {S("{\"\":1,\"b\":2,\"\":3}"), 12},
        {S("{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":3}"), 18},
        {S("{\"\\/\":1,\"/\":3}"), 8},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_field f[] = {{.name = "b"}};
        struct json_error error = {0, NULL};
        cr_expect_eq(json_scan_object(rows[i].text, f, 1, &error), ST_BAD_JSON, "%s",
                     rows[i].text.p);
        cr_expect_eq(error.at, rows[i].at, "row %zu: at %zu", i, error.at);
        cr_expect_null(f[0].raw.p, "no field may be set on failure");
    }
    cr_expect_eq(json_scan_object(STR("{\"a\":1,\"A\":2,\"aa\":{\"a\":1,\"a\":2}}"), NULL, 0, NULL),
                 ST_OK);
}

static size_t write_members(char *text, size_t count, size_t twice)
{
    size_t n = 0;
    text[n++] = '{';
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(text + n, 32, "%s\"k%zu\":%zu", i == 0 ? "" : ",",
                              i == twice ? 0 : i * 7919 % 100003, i);
    text[n++] = '}';
    return n;
}

Test(json_scan_object, member_count_is_bounded)
{
    static char text[32 * (JSON_SCAN_MAX_MEMBERS + 2)];
    size_t n = write_members(text, JSON_SCAN_MAX_MEMBERS, SIZE_MAX);
    cr_expect_eq(json_scan_object(str_of(text, n), NULL, 0, NULL), ST_OK);
    n = write_members(text, JSON_SCAN_MAX_MEMBERS, 400);
    cr_expect_eq(json_scan_object(str_of(text, n), NULL, 0, NULL), ST_BAD_JSON);
    n = write_members(text, JSON_SCAN_MAX_MEMBERS + 1, SIZE_MAX);
    cr_expect_eq(json_scan_object(str_of(text, n), NULL, 0, NULL), ST_TOO_LARGE);
}

Test(json_scan_object, only_an_object_will_do)
{
    static const struct str rows[] = {S("[]"), S("1"),     S("\"a\""),     S("null"),
                                      S(""),   S("{} {}"), S("{\"a\":1},")};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(json_scan_object(rows[i], NULL, 0, NULL), ST_BAD_JSON, "%s", rows[i].p);
}

Test(json_unescape, gives_the_bytes)
{
    static const struct {
        struct str raw, text;
    } rows[] = {
        {S("\"plain\""), S("plain")},
        {S("\"\""), S("")},
        {S("\"a\\n\\t\\\"\\\\\\/\\b\\f\\r\""), S("a\n\t\"\\/\b\f\r")},
        {S("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00z\""),
         S("A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z")},
        {S("\"a\\u0000b\""), S("a\0b")},
        {S("\"\\udbff\\udfff\""), S("\xF4\x8F\xBF\xBF")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char room[64];
        struct str text;
        cr_assert_eq(json_unescape(rows[i].raw, room, &text), ST_OK);
        cr_expect(str_eq(text, rows[i].text), "row %zu", i);
    }
    struct str text, raw = STR("\"plain\"");
    cr_assert_eq(json_unescape(raw, NULL, &text), ST_OK);
    cr_expect_eq(text.p, raw.p + 1, "borrows where it can");
    cr_expect_eq(json_unescape(STR("5"), NULL, &text), ST_INVALID);
    cr_expect_eq(json_unescape(STR("\""), NULL, &text), ST_INVALID);
}

Test(json_scan_next, walks_members_and_items)
{
    struct str raw =
        STR("{ \"a\" : 1 , \"b\\\"\":[1,{\"}\":\"]\"}] ,\"c\":\"x\\\\\",\"d\":{},\"e\":null}");
    static const struct {
        struct str name, value;
        enum json_type type;
    } rows[] = {{S("\"a\""), S("1"), JSON_NUMBER},
                {S("\"b\\\"\""), S("[1,{\"}\":\"]\"}]"), JSON_ARRAY},
                {S("\"c\""), S("\"x\\\\\""), JSON_STRING},
                {S("\"d\""), S("{}"), JSON_OBJECT},
                {S("\"e\""), S("null"), JSON_NULL}};
    size_t at = 0;
    struct str name, value;
    enum json_type type;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_assert(json_scan_next(raw, &at, &name, &value, &type), "row %zu", i);
        cr_expect(str_eq(name, rows[i].name) && str_eq(value, rows[i].value) &&
                      type == rows[i].type,
                  "row %zu", i);
    }
    cr_expect_not(json_scan_next(raw, &at, &name, &value, &type));
    raw = STR("[ true,false , \"x\"]");
    at = 0;
    for (size_t i = 0; i < 3; i++) {
        cr_assert(json_scan_next(raw, &at, &name, &value, &type));
        cr_expect_null(name.p);
    }
    cr_expect(str_eq(value, STR("\"x\"")));
    cr_expect_not(json_scan_next(raw, &at, &name, &value, &type));
    at = 0;
    cr_expect_not(json_scan_next(STR("{ }"), &at, &name, &value, &type));
    at = 0;
    cr_expect_not(json_scan_next(STR("[]"), &at, &name, &value, &type));
}

Test(json_scan_next, ends_on_any_text)
{
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        size_t at = 0, steps = 0;
        struct str name, value;
        enum json_type type;
        while (steps <= bad[i].n && json_scan_next(bad[i], &at, &name, &value, &type))
            steps++;
        cr_expect_leq(steps, bad[i].n, "row %zu", i);
    }
}
