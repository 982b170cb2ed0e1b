/* passwords_test.c: new passwords: who may set whose, what ends with the old one. */
#include "common/clock.h"
#include "control-plane/auth/password.h"
#include "control-plane/domain/reset_link.h"
#include "tests/unit/control-plane/api_fixture.h"

#define PASSWORD "correct horse battery"

static struct fixture_person owner, admin, member;

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
    struct str hash;
    OK(password_hash(&fx.store.arena, STR(PASSWORD), &hash));
    owner = (struct fixture_person){.org = &fx.org[0].org, .email = "o@example.com", .org_role = USER_ROLE_OWNER, .hash = hash};
    admin = (struct fixture_person){.org = &fx.org[0].org, .email = "a@example.com", .org_role = USER_ROLE_ADMIN, .hash = hash};
    member = (struct fixture_person){.org = &fx.org[0].org, .email = "m@example.com", .org_role = USER_ROLE_MEMBER, .hash = hash};
    api_fixture_add(&owner);
    api_fixture_add(&admin);
    api_fixture_add(&member);
}

TestSuite(passwords, .init = begin, .fini = api_fixture_close);

static int sign_in(const char *email, const char *password)
{
    struct http_header type = {STR("content-type"), STR("application/json")};
    return api_send(&type, 1, "POST", "/v1/console/session", TARGET("{\"email\":\"%s\",\"password\":\"%s\"}", email, password)).status;
}

Test(passwords, change)
{
    struct ticket other = member.ticket;
    OK(writer_run(fx.store.writer, &(struct write_actor){.type = "cli"}, &fx.store.arena, api_fixture_session, &member, NULL));
    const char *path = "/v1/console/password";
    EXPECT_STATUS(api_call_session(&member.ticket, "PUT", path, "{\"current_password\":\"wrong wrong wrong\",\"password\":\"a new password\"}"), 400);
    EXPECT_STATUS(api_call_session(&member.ticket, "PUT", path, "{\"current_password\":\"" PASSWORD "\",\"password\":\"short\"}"), 400);
    EXPECT_STATUS(api_call_session(&member.ticket, "PUT", path, "{\"password\":\"a new password\"}"), 400);
    EXPECT_STATUS(api_call_session(&other, "GET", "/v1/console/session", NULL), 200);
    struct answer changed = api_call_session(&member.ticket, "PUT", path, "{\"current_password\":\"" PASSWORD "\",\"password\":\"a new password\"}");
    EXPECT_STATUS(changed, 200);
    EXPECT_STATUS(api_call_session(&member.ticket, "GET", "/v1/console/session", NULL), 200);
    EXPECT_STATUS(api_call_session(&other, "GET", "/v1/console/session", NULL), 401);
    cr_expect_eq(sign_in("m@example.com", PASSWORD), 401);
    cr_expect_eq(sign_in("m@example.com", "a new password"), 200);
    struct answer log = api_call(ADMIN, "GET", "/v1/audit-logs?action=change_password", NULL);
    EXPECT_RAW(log, "total", "1");
    cr_expect(str_find(log.text, STR("horse")) < 0 && str_find(log.text, STR("a new")) < 0);
}

static struct answer make_link(const char *email)
{
    const char *path = TARGET("/v1/admin/users/%s/reset-link", email);
    return email[0] == 'm' ? api_call(ADMIN, "POST", path, NULL) : api_call_session(&owner.ticket, "POST", path, NULL);
}

static struct str token_of(struct answer link, const char *member_name)
{
    struct str text = text_at(link.body, member_name);
    ptrdiff_t at_sign = str_find(text, STR("token="));
    cr_assert(str_starts(text, STR("https://console.example/#/")) && at_sign > 0, STR_FMT, STR_ARG(link.text));
    return str_from(text, (size_t)at_sign + 6);
}

static int reset(struct str token, const char *password)
{
    return api_call(STR_NONE, "POST", "/v1/console/reset", TARGET("{\"token\":\"%.*s\",\"password\":\"%s\"}", STR_ARG(token), password)).status;
}

Test(passwords, a_link_is_good_once)
{
    struct answer first = make_link("m@example.com"), second = make_link("m@example.com");
    EXPECT_STATUS(second, 200);
    cr_expect_eq(reset(token_of(first, "reset_link"), "another password"), 400, "a new link replaces it");
    cr_expect_eq(reset(token_of(second, "reset_link"), "short"), 400);
    cr_expect_eq(reset(token_of(second, "reset_link"), "another password"), 200);
    cr_expect_eq(reset(token_of(second, "reset_link"), "yet another one"), 400);
    EXPECT_STATUS(api_call_session(&member.ticket, "GET", "/v1/console/session", NULL), 401);
    cr_expect_eq(sign_in("m@example.com", "another password"), 200);
    cr_expect_eq(reset(STR("slr_"), "another password"), 400);
    cr_expect_eq(reset(STR(""), "another password"), 400);
}

Test(passwords, a_link_ends)
{
    struct answer link = make_link("m@example.com");
    clock_test_advance(RESET_LINK_MS);
    cr_expect_eq(reset(token_of(link, "reset_link"), "another password"), 400);
    link = make_link("m@example.com");
    clock_test_advance(RESET_LINK_MS - 1);
    cr_expect_eq(reset(token_of(link, "reset_link"), "another password"), 200);
}

Test(passwords, who_may_make_a_link)
{
    EXPECT_STATUS(api_call_session(&admin.ticket, "POST", "/v1/admin/users/o@example.com/reset-link", NULL), 403);
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/admin/users/o@example.com/reset-link", NULL), 403);
    EXPECT_STATUS(api_call_session(&admin.ticket, "POST", "/v1/admin/users/a@example.com/reset-link", NULL), 200);
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/admin/users/m@example.com/reset-link", NULL), 200);
    EXPECT_STATUS(api_call_session(&member.ticket, "POST", "/v1/admin/users/m@example.com/reset-link", NULL), 403);
    EXPECT_STATUS(make_link("o@example.com"), 200);
    EXPECT_STATUS(make_link("nobody@example.com"), 404);
    EXPECT_STATUS(api_call(fx.org[1].org_key, "POST", "/v1/admin/users/m@example.com/reset-link", NULL), 404);
}
