/* auth.c: from a request's head to a caller, and from a caller to yes or no.
 *
 * A key is looked up by its hash alone, so a guess costs a hash and an index miss whatever it looks
 * like; a session by its ticket. The records decide, as they are now: state, expiry, kind, scopes,
 * role. Invariant: no path leads to ST_OK without a live record whose stored hash is the hash of
 * what was sent. Must never log or keep the value.
 */
#include "control-plane/auth/auth.h"

#include <sodium.h>

#include "common/apikey.h"
#include "common/wire.h"
#include "control-plane/auth/person.h"
#include "control-plane/auth/scopes.h"
#include "control-plane/auth/session.h"

/* x-portkey-api-key, else Authorization: Bearer. */
static struct str sent_key(const struct http_request *request)
{
    struct str key = http_request_header(request, "x-portkey-api-key");
    if (key.n > 0)
        return key;
    struct str authorization = http_request_header(request, "authorization");
    if (str_starts_nocase(authorization, STR("bearer ")))
        return str_trim(str_from(authorization, 7));
    return STR_NONE;
}

/* The current hash, or the one before it while its transition lasts. */
static bool hash_is_current(const Sluice__ApiKey *record, struct str hash, int64_t now_ms)
{
    if (str_eq(wire_str(&record->hash), hash))
        return true;
    return str_eq(wire_str(&record->previous_hash), hash) && now_ms < record->previous_until_ms;
}

/* The person of a workspace-user key; who is gone, or no longer in the workspace, holds no role. */
static enum status load_person(struct kv_txn *txn, struct arena *arena, struct auth *auth)
{
    struct record_key key = {SLUICE__KIND__KIND_USER, auth->org, ID_NONE, auth->user};
    Sluice__User *user;
    auth->role = MEMBER_ROLE_NONE;
    auth->people = PEOPLE_NOBODY;
    enum status status = record_get(txn, &key, arena, &user, NULL);
    if (status == ST_NOT_FOUND ||
        (status == ST_OK && user->status != SLUICE__STATUS__STATUS_ACTIVE))
        return ST_UNAUTHORIZED;
    TRY(status);
    auth->person = user;
    TRY(person_role_in(txn, arena, &auth->org, &auth->user, user, &auth->workspace, &auth->role));
    auth->people = person_people(USER_ROLE_NONE, auth->role);
    return ST_OK;
}

static enum status identify_key(struct kv_txn *txn, struct arena *arena, struct str value,
                                int64_t now_ms, struct auth *auth)
{
    uint8_t hash[APIKEY_HASH_BYTES];
    apikey_hash(value, hash);
    struct str name = str_of((const char *)hash, sizeof(hash));
    struct record_key key;
    Sluice__ApiKey *record;
    enum status status = record_find(txn, SLUICE__KIND__KIND_API_KEY, NULL, NULL, name, &key);
    if (status == ST_OK)
        status = record_get(txn, &key, arena, &record, NULL);
    if (status == ST_NOT_FOUND)
        return ST_UNAUTHORIZED;
    TRY(status);
    if (record->status != SLUICE__STATUS__STATUS_ACTIVE || !hash_is_current(record, name, now_ms))
        return ST_UNAUTHORIZED;
    if (record->expires_at_ms != 0 && record->expires_at_ms <= now_ms)
        return ST_KEY_EXPIRED;
    *auth =
        (struct auth){.kind = AUTH_KEY,
                      .is_org = record->type == SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE,
                      .org = key.org,
                      .actor = key.id,
                      .record = record};
    TRY(wire_id(&record->workspace, &auth->workspace));
    TRY(wire_id(&record->user, &auth->user));
    if (auth->is_org != id_is_none(&auth->workspace))
        return ST_BAD_FORMAT;
    return id_is_none(&auth->user) ? ST_OK : load_person(txn, arena, auth);
}

/* A page of ours knows the guard word; a form or script of another site does not. */
static bool is_guarded(const struct http_request *request, const struct ticket *ticket)
{
    char guard[TICKET_GUARD_TEXT + 1];
    struct str sent = http_request_header(request, "x-csrf-token");
    if (request->method == HTTP_GET || request->method == HTTP_HEAD)
        return true;
    ticket_guard(ticket, guard);
    return sent.n == TICKET_GUARD_TEXT && sodium_memcmp(sent.p, guard, TICKET_GUARD_TEXT) == 0;
}

