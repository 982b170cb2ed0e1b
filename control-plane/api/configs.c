/* configs.c: /v1/configs: routing documents of a workspace, with their versions.
 *
 * The document is stored as it was sent (an object, or its text), once it is known that gateways
 * can use it: it is compiled as they compile it (route_doc.h), refused with the path of what is
 * wrong, and what has no effect comes back as `warnings`. Answers are flat and carry {success,
 * data} too, because the API's description and its clients disagree. A config that keys or the
 * workspace's defaults name is not deleted. At most CONFIG_VERSIONS_MAX versions are kept, the
 * oldest go first.
 */
#include "common/route_doc.h"
#include "common/route_plan.h"
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/provision.h"
#include "control-plane/domain/slug.h"

#define CONFIG_COMPILE_BYTES (64u << 20)
#define CONFIG_VERSIONS_MAX  100

#define AT(member) FIELD_AT(Sluice__Config, member)

static const struct field rows[] = {
    {"name", FIELD_TEXT, FIELD_REQUIRED, AT(name), 1, 255},
    {"config", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"is_default", FIELD_OTHER, 0, 0, 0, 0},
    {"slug", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_config = {"config", rows, COUNT_OF(rows)};

static void write_document(struct json_writer *w, const char *document)
{
    jw_key(w, "config");
    jw_raw(w, document[0] == '\0' ? STR("{}") : str_c(document));
}

/* All members but the document. */
static void write_head(struct json_writer *w, const struct record_key *key,
                       const Sluice__Config *config)
{
    jw_field_cstr(w, "object", "config");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "name", config->name);
    jw_field_cstr(w, "slug", config->slug);
    jw_field_id(w, "organisation_id", &key->org);
    jw_field_id(w, "workspace_id", &key->parent);
    jw_field_u64(w, "is_default", config->is_default ? 1 : 0);
    jw_field_cstr(w, "status", "active");
    wire_field_id(w, "owner_id", &config->created_by);
    wire_field_id(w, "updated_by", &config->updated_by);
    jw_field_cstr(w, "format", "json");
    jw_field_cstr(w, "type", "ORG_CONFIG");
    wire_field_id(w, "version_id", &config->version);
    jw_field_time(w, "created_at", config->created_at_ms);
    jw_field_time(w, "last_updated_at", config->updated_at_ms);
}

/* lines: each ended by a newline; `suffix` is added to each. */
static void write_lines(struct api_call *call, struct str lines, const char *suffix)
{
    struct str line;
    while (lines.n > 0 && str_split(&lines, '\n', &line)) {
        struct str sentence = arena_printf(call->arena, STR_FMT "%s", STR_ARG(line), suffix);
        jw_str(&call->json, sentence);
    }
}

/* What a document says that has no effect. */
struct config_warnings {
    bool checked; /* a document was given */
    struct str guards, others;
};

static void write_warnings(struct api_call *call, const struct config_warnings *warnings)
{
    if (!warnings->checked)
        return;
    jw_key(&call->json, "warnings");
    jw_array(&call->json);
    write_lines(call, warnings->guards, ": not run, as the operator chose (ignore_guardrails).");
    write_lines(call, warnings->others, "");
    jw_end(&call->json);
}

/* The answer to create and update: flat, and once more under `data`. */
static void write_written(struct api_call *call, const struct record_key *key,
                          const Sluice__Config *config, const struct config_warnings *warnings)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    jw_field_bool(w, "success", true);
    jw_key(w, "data");
    jw_object(w);
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "slug", config->slug);
    wire_field_id(w, "version_id", &config->version);
    jw_end(w);
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "slug", config->slug);
    wire_field_id(w, "version_id", &config->version);
    jw_field_cstr(w, "object", "config");
    write_warnings(call, warnings);
    jw_end(w);
}

