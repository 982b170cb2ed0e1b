/* auth.h: who asks, and what they may do.
 *
 * A caller is an API key or a person.
 *   key      in x-portkey-api-key or, when that is absent, in Authorization: Bearer; found by the
 *            hash of its value. It may what its kind admits (`who` of the route), one of the
 * route's scopes among its own admits, and lies in its workspace. A workspace-user key is the
 *            person's, so that person's role must admit it, too.
 *   session  in the cookie, when no key is sent (session.h); whatever changes something needs the
 *            session's guard word in x-csrf-token. Owners and admins act in the whole organisation;
 *            everybody else acts in one workspace per request: the one that the request names, or
 *            their only one. The route's `people` and the role there decide.
 * Everything else is no. Pure over the store; any thread; borrows the arena's lifetime.
 */
#ifndef SLUICE_CONTROL_AUTH_AUTH_H
#define SLUICE_CONTROL_AUTH_AUTH_H

#include "control-plane/auth/roles.h"
#include "control-plane/http/router.h"
#include "control-plane/store/records.h"

enum auth_kind { AUTH_NOBODY, AUTH_KEY, AUTH_SESSION };

struct auth {
    enum auth_kind kind;
    bool is_org; /* acts in the whole organisation */
    struct id org;
    struct id actor;     /* the key, or with a session the user */
    struct id workspace; /* the one it acts in; none with is_org */
    struct id user;      /* with a session, and of workspace-user keys */
    struct id session;
    unsigned people;              /* enum people; with `user` */
    enum member_role role;        /* in `workspace`; with `user` */
    const Sluice__User *person;   /* with `user` */
    const Sluice__ApiKey *record; /* of a key, else NULL */
};

/* Finds the caller. ST_UNAUTHORIZED: nobody, unknown or disabled; ST_KEY_EXPIRED; ST_FORBIDDEN: a
 * session without its guard word; ST_NO_MEMORY; store statuses. */
MUST_USE enum status auth_identify(struct kv_txn *txn, struct arena *arena,
                                   const struct http_request *request, int64_t now_ms,
                                   struct auth *auth);

/* The text that proves the caller: the key, or the session's ticket. n = 0: there is none. */
struct str auth_credential(const struct http_request *request);

/* Puts a session that is not of the whole organisation into a workspace: `name` (id or slug), or
 * with n = 0 the only one the person is in, if so. ST_FORBIDDEN: not theirs, whether it exists or
 * not. */
MUST_USE enum status auth_act_in(struct kv_txn *txn, struct arena *arena, struct str name,
                                 struct auth *auth);

/* True if a key holds one of `scopes` (separated by '|', "" is held by every key), or a person's
 * role is in `people`; a workspace-user key needs both. */
bool auth_may(const struct auth *auth, unsigned people, const char *scopes);

/* The caller against a route. ST_FORBIDDEN; ST_INVALID: a workspace must be named. */
MUST_USE enum status auth_permit(const struct auth *auth, const struct route *route);

/* May this caller give `scope` to a key of kind `type`? The kind must be able to hold it, and
 * nobody gives what they could hold and do not: a member of a workspace only what members need. */
bool auth_may_grant(const struct auth *auth, Sluice__ApiKeyType type, struct str scope);

static inline bool auth_is_org(const struct auth *auth)
{
    return auth->is_org;
}

/* Can do no more in its workspace than discover and call: sees and makes its own keys only. */
static inline bool auth_is_plain_member(const struct auth *auth)
{
    return auth->kind == AUTH_SESSION && !auth->is_org && auth->role != MEMBER_ROLE_ADMIN &&
           auth->role != MEMBER_ROLE_MANAGER;
}

#endif
