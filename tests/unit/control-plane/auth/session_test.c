/* session_test.c: which cookie is whose, and until when. */
#include "control-plane/auth/session.h"
#include "common/clock.h"
#include "tests/unit/control-plane/api_fixture.h"

static struct fixture_person ada;

static void begin(void)
{
    clock_test_set(1, 1795000000000);
    api_fixture_open();
    ada = (struct fixture_person){.org = &fx.org[0].org,
                                  .workspace = &fx.org[0].workspace,
                                  .email = "ada@example.com",
                                  .org_role = USER_ROLE_MEMBER,
                                  .role = MEMBER_ROLE_MANAGER};
    api_fixture_add(&ada);
}

TestSuite(session, .init = begin, .fini = api_fixture_close);

static enum status look(const struct ticket *ticket)
{
    Sluice__Session *session;
    Sluice__User *user;
    struct kv_txn *txn = fixture_read(&fx.store);
    enum status status = session_find(txn, &fx.store.arena, ticket, clock_utc_ms(), &session, &user);
    kv_abort(txn);
    return status;
}

static void again(struct fixture_person *person)
{
    OK(writer_run(fx.store.writer, &(struct write_actor){.type = "cli"}, &fx.store.arena, api_fixture_session, person, NULL));
}

Test(session, cookies)
{
    char text[TICKET_TEXT + 1];
    struct ticket read;
    ticket_to_text(&ada.ticket, text);
    static const struct {
        const char *before, *after;
        enum status status;
    } cases[] = {
        {SESSION_COOKIE "=", "", ST_OK},
        {"a=b; " SESSION_COOKIE "=", "; c=d", ST_OK},
        {"a=b;" SESSION_COOKIE "=", ";c=d", ST_OK},
        {"x" SESSION_COOKIE "=", "", ST_INVALID},
        {SESSION_COOKIE "x=", "", ST_INVALID},
        {SESSION_COOKIE "=", "x", ST_INVALID},
        {SESSION_COOKIE "=\"", "\"", ST_INVALID},
        {"", "", ST_INVALID},
        {SESSION_COOKIE "=; " SESSION_COOKIE "=", "", ST_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str cookie = arena_printf(&fx.store.arena, "%s%s%s", cases[i].before, text, cases[i].after);
        cr_expect_eq(session_read_cookie(cookie, &read), cases[i].status, STR_FMT, STR_ARG(cookie));
    }
    IS(session_read_cookie(STR_NONE, &read), ST_INVALID);
}

Test(session, ends_with_its_time)
{
    IS(look(&ada.ticket), ST_OK);
    clock_test_advance(3600000 - 1);
    IS(look(&ada.ticket), ST_OK);
    clock_test_advance(1);
    IS(look(&ada.ticket), ST_UNAUTHORIZED);
}

Test(session, ends_with_the_person)
{
    EXPECT_STATUS(api_call(ADMIN, "DELETE", "/v1/admin/users/ada@example.com", NULL), 200);
    IS(look(&ada.ticket), ST_UNAUTHORIZED);
}

Test(session, a_ticket_of_another_person_or_org_is_none)
{
    struct ticket other = ada.ticket;
    other.subject = fx.org[0].admin;
    IS(look(&other), ST_UNAUTHORIZED);
    other = ada.ticket;
    other.org = fx.org[1].org;
    IS(look(&other), ST_UNAUTHORIZED);
    other = ada.ticket;
    other.secret[31] ^= 1;
    IS(look(&other), ST_UNAUTHORIZED);
}

Test(session, the_oldest_make_room)
{
    struct ticket first = ada.ticket, second;
    again(&ada);
    second = ada.ticket;
    for (size_t i = 2; i < SESSION_PER_USER_MAX; i++)
        again(&ada);
    IS(look(&first), ST_OK);
    again(&ada);
    IS(look(&first), ST_UNAUTHORIZED);
    IS(look(&second), ST_OK);
    IS(look(&ada.ticket), ST_OK);
}

static enum status purge(struct write_op *op, void *arg)
{
    struct record_key last = {.kind = SLUICE__KIND__KIND_NONE};
    return session_purge(op, &last, arg);
}

static size_t count_sessions(void)
{
    struct record_cursor *cursor;
    struct record_key key;
    struct kv_txn *txn = fixture_read(&fx.store);
    size_t n = 0;
    OK(record_cursor_open_org(txn, SLUICE__KIND__KIND_SESSION, NULL, &cursor));
    while (record_cursor_next(cursor, NULL, &key, NULL, NULL) == ST_OK)
        n++;
    record_cursor_close(cursor);
    kv_abort(txn);
    return n;
}

Test(session, purge_removes_what_is_over)
{
    bool left = true;
    uint64_t before = writer_revision(fx.store.writer);
    clock_test_advance(1800000);
    again(&ada);
    cr_expect_eq(count_sessions(), 2);
    clock_test_advance(1800000);
    OK(writer_run(fx.store.writer, NULL, &fx.store.arena, purge, &left, NULL));
    cr_expect_not(left);
    cr_expect_eq(count_sessions(), 1);
    IS(look(&ada.ticket), ST_OK);
    cr_expect_eq(writer_revision(fx.store.writer), before + 1, "purging makes no revision");
}

Test(session, changes_need_the_guard_word)
{
    char text[TICKET_TEXT + 1], guard[TICKET_GUARD_TEXT + 1];
    ticket_to_text(&ada.ticket, text);
    ticket_guard(&ada.ticket, guard);
    struct http_header headers[] = {{STR("cookie"), arena_printf(&fx.store.arena, SESSION_COOKIE "=%s", text)},
                                    {STR("x-csrf-token"), str_c(guard)}};
    const char *path = "/v1/providers/none", *list = "/v1/providers";
    EXPECT_STATUS(api_send(headers, 1, "GET", list, NULL), 200);
    EXPECT_STATUS(api_send(headers, 1, "DELETE", path, NULL), 403);
    EXPECT_STATUS(api_send(headers, 2, "DELETE", path, NULL), 404);
    headers[1].value = str_head(headers[1].value, TICKET_GUARD_TEXT - 1);
    EXPECT_STATUS(api_send(headers, 2, "DELETE", path, NULL), 403);
    headers[1].value = arena_printf(&fx.store.arena, "%.*sA", TICKET_GUARD_TEXT - 1, guard[42] == 'A' ? "B" : guard);
    EXPECT_STATUS(api_send(headers, 2, "DELETE", path, NULL), 403);
}

/* The role is read anew each time; a key in the request takes the place of the session. */
Test(session, a_demotion_counts_at_once)
{
    EXPECT_STATUS(api_call_session(&ada.ticket, "DELETE", "/v1/providers/none", NULL), 404);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/admin/workspaces/default/users/ada@example.com", "{\"role\":\"member\"}"), 200);
    EXPECT_STATUS(api_call_session(&ada.ticket, "DELETE", "/v1/providers/none", NULL), 403);
    EXPECT_STATUS(api_call_session(&ada.ticket, "GET", "/v1/providers", NULL), 200);
    EXPECT_STATUS(api_call(ADMIN, "DELETE", "/v1/admin/workspaces/default/users/ada@example.com", NULL), 200);
    EXPECT_STATUS(api_call_session(&ada.ticket, "GET", "/v1/providers", NULL), 400);
    EXPECT_STATUS(api_call_session(&ada.ticket, "GET", "/v1/providers?workspace_id=default", NULL), 403);
    EXPECT_STATUS(api_call(ADMIN, "PUT", "/v1/admin/users/ada@example.com", "{\"role\":\"admin\"}"), 200);
    EXPECT_STATUS(api_call_session(&ada.ticket, "GET", "/v1/audit-logs", NULL), 200);
}

