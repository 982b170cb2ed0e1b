/* sessions.c: /v1/console/session and /v1/console/sessions: who one is, signing out, and the
 * browsers that are in. Signing in is sign_in.c.
 *
 * The cookie is for the browser alone (HttpOnly, SameSite=Strict, Secure where there is TLS); the
 * guard word is for the page, which must be able to read it and so gets it in a body. Owners and
 * admins see and end other people's sessions, but an owner's only an owner.
 */
#include "control-plane/api/sessions.h"

#include "common/clock.h"
#include "common/secret.h"
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/api/members.h"
#include "control-plane/auth/person.h"
#include "control-plane/auth/session.h"
#include "control-plane/auth/throttle.h"

enum status sessions_throttle(struct api_call *call, struct str account)
{
    int64_t wait_ms;
    enum status status = throttle_take(call->api->throttle, call->request->client_ip, account,
                                       clock_mono_ms(), &wait_ms);
    if (status != ST_RATE_LIMITED)
        return status;
    reply_header(call->reply, STR("Retry-After"),
                 arena_printf(call->arena, "%lld", (long long)((wait_ms + 999) / 1000)));
    return api_fail(call, status, "Too many attempts. Try again in %lld s",
                    (long long)((wait_ms + 999) / 1000));
}

enum status sessions_text(struct api_call *call, const char *name, struct str *text)
{
    TRY(api_body_text(call, name, text));
    return text->n == 0 ? api_invalid(call, name, "is required") : ST_OK;
}

/* True if the cookie must not go over plain HTTP. */
static bool is_secure(const struct api_call *call)
{
    return call->request->tls || str_starts_nocase(call->api->control_url, STR("https:"));
}

void sessions_set_cookie(struct api_call *call, const char *value, int64_t age_s)
{
    reply_header(call->reply, STR("Set-Cookie"),
                 arena_printf(call->arena,
                              SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; "
                                             "Max-Age=%lld%s",
                              value, (long long)age_s, is_secure(call) ? "; Secure" : ""));
}

static enum status write_workspaces(struct api_call *call)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__Workspace *workspace;
    struct json_writer *w = &call->json;
    size_t count = 0;
    arena_init(&scratch, 8u << 20);
    jw_key(w, "workspaces");
    jw_array(w);
    enum status status = record_cursor_open(call->txn, SLUICE__KIND__KIND_WORKSPACE,
                                            &call->auth.org, &ID_NONE, &cursor);
    while (status == ST_OK && count < LIST_PAGE_MAX) {
        enum member_role role = MEMBER_ROLE_NONE;
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &workspace, NULL);
        if (status == ST_OK)
            status = person_role_in(call->txn, &scratch, &call->auth.org, &call->auth.user,
                                    call->auth.person, &key.id, &role);
        if (status != ST_OK || role == MEMBER_ROLE_NONE)
            continue;
        count++;
        jw_object(w);
        jw_field_id(w, "id", &key.id);
        jw_field_cstr(w, "slug", workspace->slug);
        jw_field_cstr(w, "name", workspace->name);
        jw_field_cstr(w, "role", members_role_text(role));
        jw_end(w);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    jw_end(w);
    return status == ST_END ? ST_OK : status;
}

