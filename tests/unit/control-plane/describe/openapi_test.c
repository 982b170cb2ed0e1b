/* openapi_test.c: the document has every route once, with what routes.def says of it. */
#include "control-plane/api/fields.h"
#include "tests/unit/control-plane/api_fixture.h"

TestSuite(openapi, .init = api_fixture_open, .fini = api_fixture_close);

Test(openapi, every_route)
{
    static const char *const methods[] = {[HTTP_GET] = "get", [HTTP_POST] = "post", [HTTP_PUT] = "put", [HTTP_DELETE] = "delete"};
    size_t count, operations = 0;
    const struct route *routes = dispatch_routes(&count);
    struct answer got = api_call(STR_NONE, "GET", "/openapi.json", NULL);
    EXPECT_STATUS(got, 200);
    const struct json *paths = at(got.body, "paths");
    cr_assert_not_null(paths);
    for (size_t i = 0; i < count; i++) {
        char path[256];
        size_t n = 0;
        for (const char *c = routes[i].path; *c != '\0'; c++)
            if (*c != '*')
                path[n++] = *c;
        const struct json *operation = json_get(json_get_str(paths, str_of(path, n)), methods[routes[i].method]);
        cr_assert_not_null(operation, "%s %s", methods[routes[i].method], routes[i].path);
        struct str rest = str_c(routes[i].scope), scope, written;
        const struct json *scopes = json_get(operation, "x-sluice-scopes");
        for (size_t k = 0; rest.n > 0 && str_split(&rest, '|', &scope); k++) {
            OK(json_text(json_at(scopes, k), &fx.store.arena, &written));
            cr_expect(str_eq(written, scope), "%s: " STR_FMT, routes[i].path, STR_ARG(written));
        }
        cr_expect_eq(json_get(operation, "x-sluice-people")->count == 0, routes[i].people == PEOPLE_NOBODY, "%s", routes[i].path);
        cr_expect_eq(json_get(operation, "requestBody") == NULL, routes[i].fields->count == 0, "%s", routes[i].path);
    }
    for (const struct json *path = paths->first; path != NULL; path = path->next)
        operations += path->count;
    cr_expect_eq(operations, count, "nothing but routes");
}
