/* json_digest_test.c: texts that say the same, and texts that nearly do. */
#include "common/json_digest.h"

#include <criterion/criterion.h>

#include "common/id.h"

static struct id digest(const char *json, enum status expected)
{
    struct id out = {{0}};
    crypto_generichash_state hash;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    crypto_generichash_init(&hash, NULL, 0, sizeof out.b);
    cr_assert_eq(json_digest(&arena, str_c(json), 100, &hash), expected, "%s", json);
    crypto_generichash_final(&hash, out.b, sizeof out.b);
    arena_free(&arena);
    return out;
}

Test(json_digest, what_says_the_same_is_the_same)
{
    static const char *const rows[][2] = {
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
        {"{\"a\":1}", " { \"a\"\t:\n1 } "},
        {"{\"a\":\"b\"}", "{\"\\u0061\":\"\\u0062\"}"},
        {"[\"/\"]", "[\"\\/\"]"},
        {"{\"m\":[{\"x\":1,\"y\":{\"p\":0,\"q\":0}}]}",
         "{\"m\":[{\"y\":{\"q\":0,\"p\":0},\"x\":1}]}"},
        {"{}", "{ }"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct id a = digest(rows[i][0], ST_OK), b = digest(rows[i][1], ST_OK);
        cr_expect(id_eq(&a, &b), "%s and %s", rows[i][0], rows[i][1]);
    }
}

Test(json_digest, what_says_something_else_is_not)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "\"\"",
        "\"0\"",
        "\"null\"",
        "[0]",
        "[\"0\"]",
        "[[]]",
        "[{}]",
        "[null]",
        "[0,0]",
        "1",
        "1.0",
        "1e0",
        "{\"a\":1}",
        "{\"a\":\"1\"}",
        "{\"b\":1}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":[1]}",
        "{\"a\":1,\"b\":1}",
        "{\"ab\":1}",
        "{\"a\":1,\"b\":2}",
        "{\"a\":2,\"b\":1}",
        "[1,2]",
        "[2,1]",
        "[[1],2]",
        "[[1,2]]",
        "[1,[2]]",
        "[\"a\",\"b\"]",
        "[\"ab\"]",
        "[\"a\\u0000b\"]",
        "[\"A\"]",
        "{\"\":1}",
        "{\"a\":null}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t k = i + 1; k < COUNT_OF(rows); k++) {
            struct id a = digest(rows[i], ST_OK), b = digest(rows[k], ST_OK);
            cr_expect_not(id_eq(&a, &b), "%s and %s", rows[i], rows[k]);
        }
}

Test(json_digest, what_is_no_json_or_too_much_has_none)
{
    (void)digest("{", ST_BAD_JSON);
    (void)digest("{\"a\":1,\"a\":1}", ST_BAD_JSON);
    (void)digest("{\"o\":{\"a\":1,\"\\u0061\":1}}", ST_BAD_JSON);
    static char many[500] = "[0";
    for (int i = 0; i < 101; i++)
        strncat(many, ",0", 3);
    strncat(many, "]", 2);
    (void)digest(many, ST_TOO_LARGE);
}
