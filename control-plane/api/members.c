/* members.c: /v1/admin/workspaces/{workspace}/users.
 *
 * Membership is one row per (workspace, user). Owners and admins of the organisation are admins of
 * every workspace whatever their row says, and read back so. Adding is idempotent: clients add
 * people who are there already and count on success. Who leaves a workspace leaves no key there.
 */
#include "control-plane/api/members.h"

#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/api/resolve.h"
#include "control-plane/auth/person.h"

static const struct field rows[] = {
    {"users", FIELD_OTHER, 0, 0, 0, 0},
    {"role", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_member = {"member", rows, COUNT_OF(rows)};

static const char *const roles[] = {NULL, "admin", "manager", "member"};

static const char *const org_roles[] = {NULL, "owner", "admin", "member"};

const char *members_org_role_text(uint32_t role)
{
    return role > USER_ROLE_NONE && role < COUNT_OF(org_roles) ? org_roles[role] : "member";
}

const char *members_role_text(enum member_role role)
{
    return role > MEMBER_ROLE_NONE && (size_t)role < COUNT_OF(roles) ? roles[role] : "member";
}

enum member_role members_role(struct str text)
{
    if (str_starts(text, STR("ws-")))
        text = str_from(text, 3);
    for (size_t i = 1; i < COUNT_OF(roles); i++)
        if (str_eq(text, str_c(roles[i])))
            return (enum member_role)i;
    return MEMBER_ROLE_NONE;
}

/* What the member is in effect. */
static const char *effective_role(const Sluice__Member *member, const Sluice__User *user)
{
    if (person_is_admin(user->role))
        return roles[MEMBER_ROLE_ADMIN];
    return members_role_text((enum member_role)member->role);
}

enum status members_may_govern(struct api_call *call, const Sluice__User *user)
{
    bool owner = (call->auth.people & PEOPLE_OWNER) != 0;
    if (user->role != USER_ROLE_OWNER || owner)
        return ST_OK;
    return api_fail(call, ST_FORBIDDEN, "This is an owner: only an owner who is signed in may");
}

enum status members_remove_keys(struct api_call *call, const struct id *user,
                                const struct id *workspace, bool strays)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__ApiKey *record;
    arena_init(&scratch, 1u << 20);
    enum status status = workspace == NULL
                             ? record_cursor_open_org(call->txn, SLUICE__KIND__KIND_API_KEY,
                                                      &call->auth.org, &cursor)
                             : record_cursor_open(call->txn, SLUICE__KIND__KIND_API_KEY,
                                                  &call->auth.org, workspace, &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &record, NULL);
        if (status != ST_OK || !str_eq(wire_str(&record->user), id_bytes(user)))
            continue;
        struct record_key member = {SLUICE__KIND__KIND_MEMBER, key.org, key.parent, *user};
        if (!strays || !record_exists(call->txn, &member))
            status = record_delete(call->op, &key);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    return status == ST_END ? ST_OK : status;
}

static void write_member(struct json_writer *w, const struct record_key *key,
                         const Sluice__Member *member, const Sluice__User *user)
{
    jw_object(w);
    jw_field_cstr(w, "object", "workspace-user");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "first_name", user->first_name);
    jw_field_cstr(w, "last_name", user->last_name);
    jw_field_cstr(w, "email", user->email);
    jw_field_cstr(w, "org_role", members_org_role_text(user->role));
    jw_field_cstr(w, "role", effective_role(member, user));
    jw_field_cstr(w, "status", "active");
    jw_field_id(w, "workspace_id", &key->parent);
    jw_key(w, "scopes");
    jw_array(w);
    jw_end(w);
    jw_field_time(w, "created_at", member->created_at_ms);
    jw_field_time(w, "last_updated_at", member->updated_at_ms);
    jw_end(w);
}

struct member_filter {
    struct str role, email;
    bool all;
};

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const struct member_filter *filter = arg;
    struct api_call *call = list->call;
    struct record_key user_key = {SLUICE__KIND__KIND_USER, key->org, ID_NONE, key->id};
    Sluice__User *user;
    enum status status = record_get(call->txn, &user_key, call->arena, &user, NULL);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if ((filter->role.n > 0 &&
         members_role(filter->role) != members_role(str_c(effective_role(message, user)))) ||
        (filter->email.n > 0 && !str_eq_nocase(filter->email, str_c(user->email))))
        return ST_OK;
    if (list_wants(list) || filter->all)
        write_member(&call->json, key, message, user);
    return ST_OK;
}

