/* integrations.c: /v1/integrations: credentials of a provider account, kept once for the
 * organisation.
 *
 * What is secret leaves for the vault (credentials.h) and comes back masked only. Everything else
 * is given back as it was sent, unknown configuration fields included. A workspace may have
 * integrations of its own if the organisation allows it; those are made with a provider in the
 * workspace at once. Models are integration_models.c, access integration_workspaces.c.
 */
#include "control-plane/api/integrations.h"

#include "common/wire.h"
#include "control-plane/api/credentials.h"
#include "control-plane/api/limit_view.h"
#include "control-plane/api/list.h"
#include "control-plane/api/providers.h"
#include "control-plane/api/members.h"
#include "control-plane/api/prices.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/builtin.h"
#include "control-plane/domain/provision.h"
#include "control-plane/domain/slug.h"

#define AT(member) FIELD_AT(Sluice__Integration, member)

static const struct field rows[] = {
    {"name", FIELD_TEXT, FIELD_REQUIRED | FIELD_OUT, AT(name), 1, 255},
    {"description", FIELD_TEXT, FIELD_OUT, AT(description), 0, 1024},
    {"usage_limits", FIELD_USAGE, FIELD_OUT | FIELD_ABSENT, AT(usage_limits_json), 0, 0},
    {"rate_limits", FIELD_RATES, FIELD_OUT | FIELD_ABSENT, AT(rate_limits_json), 0, 0},
    {"reset_usage", FIELD_OTHER, 0, 0, 0, 0},
    {"passthrough", FIELD_BOOL, FIELD_OUT, AT(passthrough), 0, 0},
    {"api_dialect", FIELD_TEXT, FIELD_OUT, AT(api_dialect), 0, 32},
    {"regions", FIELD_TEXTS, FIELD_OUT, AT(n_regions), 0, 32},
    {"ai_provider_id", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"slug", FIELD_OTHER, 0, 0, 0, 0},
    {"key", FIELD_OTHER, 0, 0, 0, 0},
    {"configurations", FIELD_OTHER, 0, 0, 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"create_default_provider", FIELD_OTHER, 0, 0, 0, 0},
    {"default_provider_slug", FIELD_OTHER, 0, 0, 0, 0},
    {"secret_mappings", FIELD_OTHER, 0, 0, 0, 0},
    {"pricing_adjustments", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_integration = {"integration", rows, COUNT_OF(rows)};

static enum status write_summary(struct api_call *call, const struct record_key *key,
                                 const Sluice__Integration *record)
{
    struct json_writer *w = &call->json;
    struct limit_view view;
    TRY(limit_view_load(call, LIMIT_INTEGRATION, &key->id, NULL, NULL, record->usage_limits_json,
                        record->rate_limits_json, &view));
    bool alias = record->provider_alias[0] != '\0';
    jw_field_cstr(w, "object", "integration");
    jw_field_id(w, "id", &key->id);
    jw_field_id(w, "organisation_id", &key->org);
    jw_field_cstr(w, "ai_provider_id", alias ? record->provider_alias : record->provider_type);
    jw_field_cstr(w, "slug", record->slug);
    jw_field_cstr(w, "status", "active");
    jw_field_cstr(w, "type", record->workspace.len > 0 ? "workspace" : "organisation");
    wire_field_id(w, "workspace_id", &record->workspace);
    wire_field_id(w, "owner_id", &record->created_by);
    fields_write(w, &api_fields_integration, record);
    TRY(limit_view_write(call, &view));
    jw_field_time(w, "last_reset_at", record->last_reset_at_ms);
    jw_field_time(w, "created_at", record->created_at_ms);
    jw_field_time(w, "last_updated_at", record->updated_at_ms);
    return ST_OK;
}

/* configurations = what is stored + masked_<field> of what is sealed; masked_key stands beside it.
 */
static enum status write_configurations(struct api_call *call, const Sluice__Integration *record)
{
    struct json_writer *w = &call->json;
    struct json *kept = NULL, *masked = NULL;
    if (record->configurations_json[0] != '\0')
        TRY(json_parse(call->arena, str_c(record->configurations_json), NULL, &kept, NULL));
    if (record->masked_json[0] != '\0')
        TRY(json_parse(call->arena, str_c(record->masked_json), NULL, &masked, NULL));
    const struct json *key = json_get(masked, "masked_key");
    jw_key(w, "masked_key");
    jw_raw(w, key == NULL ? STR("null") : key->raw);
    jw_key(w, "configurations");
    jw_object(w);
    for (const struct json *item = kept == NULL ? NULL : kept->first; item != NULL;
         item = item->next) {
        jw_key_str(w, item->key);
        jw_raw(w, item->raw);
    }
    for (const struct json *item = masked == NULL ? NULL : masked->first; item != NULL;
         item = item->next) {
        if (item == key)
            continue;
        jw_key_str(w, item->key);
        jw_raw(w, item->raw);
    }
    jw_end(w);
    return ST_OK;
}

static void write_raw(struct json_writer *w, const char *name, const char *json,
                      const char *otherwise)
{
    jw_key(w, name);
    jw_raw(w, str_c(json[0] == '\0' ? otherwise : json));
}

static void write_global(struct json_writer *w, const char *name, const Sluice__Integration *record)
{
    jw_key(w, name);
    jw_object(w);
    jw_field_bool(w, "enabled", record->global_access);
    write_raw(w, "usage_limits", record->global_usage_limits_json, "null");
    write_raw(w, "rate_limits", record->global_rate_limits_json, "null");
    jw_end(w);
}

static enum status count_access(struct list *list, const struct record_key *key,
                                const void *message, void *arg)
{
    (void)key;
    (void)arg;
    list->total += ((const Sluice__WorkspaceAccess *)message)->enabled ? 1 : 0;
    return ST_OK;
}

enum status api_integrations_get(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct record_key key;
    Sluice__Integration *record;
    struct list access;
    TRY(resolve_integration(call, call->params[0], &key, &record));
    list_open(&access, call, 1);
    TRY(list_run(&access, SLUICE__KIND__KIND_WORKSPACE_ACCESS, &key.id, count_access, NULL));
    jw_object(w);
    TRY(write_summary(call, &key, record));
    TRY(write_configurations(call, record));
    jw_field_bool(w, "allow_all_models", record->allow_all_models);
    jw_field_u64(w, "workspace_count", access.total);
    write_global(w, "global_workspace_access_settings", record);
    write_global(w, "global_workspace_access", record);
    write_raw(w, "secret_mappings", record->secret_mappings_json, "[]");
    write_raw(w, "pricing_adjustments", record->pricing_adjustments_json, "null");
    if (record->n_price_adjusts > 0)
        prices_write_adjusts(w, "pricing_history", record->price_adjusts, record->n_price_adjusts);
    jw_end(w);
    return ST_OK;
}

struct integration_filter {
    struct str type;
    bool of_workspace; /* only what this workspace has */
    struct id workspace;
};

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const Sluice__Integration *record = message;
    const struct integration_filter *filter = arg;
    struct api_call *call = list->call;
    bool own = record->workspace.len > 0;
    if ((str_eq(filter->type, STR("workspace")) && !own) ||
        (str_eq(filter->type, STR("organisation")) && own))
        return ST_OK;
    if (filter->of_workspace && own &&
        !str_eq(wire_str(&record->workspace), id_bytes(&filter->workspace)))
        return ST_OK;
    if (filter->of_workspace && !own) {
        Sluice__WorkspaceAccess *access;
        TRY(resolve_access(call, &key->id, &filter->workspace, &access));
        if (access == NULL || !access->enabled)
            return ST_OK;
    }
    if (list_wants(list)) {
        jw_object(&call->json);
        TRY(write_summary(call, key, record));
        jw_end(&call->json);
    }
    return ST_OK;
}

enum status api_integrations_list(struct api_call *call)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct list list;
    TRY(resolve_scope(call, false, &scope, &workspace));
    struct integration_filter filter = {.type = api_query(call, "type"),
                                        .of_workspace = workspace != NULL};
    if (workspace != NULL)
        filter.workspace = scope.id;
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_INTEGRATION, &ID_NONE, list_row, &filter));
    list_end(&list);
    return ST_OK;
}

