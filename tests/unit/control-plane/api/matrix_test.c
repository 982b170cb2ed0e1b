/* matrix_test.c: who may what, generated from routes.def: every route x kind of key x own or other workspace x own or other
 * organisation. What a cell must be follows from the row alone, so a new route is covered by being one.
 */
#include "control-plane/auth/auth.h"
#include "control-plane/auth/scopes.h"
#include "tests/unit/control-plane/api_fixture.h"

TestSuite(matrix, .init = api_fixture_open, .fini = api_fixture_close);

/* The row's path with `workspace` for {workspace} and an id that nobody has for the rest. */
static const char *fill(const struct route *route, struct str workspace)
{
    struct buf out;
    struct str rest = str_c(route->path), part;
    buf_init(&out, 1024);
    (void)str_split(&rest, '/', &part);
    while (str_split(&rest, '/', &part)) {
        buf_add_char(&out, '/');
        if (part.p[0] != '{')
            buf_add_str(&out, part);
        else if (str_eq(part, STR("{workspace}")))
            buf_add_str(&out, workspace);
        else if (str_eq(part, STR("{type}")))
            buf_add_lit(&out, "workspace");
        else if (str_eq(part, STR("{subtype}")))
            buf_add_lit(&out, "service");
        else
            buf_add_lit(&out, "00000000-0000-7000-8000-000000000000");
    }
    buf_add_lit(&out, "?workspace_id=");
    buf_add_str(&out, workspace);
    const char *text = arena_cstr(&fx.store.arena, buf_str(&out));
    buf_free(&out);
    return text;
}

static struct str id_text(const struct id *id)
{
    char text[ID_TEXT + 1];
    id_to_text(id, text);
    return arena_str(&fx.store.arena, str_c(text));
}

/* True if a key of this kind with all its scopes holds one of the route's. */
static bool kind_holds(Sluice__ApiKeyType type, const struct route *route)
{
    struct str rest = str_c(route->scope), scope;
    if (rest.n == 0)
        return true;
    while (str_split(&rest, '|', &scope))
        if (scope_fits(type, scope))
            return true;
    return false;
}

static bool names_workspace(const struct route *route)
{
    return strstr(route->path, "{workspace}") != NULL;
}

Test(matrix, every_cell)
{
    size_t count, cells = 0;
    const struct route *routes = dispatch_routes(&count);
    const struct {
        const char *name;
        struct str key;
        Sluice__ApiKeyType type;
        bool other_workspace, other_org;
    } callers[] = {
        {"nobody", STR_NONE, 0, false, false},
        {"unknown key", STR("slk_unknown"), 0, false, false},
        {"org key", ADMIN, SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE, false, false},
        {"workspace key", WORKSPACE, SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE, false, false},
        {"other workspace's key", fx.other_key, SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE, true, false},
        {"other org's org key", fx.org[1].org_key, SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE, true, true},
        {"other org's workspace key", fx.org[1].workspace_key, SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE, true, true},
    };
    struct str own = id_text(&fx.org[0].workspace);
    for (size_t r = 0; r < count; r++) {
        const struct route *route = &routes[r];
        const char *target = fill(route, own);
        for (size_t c = 0; c < COUNT_OF(callers); c++) {
            if (route->method == HTTP_DELETE && names_workspace(route) && callers[c].type != 0 && !callers[c].other_org &&
                strstr(route->path, "users") == NULL)
                continue; /* would delete the workspace under test */
            struct answer got = api_call(callers[c].key, http_method_text(route->method), target, "{}");
            bool org_kind = callers[c].type == SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE;
            bool admitted = ((unsigned)route->who & (org_kind ? ROUTE_ORG : ROUTE_WS)) != 0;
            cells++;
            if (route->who == ROUTE_ANYONE)
                cr_expect_eq(got.status, 200, "%s %s as %s: %d", http_method_text(route->method), target, callers[c].name, got.status);
            else if (callers[c].type == 0)
                cr_expect_eq(got.status, 401, "%s %s as %s: %d", http_method_text(route->method), target, callers[c].name, got.status);
            else if (!admitted || !kind_holds(callers[c].type, route))
                cr_expect_eq(got.status, 403, "%s %s as %s: %d", http_method_text(route->method), target, callers[c].name, got.status);
            else if (callers[c].other_workspace && names_workspace(route))
                cr_expect(got.status == (org_kind ? 404 : 403), "%s %s as %s: %d", http_method_text(route->method), target, callers[c].name, got.status);
            else if (callers[c].other_workspace && got.body != NULL)
                cr_expect(str_find(got.text, STR("Acme")) < 0 && str_find(got.text, own) < 0, "%s %s as %s tells of another tenant: %.*s",
                          http_method_text(route->method), target, callers[c].name, STR_ARG(got.text));
            else
                cr_expect(got.status != 401 && (got.status != 403), "%s %s as %s: %d", http_method_text(route->method), target,
                          callers[c].name, got.status);
            cr_expect(got.status < 500, "%s %s as %s: %d %.*s", http_method_text(route->method), target, callers[c].name, got.status, STR_ARG(got.text));
        }
    }
    cr_expect_geq(cells, count * 6);
}

/* A key whose scopes were all taken away may do nothing that needs one. */
Test(matrix, a_key_without_scopes_may_nothing)
{
    size_t count;
    const struct route *routes = dispatch_routes(&count);
    struct answer made = api_call(ADMIN, "POST", "/v1/api-keys/organisation/service", "{\"name\":\"bare\",\"scopes\":[]}");
    EXPECT_STATUS(made, 200);
    struct str bare = text_at(made.body, "key");
    for (size_t r = 0; r < count; r++) {
        if (routes[r].who == ROUTE_ANYONE)
            continue;
        struct answer got = api_call(bare, http_method_text(routes[r].method), fill(&routes[r], STR("default")), "{}");
        cr_expect_eq(got.status, 403, "%s %s: %d", http_method_text(routes[r].method), routes[r].path, got.status);
    }
}

/* Every scope that a route names exists. */
Test(matrix, routes_name_scopes_that_exist)
{
    size_t count;
    const struct route *routes = dispatch_routes(&count);
    for (size_t r = 0; r < count; r++) {
        struct str rest = str_c(routes[r].scope), scope;
        if (routes[r].who == ROUTE_ANYONE || rest.n == 0)
            continue;
        while (str_split(&rest, '|', &scope))
            cr_expect(scope_fits(SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE, scope) ||
                          scope_fits(SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE, scope),
                      "%s: unknown scope %.*s", routes[r].path, STR_ARG(scope));
    }
}