static enum status identify_session(struct kv_txn *txn, struct arena *arena,
                                    const struct http_request *request, int64_t now_ms,
                                    struct auth *auth)
{
    struct ticket ticket;
    Sluice__Session *session;
    Sluice__User *user;
    if (session_read_cookie(http_request_header(request, "cookie"), &ticket) != ST_OK)
        return ST_UNAUTHORIZED;
    TRY(session_find(txn, arena, &ticket, now_ms, &session, &user));
    if (!is_guarded(request, &ticket))
        return ST_FORBIDDEN;
    *auth = (struct auth){.kind = AUTH_SESSION,
                          .is_org = person_is_admin(user->role),
                          .org = ticket.org,
                          .actor = ticket.subject,
                          .user = ticket.subject,
                          .session = ticket.item,
                          .people = person_people((enum user_role)user->role, MEMBER_ROLE_NONE),
                          .person = user};
    return ST_OK;
}

struct str auth_credential(const struct http_request *request)
{
    struct str value = sent_key(request);
    return value.n > 0 ? value : session_cookie(http_request_header(request, "cookie"));
}

enum status auth_identify(struct kv_txn *txn, struct arena *arena,
                          const struct http_request *request, int64_t now_ms, struct auth *auth)
{
    struct str value = sent_key(request);
    if (value.n > 0)
        return identify_key(txn, arena, value, now_ms, auth);
    return identify_session(txn, arena, request, now_ms, auth);
}

enum status auth_act_in(struct kv_txn *txn, struct arena *arena, struct str name, struct auth *auth)
{
    struct record_key key = {.id = ID_NONE};
    if (auth->kind != AUTH_SESSION || auth->is_org)
        return ST_OK;
    if (name.n == 0)
        TRY(person_only_workspace(txn, &auth->org, &auth->user, &key.id));
    enum status status = name.n == 0 ? ST_OK
                                     : record_resolve(txn, SLUICE__KIND__KIND_WORKSPACE, &auth->org,
                                                      &ID_NONE, name, &key);
    if (status == ST_NOT_FOUND)
        return ST_FORBIDDEN;
    TRY(status);
    if (id_is_none(&key.id))
        return ST_OK;
    TRY(person_role_in(txn, arena, &auth->org, &auth->user, auth->person, &key.id, &auth->role));
    if (auth->role == MEMBER_ROLE_NONE)
        return ST_FORBIDDEN;
    auth->workspace = key.id;
    auth->people = person_people((enum user_role)auth->person->role, auth->role);
    return ST_OK;
}

static Sluice__ApiKeyType key_type(const struct auth *auth)
{
    return auth->record == NULL ? SLUICE__API_KEY_TYPE__API_KEY_NONE : auth->record->type;
}

static bool holds_one(const struct auth *auth, struct str scope)
{
    if (!scope_fits(key_type(auth), scope))
        return false;
    for (size_t i = 0; i < auth->record->n_scopes; i++)
        if (str_eq(str_c(auth->record->scopes[i]), scope))
            return true;
    return false;
}

static bool holds_any(const struct auth *auth, const char *scopes)
{
    struct str rest = str_c(scopes), scope;
    if (rest.n == 0)
        return true;
    while (str_split(&rest, '|', &scope))
        if (holds_one(auth, scope))
            return true;
    return false;
}

bool auth_may(const struct auth *auth, unsigned people, const char *scopes)
{
    bool admitted = (auth->people & people) != 0;
    if (auth->kind == AUTH_SESSION)
        return admitted;
    return auth->kind == AUTH_KEY && holds_any(auth, scopes) &&
           (id_is_none(&auth->user) || admitted);
}

enum status auth_permit(const struct auth *auth, const struct route *route)
{
    unsigned kind = auth_is_org(auth) ? ROUTE_ORG : ROUTE_WS;
    if (auth->kind == AUTH_KEY && ((unsigned)route->who & kind) == 0)
        return ST_FORBIDDEN;
    if (auth_may(auth, route->people, route->scope))
        return ST_OK;
    bool nowhere = auth->kind == AUTH_SESSION && !auth->is_org && id_is_none(&auth->workspace);
    return nowhere && (route->people & PEOPLE_WS_MEMBER) != 0 ? ST_INVALID : ST_FORBIDDEN;
}

bool auth_may_grant(const struct auth *auth, Sluice__ApiKeyType type, struct str scope)
{
    if (!scope_fits(type, scope))
        return false;
    if (auth->kind == AUTH_SESSION)
        return !auth_is_plain_member(auth) || scope_is_for_members(scope);
    return holds_one(auth, scope) || !scope_fits(key_type(auth), scope);
}
