/* deleted.c: /v1/admin/deleted: what was deleted lately, and taking it back.
 *
 * A deletion is named by the id of what was asked to be deleted and comes back whole, with
 * everything that went along and under the same ids, so limits and used amounts stand where they
 * stood. Who may make a thing of that type may take it back, and sees it here; a workspace's
 * callers see what was their workspace's. After DELETED_KEEP_MS, or by DELETE, it is gone for good.
 */
#include "control-plane/api/deleted.h"

#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/store/trash.h"
#include "control-plane/vault/vault.h"

/* What it takes to make one. A type that is not here is the organisation's admins' alone. */
static const struct {
    const char *type, *scopes;
    unsigned people;
} makers[] = {
    {"workspace", "workspaces.create", PEOPLE_ADMINS},
    {"integration", "organisation_integrations.create|workspace_integrations.create",
     PEOPLE_MANAGERS},
    {"provider", "providers.create|virtual_keys.create", PEOPLE_MANAGERS},
    {"config", "configs.create", PEOPLE_MANAGERS},
    {"api_key",
     "organisation_service_api_keys.create|workspace_service_api_keys.create|"
     "workspace_user_api_keys.create",
     PEOPLE_MANAGERS},
    {"user", "organisation_users.create", PEOPLE_ADMINS},
    {"workspace_user", "workspace_users.create", PEOPLE_MANAGERS},
    {"usage_policy", "policies.create", PEOPLE_MANAGERS},
    {"rate_policy", "policies.create", PEOPLE_MANAGERS},
};

static bool may_see(const struct api_call *call, const Sluice__Deletion *deletion)
{
    bool theirs = auth_is_org(&call->auth) ||
                  str_eq(wire_str(&deletion->workspace), id_bytes(&call->auth.workspace));
    for (size_t i = 0; i < COUNT_OF(makers); i++)
        if (strcmp(makers[i].type, deletion->type) == 0)
            return theirs && auth_may(&call->auth, makers[i].people, makers[i].scopes);
    return auth_is_org(&call->auth) && call->auth.kind == AUTH_SESSION;
}

static void write_deletion(struct json_writer *w, const Sluice__Deletion *deletion)
{
    jw_object(w);
    jw_field_cstr(w, "object", "deleted");
    wire_field_id(w, "id", &deletion->id);
    jw_field_cstr(w, "type", deletion->type);
    jw_field_cstr(w, "name", deletion->name);
    wire_field_id(w, "workspace_id", &deletion->workspace);
    jw_field_time(w, "deleted_at", deletion->deleted_at_ms);
    wire_field_id(w, "deleted_by", &deletion->deleted_by);
    jw_field_cstr(w, "deleted_by_type", deletion->deleted_by_type);
    jw_field_time(w, "expires_at", deletion->deleted_at_ms + DELETED_KEEP_MS);
    jw_end(w);
}

enum status api_deleted_list(struct api_call *call)
{
    struct list list;
    struct trash_walk walk;
    struct arena scratch;
    Sluice__Deletion *deletion;
    uint64_t revision;
    struct str type = api_query(call, "type");
    list_begin(&list, call, 100);
    arena_init(&scratch, 1u << 20);
    TRY(trash_walk_open(&walk, call->txn, &call->auth.org));
    enum status status = ST_OK;
    while (status == ST_OK) {
        arena_free(&scratch);
        status = trash_walk_next(&walk, &scratch, &revision, &deletion);
        if (status == ST_OK && may_see(call, deletion) &&
            (type.n == 0 || str_eq(type, str_c(deletion->type))) && list_wants(&list))
            write_deletion(&call->json, deletion);
    }
    trash_walk_close(&walk);
    arena_free(&scratch);
    if (status != ST_END)
        return status;
    list_end(&list);
    return ST_OK;
}

static enum status find(struct api_call *call, uint64_t *revision, Sluice__Deletion **deletion)
{
    struct id id;
    enum status status = id_from_text(call->params[0], &id);
    if (status == ST_OK)
        status = trash_find(call->txn, &call->auth.org, &id, call->arena, revision, deletion);
    else
        status = ST_NOT_FOUND;
    if (status == ST_OK && !may_see(call, *deletion))
        status = ST_NOT_FOUND;
    return api_found(call, status, "Deleted entity");
}

/* A config that was its workspace's default is so again, unless there is another by now. */
static enum status settle_config(struct write_op *op, const struct record_key *key)
{
    struct record_key workspace_key = {SLUICE__KIND__KIND_WORKSPACE, key->org, ID_NONE,
                                       key->parent};
    Sluice__Config *config;
    Sluice__Workspace *workspace;
    TRY(record_get(op->txn, key, op->arena, &config, NULL));
    if (!config->is_default)
        return ST_OK;
    TRY(record_get(op->txn, &workspace_key, op->arena, &workspace, NULL));
    if (str_eq(wire_str(&workspace->default_config), id_bytes(&key->id)))
        return ST_OK;
    if (workspace->default_config.len == 0) {
        workspace->default_config = wire_id_data(&key->id);
        return record_update(op, &workspace_key, workspace);
    }
    config->is_default = 0;
    return record_update(op, key, config);
}

/* What time has passed over meanwhile. */
static enum status settle(struct write_op *op, const struct record_key *key, void *arg)
{
    struct api_call *call = arg;
    if (key->kind == SLUICE__KIND__KIND_INTEGRATION || key->kind == SLUICE__KIND__KIND_MODEL_RULE)
        return vault_refresh_one(op, call->api->vault, key);
    return key->kind == SLUICE__KIND__KIND_CONFIG ? settle_config(op, key) : ST_OK;
}

enum status api_deleted_restore(struct api_call *call)
{
    Sluice__Deletion *deletion;
    struct record_key at;
    struct id id, workspace;
    uint64_t revision;
    TRY(find(call, &revision, &deletion));
    TRY(wire_id(&deletion->id, &id));
    TRY(wire_id(&deletion->workspace, &workspace));
    enum status status =
        trash_restore(call->op, &call->auth.org, revision, deletion, settle, call, &at);
    if (status == ST_CONFLICT)
        return api_fail(
            call, status,
            "name: something else has the name \"%.200s\" by now, or that of a part of it",
            deletion->name);
    if (status == ST_IN_USE)
        return api_fail(call, ST_CONFLICT,
                        "What it belonged to was deleted, too: restore that first");
    TRY(status);
    api_audit(call, "restore", deletion->type, &workspace, &id, deletion->name);
    write_deletion(&call->json, deletion);
    return ST_OK;
}

enum status api_deleted_forget(struct api_call *call)
{
    Sluice__Deletion *deletion;
    struct id id, workspace;
    uint64_t revision;
    TRY(find(call, &revision, &deletion));
    TRY(wire_id(&deletion->id, &id));
    TRY(wire_id(&deletion->workspace, &workspace));
    TRY(trash_forget(call->op, &call->auth.org, revision));
    api_audit(call, "forget", deletion->type, &workspace, &id, deletion->name);
    return ST_OK;
}
