/* auth.c: from a header to a record, and from a record to yes or no.
 *
 * A key is looked up by its hash alone, so a guess costs a hash and an index miss whatever it looks
 * like. The record decides: its state, its expiry, its kind, its scopes. Invariant: no path leads
 * to ST_OK without a live record whose stored hash is the hash of what was sent. Must never log or
 * keep the value.
 */
#include "control-plane/auth/auth.h"

#include "common/apikey.h"
#include "common/wire.h"
#include "control-plane/auth/scopes.h"

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

enum status auth_identify(struct kv_txn *txn, struct arena *arena,
                          const struct http_request *request, int64_t now_ms, struct auth *auth)
{
    struct str value = sent_key(request);
    if (value.n == 0)
        return ST_UNAUTHORIZED;
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
    *auth = (struct auth){.type = record->type, .org = key.org, .key = key.id, .record = record};
    TRY(wire_id(&record->workspace, &auth->workspace));
    TRY(wire_id(&record->user, &auth->user));
    if (auth_is_org(auth) != id_is_none(&auth->workspace))
        return ST_BAD_FORMAT;
    return ST_OK;
}

static bool holds_one(const struct auth *auth, struct str scope)
{
    if (!scope_fits(auth->type, scope))
        return false;
    for (size_t i = 0; i < auth->record->n_scopes; i++)
        if (str_eq(str_c(auth->record->scopes[i]), scope))
            return true;
    return false;
}

bool auth_holds(const struct auth *auth, const char *scopes)
{
    struct str rest = str_c(scopes), scope;
    if (rest.n == 0)
        return true;
    while (str_split(&rest, '|', &scope))
        if (holds_one(auth, scope))
            return true;
    return false;
}

enum status auth_permit(const struct auth *auth, const struct route *route)
{
    unsigned kind = auth_is_org(auth) ? ROUTE_ORG : ROUTE_WS;
    if (((unsigned)route->who & kind) == 0)
        return ST_FORBIDDEN;
    return auth_holds(auth, route->scope) ? ST_OK : ST_FORBIDDEN;
}

bool auth_may_grant(const struct auth *auth, Sluice__ApiKeyType type, struct str scope)
{
    if (!scope_fits(type, scope))
        return false;
    return holds_one(auth, scope) || !scope_fits(auth->type, scope);
}
