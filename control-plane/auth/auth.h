/* auth.h: who asks, and what they may do.
 *
 * An admin call is made with an API key in x-portkey-api-key or, when that is absent, in
 * Authorization: Bearer. The key is found by the hash of its value; nothing else about the value is
 * looked at. What a key may do is: its kind admits the route, one of the route's scopes is among
 * its scopes and may be held by its kind, and the workspace is its own. Everything else is no. Pure
 * over the store; any thread; borrows the arena's lifetime.
 */
#ifndef SLUICE_CONTROL_AUTH_AUTH_H
#define SLUICE_CONTROL_AUTH_AUTH_H

#include "control-plane/http/router.h"
#include "control-plane/store/records.h"

struct auth {
    Sluice__ApiKeyType type;
    struct id org, key;
    struct id workspace; /* none for organisation keys */
    struct id user;      /* of workspace-user keys */
    const Sluice__ApiKey *record;
};

/* Reads the caller's key and finds its record. ST_UNAUTHORIZED: none, unknown or disabled;
 * ST_KEY_EXPIRED; ST_NO_MEMORY; store statuses. */
MUST_USE enum status auth_identify(struct kv_txn *txn, struct arena *arena,
                                   const struct http_request *request, int64_t now_ms,
                                   struct auth *auth);

/* True if the key holds one of `scopes` (separated by '|'); "" is held by every key. */
bool auth_holds(const struct auth *auth, const char *scopes);

/* Kind and scope against a route. ST_FORBIDDEN. */
MUST_USE enum status auth_permit(const struct auth *auth, const struct route *route);

/* May this caller give `scope` to a key of kind `type`? The kind must be able to hold it, and
 * nobody gives what they could hold and do not. */
bool auth_may_grant(const struct auth *auth, Sluice__ApiKeyType type, struct str scope);

static inline bool auth_is_org(const struct auth *auth)
{
    return auth->type == SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE;
}

#endif
