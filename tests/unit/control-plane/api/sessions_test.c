/* sessions_test.c: who sees and ends whose sessions. */
#include "tests/unit/control-plane/api_fixture.h"

static struct fixture_person owner, admin, member;

static void begin(void)
{
    api_fixture_open();
    owner = (struct fixture_person){.org = &fx.org[0].org, .email = "o@example.com", .org_role = USER_ROLE_OWNER};
    admin = (struct fixture_person){.org = &fx.org[0].org, .email = "a@example.com", .org_role = USER_ROLE_ADMIN};
    member = (struct fixture_person){.org = &fx.org[0].org, .email = "m@example.com", .org_role = USER_ROLE_MEMBER};
    api_fixture_add(&owner);
    api_fixture_add(&admin);
    api_fixture_add(&member);
}

TestSuite(sessions, .init = begin, .fini = api_fixture_close);

static const char *session_of(const struct fixture_person *person, const char *query)
{
    char id[ID_TEXT + 1];
    id_to_text(&person->ticket.item, id);
    return TARGET("/v1/console/sessions/%s%s", id, query);
}

Test(sessions, ones_own)
{
    struct answer list = api_call_session(&member.ticket, "GET", "/v1/console/sessions", NULL);
    EXPECT_RAW(list, "total", "1");
    EXPECT_RAW(list, "data.0.current", "true");
    EXPECT_STATUS(api_call_session(&member.ticket, "DELETE", session_of(&admin, ""), NULL), 404);
    EXPECT_STATUS(api_call_session(&member.ticket, "DELETE", "/v1/console/sessions/no-id", NULL), 404);
    EXPECT_STATUS(api_call_session(&member.ticket, "DELETE", session_of(&member, ""), NULL), 200);
    EXPECT_STATUS(api_call_session(&member.ticket, "GET", "/v1/console/sessions", NULL), 401);
}

Test(sessions, other_peoples)
{
    EXPECT_STATUS(api_call_session(&member.ticket, "GET", "/v1/console/sessions?user_id=a@example.com", NULL), 403);
    EXPECT_STATUS(api_call_session(&member.ticket, "DELETE", session_of(&admin, "?user_id=a@example.com"), NULL), 403);
    EXPECT_STATUS(api_call_session(&admin.ticket, "GET", "/v1/console/sessions?user_id=o@example.com", NULL), 403);
    EXPECT_STATUS(api_call_session(&admin.ticket, "DELETE", session_of(&owner, "?user_id=o@example.com"), NULL), 403);
    EXPECT_STATUS(api_call_session(&admin.ticket, "GET", "/v1/console/sessions?user_id=nobody@example.com", NULL), 404);
    struct answer list = api_call_session(&admin.ticket, "GET", "/v1/console/sessions?user_id=m@example.com", NULL);
    EXPECT_RAW(list, "total", "1");
    EXPECT_RAW(list, "data.0.current", "false");
    EXPECT_STATUS(api_call_session(&admin.ticket, "DELETE", session_of(&member, "?user_id=m@example.com"), NULL), 200);
    EXPECT_STATUS(api_call_session(&member.ticket, "GET", "/v1/console/session", NULL), 401);
    EXPECT_STATUS(api_call_session(&owner.ticket, "DELETE", session_of(&admin, "?user_id=a@example.com"), NULL), 200);
}

/* A key has no session, and an API key beside a cookie is what counts. */
Test(sessions, keys_have_none)
{
    EXPECT_STATUS(api_call(ADMIN, "GET", "/v1/console/session", NULL), 403);
    EXPECT_STATUS(api_call(WORKSPACE, "GET", "/v1/console/sessions", NULL), 403);
    char text[TICKET_TEXT + 1];
    ticket_to_text(&owner.ticket, text);
    struct http_header headers[] = {{STR("cookie"), arena_printf(&fx.store.arena, SESSION_COOKIE "=%s", text)}, {STR("x-portkey-api-key"), STR("slk_wrong")}};
    EXPECT_STATUS(api_send(headers, 2, "GET", "/v1/console/session", NULL), 401);
}

