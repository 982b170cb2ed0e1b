/* step_authenticate.c: whose request is this?
 *
 * The first known key wins, in the order x-portkey-api-key, Authorization, x-api-key, api-key, x-goog-api-key (ARCHITECTURE section 2); a
 * value is ours if its hash is known. A value that is not ours is the caller's provider credential or a dummy and never counts here.
 * Runs again after the body has arrived, so that a key revoked meanwhile is refused.
 */
#include "common/apikey.h"
#include "common/clock.h"
#include "data-plane/worker/req.h"

static struct str bearer(struct str value)
{
    return str_starts_nocase(value, STR("Bearer ")) ? str_trim(str_from(value, 7)) : value;
}

/* The record of a key value, or NULL. Between catalog_begin and catalog_end. */
static const struct cat_api_key *find_key(struct req *req, struct str value, uint8_t hash[32])
{
    if (value.n == 0 || value.n > 512)
        return NULL;
    apikey_hash(value, hash);
    struct str record;
    struct id none = ID_NONE;
    if (catalog_find(req->worker->catalog, SLUICE__KIND__KIND_API_KEY, &none, &none, str_of((char *)hash, 32), &record) != ST_OK)
        return NULL;
    const struct cat_api_key *key = CAT_AS(record, SLUICE__KIND__KIND_API_KEY, cat_api_key);
    if (key == NULL)
        return NULL;
    bool current = memcmp(key->hash, hash, 32) == 0;
    bool previous = memcmp(key->previous_hash, hash, 32) == 0 && clock_utc_ms() < key->previous_until_ms;
    return current || previous ? key : NULL;
}

static enum step_result take_key(struct req *req, const struct cat_api_key *key)
{
    struct req_auth *auth = &req->auth;
    auth->known = true;
    auth->revision = catalog_revision(req->worker->catalog);
    auth->key = key->head.id;
    auth->org = key->head.org;
    auth->workspace = key->head.parent;
    auth->user = key->user;
    auth->default_config = key->default_config;
    auth->key_type = key->type;
    auth->config_override = key->config_override;
    auth->scopes = key->scopes;
    auth->allowed_models = arena_str(&req->arena, cat_str(&key->head, key->allowed_models));
    auth->defaults_json = arena_str(&req->arena, cat_str(&key->head, key->defaults_json));
    if (key->limits.len > 0) {
        auth->name = arena_str(&req->arena, cat_str(&key->head, key->name));
        auth->limits = arena_str(&req->arena, cat_str(&key->head, key->limits));
        if (auth->limits.p == NULL)
            return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    }
    if (key->status != SLUICE__STATUS__STATUS_ACTIVE)
        return req_refuse(req, ST_KEY_REVOKED, "This API key has been revoked. Ask an admin of the workspace for a new one.");
    if (key->expires_at_ms != 0 && clock_utc_ms() >= key->expires_at_ms)
        return req_refuse(req, ST_KEY_EXPIRED, "This API key has expired. Ask an admin of the workspace for a new one.");
    return STEP_NEXT;
}

static enum step_result authenticate(struct req *req)
{
    static const struct str names[] = {{"x-portkey-api-key", 17}, {"authorization", 13}, {"x-api-key", 9},
                                       {"api-key", 7}, {"x-goog-api-key", 14}};
    bool any = false;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str value = bearer(http_head_get(req->head, names[i]));
        any = any || value.n > 0;
        const struct cat_api_key *key = find_key(req, value, req->auth.hash);
        if (key != NULL) {
            req->auth.value = value;
            return take_key(req, key);
        }
    }
    if (!any)
        return req_refuse(req, ST_UNAUTHORIZED,
                          "No API key was sent. Send your Sluice key in x-portkey-api-key or as Authorization: Bearer.");
    return req_refuse(req, ST_UNAUTHORIZED,
                      "The API key is not known. Send your Sluice key in x-portkey-api-key or as Authorization: Bearer.");
}

enum step_result req_step_authenticate(struct req *req)
{
    if (req->surface == REQ_SURFACE_RELAY)
        return STEP_NEXT; /* the control plane decides */
    enum status status = catalog_begin(req->worker->catalog);
    if (status != ST_OK)
        return req_refuse(req, status, "%s", status_row(status)->text);
    enum step_result result = authenticate(req);
    catalog_end(req->worker->catalog);
    if (result != STEP_NEXT)
        return result;
    if (req->surface == REQ_SURFACE_PASSTHROUGH && (req->auth.scopes & CAT_SCOPE_PASSTHROUGH) == 0)
        return req_refuse(req, ST_NO_ROUTE,
                          "There is no endpoint /v1" STR_FMT ". To pass it through to a provider, "
                          "this API key would need the scope passthrough.invoke.",
                          STR_ARG(str_head(req->path, 100)));
    if (req->auth.key_type == SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE && req->surface != REQ_SURFACE_MODELS)
        return req_refuse(req, ST_ORG_KEY,
                          "Organisation keys manage; they cannot call models. Use a key of a workspace.");
    return STEP_NEXT;
}
