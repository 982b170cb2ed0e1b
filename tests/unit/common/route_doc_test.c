/* route_doc_test.c: what is read, refused and warned of, as tables. */
#include "tests/unit/common/route_fixture.h"

static char big[1 << 20];

/* --- reading --- */

Test(route_doc, a_bare_leaf_is_the_root)
{
    compile("{\"provider\":\"@openai-prod\",\"override_params\":{\"model\":\"gpt-4o\"}}");
    cr_assert_eq(plan.head->nodes, 1);
    cr_expect_eq(node(0)->mode, ROUTE_LEAF);
    cr_expect_eq(node(0)->parent, ROUTE_NONE);
    EXPECT_TEXT(node(0)->path, "config");
    EXPECT_TEXT(node(0)->provider, "openai-prod");
    EXPECT_TEXT(node(0)->model, "gpt-4o");
    cr_expect_eq(plan.head->warnings.len, 0);
    compile("{}");
    cr_expect_eq(node(0)->mode, ROUTE_LEAF);
}

Test(route_doc, methods_1_to_3_of_seed_000_as_written)
{
    compile("{\n\t\"strategy\": { \"mode\": \"fallback\" },\n\t\"targets\": "
            "[{\n\t\t\"override_params\": { \"model\": \"@openai-prod/gpt-4o\" }\n\t}, {\n"
            "\t\t\"override_params\": { \"model\": \"@anthropic/claude-3-sonnet\" }\n\t}]\n}");
    cr_expect_eq(node(0)->mode, ROUTE_FALLBACK);
    cr_expect_eq(node(0)->first, 1);
    cr_expect_eq(node(0)->count, 2);
    EXPECT_TEXT(node(1)->model, "@openai-prod/gpt-4o");
    EXPECT_TEXT(node(2)->model, "@anthropic/claude-3-sonnet");
    EXPECT_TEXT(node(2)->path, "config.targets[1]");
    compile("{\"strategy\":{\"mode\":\"single\"},\"targets\":[{\"provider\":\"@openai-prod\","
            "\"override_params\":{\"model\":\"gpt-4o\"}}]}");
    cr_expect_eq(node(0)->mode, ROUTE_SINGLE);
    EXPECT_TEXT(node(1)->provider, "openai-prod");
    EXPECT_TEXT(node(1)->model, "gpt-4o");
    compile("{\"strategy\":{\"mode\":\"single\"},\"targets\":[{\"virtual_key\":\"openai-prod\"}]}");
    EXPECT_TEXT(node(1)->provider, "openai-prod");
    cr_expect_eq(plan.head->warnings.len, 0);
}

Test(route_doc, inline_credentials_are_kept_as_options)
{
    compile("{\"provider\":\"openai\",\"api_key\":\"sk-x\",\"openai_organization\":\"org\","
            "\"awsRegion\":\"us-east-1\"}");
    cr_expect(node(0)->flags & ROUTE_HAS_CREDENTIALS);
    EXPECT_TEXT(
        node(0)->options,
        "{\"openai_organization\":\"org\",\"aws_region\":\"us-east-1\",\"api_key\":\"sk-x\"}");
    compile("{\"provider\":\"vertex-ai\",\"vertex_service_account_json\":{\"type\":\"service_"
            "account\"}}");
    cr_expect(node(0)->flags & ROUTE_HAS_CREDENTIALS);
    cr_expect_eq(compile_as("{\"provider\":\"openai\",\"api_key\":\"sk-x\"}", ROUTE_DOC_SAVED),
                 ST_INVALID);
    cr_expect(str_starts(why, STR("config.api_key: a saved config holds no credentials")), "%.*s",
              STR_ARG(why));
}

Test(route_doc, bug_2_a_target_may_have_override_params_only)
{
    compile("{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[{\"override_params\":{\"model\":\"@"
            "a/b\"}},{\"weight\":1},{}]}");
    cr_expect_eq(plan.head->nodes, 4);
}