/* As the gateways will read it. */
static enum status check_plan(struct api_call *call, struct arena *arena, struct str document,
                              struct config_warnings *warnings)
{
    struct str bytes, why;
    struct route_plan plan;
    enum status status = route_doc_compile(arena, document, ROUTE_DOC_SAVED, &bytes, &why);
    if (status == ST_INVALID)
        return api_fail(call, status, STR_FMT, STR_ARG(why));
    TRY(status);
    TRY(route_plan_open(bytes, &plan));
    struct str guarded = route_plan_guarded(arena, &plan);
    if (guarded.p == NULL)
        return ST_NO_MEMORY;
    if (guarded.n > 0 && !call->api->ignore_guardrails)
        return api_fail(call, ST_INVALID, STR_FMT, STR_ARG(guarded));
    warnings->checked = true;
    warnings->guards = arena_str(call->arena, route_str(&plan, plan.head->guards));
    warnings->others = arena_str(call->arena, route_str(&plan, plan.head->warnings));
    bool copied = warnings->guards.p != NULL && warnings->others.p != NULL;
    return copied ? ST_OK : ST_NO_MEMORY;
}

static enum status check_document(struct api_call *call, struct str document,
                                  struct config_warnings *warnings)
{
    struct arena arena;
    arena_init(&arena, CONFIG_COMPILE_BYTES);
    enum status status = check_plan(call, &arena, document, warnings);
    arena_free(&arena);
    return status;
}

/* The document: an object, or a string that holds one. */
static enum status read_document(struct api_call *call, bool required, char **document,
                                 struct config_warnings *warnings)
{
    const struct json *node = api_body(call, "config");
    struct json *parsed;
    struct json_error error;
    struct str text;
    *warnings = (struct config_warnings){.checked = false};
    if (node == NULL)
        return required ? api_invalid(call, "config", "is required") : ST_OK;
    if (json_is(node, JSON_OBJECT)) {
        text = node->raw;
    } else {
        if (json_text(node, call->arena, &text) != ST_OK ||
            json_parse(call->arena, text, NULL, &parsed, &error) != ST_OK ||
            parsed->type != JSON_OBJECT)
            return api_invalid(call, "config", "must be a JSON object, or a string that holds one");
        text = parsed->raw;
    }
    TRY(check_document(call, text, warnings));
    return api_cstr(call->arena, text, document);
}

/* Numbers the document and keeps it; drops the oldest version beyond the bound. */
static enum status add_version(struct api_call *call, const struct record_key *config,
                               Sluice__Config *record)
{
    struct record_key *key = arena_alloc(call->arena, sizeof(*key)),
                      oldest = {.kind = SLUICE__KIND__KIND_NONE}, at;
    struct record_cursor *cursor = NULL;
    Sluice__ConfigVersion version = SLUICE__CONFIG_VERSION__INIT;
    size_t count = 0;
    if (key == NULL)
        return ST_NO_MEMORY;
    *key =
        (struct record_key){SLUICE__KIND__KIND_CONFIG_VERSION, config->org, config->id, id_new()};
    version.id = wire_id_data(&key->id);
    version.document_json = record->document_json;
    version.created_at_ms = call->now_ms;
    version.created_by = wire_id_data(&call->auth.actor);
    record->version = wire_id_data(&key->id);
    TRY(record_put(call->op, key, &version, STR_NONE));
    TRY(record_cursor_open(call->txn, SLUICE__KIND__KIND_CONFIG_VERSION, &config->org, &config->id,
                           &cursor));
    enum status status;
    while ((status = record_cursor_next(cursor, call->arena, &at, NULL, NULL)) == ST_OK)
        if (count++ == 0)
            oldest = at;
    record_cursor_close(cursor);
    if (status != ST_END)
        return status;
    return count > CONFIG_VERSIONS_MAX ? record_delete(call->op, &oldest) : ST_OK;
}

