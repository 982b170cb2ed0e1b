/* sign_in.c: POST /v1/console/session.
 *
 * Throttle, then the password outside any transaction (it takes 100 ms), then one operation that
 * makes the session if the password is still that one. A wrong password, an unknown address and a
 * person without a password get one answer after the same work. One address may be of people in
 * several organisations: the password decides, and who has the same one in two must say which.
 */
#include "common/clock.h"
#include "common/secret.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/sessions.h"
#include "control-plane/auth/password.h"
#include "control-plane/auth/person.h"
#include "control-plane/auth/session.h"
#include "control-plane/auth/throttle.h"
#include "control-plane/domain/bootstrap.h"
#include "control-plane/domain/email.h"

#define SIGN_IN_MATCHES_MAX 4 /* organisations looked at for one address */

static const struct field rows[] = {
    {"email", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"password", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"organisation", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_sign_in = {"sign_in", rows, COUNT_OF(rows)};

struct match {
    struct record_key key;
    struct str hash, org_slug;
};

struct sign_in {
    struct str email, password, organisation;
    struct match matches[SIGN_IN_MATCHES_MAX];
    size_t count;
    const struct match *chosen;
};

/* Forms and scripts of other sites cannot send what this asks for. */
static enum status check_origin(struct api_call *call)
{
    struct str site = http_request_header(call->request, "sec-fetch-site");
    struct str type = http_request_header(call->request, "content-type");
    if (site.n > 0 && !str_eq(site, STR("same-origin")) && !str_eq(site, STR("none")))
        return api_fail(call, ST_FORBIDDEN, "Signing in is for pages of this server");
    if (!str_starts_nocase(type, STR("application/json")))
        return api_fail(call, ST_CONTENT_TYPE, "content-type: must be application/json");
    return ST_OK;
}

static enum status match_in(struct api_call *call, const struct record_key *org, struct sign_in *in)
{
    Sluice__Organisation *organisation;
    Sluice__User *user;
    struct match *match = &in->matches[in->count];
    enum status status =
        record_find(call->txn, SLUICE__KIND__KIND_USER, &org->id, &ID_NONE, in->email, &match->key);
    if (status == ST_OK)
        status = record_get(call->txn, &match->key, call->arena, &user, NULL);
    if (status == ST_OK)
        status = record_get(call->txn, org, call->arena, &organisation, NULL);
    if (status != ST_OK)
        return status == ST_NOT_FOUND ? ST_OK : status;
    if (user->status != SLUICE__STATUS__STATUS_ACTIVE || user->password_hash[0] == '\0' ||
        organisation->status != SLUICE__STATUS__STATUS_ACTIVE)
        return ST_OK;
    match->hash = str_c(user->password_hash);
    match->org_slug = str_c(organisation->slug);
    in->count++;
    return ST_OK;
}

/* People with this address: in the organisation that was named, or in any. */
static enum status find_matches(struct api_call *call, struct sign_in *in)
{
    struct record_cursor *cursor = NULL;
    struct record_key org;
    enum status status;
    if (in->organisation.n > 0) {
        status = bootstrap_find_org(call->txn, in->organisation, &org);
        return status == ST_OK ? match_in(call, &org, in) : status == ST_NOT_FOUND ? ST_OK : status;
    }
    status = record_cursor_open_org(call->txn, SLUICE__KIND__KIND_ORGANISATION, NULL, &cursor);
    while (status == ST_OK && in->count < SIGN_IN_MATCHES_MAX) {
        status = record_cursor_next(cursor, NULL, &org, NULL, NULL);
        if (status == ST_OK)
            status = match_in(call, &org, in);
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static enum status choose(struct api_call *call, struct sign_in *in)
{
    const struct match *good[SIGN_IN_MATCHES_MAX];
    size_t count = 0;
    if (in->count == 0)
        TRY(password_verify(STR_NONE, in->password));
    for (size_t i = 0; i < in->count; i++) {
        enum status status = password_verify(in->matches[i].hash, in->password);
        if (status == ST_OK)
            good[count++] = &in->matches[i];
        else if (status != ST_UNAUTHORIZED)
            return status;
    }
    if (count == 0)
        return ST_UNAUTHORIZED;
    if (count > 1)
        return api_fail(
            call, ST_INVALID,
            "organisation: is required, as you are in several: " STR_FMT ", " STR_FMT "%s",
            STR_ARG(good[0]->org_slug), STR_ARG(good[1]->org_slug), count > 2 ? ", ..." : "");
    in->chosen = good[0];
    return ST_OK;
}

/* The operation: the session of whom `choose` chose. */
static enum status enter(struct api_call *call)
{
    const struct sign_in *in = call->state;
    struct ticket ticket;
    Sluice__User *user;
    char text[TICKET_TEXT + 1];
    int64_t expires_at_ms;
    struct session_order order = {.org = in->chosen->key.org,
                                  .user = in->chosen->key.id,
                                  .ttl_ms = call->api->session_ttl_ms,
                                  .client_ip = call->request->client_ip,
                                  .user_agent = http_request_header(call->request, "user-agent")};
    enum status status = record_get(call->txn, &in->chosen->key, call->arena, &user, NULL);
    if (status == ST_NOT_FOUND ||
        (status == ST_OK && !str_eq(str_c(user->password_hash), in->chosen->hash)))
        return ST_UNAUTHORIZED;
    TRY(status);
    TRY(session_make(call->op, &order, &ticket, &expires_at_ms));
    call->auth.is_org = person_is_admin(user->role);
    call->auth.session = ticket.item;
    call->auth.person = user;
    api_audit(call, "sign_in", "session", NULL, &ticket.item, user->email);
    ticket_to_text(&ticket, text);
    sessions_set_cookie(call, text, call->api->session_ttl_ms / 1000);
    secret_wipe(text, sizeof(text));
    status = sessions_write_current(call, &ticket, expires_at_ms);
    secret_wipe(&ticket, sizeof(ticket));
    return status;
}

/* The operation: somebody tried to be one of `matches`. */
static enum status record_failure(struct api_call *call)
{
    const struct sign_in *in = call->state;
    for (size_t i = 0; i < in->count; i++) {
        call->auth.org = in->matches[i].key.org;
        api_audit_refused(call, ST_UNAUTHORIZED, "sign_in", "session", &in->matches[i].key.id,
                          in->email);
    }
    return ST_OK;
}

enum status api_sessions_create(struct api_call *call)
{
    struct sign_in in = {.count = 0};
    struct str email;
    TRY(check_origin(call));
    TRY(sessions_text(call, "email", &email));
    TRY(sessions_text(call, "password", &in.password));
    TRY(api_body_text(call, "organisation", &in.organisation));
    in.email = email_lower(call->arena, email);
    if (in.email.p == NULL)
        return ST_NO_MEMORY;
    TRY(sessions_throttle(call, in.email));
    TRY(kv_begin(call->api->kv, false, &call->txn));
    enum status status = find_matches(call, &in);
    kv_abort(call->txn);
    call->txn = NULL;
    TRY(status);
    status = choose(call, &in);
    call->state = &in;
    if (status == ST_OK) {
        call->auth = (struct auth){.kind = AUTH_SESSION,
                                   .org = in.chosen->key.org,
                                   .actor = in.chosen->key.id,
                                   .user = in.chosen->key.id};
        status = api_write(call, enter);
    } else if (status == ST_UNAUTHORIZED && in.count > 0) {
        TRY(api_write_aside(call, record_failure));
    }
    if (status == ST_UNAUTHORIZED)
        return api_fail(call, status, "E-mail address or password is wrong");
    if (status == ST_OK)
        throttle_forgive(call->api->throttle, in.email, clock_mono_ms());
    return status;
}