Test(route_doc, an_option_is_a_plain_name_given_once)
{
    compile("{\"provider\":\"x\",\"api_key\":\"k\",\"aws_\\\\\":1,\"aws_\\\"q\":2,\"awsRegion\":"
            "\"r\"}");
    EXPECT_TEXT(node(0)->options, "{\"aws_region\":\"r\",\"api_key\":\"k\"}");
    EXPECT_TEXT(plan.head->warnings,
                "config.aws_\\: unknown key, not used.\nconfig.aws_\"q: unknown key, not used.\n");
    cr_expect_eq(compile_as("{\"aws_region\":\"r\",\"awsRegion\":\"s\"}", 0), ST_INVALID);
    cr_expect(str_eq(why, STR("config.aws_region: is given twice.")), "%.*s", STR_ARG(why));
    size_t n = (size_t)snprintf(big, sizeof big, "{\"aws_x\":0");
    for (int i = 0; i < 64; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",\"aws_%d\":0", i);
    snprintf(big + n, sizeof big - n, "}");
    cr_expect_eq(compile_as(big, 0), ST_INVALID);
    cr_expect(str_eq(why, STR("config: holds too many provider options.")), "%.*s", STR_ARG(why));
}

/* --- refusals --- */

Test(route_doc, what_would_be_misunderstood_is_refused_with_its_path)
{
    static const struct {
        const char *document, *why;
    } rows[] = {
        {"", "config: is no valid JSON object"},
        {"[]", "config: is no valid JSON object (not an object at byte 0)."},
        {"{\"a\":1,\"a\":2}", "config: is no valid JSON object (duplicate"},
        {"{\"retry\":{},\"retry\":{}}", "config: is no valid JSON object (duplicate"},
        {"{\"override_params\":{},\"overrideParams\":{}}",
         "config.override_params: is given twice"},
        {"{\"retry\":{\"on_status_codes\":[],\"onStatusCodes\":[]}}",
         "config.retry.on_status_codes: is given twice"},
        {"{\"options\":[]}", "config.options: belongs to the first version"},
        {"{\"mode\":\"single\",\"options\":[{\"provider\":\"openai\"}]}",
         "config.options: belongs"},
        {"{\"targets\":[{\"targets\":[{\"options\":{}}]}]}",
         "config.targets[0].targets[0].options: belongs"},
        {"{\"provider\":7}", "config.provider: must be a string"},
        {"{\"provider\":\"\"}", "config.provider: must be a string"},
        {"{\"provider\":\"@\"}", "config.provider: must be a slug"},
        {"{\"provider\":\"a\\u0000b\"}",
         "config.provider: must be a string of 1 to 2048 bytes without control characters"},
        {"{\"virtual_key\":{}}", "config.virtual_key: must be a string"},
        {"{\"name\":\"\"}", "config.name: must be a string"},
        {"{\"api_key\":\"k\"}", "config.provider: is required beside credentials"},
        {"{\"provider\":\"openai\",\"api_key\":7}",
         "config.api_key: must be a string that is not empty"},
        {"{\"provider\":\"openai\",\"api_key\":\"\"}",
         "config.api_key: must be a string that is not empty"},
        {"{\"weight\":-1}", "config.weight: must be a number from 0 to 1000000"},
        {"{\"weight\":\"1\"}", "config.weight: must be"},
        {"{\"weight\":1000001}", "config.weight: must be"},
        {"{\"override_params\":[]}", "config.override_params: must be an object"},
        {"{\"override_params\":{\"model\":7}}", "config.override_params.model: must be a string"},
        {"{\"override_params\":{\"model\":null}}",
         "config.override_params.model: must be a string"},
        {"{\"override_params\":{\"model\":\"\"}}",
         "config.override_params.model: must be a string"},
        {"{\"targets\":[{},{\"retry\":{\"attempts\":\"3\"}}]}",
         "config.targets[1].retry.attempts: must be a whole number"},
        {"{\"retry\":{\"attempts\":-1}}", "config.retry.attempts: must be a whole number"},
        {"{\"retry\":{\"attempts\":1.5}}", "config.retry.attempts: must be a whole number"},
        {"{\"retry\":3}", "config.retry: must be an object"},
        {"{\"retry\":{\"on_status_codes\":429}}", "config.retry.on_status_codes: must be an array"},
        {"{\"retry\":{\"on_status_codes\":[429,600]}}",
         "config.retry.on_status_codes: holds something else"},
        {"{\"retry\":{\"on_status_codes\":[\"429\"]}}",
         "config.retry.on_status_codes: holds something else"},
        {"{\"retry\":{\"use_retry_after_header\":1}}",
         "config.retry.use_retry_after_header: must be true or false"},
        {"{\"cache\":true}", "config.cache: must be an object or a mode"},
        {"{\"cache\":\"fast\"}", "config.cache.mode: must be \"simple\" or \"semantic\""},
        {"{\"cache\":{\"mode\":7}}", "config.cache.mode: must be"},
        {"{\"cache\":{\"max_age\":0}}", "config.cache.max_age: must be a whole number of seconds"},
        {"{\"cache\":{\"max_age\":7776001}}", "config.cache.max_age: must be"},
        {"{\"request_timeout\":-1}",
         "config.request_timeout: must be a whole number of milliseconds"},
        {"{\"idle_timeout\":86400001}", "config.idle_timeout: must be"},
        {"{\"connect_timeout\":\"5s\"}", "config.connect_timeout: must be"},
        {"{\"custom_host\":\"ftp://x\"}", "config.custom_host: must be an http"},
        {"{\"custom_host\":\"https://\"}", "config.custom_host: must be"},
        {"{\"custom_host\":\"https://a@b\"}", "config.custom_host: must be"},
        {"{\"custom_host\":\"https://a b\"}", "config.custom_host: must be"},
        {"{\"custom_host\":\"https://a#b\"}", "config.custom_host: must be"},
        {"{\"custom_host\":\"https:///x\"}", "config.custom_host: must be"},
        {"{\"forward_headers\":\"x-a\"}", "config.forward_headers: must be an array"},
        {"{\"forward_headers\":[7]}", "config.forward_headers: holds something else"},
        {"{\"forward_headers\":[\"a b\"]}", "config.forward_headers: holds something else"},
        {"{\"forward_headers\":[\"Authorization\"]}",
         "config.forward_headers: names a header that is never sent on"},
        {"{\"forward_headers\":[\"X-Portkey-Forward-Headers\"]}",
         "config.forward_headers: names a header"},
        {"{\"strict_open_ai_compliance\":\"false\"}",
         "config.strict_open_ai_compliance: must be true or false"},
        {"{\"stream_keep_alive\":0}", "config.stream_keep_alive: must be true or false"},
        {"{\"strategy\":\"single\"}", "config.strategy: must be an object"},
        {"{\"strategy\":{},\"targets\":[{}]}", "config.strategy.mode: must be \"single\""},
        {"{\"strategy\":{\"mode\":\"random\"},\"targets\":[{}]}", "config.strategy.mode: must be"},
        {"{\"strategy\":{\"mode\":\"fallback\"}}", "config.targets: is required by this strategy"},
        {"{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[]}",
         "config.targets: must be an array that is not empty"},
        {"{\"targets\":{}}", "config.targets: must be an array"},
        {"{\"targets\":[7]}", "config.targets[0]: must be an object"},
        {"{\"targets\":[{},null]}", "config.targets[1]: must be an object"},
        {"{\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":\"429\"},\"targets\":[{}]}",
         "config.strategy.on_status_codes: must be an array"},
        {"{\"strategy\":{\"mode\":\"loadbalance\"},\"targets\":[{\"weight\":0},{\"weight\":0.0}]}",
         "config.targets: all weights are 0"},
        {"{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[{},{\"strategy\":{\"mode\":"
         "\"loadbalance\"},\"targets\":[{\"weight\":0}]}]}",
         "config.targets[1].targets: all weights are 0"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_expect_eq(compile_as(rows[i].document, 0), ST_INVALID, "%s", rows[i].document);
        cr_expect(str_starts(why, str_c(rows[i].why)), "%s: %.*s", rows[i].document, STR_ARG(why));
    }
}

/* --- bounds --- */

Test(route_doc, what_is_laid_out_is_bounded)
{
    /* 200 targets, each with its own copy of 64 KiB of overrides */
    size_t n = (size_t)snprintf(big, sizeof big, "{\"override_params\":{\"text\":\"");
    memset(big + n, 'x', 65536);
    n += 65536;
    n += (size_t)snprintf(big + n, sizeof big - n,
                          "\"},\"strategy\":{\"mode\":\"fallback\"},\"targets\":[{}");
    for (int i = 1; i < 200; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",{\"override_params\":{\"n\":%d}}", i);
    snprintf(big + n, sizeof big - n, "]}");
    cr_expect_eq(compile_as(big, 0), ST_INVALID);
    cr_expect(str_starts(why, STR("config: is too large once it is laid out")), "%.*s",
              STR_ARG(why));
    memset(big, ' ', ROUTE_DOC_MAX);
    big[ROUTE_DOC_MAX] = '\0';
    big[0] = '{';
    big[ROUTE_DOC_MAX - 1] = '}';
    cr_expect_eq(compile_as(big, 0), ST_OK);
    memset(big, ' ', ROUTE_DOC_MAX + 1);
    cr_expect_eq(compile_as(big, 0), ST_INVALID);
    cr_expect(str_eq(why, STR("config: is too large.")), "%.*s", STR_ARG(why));
}

/* --- nothing is ignored without a word --- */

Test(route_doc, what_has_no_effect_is_warned_of)
{
    static const struct {
        const char *document, *warning;
    } rows[] = {
        {"{\"foo\":1}", "config.foo: unknown key, not used.\n"},
        {"{\"fooBar\":1}", "config.fooBar: unknown key, not used.\n"},
        {"{\"a\\nb\":1}", "config.a?b: unknown key, not used.\n"},
        {"{\"Provider\":\"x\"}", "config.Provider: unknown key, not used.\n"},
        {"{\"targets\":[{\"retry\":{\"attempts\":1,\"delay\":1}}]}",
         "config.targets[0].retry.delay: unknown key, not used.\n"},
        {"{\"cache\":{\"mode\":\"simple\",\"ttl\":1}}",
         "config.cache.ttl: unknown key, not used.\n"},
        {"{\"strategy\":{\"mode\":\"single\",\"sticky\":{}},\"targets\":[{}]}",
         "config.strategy.sticky: unknown key, not used.\n"},
        {"{\"cache\":\"semantic\"}",
         "config.cache.mode: \"semantic\" is not supported and taken as \"simple\".\n"},
        {"{\"retry\":{\"attempts\":6}}", "config.retry.attempts: more than 5 count as 5.\n"},
        {"{\"retry\":{}}", "config.retry.attempts: 0 or not given, so nothing is tried again.\n"},
        {"{\"id\":\"x\"}", "config.id: not used by this gateway.\n"},
        {"{\"metadata\":{}}", "config.metadata: not used by this gateway.\n"},
        {"{\"cb_config\":{}}", "config.cb_config: not used by this gateway.\n"},
        {"{\"targets\":[{\"weight\":2}]}",
         "config.targets[0].weight: has an effect only below a loadbalance.\n"},
        {"{\"targets\":[{},{}]}",
         "config.targets: only the first is used, because the mode is single.\n"},
        {"{\"provider\":\"x\",\"targets\":[{}]}",
         "config.provider: not used, because targets name their own.\n"},
        {"{\"provider\":\"x\",\"virtual_key\":\"y\"}",
         "config.virtual_key: not used beside a provider.\n"},
        {"{\"provider\":\"x\",\"aws_region\":\"y\"}",
         "config: provider options have no effect without credentials in the same target.\n"},
        {"{\"provider\":\"x\",\"custom_host\":\"https://h\"}",
         "config.custom_host: a stored credential never goes to an address given here.\n"},
        {"{\"request_timeout\":0}",
         "config.request_timeout: 0 says nothing; the next higher setting holds.\n"},
        {"{\"strategy\":{\"mode\":\"loadbalance\",\"on_status_codes\":[429]},\"targets\":[{}]}",
         "config.strategy.on_status_codes: has an effect only with mode \"fallback\".\n"},
        {"{\"strategy\":{\"mode\":\"fallback\",\"conditions\":[]},\"targets\":[{}]}",
         "config.strategy.conditions: has an effect only with mode \"conditional\".\n"},
        {"{\"strategy\":{\"mode\":\"fallback\",\"default\":\"x\"},\"targets\":[{}]}",
         "config.strategy.default: has an effect only with mode \"conditional\".\n"},
        {"{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[{\"query\":{},\"then\":\"t\"}]},"
         "\"targets\":[{\"name\":\"t\"}]}",
         "config.strategy.conditions[0].query: is empty and holds for every request.\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        compile(rows[i].document);
        EXPECT_TEXT(plan.head->warnings, rows[i].warning);
    }
}

Test(route_doc, warnings_are_bounded)
{
    size_t n = (size_t)snprintf(big, sizeof big, "{\"k\":0"), lines = 0;
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",\"k%d\":0", i);
    snprintf(big + n, sizeof big - n, "}");
    compile(big);
    struct str rest = route_str(&plan, plan.head->warnings), line;
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        lines++;
        cr_expect(lines <= ROUTE_DOC_WARNINGS_MAX ||
                  str_eq(line, STR("Further warnings are left out.")));
    }
    cr_expect_eq(lines, ROUTE_DOC_WARNINGS_MAX + 1);
}