/* Makes this config the workspace's default, or ends it being so. */
static enum status set_default(struct api_call *call, const struct record_key *key,
                               Sluice__Config *config, bool on)
{
    struct record_key workspace_key = {SLUICE__KIND__KIND_WORKSPACE, key->org, ID_NONE,
                                       key->parent},
                      other_key;
    Sluice__Workspace *workspace;
    Sluice__Config *other;
    struct id before;
    TRY(record_get(call->txn, &workspace_key, call->arena, &workspace, NULL));
    TRY(wire_id(&workspace->default_config, &before));
    bool is_bound = id_eq(&before, &key->id);
    config->is_default = on;
    if (on == is_bound)
        return ST_OK;
    if (on && !id_is_none(&before)) {
        other_key = (struct record_key){SLUICE__KIND__KIND_CONFIG, key->org, key->parent, before};
        enum status status = record_get(call->txn, &other_key, call->arena, &other, NULL);
        if (status == ST_OK) {
            other->is_default = 0;
            TRY(record_put(call->op, &other_key, other, str_c(other->slug)));
        } else if (status != ST_NOT_FOUND) {
            return status;
        }
    }
    workspace->default_config = on ? wire_id_data(&key->id) : wire_data(STR_NONE);
    return record_put(call->op, &workspace_key, workspace, str_c(workspace->slug));
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    struct json_writer *w = &list->call->json;
    (void)arg;
    if (!list_wants(list))
        return ST_OK;
    jw_object(w);
    write_head(w, key, message);
    write_document(w, ((const Sluice__Config *)message)->document_json);
    jw_end(w);
    return ST_OK;
}

enum status api_configs_list(struct api_call *call)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct list list;
    TRY(resolve_scope(call, false, &scope, &workspace));
    list_open(&list, call, 100);
    jw_object(&call->json);
    jw_field_cstr(&call->json, "object", "list");
    jw_field_bool(&call->json, "success", true);
    jw_key(&call->json, "data");
    jw_array(&call->json);
    TRY(list_run(&list, SLUICE__KIND__KIND_CONFIG, workspace == NULL ? NULL : &scope.id, list_row,
                 NULL));
    list_end(&list);
    return ST_OK;
}

enum status api_configs_get(struct api_call *call)
{
    struct record_key key;
    Sluice__Config *config;
    struct json_writer *w = &call->json;
    TRY(resolve_config(call, call->params[0], &key, &config));
    jw_object(w);
    jw_field_bool(w, "success", true);
    jw_key(w, "data");
    jw_object(w);
    write_document(w, config->document_json);
    jw_end(w);
    write_head(w, &key, config);
    write_document(w, config->document_json);
    jw_end(w);
    return ST_OK;
}

static enum status pick_slug(struct api_call *call, Sluice__Config *config)
{
    struct str slug;
    TRY(api_body_text(call, "slug", &slug));
    if (slug.n == 0)
        slug = slug_make(call->arena, "pc-", str_c(config->name));
    else if (!slug_is_valid(slug))
        return api_invalid(call, "slug",
                           "must be 1 to 255 letters, digits, '-' or '_', and no UUID");
    if (slug.p == NULL)
        return ST_NO_MEMORY;
    return api_cstr(call->arena, slug, &config->slug);
}

enum status api_configs_create(struct api_call *call)
{
    Sluice__Config config = SLUICE__CONFIG__INIT;
    struct record_key scope, key;
    Sluice__Workspace *workspace;
    struct config_warnings warnings;
    bool is_default = false;
    TRY(resolve_scope(call, true, &scope, &workspace));
    TRY(fields_read(call, &api_fields_config, &config, true));
    TRY(read_document(call, true, &config.document_json, &warnings));
    TRY(api_body_bool(call, "is_default", &is_default));
    TRY(pick_slug(call, &config));
    key = (struct record_key){SLUICE__KIND__KIND_CONFIG, scope.org, scope.id, id_new()};
    config.id = wire_id_data(&key.id);
    config.created_by = config.updated_by = wire_id_data(&call->auth.actor);
    config.created_at_ms = config.updated_at_ms = call->now_ms;
    TRY(add_version(call, &key, &config));
    TRY(set_default(call, &key, &config, is_default));
    enum status status = record_put(call->op, &key, &config, str_c(config.slug));
    if (status == ST_CONFLICT)
        return api_fail(call, status, "A config with this slug already exists in the workspace");
    TRY(status);
    api_audit(call, "create", "config", &key.parent, &key.id, config.slug);
    write_written(call, &key, &config, &warnings);
    return ST_OK;
}

