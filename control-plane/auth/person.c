/* person.c: see person.h. Unknown values of a stored role are no role: they admit nowhere. */
#include "control-plane/auth/person.h"

enum status person_role_in(struct kv_txn *txn, struct arena *arena, const struct id *org,
                           const struct id *user, const Sluice__User *record,
                           const struct id *workspace, enum member_role *role)
{
    struct record_key key = {SLUICE__KIND__KIND_MEMBER, *org, *workspace, *user};
    Sluice__Member *member;
    *role = MEMBER_ROLE_ADMIN;
    if (person_is_admin(record->role))
        return ST_OK;
    *role = MEMBER_ROLE_NONE;
    enum status status = record_get(txn, &key, arena, &member, NULL);
    if (status == ST_OK && member->role <= MEMBER_ROLE_MEMBER)
        *role = (enum member_role)member->role;
    return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status person_only_workspace(struct kv_txn *txn, const struct id *org, const struct id *user,
                                  struct id *workspace)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    size_t found = 0;
    *workspace = ID_NONE;
    TRY(record_cursor_open(txn, SLUICE__KIND__KIND_WORKSPACE, org, &ID_NONE, &cursor));
    enum status status = ST_OK;
    while (status == ST_OK && found < 2) {
        status = record_cursor_next(cursor, NULL, &key, NULL, NULL);
        struct record_key member = {SLUICE__KIND__KIND_MEMBER, *org, key.id, *user};
        if (status != ST_OK || !record_exists(txn, &member))
            continue;
        found++;
        *workspace = found == 1 ? key.id : ID_NONE;
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

unsigned person_people(enum user_role org_role, enum member_role role)
{
    unsigned people = PEOPLE_SIGNED_IN;
    if (org_role == USER_ROLE_OWNER)
        people |= PEOPLE_OWNER;
    if (org_role == USER_ROLE_ADMIN)
        people |= PEOPLE_ADMIN;
    if (role == MEMBER_ROLE_ADMIN)
        people |= PEOPLE_WS_ADMIN;
    if (role == MEMBER_ROLE_MANAGER)
        people |= PEOPLE_WS_MANAGER;
    if (role == MEMBER_ROLE_MEMBER)
        people |= PEOPLE_WS_MEMBER;
    return people;
}
