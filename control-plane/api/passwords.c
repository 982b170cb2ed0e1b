/* passwords.c: changing one's password, and links by which a forgotten one is set anew.
 *
 * A link works without mail: whoever may make it gets it in the reply and hands it over. One link
 * per person, good once, for RESET_LINK_MS; a new one replaces it and any new password ends it. A
 * new password ends every other session of the person. Argon2id runs on the caller's thread,
 * outside any transaction; the operation then checks that what was proved still holds.
 */
#include "common/secret.h"
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/members.h"
#include "control-plane/api/sessions.h"
#include "control-plane/auth/password.h"
#include "control-plane/auth/session.h"
#include "control-plane/domain/reset_link.h"

static const struct field change_rows[] = {
    {"current_password", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"password", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
};
const struct field_set api_fields_password = {"password", change_rows, COUNT_OF(change_rows)};

static const struct field reset_rows[] = {
    {"token", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"password", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
};
const struct field_set api_fields_reset = {"reset", reset_rows, COUNT_OF(reset_rows)};

struct new_password {
    struct ticket ticket; /* of a reset */
    struct str hash, before;
};

enum status passwords_read(struct api_call *call, struct str *hash)
{
    struct str password;
    TRY(sessions_text(call, "password", &password));
    enum status status = password_hash(call->arena, password, hash);
    return status == ST_INVALID ? api_invalid(call, "password", PASSWORD_RULE) : status;
}

/* Writes the person with the new password; any link is spent. */
static enum status set_password(struct api_call *call, const struct record_key *key,
                                Sluice__User *user, struct str hash, const struct id *keep)
{
    TRY(api_cstr(call->arena, hash, &user->password_hash));
    user->reset_hash = wire_data(STR_NONE);
    user->reset_until_ms = 0;
    user->updated_at_ms = call->now_ms;
    TRY(record_update(call->op, key, user));
    return session_end_all(call->op, &key->org, &key->id, keep);
}

/* --- one's own */

static enum status change(struct api_call *call)
{
    const struct new_password *new = call->state;
    struct record_key key = {SLUICE__KIND__KIND_USER, call->auth.org, ID_NONE, call->auth.user};
    Sluice__User *user;
    TRY(api_found(call, record_get(call->txn, &key, call->arena, &user, NULL), "User"));
    if (!str_eq(str_c(user->password_hash), new->before))
        return api_fail(call, ST_CONFLICT, "The password was changed meanwhile");
    TRY(set_password(call, &key, user, new->hash, &call->auth.session));
    api_audit(call, "change_password", "user", NULL, &key.id, user->email);
    return ST_OK;
}

enum status api_passwords_change(struct api_call *call)
{
    struct new_password new = {.before = str_c(call->auth.person->password_hash)};
    struct str current;
    TRY(sessions_text(call, "current_password", &current));
    TRY(sessions_throttle(call, str_c(call->auth.person->email)));
    enum status status = password_verify(new.before, current);
    if (status == ST_UNAUTHORIZED)
        return api_invalid(call, "current_password", "is wrong");
    TRY(status);
    TRY(passwords_read(call, &new.hash));
    call->state = &new;
    return api_write(call, change);
}

/* --- links */

enum status api_passwords_link(struct api_call *call)
{
    struct record_key key;
    struct ticket ticket;
    Sluice__User *user;
    int64_t until_ms;
    TRY(members_user(call, call->params[0], &key, &user));
    TRY(members_may_govern(call, user));
    TRY(reset_link_make(call->op, &key, user, &ticket, &until_ms));
    api_audit(call, "create_reset_link", "user", NULL, &key.id, user->email);
    struct str link = ticket_link(call->arena, call->api->control_url, "reset", &ticket);
    secret_wipe(&ticket, sizeof(ticket));
    if (link.p == NULL)
        return ST_NO_MEMORY;
    jw_object(&call->json);
    jw_field_cstr(&call->json, "object", "reset-link");
    jw_field_id(&call->json, "user_id", &key.id);
    jw_field_str(&call->json, "reset_link", link);
    jw_field_time(&call->json, "expires_at", until_ms);
    jw_end(&call->json);
    return ST_OK;
}

/* The person of a ticket that is still good. */
static enum status find_by_ticket(struct api_call *call, const struct ticket *ticket,
                                  struct record_key *key, Sluice__User **user)
{
    *key = (struct record_key){SLUICE__KIND__KIND_USER, ticket->org, ID_NONE, ticket->subject};
    enum status status = record_get(call->txn, key, call->arena, user, NULL);
    if (status == ST_NOT_FOUND ||
        (status == ST_OK && !reset_link_fits(*user, ticket, call->now_ms)))
        return api_invalid(call, "token", "is not or no longer valid");
    return status;
}

static enum status reset(struct api_call *call)
{
    const struct new_password *new = call->state;
    struct record_key key;
    Sluice__User *user;
    TRY(find_by_ticket(call, &new->ticket, &key, &user));
    TRY(set_password(call, &key, user, new->hash, NULL));
    api_audit(call, "reset_password", "user", NULL, &key.id, user->email);
    return ST_OK;
}

enum status api_passwords_reset(struct api_call *call)
{
    struct new_password new = {.hash = STR_NONE};
    struct record_key key;
    struct str token;
    Sluice__User *user;
    TRY(sessions_text(call, "token", &token));
    if (ticket_from_text(TICKET_RESET, token, &new.ticket) != ST_OK)
        return api_invalid(call, "token", "is not or no longer valid");
    TRY(sessions_throttle(call, id_bytes(&new.ticket.subject)));
    TRY(kv_begin(call->api->kv, false, &call->txn));
    enum status status = find_by_ticket(call, &new.ticket, &key, &user);
    kv_abort(call->txn);
    call->txn = NULL;
    if (status == ST_OK)
        status = passwords_read(call, &new.hash);
    call->state = &new;
    call->auth =
        (struct auth){.kind = AUTH_SESSION, .org = key.org, .actor = key.id, .user = key.id};
    if (status == ST_OK)
        status = api_write(call, reset);
    secret_wipe(&new.ticket, sizeof(new.ticket));
    return status;
}
