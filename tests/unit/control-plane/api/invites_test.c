/* invites_test.c: an invite from the asking to the first call with the key it brought. */
#include "common/clock.h"
#include "tests/unit/control-plane/api_fixture.h"

#define PATH "/v1/admin/users/invites"
#define DAY  86400000

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
}

TestSuite(invites, .init = begin, .fini = api_fixture_close);

static struct str token_of(struct answer answer, const char *name)
{
    struct str text = text_at(answer.body, name);
    ptrdiff_t at_sign = str_find(text, STR("/#/invite?token="));
    cr_assert(at_sign > 0, STR_FMT, STR_ARG(answer.text));
    return str_from(text, (size_t)at_sign + 16);
}

static struct answer accept_with(struct str token, const char *more)
{
    return api_call(STR_NONE, "POST", "/v1/console/invite", TARGET("{\"token\":\"%.*s\",\"password\":\"correct horse battery\"%s}", STR_ARG(token), more));
}

static const char *path_of(struct answer made, const char *more)
{
    return TARGET(PATH "/" STR_FMT "%s", STR_ARG(text_at(made.body, "id")), more);
}

Test(invites, from_asking_to_calling)
{
    struct answer made = api_call(ADMIN, "POST", PATH,
                                  "{\"email\":\"New@Example.com\",\"role\":\"member\",\"workspaces\":[{\"id\":\"default\",\"role\":\"manager\"},{\"id\":\"second\",\"role\":\"member\"}],"
                                  "\"workspace_api_key_details\":{\"scopes\":[\"models.list\",\"completions.write\"]}}");
    EXPECT_STATUS(made, 200);
    EXPECT_RAW(made, "email", "\"new@example.com\"");
    EXPECT_RAW(made, "status", "\"pending\"");
    EXPECT_RAW(made, "workspaces", "[{\"id\":\"default\",\"role\":\"manager\"},{\"id\":\"second\",\"role\":\"member\"}]");
    cr_expect(str_find(made.text, STR("completions")) < 0, "scopes are never told");
    struct answer read = api_call(ADMIN, "GET", path_of(made, ""), NULL);
    EXPECT_RAW(read, "accepted_at", "null");
    cr_expect(str_find(read.text, STR("sli_")) < 0, "the link is shown once");
    struct answer in = accept_with(token_of(made, "invite_link"), ",\"first_name\":\"Nea\"");
    EXPECT_STATUS(in, 200);
    EXPECT_RAW(in, "role", "\"member\"");
    struct str key = text_at(in.body, "api_keys.0.key");
    EXPECT_STATUS(api_call(key, "GET", "/v1/models", NULL), 200);
    EXPECT_STATUS(api_call(text_at(in.body, "api_keys.1.key"), "GET", "/v1/models?workspace_id=second", NULL), 200);
    struct answer user = api_call(ADMIN, "GET", "/v1/admin/users/new@example.com", NULL);
    EXPECT_RAW(user, "first_name", "\"Nea\"");
    EXPECT_RAW(user, "workspace_ids", "[\"default\",\"second\"]");
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/admin/workspaces/default/users/new@example.com", NULL), "role", "\"manager\"");
    EXPECT_RAW(api_call(ADMIN, "GET", path_of(made, ""), NULL), "status", "\"accepted\"");
    EXPECT_STATUS(accept_with(token_of(made, "invite_link"), ""), 400);
    EXPECT_STATUS(api_call(ADMIN, "POST", path_of(made, "/resend"), NULL), 409);
    EXPECT_STATUS(api_call(ADMIN, "POST", PATH, "{\"email\":\"new@example.com\",\"role\":\"member\"}"), 409);
    struct http_header type = {STR("content-type"), STR("application/json")};
    EXPECT_STATUS(api_send(&type, 1, "POST", "/v1/console/session", "{\"email\":\"new@example.com\",\"password\":\"correct horse battery\"}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", path_of(made, ""), "{}"), 200);
    EXPECT_STATUS(api_call(ADMIN, "GET", path_of(made, ""), NULL), 404);
}

Test(invites, without_workspaces)
{
    struct answer made = api_call(ADMIN, "POST", PATH, "{\"email\":\"boss@example.com\",\"role\":\"admin\"}");
    EXPECT_STATUS(made, 200);
    cr_expect_null(at(made.body, "workspaces"), "absent as it was sent");
    struct answer in = accept_with(token_of(made, "invite_link"), "");
    EXPECT_RAW(in, "role", "\"admin\"");
    EXPECT_RAW(in, "api_keys", "[]");
}

