/* Limits and policies as flat records: the figures, the counters' names, and what is refused. */
#include <criterion/criterion.h>

#include "common/catalog_codec.h"

static struct arena arena;
static const struct id org = {{1}}, parent = {{2}}, self = {{3}}, other = {{4}};

static void setup(void)
{
    arena_init(&arena, 64u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(catalog_limits, .init = setup, .fini = teardown);

static enum status encode(Sluice__Kind kind, const void *message, struct str *record)
{
    size_t n = protobuf_c_message_get_packed_size(message);
    uint8_t *p = arena_alloc(&arena, n + 1);
    protobuf_c_message_pack(message, p);
    return catalog_encode(&arena, kind, 9, &org, &parent, &self, str_of((char *)p, n), record);
}

static struct id counter_of(enum limit_level level, const struct limit_def *def,
                            const struct id *entity, const struct id *second)
{
    struct limit_ref ref = {.level = (uint8_t)level,
                            .measure = def->measure,
                            .window = def->window,
                            .nth = def->nth,
                            .org = org,
                            .entity = *entity,
                            .second = *second};
    struct id id;
    limit_counter_id(&ref, &id);
    return id;
}

Test(catalog_limits, of_a_provider)
{
    Sluice__Provider provider;
    struct str record;
    sluice__provider__init(&provider);
    provider.usage_limits_json = "{\"type\":\"cost\",\"credit_limit\":12.5,\"mode\":\"strict\"}";
    provider.rate_limits_json = "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":60},"
                                "{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":70}]";
    provider.last_reset_at_ms = 77;
    cr_assert_eq(encode(SLUICE__KIND__KIND_PROVIDER, &provider, &record), ST_OK);
    const struct cat_provider *flat = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER, cat_provider);
    struct str limits = cat_str(&flat->head, flat->limits);
    cr_assert_eq(cat_limit_count(limits), 3);
    struct cat_limit cost = cat_limit_at(limits, 0), last = cat_limit_at(limits, 2);
    cr_assert_eq(cost.def.value, 12500000000);
    cr_assert_eq(cost.def.mode, LIMIT_MODE_STRICT);
    cr_assert_eq(cost.anew_ms, 77);
    cr_assert_eq(last.def.nth, 1);
    cr_assert_eq(last.def.value, 70);
    struct id want = counter_of(LIMIT_PROVIDER, &last.def, &self, &ID_NONE);
    cr_assert(id_eq(&last.counter, &want));
}

Test(catalog_limits, of_an_access_are_named_by_integration_and_workspace)
{
    Sluice__WorkspaceAccess access;
    struct str record;
    sluice__workspace_access__init(&access);
    access.usage_limits_json = "[{\"credit_limit\":1000}]";
    cr_assert_eq(encode(SLUICE__KIND__KIND_WORKSPACE_ACCESS, &access, &record), ST_OK);
    const struct cat_access *flat = CAT_AS(record, SLUICE__KIND__KIND_WORKSPACE_ACCESS, cat_access);
    struct cat_limit limit = cat_limit_at(cat_str(&flat->head, flat->limits), 0);
    struct id want = counter_of(LIMIT_ACCESS, &limit.def, &parent, &self);
    cr_assert(id_eq(&limit.counter, &want));
}

Test(catalog_limits, modes_and_none)
{
    Sluice__Workspace workspace;
    struct str record;
    sluice__workspace__init(&workspace);
    workspace.default_limit_mode = 2;
    cr_assert_eq(encode(SLUICE__KIND__KIND_WORKSPACE, &workspace, &record), ST_OK);
    const struct cat_workspace *flat = CAT_AS(record, SLUICE__KIND__KIND_WORKSPACE, cat_workspace);
    cr_assert_eq(flat->default_limit_mode, 2);
    cr_assert_eq(cat_limit_count(cat_str(&flat->head, flat->limits)), 0);
    workspace.default_limit_mode = 3;
    cr_assert_eq(encode(SLUICE__KIND__KIND_WORKSPACE, &workspace, &record), ST_BAD_FORMAT);
}

Test(catalog_limits, what_decides_and_cannot_be_read_is_refused)
{
    static char *const bad[] = {"{\"credit_limit\":-1}",
                                "{\"credit_limit\":\"x\"}",
                                "7",
                                "[",
                                "{\"type\":\"oxen\",\"credit_limit\":1}",
                                "{\"credit_limit\":1,\"mode\":\"lax\"}"};
    struct str record;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Sluice__Integration integration;
        sluice__integration__init(&integration);
        integration.provider_type = "openai";
        integration.usage_limits_json = bad[i];
        cr_assert_eq(encode(SLUICE__KIND__KIND_INTEGRATION, &integration, &record), ST_BAD_FORMAT,
                     "%s", bad[i]);
    }
}

/* --- policies --- */

