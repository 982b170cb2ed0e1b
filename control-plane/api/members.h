/* members.h: users inside workspaces, for the handlers that touch them.
 *
 * Everything runs in the call's transaction.
 */
#ifndef SLUICE_CONTROL_API_MEMBERS_H
#define SLUICE_CONTROL_API_MEMBERS_H

#include "control-plane/api/call.h"

#define MEMBERS_NAME_MAX 255 /* bytes of a first or last name */

/* A user of the organisation by id or e-mail. ST_NOT_FOUND with a message. */
MUST_USE enum status members_user(struct api_call *call, struct str name, struct record_key *key,
                                  Sluice__User **user);

/* Adds a user (id or e-mail) to a workspace; somebody who is there already gets the role.
 * ST_NOT_FOUND, store statuses. */
MUST_USE enum status members_add(struct api_call *call, const struct record_key *workspace,
                                 struct str user, enum member_role role);

/* Removes the keys that act for a user: in one workspace, or with NULL in all; `strays`: only where
 * the user is no member. */
MUST_USE enum status members_remove_keys(struct api_call *call, const struct id *user,
                                         const struct id *workspace, bool strays);

/* "admin" and "ws-admin" are the same. MEMBER_ROLE_NONE: no such role. */
enum member_role members_role(struct str text);
const char *members_role_text(enum member_role role);
const char *members_org_role_text(uint32_t role);

/* An owner is governed by owners only. ST_FORBIDDEN with a message. */
MUST_USE enum status members_may_govern(struct api_call *call, const Sluice__User *user);

/* Writes the members of a workspace as items of the array that is open. */
MUST_USE enum status members_write_all(struct api_call *call, const struct record_key *workspace);

#endif
