/* json_merge_test.c: the merge rules as a table, and every bound. */
#include "common/json_merge.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "common/json_scan.h"

static const struct {
    const char *base, *over, *merged;
} rows[] = {
    {"{}", "{}", "{}"},
    {"{}", "{\"a\":1}", "{\"a\":1}"},
    {"{\"a\":1}", "{}", "{\"a\":1}"},
    {"{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
    {"{ \"a\" : 1 , \"b\":[1, 2] }", "{\"b\": [3]}", "{\"a\":1,\"b\":[3]}"},
    {"{\"temperature\":1,\"metadata\":{\"team\":\"x\",\"env\":\"dev\"}}",
     "{\"metadata\":{\"env\":\"prod\",\"user\":\"u\"},\"temperature\":0.20}",
     "{\"temperature\":0.20,\"metadata\":{\"team\":\"x\",\"env\":\"prod\",\"user\":\"u\"}}"},
    {"{\"a\":{\"b\":{\"c\":{\"d\":1,\"e\":2}}}}", "{\"a\":{\"b\":{\"c\":{\"d\":3}}}}",
     "{\"a\":{\"b\":{\"c\":{\"d\":3,\"e\":2}}}}"},
    {"{\"a\":{\"b\":1}}", "{\"a\":null}", "{\"a\":null}"},
    {"{\"a\":null}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
    {"{\"a\":{\"b\":1}}", "{\"a\":[]}", "{\"a\":[]}"},
    {"{\"a\":[{\"b\":1}]}", "{\"a\":[{\"c\":1}]}", "{\"a\":[{\"c\":1}]}"},
    {"{\"a\":{}}", "{\"a\":{}}", "{\"a\":{}}"},
    {"{\"mod\\u0065l\":\"x\"}", "{\"model\":\"y\"}", "{\"mod\\u0065l\":\"y\"}"},
    {"{\"model\":\"x\"}", "{\"mod\\u0065l\":\"y\"}", "{\"model\":\"y\"}"},
    {"{\"n\":9007199254740993}", "{\"m\":1e400}", "{\"n\":9007199254740993,\"m\":1e400}"},
    {"{\"a\":\"},{\"}", "{\"b\":\"\\\"}\"}", "{\"a\":\"},{\",\"b\":\"\\\"}\"}"},
    {"{\"ab\":1}", "{\"a\":2}", "{\"ab\":1,\"a\":2}"},
};

static enum status merge(const char *base, const char *over, size_t max_bytes, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    buf_init(out, max_bytes);
    enum status status = json_merge(&arena, out, str_c(base), str_c(over));
    arena_free(&arena);
    return status;
}

Test(json_merge, last_write_wins_and_objects_are_merged)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf out;
        enum json_type type;
        cr_assert_eq(merge(rows[i].base, rows[i].over, 4096, &out), ST_OK);
        cr_expect(str_eq(buf_str(&out), str_c(rows[i].merged)), "row %zu: %.*s", i,
                  STR_ARG(buf_str(&out)));
        cr_expect_eq(json_scan_value(buf_str(&out), &type, NULL), ST_OK);
        buf_free(&out);
    }
}

Test(json_merge, merging_twice_changes_nothing)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf once, twice;
        cr_assert_eq(merge(rows[i].base, rows[i].over, 4096, &once), ST_OK);
        cr_assert_eq(merge(once.p, rows[i].over, 4096, &twice), ST_OK);
        cr_expect(str_eq(buf_str(&once), buf_str(&twice)), "row %zu", i);
        buf_free(&once);
        buf_free(&twice);
    }
}

Test(json_merge, what_would_grow_is_refused)
{
    static char many[8192];
    struct buf out;
    cr_expect_eq(merge("{\"a\":\"0123456789\"}", "{\"b\":1}", 8, &out), ST_TOO_LARGE);
    buf_free(&out);
    size_t n = 0;
    for (int i = 0; i <= JSON_MERGE_MEMBERS_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "%c\"m%d\":%d", i == 0 ? '{' : ',', i, i);
    snprintf(many + n, sizeof many - n, "}");
    cr_expect_eq(merge("{}", many, 65536, &out), ST_TOO_LARGE);
    buf_free(&out);
    cr_expect_eq(merge(many, "{\"m7\":0}", 65536, &out), ST_OK, "base is not bounded by it");
    buf_free(&out);
}

Test(json_merge, every_allocation_may_fail)
{
    struct arena arena;
    struct buf out;
    arena_init(&arena, 0);
    buf_init(&out, 4096);
    cr_expect_eq(json_merge(&arena, &out, STR("{\"a\":1}"), STR("{\"b\":1}")), ST_NO_MEMORY);
    buf_free(&out);
    arena_free(&arena);
}
