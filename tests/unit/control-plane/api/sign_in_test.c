/* sign_in_test.c: the way in by e-mail and password, and what it tells whom. */
#include "common/clock.h"
#include "control-plane/auth/password.h"
#include "tests/unit/control-plane/api_fixture.h"

#define PATH     "/v1/console/session"
#define PASSWORD "correct horse battery"

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
    struct str hash;
    OK(password_hash(&fx.store.arena, STR(PASSWORD), &hash));
    struct fixture_person people[] = {
        {.org = &fx.org[0].org, .workspace = &fx.org[0].workspace, .email = "ada@example.com", .org_role = USER_ROLE_MEMBER, .role = MEMBER_ROLE_MEMBER, .hash = hash},
        {.org = &fx.org[0].org, .email = "both@example.com", .org_role = USER_ROLE_OWNER, .hash = hash},
        {.org = &fx.org[1].org, .email = "both@example.com", .org_role = USER_ROLE_ADMIN, .hash = hash},
        {.org = &fx.org[0].org, .email = "nopass@example.com", .org_role = USER_ROLE_MEMBER},
    };
    for (size_t i = 0; i < COUNT_OF(people); i++)
        api_fixture_add(&people[i]);
}

TestSuite(sign_in, .init = begin, .fini = api_fixture_close);

static struct answer sign_in_with(const char *body, const char *type, const char *site)
{
    struct http_header headers[] = {{STR("content-type"), str_c(type)}, {STR("sec-fetch-site"), str_c(site)}, {STR("user-agent"), STR("test/1")}};
    return api_send(headers, COUNT_OF(headers), "POST", PATH, body);
}

static struct answer sign_in(const char *body)
{
    return sign_in_with(body, "application/json", "same-origin");
}

static struct answer with_cookie(struct answer in, const char *method, const char *path, const char *body)
{
    struct str cookie = str_head(in.cookie, (size_t)str_find_char(in.cookie, ';'));
    struct http_header headers[] = {{STR("cookie"), cookie}, {STR("x-csrf-token"), text_at(in.body, "csrf_token")}};
    return api_send(headers, COUNT_OF(headers), method, path, body);
}

Test(sign_in, in_and_out)
{
    struct answer in = sign_in("{\"email\":\"ADA@example.com\",\"password\":\"" PASSWORD "\"}");
    EXPECT_STATUS(in, 200);
    cr_expect(str_starts(in.cookie, STR("sluice_session=sls_")) && str_find(in.cookie, STR("; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600; Secure")) > 0,
              STR_FMT, STR_ARG(in.cookie));
    EXPECT_RAW(in, "user.email", "\"ada@example.com\"");
    EXPECT_RAW(in, "user.role", "\"member\"");
    EXPECT_RAW(in, "organisation.name", "\"Acme\"");
    EXPECT_RAW(in, "workspaces.0.slug", "\"default\"");
    EXPECT_RAW(in, "workspaces.0.role", "\"member\"");
    cr_expect_null(at(in.body, "workspaces.1"));
    struct answer now = with_cookie(in, "GET", PATH, NULL);
    EXPECT_STATUS(now, 200);
    cr_expect(str_eq(raw_at(now.body, "csrf_token"), raw_at(in.body, "csrf_token")) && str_eq(raw_at(now.body, "id"), raw_at(in.body, "id")));
    struct answer list = with_cookie(in, "GET", "/v1/console/sessions", NULL);
    EXPECT_RAW(list, "total", "2");
    EXPECT_RAW(list, "data.1.current", "true");
    EXPECT_RAW(list, "data.1.user_agent", "\"test/1\"");
    EXPECT_RAW(list, "data.1.client_ip", "\"127.0.0.1\"");
    struct answer out = with_cookie(in, "DELETE", PATH, NULL);
    EXPECT_STATUS(out, 200);
    cr_expect(str_starts(out.cookie, STR("sluice_session=; ")) && str_find(out.cookie, STR("Max-Age=0")) > 0);
    EXPECT_STATUS(with_cookie(in, "GET", PATH, NULL), 401);
}

