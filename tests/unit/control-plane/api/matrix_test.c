/* matrix_test.c: who may what, generated from routes.def: every route x kind of key or role x own
 * or other workspace x own or other organisation. What a cell must be follows from the row alone,
 * so a new route is covered by being one. Bodies are empty or wrong, so that who is admitted
 * changes nothing.
 */
#include "control-plane/auth/auth.h"
#include "control-plane/auth/scopes.h"
#include "tests/unit/control-plane/api_fixture.h"

enum {
    OWNER,
    ADMIN_USER,
    WS_ADMIN,
    WS_MANAGER,
    WS_MEMBER,
    STRAY,
    OTHER_WS_ADMIN,
    OTHER_OWNER,
    PERSON_COUNT
};

static struct fixture_person people[PERSON_COUNT];
static struct str user_keys[3]; /* of WS_ADMIN, WS_MANAGER, WS_MEMBER */

#define ORG_KEY     SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE
#define SERVICE_KEY SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE
#define USER_KEY    SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER

/* All scopes that a workspace-user key may hold, as JSON. */
static struct str all_user_scopes(void)
{
    struct buf out;
    struct str scope;
    buf_init(&out, 1u << 16);
    for (size_t i = 0; scope_at(i, &scope); i++)
        if (scope_fits(USER_KEY, scope))
            buf_printf(&out, "%s\"%.*s\"", out.n == 0 ? "" : ",", STR_ARG(scope));
    struct str text = arena_str(&fx.store.arena, buf_str(&out));
    buf_free(&out);
    return text;
}

