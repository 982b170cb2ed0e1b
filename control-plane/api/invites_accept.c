/* invites_accept.c: POST /v1/console/invite: somebody comes in.
 *
 * Who holds the link is believed to be who was meant. The password is hashed first, then one
 * operation makes the person, the memberships and the keys, or nothing. A workspace that is gone
 * meanwhile is left out. Keys are shown in this reply and never again.
 */
#include "common/apikey.h"
#include "common/secret.h"
#include "common/wire.h"
#include "control-plane/api/api_keys.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/invites.h"
#include "control-plane/api/members.h"
#include "control-plane/api/sessions.h"
#include "control-plane/domain/bootstrap.h"

static const struct field rows[] = {
    {"token", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"password", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"first_name", FIELD_OTHER, 0, 0, 0, 0},
    {"last_name", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_acceptance = {"acceptance", rows, COUNT_OF(rows)};

struct acceptance {
    struct ticket ticket;
    struct str hash, first_name, last_name;
};

static enum status find(struct api_call *call, const struct ticket *ticket, struct record_key *key,
                        Sluice__Invite **invite)
{
    *key = (struct record_key){SLUICE__KIND__KIND_INVITE, ticket->org, ID_NONE, ticket->subject};
    enum status status = record_get(call->txn, key, call->arena, invite, NULL);
    bool good = status == ST_OK && (*invite)->state == INVITE_PENDING &&
                call->now_ms < (*invite)->expires_at_ms &&
                ticket_fits(ticket, wire_str(&(*invite)->hash));
    if (status == ST_NOT_FOUND || (status == ST_OK && !good))
        return api_invalid(call, "token", "is not or no longer valid");
    return status;
}

static enum status make_key(struct api_call *call, const struct id *workspace,
                            const struct id *user, const Sluice__Invite *invite)
{
    Sluice__ApiKey record = SLUICE__API_KEY__INIT;
    struct record_key key = {SLUICE__KIND__KIND_API_KEY, call->auth.org, *workspace, id_new()};
    char made[APIKEY_TEXT + 1];
    apikey_make(made);
    record.type = SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER;
    record.id = wire_id_data(&key.id);
    record.workspace = wire_id_data(workspace);
    record.user = record.created_by = wire_id_data(user);
    record.scopes = invite->key_scopes;
    record.n_scopes = invite->n_key_scopes;
    record.creation_mode = API_KEY_MODE_AUTO;
    record.created_at_ms = record.updated_at_ms = call->now_ms;
    TRY(api_cstr(call->arena, str_c(invite->email), &record.name));
    enum status status = api_keys_adopt(call, str_c(made), &record);
    if (status == ST_OK)
        status = record_put(call->op, &key, &record, wire_str(&record.hash));
    if (status == ST_OK) {
        api_audit(call, "create", "api_key", workspace, &key.id, record.name);
        jw_object(&call->json);
        jw_field_id(&call->json, "id", &key.id);
        jw_field_id(&call->json, "workspace_id", workspace);
        jw_field_cstr(&call->json, "key", made);
        jw_field_cstr(&call->json, "object", "api-key");
        jw_end(&call->json);
    }
    secret_wipe(made, sizeof(made));
    return status;
}

/* Memberships, and the keys as items of the array that is open. */
static enum status enter_workspaces(struct api_call *call, const Sluice__Invite *invite,
                                    const struct id *user)
{
    for (size_t i = 0; i < invite->n_workspaces; i++) {
        const Sluice__InviteWorkspace *row = invite->workspaces[i];
        struct record_key workspace = {SLUICE__KIND__KIND_WORKSPACE, call->auth.org, ID_NONE,
                                       ID_NONE};
        TRY(wire_id(&row->workspace, &workspace.id));
        if (!record_exists(call->txn, &workspace))
            continue;
        TRY(members_add(call, &workspace, str_c(invite->email), (enum member_role)row->role));
        if (invite->n_key_scopes > 0)
            TRY(make_key(call, &workspace.id, user, invite));
    }
    return ST_OK;
}

static enum status accept_invite(struct api_call *call)
{
    const struct acceptance *a = call->state;
    struct json_writer *w = &call->json;
    struct record_key key, other;
    Sluice__Invite *invite;
    struct id user;
    TRY(find(call, &a->ticket, &key, &invite));
    struct str email = str_c(invite->email);
    enum status status =
        record_find(call->txn, SLUICE__KIND__KIND_USER, &key.org, &ID_NONE, email, &other);
    if (status == ST_OK)
        return api_fail(call, ST_CONFLICT, "email: belongs to a user already");
    if (status != ST_NOT_FOUND)
        return status;
    TRY(bootstrap_user(call->op, &key.org, email, a->first_name, a->last_name, a->hash,
                       invite->role, &user));
    invite->state = INVITE_ACCEPTED;
    invite->accepted_at_ms = invite->updated_at_ms = call->now_ms;
    invite->hash = wire_data(STR_NONE);
    TRY(record_put(call->op, &key, invite, STR_NONE));
    api_audit(call, "accept", "invite", NULL, &key.id, invite->email);
    jw_object(w);
    jw_field_cstr(w, "object", "acceptance");
    jw_field_id(w, "user_id", &user);
    jw_field_str(w, "email", email);
    jw_field_cstr(w, "role", members_org_role_text(invite->role));
    jw_key(w, "api_keys");
    jw_array(w);
    TRY(enter_workspaces(call, invite, &user));
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

enum status api_invites_accept(struct api_call *call)
{
    struct acceptance a = {.hash = STR_NONE};
    struct record_key key;
    struct str token;
    Sluice__Invite *invite;
    TRY(sessions_text(call, "token", &token));
    TRY(api_body_text(call, "first_name", &a.first_name));
    TRY(api_body_text(call, "last_name", &a.last_name));
    if (a.first_name.n > MEMBERS_NAME_MAX || a.last_name.n > MEMBERS_NAME_MAX)
        return api_invalid(call, "first_name", "and last_name must have at most 255 bytes");
    if (ticket_from_text(TICKET_INVITE, token, &a.ticket) != ST_OK)
        return api_invalid(call, "token", "is not or no longer valid");
    TRY(sessions_throttle(call, id_bytes(&a.ticket.subject)));
    TRY(kv_begin(call->api->kv, false, &call->txn));
    enum status status = find(call, &a.ticket, &key, &invite);
    kv_abort(call->txn);
    call->txn = NULL;
    if (status == ST_OK)
        status = passwords_read(call, &a.hash);
    call->state = &a;
    call->auth = (struct auth){.kind = AUTH_NOBODY, .org = a.ticket.org};
    if (status == ST_OK)
        status = api_write(call, accept_invite);
    secret_wipe(&a.ticket, sizeof(a.ticket));
    return status;
}
