/* route_settings_test.c: what a level says about calls, and what its targets inherit (section 2.3),
 * rule by rule. */
#include "tests/unit/common/route_fixture.h"

Test(route_settings, both_spellings_of_a_key_are_the_same)
{
    compile("{\"retry\":{\"attempts\":3,\"onStatusCodes\":[429,503],\"useRetryAfterHeader\":true},"
            "\"requestTimeout\":5000,\"customHost\":\"https://h.example/v1\","
            "\"forwardHeaders\":[\"X-Team\"],\"strictOpenAiCompliance\":false,\"cache\":{\"mode\":"
            "\"simple\",\"maxAge\":60},\"virtualKey\":\"v\","
            "\"overrideParams\":{\"maxTokens\":1,\"model\":\"m\"}}");
    const struct route_settings *set = &node(0)->set;
    cr_expect_eq(set->retry_attempts, 3);
    cr_expect(set->retry_uses_header && set->retry_has_codes);
    cr_expect(route_codes_has(&set->retry_codes, 429) && route_codes_has(&set->retry_codes, 503) &&
              !route_codes_has(&set->retry_codes, 500));
    cr_expect_eq(set->timeout_ms[ROUTE_TIMEOUT_REQUEST], 5000);
    cr_expect_eq(set->cache, ROUTE_ON);
    cr_expect_eq(set->cache_max_age_s, 60);
    cr_expect_eq(set->strict, ROUTE_OFF);
    EXPECT_TEXT(set->custom_host, "https://h.example/v1");
    EXPECT_TEXT(set->forward_headers, "x-team\n");
    EXPECT_TEXT(set->override_params,
                "{\"maxTokens\":1,\"model\":\"m\"}"); /* names inside are the provider's */
}

/* --- inheritance (section 2.3) --- */

static const char family[] =
    "{\"override_params\":{\"model\":\"m0\",\"temperature\":1,\"metadata\":{\"a\":1,\"b\":1}},"
    "\"retry\":{\"attempts\":3,\"on_status_codes\":[500],"
    "\"use_retry_after_header\":true},\"cache\":{\"mode\":\"simple\",\"max_age\":60},\"request_"
    "timeout\":1000,\"connect_timeout\":1001,\"first_byte_timeout\":1002,"
    "\"idle_timeout\":1003,\"total_timeout\":1004,\"custom_host\":\"https://"
    "root.example\",\"forward_headers\":[\"x-root\"],\"strict_open_ai_compliance\":false,"
    "\"stream_keep_alive\":false,\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":[429]},"
    "\"targets\":["
    "{\"provider\":\"silent\"},"
    "{\"provider\":\"loud\",\"override_params\":{\"temperature\":0,\"metadata\":{\"b\":2}},"
    "\"retry\":{\"attempts\":1},\"cache\":\"simple\",\"request_timeout\":2000,"
    "\"custom_host\":\"https://"
    "child.example\",\"forward_headers\":[\"x-child\"],\"strict_open_ai_compliance\":true,\"stream_"
    "keep_alive\":true},"
    "{\"weight\":2,\"name\":\"middle\",\"override_params\":{\"model\":\"m2\"},\"strategy\":{"
    "\"mode\":\"loadbalance\"},\"targets\":[{\"override_params\":{\"top_p\":1}}]},"
    "{\"forward_headers\":[],\"request_timeout\":0}]}";

Test(route_settings, a_silent_child_has_its_parents_settings)
{
    compile(family);
    const struct route_settings *set = &node(1)->set;
    EXPECT_TEXT(set->override_params,
                "{\"model\":\"m0\",\"temperature\":1,\"metadata\":{\"a\":1,\"b\":1}}");
    EXPECT_TEXT(node(1)->model, "m0");
    cr_expect_eq(set->retry_attempts, 3);
    cr_expect(set->retry_uses_header && route_codes_has(&set->retry_codes, 500));
    cr_expect_eq(set->cache_max_age_s, 60);
    for (size_t i = 0; i < ROUTE_TIMEOUTS; i++)
        cr_expect_eq(set->timeout_ms[i], 1000 + i);
    EXPECT_TEXT(set->custom_host, "https://root.example");
    EXPECT_TEXT(set->forward_headers, "x-root\n");
    cr_expect_eq(set->strict, ROUTE_OFF);
    cr_expect_eq(set->keep_alive, ROUTE_OFF);
}

