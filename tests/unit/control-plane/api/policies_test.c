/* policies_test.c: usage and rate policies: verbatim echo, three-state updates, archive, and what is refused. */
#include "control-plane/api/policies.h"
#include "tests/unit/control-plane/api_fixture.h"

TestSuite(policies, .init = api_fixture_open, .fini = api_fixture_close);

#define USAGE "/v1/policies/usage-limits"
#define RATE  "/v1/policies/rate-limits"
#define WHERE                                                                                      \
    "\"conditions\":[{\"key\":\"metadata.team\",\"value\":[\"a\",\"b*\"],\"excludes\":\"c\"},"     \
    "{\"key\":\"workspace_id\",\"value\":\"second\"}],\"group_by\":[{\"key\":\"api_key\"}]"

static struct answer post(const char *path, const char *members)
{
    return api_call(ADMIN, "POST", path, TARGET("{\"workspace_id\":\"second\",%s}", members));
}

static const char *made(const char *path, const char *members)
{
    struct answer got = post(path, members);
    EXPECT_STATUS(got, 200);
    return TARGET("%s/" STR_FMT, path, STR_ARG(text_at(got.body, "id")));
}

Test(policies, a_usage_policy_reads_back_as_it_was_sent)
{
    const char *path = made(USAGE, "\"name\":\"n\",\"type\":\"cost\",\"credit_limit\":1000.0,\"alert_threshold\":800.5,"
                                   "\"periodic_reset\":\"monthly\",\"mode\":\"strict\"," WHERE);
    struct answer got = api_call(ADMIN, "GET", path, "");
    EXPECT_STATUS(got, 200);
    EXPECT_RAW(got, "object", "\"policy_usage_limits\"");
    EXPECT_RAW(got, "conditions", "[{\"key\":\"metadata.team\",\"value\":[\"a\",\"b*\"],\"excludes\":\"c\"},{\"key\":\"workspace_id\",\"value\":\"second\"}]");
    EXPECT_RAW(got, "group_by", "[{\"key\":\"api_key\"}]");
    EXPECT_RAW(got, "credit_limit", "1000");
    EXPECT_RAW(got, "alert_threshold", "800.5");
    EXPECT_RAW(got, "periodic_reset", "\"monthly\"");
    EXPECT_RAW(got, "periodic_reset_days", "null");
    EXPECT_RAW(got, "mode", "\"strict\"");
    cr_expect_null(at(got.body, "amount"));
    EXPECT_RAW(got, "status", "\"active\"");
    struct id id;
    cr_expect_eq(id_from_text(text_at(got.body, "workspace_id"), &id), ST_OK);
    EXPECT_RAW(got, "last_reset_at", "null");
}

Test(policies, updates_are_three_state_and_may_be_empty)
{
    const char *path = made(USAGE, "\"type\":\"tokens\",\"credit_limit\":10,\"alert_threshold\":5,\"periodic_reset_days\":3," WHERE);
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"name\":\"later\",\"periodic_reset_days\":null,\"periodic_reset\":\"weekly\",\"alert_threshold\":null}"), 200);
    struct answer got = api_call(ADMIN, "GET", path, "");
    EXPECT_RAW(got, "name", "\"later\"");
    EXPECT_RAW(got, "credit_limit", "10");
    EXPECT_RAW(got, "alert_threshold", "null");
    EXPECT_RAW(got, "periodic_reset_days", "null");
    EXPECT_RAW(got, "periodic_reset", "\"weekly\"");
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"credit_limit\":null}"), 400);
    struct answer fixed = api_call(ADMIN, "PUT", path, "{\"type\":\"cost\"}");
    EXPECT_STATUS(fixed, 400);
    EXPECT_RAW(fixed, "message", "\"type: cannot be changed; make another policy\"");
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{\"type\":\"tokens\",\"conditions\":[{\"key\":\"model\",\"value\":\"*\"}]}"), 200);
    EXPECT_RAW(api_call(ADMIN, "GET", path, ""), "conditions", "[{\"key\":\"model\",\"value\":\"*\"}]");
}

