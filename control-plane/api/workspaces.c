/* workspaces.c: /v1/admin/workspaces.
 *
 * A workspace is a team: its providers, configs and keys lie below it. The name is kept as it was
 * sent and the icon beside it, which both satisfies clients that strip the icon and those that do
 * not. Deleting asks for the name as a confirmation when one is sent, refuses while something lives
 * in the workspace, and with force_delete takes all of it along in the same operation.
 */
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/limit_view.h"
#include "control-plane/api/list.h"
#include "control-plane/api/members.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/provision.h"
#include "control-plane/domain/slug.h"

#define AT(member) FIELD_AT(Sluice__Workspace, member)

static const struct field rows[] = {
    {"name", FIELD_TEXT, FIELD_REQUIRED, AT(name), 1, 255},
    {"description", FIELD_TEXT, FIELD_OUT, AT(description), 0, 1024},
    {"icon", FIELD_TEXT, FIELD_OUT, AT(icon), 0, 64},
    {"usage_limits", FIELD_USAGE, FIELD_OUT, AT(usage_limits_json), 0, 0},
    {"rate_limits", FIELD_RATES, FIELD_OUT, AT(rate_limits_json), 0, 0},
    {"slug", FIELD_OTHER, 0, 0, 0, 0},
    {"defaults", FIELD_OTHER, 0, 0, 0, 0},
    {"users", FIELD_OTHER, 0, 0, 0, 0},
    {"workspace_integrations", FIELD_OTHER, 0, 0, 0, 0},
    {"default_limit_mode", FIELD_OTHER, 0, 0, 0, 0},
    {"reset_usage", FIELD_OTHER, 0, 0, 0, 0},
    {"force_delete", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_workspace = {"workspace", rows, COUNT_OF(rows)};

/* Position = stored value; 0: as the organisation says. */
static const char *const integration_settings[] = {NULL, "off", "admins", "admins_and_managers"};
static const char *const limit_modes[] = {NULL, "standard", "strict"};

static enum status write_workspace(struct api_call *call, const Sluice__Workspace *workspace)
{
    struct json_writer *w = &call->json;
    struct limit_view view;
    struct id id;
    TRY(wire_id(&workspace->id, &id));
    TRY(limit_view_load(call, LIMIT_WORKSPACE, &id, NULL, NULL, workspace->usage_limits_json,
                        workspace->rate_limits_json, &view));
    jw_field_cstr(w, "object", "workspace");
    jw_field_id(w, "id", &id);
    jw_field_cstr(w, "slug", workspace->slug);
    jw_field_cstr(w, "name", workspace->name);
    fields_write(w, &api_fields_workspace, workspace);
    jw_key(w, "defaults");
    if (workspace->defaults_json[0] == '\0')
        jw_null(w);
    else
        jw_raw(w, str_c(workspace->defaults_json));
    jw_field_u64(w, "is_default", workspace->is_default ? 1 : 0);
    jw_field_cstr(w, "status", "active");
    size_t setting = workspace->workspace_integrations, mode = workspace->default_limit_mode;
    jw_field_cstr(w, "workspace_integrations",
                  setting < COUNT_OF(integration_settings) ? integration_settings[setting] : NULL);
    jw_field_cstr(w, "default_limit_mode", mode < COUNT_OF(limit_modes) ? limit_modes[mode] : NULL);
    TRY(limit_view_write(call, &view));
    jw_field_time(w, "last_reset_at", workspace->last_reset_at_ms);
    jw_field_time(w, "created_at", workspace->created_at_ms);
    jw_field_time(w, "last_updated_at", workspace->updated_at_ms);
    return ST_OK;
}

/* Values must be strings: one client's decoder fails on the whole list otherwise. */
static enum status check_metadata(struct api_call *call, const struct json *metadata)
{
    if (json_is_none(metadata))
        return ST_OK;
    if (!json_is(metadata, JSON_OBJECT))
        return api_invalid(call, "defaults.metadata", "must be an object of strings");
    for (const struct json *item = metadata->first; item != NULL; item = item->next)
        if (item->type != JSON_STRING)
            return api_invalid(call, "defaults.metadata", "must be an object of strings");
    return ST_OK;
}

static enum status read_defaults(struct api_call *call, const struct id *id,
                                 Sluice__Workspace *workspace)
{
    const struct json *defaults = api_body(call, "defaults");
    if (defaults == NULL)
        return ST_OK;
    struct str merged = STR("");
    if (defaults->type != JSON_NULL) {
        if (!json_is(defaults, JSON_OBJECT))
            return api_invalid(call, "defaults", "must be an object");
        TRY(check_metadata(call, json_get(defaults, "metadata")));
        TRY(fields_merge(call->arena, str_c(workspace->defaults_json), defaults, &merged));
    }
    TRY(api_cstr(call->arena, merged, &workspace->defaults_json));
    const struct json *config = json_get(defaults, "config_id");
    struct str name;
    if (config == NULL && defaults->type != JSON_NULL)
        return ST_OK;
    workspace->default_config = wire_data(STR_NONE);
    if (json_is_none(config))
        return ST_OK;
    if (json_text(config, call->arena, &name) != ST_OK)
        return api_invalid(call, "defaults.config_id", "must be a string");
    struct id *bound = arena_alloc(call->arena, sizeof(*bound));
    if (bound == NULL)
        return ST_NO_MEMORY;
    TRY(resolve_default_config(call, id, name, bound));
    workspace->default_config = wire_id_data(bound);
    return ST_OK;
}

static enum status read_word(struct api_call *call, const char *name, const char *const *words,
                             uint32_t count, uint32_t *value)
{
    struct str text;
    if (api_body(call, name) == NULL)
        return ST_OK;
    TRY(api_body_text(call, name, &text));
    *value = 0;
    for (uint32_t i = 1; i < count && text.p != NULL; i++)
        if (str_eq(text, str_c(words[i])))
            *value = i;
    return text.p == NULL || *value > 0 ? ST_OK
                                        : api_invalid(call, name, "is not one of its words");
}

/* What the organisation decides for its workspaces. */
static enum status read_settings(struct api_call *call, Sluice__Workspace *workspace)
{
    TRY(read_word(call, "workspace_integrations", integration_settings,
                  COUNT_OF(integration_settings), &workspace->workspace_integrations));
    return read_word(call, "default_limit_mode", limit_modes, COUNT_OF(limit_modes),
                     &workspace->default_limit_mode);
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const Sluice__Workspace *workspace = message;
    struct api_call *call = list->call;
    struct str contains = api_query(call, "name"), exact = api_query(call, "exact_name");
    struct str status = api_query(call, "status");
    bool sees;
    (void)arg;
    TRY(resolve_sees_workspace(call, &key->id, &sees));
    if (!sees || (contains.n > 0 && str_find(str_c(workspace->name), contains) < 0) ||
        (exact.n > 0 && !str_eq(str_c(workspace->name), exact)) ||
        (status.n > 0 && str_find(status, STR("active")) < 0))
        return ST_OK;
    if (list_wants(list)) {
        jw_object(&call->json);
        TRY(write_workspace(call, workspace));
        jw_end(&call->json);
    }
    return ST_OK;
}

enum status api_workspaces_list(struct api_call *call)
{
    struct list list;
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_WORKSPACE, &ID_NONE, list_row, NULL));
    list_end(&list);
    return ST_OK;
}

