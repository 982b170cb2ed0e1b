/* route_query_test.c: every operator, every kind of key, every way to be missing, as tables over
 * one request; the [BUG]s of gateway-semantics.md section 2.2 by name; and that hostile conditions
 * end. */
#include "common/route_query.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/route_doc.h"

static const char metadata[] =
    "{\"_user\":\"alice\",\"team\":\"red\",\"tier\":\"7.5\",\"user.id\":\"u-1\",\"a\":\"1\",\"a."
    "b\":\"2\",\"empty\":\"\",\"esc\":\"l\\u0069ne\\n2\"}";
static const char params[] =
    "{\"model\":\"gpt-4o-mini\",\"max_tokens\":100,\"big\":9007199254740993,\"temperature\":0.70,"
    "\"stream\":true,\"n\":null,\"off\":false,"
    "\"messages\":[{\"role\":\"system\",\"content\":\"be "
    "\\\"brief\\\"\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}],"
    "\"metadata\":{\"k\":{\"deep\":{\"er\":\"x\"}},\"x.y\":{\"z\":1}},\"stop\":[\"a\",\"b\"],"
    "\"m\\u006fd\":\"esc\",\"list\":[]}";

/* One condition that leads to "yes", default "no". */
static bool holds_in(const char *query, const struct route_inputs *inputs, enum status *status)
{
    static char document[1 << 16];
    struct arena arena;
    struct str bytes, why = STR_NONE;
    struct route_plan plan;
    struct route_query eyes;
    bool holds = false;
    arena_init(&arena, 1 << 24);
    snprintf(document, sizeof document,
             "{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[{\"query\":%s,\"then\":"
             "\"yes\"}],\"default\":\"no\"},"
             "\"targets\":[{\"name\":\"no\"},{\"name\":\"yes\"}]}",
             query);
    cr_assert_eq(route_doc_compile(&arena, str_c(document), 0, &bytes, &why), ST_OK, "%s: %.*s",
                 query, STR_ARG(why));
    cr_assert_eq(route_plan_open(bytes, &plan), ST_OK);
    cr_assert_eq(plan.head->conditions, 1);
    cr_assert_eq(plan.conditions[0].node, 2);
    route_query_init(&eyes, &plan, &arena, inputs);
    *status = route_query_holds(&eyes, plan.conditions[0].term, &holds);
    arena_free(&arena);
    return holds;
}

static bool holds(const char *query)
{
    struct route_inputs inputs = {STR(metadata), STR(params), STR("/v1/chat/completions")};
    enum status status;
    bool out = holds_in(query, &inputs, &status);
    cr_assert_eq(status, ST_OK, "%s", query);
    return out;
}

struct row {
    const char *query;
    bool holds;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(holds(rows[i].query), rows[i].holds, "%s", rows[i].query);
}

