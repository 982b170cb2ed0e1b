/* route_doc_query_test.c: what a condition may not say, by path, and how much. */
#include "tests/unit/common/route_fixture.h"

static enum status compile_query(const char *query)
{
    static char document[(1 << 20) + 200];
    snprintf(document, sizeof document,
             "{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[{\"query\":%s,\"then\":\"t\"}"
             "]},\"targets\":[{\"name\":\"t\"}]}",
             query);
    return compile_as(document, 0);
}

Test(route_doc_query, conditions_are_refused_with_their_path)
{
    static const struct {
        const char *query, *why; /* behind config.strategy.conditions[0].query */
    } rows[] = {
        {"{\"team\":\"x\"}", ".team: a key begins with metadata., params. or url."},
        {"{\"metadata.\":\"x\"}", ".metadata.: a key begins with"},
        {"{\"headers.x\":\"x\"}", ".headers.x: a key begins with"},
        {"{\"url.host\":\"x\"}", ".url.host: of the url only url.pathname"},
        {"{\"$not\":{}}", ".$not: is no operator"},
        {"{\"metadata.a\":{\"$like\":\"x\"}}", ".metadata.a.$like: is no operator"},
        {"{\"metadata.a\":{\"b\":\"x\"}}", ".metadata.a.b: is no operator"},
        {"{\"metadata.a\":{}}", ".metadata.a: must hold an operator"},
        {"{\"metadata.a\":[\"x\"]}", ".metadata.a: must be a string, number, true, false or null"},
        {"{\"metadata.a\":{\"$eq\":{}}}", ".metadata.a.$eq: must be a string, number"},
        {"{\"metadata.a\":{\"$gt\":\"x\"}}", ".metadata.a.$gt: must be a number"},
        {"{\"metadata.a\":{\"$lte\":true}}", ".metadata.a.$lte: must be a number"},
        {"{\"metadata.a\":{\"$in\":\"x\"}}", ".metadata.a.$in: must be an array"},
        {"{\"metadata.a\":{\"$nin\":[\"x\",[]]}}", ".metadata.a.$nin[1]: must be a string, number"},
        {"{\"metadata.a\":{\"$regex\":7}}", ".metadata.a.$regex: must be a string"},
        {"{\"metadata.a\":{\"$regex\":\"a(b\"}}",
         ".metadata.a.$regex: unmatched (, at byte 1 of the pattern"},
        {"{\"metadata.a\":{\"$regex\":\"(?=x)\"}}",
         ".metadata.a.$regex: look-around is not supported"},
        {"{\"$and\":{}}", ".$and: must be an array of queries that is not empty"},
        {"{\"$or\":[]}", ".$or: must be an array of queries"},
        {"{\"$or\":[{},{\"$and\":[7]}]}", ".$or[1].$and[0]: must be an object"},
        {"{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{}]}]}]}]}]}]}]}",
         ".$or[0].$or[0].$or[0].$or[0].$or[0].$or[0].$or[0]: is nested too deeply"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str start = STR("config.strategy.conditions[0].query");
        cr_expect_eq(compile_query(rows[i].query), ST_INVALID, "%s", rows[i].query);
        cr_expect(str_starts(why, start) && str_starts(str_from(why, start.n), str_c(rows[i].why)),
                  "%s: %.*s", rows[i].query, STR_ARG(why));
    }
    cr_expect_eq(compile_query("{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"$or\":[{\"url."
                               "pathname\":\"/\"}]}]}]}]}]}]}"),
                 ST_OK);
}

static char big[1 << 20];

Test(route_doc_query, conditions_and_keys_are_bounded)
{
    size_t n = (size_t)snprintf(big, sizeof big, "{\"metadata.a\":0");
    for (int i = 1; i <= ROUTE_PATHS_MAX; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",\"metadata.k%d\":0", i);
    snprintf(big + n, sizeof big - n, "}");
    cr_expect_eq(compile_query(big), ST_INVALID);
    cr_expect(str_find(why, STR("more than 64 different keys")) > 0, "%.*s", STR_ARG(why));
    n = (size_t)snprintf(big, sizeof big, "{\"metadata.a\":{\"$in\":[0");
    for (int i = 1; i <= ROUTE_TERMS_MAX; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",%d", i);
    snprintf(big + n, sizeof big - n, "]}}");
    cr_expect_eq(compile_query(big), ST_INVALID);
    cr_expect(str_starts(why, STR("config: is too large")), "%.*s", STR_ARG(why));
}