Test(policies, deleting_archives)
{
    const char *path = made(RATE, "\"type\":\"requests\",\"unit\":\"rpm\",\"value\":7," WHERE);
    const char *other = made(RATE, "\"type\":\"tokens\",\"unit\":\"rpw\",\"value\":7,\"burst\":2," WHERE);
    EXPECT_RAW(api_call(ADMIN, "GET", RATE "?workspace_id=second&unit=rpw", ""), "total", "1");
    EXPECT_RAW(api_call(ADMIN, "GET", RATE "?workspace_id=second&type=requests", ""), "data.0.unit", "\"rpm\"");
    EXPECT_STATUS(api_call(ADMIN, "DELETE", path, ""), 200);
    EXPECT_STATUS(api_call(ADMIN, "GET", path, ""), 404);
    EXPECT_STATUS(api_call(ADMIN, "PUT", path, "{}"), 404);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", path, ""), 404);
    EXPECT_RAW(api_call(ADMIN, "GET", TARGET("%s?status=archived", path), ""), "status", "\"archived\"");
    EXPECT_RAW(api_call(ADMIN, "GET", RATE "?workspace_id=second", ""), "total", "1");
    EXPECT_RAW(api_call(ADMIN, "GET", RATE "?workspace_id=second&status=archived", ""), "total", "1");
    struct answer got = api_call(ADMIN, "GET", other, "");
    EXPECT_RAW(got, "object", "\"policy_rate_limits\"");
    EXPECT_RAW(got, "burst", "2");
    EXPECT_RAW(got, "target", "\"llm\"");
    cr_expect_null(at(got.body, "credit_limit"));
    cr_expect_null(at(got.body, "last_reset_at"));
}

Test(policies, stay_in_their_workspace)
{
    const char *path = made(USAGE, "\"type\":\"cost\",\"credit_limit\":1," WHERE);
    EXPECT_STATUS(api_call(WORKSPACE, "GET", path, ""), 404);
    EXPECT_STATUS(api_call(fx.org[1].org_key, "GET", path, ""), 404);
    EXPECT_STATUS(api_call(fx.other_key, "GET", path, ""), 200);
    EXPECT_RAW(api_call(WORKSPACE, "GET", USAGE, ""), "total", "0");
    EXPECT_RAW(api_call(ADMIN, "GET", USAGE, ""), "total", "1");
    EXPECT_STATUS(api_call(ADMIN, "POST", USAGE, "{\"type\":\"cost\",\"credit_limit\":1," WHERE "}"), 400);
    EXPECT_STATUS(api_call(ADMIN, "GET", RATE "/no-such", ""), 404);
}

