/* inspect_counters: one line a counter, and who holds what. */
#include "common/json_tree.h"
#include "control-plane/cli/inspect.h"
#include "tests/unit/control-plane/grants_fixture.h"

TestSuite(inspect_counters, .init = gf_open, .fini = gf_close, .timeout = 60);

/* The printed lines as one array. */
static const struct json *printed(const struct id *entity)
{
    static char text[1 << 20];
    struct json *root;
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text + 1, sizeof text - 2, "w");
    OK(inspect_counters(lf.f.kv, entity, out));
    fclose(out);
    size_t n = strlen(text + 1) + 1;
    text[0] = '[';
    for (size_t i = 1; i < n; i++)
        if (text[i] == '\n')
            text[i] = i + 1 < n ? ',' : ']';
    if (n == 1)
        text[n] = ']';
    OK(json_parse(&lf.f.arena, str_c(text), NULL, &root, NULL));
    return root;
}

static int64_t number(const struct json *object, const char *name)
{
    int64_t value;
    OK(json_i64(json_get(object, name), &value));
    return value;
}

static struct str text(const struct json *object, const char *name)
{
    struct str value;
    OK(json_text(json_get(object, name), &lf.f.arena, &value));
    return value;
}

Test(inspect_counters, lines_holders_and_what_is_gone)
{
    struct gf_node a = gf_node(1), b = gf_node(2);
    struct gf_row ra = {.ref = lf_ref(LIMIT_KEY, LIMIT_TOKENS, LIMIT_BUDGET)}, rb = ra;
    struct gf_row other = {.ref = lf_ref(LIMIT_INTEGRATION, LIMIT_REQUESTS, LIMIT_MINUTE)};
    cr_expect_eq(printed(&ID_NONE)->count, 0);
    lf_key("{\"type\":\"tokens\",\"credit_limit\":100}", NULL);
    lf_put((struct lf_entity){SLUICE__KIND__KIND_INTEGRATION,
                              .rates = "[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":7}]"});
    gf_ask(&a, &ra, 30, 30);
    gf_spend(&a, &ra, 10);
    gf_ask(&b, &rb, 5, 5);
    gf_ask(&b, &other, 2, 2);
    cr_expect_eq(printed(&ID_NONE)->count, 2);
    const struct json *of_key = printed(&lf.key);
    cr_assert_eq(of_key->count, 1);
    const struct json *line = of_key->first;
    cr_expect(str_eq(text(line, "level"), STR("api key")));
    cr_expect(str_eq(text(line, "measure"), STR("tokens")));
    cr_expect_eq(number(line, "limit"), 100);
    cr_expect_eq(number(line, "used"), 10);
    cr_expect_eq(number(line, "outstanding"), 25);
    cr_expect_eq(json_get(line, "holders")->count, 2);
    cr_expect_eq(number(json_get(line, "holders")->first, "rest"), 20);
    cr_expect(str_eq(text(json_get(line, "holders")->first, "state"), STR("held")));
    const struct json *of_integration = printed(&lf.integration);
    cr_assert_eq(of_integration->count, 1);
    cr_expect(str_eq(text(of_integration->first, "window"), STR("rpm")));

    lf_key("", NULL);
    line = printed(&lf.key)->first;
    cr_expect(json_is(json_get(line, "gone"), JSON_TRUE));
    cr_expect_eq(number(line, "used"), 10);
}