static Sluice__Policy policy_new(char *conditions, char *groups, char *limit)
{
    Sluice__Policy policy;
    sluice__policy__init(&policy);
    policy.name = "per user";
    policy.conditions_json = conditions;
    policy.group_by_json = groups;
    policy.limit_json = limit;
    return policy;
}

static enum status encode_policies(const struct catalog_policy *rows, size_t count,
                                   const struct cat_policies **out)
{
    struct str record;
    enum status status = catalog_encode_policies(&arena, 5, &org, &parent, rows, count, &record);
    if (status == ST_OK) {
        *out = cat_check_policies(record);
        cr_assert_not_null(*out);
    }
    return status;
}

static struct str item_at(const struct cat_head *head, struct cat_ref ref, size_t n)
{
    struct str items = cat_str(head, ref), item = STR_NONE;
    for (size_t i = 0; i <= n; i++)
        if (!cat_item_next(&items, &item))
            return STR_NONE;
    return item;
}

Test(catalog_limits, policies)
{
    Sluice__Policy a = policy_new("[{\"key\":\"metadata.team\",\"value\":[\"a\\nb\",\"c\"],"
                                  "\"excludes\":\"d\"},{\"key\":\"api_key\",\"value\":\"*\"}]",
                                  "[{\"key\":\"metadata._user\"},{\"key\":\"model\"}]",
                                  "{\"type\":\"requests\",\"credit_limit\":5,"
                                  "\"periodic_reset\":\"weekly\"}");
    Sluice__Policy b =
        policy_new("[{\"key\":\"workspace_id\",\"value\":7}]", "[{\"key\":\"api_key\"}]",
                   "{\"type\":\"tokens\",\"unit\":\"rpm\",\"value\":100}");
    Sluice__Policy archived = b, tools = b;
    archived.status = SLUICE__STATUS__STATUS_ARCHIVED;
    tools.target = "mcp_tools";
    const struct catalog_policy rows[] = {{SLUICE__KIND__KIND_USAGE_POLICY, other, &a},
                                          {SLUICE__KIND__KIND_RATE_POLICY, parent, &archived},
                                          {SLUICE__KIND__KIND_RATE_POLICY, org, &tools},
                                          {SLUICE__KIND__KIND_RATE_POLICY, self, &b}};
    const struct cat_policies *flat;
    cr_assert_eq(encode_policies(rows, COUNT_OF(rows), &flat), ST_OK);
    cr_assert_eq(flat->count, 2, "what limits no call of a model is left out");
    const struct cat_policy *rate = &flat->policies[0], *usage = &flat->policies[1];
    cr_assert(memcmp(rate->id.b, self.b, ID_BYTES) == 0, "by id");
    cr_assert_eq(rate->limit.def.window, LIMIT_MINUTE);
    cr_assert_eq(rate->flags, 0);
    cr_assert_eq(usage->flags, CAT_POLICY_OF_TARGET, "its group looks at the model");
    cr_assert_eq(usage->limit.def.monday, 1, "weeks of policies begin on Monday");
    cr_assert(str_eq(cat_str(&flat->head, usage->name), STR("per user")));
    struct str conditions = cat_str(&flat->head, usage->conditions);
    cr_assert_eq(cat_condition_count(conditions), 2);
    struct cat_condition team = cat_condition_at(conditions, 0);
    cr_assert_eq(team.key, CAT_POLICY_METADATA);
    cr_assert(str_eq(cat_str(&flat->head, team.name), STR("team")));
    cr_assert(str_eq(item_at(&flat->head, team.values, 0), STR("a\nb")));
    cr_assert(str_eq(item_at(&flat->head, team.values, 1), STR("c")));
    cr_assert(str_eq(item_at(&flat->head, team.excludes, 0), STR("d")));
    cr_assert_eq(item_at(&flat->head, team.excludes, 1).p, NULL);
    struct str groups = cat_str(&flat->head, usage->groups);
    cr_assert_eq(cat_condition_at(groups, 1).key, CAT_POLICY_MODEL);
    struct cat_condition seven = cat_condition_at(cat_str(&flat->head, rate->conditions), 0);
    cr_assert(str_eq(item_at(&flat->head, seven.values, 0), STR("7")));
}

Test(catalog_limits, policies_that_cannot_be_read_are_refused)
{
    static char *const keys[] = {"[{\"key\":\"moon\",\"value\":\"*\"}]",
                                 "[{\"key\":\"metadata.\",\"value\":\"*\"}]",
                                 "[{\"value\":1}]",
                                 "[{\"key\":\"model\",\"value\":{}}]",
                                 "{}",
                                 "[3]"};
    const struct cat_policies *flat;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        Sluice__Policy policy = policy_new(keys[i], "", "{\"credit_limit\":5}");
        const struct catalog_policy row = {SLUICE__KIND__KIND_USAGE_POLICY, self, &policy};
        cr_assert_eq(encode_policies(&row, 1, &flat), ST_BAD_FORMAT, "%s", keys[i]);
    }
}
