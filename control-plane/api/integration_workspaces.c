/* integration_workspaces.c: /v1/integrations/{integration}/workspaces: which workspaces have an
 * integration, with what limits.
 *
 * Rows are upserts and stay when access is taken away (enabled: false), because clients look them
 * up again. A row's id is the workspace's slug, as the clients that matter compare it. Limits are
 * given back as they were sent; an absent one stays, null and
 * [] clear. `global_workspace_access` is what a workspace made later gets; with
 * override_existing_workspace_access it is applied to those that are there, before the rows of the
 * same request.
 */
#include "common/wire.h"
#include "control-plane/api/access_prices.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/limit_view.h"
#include "control-plane/api/list.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/provision.h"
#include "control-plane/domain/slug.h"

#define AT(member) FIELD_AT(Sluice__WorkspaceAccess, member)

static const struct field access_rows[] = {
    {"enabled", FIELD_BOOL, FIELD_REQUIRED, AT(enabled), 0, 0},
    {"usage_limits", FIELD_USAGE, FIELD_OUT, AT(usage_limits_json), 0, 0},
    {"rate_limits", FIELD_RATES, FIELD_OUT, AT(rate_limits_json), 0, 0},
};
static const struct field_set access_fields = {"workspace_access", access_rows,
                                               COUNT_OF(access_rows)};

static const struct field rows[] = {
    {"workspaces", FIELD_OTHER, 0, 0, 0, 0},
    {"global_workspace_access", FIELD_OTHER, 0, 0, 0, 0},
    {"override_existing_workspace_access", FIELD_OTHER, 0, 0, 0, 0},
    {"create_default_provider", FIELD_OTHER, 0, 0, 0, 0},
    {"default_provider_slug", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_integration_workspaces = {"integration_workspaces", rows,
                                                            COUNT_OF(rows)};

static enum status access_row(struct list *list, const struct record_key *key, const void *message,
                              void *arg)
{
    struct api_call *call = list->call;
    struct json_writer *w = &call->json;
    const Sluice__WorkspaceAccess *access = message;
    struct record_key workspace_key = {SLUICE__KIND__KIND_WORKSPACE, key->org, ID_NONE, key->id};
    Sluice__Workspace *workspace;
    (void)arg;
    enum status status = record_get(call->txn, &workspace_key, call->arena, &workspace, NULL);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    if (!list_wants(list))
        return ST_OK;
    struct limit_view view;
    TRY(limit_view_load(call, LIMIT_ACCESS, &key->parent, &key->id, NULL,
                        access->usage_limits_json, access->rate_limits_json, &view));
    jw_object(w);
    jw_field_cstr(w, "id", workspace->slug);
    jw_field_id(w, "workspace_id", &key->id);
    jw_field_cstr(w, "name", workspace->name);
    jw_field_bool(w, "enabled", access->enabled);
    fields_write(w, &access_fields, access);
    TRY(limit_view_write(call, &view));
    access_prices_write(call, access);
    jw_field_time(w, "last_reset_at", access->last_reset_at_ms);
    jw_field_time(w, "created_at", access->created_at_ms);
    jw_field_time(w, "last_updated_at", access->updated_at_ms);
    jw_end(w);
    return ST_OK;
}

enum status api_integration_workspaces_list(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct record_key key;
    Sluice__Integration *record;
    struct list list;
    TRY(resolve_integration(call, call->params[0], &key, &record));
    list_open(&list, call, LIST_PAGE_MAX);
    jw_object(w);
    jw_field_cstr(w, "object", "list");
    jw_key(w, "workspaces");
    jw_array(w);
    TRY(list_run(&list, SLUICE__KIND__KIND_WORKSPACE_ACCESS, &key.id, access_row, NULL));
    jw_end(w);
    jw_field_u64(w, "total", list.total);
    jw_key(w, "global_workspace_access");
    jw_object(w);
    jw_field_bool(w, "enabled", record->global_access);
    jw_key(w, "usage_limits");
    jw_raw(w, record->global_usage_limits_json[0] == '\0'
                  ? STR("null")
                  : str_c(record->global_usage_limits_json));
    jw_key(w, "rate_limits");
    jw_raw(w, record->global_rate_limits_json[0] == '\0' ? STR("null")
                                                         : str_c(record->global_rate_limits_json));
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

/* A bool or a slug of one row, else of the whole request. */
static enum status grant_options(struct api_call *call, const struct json *item,
                                 struct provision_grant *grant)
{
    const struct json *body = call->body;
    grant->create_provider = true;
    TRY(api_body_bool(call, "create_default_provider", &grant->create_provider));
    TRY(api_body_text(call, "default_provider_slug", &grant->provider_slug));
    call->body = item;
    struct str slug = STR_NONE;
    enum status status = api_body_bool(call, "create_default_provider", &grant->create_provider);
    if (status == ST_OK)
        status = api_body_text(call, "default_provider_slug", &slug);
    call->body = body;
    TRY(status);
    if (slug.n > 0)
        grant->provider_slug = slug;
    if (grant->provider_slug.n > 0 && !slug_is_valid(grant->provider_slug))
        return api_invalid(call, "default_provider_slug",
                           "must be 1 to 255 letters, digits, '-' or '_', and no UUID");
    return ST_OK;
}

/* Limits of an item: NULL where it says nothing. */
static enum status read_access(struct api_call *call, const struct json *item,
                               struct provision_grant *grant)
{
    Sluice__WorkspaceAccess access = SLUICE__WORKSPACE_ACCESS__INIT;
    TRY(fields_read_item(call, item, &access_fields, &access, true));
    grant->enabled = access.enabled;
    grant->usage_limits =
        api_member(item, "usage_limits") == NULL ? NULL : access.usage_limits_json;
    grant->rate_limits = api_member(item, "rate_limits") == NULL ? NULL : access.rate_limits_json;
    return grant_options(call, item, grant);
}

/* What a row says beyond access and limits: reset_usage, and prices. */
static enum status set_rest(struct api_call *call, const struct record_key *integration,
                            const struct id *workspace, const struct json *item)
{
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE_ACCESS, integration->org, integration->id,
                             *workspace};
    const struct json *node = api_member(item, "reset_usage");
    Sluice__WorkspaceAccess *access;
    bool reset = false;
    if (json_is_bool(node))
        TRY(json_bool(node, &reset));
    if (!reset && !access_prices_wanted(item))
        return ST_OK;
    TRY(record_get(call->txn, &key, call->arena, &access, NULL));
    TRY(access_prices_read(call, item, access));
    if (reset)
        access->last_reset_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, access, STR_NONE));
    return reset ? limit_view_reset(call, LIMIT_ACCESS, &integration->id, workspace, NULL) : ST_OK;
}

