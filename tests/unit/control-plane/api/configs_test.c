/* configs_test.c: what a config may say when it is saved, and what is said about the rest. */
#include "tests/unit/control-plane/api_fixture.h"

TestSuite(configs, .init = api_fixture_open, .fini = api_fixture_close);

static struct answer save(const char *document)
{
    return api_call(WORKSPACE, "POST", "/v1/configs",
                    TARGET("{\"name\":\"c\",\"config\":%s}", document));
}

Test(configs, a_document_that_gateways_can_use_is_saved_as_it_was_sent)
{
    const char *document = "{ \"strategy\" : {\"mode\":\"fallback\"},\"targets\":[{\"provider\":"
                           "\"@a\"},{\"weight\":1e0}] }";
    struct answer made = save(document);
    EXPECT_STATUS(made, 200);
    EXPECT_RAW(made, "warnings",
               "[\"config.targets[1].weight: has an effect only below a loadbalance.\"]");
    struct answer read = api_call(
        WORKSPACE, "GET", TARGET("/v1/configs/" STR_FMT, STR_ARG(text_at(made.body, "slug"))), "");
    cr_expect(str_eq(raw_at(read.body, "config"), str_c(document)));
    struct answer text = save("\"{\\\"provider\\\":\\\"@a\\\"}\"");
    EXPECT_STATUS(text, 200);
    EXPECT_RAW(text, "warnings", "[]");
}

Test(configs, a_document_that_gateways_cannot_use_is_refused_by_path)
{
    static const struct {
        const char *document, *message;
    } rows[] = {
        {"{\"targets\":[{},{\"retry\":{\"attempts\":\"3\"}}]}",
         "config.targets[1].retry.attempts: must be a whole number, 0 or more."},
        {"{\"strategy\":{\"mode\":\"loadbalance\"},\"targets\":[{\"weight\":0}]}",
         "config.targets: all weights are 0, so no target could ever be chosen."},
        {"{\"options\":[]}",
         "config.options: belongs to the first version of configs; use strategy "
         "and targets."},
        {"{\"input_guardrails\":[\"pg-1\"]}",
         "config.input_guardrails: guardrails, hooks and mutators are not supported."},
        {"{\"provider\":\"openai\",\"api_key\":\"sk-1\"}",
         "config.api_key: a saved config holds no credentials; keep them in an integration and "
         "name "
         "its provider here."},
        {"\"{\\\"targets\\\":[]}\"", "config.targets: must be an array that is not empty."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct answer got = save(rows[i].document);
        EXPECT_STATUS(got, 400);
        cr_expect(str_eq(text_at(got.body, "message"), str_c(rows[i].message)), "%s: " STR_FMT,
                  rows[i].document, STR_ARG(got.text));
    }
    cr_expect(str_find(save("7").text, STR("config")) >= 0);
    cr_expect(str_find(save("\"nope\"").text, STR("config")) >= 0);
}

Test(configs, an_update_is_checked_and_makes_a_version_only_with_a_document)
{
    struct answer made = save("{\"provider\":\"@a\"}");
    const char *path = TARGET("/v1/configs/" STR_FMT, STR_ARG(text_at(made.body, "slug")));
    struct answer bad = api_call(WORKSPACE, "PUT", path, "{\"config\":{\"targets\":{}}}");
    EXPECT_STATUS(bad, 400);
    struct answer named = api_call(WORKSPACE, "PUT", path, "{\"name\":\"other\"}");
    EXPECT_STATUS(named, 200);
    EXPECT_RAW(named, "warnings", "");
    cr_expect(str_eq(text_at(named.body, "version_id"), text_at(made.body, "version_id")));
    struct answer changed =
        api_call(WORKSPACE, "PUT", path, "{\"config\":{\"cache\":\"semantic\"}}");
    EXPECT_STATUS(changed, 200);
    EXPECT_RAW(changed, "warnings",
               "[\"config.cache.mode: \\\"semantic\\\" is not supported and taken as "
               "\\\"simple\\\".\"]");
    cr_expect_not(str_eq(text_at(changed.body, "version_id"), text_at(made.body, "version_id")));
    struct answer versions = api_call(WORKSPACE, "GET", TARGET("%s/versions", path), "");
    EXPECT_RAW(versions, "total", "2");
}

Test(configs, an_operator_may_let_guards_be_ignored_and_then_it_is_said)
{
    const char *document =
        "{\"input_guardrails\":[\"pg-1\"],\"targets\":[{\"output_mutators\":[{}]}],"
        "\"foo\":1}";
    EXPECT_STATUS(save(document), 400);
    fx.api.ignore_guardrails = true;
    struct answer made = save(document);
    EXPECT_STATUS(made, 200);
    EXPECT_RAW(made, "warnings",
               "[\"config.input_guardrails: not run, as the operator chose (ignore_guardrails).\","
               "\"config.targets[0].output_mutators: not run, as the operator chose "
               "(ignore_guardrails).\",\"config.foo: unknown key, not used.\"]");
}
