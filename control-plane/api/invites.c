/* invites.c: /v1/admin/users/invites: asking somebody in. Accepting is invites_accept.c.
 *
 * An invite is a ticket for an e-mail address with a role, and roles in workspaces. Its link is
 * shown in the reply that made it, so it works without mail; only the ticket's hash is stored. One
 * invite that waits per address. It waits for INVITE_MS, then reads back as expired; resending
 * makes a new link and the old one ends. Workspaces are given back exactly as they were sent.
 */
#include "control-plane/api/invites.h"

#include "common/secret.h"
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/api/members.h"
#include "control-plane/api/resolve.h"
#include "control-plane/auth/scopes.h"
#include "control-plane/auth/ticket.h"
#include "control-plane/domain/email.h"

#define INVITE_MS             ((int64_t)7 * 24 * 3600 * 1000)
#define INVITE_WORKSPACES_MAX 64u
#define INVITE_SCOPES_MAX     512u

static const struct field rows[] = {
    {"email", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"role", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"workspaces", FIELD_OTHER, 0, 0, 0, 0},
    {"workspace_api_key_details", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_invite = {"invite", rows, COUNT_OF(rows)};

static const char *state_text(const Sluice__Invite *invite, int64_t now_ms)
{
    if (invite->state == INVITE_CANCELLED)
        return "cancelled";
    if (invite->state == INVITE_ACCEPTED)
        return "accepted";
    return invite->expires_at_ms <= now_ms ? "expired" : "pending";
}

static void write_invite(struct api_call *call, const struct record_key *key,
                         const Sluice__Invite *invite)
{
    struct json_writer *w = &call->json;
    struct id by;
    jw_field_cstr(w, "object", "invite");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "email", invite->email);
    jw_field_cstr(w, "role", members_org_role_text(invite->role));
    jw_field_cstr(w, "status", state_text(invite, call->now_ms));
    jw_field_id(w, "invited_by", wire_id(&invite->invited_by, &by) == ST_OK ? &by : &ID_NONE);
    if (invite->n_workspaces > 0) {
        jw_key(w, "workspaces");
        jw_array(w);
        for (size_t i = 0; i < invite->n_workspaces; i++) {
            jw_object(w);
            jw_field_cstr(w, "id", invite->workspaces[i]->name);
            jw_field_cstr(w, "role",
                          members_role_text((enum member_role)invite->workspaces[i]->role));
            jw_end(w);
        }
        jw_end(w);
    }
    jw_field_time(w, "created_at", invite->created_at_ms);
    jw_field_time(w, "expires_at", invite->expires_at_ms);
    jw_field_time(w, "accepted_at", invite->accepted_at_ms);
}

/* --- what is asked for */

static enum status read_workspace(struct api_call *call, const struct json *item,
                                  Sluice__InviteWorkspace **out)
{
    struct str name, role = STR_NONE;
    struct record_key *key = arena_alloc(call->arena, sizeof(*key));
    Sluice__InviteWorkspace *row = arena_alloc(call->arena, sizeof(*row));
    Sluice__Workspace *workspace;
    if (key == NULL || row == NULL)
        return ST_NO_MEMORY;
    sluice__invite_workspace__init(row);
    if (json_text(json_get(item, "id"), call->arena, &name) != ST_OK)
        return api_invalid(call, "workspaces.id", "is required");
    if (json_text(json_get(item, "role"), call->arena, &role) == ST_OK)
        row->role = members_role(role);
    if (row->role == MEMBER_ROLE_NONE)
        return api_invalid(call, "workspaces.role", "must be admin, manager or member");
    TRY(resolve_workspace(call, name, key, &workspace));
    row->workspace = wire_id_data(&key->id);
    TRY(api_cstr(call->arena, name, &row->name));
    *out = row;
    return ST_OK;
}

static enum status read_workspaces(struct api_call *call, Sluice__Invite *invite)
{
    const struct json *list = api_body(call, "workspaces");
    if (json_is_none(list))
        return ST_OK;
    if (!json_is(list, JSON_ARRAY) || list->count > INVITE_WORKSPACES_MAX)
        return api_invalid(call, "workspaces", "must be an array of at most 64 {id, role}");
    invite->workspaces = arena_calloc(call->arena, list->count + 1, sizeof(*invite->workspaces));
    if (invite->workspaces == NULL)
        return ST_NO_MEMORY;
    for (const struct json *item = list->first; item != NULL; item = item->next)
        TRY(read_workspace(call, item, &invite->workspaces[invite->n_workspaces++]));
    return ST_OK;
}

/* Scopes of the keys that the new member gets, one in each workspace. */
static enum status read_scopes(struct api_call *call, Sluice__Invite *invite)
{
    const struct json *details = api_body(call, "workspace_api_key_details");
    const struct json *list = json_get(details, "scopes");
    const Sluice__ApiKeyType type = SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER;
    if (json_is_none(details))
        return ST_OK;
    if (!json_is(list, JSON_ARRAY) || list->count > INVITE_SCOPES_MAX)
        return api_invalid(call, "workspace_api_key_details.scopes", "must be an array of scopes");
    invite->key_scopes = arena_calloc(call->arena, list->count + 1, sizeof(*invite->key_scopes));
    if (invite->key_scopes == NULL)
        return ST_NO_MEMORY;
    for (const struct json *item = list->first; item != NULL; item = item->next) {
        struct str scope;
        if (json_text(item, call->arena, &scope) != ST_OK || !scope_fits(type, scope))
            return api_invalid(call, "workspace_api_key_details.scopes",
                               "holds what a workspace-user key cannot hold");
        if (!auth_may_grant(&call->auth, type, scope))
            return api_fail(
                call, ST_FORBIDDEN,
                "workspace_api_key_details.scopes: you cannot give what you do not hold");
        TRY(api_cstr(call->arena, scope, &invite->key_scopes[invite->n_key_scopes++]));
    }
    return ST_OK;
}

static enum status read_invite(struct api_call *call, Sluice__Invite *invite)
{
    struct str email, role;
    struct record_key user;
    TRY(api_body_text(call, "email", &email));
    if (!email_is_valid(email))
        return api_invalid(call, "email", "must be an e-mail address");
    email = email_lower(call->arena, email);
    if (email.p == NULL)
        return ST_NO_MEMORY;
    TRY(api_body_text(call, "role", &role));
    invite->role = str_eq(role, STR("admin"))    ? USER_ROLE_ADMIN
                   : str_eq(role, STR("member")) ? USER_ROLE_MEMBER
                                                 : USER_ROLE_NONE;
    if (invite->role == USER_ROLE_NONE)
        return api_invalid(call, "role", "must be admin or member");
    TRY(read_workspaces(call, invite));
    TRY(read_scopes(call, invite));
    TRY(api_cstr(call->arena, email, &invite->email));
    enum status status =
        record_find(call->txn, SLUICE__KIND__KIND_USER, &call->auth.org, &ID_NONE, email, &user);
    if (status == ST_OK)
        return api_fail(call, ST_CONFLICT, "email: belongs to a user already");
    return status == ST_NOT_FOUND ? ST_OK : status;
}

/* An invite that waited too long no longer holds its address. */
static enum status free_address(struct api_call *call, struct str email)
{
    struct record_key key;
    Sluice__Invite *invite;
    enum status status =
        record_find(call->txn, SLUICE__KIND__KIND_INVITE, &call->auth.org, &ID_NONE, email, &key);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    TRY(record_get(call->txn, &key, call->arena, &invite, NULL));
    if (invite->expires_at_ms > call->now_ms)
        return api_fail(call, ST_CONFLICT, "email: was invited already, the invite is still open");
    return record_put(call->op, &key, invite, STR_NONE);
}

/* --- handlers */

/* A new ticket for the invite, in `link`. */
static enum status renew(struct api_call *call, const struct record_key *key,
                         Sluice__Invite *invite, struct str *link)
{
    struct ticket ticket;
    uint8_t hash[TICKET_HASH_BYTES];
    ticket_make(TICKET_INVITE, &key->org, &key->id, &ID_NONE, &ticket);
    ticket_hash(&ticket, hash);
    invite->hash = wire_data(str_of((const char *)hash, sizeof(hash)));
    invite->updated_at_ms = call->now_ms;
    invite->expires_at_ms = call->now_ms + INVITE_MS;
    *link = ticket_link(call->arena, call->api->control_url, "invite", &ticket);
    secret_wipe(&ticket, sizeof(ticket));
    enum status status =
        link->p == NULL ? ST_NO_MEMORY : record_put(call->op, key, invite, str_c(invite->email));
    invite->hash = wire_data(STR_NONE);
    return status;
}

enum status api_invites_create(struct api_call *call)
{
    Sluice__Invite invite = SLUICE__INVITE__INIT;
    struct record_key key = {SLUICE__KIND__KIND_INVITE, call->auth.org, ID_NONE, id_new()};
    struct str link;
    TRY(read_invite(call, &invite));
    TRY(free_address(call, str_c(invite.email)));
    invite.id = wire_id_data(&key.id);
    invite.invited_by = wire_id_data(&call->auth.actor);
    invite.created_at_ms = call->now_ms;
    TRY(renew(call, &key, &invite, &link));
    api_audit(call, "create", "invite", NULL, &key.id, invite.email);
    jw_object(&call->json);
    write_invite(call, &key, &invite);
    jw_field_str(&call->json, "invite_link", link);
    jw_end(&call->json);
    return ST_OK;
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const Sluice__Invite *invite = message;
    struct api_call *call = list->call;
    struct str role = api_query(call, "role"), email = api_query(call, "email"),
               status = api_query(call, "status");
    (void)arg;
    if ((role.n > 0 && !str_eq(role, str_c(members_org_role_text(invite->role)))) ||
        (email.n > 0 && !str_eq_nocase(email, str_c(invite->email))) ||
        (status.n > 0 && !str_eq(status, str_c(state_text(invite, call->now_ms)))))
        return ST_OK;
    if (list_wants(list)) {
        jw_object(&call->json);
        write_invite(call, key, invite);
        jw_end(&call->json);
    }
    return ST_OK;
}

enum status api_invites_list(struct api_call *call)
{
    struct list list;
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_INVITE, &ID_NONE, list_row, NULL));
    list_end(&list);
    return ST_OK;
}

