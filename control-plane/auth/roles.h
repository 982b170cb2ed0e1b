/* roles.h: what people are, and who of them a route admits.
 *
 * A person is something in the organisation (owner, admin, member) and something in each workspace
 * that has them (admin, manager, member); owners and admins of the organisation are admins of every
 * workspace. Values are stored (User.role, Member.role): append only.
 */
#ifndef SLUICE_CONTROL_AUTH_ROLES_H
#define SLUICE_CONTROL_AUTH_ROLES_H

enum user_role { USER_ROLE_NONE, USER_ROLE_OWNER, USER_ROLE_ADMIN, USER_ROLE_MEMBER };
enum member_role { MEMBER_ROLE_NONE, MEMBER_ROLE_ADMIN, MEMBER_ROLE_MANAGER, MEMBER_ROLE_MEMBER };

/* The column `people` of routes.def: a set of roles. A workspace's roles count for the workspace
 * that a request is about; SIGNED_IN is everybody with a session, also where no workspace is meant.
 */
enum people {
    PEOPLE_NOBODY = 0,
    PEOPLE_OWNER = 1,
    PEOPLE_ADMIN = 2,
    PEOPLE_WS_ADMIN = 4,
    PEOPLE_WS_MANAGER = 8,
    PEOPLE_WS_MEMBER = 16,
    PEOPLE_SIGNED_IN = 32,
    PEOPLE_ADMINS = PEOPLE_OWNER | PEOPLE_ADMIN,
    PEOPLE_MANAGERS = PEOPLE_ADMINS | PEOPLE_WS_ADMIN | PEOPLE_WS_MANAGER,
    PEOPLE_MEMBERS = PEOPLE_MANAGERS | PEOPLE_WS_MEMBER,
    PEOPLE_ALL = PEOPLE_MEMBERS | PEOPLE_SIGNED_IN,
};

#endif