enum status members_write_all(struct api_call *call, const struct record_key *workspace)
{
    struct list list;
    struct member_filter filter = {.all = true};
    list_open(&list, call, LIST_PAGE_MAX);
    return list_run(&list, SLUICE__KIND__KIND_MEMBER, &workspace->id, list_row, &filter);
}

enum status api_members_list(struct api_call *call)
{
    struct record_key workspace;
    Sluice__Workspace *record;
    struct list list;
    struct member_filter filter = {api_query(call, "role"), api_query(call, "email"), false};
    TRY(resolve_workspace(call, call->params[0], &workspace, &record));
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_MEMBER, &workspace.id, list_row, &filter));
    list_end(&list);
    return ST_OK;
}

static enum status put_member(struct api_call *call, const struct record_key *key,
                              Sluice__Member *member, enum member_role role)
{
    member->user = wire_id_data(&key->id);
    member->role = role;
    member->updated_at_ms = call->now_ms;
    return record_put(call->op, key, member, STR_NONE);
}

enum status members_add(struct api_call *call, const struct record_key *workspace, struct str user,
                        enum member_role role)
{
    struct record_key user_key;
    Sluice__User *record;
    Sluice__Member fresh = SLUICE__MEMBER__INIT, *member = &fresh;
    TRY(members_user(call, user, &user_key, &record));
    struct record_key key = {SLUICE__KIND__KIND_MEMBER, workspace->org, workspace->id, user_key.id};
    fresh.created_at_ms = call->now_ms;
    enum status status = record_get(call->txn, &key, call->arena, &member, NULL);
    if (status == ST_NOT_FOUND)
        member = &fresh;
    else if (status != ST_OK)
        return status;
    return put_member(call, &key, member, role);
}

static enum status read_role(struct api_call *call, const struct json *node, enum member_role *role)
{
    struct str text;
    *role = MEMBER_ROLE_NONE;
    if (json_text(node, call->arena, &text) == ST_OK)
        *role = members_role(text);
    if (*role == MEMBER_ROLE_NONE)
        return api_invalid(call, "role", "must be admin, manager or member");
    return ST_OK;
}

enum status api_members_create(struct api_call *call)
{
    struct record_key workspace;
    Sluice__Workspace *record;
    const struct json *users = api_body(call, "users");
    TRY(resolve_workspace(call, call->params[0], &workspace, &record));
    if (!json_is(users, JSON_ARRAY) || users->count == 0)
        return api_invalid(call, "users", "must be an array of {id, role}");
    for (const struct json *item = users->first; item != NULL; item = item->next) {
        struct str user;
        enum member_role role;
        if (json_text(json_get(item, "id"), call->arena, &user) != ST_OK)
            return api_invalid(call, "users.id", "is required");
        TRY(read_role(call, json_get(item, "role"), &role));
        TRY(members_add(call, &workspace, user, role));
    }
    api_audit(call, "add_members", "workspace", &workspace.id, &workspace.id, record->slug);
    return ST_OK;
}

/* The membership that the path names. */
static enum status find_member(struct api_call *call, struct record_key *key,
                               Sluice__Member **member, Sluice__User **user)
{
    struct record_key workspace, user_key;
    Sluice__Workspace *record;
    TRY(resolve_workspace(call, call->params[0], &workspace, &record));
    TRY(members_user(call, call->params[1], &user_key, user));
    *key = (struct record_key){SLUICE__KIND__KIND_MEMBER, workspace.org, workspace.id, user_key.id};
    return api_found(call, record_get(call->txn, key, call->arena, member, NULL), "Member");
}

enum status api_members_get(struct api_call *call)
{
    struct record_key key;
    Sluice__Member *member;
    Sluice__User *user;
    TRY(find_member(call, &key, &member, &user));
    write_member(&call->json, &key, member, user);
    return ST_OK;
}

enum status api_members_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Member *member;
    Sluice__User *user;
    enum member_role role;
    TRY(find_member(call, &key, &member, &user));
    TRY(read_role(call, api_body(call, "role"), &role));
    TRY(put_member(call, &key, member, role));
    api_audit(call, "update", "workspace_user", &key.parent, &key.id, user->email);
    write_member(&call->json, &key, member, user);
    return ST_OK;
}

enum status api_members_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__Member *member;
    Sluice__User *user;
    TRY(find_member(call, &key, &member, &user));
    TRY(api_trash(call, "workspace_user", &key, &key.parent, user->email));
    TRY(record_delete(call->op, &key));
    if (!person_is_admin(user->role))
        TRY(members_remove_keys(call, &key.id, &key.parent, false));
    api_audit(call, "delete", "workspace_user", &key.parent, &key.id, user->email);
    return ST_OK;
}