static enum status read_mappings(struct api_call *call, Sluice__Integration *record)
{
    const struct json *list = api_body(call, "secret_mappings");
    if (list == NULL)
        return ST_OK;
    if (list->type == JSON_NULL || (list->type == JSON_ARRAY && list->count == 0))
        return api_cstr(call->arena, STR(""), &record->secret_mappings_json);
    if (list->type != JSON_ARRAY || list->count > 32)
        return api_invalid(call, "secret_mappings", "must be an array of at most 32 mappings");
    for (const struct json *item = list->first; item != NULL; item = item->next) {
        struct str target, reference, other;
        if (json_text(json_get(item, "target_field"), call->arena, &target) != ST_OK ||
            (!str_eq(target, STR("key")) && !str_starts(target, STR("configurations."))))
            return api_invalid(call, "secret_mappings.target_field",
                               "must be key or configurations.<field>");
        if (json_text(json_get(item, "secret_reference_id"), call->arena, &reference) != ST_OK ||
            reference.n == 0)
            return api_invalid(call, "secret_mappings.secret_reference_id", "is required");
        for (const struct json *before = list->first; before != item; before = before->next)
            if (json_text(json_get(before, "target_field"), call->arena, &other) == ST_OK &&
                str_eq(other, target))
                return api_invalid(call, "secret_mappings.target_field", "must be unique");
    }
    return api_cstr(call->arena, list->raw, &record->secret_mappings_json);
}

