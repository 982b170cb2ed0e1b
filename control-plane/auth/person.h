/* person.h: what somebody is in an organisation and in one of its workspaces.
 *
 * Pure over the store; any thread.
 */
#ifndef SLUICE_CONTROL_AUTH_PERSON_H
#define SLUICE_CONTROL_AUTH_PERSON_H

#include "control-plane/auth/roles.h"
#include "control-plane/store/records.h"

/* Role of a user in a workspace: admin for owners and admins of the organisation, else that of the
 * member's row; MEMBER_ROLE_NONE if there is none. ST_NO_MEMORY, store statuses. */
MUST_USE enum status person_role_in(struct kv_txn *txn, struct arena *arena, const struct id *org,
                                    const struct id *user, const Sluice__User *record,
                                    const struct id *workspace, enum member_role *role);

/* The one workspace that has this user as a member; none if there are none or several. */
MUST_USE enum status person_only_workspace(struct kv_txn *txn, const struct id *org,
                                           const struct id *user, struct id *workspace);

/* The set of roles that `column` of routes.def is held against. */
unsigned person_people(enum user_role org_role, enum member_role role);

static inline bool person_is_admin(uint32_t org_role)
{
    return org_role == USER_ROLE_OWNER || org_role == USER_ROLE_ADMIN;
}

#endif
