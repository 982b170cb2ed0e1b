/* virtual_keys.c: /v1/virtual-keys, the older face of providers: one call made a credential and its
 * slug.
 *
 * Creating one makes a workspace's own integration with that credential and a provider with that
 * slug; reading shows the provider with the integration's masked key; changing `key` changes the
 * integration; deleting removes both. Bodies come in two spellings (apiVersion, api_version) with
 * camelCase inside deploymentConfig; both end as the integration's configurations.
 */
#include "common/wire.h"
#include "control-plane/api/integrations.h"
#include "control-plane/api/list.h"
#include "control-plane/api/providers.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/provision.h"
#include "control-plane/domain/slug.h"

#define VIRTUAL_CONFIG_MAX (64u << 10)

#define AT(member) FIELD_AT(Sluice__Provider, member)

static const struct field rows[] = {
    {"name", FIELD_TEXT, FIELD_REQUIRED | FIELD_OUT, AT(name), 1, 255},
    {"note", FIELD_TEXT, FIELD_OUT, AT(note), 0, 1024},
    {"usage_limits", FIELD_USAGE, FIELD_OUT | FIELD_SINGLE, AT(usage_limits_json), 0, 0},
    {"rate_limits", FIELD_RATES, FIELD_OUT, AT(rate_limits_json), 0, 0},
    {"expires_at", FIELD_TIME, FIELD_OUT, AT(expires_at_ms), 0, 0},
    {"provider", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"key", FIELD_OTHER, 0, 0, 0, 0},
    {"slug", FIELD_OTHER, 0, 0, 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"deployment_config", FIELD_OTHER, 0, 0, 0, 0},
    {"secret_mappings", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_virtual_key = {"virtual_key", rows, COUNT_OF(rows)};

/* Members of a virtual key that are configuration fields of an integration. */
static const struct {
    const char *member, *field;
} renames[] = {
    {"resource_name", "azure_resource_name"},
    {"api_version", "azure_api_version"},
    {"deployment_name", "azure_deployment_name"},
    {"aws_region", "aws_region"},
    {"aws_access_key_id", "aws_access_key_id"},
    {"aws_secret_access_key", "aws_secret_access_key"},
    {"aws_role_arn", "aws_role_arn"},
    {"aws_external_id", "aws_external_id"},
    {"aws_auth_type", "aws_auth_type"},
    {"vertex_project_id", "vertex_project_id"},
    {"vertex_region", "vertex_region"},
    {"vertex_service_account_json", "vertex_service_account_json"},
    {"vertex_auth_type", "vertex_auth_type"},
    {"workers_ai_account_id", "workers_ai_account_id"},
    {"huggingface_base_url", "huggingface_base_url"},
    {"openai_organization", "openai_organization"},
    {"openai_project", "openai_project"},
    {"custom_host", "custom_host"},
    {"custom_headers", "custom_headers"},
    {"azure_auth_mode", "azure_auth_mode"},
    {"azure_foundry_url", "azure_foundry_url"},
    {"snowflake_account", "snowflake_account"},
};

static const struct {
    const char *member, *field;
} deployment_renames[] = {
    {"api_version", "azure_api_version"},
    {"deployment_name", "azure_deployment_name"},
    {"alias", "alias"},
    {"is_default", "is_default"},
    {"model_slug", "azure_model_slug"},
};

static void write_deployments(struct json_writer *w, const struct json *list)
{
    jw_key(w, "azure_deployment_config");
    jw_array(w);
    for (const struct json *item = list->first; item != NULL; item = item->next) {
        jw_object(w);
        for (size_t i = 0; i < COUNT_OF(deployment_renames); i++) {
            const struct json *value = api_member(item, deployment_renames[i].member);
            if (value == NULL)
                value = json_get(item, deployment_renames[i].field);
            if (value == NULL)
                continue;
            jw_key(w, deployment_renames[i].field);
            jw_raw(w, value->raw);
        }
        jw_end(w);
    }
    jw_end(w);
}

/* The body's provider members as a configurations object; NULL if it has none. */
static enum status read_configurations(struct api_call *call, const struct json **configurations)
{
    const struct json *deployments = api_body(call, "deployment_config"),
                      *model_config = api_body(call, "model_config");
    struct buf out;
    struct json_writer w;
    struct json *made;
    char *text;
    size_t count = 0;
    if (!json_is_none(deployments) && !json_is(deployments, JSON_ARRAY))
        return api_invalid(call, "deployment_config", "must be an array");
    buf_init(&out, VIRTUAL_CONFIG_MAX);
    enum status status =
        buf_reserve(&out, call->request->body.n < VIRTUAL_CONFIG_MAX ? call->request->body.n : 0);
    if (status != ST_OK)
        return status;
    jw_init(&w, &out);
    jw_object(&w);
    for (size_t i = 0; i < COUNT_OF(renames); i++) {
        const struct json *value = api_body(call, renames[i].member);
        if (value == NULL)
            value = api_member(model_config, renames[i].member);
        if (value == NULL)
            continue;
        jw_key(&w, renames[i].field);
        jw_raw(&w, value->raw);
        count++;
    }
    if (json_is(deployments, JSON_ARRAY)) {
        write_deployments(&w, deployments);
        count++;
    }
    jw_end(&w);
    TRY(fields_take(call->arena, &out, &text));
    *configurations = NULL;
    if (count == 0)
        return ST_OK;
    TRY(json_parse(call->arena, str_c(text), NULL, &made, NULL));
    *configurations = made;
    return ST_OK;
}

static enum status write_integration(struct api_call *call, const Sluice__Provider *provider)
{
    struct json_writer *w = &call->json;
    struct record_key key;
    Sluice__Integration *integration;
    struct json *masked = NULL;
    enum status status = providers_integration(call, provider, call->arena, &key, &integration);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    bool alias = integration->provider_alias[0] != '\0';
    jw_field_cstr(w, "ai_provider_name",
                  alias ? integration->provider_alias : integration->provider_type);
    if (integration->masked_json[0] != '\0')
        TRY(json_parse(call->arena, str_c(integration->masked_json), NULL, &masked, NULL));
    const struct json *shown = json_get(masked, "masked_key");
    jw_key(w, "masked_api_key");
    jw_raw(w, shown == NULL ? STR("null") : shown->raw);
    jw_key(w, "model_config");
    jw_raw(w, integration->configurations_json[0] == '\0'
                  ? STR("{}")
                  : str_c(integration->configurations_json));
    jw_key(w, "secret_mappings");
    jw_raw(w, integration->secret_mappings_json[0] == '\0'
                  ? STR("[]")
                  : str_c(integration->secret_mappings_json));
    return ST_OK;
}

static enum status write_key(struct api_call *call, const struct record_key *key,
                             const Sluice__Provider *provider)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_cstr(w, "object", "virtual-key");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "slug", provider->slug);
    TRY(providers_write_usage(call, key, provider));
    fields_write(w, &api_fields_virtual_key, provider);
    TRY(write_integration(call, provider));
    jw_field_id(w, "workspace_id", &key->parent);
    jw_key(w, "reset_usage");
    jw_null(w);
    jw_field_time(w, "created_at", provider->created_at_ms);
    jw_field_time(w, "last_updated_at", provider->updated_at_ms);
    jw_end(w);
    return ST_OK;
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    (void)arg;
    return list_wants(list) ? write_key(list->call, key, message) : ST_OK;
}