/* What is sent again as it stands changes nothing, so an apply that repeats itself moves no date. */
static enum status read_adjustments(struct api_call *call, Sluice__Integration *record)
{
    static const char name[] = "pricing_adjustments";
    const struct json *node = api_body(call, name);
    Sluice__PriceAdjust *page;
    if (node == NULL || str_eq(node->raw, str_c(record->pricing_adjustments_json)))
        return ST_OK;
    TRY(prices_read_adjust(call, name, node, call->now_ms, &page));
    TRY(prices_put_adjust(call, name, page, &record->price_adjusts, &record->n_price_adjusts));
    return api_cstr(call->arena, json_is(node, JSON_NULL) ? STR("") : node->raw,
                    &record->pricing_adjustments_json);
}

/* reset_usage: true. */
static enum status read_reset(struct api_call *call, Sluice__Integration *record, bool *reset)
{
    *reset = false;
    TRY(api_body_bool(call, "reset_usage", reset));
    if (*reset)
        record->last_reset_at_ms = call->now_ms;
    return ST_OK;
}

static enum status read_slug(struct api_call *call, Sluice__Integration *record)
{
    struct str slug;
    TRY(api_body_text(call, "slug", &slug));
    if (slug.n == 0)
        slug = slug_make(call->arena, "", str_c(record->name));
    else if (!slug_is_valid(slug))
        return api_invalid(call, "slug",
                           "must be 1 to 255 letters, digits, '-' or '_', and no UUID");
    if (slug.p == NULL)
        return ST_NO_MEMORY;
    return api_cstr(call->arena, slug, &record->slug);
}

static enum status read_provider_type(struct api_call *call, Sluice__Integration *record)
{
    struct str name;
    Sluice__ProviderType *type;
    TRY(api_body_text(call, "ai_provider_id", &name));
    if (name.n == 0)
        return api_invalid(call, "ai_provider_id", "is required");
    TRY(integrations_provider_type(call, name, &type));
    record->provider_type = type->slug;
    return str_eq(name, str_c(type->slug)) ? ST_OK
                                           : api_cstr(call->arena, name, &record->provider_alias);
}