Test(invites, resend_cancel_expire)
{
    struct answer made = api_call(ADMIN, "POST", PATH, "{\"email\":\"x@example.com\",\"role\":\"member\"}");
    EXPECT_STATUS(api_call(ADMIN, "POST", PATH, "{\"email\":\"X@example.com\",\"role\":\"member\"}"), 409);
    clock_test_advance(5 * DAY);
    struct answer again = api_call(ADMIN, "POST", path_of(made, "/resend"), NULL);
    EXPECT_STATUS(again, 200);
    EXPECT_STATUS(accept_with(token_of(made, "invite_link"), ""), 400);
    clock_test_advance(5 * DAY);
    EXPECT_RAW(api_call(ADMIN, "GET", path_of(made, ""), NULL), "status", "\"pending\"");
    clock_test_advance(2 * DAY);
    EXPECT_RAW(api_call(ADMIN, "GET", path_of(made, ""), NULL), "status", "\"expired\"");
    EXPECT_STATUS(accept_with(token_of(again, "inviteLink"), ""), 400);
    struct answer other = api_call(ADMIN, "POST", PATH, "{\"email\":\"x@example.com\",\"role\":\"admin\"}");
    EXPECT_STATUS(other, 200);
    EXPECT_STATUS(api_call(ADMIN, "POST", path_of(made, "/resend"), NULL), 409);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", path_of(other, ""), NULL), 200);
    EXPECT_RAW(api_call(ADMIN, "GET", path_of(other, ""), NULL), "status", "\"cancelled\"");
    EXPECT_STATUS(accept_with(token_of(other, "invite_link"), ""), 400);
    EXPECT_STATUS(api_call(ADMIN, "POST", path_of(made, "/resend"), NULL), 200);
    EXPECT_RAW(api_call(ADMIN, "GET", PATH "?status=cancelled", NULL), "total", "1");
    EXPECT_RAW(api_call(ADMIN, "GET", PATH "?email=X@EXAMPLE.com&role=member", NULL), "total", "1");
}

/* 400 and 403 name the field. */
Test(invites, refusals)
{
    static const struct {
        const char *body, *field;
        int status;
    } cases[] = {
        {"{\"role\":\"member\"}", "email", 400},
        {"{\"email\":\"no address\",\"role\":\"member\"}", "email", 400},
        {"{\"email\":\"a@b\",\"role\":\"owner\"}", "role", 400},
        {"{\"email\":\"a@b\",\"role\":\"member\",\"workspaces\":{}}", "workspaces", 400},
        {"{\"email\":\"a@b\",\"role\":\"member\",\"workspaces\":[{\"role\":\"admin\"}]}", "workspaces.id", 400},
        {"{\"email\":\"a@b\",\"role\":\"member\",\"workspaces\":[{\"id\":\"default\",\"role\":\"king\"}]}", "workspaces.role", 400},
        {"{\"email\":\"a@b\",\"role\":\"member\",\"workspaces\":[{\"id\":\"nowhere\",\"role\":\"admin\"}]}", "Workspace", 404},
        {"{\"email\":\"a@b\",\"role\":\"member\",\"workspace_api_key_details\":{\"scopes\":[\"audit_logs.list\"]}}", "workspace_api_key_details.scopes", 400},
        {"{\"email\":\"a@b\",\"role\":\"member\",\"workspace_api_key_details\":{}}", "workspace_api_key_details.scopes", 400},
        {"{\"email\":\"admin@example.com\",\"role\":\"member\"}", "email", 409},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answer got = api_call(ADMIN, "POST", PATH, cases[i].body);
        EXPECT_STATUS(got, cases[i].status);
        cr_expect(str_find(got.text, str_c(cases[i].field)) > 0, "%s: " STR_FMT, cases[i].body, STR_ARG(got.text));
    }
    struct answer narrow = api_call(ADMIN, "POST", "/v1/api-keys/organisation/service", "{\"name\":\"n\",\"scopes\":[\"organisation_users.create\"]}");
    EXPECT_STATUS(api_call(text_at(narrow.body, "key"), "POST", PATH, "{\"email\":\"a@b\",\"role\":\"member\",\"workspace_api_key_details\":{\"scopes\":[\"configs.read\"]}}"), 403);
}

/* A workspace that went meanwhile is left out; another organisation's invite does not exist. */
Test(invites, what_is_gone_is_left_out)
{
    struct answer made = api_call(ADMIN, "POST", PATH, "{\"email\":\"x@example.com\",\"role\":\"member\",\"workspaces\":[{\"id\":\"second\",\"role\":\"admin\"},{\"id\":\"default\",\"role\":\"member\"}]}");
    EXPECT_STATUS(api_call(fx.org[1].org_key, "GET", path_of(made, ""), NULL), 404);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", "/v1/admin/workspaces/second", "{\"name\":\"second\",\"force_delete\":true}"), 200);
    EXPECT_STATUS(accept_with(token_of(made, "invite_link"), ""), 200);
    EXPECT_RAW(api_call(ADMIN, "GET", "/v1/admin/users/x@example.com", NULL), "workspace_ids", "[\"default\"]");
}