enum status api_virtual_keys_list(struct api_call *call)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct list list;
    TRY(resolve_scope(call, false, &scope, &workspace));
    list_begin(&list, call, 50);
    TRY(list_run(&list, SLUICE__KIND__KIND_PROVIDER, workspace == NULL ? NULL : &scope.id, list_row,
                 NULL));
    list_end(&list);
    return ST_OK;
}

enum status api_virtual_keys_get(struct api_call *call)
{
    struct record_key key;
    Sluice__Provider *provider;
    TRY(resolve_provider(call, call->params[0], &key, &provider));
    return write_key(call, &key, provider);
}

/* The integration that a new virtual key stands on. */
static enum status make_integration(struct api_call *call, const struct id *workspace,
                                    Sluice__Provider *provider)
{
    Sluice__Integration record = SLUICE__INTEGRATION__INIT;
    struct record_key *key = arena_alloc(call->arena, sizeof(*key));
    const struct json *configurations;
    Sluice__ProviderType *type;
    struct str name;
    if (key == NULL)
        return ST_NO_MEMORY;
    *key = (struct record_key){SLUICE__KIND__KIND_INTEGRATION, call->auth.org, ID_NONE, id_new()};
    TRY(api_body_text(call, "provider", &name));
    if (name.n == 0)
        return api_invalid(call, "provider", "is required");
    TRY(integrations_provider_type(call, name, &type));
    record.provider_type = type->slug;
    if (!str_eq(name, str_c(type->slug)))
        TRY(api_cstr(call->arena, name, &record.provider_alias));
    struct str slug = slug_suffixed(call->arena, str_c(provider->slug));
    if (slug.p == NULL)
        return ST_NO_MEMORY;
    TRY(api_cstr(call->arena, slug, &record.slug));
    record.name = provider->name;
    record.allow_all_models = 1;
    TRY(read_configurations(call, &configurations));
    TRY(integrations_read_secrets(call, key, &record, api_body(call, "key"), configurations));
    provider->integration = wire_id_data(&key->id);
    return integrations_put_new(call, key, &record, workspace, STR_NONE, false);
}