Test(route_query, equality_is_of_type_and_value)
{
    static const struct row rows[] = {
        {"{\"metadata.team\":\"red\"}", true},
        {"{\"metadata.team\":\"Red\"}", false},
        {"{\"metadata.team\":\"re\"}", false},
        {"{\"metadata.team\":{\"$eq\":\"red\"}}", true},
        {"{\"metadata.team\":{\"$ne\":\"red\"}}", false},
        {"{\"metadata.team\":{\"$ne\":\"blue\"}}", true},
        {"{\"metadata.empty\":\"\"}", true},
        {"{\"params.max_tokens\":100}", true},
        {"{\"params.max_tokens\":1e2}", true},
        {"{\"params.max_tokens\":100.000}", true},
        {"{\"params.max_tokens\":\"100\"}", false},
        {"{\"params.max_tokens\":101}", false},
        {"{\"params.temperature\":0.7}", true},
        {"{\"params.big\":9007199254740993}", true},
        {"{\"params.big\":9007199254740992}", false},
        {"{\"params.stream\":true}", true},
        {"{\"params.stream\":false}", false},
        {"{\"params.stream\":\"true\"}", false},
        {"{\"params.off\":false}", true},
        {"{\"params.n\":null}", true},
        {"{\"params.off\":null}", false},
        {"{\"params.absent\":null}", false},
        {"{\"metadata.esc\":\"line\\n2\"}", true},
        {"{\"metadata.esc\":\"l\\u0069ne\\u000a2\"}", true},
        {"{\"metadata.tier\":7.5}", false},
        {"{\"params.stop\":\"a\"}", false},
        {"{\"params.messages\":null}", false},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_query, orders_compare_numbers_and_what_strings_begin_with)
{
    static const struct row rows[] = {
        {"{\"params.max_tokens\":{\"$gt\":99}}", true},
        {"{\"params.max_tokens\":{\"$gt\":100}}", false},
        {"{\"params.max_tokens\":{\"$gte\":100}}", true},
        {"{\"params.max_tokens\":{\"$gte\":100.0001}}", false},
        {"{\"params.max_tokens\":{\"$lt\":100}}", false},
        {"{\"params.max_tokens\":{\"$lt\":1e3}}", true},
        {"{\"params.max_tokens\":{\"$lte\":100}}", true},
        {"{\"params.max_tokens\":{\"$lte\":99.99}}", false},
        {"{\"params.max_tokens\":{\"$gt\":\"99 apples\"}}", true},
        {"{\"metadata.tier\":{\"$gt\":7}}", true},
        {"{\"metadata.tier\":{\"$lt\":\"7.51\"}}", true},
        {"{\"metadata.team\":{\"$gt\":0}}", false},
        {"{\"metadata.team\":{\"$lte\":0}}", false},
        {"{\"params.stream\":{\"$gt\":0}}", false},
        {"{\"params.absent\":{\"$lt\":5}}", false},
        {"{\"params.absent\":{\"$gte\":-5}}", false},
        {"{\"params.n\":{\"$lte\":0}}", false},
        {"{\"params.stop\":{\"$gt\":0}}", false},
        {"{\"params.big\":{\"$gt\":9007199254740992}}", true},
        {"{\"params.max_tokens\":{\"$gt\":-1e400,\"$lt\":1e400}}", true},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_query, lists_hold_values_of_the_same_type)
{
    static const struct row rows[] = {
        {"{\"metadata.team\":{\"$in\":[\"blue\",\"red\"]}}", true},
        {"{\"metadata.team\":{\"$in\":[\"blue\"]}}", false},
        {"{\"metadata.team\":{\"$in\":[]}}", false},
        {"{\"metadata.team\":{\"$nin\":[\"blue\"]}}", true},
        {"{\"metadata.team\":{\"$nin\":[\"blue\",\"red\"]}}", false},
        {"{\"metadata.team\":{\"$nin\":[]}}", true},
        {"{\"params.max_tokens\":{\"$in\":[1,1e2]}}", true},
        {"{\"params.max_tokens\":{\"$in\":[\"100\"]}}", false},
        {"{\"params.n\":{\"$in\":[null,1]}}", true},
        {"{\"params.absent\":{\"$in\":[null,\"\"]}}", false},
        {"{\"params.absent\":{\"$nin\":[null]}}", true},
        {"{\"params.absent\":{\"$ne\":\"x\"}}", true},
        {"{\"params.stop\":{\"$in\":[\"a\"]}}", false},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_query, patterns_test_the_text_of_scalars)
{
    static const struct row rows[] = {
        {"{\"params.model\":{\"$regex\":\"^gpt-4o\"}}", true},
        {"{\"params.model\":{\"$regex\":\"mini$\"}}", true},
        {"{\"params.model\":{\"$regex\":\"^4o\"}}", false},
        {"{\"params.max_tokens\":{\"$regex\":\"^1\"}}", true},
        {"{\"params.stream\":{\"$regex\":\"^true$\"}}", true},
        {"{\"params.absent\":{\"$regex\":\".*\"}}", false},
        {"{\"params.n\":{\"$regex\":\"null\"}}", false},
        {"{\"params.messages\":{\"$regex\":\".\"}}", false},
        {"{\"metadata.esc\":{\"$regex\":\"^line\\\\n2$\"}}", true},
        {"{\"url.pathname\":{\"$regex\":\"/chat/completions$\"}}", true},
        {"{\"metadata.empty\":{\"$regex\":\"^$\"}}", true},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_query, keys_reach_any_depth)
{
    static const struct row rows[] = {
        {"{\"url.pathname\":\"/v1/chat/completions\"}", true},
        {"{\"url.pathname\":\"/v1/embeddings\"}", false},
        {"{\"url.pathname\":{\"$ne\":\"/x\"}}", true},
        {"{\"params.messages.0.role\":\"system\"}", true},
        {"{\"params.messages.1.role\":\"system\"}", false},
        {"{\"params.messages.1.content.0.text\":\"hi\"}", true},
        {"{\"params.messages.2.role\":{\"$ne\":\"x\"}}", true},
        {"{\"params.messages.2.role\":\"user\"}", false},
        {"{\"params.messages.x\":\"user\"}", false},
        {"{\"params.messages.0.content\":\"be \\\"brief\\\"\"}", true},
        {"{\"params.metadata.k.deep.er\":\"x\"}", true},
        {"{\"params.metadata.k.deep\":\"x\"}", false},
        {"{\"params.metadata.k.deep.er.more\":\"x\"}", false},
        {"{\"params.metadata.x.y.z\":1}", true},
        {"{\"params.stop.1\":\"b\"}", true},
        {"{\"params.list.0\":\"b\"}", false},
        {"{\"params.mod\":\"esc\"}", true},
        {"{\"params.messages.18446744073709551615.role\":\"x\"}", false},
    };
    check(rows, COUNT_OF(rows));
}

Test(route_query, groups_nest_and_join_with_their_neighbours)
{
    static const struct row rows[] = {
        {"{}", true},
        {"{\"metadata.team\":\"red\",\"params.model\":\"x\"}", false},
        {"{\"metadata.team\":\"red\",\"params.max_tokens\":100}", true},
        {"{\"$and\":[{\"metadata.team\":\"red\"},{\"params.max_tokens\":100}]}", true},
        {"{\"$and\":[{\"metadata.team\":\"red\"},{\"params.max_tokens\":1}]}", false},
        {"{\"$or\":[{\"metadata.team\":\"x\"},{\"params.max_tokens\":100}]}", true},
        {"{\"$or\":[{\"metadata.team\":\"x\"},{\"params.max_tokens\":1}]}", false},
        {"{\"$or\":[{\"$and\":[{\"metadata.team\":\"red\"},{\"metadata._user\":\"bob\"}]},{\"$or\":"
         "[{\"params.stream\":true}]}]}",
         true},
        {"{\"$or\":[{\"$and\":[{\"metadata.team\":\"red\"},{\"metadata._user\":\"bob\"}]},{\"$or\":"
         "[{\"params.stream\":false}]}]}",
         false},
        {"{\"$and\":[{},{}]}", true},
    };
    check(rows, COUNT_OF(rows));
}

/* --- [BUG]s of section 2.2, ours right --- */

Test(route_query, bug_2_2_deeper_paths_are_not_cut_to_two)
{
    cr_expect(holds("{\"params.metadata.k.deep.er\":\"x\"}"));
    cr_expect_not(holds("{\"params.metadata.k\":\"x\"}"));
}

Test(route_query, bug_2_2_a_metadata_key_with_a_dot_is_reached)
{
    cr_expect(holds("{\"metadata.user.id\":\"u-1\"}"));
    cr_expect(holds("{\"metadata.a.b\":\"2\"}"), "the longer name first");
    cr_expect(holds("{\"metadata.a\":\"1\"}"));
}

Test(route_query, bug_2_2_siblings_of_or_and_and_are_evaluated)
{
    cr_expect_not(holds("{\"$or\":[{\"metadata.team\":\"red\"}],\"params.model\":\"other\"}"));
    cr_expect_not(holds("{\"$and\":[{\"metadata.team\":\"red\"}],\"params.model\":\"other\"}"));
    cr_expect_not(holds("{\"params.model\":\"other\",\"$or\":[{\"metadata.team\":\"red\"}]}"));
    cr_expect(holds("{\"$or\":[{\"metadata.team\":\"red\"}],\"params.model\":\"gpt-4o-mini\"}"));
    cr_expect_not(
        holds("{\"$or\":[{\"metadata.team\":\"red\"}],\"$and\":[{\"metadata.team\":\"blue\"}]}"));
}

Test(route_query, bug_2_2_operators_behind_regex_are_evaluated)
{
    cr_expect_not(holds("{\"params.model\":{\"$regex\":\"^gpt\",\"$ne\":\"gpt-4o-mini\"}}"));
    cr_expect_not(holds("{\"params.model\":{\"$ne\":\"gpt-4o-mini\",\"$regex\":\"^gpt\"}}"));
    cr_expect(holds("{\"params.model\":{\"$regex\":\"^gpt\",\"$ne\":\"gpt-4\"}}"));
}

/* --- what is missing, and what is too much --- */

Test(route_query, nothing_given_is_an_empty_object)
{
    struct route_inputs inputs = {STR_NONE, STR_NONE, STR("/v1/files")};
    enum status status;
    cr_expect_not(holds_in("{\"metadata.team\":\"red\"}", &inputs, &status));
    cr_expect_eq(status, ST_OK);
    cr_expect(holds_in("{\"params.model\":{\"$ne\":\"red\"}}", &inputs, &status));
    cr_expect(holds_in("{\"url.pathname\":\"/v1/files\"}", &inputs, &status));
}

Test(route_query, long_texts_end_without_an_answer)
{
    size_t n = 12u << 20;
    char *body = malloc(n + 64);
    cr_assert_not_null(body);
    size_t head = (size_t)snprintf(body, 64, "{\"model\":\"m\",\"text\":\"");
    memset(body + head, 'a', n);
    snprintf(body + head + n, 32, "\",\"last\":1}");
    struct route_inputs inputs = {STR_NONE, str_c(body), STR("/")};
    enum status status;
    cr_expect(holds_in("{\"params.model\":\"m\"}", &inputs, &status));
    cr_expect_eq(status, ST_OK, "what stands before is found");
    (void)holds_in("{\"params.last\":1}", &inputs, &status);
    cr_expect_eq(status, ST_TOO_LARGE);
    (void)holds_in("{\"params.text\":{\"$regex\":\"(a|b)*c\"}}", &inputs, &status);
    cr_expect_eq(status, ST_TOO_LARGE);
    free(body);
}

Test(route_query, many_patterns_share_one_bound)
{
    static char query[1 << 15], body[200000];
    size_t n = (size_t)snprintf(query, sizeof query, "{\"$or\":[");
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(query + n, sizeof query - n,
                              "%s{\"params.t\":{\"$regex\":\"(x+x+)+y%d\"}}", i > 0 ? "," : "", i);
    snprintf(query + n, sizeof query - n, "]}");
    size_t head = (size_t)snprintf(body, sizeof body, "{\"t\":\"");
    memset(body + head, 'x', 150000);
    snprintf(body + head + 150000, 8, "\"}");
    struct route_inputs inputs = {STR_NONE, str_c(body), STR("/")};
    enum status status;
    (void)holds_in(query, &inputs, &status);
    cr_expect_eq(status, ST_TOO_LARGE);
}