/* A plain member makes and sees keys of their own, with what members need. */
Test(sessions, a_members_own_keys)
{
    struct fixture_person dev = {.org = &fx.org[0].org, .workspace = &fx.org[0].workspace, .email = "dev@example.com", .org_role = USER_ROLE_MEMBER, .role = MEMBER_ROLE_MEMBER};
    api_fixture_add(&dev);
    const char *path = "/v1/api-keys/workspace/user";
    struct answer made = api_call_session(&dev.ticket, "POST", path, "{\"name\":\"mine\",\"scopes\":[\"completions.write\",\"models.list\"]}");
    EXPECT_STATUS(made, 200);
    EXPECT_STATUS(api_call_session(&dev.ticket, "POST", path, "{\"name\":\"mine\",\"scopes\":[\"configs.create\"]}"), 403);
    EXPECT_STATUS(api_call_session(&dev.ticket, "POST", path, "{\"name\":\"mine\",\"scopes\":[],\"user_id\":\"a@example.com\"}"), 403);
    EXPECT_STATUS(api_call_session(&dev.ticket, "POST", "/v1/api-keys/workspace/service", "{\"name\":\"mine\",\"scopes\":[]}"), 403);
    EXPECT_STATUS(api_call(ADMIN, "POST", path, "{\"name\":\"theirs\",\"scopes\":[],\"workspace_id\":\"default\",\"user_id\":\"m@example.com\"}"), 400);
    struct answer other = api_call(ADMIN, "POST", path, "{\"name\":\"theirs\",\"scopes\":[],\"workspace_id\":\"default\",\"user_id\":\"a@example.com\"}");
    EXPECT_STATUS(other, 200);
    struct answer list = api_call_session(&dev.ticket, "GET", "/v1/api-keys", NULL);
    EXPECT_RAW(list, "total", "1");
    EXPECT_RAW(list, "data.0.creation_mode", "\"ui\"");
    EXPECT_STATUS(api_call_session(&dev.ticket, "GET", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(text_at(other.body, "id"))), NULL), 404);
    EXPECT_STATUS(api_call_session(&dev.ticket, "DELETE", TARGET("/v1/api-keys/" STR_FMT, STR_ARG(text_at(other.body, "id"))), NULL), 404);
    const char *own = TARGET("/v1/api-keys/" STR_FMT, STR_ARG(text_at(made.body, "id")));
    EXPECT_STATUS(api_call_session(&dev.ticket, "PUT", own, "{\"scopes\":[\"configs.create\"]}"), 403);
    EXPECT_STATUS(api_call_session(&dev.ticket, "PUT", own, "{\"name\":\"renamed\"}"), 200);
    EXPECT_STATUS(api_call_session(&dev.ticket, "POST", TARGET("%s/rotate", own), NULL), 200);
    /* who leaves the workspace leaves no key there */
    struct str key = text_at(made.body, "key");
    EXPECT_STATUS(api_call(key, "GET", "/v1/models", NULL), 200);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", "/v1/admin/workspaces/default/users/dev@example.com", NULL), 200);
    EXPECT_STATUS(api_call(key, "GET", "/v1/models", NULL), 401);
}

/* A key of a person admits no more than the person's role does. */
Test(sessions, a_persons_key_follows_the_role)
{
    struct fixture_person dev = {.org = &fx.org[0].org, .workspace = &fx.org[0].workspace, .email = "dev@example.com", .org_role = USER_ROLE_MEMBER, .role = MEMBER_ROLE_MANAGER};
    api_fixture_add(&dev);
    struct answer made = api_call(ADMIN, "POST", "/v1/api-keys/workspace/user",
                                  "{\"name\":\"k\",\"scopes\":[\"configs.delete\",\"configs.list\"],\"workspace_id\":\"default\",\"user_id\":\"dev@example.com\"}");
    struct str key = text_at(made.body, "key");
    EXPECT_STATUS(api_call(key, "DELETE", "/v1/configs/none", NULL), 404);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/admin/workspaces/default/users/dev@example.com", "{\"role\":\"member\"}"), 200);
    EXPECT_STATUS(api_call(key, "DELETE", "/v1/configs/none", NULL), 403);
    EXPECT_STATUS(api_call(key, "GET", "/v1/configs", NULL), 200);
}