enum status api_workspaces_get(struct api_call *call)
{
    struct record_key key;
    Sluice__Workspace *workspace;
    TRY(resolve_workspace(call, call->params[0], &key, &workspace));
    jw_object(&call->json);
    TRY(write_workspace(call, workspace));
    jw_key(&call->json, "users");
    jw_array(&call->json);
    TRY(members_write_all(call, &key));
    jw_end(&call->json);
    jw_end(&call->json);
    return ST_OK;
}

static enum status add_users(struct api_call *call, const struct record_key *workspace)
{
    const struct json *users = api_body(call, "users");
    if (json_is_none(users))
        return ST_OK;
    if (!json_is(users, JSON_ARRAY))
        return api_invalid(call, "users", "must be an array of user ids");
    for (const struct json *item = users->first; item != NULL; item = item->next) {
        struct str name;
        if (json_text(item, call->arena, &name) != ST_OK)
            return api_invalid(call, "users", "must be an array of user ids");
        TRY(members_add(call, workspace, name, MEMBER_ROLE_MEMBER));
    }
    return ST_OK;
}

static enum status pick_slug(struct api_call *call, Sluice__Workspace *workspace)
{
    struct str slug;
    TRY(api_body_text(call, "slug", &slug));
    if (slug.n == 0)
        slug = slug_make(call->arena, "ws-", str_c(workspace->name));
    else if (!slug_is_valid(slug))
        return api_invalid(call, "slug",
                           "must be 1 to 255 letters, digits, '-' or '_', and no UUID");
    if (slug.p == NULL)
        return ST_NO_MEMORY;
    return api_cstr(call->arena, slug, &workspace->slug);
}

