/* bootstrap.c: an organisation from nothing, in one operation.
 *
 * Either all of it exists afterwards (organisation, workspace, owner, two keys, audit record) or
 * nothing does. Keys get every scope of their kind from scopes.def, so a scope added later is not
 * missed here. Passwords come hashed: Argon2id takes its time on the caller's thread, not on the
 * writer's.
 */
#include "control-plane/domain/bootstrap.h"

#include <sodium.h>

#include "common/apikey.h"
#include "common/wire.h"
#include "control-plane/auth/roles.h"
#include "control-plane/auth/scopes.h"
#include "control-plane/auth/session.h"
#include "control-plane/domain/email.h"
#include "control-plane/domain/provision.h"
#include "control-plane/domain/slug.h"

#define SCOPES_MAX       512
#define INTEGRATIONS_ALL 2 /* admins and managers */

static enum status cstr(struct write_op *op, struct str text, char **out)
{
    *out = arena_cstr(op->arena, text);
    return *out == NULL ? ST_NO_MEMORY : ST_OK;
}

static bool name_is_valid(struct str name)
{
    return name.n > 0 && name.n <= 255 && str_is_utf8(name) && str_find_char(name, '\0') < 0;
}

enum status bootstrap_find_org(struct kv_txn *txn, struct str slug_or_id, struct record_key *key)
{
    struct id id;
    if (id_from_text(slug_or_id, &id) != ST_OK)
        return record_find(txn, SLUICE__KIND__KIND_ORGANISATION, NULL, NULL, slug_or_id, key);
    *key = (struct record_key){SLUICE__KIND__KIND_ORGANISATION, id, ID_NONE, id};
    struct arena scratch;
    Sluice__Organisation *organisation;
    arena_init(&scratch, 1u << 20);
    enum status status = record_get(txn, key, &scratch, &organisation, NULL);
    arena_free(&scratch);
    return status;
}

static void audit(struct write_op *op, const char *action, const char *type, const struct id *org,
                  const struct id *workspace, const struct id *id, struct str slug)
{
    struct write_audit record = {.action = action,
                                 .resource_type = type,
                                 .org = *org,
                                 .workspace = workspace == NULL ? ID_NONE : *workspace,
                                 .resource = *id,
                                 .slug = slug};
    writer_audit(op, &record);
}

static enum status all_scopes(struct write_op *op, Sluice__ApiKey *record)
{
    struct str scope;
    record->scopes = arena_calloc(op->arena, SCOPES_MAX, sizeof(*record->scopes));
    if (record->scopes == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; scope_at(i, &scope); i++) {
        if (!scope_fits(record->type, scope))
            continue;
        CHECK(record->n_scopes < SCOPES_MAX);
        TRY(cstr(op, scope, &record->scopes[record->n_scopes++]));
    }
    return ST_OK;
}

enum status bootstrap_key(struct write_op *op, const struct id *org, const struct id *workspace,
                          struct str name, struct str brought, struct id *id, struct str *text)
{
    Sluice__ApiKey record = SLUICE__API_KEY__INIT;
    struct record_key key = {SLUICE__KIND__KIND_API_KEY, *org,
                             workspace == NULL ? ID_NONE : *workspace, id_new()};
    uint8_t hash[APIKEY_HASH_BYTES];
    char made[APIKEY_TEXT + 1], masked[APIKEY_MASKED_TEXT + 1];
    if (brought.n == 0)
        apikey_make(made);
    *text = arena_str(op->arena, brought.n > 0 ? brought : str_c(made));
    sodium_memzero(made, sizeof(made));
    if (text->p == NULL)
        return ST_NO_MEMORY;
    apikey_hash(*text, hash);
    apikey_mask(*text, masked);
    record.type = workspace == NULL ? SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE
                                    : SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE;
    record.id = wire_id_data(&key.id);
    record.hash = wire_data(str_of((const char *)hash, sizeof(hash)));
    record.masked = masked;
    record.created_at_ms = record.updated_at_ms = op->now_ms;
    if (workspace != NULL)
        record.workspace = wire_id_data(workspace);
    TRY(cstr(op, name, &record.name));
    TRY(all_scopes(op, &record));
    TRY(record_put(op, &key, &record, wire_str(&record.hash)));
    audit(op, "create", "api_key", org, workspace, &key.id, str_c(record.name));
    *id = key.id;
    return ST_OK;
}

/* The user with this e-mail, or a fresh one. */
static enum status find_user(struct write_op *op, const struct id *org, struct str email,
                             struct record_key *key, Sluice__User **user)
{
    enum status status = record_find(op->txn, SLUICE__KIND__KIND_USER, org, &ID_NONE, email, key);
    if (status == ST_OK)
        return record_get(op->txn, key, op->arena, user, NULL);
    if (status != ST_NOT_FOUND)
        return status;
    *key = (struct record_key){SLUICE__KIND__KIND_USER, *org, ID_NONE, id_new()};
    *user = arena_alloc(op->arena, sizeof(**user));
    if (*user == NULL)
        return ST_NO_MEMORY;
    sluice__user__init(*user);
    (*user)->created_at_ms = op->now_ms;
    return ST_OK;
}

