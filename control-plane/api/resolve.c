/* resolve.c: look-ups with the tenancy rule in them.
 *
 * The rule lives here so that no handler can forget it: the organisation of a key is part of every
 * store key, and a workspace key's parent is its own workspace whatever the request says.
 * Invariant: nothing is given that the caller's organisation does not own; a workspace key is never
 * given an entity of another workspace.
 */
#include "control-plane/api/resolve.h"

#include "common/wire.h"
#include "control-plane/auth/person.h"

/* ST_FORBIDDEN unless `id` may be used by the caller. */
static enum status check_workspace(struct api_call *call, const struct id *id)
{
    if (auth_is_org(&call->auth) || id_eq(id, &call->auth.workspace))
        return ST_OK;
    return api_fail(call, ST_FORBIDDEN, "%s", status_row(ST_FORBIDDEN)->text);
}

enum status resolve_sees_workspace(struct api_call *call, const struct id *workspace, bool *sees)
{
    enum member_role role = MEMBER_ROLE_NONE;
    *sees = auth_is_org(&call->auth) || id_eq(workspace, &call->auth.workspace);
    if (*sees || call->auth.kind != AUTH_SESSION)
        return ST_OK;
    TRY(person_role_in(call->txn, call->arena, &call->auth.org, &call->auth.user, call->auth.person,
                       workspace, &role));
    *sees = role != MEMBER_ROLE_NONE;
    return ST_OK;
}

enum status resolve_workspace(struct api_call *call, struct str name, struct record_key *key,
                              Sluice__Workspace **workspace)
{
    enum status status = record_resolve(call->txn, SLUICE__KIND__KIND_WORKSPACE, &call->auth.org,
                                        &ID_NONE, name, key);
    if (status == ST_NOT_FOUND && !auth_is_org(&call->auth))
        return check_workspace(call, &ID_NONE);
    TRY(api_found(call, status, "Workspace"));
    TRY(check_workspace(call, &key->id));
    return api_found(call, record_get(call->txn, key, call->arena, workspace, NULL), "Workspace");
}

enum status resolve_scope(struct api_call *call, bool required, struct record_key *key,
                          Sluice__Workspace **workspace)
{
    struct str name;
    char own[ID_TEXT + 1];
    *workspace = NULL;
    TRY(api_text(call, "workspace_id", &name));
    if (name.n == 0 && !auth_is_org(&call->auth)) {
        id_to_text(&call->auth.workspace, own);
        name = str_c(own);
    }
    if (name.n == 0)
        return required ? api_invalid(call, "workspace_id", "is required with an organisation key")
                        : ST_OK;
    return resolve_workspace(call, name, key, workspace);
}

enum status resolve_access(struct api_call *call, const struct id *integration,
                           const struct id *workspace, Sluice__WorkspaceAccess **access)
{
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE_ACCESS, call->auth.org, *integration,
                             *workspace};
    *access = NULL;
    enum status status = record_get(call->txn, &key, call->arena, access, NULL);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status resolve_integration(struct api_call *call, struct str name, struct record_key *key,
                                Sluice__Integration **integration)
{
    enum status status = record_resolve(call->txn, SLUICE__KIND__KIND_INTEGRATION, &call->auth.org,
                                        &ID_NONE, name, key);
    if (status == ST_OK)
        status = record_get(call->txn, key, call->arena, integration, NULL);
    TRY(api_found(call, status, "Integration"));
    if (auth_is_org(&call->auth) ||
        str_eq(wire_str(&(*integration)->workspace), id_bytes(&call->auth.workspace)))
        return ST_OK;
    Sluice__WorkspaceAccess *access = NULL;
    if ((*integration)->workspace.len == 0)
        TRY(resolve_access(call, &key->id, &call->auth.workspace, &access));
    return access != NULL && access->enabled ? ST_OK : api_found(call, ST_NOT_FOUND, "Integration");
}

enum status resolve_own_integration(struct api_call *call, struct str name, struct record_key *key,
                                    Sluice__Integration **integration)
{
    TRY(resolve_integration(call, name, key, integration));
    struct id workspace;
    TRY(wire_id(&(*integration)->workspace, &workspace));
    return check_workspace(call, &workspace);
}

/* The oldest workspace of the organisation with an entity of that slug. */
static enum status find_anywhere(struct api_call *call, Sluice__Kind kind, struct str slug,
                                 struct record_key *key)
{
    struct record_cursor *cursor = NULL;
    struct record_key workspace;
    enum status status = record_cursor_open(call->txn, SLUICE__KIND__KIND_WORKSPACE,
                                            &call->auth.org, &ID_NONE, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, NULL, &workspace, NULL, NULL);
        if (status != ST_OK)
            break;
        status = record_find(call->txn, kind, &call->auth.org, &workspace.id, slug, key);
        if (status == ST_OK)
            break;
        if (status == ST_NOT_FOUND)
            status = ST_OK;
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_NOT_FOUND : status;
}

/* Finds an entity that lies below a workspace. */
static enum status find_below(struct api_call *call, Sluice__Kind kind, struct str name,
                              struct record_key *key)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct id id;
    TRY(resolve_scope(call, false, &scope, &workspace));
    if (workspace != NULL)
        return record_resolve(call->txn, kind, &call->auth.org, &scope.id, name, key);
    if (id_from_text(name, &id) == ST_OK)
        return record_locate(call->txn, kind, &call->auth.org, &id, key);
    return find_anywhere(call, kind, name, key);
}

static enum status resolve_below(struct api_call *call, Sluice__Kind kind, const char *what,
                                 struct str name, struct record_key *key, void *message)
{
    TRY(api_found(call, find_below(call, kind, name, key), what));
    return api_found(call, record_get(call->txn, key, call->arena, message, NULL), what);
}

enum status resolve_provider(struct api_call *call, struct str name, struct record_key *key,
                             Sluice__Provider **provider)
{
    return resolve_below(call, SLUICE__KIND__KIND_PROVIDER, "Provider", name, key, provider);
}

enum status resolve_config(struct api_call *call, struct str name, struct record_key *key,
                           Sluice__Config **config)
{
    return resolve_below(call, SLUICE__KIND__KIND_CONFIG, "Config", name, key, config);
}

enum status resolve_api_key(struct api_call *call, struct str name, struct record_key *key,
                            Sluice__ApiKey **api_key)
{
    struct id id;
    if (id_from_text(name, &id) != ST_OK)
        return api_found(call, ST_NOT_FOUND, "API key");
    enum status status =
        record_locate(call->txn, SLUICE__KIND__KIND_API_KEY, &call->auth.org, &id, key);
    if (status == ST_OK && !auth_is_org(&call->auth) && !id_eq(&key->parent, &call->auth.workspace))
        status = ST_NOT_FOUND;
    TRY(api_found(call, status, "API key"));
    return api_found(call, record_get(call->txn, key, call->arena, api_key, NULL), "API key");
}

enum status resolve_default_config(struct api_call *call, const struct id *workspace,
                                   struct str name, struct id *config)
{
    struct record_key key;
    enum status status = record_resolve(call->txn, SLUICE__KIND__KIND_CONFIG, &call->auth.org,
                                        id_is_none(workspace) ? NULL : workspace, name, &key);
    if (status == ST_NOT_FOUND)
        return api_invalid(call, "config_id", "no such config in this workspace");
    TRY(status);
    *config = key.id;
    return ST_OK;
}