Test(route_settings, a_child_wins_whole_objects_replace_and_overrides_merge)
{
    compile(family);
    const struct route_settings *set = &node(2)->set;
    EXPECT_TEXT(set->override_params,
                "{\"model\":\"m0\",\"temperature\":0,\"metadata\":{\"a\":1,\"b\":2}}");
    EXPECT_TEXT(node(2)->model, "m0");
    cr_expect_eq(set->retry_attempts, 1);
    cr_expect_not(set->retry_uses_header || set->retry_has_codes ||
                      route_codes_has(&set->retry_codes, 500),
                  "retry is replaced whole");
    cr_expect_eq(set->cache, ROUTE_ON);
    cr_expect_eq(set->cache_max_age_s, 0, "cache is replaced whole");
    cr_expect_eq(set->timeout_ms[ROUTE_TIMEOUT_REQUEST], 2000);
    cr_expect_eq(set->timeout_ms[ROUTE_TIMEOUT_IDLE], 1003);
    EXPECT_TEXT(set->custom_host, "https://child.example");
    EXPECT_TEXT(set->forward_headers, "x-child\n");
    cr_expect_eq(set->strict, ROUTE_ON);
    cr_expect_eq(set->keep_alive, ROUTE_ON);
}

Test(route_settings, inheritance_passes_through_levels)
{
    compile(family);
    const struct route_node *grandchild = node(5);
    EXPECT_TEXT(grandchild->path, "config.targets[2].targets[0]");
    EXPECT_TEXT(grandchild->set.override_params,
                "{\"model\":\"m2\",\"temperature\":1,\"metadata\":{\"a\":1,\"b\":1},\"top_p\":1}");
    EXPECT_TEXT(grandchild->model, "m2");
    cr_expect_eq(grandchild->set.retry_attempts, 3);
    cr_expect_eq(node(4)->set.forward_headers.len, 0, "an empty list replaces too");
    cr_expect_eq(node(4)->set.timeout_ms[ROUTE_TIMEOUT_REQUEST], 1000, "0 says nothing");
}

Test(route_settings, who_is_called_is_not_inherited)
{
    compile("{\"provider\":\"root\",\"api_key\":\"k\",\"name\":\"n\",\"openai_project\":\"p\","
            "\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":[500]},"
            "\"targets\":[{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[{}]}]}");
    for (size_t i = 1; i < 3; i++) {
        cr_expect_eq(node(i)->provider.len, 0);
        cr_expect_eq(node(i)->name.len, 0);
        cr_expect_eq(node(i)->options.len, 0);
        cr_expect_eq(node(i)->flags, 0, "neither credentials nor status codes");
        cr_expect_eq(node(i)->weight, ROUTE_WEIGHT_ONE);
    }
}

static char big[1 << 20];

Test(route_settings, an_object_of_overrides_is_bounded)
{
    size_t n = (size_t)snprintf(big, sizeof big, "{\"override_params\":{\"o\":{\"m\":0");
    for (int i = 1; i <= 256; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",\"m%d\":0", i);
    snprintf(big + n, sizeof big - n, "}}}");
    cr_expect_eq(compile_as(big, 0), ST_INVALID);
    cr_expect(str_starts(why, STR("config.override_params: is too large")), "%.*s", STR_ARG(why));
}

Test(route_settings, every_allocation_may_fail)
{
    size_t refused = 0;
    for (size_t room = 0; room < 40000; room += 97) {
        struct arena small;
        struct str bytes, reason;
        arena_init(&small, room);
        enum status status = route_doc_compile(&small, STR(family), 0, &bytes, &reason);
        cr_assert(status == ST_OK || status == ST_NO_MEMORY, "%d with %zu bytes", status, room);
        refused += status != ST_OK;
        arena_free(&small);
    }
    cr_expect(refused > 10 && refused < 400);
}

Test(route_settings, bug_1_5_a_custom_host_may_be_an_ipv6_literal)
{
    compile(
        "{\"provider\":\"x\",\"api_key\":\"k\",\"custom_host\":\"https://[2001:db8::1]:8443/v1\"}");
    EXPECT_TEXT(node(0)->set.custom_host, "https://[2001:db8::1]:8443/v1");
}

Test(route_settings, bug_1_5_a_custom_host_carries_no_other_host)
{
    static const char *const hosts[] = {
        "https://good.example#@evil.example/", "https://good.example@evil.example/",
        "https://good.example\\\\@evil.example/", "https://good.example/ https://evil.example"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        snprintf(big, sizeof big, "{\"custom_host\":\"%s\"}", hosts[i]);
        cr_expect_eq(compile_as(big, 0), ST_INVALID, "%s", hosts[i]);
        cr_expect(str_starts(why, STR("config.custom_host: ")), "%.*s", STR_ARG(why));
    }
}
