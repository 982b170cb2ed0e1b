/* policy_test.c: the decision as tables. Rules are written "+slug" / "-slug", with ">target" for an
 * alias and "=base" for a custom model's base. */
#include "common/policy.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const char *const catalog[] = {
    "gpt-4o",     "gpt-4o-2024-08-06", "gpt-4o-mini", "o1",
    "o1-preview", "o1-mini",           "gpt-4.1",     "text-embedding-3-small"};

static bool in_catalog(const void *unused, struct str id)
{
    (void)unused;
    for (size_t i = 0; i < COUNT_OF(catalog); i++) {
        if (str_eq(id, str_c(catalog[i])))
            return true;
    }
    return false;
}

#define RULES_MAX 8

static size_t parse_rules(const char *text, struct policy_rule rules[RULES_MAX])
{
    size_t count = 0;
    struct str rest = str_c(text), one;
    while (text[0] != '\0' && str_split(&rest, ' ', &one)) {
        struct policy_rule *rule = &rules[count++];
        ptrdiff_t alias = str_find_char(one, '>'), base = str_find_char(one, '=');
        *rule = (struct policy_rule){.enabled = one.p[0] == '+', .listing = one.p[0] == '?', .slug = str_from(one, 1)};
        if (base > 0) {
            rule->base_model = str_from(one, (size_t)base + 1);
            rule->slug = str_of(one.p + 1, (size_t)base - 1);
            rule->custom = true;
        }
        if (alias > 0) {
            rule->upstream_model = str_from(one, (size_t)alias + 1);
            rule->slug = str_of(one.p + 1, (size_t)alias - 1);
        }
    }
    return count;
}

#define A POLICY_ALLOWED
#define U POLICY_UNLISTED_ALLOWED
#define D POLICY_DENIED_BY_RULE
#define N POLICY_NOT_LISTED
#define P POLICY_NARROWED_BY_PROVIDER
#define K POLICY_NARROWED_BY_KEY

struct row {
    const char *rules;
    int all;
    const char *model;
    enum policy_outcome outcome;
    int rule;
    const char *upstream, *priced; /* NULL: not asked */
    const char *provider, *key;
};

