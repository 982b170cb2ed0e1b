/* providers.c: /v1/providers: what developers name in "@slug/model". /v1/virtual-keys
 * (virtual_keys.c) is another view of them.
 *
 * A provider belongs to a workspace and stands for an integration that the workspace was given; it
 * holds limits of its own and nothing secret. Making one needs an enabled access row.
 * `integration_id` is read back in the spelling it was sent in.
 */
#include "control-plane/api/providers.h"

#include "common/wire.h"
#include "control-plane/api/list.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/config_refs.h"
#include "control-plane/domain/slug.h"

#define AT(member) FIELD_AT(Sluice__Provider, member)

static const struct field rows[] = {
    {"name", FIELD_TEXT, FIELD_REQUIRED | FIELD_OUT, AT(name), 1, 255},
    {"note", FIELD_TEXT, FIELD_OUT, AT(note), 0, 1024},
    {"usage_limits", FIELD_USAGE, FIELD_OUT | FIELD_SINGLE, AT(usage_limits_json), 0, 0},
    {"rate_limits", FIELD_RATES, FIELD_OUT, AT(rate_limits_json), 0, 0},
    {"expires_at", FIELD_TIME, FIELD_OUT, AT(expires_at_ms), 0, 0},
    {"model_config", FIELD_OBJECT, 0, AT(model_config_json), 0, 0},
    {"allowed_models", FIELD_TEXTS, FIELD_OUT, AT(n_allowed_models), 0, 512},
    {"integration_id", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"slug", FIELD_OTHER, 0, 0, 0, 0},
    {"reset_usage", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_provider = {"provider", rows, COUNT_OF(rows)};

enum status providers_integration(struct api_call *call, const Sluice__Provider *provider,
                                  struct arena *arena, struct record_key *key,
                                  Sluice__Integration **integration)
{
    *key = (struct record_key){SLUICE__KIND__KIND_INTEGRATION, call->auth.org, ID_NONE, ID_NONE};
    TRY(wire_id(&provider->integration, &key->id));
    return record_get(call->txn, key, arena, integration, NULL);
}

enum status providers_write_usage(struct api_call *call, const struct record_key *key,
                                  const Sluice__Provider *provider)
{
    bool expired = provider->expires_at_ms != 0 && provider->expires_at_ms <= call->now_ms;
    struct limit_view view;
    TRY(limit_view_load(call, LIMIT_PROVIDER, &key->id, NULL, &key->parent,
                        provider->usage_limits_json, provider->rate_limits_json, &view));
    jw_field_cstr(&call->json, "status", limit_view_status(&view, expired));
    return limit_view_write(call, &view);
}

/* integration_id and ai_provider_name; an integration that is gone leaves them empty. */
static enum status write_integration(struct api_call *call, const Sluice__Provider *provider)
{
    struct json_writer *w = &call->json;
    struct arena scratch;
    struct record_key key;
    Sluice__Integration *integration;
    arena_init(&scratch, 4u << 20);
    enum status status = providers_integration(call, provider, &scratch, &key, &integration);
    if (status == ST_OK) {
        bool spelt = provider->integration_name[0] != '\0';
        bool alias = integration->provider_alias[0] != '\0';
        jw_field_cstr(w, "integration_id", spelt ? provider->integration_name : integration->slug);
        jw_field_cstr(w, "ai_provider_name",
                      alias ? integration->provider_alias : integration->provider_type);
    }
    arena_free(&scratch);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status write_provider(struct api_call *call, const struct record_key *key,
                                  const Sluice__Provider *provider)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_cstr(w, "object", "provider");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "slug", provider->slug);
    TRY(providers_write_usage(call, key, provider));
    TRY(write_integration(call, provider));
    jw_field_id(w, "workspace_id", &key->parent);
    fields_write(w, &api_fields_provider, provider);
    jw_key(w, "reset_usage");
    jw_null(w);
    jw_key(w, "model_config");
    jw_raw(w,
           provider->model_config_json[0] == '\0' ? STR("{}") : str_c(provider->model_config_json));
    jw_field_time(w, "created_at", provider->created_at_ms);
    jw_field_time(w, "last_updated_at", provider->updated_at_ms);
    jw_end(w);
    return ST_OK;
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    (void)arg;
    return list_wants(list) ? write_provider(list->call, key, message) : ST_OK;
}

enum status api_providers_list(struct api_call *call)
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

enum status api_providers_get(struct api_call *call)
{
    struct record_key key;
    Sluice__Provider *provider;
    TRY(resolve_provider(call, call->params[0], &key, &provider));
    return write_provider(call, &key, provider);
}

enum status providers_pick_slug(struct api_call *call, Sluice__Provider *provider)
{
    struct str slug;
    TRY(api_body_text(call, "slug", &slug));
    if (slug.n == 0)
        slug = slug_make(call->arena, "", str_c(provider->name));
    else if (!slug_is_valid(slug))
        return api_invalid(call, "slug",
                           "must be 1 to 255 letters, digits, '-' or '_', and no UUID");
    if (slug.p == NULL)
        return ST_NO_MEMORY;
    return api_cstr(call->arena, slug, &provider->slug);
}

/* The integration that the body names, if the workspace has it. */
static enum status read_integration(struct api_call *call, const struct id *workspace,
                                    Sluice__Provider *provider)
{
    struct record_key *key = arena_alloc(call->arena, sizeof(*key));
    Sluice__Integration *integration;
    Sluice__WorkspaceAccess *access;
    struct str name;
    if (key == NULL)
        return ST_NO_MEMORY;
    TRY(api_body_text(call, "integration_id", &name));
    if (name.n == 0)
        return api_invalid(call, "integration_id", "is required");
    TRY(resolve_integration(call, name, key, &integration));
    TRY(resolve_access(call, &key->id, workspace, &access));
    if (access == NULL || !access->enabled)
        return api_fail(call, ST_PROVIDER_DISABLED,
                        "integration_id: this integration is not enabled for the workspace");
    provider->integration = wire_id_data(&key->id);
    return api_cstr(call->arena, name, &provider->integration_name);
}

void providers_write_made(struct api_call *call, const struct record_key *key, const char *slug,
                          const char *object)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_bool(w, "success", true);
    jw_key(w, "data");
    jw_object(w);
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "slug", slug);
    jw_end(w);
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "slug", slug);
    jw_field_cstr(w, "object", object);
    jw_end(w);
}