Test(route_doc, null_says_nothing)
{
    compile("{\"provider\":null,\"retry\":null,\"cache\":null,\"targets\":null,\"strategy\":null,"
            "\"weight\":null,\"input_guardrails\":null,\"request_timeout\":null}");
    cr_expect_eq(node(0)->mode, ROUTE_LEAF);
    cr_expect_eq(plan.head->warnings.len, 0);
    cr_expect_eq(plan.head->guards.len, 0);
}

Test(route_doc, guards_are_listed_and_refused_by_path)
{
    static const struct {
        const char *document, *guards;
    } rows[] = {
        {"{\"input_guardrails\":[{\"default.contains\":{}}]}", "config.input_guardrails\n"},
        {"{\"targets\":[{\"outputGuardrails\":[\"id\"]},{\"before_request_hooks\":[{}]}]}",
         "config.targets[0].output_guardrails\nconfig.targets[1].before_request_hooks\n"},
        {"{\"after_request_hooks\":[{}],\"input_mutators\":[{}],\"output_mutators\":[{}]}",
         "config.after_request_hooks\nconfig.input_mutators\nconfig.output_mutators\n"},
        {"{\"default_input_guardrails\":[{}],\"default_output_guardrails\":[{}]}",
         "config.default_input_guardrails\nconfig.default_output_guardrails\n"},
        {"{\"guardrails\":{\"deny\":true}}", "config.guardrails\n"},
        {"{\"myHooks\":\"x\"}", "config.myHooks\n"},
        {"{\"input_guardrails\":[],\"output_mutators\":{},\"guardrails\":null}", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        compile(rows[i].document);
        EXPECT_TEXT(plan.head->guards, rows[i].guards);
        struct str sentence = route_plan_guarded(&arena, &plan);
        cr_expect_eq(sentence.n > 0, rows[i].guards[0] != '\0');
    }
    compile("{\"targets\":[{\"output_guardrails\":[\"id\"]}]}");
    cr_expect(str_eq(route_plan_guarded(&arena, &plan),
                     STR("config.targets[0].output_guardrails: guardrails, hooks and mutators are "
                         "not supported.")));
}

Test(route_doc, a_refusal_is_a_plan_of_its_own)
{
    struct str bytes;
    arena_init(&arena, 1 << 16);
    cr_assert_eq(route_doc_refusal(&arena, STR("config.x: no."), &bytes), ST_OK);
    cr_assert_eq(route_plan_open(bytes, &plan), ST_OK);
    EXPECT_TEXT(plan.head->refusal, "config.x: no.");
    cr_expect_eq(plan.head->nodes, 0);
}
