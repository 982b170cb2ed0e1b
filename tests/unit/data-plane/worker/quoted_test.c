#include "data-plane/worker/quoted.h"

#include <criterion/criterion.h>

#include "common/buf.h"

static const struct {
    const char *body, *ids; /* raw, a blank behind each */
} rows[] = {
    {"{}", ""},
    {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"file_id file-1\"}]}", ""},
    {"{\"input_file_id\":\"file-1\"}", "\"file-1\" "},
    {"{\"training_file\":\"a\",\"validation_file\":\"b\",\"suffix\":\"c\"}", "\"a\" \"b\" "},
    {"{\"previous_response_id\":\"resp_1\"}", "\"resp_1\" "},
    {"{\"previous_response_id\":null}", ""},
    {"{\"conversation\":\"conv_1\"}", "\"conv_1\" "},
    {"{\"conversation\":{\"id\":\"conv_1\"}}", "\"conv_1\" "},
    {"{\"input\":[{\"content\":[{\"type\":\"input_file\",\"file_id\":\"f\"}]}]}", "\"f\" "},
    {"{\"messages\":[{\"content\":[{\"file\":{\"file_id\":\"f\"}}]}]}", "\"f\" "},
    {"{\"tools\":[{\"vector_store_ids\":[\"v1\",\"v2\",3]}]}", "\"v1\" \"v2\" "},
    {"{\"tools\":[{\"container\":\"cntr_1\"}]}", "\"cntr_1\" "},
    {"{\"tools\":[{\"container\":{\"type\":\"auto\",\"file_ids\":[\"f\"]}}]}", "\"f\" "},
    {"{\"a\":{\"training_file\":\"f\"}}", ""},
    {"{\"metadata\":{\"file_id\":\"mine\"}}", ""},
    {"{\"tools\":[{\"function\":{\"parameters\":{\"properties\":{\"file_id\":\"x\"}}}}]}", ""},
    {"{\"text\":{\"format\":{\"schema\":{\"default\":{\"file_ids\":[\"x\"]}}}}}", ""},
    {"{\"file\\u005fid\":\"f\"}", "\"f\" "},
    {"{\"\\u0066\\u0069\\u006c\\u0065\\u005f\\u0069\\u0064\":\"f\"}", "\"f\" "},
    {"{\"input\":[{\"\\u0066ile_i\\u0064\":\"f\\u0031\"}]}", "\"f\\u0031\" "},
    {"{\"file_id\":\"1\",\"x\":[[[{\"file_id\":\"2\"}]]],\"y\":{\"file_id\":{\"file_id\":\"3\"}}}",
     "\"1\" \"2\" \"3\" "},
};

static enum status gather(void *arg, struct str raw)
{
    buf_add_str(arg, raw);
    buf_add_char(arg, ' ');
    return ST_OK;
}

Test(quoted, finds_ids_where_the_provider_reads_them)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf ids;
        buf_init(&ids, 1000);
        cr_assert_eq(quoted_each(str_c(rows[i].body), gather, &ids), ST_OK);
        cr_expect(str_eq(buf_str(&ids), str_c(rows[i].ids)), "%s", rows[i].body);
        if (rows[i].ids[0] != '\0')
            cr_expect(quoted_maybe(str_c(rows[i].body)), "not looked at: %s", rows[i].body);
        buf_free(&ids);
    }
}

Test(quoted, plain_traffic_is_not_walked)
{
    cr_expect_not(quoted_maybe(STR("{\"model\":\"gpt-4o\",\"max_tokens\":5,\"tool_calls\":[],"
                                   "\"messages\":[{\"content\":\"a\\nb\\\"c\\u00e9\"}]}")));
    cr_expect_not(quoted_maybe(STR("_")));
    cr_expect_not(quoted_maybe(STR("\\")));
    cr_expect_not(quoted_maybe(STR("\\u00")));
}

static enum status refuse(void *arg, struct str raw)
{
    (void)raw;
    return ++*(int *)arg == 2 ? ST_TOO_LARGE : ST_OK;
}

Test(quoted, the_first_failure_ends_the_walk)
{
    int calls = 0;
    cr_expect_eq(quoted_each(STR("{\"file_ids\":[\"1\",\"2\",\"3\"]}"), refuse, &calls),
                 ST_TOO_LARGE);
    cr_expect_eq(calls, 2);
}