enum status providers_put(struct api_call *call, const struct record_key *key,
                          Sluice__Provider *provider)
{
    provider->updated_at_ms = call->now_ms;
    enum status status = record_put(call->op, key, provider, str_c(provider->slug));
    if (status == ST_CONFLICT)
        return api_fail(call, status, "A provider with this slug already exists in the workspace");
    return status;
}

enum status api_providers_create(struct api_call *call)
{
    Sluice__Provider provider = SLUICE__PROVIDER__INIT;
    struct record_key scope, key;
    Sluice__Workspace *workspace;
    TRY(resolve_scope(call, true, &scope, &workspace));
    TRY(fields_read(call, &api_fields_provider, &provider, true));
    TRY(read_integration(call, &scope.id, &provider));
    TRY(providers_pick_slug(call, &provider));
    key = (struct record_key){SLUICE__KIND__KIND_PROVIDER, scope.org, scope.id, id_new()};
    provider.id = wire_id_data(&key.id);
    provider.created_at_ms = call->now_ms;
    TRY(providers_put(call, &key, &provider));
    api_audit(call, "create", "provider", &key.parent, &key.id, provider.slug);
    providers_write_made(call, &key, provider.slug, "provider");
    return ST_OK;
}

enum status api_providers_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Provider *provider;
    bool reset = false;
    TRY(resolve_provider(call, call->params[0], &key, &provider));
    TRY(fields_read(call, &api_fields_provider, provider, false));
    TRY(api_body_bool(call, "reset_usage", &reset));
    if (reset)
        provider->last_reset_at_ms = call->now_ms;
    TRY(providers_put(call, &key, provider));
    if (reset)
        TRY(limit_view_reset(call, LIMIT_PROVIDER, &key.id, NULL, &key.parent));
    api_audit(call, reset ? "reset_usage" : "update", "provider", &key.parent, &key.id,
              provider->slug);
    providers_write_made(call, &key, provider->slug, "provider");
    return ST_OK;
}

static enum status find_naming(struct list *list, const struct record_key *key,
                               const void *message, void *arg)
{
    const Sluice__Provider *provider = arg;
    const Sluice__Config *config = message;
    struct arena scratch;
    struct json *document;
    (void)key;
    arena_init(&scratch, 8u << 20);
    bool named =
        json_parse(&scratch, str_c(config->document_json), NULL, &document, NULL) == ST_OK &&
        config_refs_name(document, &scratch, str_c(provider->slug));
    arena_free(&scratch);
    return named ? api_fail(list->call, ST_IN_USE, "The config %.100s names the provider %.100s",
                            config->slug, provider->slug)
                 : ST_OK;
}

enum status providers_check_unused(struct api_call *call, const struct record_key *key,
                                   const Sluice__Provider *provider)
{
    struct list list;
    bool forced;
    TRY(api_forced(call, &forced));
    list_open(&list, call, 1);
    return forced ? ST_OK
                  : list_run(&list, SLUICE__KIND__KIND_CONFIG, &key->parent, find_naming,
                             (void *)(uintptr_t)provider);
}

enum status api_providers_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__Provider *provider;
    TRY(resolve_provider(call, call->params[0], &key, &provider));
    TRY(providers_check_unused(call, &key, provider));
    TRY(api_trash(call, "provider", &key, &key.parent, provider->slug));
    TRY(record_delete(call->op, &key));
    api_audit(call, "delete", "provider", &key.parent, &key.id, provider->slug);
    return ST_OK;
}
