/* members.c: /v1/admin/workspaces/{workspace}/users.
 *
 * Membership is one row per (workspace, user). Owners and admins of the organisation are admins of
 * every workspace whatever their row says, and read back so. Adding is idempotent: clients add
 * people who are there already and count on success.
 */
#include "control-plane/api/members.h"

#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/api/resolve.h"

static const struct field rows[] = {
    {"users", FIELD_OTHER, 0, 0, 0, 0},
    {"role", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_member = {"member", rows, COUNT_OF(rows)};

static const char *const roles[] = {NULL, "admin", "manager", "member"};

/* "admin" and "ws-admin" are the same. MEMBER_ROLE_NONE if unknown. */
static enum member_role role_of(struct str text)
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
    if (user->role == USER_ROLE_OWNER || user->role == USER_ROLE_ADMIN)
        return roles[MEMBER_ROLE_ADMIN];
    return member->role < COUNT_OF(roles) && roles[member->role] != NULL ? roles[member->role]
                                                                         : "member";
}

static void write_member(struct json_writer *w, const struct record_key *key,
                         const Sluice__Member *member, const Sluice__User *user)
{
    static const char *const org_roles[] = {"member", "owner", "admin", "member"};
    jw_object(w);
    jw_field_cstr(w, "object", "workspace-user");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "first_name", user->first_name);
    jw_field_cstr(w, "last_name", user->last_name);
    jw_field_cstr(w, "email", user->email);
    jw_field_cstr(w, "org_role", org_roles[user->role < COUNT_OF(org_roles) ? user->role : 0]);
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
         role_of(filter->role) != role_of(str_c(effective_role(message, user)))) ||
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
        *role = role_of(text);
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
    TRY(record_delete(call->op, &key));
    api_audit(call, "delete", "workspace_user", &key.parent, &key.id, user->email);
    return ST_OK;
}