enum status sessions_write_current(struct api_call *call, const struct ticket *ticket,
                                   int64_t expires_at_ms)
{
    struct json_writer *w = &call->json;
    struct record_key key = {SLUICE__KIND__KIND_ORGANISATION, call->auth.org, ID_NONE,
                             call->auth.org};
    Sluice__Organisation *organisation;
    char guard[TICKET_GUARD_TEXT + 1];
    TRY(record_get(call->txn, &key, call->arena, &organisation, NULL));
    ticket_guard(ticket, guard);
    jw_object(w);
    jw_field_cstr(w, "object", "session");
    jw_field_id(w, "id", &call->auth.session);
    jw_field_cstr(w, "csrf_token", guard);
    jw_field_time(w, "expires_at", expires_at_ms);
    jw_key(w, "user");
    jw_object(w);
    jw_field_id(w, "id", &call->auth.user);
    jw_field_cstr(w, "email", call->auth.person->email);
    jw_field_cstr(w, "first_name", call->auth.person->first_name);
    jw_field_cstr(w, "last_name", call->auth.person->last_name);
    jw_field_cstr(w, "role", members_org_role_text(call->auth.person->role));
    jw_end(w);
    jw_key(w, "organisation");
    jw_object(w);
    jw_field_id(w, "id", &call->auth.org);
    jw_field_cstr(w, "slug", organisation->slug);
    jw_field_cstr(w, "name", organisation->name);
    jw_end(w);
    TRY(write_workspaces(call));
    jw_end(w);
    return ST_OK;
}

enum status api_sessions_current(struct api_call *call)
{
    struct ticket ticket;
    Sluice__Session *session;
    Sluice__User *user;
    TRY(session_read_cookie(http_request_header(call->request, "cookie"), &ticket));
    TRY(session_find(call->txn, call->arena, &ticket, call->now_ms, &session, &user));
    enum status status = sessions_write_current(call, &ticket, session->expires_at_ms);
    secret_wipe(&ticket, sizeof(ticket));
    return status;
}

enum status api_sessions_end(struct api_call *call)
{
    struct record_key key = {SLUICE__KIND__KIND_SESSION, call->auth.org, call->auth.user,
                             call->auth.session};
    TRY(record_delete(call->op, &key));
    sessions_set_cookie(call, "", 0);
    api_audit(call, "sign_out", "session", NULL, &key.id, call->auth.person->email);
    return ST_OK;
}

/* The user whose sessions are meant: oneself, or for admins ?user_id=. */
static enum status whose(struct api_call *call, struct id *user)
{
    struct str name = api_query(call, "user_id");
    struct record_key key;
    Sluice__User *record;
    *user = call->auth.user;
    if (name.n == 0 || (id_from_text(name, &key.id) == ST_OK && id_eq(&key.id, user)))
        return ST_OK;
    if (!auth_is_org(&call->auth))
        return api_fail(call, ST_FORBIDDEN, "user_id: another person's sessions are not yours");
    TRY(members_user(call, name, &key, &record));
    *user = key.id;
    return members_may_govern(call, record);
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const Sluice__Session *session = message;
    struct json_writer *w = &list->call->json;
    (void)arg;
    if (session->expires_at_ms <= list->call->now_ms || !list_wants(list))
        return ST_OK;
    jw_object(w);
    jw_field_cstr(w, "object", "session");
    jw_field_id(w, "id", &key->id);
    jw_field_id(w, "user_id", &key->parent);
    jw_field_bool(w, "current", id_eq(&key->id, &list->call->auth.session));
    jw_field_cstr(w, "client_ip", session->client_ip);
    jw_field_cstr(w, "user_agent", session->user_agent);
    jw_field_time(w, "created_at", session->created_at_ms);
    jw_field_time(w, "expires_at", session->expires_at_ms);
    jw_end(w);
    return ST_OK;
}

enum status api_sessions_list(struct api_call *call)
{
    struct list list;
    struct id user;
    TRY(whose(call, &user));
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_SESSION, &user, list_row, NULL));
    list_end(&list);
    return ST_OK;
}

enum status api_sessions_revoke(struct api_call *call)
{
    struct record_key key = {.kind = SLUICE__KIND__KIND_SESSION, .org = call->auth.org};
    TRY(whose(call, &key.parent));
    enum status status = id_from_text(call->params[0], &key.id);
    TRY(api_found(call, status == ST_OK ? record_delete(call->op, &key) : ST_NOT_FOUND, "Session"));
    api_audit(call, "revoke", "session", NULL, &key.id, NULL);
    return ST_OK;
}