enum status api_workspaces_create(struct api_call *call)
{
    Sluice__Workspace workspace = SLUICE__WORKSPACE__INIT;
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE, call->auth.org, ID_NONE, id_new()};
    TRY(fields_read(call, &api_fields_workspace, &workspace, true));
    TRY(read_defaults(call, &key.id, &workspace));
    TRY(read_settings(call, &workspace));
    TRY(pick_slug(call, &workspace));
    workspace.id = wire_id_data(&key.id);
    workspace.created_at_ms = workspace.updated_at_ms = call->now_ms;
    enum status status = record_put(call->op, &key, &workspace, str_c(workspace.slug));
    if (status == ST_CONFLICT)
        return api_fail(call, status, "A workspace with this slug already exists");
    TRY(status);
    TRY(add_users(call, &key));
    TRY(provision_workspace(call->op, &key.org, &key.id));
    api_audit(call, "create", "workspace", &key.id, &key.id, workspace.slug);
    jw_object(&call->json);
    TRY(write_workspace(call, &workspace));
    jw_end(&call->json);
    return ST_OK;
}

/* Limits and settings of a workspace are the organisation's: its own keys must not raise them. */
static enum status check_may(struct api_call *call, const Sluice__Workspace *before,
                             const Sluice__Workspace *after)
{
    if (auth_is_org(&call->auth) ||
        (strcmp(before->usage_limits_json, after->usage_limits_json) == 0 &&
         strcmp(before->rate_limits_json, after->rate_limits_json) == 0 &&
         before->last_reset_at_ms == after->last_reset_at_ms &&
         before->workspace_integrations == after->workspace_integrations &&
         before->default_limit_mode == after->default_limit_mode))
        return ST_OK;
    return api_fail(call, ST_FORBIDDEN,
                    "Limits and settings of a workspace are the organisation's to change");
}

enum status api_workspaces_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Workspace *workspace;
    TRY(resolve_workspace(call, call->params[0], &key, &workspace));
    const Sluice__Workspace before = *workspace;
    bool reset = false;
    TRY(fields_read(call, &api_fields_workspace, workspace, false));
    TRY(read_defaults(call, &key.id, workspace));
    TRY(read_settings(call, workspace));
    TRY(api_body_bool(call, "reset_usage", &reset));
    if (reset)
        workspace->last_reset_at_ms = call->now_ms;
    TRY(check_may(call, &before, workspace));
    workspace->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, workspace, str_c(workspace->slug)));
    if (reset)
        TRY(limit_view_reset(call, LIMIT_WORKSPACE, &key.id, NULL, NULL));
    api_audit(call, reset ? "reset_usage" : "update", "workspace", &key.id, &key.id, workspace->slug);
    jw_object(&call->json);
    TRY(write_workspace(call, workspace));
    jw_end(&call->json);
    return ST_OK;
}

/* True if the workspace has an entity of the kind. */
static enum status has_any(struct api_call *call, Sluice__Kind kind,
                           const struct record_key *workspace, bool *any)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    TRY(record_cursor_open(call->txn, kind, &workspace->org, &workspace->id, &cursor));
    enum status status = record_cursor_next(cursor, call->arena, &key, NULL, NULL);
    record_cursor_close(cursor);
    *any = *any || status == ST_OK;
    return status == ST_END ? ST_OK : status;
}

static enum status check_deletable(struct api_call *call, const struct record_key *key,
                                   const Sluice__Workspace *workspace)
{
    struct str name;
    bool force = false, any = false;
    TRY(api_body_text(call, "name", &name));
    struct str shown = arena_printf(call->arena, "%s %s", workspace->icon, workspace->name);
    if (name.n > 0 && !str_eq(name, str_c(workspace->name)) && !str_eq(name, shown))
        return api_invalid(call, "name", "does not match the workspace");
    TRY(api_forced(call, &force));
    if (force)
        return ST_OK;
    TRY(has_any(call, SLUICE__KIND__KIND_PROVIDER, key, &any));
    TRY(has_any(call, SLUICE__KIND__KIND_CONFIG, key, &any));
    TRY(has_any(call, SLUICE__KIND__KIND_API_KEY, key, &any));
    if (any)
        return api_fail(call, ST_IN_USE,
                        "Unable to delete. Please ensure that all Virtual Keys are deleted");
    return ST_OK;
}

enum status api_workspaces_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__Workspace *workspace;
    TRY(resolve_workspace(call, call->params[0], &key, &workspace));
    TRY(check_deletable(call, &key, workspace));
    TRY(api_trash(call, "workspace", &key, &key.id, workspace->slug));
    TRY(provision_remove_workspace(call->op, &key));
    api_audit(call, "delete", "workspace", &key.id, &key.id, workspace->slug);
    return ST_OK;
}