/* A workspace's id is given, or a workspace key asks: the integration is the workspace's own. */
static enum status pick_workspace(struct api_call *call, struct record_key *scope,
                                  Sluice__Workspace **workspace)
{
    TRY(resolve_scope(call, false, scope, workspace));
    if (*workspace != NULL)
        return integrations_check_workspace(call, *workspace);
    if (!auth_may(&call->auth, PEOPLE_ADMINS, "organisation_integrations.create"))
        return api_fail(call, ST_FORBIDDEN, "%s", status_row(ST_FORBIDDEN)->text);
    return ST_OK;
}

enum status api_integrations_create(struct api_call *call)
{
    Sluice__Integration record = SLUICE__INTEGRATION__INIT;
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, call->auth.org, ID_NONE, id_new()},
                      scope;
    Sluice__Workspace *workspace;
    struct str provider_slug;
    bool create_provider = true;
    TRY(pick_workspace(call, &scope, &workspace));
    TRY(fields_read(call, &api_fields_integration, &record, true));
    TRY(read_provider_type(call, &record));
    TRY(read_slug(call, &record));
    TRY(api_body_text(call, "default_provider_slug", &provider_slug));
    TRY(api_body_bool(call, "create_default_provider", &create_provider));
    TRY(read_mappings(call, &record));
    TRY(read_adjustments(call, &record));
    TRY(integrations_check_regions(call, &record));
    record.allow_all_models = 1;
    TRY(integrations_read_secrets(call, &key, &record, api_body(call, "key"),
                                  api_body(call, "configurations")));
    TRY(integrations_put_new(call, &key, &record, workspace == NULL ? NULL : &scope.id,
                             provider_slug, create_provider));
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &key.id);
    jw_field_cstr(&call->json, "slug", record.slug);
    jw_field_cstr(&call->json, "object", "integration");
    jw_end(&call->json);
    return ST_OK;
}

enum status api_integrations_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Integration *record;
    struct id workspace;
    bool reset;
    TRY(resolve_own_integration(call, call->params[0], &key, &record));
    TRY(fields_read(call, &api_fields_integration, record, false));
    if (api_body(call, "regions") != NULL) {
        TRY(integrations_check_regions(call, record));
        TRY(integrations_republish_rules(call, &key));
    }
    TRY(read_mappings(call, record));
    TRY(read_adjustments(call, record));
    TRY(read_reset(call, record, &reset));
    TRY(integrations_read_secrets(call, &key, record, api_body(call, "key"),
                                  api_body(call, "configurations")));
    TRY(wire_id(&record->workspace, &workspace));
    record->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, record, str_c(record->slug)));
    if (reset)
        TRY(limit_view_reset(call, LIMIT_INTEGRATION, &key.id, NULL, NULL));
    api_audit(call, reset ? "reset_usage" : "update", "integration", &workspace, &key.id, record->slug);
    return ST_OK;
}

/* A provider that somebody made of the integration, or that a config names, is in the way. */
static enum status find_use(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const struct record_key *integration = arg;
    const Sluice__Provider *provider = message;
    if (!str_eq(wire_str(&provider->integration), id_bytes(&integration->id)))
        return ST_OK;
    if (!provider->automatic)
        return api_fail(list->call, ST_IN_USE, "The provider %.100s was made of this integration",
                        provider->slug);
    return providers_check_unused(list->call, key, provider);
}

static enum status check_unused(struct api_call *call, struct record_key *key)
{
    struct list list;
    bool forced;
    TRY(api_forced(call, &forced));
    list_open(&list, call, 1);
    return forced ? ST_OK : list_run(&list, SLUICE__KIND__KIND_PROVIDER, NULL, find_use, key);
}

enum status api_integrations_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__Integration *record;
    struct id workspace;
    TRY(resolve_own_integration(call, call->params[0], &key, &record));
    TRY(wire_id(&record->workspace, &workspace));
    TRY(check_unused(call, &key));
    TRY(api_trash(call, "integration", &key, &workspace, record->slug));
    TRY(provision_remove_integration(call->op, &key));
    api_audit(call, "delete", "integration", &workspace, &key.id, record->slug);
    return ST_OK;
}
