/* json_write_test.c: what is written parses again, and says what was meant. */
#include "common/json_write.h"

#include <criterion/criterion.h>
#include <signal.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static struct buf out;
static struct json_writer w;

static void setup(void)
{
    buf_init(&out, 1u << 16);
    jw_init(&w, &out);
}

static void teardown(void)
{
    buf_free(&out);
}

TestSuite(json_write, .init = setup, .fini = teardown);

static void expect_out(struct str wanted)
{
    cr_expect_eq(buf_status(&out), ST_OK);
    cr_expect(str_eq(buf_str(&out), wanted), "%.*s", (int)out.n, out.p);
}

Test(json_write, nests_and_separates)
{
    struct id id = {{0x01, 0x8f}};
    jw_object(&w);
    jw_field_str(&w, "object", STR("list"));
    jw_key(&w, "data");
    jw_array(&w);
    jw_object(&w);
    jw_end(&w);
    jw_array(&w);
    jw_u64(&w, UINT64_MAX);
    jw_i64(&w, INT64_MIN);
    jw_bool(&w, true);
    jw_null(&w);
    jw_cstr(&w, NULL);
    jw_raw(&w, STR("{\"x\":1}"));
    jw_end(&w);
    jw_end(&w);
    jw_field_id(&w, "id", &id);
    jw_field_id(&w, "none", &ID_NONE);
    jw_field_time(&w, "at", 1);
    jw_field_time(&w, "never", 0);
    jw_end(&w);
    expect_out(STR("{\"object\":\"list\",\"data\":[{},[18446744073709551615,-9223372036854775808,"
                   "true,null,null,{\"x\":1}]],"
                   "\"id\":\"018f0000-0000-0000-0000-000000000000\",\"none\":null,\"at\":\"1970-01-"
                   "01T00:00:00.001Z\","
                   "\"never\":null}"));
}

Test(json_write, strings_are_escaped)
{
    static const struct {
        struct str value, wanted;
    } rows[] = {
        {S(""), S("\"\"")},
        {S("a\"b\\c/d"), S("\"a\\\"b\\\\c/d\"")},
        {S("\b\f\n\r\t\x01\x1F\x7F"), S("\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\"")},
        {S("a\0b"), S("\"a\\u0000b\"")},
        {S("\xC3\xA9\xF0\x9F\x98\x80"), S("\"\xC3\xA9\xF0\x9F\x98\x80\"")},
        {S("x\x80y"), S("\"x\xEF\xBF\xBDy\"")},
        {S("\xED\xA0\x80"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"")},
        {S("\xE2\x82"), S("\"\xEF\xBF\xBD\xEF\xBF\xBD\"")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum json_type type;
        buf_clear(&out);
        jw_init(&w, &out);
        jw_str(&w, rows[i].value);
        expect_out(rows[i].wanted);
        cr_expect_eq(json_scan_value(buf_str(&out), &type, NULL), ST_OK);
    }
}

Test(json_write, any_bytes_give_valid_json)
{
    char bytes[3];
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            enum json_type type;
            bytes[0] = (char)a;
            bytes[1] = (char)b;
            bytes[2] = (char)(a ^ b);
            buf_clear(&out);
            jw_init(&w, &out);
            jw_object(&w);
            jw_key_str(&w, str_of(bytes, 3));
            jw_str(&w, str_of(bytes, 3));
            jw_end(&w);
            cr_assert_eq(json_scan_value(buf_str(&out), &type, NULL), ST_OK, "%02x %02x", a, b);
        }
    }
}

Test(json_write, decimals)
{
    static const struct {
        int64_t value;
        unsigned digits;
        struct str wanted;
    } rows[] = {
        {150000000, 9, S("0.15")},
        {0, 9, S("0")},
        {-1, 9, S("-0.000000001")},
        {1000000000, 9, S("1")},
        {-1500000000, 9, S("-1.5")},
        {7, 0, S("7")},
        {INT64_MIN, 9, S("-9223372036.854775808")},
        {INT64_MAX, 18, S("9.223372036854775807")},
        {10, 2, S("0.1")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&out);
        jw_init(&w, &out);
        jw_decimal(&w, rows[i].value, rows[i].digits);
        expect_out(rows[i].wanted);
    }
}

Test(json_write, a_full_buffer_is_told_once)
{
    struct buf small;
    buf_init(&small, 8);
    jw_init(&w, &small);
    jw_array(&w);
    jw_str(&w, STR("longer than eight"));
    jw_end(&w);
    cr_expect_eq(buf_status(&small), ST_TOO_LARGE);
    buf_free(&small);
}

Test(json_write, a_value_without_key_is_a_bug, .signal = SIGABRT)
{
    jw_object(&w);
    jw_u64(&w, 1);
}

Test(json_write, a_key_in_an_array_is_a_bug, .signal = SIGABRT)
{
    jw_array(&w);
    jw_key(&w, "x");
}

Test(json_write, nesting_beyond_the_limit_is_a_bug, .signal = SIGABRT)
{
    for (int i = 0; i <= JSON_MAX_DEPTH; i++)
        jw_array(&w);
}

Test(json_write, nesting_up_to_the_limit)
{
    enum json_type type;
    for (int i = 0; i < JSON_MAX_DEPTH; i++)
        jw_array(&w);
    for (int i = 0; i < JSON_MAX_DEPTH; i++)
        jw_end(&w);
    cr_expect_eq(json_scan_value(buf_str(&out), &type, NULL), ST_OK);
}
