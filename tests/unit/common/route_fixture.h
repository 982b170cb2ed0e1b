/* route_fixture.h: a document compiled and opened, for the tests of route_doc*.c. */
#ifndef SLUICE_TESTS_ROUTE_FIXTURE_H
#define SLUICE_TESTS_ROUTE_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "common/route_doc.h"
#include "common/route_plan.h"

static struct arena arena; /* of the last document */
static struct route_plan plan;
static struct str why;

static enum status compile_as(const char *document, unsigned flags)
{
    struct str bytes;
    arena_free(&arena);
    arena_init(&arena, 64u << 20);
    why = STR_NONE;
    enum status status = route_doc_compile(&arena, str_c(document), flags, &bytes, &why);
    if (status == ST_OK)
        cr_assert_eq(route_plan_open(bytes, &plan), ST_OK, "%s", document);
    return status;
}

static inline void compile(const char *document)
{
    cr_assert_eq(compile_as(document, 0), ST_OK, "%s: %.*s", document, STR_ARG(why));
}

static inline const struct route_node *node(size_t at)
{
    cr_assert_lt(at, plan.head->nodes);
    return &plan.nodes[at];
}

static inline bool is(struct route_ref ref, const char *text)
{
    return str_eq(route_str(&plan, ref), str_c(text));
}

#define EXPECT_TEXT(ref, text)                                                                     \
    cr_expect(is((ref), (text)), "%.*s, not %s", STR_ARG(route_str(&plan, (ref))), (text))

#endif