static enum status set_row(struct api_call *call, const struct record_key *key,
                           const Sluice__Integration *record, const struct json *item)
{
    struct record_key workspace_key;
    Sluice__Workspace *workspace;
    struct provision_grant grant = {.enabled = false};
    struct str name;
    if (json_text(json_get(item, "id"), call->arena, &name) != ST_OK || name.n == 0)
        return api_invalid(call, "workspaces.id", "is required");
    TRY(resolve_workspace(call, name, &workspace_key, &workspace));
    if (record->workspace.len > 0 &&
        !str_eq(wire_str(&record->workspace), id_bytes(&workspace_key.id)))
        return api_invalid(call, "workspaces.id",
                           "this integration belongs to one workspace alone");
    TRY(read_access(call, item, &grant));
    enum status status = provision_set(call->op, key, record, &workspace_key.id, &grant);
    if (status == ST_CONFLICT)
        return api_invalid(call, "default_provider_slug",
                           "is taken by another provider of the workspace");
    TRY(status);
    return set_rest(call, key, &workspace_key.id, item);
}

static enum status set_global(struct api_call *call, const struct record_key *key,
                              Sluice__Integration *record)
{
    const struct json *global = api_body(call, "global_workspace_access");
    struct provision_grant grant = {.enabled = false};
    bool override = false;
    if (global == NULL)
        global = api_body(call, "global_workspace_access_settings");
    if (json_is_none(global))
        return ST_OK;
    if (!json_is(global, JSON_OBJECT))
        return api_invalid(call, "global_workspace_access", "must be an object");
    if (record->workspace.len > 0)
        return api_invalid(call, "global_workspace_access",
                           "this integration belongs to one workspace alone");
    TRY(read_access(call, global, &grant));
    record->global_access = grant.enabled;
    if (grant.usage_limits != NULL)
        TRY(api_cstr(call->arena, str_c(grant.usage_limits), &record->global_usage_limits_json));
    if (grant.rate_limits != NULL)
        TRY(api_cstr(call->arena, str_c(grant.rate_limits), &record->global_rate_limits_json));
    TRY(api_body_bool(call, "override_existing_workspace_access", &override));
    TRY(api_body_bool(call, "override_existing_workspaces_access", &override));
    if (!override)
        return ST_OK;
    grant.provider_slug = STR_NONE;
    return provision_everywhere(call->op, key, record, true, &grant);
}

enum status api_integration_workspaces_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Integration *record;
    const struct json *workspaces = api_body(call, "workspaces");
    TRY(resolve_own_integration(call, call->params[0], &key, &record));
    TRY(set_global(call, &key, record));
    if (!json_is_none(workspaces) && !json_is(workspaces, JSON_ARRAY))
        return api_invalid(call, "workspaces", "must be an array");
    for (const struct json *item = workspaces == NULL ? NULL : workspaces->first; item != NULL;
         item = item->next)
        TRY(set_row(call, &key, record, item));
    record->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, record, str_c(record->slug)));
    api_audit(call, "update_workspaces", "integration", NULL, &key.id, record->slug);
    return ST_OK;
}
