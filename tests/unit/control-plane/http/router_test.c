/* router_test.c: paths as a table against a small route table. */
#include "control-plane/http/router.h"

#include <criterion/criterion.h>

static const struct route routes[] = {
    {HTTP_GET, "/healthz", "", ROUTE_ANYONE, 0, NULL, NULL, false, ""},
    {HTTP_GET, "/v1/users/invites", "", ROUTE_KEY, 0, NULL, NULL, false, ""},
    {HTTP_GET, "/v1/users/{user}", "", ROUTE_KEY, 0, NULL, NULL, false, ""},
    {HTTP_PUT, "/v1/users/{user}", "", ROUTE_KEY, 0, NULL, NULL, false, ""},
    {HTTP_GET, "/v1/providers", "", ROUTE_KEY, 0, NULL, NULL, false, ""},
    {HTTP_POST, "/v1/providers", "", ROUTE_KEY, 0, NULL, NULL, false, ""},
    {HTTP_GET, "/v1/models/{model*}", "", ROUTE_KEY, 0, NULL, NULL, false, ""},
    {HTTP_DELETE, "/v1/a/{x}/b/{y}", "", ROUTE_KEY, 0, NULL, NULL, false, ""},
};

static const struct {
    enum http_method method;
    const char *path;
    enum status want;
    int row;
    const char *params[2];
} cases[] = {
    {HTTP_GET, "/healthz", ST_OK, 0, {NULL}},
    {HTTP_HEAD, "/healthz", ST_OK, 0, {NULL}},
    {HTTP_GET, "/v1/users/invites", ST_OK, 1, {NULL}},
    {HTTP_GET, "/v1/users/u1", ST_OK, 2, {"u1"}},
    {HTTP_GET, "/v1/users/u%201", ST_OK, 2, {"u 1"}},
    {HTTP_PUT, "/v1/users/invites", ST_OK, 3, {"invites"}},
    {HTTP_GET, "/v1/providers", ST_OK, 4, {NULL}},
    {HTTP_GET, "/v1/providers/", ST_OK, 4, {NULL}},
    {HTTP_GET, "/v2/providers", ST_OK, 4, {NULL}},
    {HTTP_GET, "/v2/users/u1/", ST_OK, 2, {"u1"}},
    {HTTP_GET, "/v1/models/@openai/gpt-4o", ST_OK, 6, {"@openai/gpt-4o"}},
    {HTTP_GET, "/v1/models/%40openai%2Fgpt-4o", ST_OK, 6, {"@openai/gpt-4o"}},
    {HTTP_DELETE, "/v1/a/1/b/2", ST_OK, 7, {"1", "2"}},
    {HTTP_DELETE, "/v1/a//b/2", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_DELETE, "/v1/a/1/b", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_DELETE, "/v1/a/1/b/2/3", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_GET, "/v1/users/u1//", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_GET, "/v1/models/", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_GET, "/v3/providers", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_GET, "/v2/healthz", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_GET, "/", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_GET, "", ST_NO_ROUTE, -1, {NULL}},
    {HTTP_DELETE, "/v1/providers", ST_METHOD, -1, {NULL}},
    {HTTP_GET, "/v1/users/a%2", ST_INVALID, -1, {NULL}},
};

Test(router, finds_each)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        arena_init(&arena, 1u << 16);
        struct route_match match;
        enum status got = router_find(routes, COUNT_OF(routes), cases[i].method, str_c(cases[i].path), &arena, &match);
        cr_expect_eq(got, cases[i].want, "%s: %s", cases[i].path, status_row(got)->name);
        if (got == ST_OK) {
            cr_expect_eq(match.route - routes, cases[i].row, "%s: row %td", cases[i].path, match.route - routes);
            for (size_t k = 0; k < 2 && cases[i].params[k] != NULL; k++)
                cr_expect(str_eq(match.params[k], str_c(cases[i].params[k])), "%s: param %zu", cases[i].path, k);
        }
        arena_free(&arena);
    }
}

Test(router, a_wrong_method_names_the_right_ones)
{
    struct arena arena;
    arena_init(&arena, 1u << 16);
    struct route_match match;
    cr_assert_eq(router_find(routes, COUNT_OF(routes), HTTP_DELETE, STR("/v1/providers"), &arena, &match), ST_METHOD);
    cr_expect_str_eq(match.allow, "GET, POST");
    arena_free(&arena);
}