static void begin(void)
{
    api_fixture_open();
    const struct id *org = &fx.org[0].org, *own = &fx.org[0].workspace;
    const struct fixture_person made[PERSON_COUNT] = {
        [OWNER] = {.org = org, .email = "owner@example.com", .org_role = USER_ROLE_OWNER},
        [ADMIN_USER] = {.org = org, .email = "boss@example.com", .org_role = USER_ROLE_ADMIN},
        [WS_ADMIN] = {.org = org, .workspace = own, .email = "wa@example.com", .org_role = USER_ROLE_MEMBER, .role = MEMBER_ROLE_ADMIN},
        [WS_MANAGER] = {.org = org, .workspace = own, .email = "wm@example.com", .org_role = USER_ROLE_MEMBER, .role = MEMBER_ROLE_MANAGER},
        [WS_MEMBER] = {.org = org, .workspace = own, .email = "m@example.com", .org_role = USER_ROLE_MEMBER, .role = MEMBER_ROLE_MEMBER},
        [STRAY] = {.org = org, .email = "stray@example.com", .org_role = USER_ROLE_MEMBER},
        [OTHER_WS_ADMIN] = {.org = org, .workspace = &fx.other_workspace, .email = "owa@example.com",
                            .org_role = USER_ROLE_MEMBER, .role = MEMBER_ROLE_ADMIN},
        [OTHER_OWNER] = {.org = &fx.org[1].org, .email = "owner@example.com", .org_role = USER_ROLE_OWNER},
    };
    for (size_t i = 0; i < PERSON_COUNT; i++) {
        people[i] = made[i];
        api_fixture_add(&people[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        struct answer key = api_call(
            ADMIN, "POST", "/v1/api-keys/workspace/user",
            TARGET(
                "{\"name\":\"k\",\"workspace_id\":\"default\",\"user_id\":\"%s\",\"scopes\":[%s]}",
                people[WS_ADMIN + i].email, all_user_scopes().p));
        EXPECT_STATUS(key, 200);
        user_keys[i] = text_at(key.body, "key");
    }
}

TestSuite(matrix, .init = begin, .fini = api_fixture_close);

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
            buf_add_lit(&out, "user");
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

struct caller {
    const char *name;
    struct str key;
    Sluice__ApiKeyType type;       /* of `key`; 0 and no person: nobody */
    struct fixture_person *person; /* with a session */
    unsigned roles;                /* of the person in the workspace that the request names */
    bool other_workspace, other_org;
};

/* What one cell must be: 401, 403, 404, or 0 for "admitted": then anything but those of a refusal.
 */
static int wanted(const struct route *route, const struct caller *caller)
{
    bool org_key = caller->type == ORG_KEY;
    if (route->who == ROUTE_ANYONE)
        return 0;
    if (caller->type == 0 && caller->person == NULL)
        return 401;
    if (caller->person != NULL && (route->people & PEOPLE_SIGNED_IN) != 0 &&
        !names_workspace(route))
        return caller->other_workspace && !caller->other_org ? 403 : 0;
    if (caller->person != NULL && caller->other_workspace && !caller->other_org)
        return 403; /* a person who names a workspace that is not theirs is refused before anything
                       else */
    if (caller->roles != 0 && (route->people & caller->roles) == 0)
        return 403;
    if (caller->person == NULL && (((unsigned)route->who & (org_key ? ROUTE_ORG : ROUTE_WS)) == 0 ||
                                   !kind_holds(caller->type, route)))
        return 403;
    if (caller->other_workspace && names_workspace(route))
        return org_key || caller->other_org ? (caller->type == SERVICE_KEY ? 403 : 404) : 403;
    return 0;
}

static void check(const struct route *route, const struct caller *caller, const char *target,
                  struct str own)
{
    const char *method = http_method_text(route->method);
    const char *body = route->method == HTTP_DELETE && names_workspace(route)
                           ? "{\"name\":\"no such name\"}"
                           : "{}";
    struct answer got = caller->person != NULL
                            ? api_call_session(&caller->person->ticket, method, target, body)
                            : api_call(caller->key, method, target, body);
    int want = wanted(route, caller);
    if (want != 0)
        cr_expect_eq(got.status, want, "%s %s as %s: %d, not %d: %.*s", method, target,
                     caller->name, got.status, want, STR_ARG(got.text));
    else if (route->who == ROUTE_ANYONE)
        cr_expect(got.status == 200 || got.status == 400 || got.status == 415, "%s %s as %s: %d",
                  method, target, caller->name, got.status);
    else if (caller->other_workspace)
        cr_expect(str_find(got.text, STR("Acme")) < 0 && str_find(got.text, own) < 0,
                  "%s %s as %s tells of another tenant: %.*s", method, target, caller->name,
                  STR_ARG(got.text));
    else
        cr_expect(got.status != 401 && got.status != 403, "%s %s as %s: %d %.*s", method, target,
                  caller->name, got.status, STR_ARG(got.text));
    cr_expect(got.status < 500, "%s %s as %s: %d %.*s", method, target, caller->name, got.status,
              STR_ARG(got.text));
    if (caller->person != NULL && route->method == HTTP_DELETE &&
        strstr(route->path, "console") != NULL)
        OK(writer_run(fx.store.writer, &(struct write_actor){.type = "cli"}, &fx.store.arena,
                      api_fixture_session, caller->person, NULL));
}

Test(matrix, every_cell)
{
    size_t count, cells = 0;
    const struct route *routes = dispatch_routes(&count);
    const struct caller callers[] = {
        {"nobody", STR_NONE, 0, NULL, 0, false, false},
        {"unknown key", STR("slk_unknown"), 0, NULL, 0, false, false},
        {"org key", ADMIN, ORG_KEY, NULL, 0, false, false},
        {"workspace key", WORKSPACE, SERVICE_KEY, NULL, 0, false, false},
        {"admin's key", user_keys[0], USER_KEY, NULL, PEOPLE_WS_ADMIN, false, false},
        {"manager's key", user_keys[1], USER_KEY, NULL, PEOPLE_WS_MANAGER, false, false},
        {"member's key", user_keys[2], USER_KEY, NULL, PEOPLE_WS_MEMBER, false, false},
        {"owner", STR_NONE, 0, &people[OWNER], PEOPLE_OWNER, false, false},
        {"admin", STR_NONE, 0, &people[ADMIN_USER], PEOPLE_ADMIN, false, false},
        {"workspace admin", STR_NONE, 0, &people[WS_ADMIN], PEOPLE_WS_ADMIN, false, false},
        {"workspace manager", STR_NONE, 0, &people[WS_MANAGER], PEOPLE_WS_MANAGER, false, false},
        {"workspace member", STR_NONE, 0, &people[WS_MEMBER], PEOPLE_WS_MEMBER, false, false},
        {"member of no workspace", STR_NONE, 0, &people[STRAY], PEOPLE_SIGNED_IN, true, false},
        {"other workspace's key", fx.other_key, SERVICE_KEY, NULL, 0, true, false},
        {"other workspace's admin", STR_NONE, 0, &people[OTHER_WS_ADMIN], PEOPLE_WS_ADMIN, true,
         false},
        {"other org's org key", fx.org[1].org_key, ORG_KEY, NULL, 0, true, true},
        {"other org's workspace key", fx.org[1].workspace_key, SERVICE_KEY, NULL, 0, true, true},
        {"other org's owner", STR_NONE, 0, &people[OTHER_OWNER], PEOPLE_OWNER, true, true},
    };
    struct str own = id_text(&fx.org[0].workspace);
    for (size_t r = 0; r < count; r++) {
        const char *target = fill(&routes[r], own);
        for (size_t c = 0; c < COUNT_OF(callers); c++, cells++)
            check(&routes[r], &callers[c], target, own);
    }
    cr_expect_eq(cells, count * COUNT_OF(callers));
    printf("%zu routes x %zu callers = %zu cells\n", count, COUNT_OF(callers), cells);
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

/* Each scope alone opens exactly the routes that name it. */
Test(matrix, one_scope_opens_its_routes_only)
{
    size_t count;
    struct str scope;
    const struct route *routes = dispatch_routes(&count);
    for (size_t s = 0; scope_at(s, &scope); s++) {
        if (!scope_fits(ORG_KEY, scope))
            continue;
        struct answer made =
            api_call(ADMIN, "POST", "/v1/api-keys/organisation/service",
                     TARGET("{\"name\":\"one\",\"scopes\":[\"%.*s\"]}", STR_ARG(scope)));
        struct str key = text_at(made.body, "key");
        for (size_t r = 0; r < count; r++) {
            struct str rest = str_c(routes[r].scope), named;
            bool opens = routes[r].who == ROUTE_ANYONE;
            while (rest.n > 0 && str_split(&rest, '|', &named))
                opens =
                    opens || (((unsigned)routes[r].who & ROUTE_ORG) != 0 && str_eq(named, scope));
            if (opens)
                continue;
            struct answer got = api_call(key, http_method_text(routes[r].method),
                                         fill(&routes[r], STR("default")), "{}");
            cr_expect_eq(got.status, 403, "%s %s with %.*s: %d", http_method_text(routes[r].method),
                         routes[r].path, STR_ARG(scope), got.status);
        }
    }
}

/* Every scope that a route names exists, and every route says who of the people may. */
Test(matrix, rows_are_whole)
{
    size_t count;
    const struct route *routes = dispatch_routes(&count);
    for (size_t r = 0; r < count; r++) {
        struct str rest = str_c(routes[r].scope), scope;
        cr_expect((routes[r].people == PEOPLE_NOBODY) == (routes[r].who == ROUTE_ANYONE),
                  "%s: people", routes[r].path);
        cr_expect((routes[r].people & ~(unsigned)PEOPLE_ALL) == 0, "%s: unknown role",
                  routes[r].path);
        cr_expect(rest.n > 0 || routes[r].who == ROUTE_ANYONE || routes[r].who == ROUTE_NO_KEY,
                  "%s: any key may", routes[r].path);
        while (rest.n > 0 && str_split(&rest, '|', &scope))
            cr_expect(scope_fits(ORG_KEY, scope) || scope_fits(SERVICE_KEY, scope),
                      "%s: unknown scope %.*s", routes[r].path, STR_ARG(scope));
    }
}
