/* users.c: /v1/admin/users.
 *
 * People of the organisation. Their e-mail (in lower case) is their unique name. An owner can be
 * neither demoted nor removed here: an organisation must not lose its last way in through an API
 * call. Removing a user takes along memberships, sessions and the keys that act for them.
 */
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/api/members.h"
#include "control-plane/auth/session.h"
#include "control-plane/domain/email.h"

#define AT(member) FIELD_AT(Sluice__User, member)

static const struct field rows[] = {
    {"first_name", FIELD_TEXT, FIELD_OUT | FIELD_TEXT_OUT, AT(first_name), 0, 255},
    {"last_name", FIELD_TEXT, FIELD_OUT | FIELD_TEXT_OUT, AT(last_name), 0, 255},
    {"role", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_user = {"user", rows, COUNT_OF(rows)};

enum status members_user(struct api_call *call, struct str name, struct record_key *key,
                         Sluice__User **user)
{
    struct id id;
    if (id_from_text(name, &id) != ST_OK)
        name = email_lower(call->arena, name);
    if (name.p == NULL)
        return ST_NO_MEMORY;
    enum status status =
        record_resolve(call->txn, SLUICE__KIND__KIND_USER, &call->auth.org, &ID_NONE, name, key);
    if (status == ST_OK)
        status = record_get(call->txn, key, call->arena, user, NULL);
    return api_found(call, status, "User");
}

/* Slugs of the workspaces that list this user. */
static enum status write_workspaces(struct api_call *call, const struct record_key *user)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__Workspace *workspace;
    arena_init(&scratch, 4u << 20);
    jw_key(&call->json, "workspace_ids");
    jw_array(&call->json);
    enum status status =
        record_cursor_open(call->txn, SLUICE__KIND__KIND_WORKSPACE, &user->org, &ID_NONE, &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &workspace, NULL);
        if (status != ST_OK)
            break;
        struct record_key member = {SLUICE__KIND__KIND_MEMBER, user->org, key.id, user->id};
        Sluice__Member *record;
        status = record_get(call->txn, &member, &scratch, &record, NULL);
        if (status == ST_OK)
            jw_cstr(&call->json, workspace->slug);
        else if (status == ST_NOT_FOUND)
            status = ST_OK;
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    jw_end(&call->json);
    return status == ST_END ? ST_OK : status;
}

static enum status write_user(struct api_call *call, const struct record_key *key,
                              const Sluice__User *user)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_cstr(w, "object", "user");
    jw_field_id(w, "id", &key->id);
    fields_write(w, &api_fields_user, user);
    jw_field_cstr(w, "role", members_org_role_text(user->role));
    jw_field_cstr(w, "email", user->email);
    jw_field_cstr(w, "status", "active");
    jw_field_time(w, "created_at", user->created_at_ms);
    jw_field_time(w, "last_updated_at", user->updated_at_ms);
    jw_field_time(w, "updated_at", user->updated_at_ms);
    TRY(write_workspaces(call, key));
    jw_end(w);
    return ST_OK;
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const Sluice__User *user = message;
    struct str role = api_query(list->call, "role"), email = api_query(list->call, "email");
    (void)arg;
    if ((role.n > 0 && !str_eq(role, str_c(members_org_role_text(user->role)))) ||
        (email.n > 0 && !str_eq_nocase(email, str_c(user->email))))
        return ST_OK;
    return list_wants(list) ? write_user(list->call, key, user) : ST_OK;
}

enum status api_users_list(struct api_call *call)
{
    struct list list;
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_USER, &ID_NONE, list_row, NULL));
    list_end(&list);
    return ST_OK;
}

enum status api_users_get(struct api_call *call)
{
    struct record_key key;
    Sluice__User *user;
    TRY(members_user(call, call->params[0], &key, &user));
    return write_user(call, &key, user);
}

static enum status read_role(struct api_call *call, Sluice__User *user)
{
    struct str role;
    TRY(api_body_text(call, "role", &role));
    if (role.p == NULL)
        return ST_OK;
    uint32_t wanted = str_eq(role, STR("admin"))    ? USER_ROLE_ADMIN
                      : str_eq(role, STR("member")) ? USER_ROLE_MEMBER
                                                    : USER_ROLE_NONE;
    if (wanted == USER_ROLE_NONE)
        return api_invalid(call, "role", "must be admin or member");
    if (user->role == USER_ROLE_OWNER)
        return api_fail(call, ST_FORBIDDEN, "role: an owner's role cannot be changed here");
    user->role = wanted;
    return ST_OK;
}

enum status api_users_update(struct api_call *call)
{
    struct record_key key;
    Sluice__User *user;
    TRY(members_user(call, call->params[0], &key, &user));
    TRY(fields_read(call, &api_fields_user, user, false));
    uint32_t before = user->role;
    TRY(read_role(call, user));
    if (before == USER_ROLE_ADMIN && user->role == USER_ROLE_MEMBER)
        TRY(members_remove_keys(call, &key.id, NULL, true));
    user->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, user, str_c(user->email)));
    api_audit(call, "update", "user", NULL, &key.id, user->email);
    return write_user(call, &key, user);
}

static enum status remove_memberships(struct api_call *call, const struct record_key *user)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    enum status status =
        record_cursor_open_org(call->txn, SLUICE__KIND__KIND_MEMBER, &user->org, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, NULL, &key, NULL, NULL);
        if (status == ST_OK && id_eq(&key.id, &user->id))
            status = record_delete(call->op, &key);
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status api_users_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__User *user;
    TRY(members_user(call, call->params[0], &key, &user));
    if (user->role == USER_ROLE_OWNER)
        return api_fail(call, ST_FORBIDDEN, "An owner cannot be removed here");
    TRY(api_trash(call, "user", &key, NULL, user->email));
    TRY(remove_memberships(call, &key));
    TRY(members_remove_keys(call, &key.id, NULL, false));
    TRY(session_end_all(call->op, &key.org, &key.id, NULL));
    TRY(record_delete(call->op, &key));
    api_audit(call, "delete", "user", NULL, &key.id, user->email);
    return ST_OK;
}