/* One answer for whatever is wrong, and no cookie. */
Test(sign_in, wrong)
{
    static const char *const bodies[] = {
        "{\"email\":\"ada@example.com\",\"password\":\"correct horse batterx\"}",
        "{\"email\":\"nobody@example.com\",\"password\":\"" PASSWORD "\"}",
        "{\"email\":\"nopass@example.com\",\"password\":\"" PASSWORD "\"}",
        "{\"email\":\"ada@example.com\",\"password\":\"short\"}",
        "{\"email\":\"ada@example.com\",\"password\":\"" PASSWORD "\",\"organisation\":\"no-such\"}",
    };
    struct answer first = sign_in(bodies[0]);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct answer got = sign_in(bodies[i]);
        EXPECT_STATUS(got, 401);
        cr_expect(str_eq(got.text, first.text), "%s: " STR_FMT, bodies[i], STR_ARG(got.text));
        cr_expect_null(got.cookie.p);
        cr_expect_null(got.revision.p);
    }
    static const char *const invalid[] = {"{}", "{\"email\":\"a@b\"}", "{\"email\":5,\"password\":\"x\"}", "{\"email\":\"a@b\",\"password\":[]}", "[]", "{"};
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        EXPECT_STATUS(sign_in(invalid[i]), 400);
}

/* Other sites' forms cannot sign anybody in. */
Test(sign_in, only_from_pages_of_this_server)
{
    const char *body = "{\"email\":\"ada@example.com\",\"password\":\"" PASSWORD "\"}";
    EXPECT_STATUS(sign_in_with(body, "text/plain", "same-origin"), 415);
    EXPECT_STATUS(sign_in_with(body, "application/x-www-form-urlencoded", ""), 415);
    EXPECT_STATUS(sign_in_with(body, "application/json", "cross-site"), 403);
    EXPECT_STATUS(sign_in_with(body, "application/json", "same-site"), 403);
    EXPECT_STATUS(sign_in_with(body, "application/json; charset=utf-8", ""), 200);
    EXPECT_STATUS(sign_in_with(body, "application/json", "none"), 200);
}

/* The same address and password in two organisations: say which. */
Test(sign_in, several_organisations)
{
    struct answer which = sign_in("{\"email\":\"both@example.com\",\"password\":\"" PASSWORD "\"}");
    EXPECT_STATUS(which, 400);
    cr_expect(str_find(which.text, STR("organisation: is required")) > 0, STR_FMT, STR_ARG(which.text));
    char org[2][ID_TEXT + 1];
    for (size_t i = 0; i < 2; i++) {
        id_to_text(&fx.org[i].org, org[i]);
        struct answer in = sign_in(TARGET("{\"email\":\"both@example.com\",\"password\":\"" PASSWORD "\",\"organisation\":\"%s\"}", org[i]));
        EXPECT_STATUS(in, 200);
        cr_expect(str_eq(text_at(in.body, "organisation.id"), str_c(org[i])));
        EXPECT_RAW(in, "user.role", i == 0 ? "\"owner\"" : "\"admin\"");
    }
}

Test(sign_in, too_many_tries)
{
    const char *wrong = "{\"email\":\"ada@example.com\",\"password\":\"correct horse batterx\"}";
    const char *right = "{\"email\":\"ada@example.com\",\"password\":\"" PASSWORD "\"}";
    for (size_t i = 0; i < THROTTLE_ACCOUNT_TOKENS; i++) {
        EXPECT_STATUS(sign_in(right), 200);
        EXPECT_STATUS(sign_in(wrong), 401);
        clock_test_advance(1);
    }
    struct answer refused = sign_in(right);
    EXPECT_STATUS(refused, 429);
    cr_expect(str_eq(refused.retry_after, STR("30")), STR_FMT, STR_ARG(refused.retry_after));
    EXPECT_RAW(refused, "data.errorCode", "\"AB06\"");
    clock_test_advance(30000);
    EXPECT_STATUS(sign_in(right), 200);
}

/* Both ends of a try are in the audit log, the password in neither. */
Test(sign_in, is_audited)
{
    EXPECT_STATUS(sign_in("{\"email\":\"ada@example.com\",\"password\":\"correct horse batterx\"}"), 401);
    EXPECT_STATUS(sign_in("{\"email\":\"ada@example.com\",\"password\":\"" PASSWORD "\"}"), 200);
    struct answer log = api_call(ADMIN, "GET", "/v1/audit-logs?action=sign_in&resource_type=session&page_size=2", NULL);
    EXPECT_RAW(log, "records.0.response_status_code", "200");
    EXPECT_RAW(log, "records.0.user_type", "\"user\"");
    EXPECT_RAW(log, "records.1.response_status_code", "401");
    EXPECT_RAW(log, "records.1.user_type", "\"anonymous\"");
    EXPECT_RAW(log, "records.1.resource_slug", "\"ada@example.com\"");
    cr_expect(str_find(log.text, STR("correct")) < 0 && str_find(log.text, STR("sls_")) < 0, STR_FMT, STR_ARG(log.text));
}
