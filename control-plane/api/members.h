/* members.h: users inside workspaces, for the handlers that touch them.
 *
 * Everything runs in the call's transaction. Roles: MEMBER_ROLE_* are the values of Member.role.
 */
#ifndef SLUICE_CONTROL_API_MEMBERS_H
#define SLUICE_CONTROL_API_MEMBERS_H

#include "control-plane/api/call.h"

enum member_role { MEMBER_ROLE_NONE, MEMBER_ROLE_ADMIN, MEMBER_ROLE_MANAGER, MEMBER_ROLE_MEMBER };
enum user_role { USER_ROLE_NONE, USER_ROLE_OWNER, USER_ROLE_ADMIN, USER_ROLE_MEMBER };

/* A user of the organisation by id or e-mail. ST_NOT_FOUND with a message. */
MUST_USE enum status members_user(struct api_call *call, struct str name, struct record_key *key,
                                  Sluice__User **user);

/* Adds a user (id or e-mail) to a workspace; somebody who is there already gets the role.
 * ST_NOT_FOUND, store statuses. */
MUST_USE enum status members_add(struct api_call *call, const struct record_key *workspace,
                                 struct str user, enum member_role role);

/* Writes the members of a workspace as items of the array that is open. */
MUST_USE enum status members_write_all(struct api_call *call, const struct record_key *workspace);

#endif