enum status api_virtual_keys_create(struct api_call *call)
{
    Sluice__Provider provider = SLUICE__PROVIDER__INIT;
    struct record_key scope, key;
    Sluice__Workspace *workspace;
    TRY(resolve_scope(call, true, &scope, &workspace));
    TRY(integrations_check_workspace(call, workspace));
    TRY(fields_read(call, &api_fields_virtual_key, &provider, true));
    TRY(providers_pick_slug(call, &provider));
    TRY(make_integration(call, &scope.id, &provider));
    key = (struct record_key){SLUICE__KIND__KIND_PROVIDER, scope.org, scope.id, id_new()};
    provider.id = wire_id_data(&key.id);
    provider.created_at_ms = call->now_ms;
    TRY(providers_put(call, &key, &provider));
    api_audit(call, "create", "provider", &key.parent, &key.id, provider.slug);
    providers_write_made(call, &key, provider.slug, "virtual-key");
    return ST_OK;
}

/* A changed credential is the integration's; only its workspace's own may be changed through here.
 */
static enum status update_integration(struct api_call *call, const struct record_key *provider_key,
                                      const Sluice__Provider *provider)
{
    const struct json *secret = api_body(call, "key"), *configurations;
    struct record_key key;
    Sluice__Integration *record;
    TRY(read_configurations(call, &configurations));
    if (secret == NULL && configurations == NULL)
        return ST_OK;
    TRY(api_found(call, providers_integration(call, provider, call->arena, &key, &record),
                  "Integration"));
    if (!str_eq(wire_str(&record->workspace), id_bytes(&provider_key->parent)))
        return api_fail(call, ST_FORBIDDEN,
                        "key: the credential belongs to an integration of the organisation");
    TRY(integrations_read_secrets(call, &key, record, secret, configurations));
    record->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, record, str_c(record->slug)));
    api_audit(call, "update", "integration", &provider_key->parent, &key.id, record->slug);
    return ST_OK;
}

enum status api_virtual_keys_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Provider *provider;
    TRY(resolve_provider(call, call->params[0], &key, &provider));
    TRY(fields_read(call, &api_fields_virtual_key, provider, false));
    TRY(update_integration(call, &key, provider));
    TRY(providers_put(call, &key, provider));
    api_audit(call, "update", "provider", &key.parent, &key.id, provider->slug);
    providers_write_made(call, &key, provider->slug, "virtual-key");
    return ST_OK;
}

struct sharing {
    struct id integration, provider;
    bool shared;
};

static enum status find_sharing(struct list *list, const struct record_key *key,
                                const void *message, void *arg)
{
    const Sluice__Provider *provider = message;
    struct sharing *sharing = arg;
    (void)list;
    if (!id_eq(&key->id, &sharing->provider) &&
        str_eq(wire_str(&provider->integration), id_bytes(&sharing->integration)))
        sharing->shared = true;
    return ST_OK;
}

enum status api_virtual_keys_delete(struct api_call *call)
{
    struct record_key key, integration_key;
    Sluice__Provider *provider;
    Sluice__Integration *record;
    struct list list;
    TRY(resolve_provider(call, call->params[0], &key, &provider));
    enum status status =
        providers_integration(call, provider, call->arena, &integration_key, &record);
    bool own = status == ST_OK && str_eq(wire_str(&record->workspace), id_bytes(&key.parent));
    if (status != ST_OK && status != ST_NOT_FOUND)
        return status;
    struct sharing sharing = {integration_key.id, key.id, false};
    list_open(&list, call, 1);
    TRY(list_run(&list, SLUICE__KIND__KIND_PROVIDER, &key.parent, find_sharing, &sharing));
    TRY(providers_check_unused(call, &key, provider));
    TRY(api_trash(call, "provider", &key, &key.parent, provider->slug));
    TRY(record_delete(call->op, &key));
    api_audit(call, "delete", "provider", &key.parent, &key.id, provider->slug);
    if (own && !sharing.shared) {
        TRY(provision_remove_integration(call->op, &integration_key));
        api_audit(call, "delete", "integration", &key.parent, &integration_key.id, record->slug);
    }
    return ST_OK;
}
