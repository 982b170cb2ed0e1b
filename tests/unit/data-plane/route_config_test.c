#include "data-plane/route_config.h"

#include <criterion/criterion.h>

static const struct {
    const char *document, *provider, *model, *index, *why;
} rows[] = {
    {"{\"provider\":\"@openai-prod\"}", "openai-prod", "", "config", NULL},
    {"{\"virtual_key\":\"openai-prod\"}", "openai-prod", "", "config", NULL},
    {"{\"strategy\":{\"mode\":\"single\"},\"targets\":[{\"provider\":\"@openai-prod\",\"override_params\":{\"model\":\"gpt-4o\"}}]}",
     "openai-prod", "gpt-4o", "config.targets[0]", NULL},
    {"{\"strategy\":{\"mode\":\"single\"},\"targets\":[{\"virtual_key\":\"openai-prod\"}]}", "openai-prod", "", "config.targets[0]", NULL},
    {"{\"override_params\":{\"model\":\"@a/b/c:d\"}}", "", "@a/b/c:d", "config", NULL},
    {"{\"provider\":\"x\",\"targets\":[{\"override_params\":{\"model\":\"m\"}}]}", "x", "m", "config.targets[0]", NULL},
    {"{}", "", "", "config", NULL},
    {"{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[{}]}", NULL, NULL, NULL, "config.strategy.mode"},
    {"{\"targets\":[]}", NULL, NULL, NULL, "config.targets"},
    {"{\"targets\":[{\"targets\":[{}]}]}", NULL, NULL, NULL, "config.targets[0].targets"},
    {"{\"input_guardrails\":[{\"default.contains\":{}}]}", NULL, NULL, NULL, "config.input_guardrails"},
    {"{\"provider\":7}", NULL, NULL, NULL, "config.provider"},
    {"{\"provider\":\"\"}", NULL, NULL, NULL, "config.provider"},
    {"{\"override_params\":[]}", NULL, NULL, NULL, "config.override_params"},
    {"[]", NULL, NULL, NULL, "config: not a valid"},
    {"{", NULL, NULL, NULL, "config: not a valid"},
};

Test(route_config, reads_leaves_and_refuses_by_path)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena arena;
        struct route_leaf leaf;
        struct str why = STR_NONE;
        arena_init(&arena, 1 << 20);
        enum status status = route_config_read(&arena, str_c(rows[i].document), &leaf, &why);
        if (rows[i].why != NULL) {
            cr_expect_eq(status, ST_INVALID, "row %zu", i);
            cr_expect(str_starts(why, str_c(rows[i].why)), "row %zu: %.*s", i, STR_ARG(why));
        } else {
            cr_assert_eq(status, ST_OK, "row %zu: %.*s", i, STR_ARG(why));
            cr_expect(str_eq(leaf.provider, str_c(rows[i].provider)), "row %zu", i);
            cr_expect(str_eq(leaf.model, str_c(rows[i].model)), "row %zu", i);
            cr_expect(str_eq(leaf.index, str_c(rows[i].index)), "row %zu", i);
        }
        arena_free(&arena);
    }
}