static enum status find(struct api_call *call, struct record_key *key, Sluice__Invite **invite)
{
    struct id id;
    if (id_from_text(call->params[0], &id) != ST_OK)
        return api_found(call, ST_NOT_FOUND, "Invite");
    *key = (struct record_key){SLUICE__KIND__KIND_INVITE, call->auth.org, ID_NONE, id};
    return api_found(call, record_get(call->txn, key, call->arena, invite, NULL), "Invite");
}

enum status api_invites_get(struct api_call *call)
{
    struct record_key key;
    Sluice__Invite *invite;
    TRY(find(call, &key, &invite));
    jw_object(&call->json);
    write_invite(call, &key, invite);
    jw_end(&call->json);
    return ST_OK;
}

/* What waits is cancelled and stays to be read; what was accepted has no more to say. */
enum status api_invites_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__Invite *invite;
    TRY(find(call, &key, &invite));
    if (invite->state == INVITE_PENDING) {
        invite->state = INVITE_CANCELLED;
        invite->hash = wire_data(STR_NONE);
        invite->updated_at_ms = call->now_ms;
        TRY(record_put(call->op, &key, invite, STR_NONE));
    } else if (invite->state == INVITE_ACCEPTED) {
        TRY(record_delete(call->op, &key));
    }
    api_audit(call, "delete", "invite", NULL, &key.id, invite->email);
    return ST_OK;
}

enum status api_invites_resend(struct api_call *call)
{
    struct record_key key;
    Sluice__Invite *invite;
    struct str link;
    TRY(find(call, &key, &invite));
    if (invite->state != INVITE_PENDING)
        return api_fail(call, ST_CONFLICT, "This invite is %s: make a new one",
                        state_text(invite, call->now_ms));
    enum status status = renew(call, &key, invite, &link);
    if (status == ST_CONFLICT)
        return api_fail(call, status, "email: was invited anew meanwhile");
    TRY(status);
    api_audit(call, "resend", "invite", NULL, &key.id, invite->email);
    jw_object(&call->json);
    jw_field_str(&call->json, "inviteLink", link);
    jw_field_time(&call->json, "expires_at", invite->expires_at_ms);
    jw_end(&call->json);
    return ST_OK;
}