Test(policies, refused_with_name_and_rule)
{
    static const struct {
        const char *path, *members, *says;
    } cases[] = {
        {USAGE, "\"type\":\"cost\",\"credit_limit\":1,\"group_by\":[{\"key\":\"api_key\"}]", "conditions: must be an array of 1 to 32 conditions"},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":1,\"conditions\":[{\"key\":\"api_key\",\"value\":\"*\"}],\"group_by\":[]",
         "group_by: must be an array of 1 to 8 keys"},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":1,\"conditions\":[{\"key\":\"colour\",\"value\":\"*\"}]",
         "conditions[0].key: must be one of api_key, workspace_id, organisation_id, metadata.<name>, virtual_key, provider, config, prompt, "
         "model, endpoint_type"},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":1,\"conditions\":[{\"key\":\"metadata.\",\"value\":\"*\"}]", NULL},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":1,\"conditions\":[{\"key\":\"api_key\"}]", "conditions[0].value: is required"},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":1,\"conditions\":[{\"key\":\"api_key\",\"value\":{}}]",
         "conditions[0].value: must be a string, or an array of 1 to 500 of them"},
        {USAGE, "\"credit_limit\":1," WHERE, "type: is required"},
        {USAGE, "\"type\":\"gold\",\"credit_limit\":1," WHERE, "type: must be one of cost, tokens, requests"},
        {USAGE, "\"type\":\"cost\"," WHERE, "credit_limit: is required"},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":-1," WHERE, NULL},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":5,\"alert_threshold\":5," WHERE, "alert_threshold: must be below credit_limit"},
        {USAGE, "\"type\":\"cost\",\"credit_limit\":5,\"periodic_reset\":\"weekly\",\"periodic_reset_days\":2," WHERE,
         "periodic_reset_days: excludes periodic_reset"},
        {RATE, "\"type\":\"requests\",\"unit\":\"rpm\"," WHERE, "value: is required"},
        {RATE, "\"type\":\"requests\",\"unit\":\"rpy\",\"value\":1," WHERE, "unit: must be one of rps, rpm, rph, rpd, rpw"},
        {RATE, "\"type\":\"requests\",\"unit\":\"rpm\",\"value\":1,\"target\":\"cats\"," WHERE, "target: must be one of llm, mcp_tools"},
        {RATE, "\"type\":\"requests\",\"unit\":\"rpm\",\"value\":1,\"name\":7," WHERE, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer got = post(cases[i].path, cases[i].members);
        EXPECT_STATUS(got, 400);
        if (cases[i].says != NULL)
            cr_expect(str_eq(text_at(got.body, "message"), str_c(cases[i].says)), STR_FMT, STR_ARG(text_at(got.body, "message")));
    }
    EXPECT_STATUS(post(RATE, "\"type\":\"requests\",\"unit\":\"rpm\",\"value\":1,\"target\":\"mcp_tools\","
                             "\"conditions\":[{\"key\":\"mcp_server\",\"value\":\"*\"}],\"group_by\":[{\"key\":\"mcp_tool\"}]"),
                  200);
}

/* What nodes compile: a workspace's slug is its id there; what was sent reads back. */
Test(policies, slugs_of_workspaces_become_ids_for_nodes)
{
    const char *path = made(USAGE, "\"type\":\"cost\",\"credit_limit\":1," WHERE);
    struct str rest = str_c(path + sizeof USAGE), text;
    struct record_key key;
    struct kv_txn *txn;
    Sluice__Policy *policy;
    struct id id;
    char own[ID_TEXT + 1];
    OK(id_from_text(rest, &id));
    OK(kv_begin(fx.store.kv, false, &txn));
    OK(record_locate(txn, SLUICE__KIND__KIND_USAGE_POLICY, &fx.org[0].org, &id, &key));
    OK(record_get(txn, &key, &fx.store.arena, &policy, NULL));
    kv_abort(txn);
    id_to_text(&fx.other_workspace, own);
    text = arena_printf(&fx.store.arena, "{\"key\":\"workspace_id\",\"value\":\"%s\"}]", own);
    cr_expect(str_ends(str_c(policy->match_json), text), "%s", policy->match_json);
    cr_expect(str_ends(str_c(policy->conditions_json), STR("\"second\"}]")));
}

Test(policies, the_oldest_archived_one_makes_room)
{
    const char *first = made(USAGE, "\"type\":\"cost\",\"credit_limit\":1," WHERE);
    for (int i = 1; i < POLICIES_MAX; i++)
        made(USAGE, "\"type\":\"cost\",\"credit_limit\":1," WHERE);
    struct answer full = post(USAGE, "\"type\":\"cost\",\"credit_limit\":1," WHERE);
    EXPECT_STATUS(full, 400);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", first, ""), 200);
    made(USAGE, "\"type\":\"cost\",\"credit_limit\":1," WHERE);
    EXPECT_STATUS(api_call(ADMIN, "GET", TARGET("%s?status=archived", first), ""), 404);
}