static const struct row rows[] = {
    /* nothing but the flag and the catalog */
    {"", 0, "gpt-4o", N, -1, NULL, NULL, "", ""},
    {"", 0, "nope", N, -1, NULL, NULL, "", ""},
    {"", 1, "gpt-4o", A, -1, "gpt-4o", "gpt-4o", "", ""},
    {"", 1, "nope", U, -1, "nope", "", "", ""},
    {"", 1, "Any/Thing:x@1%20", U, -1, "Any/Thing:x@1%20", "", "", ""},
    {"", 1, "", N, -1, NULL, NULL, "", ""},
    /* a listing says nothing */
    {"?new", 0, "new", N, -1, NULL, NULL, "", ""},
    {"?new", 1, "new", U, -1, "new", "", "", ""},
    {"?new -ne*", 1, "new", D, 1, NULL, NULL, "", ""},
    {"?gpt-4o", 1, "gpt-4o-2024-08-06", A, -1, "gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "", ""},
    /* allow by exact bytes only */
    {"+gpt-4o", 0, "gpt-4o", A, 0, "gpt-4o", "gpt-4o", "", ""},
    {"+gpt-4o", 0, "GPT-4o", N, -1, NULL, NULL, "", ""},
    {"+gpt-4o", 0, "gpt-4o ", N, -1, NULL, NULL, "", ""},
    {"+gpt-4o", 0, "openai/gpt-4o", N, -1, NULL, NULL, "", ""},
    {"+gpt-4o", 0, "gpt-4o-2024-08-06", N, -1, NULL, NULL, "", ""},
    {"+gpt-4o", 0, "gpt-4o-mini", N, -1, NULL, NULL, "", ""},
    {"+gpt-4o", 1, "gpt-4o-mini", A, -1, "gpt-4o-mini", "gpt-4o-mini", "", ""},
    {"+not-known", 0, "not-known", A, 0, "not-known", "", "", ""},
    /* allow by pattern: the catalog must know the id, or the flag be set */
    {"+gpt-*", 0, "gpt-4o", A, 0, "gpt-4o", "gpt-4o", "", ""},
    {"+gpt-*", 0, "gpt-99", N, 0, NULL, NULL, "", ""},
    {"+gpt-*", 1, "gpt-99", U, 0, "gpt-99", "", "", ""},
    {"+gpt-*", 0, "GPT-4o", N, -1, NULL, NULL, "", ""},
    {"+gpt-*", 0, "gpt-*", N, 0, NULL, NULL, "", ""},
    {"+*", 0, "o1", A, 0, "o1", "o1", "", ""},
    {"+*", 0, "nope", N, 0, NULL, NULL, "", ""},
    /* deny */
    {"-gpt-4o", 1, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-gpt-4o", 0, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-gpt-4o", 1, "gpt-4o-mini", A, -1, NULL, NULL, "", ""},
    {"-gpt-4o", 1, "gpt-4.1", A, -1, NULL, NULL, "", ""},
    {"-gpt-4o", 1, "gpt-4", U, -1, NULL, NULL, "", ""},
    {"-gpt-4o", 1, "gpt-4o-2024-08-06", D, 0, NULL, NULL, "", ""},
    {"-gpt-4o-2024-08-06", 1, "gpt-4o", A, -1, NULL, NULL, "", ""},
    {"-gpt-4o-2024-08-06", 1, "gpt-4o-2024-08-06", D, 0, NULL, NULL, "", ""},
    {"-gpt-4o-2024-08-06", 1, "gpt-4o-2024-11-20", U, -1, NULL, NULL, "", ""},
    {"-GPT-4O", 1, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-openai/gpt-4o", 1, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-models/gpt-4o", 1, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-gpt-4o:latest", 1, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-openai/gpt-4o", 1, "azure/gpt-4o", U, -1, NULL, NULL, "", ""},
    /* deny by pattern */
    {"-o1-*", 1, "o1-mini", D, 0, NULL, NULL, "", ""},
    {"-o1-*", 1, "o1", A, -1, NULL, NULL, "", ""},
    {"-o1-*", 1, "O1-Mini", D, 0, NULL, NULL, "", ""},
    {"-O1-*", 1, "o1-mini", D, 0, NULL, NULL, "", ""},
    {"-o1-*", 1, "openai/o1-mini", D, 0, NULL, NULL, "", ""},
    {"-o1-*", 1, "o1-2024-12-17", D, 0, NULL, NULL, "", ""},
    {"-*-preview", 1, "o1-preview", D, 0, NULL, NULL, "", ""},
    {"-*-preview", 1, "o1-preview-2024-09-12", D, 0, NULL, NULL, "", ""},
    {"-*-preview", 1, "o1-preview%2D", U, -1, NULL, NULL, "", ""},
    {"-*", 1, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-*:free", 1, "vendor/model:free", D, 0, NULL, NULL, "", ""},
    {"-openai/*", 1, "openai/gpt-4o", D, 0, NULL, NULL, "", ""},
    {"-openai/*", 1, "gpt-4o", A, -1, NULL, NULL, "", ""},
    /* the most exact row wins, whatever the order */
    {"-gpt-4o +gpt-4o-2024-08-06", 1, "gpt-4o-2024-08-06", A, 1, NULL, "gpt-4o-2024-08-06", "", ""},
    {"+gpt-4o-2024-08-06 -gpt-4o", 1, "gpt-4o-2024-08-06", A, 0, NULL, NULL, "", ""},
    {"+gpt-4o-2024-08-06 -gpt-4o", 1, "GPT-4o-2024-08-06", D, 1, NULL, NULL, "", ""},
    {"+gpt-4o-2024-08-06 -gpt-4o", 1, "gpt-4o", D, 1, NULL, NULL, "", ""},
    {"+gpt-4o-* -gpt-4o", 1, "gpt-4o-2024-08-06", D, 1, NULL, NULL, "", ""},
    {"+gpt-4o-* -gpt-4o", 1, "gpt-4o-mini", A, 0, NULL, NULL, "", ""},
    {"-gpt-* +gpt-4o", 0, "gpt-4o", A, 1, NULL, NULL, "", ""},
    {"-gpt-* +gpt-4o", 0, "gpt-4o-mini", D, 0, NULL, NULL, "", ""},
    {"-gpt-* +gpt-4o*", 0, "gpt-4o-mini", A, 1, NULL, NULL, "", ""},
    {"+gpt-* -gpt-4o*", 0, "gpt-4o-mini", D, 1, NULL, NULL, "", ""},
    {"+gpt-* -gpt-4o*", 0, "gpt-4.1", A, 0, NULL, NULL, "", ""},
    {"-* +o1", 1, "o1", A, 1, NULL, NULL, "", ""},
    {"-* +o1", 1, "O1", D, 0, NULL, NULL, "", ""},
    {"-* +o1-*", 0, "o1-mini", A, 1, NULL, NULL, "", ""},
    /* deny beats allow on a tie */
    {"+gpt-4o -gpt-4o", 1, "gpt-4o", D, 1, NULL, NULL, "", ""},
    {"-gpt-4o +gpt-4o", 1, "gpt-4o", D, 0, NULL, NULL, "", ""},
    {"+GPT-4o -gpt-4o", 1, "GPT-4o", D, 1, NULL, NULL, "", ""},
    {"+gpt-4* -gpt*44", 1, "gpt-44", D, 1, NULL, NULL, "", ""},
    {"-gpt-4* +*gpt-4", 1, "gpt-4", D, 0, NULL, NULL, "", ""},
    {"+openai/gpt-4o -gpt-4o", 1, "openai/gpt-4o", A, 0, NULL, NULL, "", ""},
    /* aliases */
    {"+fast>gpt-4o-mini", 0, "fast", A, 0, "gpt-4o-mini", "gpt-4o-mini", "", ""},
    {"+fast>gpt-4o-mini", 0, "Fast", N, -1, NULL, NULL, "", ""},
    {"+fast>gpt-4o -gpt-4o", 1, "fast", D, 1, NULL, NULL, "", ""},
    {"+fast>GPT-4o -gpt-4o", 1, "fast", D, 1, NULL, NULL, "", ""},
    {"+fast>gpt-4o-2024-08-06 -gpt-4o", 1, "fast", D, 1, NULL, NULL, "", ""},
    {"+fast>gpt-4o-2024-08-06 -gpt-4o +gpt-4o-2024-08-06", 1, "fast", A, 0, "gpt-4o-2024-08-06",
     NULL, "", ""},
    {"+fast>gpt-4o -*", 1, "fast", A, 0, "gpt-4o", "gpt-4o", "", ""},
    {"-fast>gpt-4o", 1, "fast", D, 0, NULL, NULL, "", ""},
    {"-fast>gpt-4o", 1, "gpt-4o", A, -1, NULL, NULL, "", ""},
    {"+gpt-4o>house-model", 0, "gpt-4o", A, 0, "house-model", "gpt-4o", "", ""},
    {"+gpt-4o>gpt-4o", 0, "gpt-4o", A, 0, "gpt-4o", "gpt-4o", "", ""},
    /* custom models */
    {"+mine=gpt-4o", 0, "mine", A, 0, "mine", "gpt-4o", "", ""},
    {"+mine=gpt-4o -gpt-4o", 0, "mine", A, 0, "mine", "gpt-4o", "", ""},
    {"+mine=nowhere", 0, "mine", A, 0, "mine", "", "", ""},
    {"-mine=gpt-4o", 1, "MINE", D, 0, NULL, NULL, "", ""},
    {"+ft:gpt-4o:org::1=gpt-4o -gpt-4o", 0, "ft:gpt-4o:org::1", A, 0, NULL, "gpt-4o", "", ""},
    /* narrowing by provider and key */
    {"+*", 0, "gpt-4o", A, 0, NULL, NULL, "gpt-4o\n", ""},
    {"+*", 0, "o1", P, -1, NULL, NULL, "gpt-4o\n", ""},
    {"+*", 0, "o1", A, 0, NULL, NULL, "gpt-4o\no1\n", ""},
    {"+*", 0, "o1-mini", A, 0, NULL, NULL, "gpt-*\no1-*\n", ""},
    {"+*", 0, "gpt-4o", K, -1, NULL, NULL, "gpt-*\n", "o1\n"},
    {"+*", 0, "gpt-4o", P, -1, NULL, NULL, "o1\n", "o1\n"},
    {"+*", 0, "gpt-4o", A, 0, NULL, NULL, "gpt-*\n", "*\n"},
    {"+*", 0, "gpt-4o", A, 0, NULL, NULL, "\n\n", "\n"},
    {"-gpt-4o", 1, "gpt-4o", D, 0, NULL, NULL, "gpt-4o\n", "gpt-4o\n"},
    {"", 0, "gpt-4o", N, -1, NULL, NULL, "gpt-4o\n", "gpt-4o\n"},
    {"", 1, "GPT-4o", P, -1, NULL, NULL, "gpt-4o\n", ""},
    {"", 1, "nope", K, -1, NULL, NULL, "", "gpt-4o\n"},
    {"+*", 0, "gpt-4o", A, 0, NULL, NULL, "@prod/gpt-4o\n", "@prod/*\n"},
    {"+*", 0, "gpt-4o", K, -1, NULL, NULL, "", "@other/*\n"},
    {"+fast>gpt-4o", 0, "fast", A, 0, NULL, NULL, "fast\n", ""},
    {"+fast>gpt-4o", 0, "fast", P, -1, NULL, NULL, "gpt-4o\n", ""},
};

static struct policy_verdict decide(const struct row *row, struct str model)
{
    static struct policy_rule rules[RULES_MAX];
    char qualified[600];
    struct policy_verdict verdict;
    struct policy_input input = {
        .model = model,
        .allow_all_models = row->all,
        .rule_count = parse_rules(row->rules, rules),
        .rule_at = policy_rule_of_array,
        .rules = rules,
        .in_catalog = in_catalog,
        .provider_allowed = str_c(row->provider),
        .key_allowed = str_c(row->key),
    };
    int n = snprintf(qualified, sizeof(qualified), "@prod/" STR_FMT, STR_ARG(model));
    input.qualified = str_of(qualified, (size_t)n);
    policy_decide(&input, &verdict);
    return verdict;
}

Test(policy, table)
{
    cr_assert_geq(COUNT_OF(rows), 80);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct policy_verdict v = decide(row, str_c(row->model));
        cr_assert_eq(v.outcome, row->outcome, "row %zu: [%s] %s -> %s", i, row->rules, row->model,
                     policy_outcome_text(v.outcome));
        cr_assert_eq(v.rule, row->rule, "row %zu: [%s] %s: rule %td", i, row->rules, row->model,
                     v.rule);
        bool allowed = v.outcome == A || v.outcome == U;
        cr_assert_eq(policy_status(&v) == ST_OK, allowed);
        cr_assert(!allowed || row->upstream == NULL ||
                      str_eq(v.upstream_model, str_c(row->upstream)),
                  "row %zu", i);
        cr_assert(row->priced == NULL || str_eq(v.priced_model, str_c(row->priced)),
                  "row %zu: " STR_FMT, i, STR_ARG(v.priced_model));
        cr_assert(allowed || v.upstream_model.n == 0);
    }
}

static const char *const denied_spellings[] = {
    "gpt-4o",
    "GPT-4o",
    "GPT-4O",
    "Gpt-4o",
    "gpt-4o ",
    " gpt-4o",
    "\tgpt-4o",
    "gpt-4o\n",
    "gpt-4o\r\n",
    "gp t-4o",
    "gpt%2D4o",
    "gpt%2d4o",
    "gpt%252D4o",
    "%67pt-4o",
    "gpt-4o%20",
    "gpt-4o%00",
    "gpt-4o%0a",
    "gpt-4o%E2%80%8B",
    "openai/gpt-4o",
    "OpenAI/GPT-4o",
    "openai%2Fgpt-4o",
    "models/gpt-4o",
    "/gpt-4o",
    "//gpt-4o",
    "./gpt-4o",
    "x/../gpt-4o",
    "gpt-4o/",
    "gpt-4o/.",
    "models\\gpt-4o",
    "deployments/gpt-4o",
    "publishers/openai/models/gpt-4o",
    "openrouter/openai/gpt-4o",
    "gpt-4o:latest",
    "gpt-4o:free",
    "gpt-4o:2024-08-06",
    "gpt-4o@latest",
    "gpt-4o@2024-08-06",
    "gpt-4o-latest",
    "gpt-4o-2024-08-06",
    "gpt-4o-20240806",
    "gpt-4o-0806",
    "gpt-4o-2024-08-06:beta",
    "openai/gpt-4o-2024-08-06",
    "OPENAI/GPT-4O-2024-08-06:FREE",
    "gpt-4o?x=1",
    "gpt-4o#x",
    "gpt-4o%3Fapi-version=1",
    "openai.gpt-4o",
    "us.openai.gpt-4o",
    "ft:gpt-4o:org::id",
    "ft:gpt-4o-2024-08-06:org:name:id",
    "gpt\xE2\x80\x91"
    "4o",
    "gpt\xE2\x80\x93"
    "4o",
    "gpt-4o\xE2\x80\x8B",
    "\xEF\xBB\xBFgpt-4o",
    "gpt-4o\xC2\xA0",
    "\xEF\xBC\xA7\xEF\xBC\xB0\xEF\xBC\xB4-4o",
    "gpt-4o\x7F",
};

Test(policy, every_spelling_of_a_denied_model)
{
    static const char *const lists[] = {
        "-gpt-4o", "-gpt-4o +*",     "+gpt-* -gpt-4o", "-gpt-4o +*/gpt-4o +gpt-4o-*",
        "-GPT-4o", "-models/gpt-4o", "-gpt-4o:latest"};
    cr_assert_geq(COUNT_OF(denied_spellings), 30);
    for (size_t k = 0; k < COUNT_OF(lists); k++) {
        for (size_t i = 0; i < COUNT_OF(denied_spellings); i++) {
            struct row row = {lists[k], 1, denied_spellings[i], D, 0, NULL, NULL, "", ""};
            struct policy_verdict v = decide(&row, str_c(row.model));
            cr_assert_eq(v.outcome, D, "[%s] %s", row.rules, row.model);
            cr_assert_eq(policy_status(&v), ST_MODEL_NOT_ALLOWED);
            /* as the target of an alias as well */
            char rules[256];
            if (strpbrk(row.model, " >=") != NULL)
                continue;
            snprintf(rules, sizeof(rules), "%s +alias>%s", lists[k], row.model);
            row.rules = rules;
            v = decide(&row, STR("alias"));
            cr_assert_eq(v.outcome, D, "%s", rules);
            cr_assert(v.by_upstream);
        }
    }
}

Test(policy, neighbours_stay_allowed)
{
    static const char *const others[] = {"gpt-4o-mini",
                                         "gpt-4o-mini-2024-07-18",
                                         "gpt-4.1",
                                         "gpt-4",
                                         "gpt-4-turbo",
                                         "gpt-4o-audio-preview",
                                         "gpt-4o-realtime-preview-2024-12-17",
                                         "chatgpt-4o-latest",
                                         "my-gpt-4o",
                                         "gpt-4o2",
                                         "xgpt-4o",
                                         "gpt-4o-search-preview",
                                         "openai/gpt-4o-mini",
                                         "gpt-4omni",
                                         "ft:gpt-4o-mini:org::id"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct row row = {"-gpt-4o", 1, others[i], A, -1, NULL, NULL, "", ""};
        struct policy_verdict v = decide(&row, str_c(others[i]));
        cr_assert(v.outcome == A || v.outcome == U, "%s: %s", others[i],
                  policy_outcome_text(v.outcome));
    }
}

Test(policy, says_how)
{
    struct row row = {"-gpt-4o", 1, "gpt-4o-2024-08-06", D, 0, NULL, NULL, "", ""};
    cr_assert_eq(decide(&row, STR("gpt-4o-2024-08-06")).match, POLICY_MATCH_VARIANT);
    cr_assert_eq(decide(&row, STR("GPT-4o")).match, POLICY_MATCH_EXACT);
    cr_assert_eq(decide(&row, STR("GPT-4o")).level, POLICY_LEVEL_INTEGRATION);
    cr_assert_eq(decide(&row, STR("o1")).level, POLICY_LEVEL_NONE);
    row.rules = "-gpt-*";
    cr_assert_eq(decide(&row, STR("gpt-4o")).match, POLICY_MATCH_PATTERN);
    row.rules = "";
    row.all = 0;
    struct policy_verdict v = decide(&row, STR("gpt-4o"));
    cr_assert_eq(policy_status(&v), ST_MODEL_NOT_ALLOWED, "known, not listed");
    v = decide(&row, STR("nope"));
    cr_assert_eq(policy_status(&v), ST_UNLISTED_MODEL);
}

Test(policy, ids_too_long_are_never_allowed)
{
    static char id[POLICY_MODEL_MAX + 1];
    memset(id, 'a', sizeof(id));
    struct row row = {"+*", 1, "", N, -1, NULL, NULL, "", ""};
    cr_assert_eq(decide(&row, str_of(id, POLICY_MODEL_MAX)).outcome, U);
    cr_assert_eq(decide(&row, str_of(id, POLICY_MODEL_MAX + 1)).outcome, N);
}

/* What decides does not depend on the order of the rows. */
Test(policy, order_does_not_matter)
{
    static const char *const slugs[] = {
        "+gpt-4o",      "-gpt-4o", "+gpt-*", "-gpt-4*", "+*", "-*mini", "+gpt-4o-2024-08-06",
        "-GPT-4o-mini", "+*-mini", "-o1-*"};
    static const char *const ids[] = {"gpt-4o", "gpt-4o-mini", "gpt-4o-2024-08-06",
                                      "GPT-4o", "o1-mini",     "gpt-4.1"};
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char forth[128] = "", back[128] = "";
        size_t picked[4];
        for (int k = 0; k < 4; k++) {
            seed = seed * 1103515245u + 12345u;
            picked[k] = (seed >> 16) % COUNT_OF(slugs);
        }
        for (int k = 0; k < 4; k++) {
            snprintf(forth + strlen(forth), sizeof(forth) - strlen(forth), "%s%s", k ? " " : "",
                     slugs[picked[k]]);
            snprintf(back + strlen(back), sizeof(back) - strlen(back), "%s%s", k ? " " : "",
                     slugs[picked[3 - k]]);
        }
        for (size_t i = 0; i < COUNT_OF(ids); i++) {
            struct row row = {forth, round % 2, ids[i], A, 0, NULL, NULL, "", ""};
            enum policy_outcome first = decide(&row, str_c(ids[i])).outcome;
            row.rules = back;
            cr_assert_eq(decide(&row, str_c(ids[i])).outcome, first, "%s / %s", forth, ids[i]);
        }
    }
}