enum status bootstrap_user(struct write_op *op, const struct id *org, struct str email,
                           struct str first_name, struct str last_name, struct str password_hash,
                           uint32_t role, struct id *id)
{
    struct record_key organisation = {SLUICE__KIND__KIND_ORGANISATION, *org, ID_NONE, *org}, key;
    Sluice__Organisation *found;
    Sluice__User *user;
    if (!email_is_valid(email) || role < USER_ROLE_OWNER || role > USER_ROLE_MEMBER)
        return ST_INVALID;
    TRY(record_get(op->txn, &organisation, op->arena, &found, NULL));
    struct str lower = email_lower(op->arena, email);
    if (lower.p == NULL)
        return ST_NO_MEMORY;
    TRY(find_user(op, org, lower, &key, &user));
    user->id = wire_id_data(&key.id);
    TRY(cstr(op, lower, &user->email));
    user->role = role;
    user->updated_at_ms = op->now_ms;
    if (first_name.n > 0)
        TRY(cstr(op, first_name, &user->first_name));
    if (last_name.n > 0)
        TRY(cstr(op, last_name, &user->last_name));
    if (password_hash.n > 0) {
        TRY(cstr(op, password_hash, &user->password_hash));
        user->reset_hash = wire_data(STR_NONE);
        TRY(session_end_all(op, org, &key.id, NULL));
    }
    TRY(record_put(op, &key, user, lower));
    audit(op, "create", "user", org, NULL, &key.id, lower);
    *id = key.id;
    return ST_OK;
}

static enum status make_organisation(struct write_op *op, const struct bootstrap_order *order,
                                     struct bootstrap_result *result)
{
    Sluice__Organisation record = SLUICE__ORGANISATION__INIT;
    struct str slug = order->slug;
    if (slug.n == 0)
        slug = slug_make(op->arena, "", order->name);
    if (slug.p == NULL)
        return ST_NO_MEMORY;
    if (!name_is_valid(order->name) || !slug_is_valid(slug))
        return ST_INVALID;
    result->org = id_new();
    struct record_key key = {SLUICE__KIND__KIND_ORGANISATION, result->org, ID_NONE, result->org};
    record.id = wire_id_data(&key.id);
    record.created_at_ms = record.updated_at_ms = op->now_ms;
    record.workspace_integrations = INTEGRATIONS_ALL;
    TRY(cstr(op, slug, &record.slug));
    TRY(cstr(op, order->name, &record.name));
    TRY(record_put(op, &key, &record, slug));
    audit(op, "create", "organisation", &key.id, NULL, &key.id, str_c(record.slug));
    result->org_slug = str_c(record.slug);
    return ST_OK;
}

static enum status make_workspace(struct write_op *op, const struct bootstrap_order *order,
                                  struct bootstrap_result *result)
{
    Sluice__Workspace record = SLUICE__WORKSPACE__INIT;
    struct str slug = order->workspace_slug.n == 0 ? STR("default") : order->workspace_slug;
    struct str name = order->workspace_name.n == 0 ? STR("Default") : order->workspace_name;
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE, result->org, ID_NONE, id_new()};
    if (!slug_is_valid(slug) || !name_is_valid(name))
        return ST_INVALID;
    record.id = wire_id_data(&key.id);
    record.is_default = 1;
    record.created_at_ms = record.updated_at_ms = op->now_ms;
    TRY(cstr(op, slug, &record.slug));
    TRY(cstr(op, name, &record.name));
    TRY(record_put(op, &key, &record, slug));
    audit(op, "create", "workspace", &key.org, &key.id, &key.id, str_c(record.slug));
    result->workspace = key.id;
    result->workspace_slug = str_c(record.slug);
    return ST_OK;
}

/* The owner is an admin of the default workspace. */
static enum status make_admin(struct write_op *op, const struct bootstrap_order *order,
                              struct bootstrap_result *result)
{
    Sluice__Member member = SLUICE__MEMBER__INIT;
    if (order->admin_email.n == 0)
        return ST_OK;
    TRY(bootstrap_user(op, &result->org, order->admin_email, order->admin_first_name,
                       order->admin_last_name, order->password_hash, USER_ROLE_OWNER,
                       &result->admin));
    struct record_key key = {SLUICE__KIND__KIND_MEMBER, result->org, result->workspace,
                             result->admin};
    member.user = wire_id_data(&result->admin);
    member.role = MEMBER_ROLE_ADMIN;
    member.created_at_ms = member.updated_at_ms = op->now_ms;
    return record_put(op, &key, &member, STR_NONE);
}

enum status bootstrap_org(struct write_op *op, const struct bootstrap_order *order,
                          struct bootstrap_result *result)
{
    *result = (struct bootstrap_result){.org = ID_NONE};
    TRY(make_organisation(op, order, result));
    TRY(make_workspace(op, order, result));
    TRY(make_admin(op, order, result));
    TRY(bootstrap_key(op, &result->org, NULL, STR("Admin key"), STR_NONE, &result->org_key_id,
                      &result->org_key));
    return bootstrap_key(op, &result->org, &result->workspace, STR("Workspace key"), STR_NONE,
                         &result->workspace_key_id, &result->workspace_key);
}