/* Two workspaces, two roles: the request says which one it is about. */
Test(session, one_workspace_a_request)
{
    EXPECT_STATUS(api_call(ADMIN, "POST", "/v1/admin/workspaces/second/users", "{\"users\":[{\"id\":\"ada@example.com\",\"role\":\"member\"}]}"), 200);
    struct answer lost = api_call_session(&ada.ticket, "GET", "/v1/providers", NULL);
    EXPECT_STATUS(lost, 400);
    cr_expect(str_find(lost.text, STR("workspace_id")) > 0);
    EXPECT_STATUS(api_call_session(&ada.ticket, "GET", "/v1/providers?workspace_id=second", NULL), 200);
    EXPECT_STATUS(api_call_session(&ada.ticket, "DELETE", "/v1/providers/none?workspace_id=second", NULL), 403);
    EXPECT_STATUS(api_call_session(&ada.ticket, "DELETE", "/v1/providers/none?workspace_id=default", NULL), 404);
    EXPECT_STATUS(api_call_session(&ada.ticket, "POST", "/v1/configs", "{\"name\":\"c\",\"config\":{},\"workspace_id\":\"second\"}"), 403);
    EXPECT_STATUS(api_call_session(&ada.ticket, "POST", "/v1/configs", "{\"name\":\"c\",\"config\":{\"retry\":{\"attempts\":1}},\"workspace_id\":\"default\"}"), 200);
    struct answer list = api_call_session(&ada.ticket, "GET", "/v1/admin/workspaces", NULL);
    EXPECT_RAW(list, "total", "2");
    EXPECT_STATUS(api_call_session(&ada.ticket, "PUT", "/v1/admin/workspaces/second", "{\"name\":\"x\"}"), 403);
    EXPECT_STATUS(api_call_session(&ada.ticket, "PUT", "/v1/admin/workspaces/default", "{\"description\":\"x\"}"), 200);
    EXPECT_STATUS(api_call_session(&ada.ticket, "PUT", "/v1/admin/workspaces/default", "{\"rate_limits\":[{\"type\":\"requests\",\"unit\":\"rpm\",\"value\":5}]}"), 403);
}
