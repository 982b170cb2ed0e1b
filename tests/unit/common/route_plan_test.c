/* route_plan_test.c: a damaged plan is refused or read without a wild step (the sanitizers look
 * on). */
#include "common/route_plan.h"

#include <criterion/criterion.h>

#include "common/route_doc.h"
#include "common/route_query.h"

static const char document[] =
    "{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[{\"query\":{\"metadata.a\":{\"$in\":["
    "\"x\",\"y\"]},\"$or\":[{\"params.model\":{\"$regex\":\"^g(a|b)+\"}},"
    "{\"params.n\":{\"$gt\":1}}]},\"then\":\"one\"}],\"default\":\"two\"},\"targets\":[{\"name\":"
    "\"one\",\"strategy\":{\"mode\":\"fallback\"},\"targets\":[{\"provider\":\"a\"},"
    "{\"provider\":\"b\"}]},{\"name\":\"two\",\"override_params\":{\"model\":\"m\"},\"forward_"
    "headers\":[\"x-a\"]}]}";

/* Reads everything there is. */
static uint64_t read_all(const struct route_plan *plan)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < plan->head->nodes; i++) {
        const struct route_node *node = &plan->nodes[i];
        const struct route_ref refs[] = {node->path,
                                         node->name,
                                         node->provider,
                                         node->model,
                                         node->options,
                                         node->set.override_params,
                                         node->set.custom_host,
                                         node->set.forward_headers};
        for (size_t k = 0; k < COUNT_OF(refs); k++) {
            struct str text = route_str(plan, refs[k]);
            for (size_t c = 0; c < text.n; c++)
                sum += (unsigned char)text.p[c];
        }
        for (size_t k = 0; k < node->conditions; k++)
            sum += plan->nodes[plan->conditions[node->first_condition + k].node].mode;
        for (size_t k = 0; k < node->count; k++)
            sum += plan->nodes[node->first + k].depth;
        if (node->otherwise != ROUTE_NONE)
            sum += plan->nodes[node->otherwise].mode;
    }
    struct route_inputs inputs = {STR("{\"a\":\"x\"}"), STR("{\"model\":\"gabba\",\"n\":7}"),
                                  STR("/")};
    for (size_t i = 0; i < plan->head->conditions; i++) {
        struct arena arena;
        struct route_query query;
        bool holds;
        arena_init(&arena, 1 << 16);
        route_query_init(&query, plan, &arena, &inputs);
        if (route_query_holds(&query, plan->conditions[i].term, &holds) == ST_OK)
            sum += holds;
        arena_free(&arena);
    }
    return sum;
}

static struct str make(struct arena *arena)
{
    struct str bytes, why;
    arena_init(arena, 1 << 20);
    cr_assert_eq(route_doc_compile(arena, STR(document), 0, &bytes, &why), ST_OK, "%.*s",
                 STR_ARG(why));
    return bytes;
}

Test(route_plan, opens_what_was_compiled)
{
    struct arena arena;
    struct route_plan plan;
    struct str bytes = make(&arena);
    cr_assert_eq(route_plan_open(bytes, &plan), ST_OK);
    cr_expect_eq(plan.head->nodes, 5);
    cr_expect_gt(read_all(&plan), 0);
    arena_free(&arena);
}

Test(route_plan, is_the_same_for_the_same_document)
{
    struct arena a, b;
    struct str first = make(&a), second = make(&b);
    cr_expect(str_eq(first, second), "no byte of it is left to chance");
    arena_free(&a);
    arena_free(&b);
}

Test(route_plan, any_cut_is_refused)
{
    struct arena arena;
    struct route_plan plan;
    struct str bytes = make(&arena);
    for (size_t n = 0; n < bytes.n; n++)
        cr_assert_eq(route_plan_open(str_head(bytes, n), &plan), ST_BAD_FORMAT);
    cr_assert_eq(route_plan_open(str_of(bytes.p + 4, bytes.n - 4), &plan), ST_BAD_FORMAT,
                 "not aligned");
    arena_free(&arena);
}

Test(route_plan, any_damaged_byte_is_refused_or_harmless)
{
    static const unsigned char values[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    struct arena arena;
    struct str bytes = make(&arena);
    size_t refused = 0;
    char *copy = arena_alloc(&arena, bytes.n);
    cr_assert_not_null(copy);
    for (size_t at = 0; at < bytes.n; at++)
        for (size_t v = 0; v < COUNT_OF(values); v++) {
            struct route_plan plan;
            memcpy(copy, bytes.p, bytes.n);
            copy[at] = (char)values[v];
            if (route_plan_open(str_of(copy, bytes.n), &plan) == ST_OK)
                (void)read_all(&plan);
            else
                refused++;
        }
    cr_expect_gt(refused, 500);
    arena_free(&arena);
}

Test(route_plan, many_damaged_bytes_are_refused_or_harmless)
{
    struct arena arena;
    struct str bytes = make(&arena);
    uint32_t dice = 11;
    char *copy = arena_alloc(&arena, bytes.n);
    cr_assert_not_null(copy);
    for (int round = 0; round < 20000; round++) {
        struct route_plan plan;
        memcpy(copy, bytes.p, bytes.n);
        for (int i = 0; i < 4; i++) {
            dice = dice * 1664525u + 1013904223u;
            copy[dice % bytes.n] = (char)(dice >> 24);
        }
        if (route_plan_open(str_of(copy, bytes.n), &plan) == ST_OK)
            (void)read_all(&plan);
    }
    arena_free(&arena);
}
