/* route_strategy_test.c: modes, targets and conditionals as they are laid out, and their refusals.
 */
#include "tests/unit/common/route_fixture.h"

Test(route_strategy, levels_stand_breadth_first)
{
    compile("{\"strategy\":{\"mode\":\"loadbalance\"},\"targets\":["
            "{\"weight\":0.7,\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":[429]},"
            "\"targets\":[{\"provider\":\"a\"},{\"provider\":\"b\"}]},"
            "{\"weight\":0.3,\"provider\":\"c\"},{\"provider\":\"d\"},{\"weight\":0,\"provider\":"
            "\"e\"},{\"weight\":0.0000001,\"provider\":\"f\"}]}");
    cr_assert_eq(plan.head->nodes, 8);
    cr_expect_eq(node(0)->mode, ROUTE_LOADBALANCE);
    cr_expect_eq(node(1)->weight, 700000);
    cr_expect_eq(node(2)->weight, 300000);
    cr_expect_eq(node(3)->weight, ROUTE_WEIGHT_ONE);
    cr_expect_eq(node(4)->weight, 0);
    cr_expect_eq(node(5)->weight, 1, "what is given is never rounded to never");
    cr_expect_eq(node(1)->mode, ROUTE_FALLBACK);
    cr_expect_eq(node(1)->first, 6);
    cr_expect_eq(node(6)->parent, 1);
    cr_expect_eq(node(7)->depth, 2);
    EXPECT_TEXT(node(7)->path, "config.targets[0].targets[1]");
    EXPECT_TEXT(node(7)->provider, "b");
    cr_expect(route_codes_has(&node(1)->fallback_codes, 429) &&
              (node(1)->flags & ROUTE_HAS_CODES) != 0);
    cr_expect_eq(node(0)->flags, 0);
}

Test(route_strategy, statuses_are_a_set)
{
    compile("{\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":[100,163,164,599,429,429]},"
            "\"targets\":[{}]}");
    const struct route_codes *codes = &node(0)->fallback_codes;
    for (int code = 0; code < 1200; code++) {
        bool in = code == 100 || code == 163 || code == 164 || code == 599 || code == 429;
        cr_expect_eq(route_codes_has(codes, code), in, "%d", code);
    }
    cr_expect_not(route_codes_has(codes, -5));
    compile("{\"strategy\":{\"mode\":\"fallback\",\"on_status_codes\":[]},\"targets\":[{}]}");
    cr_expect(node(0)->flags & ROUTE_HAS_CODES, "an empty list is a list");
}

Test(route_strategy, conditions_lead_to_targets_by_name)
{
    compile("{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[{\"query\":{\"metadata.a\":"
            "\"x\"},\"then\":\"two\"},"
            "{\"query\":{\"params.model\":{\"$regex\":\"^g\"},\"metadata.a\":{\"$in\":[\"p\",\"q\"]"
            "}},\"then\":\"one\"}],\"default\":\"three\"},"
            "\"targets\":[{\"name\":\"one\"},{\"name\":\"two\"},{\"name\":\"three\"}]}");
    cr_expect_eq(node(0)->conditions, 2);
    cr_expect_eq(plan.conditions[0].node, 2);
    cr_expect_eq(plan.conditions[1].node, 1);
    cr_expect_eq(node(0)->otherwise, 3);
    cr_expect_eq(plan.head->paths, 2, "metadata.a is kept once");
    cr_expect_gt(plan.head->words, 0);
}

Test(route_strategy, conditionals_are_refused_with_their_path)
{
    static const struct {
        const char *strategy, *why;
    } rows[] = {
        {"\"mode\":\"conditional\"", "config.strategy.conditions: must be an array of 1 to 256"},
        {"\"mode\":\"conditional\",\"conditions\":[],\"default\":\"a\"",
         "config.strategy.conditions: must be an array"},
        {"\"mode\":\"conditional\",\"conditions\":[7]",
         "config.strategy.conditions[0]: must be an object"},
        {"\"mode\":\"conditional\",\"conditions\":[{\"then\":\"a\"}]",
         "config.strategy.conditions[0].query: must be an object"},
        {"\"mode\":\"conditional\",\"conditions\":[{\"query\":{}}]",
         "config.strategy.conditions[0].then: must be the name of a target"},
        {"\"mode\":\"conditional\",\"conditions\":[{\"query\":{},\"then\":\"z\"}]",
         "config.strategy.conditions[0].then: no target of this level has the name \"z\""},
        {"\"mode\":\"conditional\",\"conditions\":[{\"query\":{},\"then\":\"a\"}],\"default\":"
         "\"z\"",
         "config.strategy.default: no target of this level"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char document[512];
        snprintf(document, sizeof document,
                 "{\"strategy\":{%s},\"targets\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
                 rows[i].strategy);
        cr_expect_eq(compile_as(document, 0), ST_INVALID, "%s", document);
        cr_expect(str_starts(why, str_c(rows[i].why)), "%s: %.*s", document, STR_ARG(why));
    }
    cr_expect_eq(compile_as("{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[{\"query\":{},"
                            "\"then\":\"a\"}]},\"targets\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
                            0),
                 ST_INVALID);
    cr_expect(str_starts(why, STR("config.targets: two targets")), "%.*s", STR_ARG(why));
}

static char big[1 << 20];

Test(route_strategy, depth_and_counts_are_bounded)
{
    size_t n = 0;
    for (int i = 0; i < ROUTE_DEPTH_MAX + 1; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, "{\"targets\":[");
    n += (size_t)snprintf(big + n, sizeof big - n, "{}");
    for (int i = 0; i < ROUTE_DEPTH_MAX + 1; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, "]}");
    cr_expect_eq(compile_as(big, 0), ST_INVALID);
    cr_expect(str_find(why, STR("nested too deeply")) > 0, "%.*s", STR_ARG(why));
    n = (size_t)snprintf(big, sizeof big,
                         "{\"strategy\":{\"mode\":\"loadbalance\"},\"targets\":[{}");
    for (int i = 1; i < ROUTE_NODES_MAX - 1; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, ",{}");
    snprintf(big + n, sizeof big - n, "]}");
    compile(big);
    cr_expect_eq(plan.head->nodes, ROUTE_NODES_MAX);
    snprintf(big + n, sizeof big - n, ",{}]}");
    cr_expect_eq(compile_as(big, 0), ST_INVALID);
    cr_expect(str_starts(why, STR("config.targets: are too many")), "%.*s", STR_ARG(why));
}