enum status api_configs_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Config *config;
    struct config_warnings warnings;
    TRY(resolve_config(call, call->params[0], &key, &config));
    bool is_default = config->is_default;
    TRY(fields_read(call, &api_fields_config, config, false));
    TRY(read_document(call, false, &config->document_json, &warnings));
    TRY(api_body_bool(call, "is_default", &is_default));
    config->updated_by = wire_id_data(&call->auth.actor);
    config->updated_at_ms = call->now_ms;
    if (warnings.checked)
        TRY(add_version(call, &key, config));
    if (api_body(call, "is_default") != NULL)
        TRY(set_default(call, &key, config, is_default));
    TRY(record_put(call->op, &key, config, str_c(config->slug)));
    api_audit(call, "update", "config", &key.parent, &key.id, config->slug);
    write_written(call, &key, config, &warnings);
    return ST_OK;
}

/* A key whose default the config is: in the way, or when forced, without a default from now on. */
static enum status unbind_key(struct list *list, const struct record_key *key, const void *message,
                              void *arg)
{
    const struct record_key *config = arg;
    struct api_call *call = list->call;
    Sluice__ApiKey record = *(const Sluice__ApiKey *)message;
    struct json *clear;
    struct str defaults;
    bool forced;
    if (!str_eq(wire_str(&record.default_config), id_bytes(&config->id)))
        return ST_OK;
    TRY(api_forced(call, &forced));
    if (!forced)
        return api_fail(call, ST_IN_USE, "This config is the default of the API key \"%.100s\"",
                        record.name);
    TRY(json_parse(call->arena, STR("{\"config_id\":null}"), NULL, &clear, NULL));
    TRY(fields_merge(call->arena, str_c(record.defaults_json), clear, &defaults));
    TRY(api_cstr(call->arena, defaults, &record.defaults_json));
    record.default_config = wire_data(STR_NONE);
    record.updated_at_ms = call->now_ms;
    return record_update(call->op, key, &record);
}

static enum status unbind(struct api_call *call, struct record_key *key,
                          const Sluice__Config *config)
{
    struct record_key workspace_key = {SLUICE__KIND__KIND_WORKSPACE, key->org, ID_NONE,
                                       key->parent};
    Sluice__Workspace *workspace;
    struct list list;
    bool forced;
    list_open(&list, call, 1);
    TRY(list_run(&list, SLUICE__KIND__KIND_API_KEY, NULL, unbind_key, key));
    TRY(api_forced(call, &forced));
    TRY(record_get(call->txn, &workspace_key, call->arena, &workspace, NULL));
    bool bound = str_eq(wire_str(&workspace->default_config), id_bytes(&key->id));
    return bound && !config->is_default && !forced
               ? api_fail(call, ST_IN_USE, "This config is the default of its workspace")
               : ST_OK;
}

enum status api_configs_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__Config *config;
    TRY(resolve_config(call, call->params[0], &key, &config));
    TRY(unbind(call, &key, config));
    TRY(set_default(call, &key, config, false));
    TRY(api_trash(call, "config", &key, &key.parent, config->slug));
    TRY(provision_remove_config(call->op, &key));
    api_audit(call, "delete", "config", &key.parent, &key.id, config->slug);
    return ST_OK;
}

struct version_list {
    const struct record_key *key;
    const Sluice__Config *config;
};

static enum status version_row(struct list *list, const struct record_key *key, const void *message,
                               void *arg)
{
    const struct version_list *of = arg;
    const Sluice__ConfigVersion *version = message;
    struct json_writer *w = &list->call->json;
    if (!list_wants(list))
        return ST_OK;
    Sluice__Config then = *of->config;
    then.version = wire_id_data(&key->id);
    then.updated_at_ms = version->created_at_ms;
    then.updated_by = version->created_by;
    jw_object(w);
    write_head(w, of->key, &then);
    write_document(w, version->document_json);
    jw_end(w);
    return ST_OK;
}

enum status api_configs_versions(struct api_call *call)
{
    struct record_key key;
    Sluice__Config *config;
    struct list list;
    TRY(resolve_config(call, call->params[0], &key, &config));
    struct version_list of = {&key, config};
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_CONFIG_VERSION, &key.id, version_row, &of));
    list_end(&list);
    return ST_OK;
}
