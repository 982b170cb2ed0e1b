/* api_keys.c: /v1/api-keys: making, reading, changing and removing keys. Rotation is
 * api_keys_rotate.c.
 *
 * Only the hash of a key is stored; its text is shown once, in the answer that made it. Kinds:
 * organisation-service, workspace-service, workspace-user, each with a scope group of its own,
 * checked here because one route serves all three. Nobody makes a key that may do what they may not
 * (auth_may_grant). Limits are given back exactly as they were sent.
 */
#include "control-plane/api/api_keys.h"

#include "common/apikey.h"
#include "common/secret.h"
#include "common/wire.h"
#include "control-plane/api/limit_view.h"
#include "control-plane/api/limits.h"
#include "control-plane/api/list.h"
#include "control-plane/api/members.h"
#include "control-plane/api/resolve.h"
#include "control-plane/auth/person.h"
#include "control-plane/domain/email.h"
#include "control-plane/domain/rotation.h"

#define AT(member) FIELD_AT(Sluice__ApiKey, member)

static const struct field rows[] = {
    {"name", FIELD_TEXT, FIELD_REQUIRED | FIELD_OUT, AT(name), 1, 100},
    {"description", FIELD_TEXT, FIELD_OUT, AT(description), 0, 200},
    {"scopes", FIELD_TEXTS, FIELD_REQUIRED | FIELD_OUT, AT(n_scopes), 0, 512},
    {"usage_limits", FIELD_USAGE, FIELD_OUT | FIELD_SINGLE, AT(usage_limits_json), 0, 0},
    {"rate_limits", FIELD_RATES, FIELD_OUT | FIELD_LIST_OUT, AT(rate_limits_json), 0, 0},
    {"alert_emails", FIELD_TEXTS, FIELD_OUT, AT(n_alert_emails), 0, 64},
    {"allowed_models", FIELD_TEXTS, FIELD_OUT, AT(n_allowed_models), 0, 512},
    {"expires_at", FIELD_TIME, FIELD_OUT, AT(expires_at_ms), 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"user_id", FIELD_OTHER, 0, 0, 0, 0},
    {"defaults", FIELD_OTHER, 0, 0, 0, 0},
    {"allow_config_override", FIELD_OTHER, 0, 0, 0, 0},
    {"rotation_policy", FIELD_OTHER, 0, 0, 0, 0},
    {"reset_usage", FIELD_OTHER, 0, 0, 0, 0},
    {"key", FIELD_OTHER, 0, 0, 0, 0},
    {"key_transition_period_ms", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_api_key = {"api_key", rows, COUNT_OF(rows)};

static const struct {
    const char *type, *subtype, *text, *group;
    unsigned people;
} kinds[] = {
    [SLUICE__API_KEY_TYPE__API_KEY_NONE] = {"", "", "", "", PEOPLE_NOBODY},
    [SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE] = {"organisation", "service",
                                                            "organisation-service",
                                                            "organisation_service_api_keys",
                                                            PEOPLE_ADMINS},
    [SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE] = {"workspace", "service",
                                                         "workspace-service",
                                                         "workspace_service_api_keys",
                                                         PEOPLE_MANAGERS},
    [SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER] = {"workspace", "user", "workspace-user",
                                                      "workspace_user_api_keys", PEOPLE_MEMBERS},
};

static const char *const modes[] = {"api", "ui", "auto"};

bool api_keys_may(const struct api_call *call, Sluice__ApiKeyType type, const char *action)
{
    char scope[64];
    if ((size_t)type >= COUNT_OF(kinds) || type == SLUICE__API_KEY_TYPE__API_KEY_NONE)
        return false;
    size_t n = strlen(kinds[type].group), m = strlen(action);
    CHECK(n + 1 + m < sizeof(scope));
    memcpy(scope, kinds[type].group, n);
    scope[n] = '.';
    memcpy(scope + n + 1, action, m + 1);
    return auth_may(&call->auth, kinds[type].people, scope);
}

/* A plain member sees their own keys only. */
static bool may_see(const struct api_call *call, const Sluice__ApiKey *record)
{
    return !auth_is_plain_member(&call->auth) ||
           str_eq(wire_str(&record->user), id_bytes(&call->auth.user));
}

enum status api_keys_find(struct api_call *call, const char *action, struct record_key *key,
                          Sluice__ApiKey **record)
{
    TRY(resolve_api_key(call, call->params[0], key, record));
    if (!may_see(call, *record))
        return api_found(call, ST_NOT_FOUND, "API key");
    if (!api_keys_may(call, (*record)->type, action))
        return api_fail(call, ST_FORBIDDEN, "%s", status_row(ST_FORBIDDEN)->text);
    return ST_OK;
}

static void write_raw(struct json_writer *w, const char *name, const char *json,
                      struct str otherwise)
{
    jw_key(w, name);
    jw_raw(w, json[0] == '\0' ? otherwise : str_c(json));
}

static enum status write_key(struct api_call *call, const struct record_key *key,
                             const Sluice__ApiKey *record)
{
    struct json_writer *w = &call->json;
    bool expired = record->expires_at_ms != 0 && record->expires_at_ms <= call->now_ms;
    struct limit_view view;
    TRY(limit_view_load(call, LIMIT_KEY, &key->id, NULL, &key->parent, record->usage_limits_json,
                        record->rate_limits_json, &view));
    jw_object(w);
    jw_field_cstr(w, "object", "api-key");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "key", record->masked);
    jw_field_cstr(w, "type",
                  (size_t)record->type < COUNT_OF(kinds) ? kinds[record->type].text : "");
    jw_field_id(w, "organisation_id", &key->org);
    wire_field_id(w, "workspace_id", &record->workspace);
    wire_field_id(w, "user_id", &record->user);
    jw_field_cstr(w, "status", limit_view_status(&view, expired));
    TRY(limit_view_write(call, &view));
    jw_field_cstr(w, "creation_mode",
                  record->creation_mode < COUNT_OF(modes) ? modes[record->creation_mode] : "api");
    fields_write(w, &api_fields_api_key, record);
    write_raw(w, "defaults", record->defaults_json, STR("{\"metadata\":{}}"));
    jw_key(w, "allow_config_override");
    if (record->config_override == 0)
        jw_null(w);
    else
        jw_u64(w, record->config_override == 1 ? 1 : 0);
    write_raw(w, "rotation_policy", record->rotation_policy_json, STR("null"));
    jw_field_time(w, "last_reset_at", record->last_reset_at_ms);
    jw_field_time(w, "last_rotated_at", record->last_rotated_at_ms);
    jw_field_time(w, "key_transition_expires_at", record->previous_until_ms);
    jw_key(w, "reset_usage");
    jw_null(w);
    jw_field_time(w, "created_at", record->created_at_ms);
    jw_field_time(w, "last_updated_at", record->updated_at_ms);
    jw_end(w);
    return ST_OK;
}

/* Members of `defaults` that decide something become fields; the object itself is kept as it was
 * sent. */
static enum status read_defaults(struct api_call *call, Sluice__ApiKey *record)
{
    const struct json *defaults = api_body(call, "defaults");
    struct id workspace;
    struct str merged = STR(""), name;
    if (defaults == NULL)
        return ST_OK;
    const struct json *metadata = json_get(defaults, "metadata"),
                      *config = json_get(defaults, "config_id");
    if (defaults->type != JSON_NULL) {
        if (!json_is(defaults, JSON_OBJECT) ||
            (!json_is_none(metadata) && !json_is(metadata, JSON_OBJECT)))
            return api_invalid(call, "defaults", "must be an object with an object `metadata`");
        for (const struct json *item = metadata == NULL ? NULL : metadata->first; item != NULL;
             item = item->next)
            if (item->type != JSON_STRING)
                return api_invalid(call, "defaults.metadata", "must be an object of strings");
        TRY(fields_merge(call->arena, str_c(record->defaults_json), defaults, &merged));
    }
    TRY(api_cstr(call->arena, merged, &record->defaults_json));
    if (config != NULL || defaults->type == JSON_NULL)
        record->default_config = wire_data(STR_NONE);
    if (json_is_none(config))
        return ST_OK;
    struct id *bound = arena_alloc(call->arena, sizeof(*bound));
    if (bound == NULL)
        return ST_NO_MEMORY;
    if (json_text(config, call->arena, &name) != ST_OK)
        return api_invalid(call, "defaults.config_id", "must be a string");
    TRY(wire_id(&record->workspace, &workspace));
    TRY(resolve_default_config(call, &workspace, name, bound));
    record->default_config = wire_id_data(bound);
    return ST_OK;
}

static enum status read_override(struct api_call *call, Sluice__ApiKey *record)
{
    const struct json *top = api_body(call, "allow_config_override");
    const struct json *node =
        top != NULL ? top : api_member(api_body(call, "defaults"), "allow_config_override");
    int64_t number;
    bool flag;
    if (node == NULL)
        return ST_OK;
    if (node->type == JSON_NULL) {
        record->config_override = 0;
        return ST_OK;
    }
    if (json_is_bool(node)) {
        TRY(json_bool(node, &flag));
    } else {
        if (json_i64(node, &number) != ST_OK || number < 0 || number > 1)
            return api_invalid(call, "allow_config_override", "must be true or false");
        flag = number == 1;
    }
    record->config_override = flag ? 1 : 2;
    return ST_OK;
}

static bool had_scope(const Sluice__ApiKey *record, struct str scope)
{
    for (size_t i = 0; record != NULL && i < record->n_scopes; i++)
        if (str_eq(str_c(record->scopes[i]), scope))
            return true;
    return false;
}

static enum status check_scopes(struct api_call *call, const Sluice__ApiKey *record,
                                const Sluice__ApiKey *before)
{
    for (size_t i = 0; i < record->n_scopes; i++) {
        struct str scope = str_c(record->scopes[i]);
        if (had_scope(before, scope))
            continue;
        if (!scope_fits(record->type, scope))
            return api_fail(call, ST_INVALID, "scopes: a key of this type cannot hold \"%.64s\"",
                            scope.p);
        if (!auth_may_grant(&call->auth, record->type, scope))
            return api_fail(call, ST_FORBIDDEN,
                            "scopes: you cannot give \"%.64s\", which you do not hold", scope.p);
    }
    return ST_OK;
}

static enum status check_emails(struct api_call *call, const Sluice__ApiKey *record)
{
    for (size_t i = 0; i < record->n_alert_emails; i++)
        if (!email_is_valid(str_c(record->alert_emails[i])))
            return api_invalid(call, "alert_emails", "must be an array of e-mail addresses");
    return ST_OK;
}

static enum status read_rotation(struct api_call *call, Sluice__ApiKey *record)
{
    const struct json *policy = api_body(call, "rotation_policy");
    const char *why = "";
    if (policy == NULL)
        return ST_OK;
    if (policy->type == JSON_NULL)
        return api_cstr(call->arena, STR(""), &record->rotation_policy_json);
    enum status status =
        rotation_complete(call->arena, policy, call->now_ms, &record->rotation_policy_json, &why);
    return status == ST_INVALID ? api_invalid(call, "rotation_policy", why) : status;
}

/* Everything that create and update share. `before` is NULL on create. */
static enum status read_key(struct api_call *call, Sluice__ApiKey *record,
                            const Sluice__ApiKey *before)
{
    TRY(fields_read(call, &api_fields_api_key, record, before == NULL));
    TRY(check_scopes(call, record, before));
    TRY(check_emails(call, record));
    TRY(limits_check_alert(call, "usage_limits", str_c(record->usage_limits_json)));
    TRY(read_defaults(call, record));
    TRY(read_override(call, record));
    return read_rotation(call, record);
}

enum status api_keys_adopt(struct api_call *call, struct str text, Sluice__ApiKey *record)
{
    uint8_t *hash = arena_alloc(call->arena, APIKEY_HASH_BYTES);
    char masked[APIKEY_MASKED_TEXT + 1];
    if (hash == NULL)
        return ST_NO_MEMORY;
    apikey_hash(text, hash);
    apikey_mask(text, masked);
    record->hash = wire_data(str_of((const char *)hash, APIKEY_HASH_BYTES));
    return api_cstr(call->arena, str_c(masked), &record->masked);
}

/* The text of the new key: brought by the caller, or made. */
static enum status key_text(struct api_call *call, struct str *text)
{
    char made[APIKEY_TEXT + 1];
    TRY(api_body_text(call, "key", text));
    if (text->p != NULL) {
        bool clean = text->n >= API_KEY_TEXT_MIN && text->n <= API_KEY_TEXT_MAX;
        for (size_t i = 0; i < text->n && clean; i++)
            clean = text->p[i] > 0x20 && text->p[i] < 0x7F;
        if (!clean || (apikey_has_prefix(*text) && !apikey_is_ours(*text)))
            return api_invalid(
                call, "key", "must be 16 to 512 visible characters, and not a damaged key of ours");
        return ST_OK;
    }
    apikey_make(made);
    *text = arena_str(call->arena, str_c(made));
    secret_wipe(made, sizeof(made));
    return text->p == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status pick_kind(struct api_call *call, Sluice__ApiKey *record)
{
    for (size_t i = 1; i < COUNT_OF(kinds); i++)
        if (str_eq(call->params[0], str_c(kinds[i].type)) &&
            str_eq(call->params[1], str_c(kinds[i].subtype)))
            record->type = (Sluice__ApiKeyType)i;
    if (record->type == SLUICE__API_KEY_TYPE__API_KEY_NONE)
        return api_fail(
            call, ST_NO_ROUTE,
            "There are organisation/service, workspace/service and workspace/user keys");
    if (!api_keys_may(call, record->type, "create"))
        return api_fail(call, ST_FORBIDDEN, "%s", status_row(ST_FORBIDDEN)->text);
    return ST_OK;
}

/* Workspace and user that the key belongs to. */
static enum status read_owner(struct api_call *call, struct record_key *key, Sluice__ApiKey *record)
{
    struct record_key *scope = arena_calloc(call->arena, 2, sizeof(*scope));
    Sluice__Workspace *workspace;
    Sluice__User *user;
    enum member_role role;
    char own[ID_TEXT + 1];
    struct str name;
    if (scope == NULL)
        return ST_NO_MEMORY;
    if (record->type == SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE)
        return ST_OK;
    TRY(resolve_scope(call, true, &scope[0], &workspace));
    key->parent = scope[0].id;
    record->workspace = wire_id_data(&scope[0].id);
    if (record->type != SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER)
        return ST_OK;
    TRY(api_body_text(call, "user_id", &name));
    if (name.n == 0 && call->auth.kind == AUTH_SESSION) {
        id_to_text(&call->auth.user, own);
        name = str_c(own);
    }
    if (name.n == 0)
        return api_invalid(call, "user_id", "is required");
    TRY(members_user(call, name, &scope[1], &user));
    if (auth_is_plain_member(&call->auth) && !id_eq(&scope[1].id, &call->auth.user))
        return api_fail(call, ST_FORBIDDEN, "user_id: you can make keys for yourself only");
    TRY(person_role_in(call->txn, call->arena, &call->auth.org, &scope[1].id, user, &scope[0].id,
                       &role));
    if (role == MEMBER_ROLE_NONE)
        return api_invalid(call, "user_id", "is no member of this workspace");
    record->user = wire_id_data(&scope[1].id);
    return ST_OK;
}

enum status api_api_keys_create(struct api_call *call)
{
    Sluice__ApiKey record = SLUICE__API_KEY__INIT;
    struct record_key key = {SLUICE__KIND__KIND_API_KEY, call->auth.org, ID_NONE, id_new()};
    struct str text;
    TRY(pick_kind(call, &record));
    TRY(read_owner(call, &key, &record));
    TRY(read_key(call, &record, NULL));
    TRY(key_text(call, &text));
    TRY(api_keys_adopt(call, text, &record));
    record.id = wire_id_data(&key.id);
    record.created_by = wire_id_data(&call->auth.actor);
    record.creation_mode = call->auth.kind == AUTH_SESSION ? API_KEY_MODE_UI : API_KEY_MODE_API;
    record.created_at_ms = record.updated_at_ms = call->now_ms;
    enum status status = record_put(call->op, &key, &record, wire_str(&record.hash));
    if (status == ST_CONFLICT)
        return api_fail(call, status, "key: this value is already in use");
    TRY(status);
    api_audit(call, "create", "api_key", &key.parent, &key.id, record.name);
    jw_object(&call->json);
    jw_field_id(&call->json, "id", &key.id);
    jw_field_str(&call->json, "key", text);
    jw_field_cstr(&call->json, "object", "api-key");
    jw_end(&call->json);
    return ST_OK;
}

static bool in_csv(struct str csv, const struct id *id)
{
    struct str item;
    struct id wanted;
    while (str_split(&csv, ',', &item))
        if (id_from_text(str_trim(item), &wanted) == ST_OK && id_eq(&wanted, id))
            return true;
    return false;
}

static enum status list_row(struct list *list, const struct record_key *key, const void *message,
                            void *arg)
{
    const Sluice__ApiKey *record = message;
    struct str ids = api_query(list->call, "ids");
    (void)arg;
    if (!api_keys_may(list->call, record->type, "list") || !may_see(list->call, record) ||
        (ids.n > 0 && !in_csv(ids, &key->id)))
        return ST_OK;
    return list_wants(list) ? write_key(list->call, key, record) : ST_OK;
}

enum status api_api_keys_list(struct api_call *call)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct list list;
    TRY(resolve_scope(call, false, &scope, &workspace));
    list_begin(&list, call, 100);
    TRY(list_run(&list, SLUICE__KIND__KIND_API_KEY, workspace == NULL ? NULL : &scope.id, list_row,
                 NULL));
    list_end(&list);
    return ST_OK;
}

enum status api_api_keys_get(struct api_call *call)
{
    struct record_key key;
    Sluice__ApiKey *record;
    TRY(api_keys_find(call, "read", &key, &record));
    return write_key(call, &key, record);
}

enum status api_api_keys_update(struct api_call *call)
{
    struct record_key key;
    Sluice__ApiKey *record;
    bool reset = false;
    TRY(api_keys_find(call, "update", &key, &record));
    Sluice__ApiKey before = *record;
    TRY(read_key(call, record, &before));
    TRY(api_body_bool(call, "reset_usage", &reset));
    if (reset)
        record->last_reset_at_ms = call->now_ms;
    record->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, &key, record, wire_str(&record->hash)));
    if (reset)
        TRY(limit_view_reset(call, LIMIT_KEY, &key.id, NULL, &key.parent));
    api_audit(call, reset ? "reset_usage" : "update", "api_key", &key.parent, &key.id, record->name);
    return ST_OK;
}

enum status api_api_keys_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__ApiKey *record;
    TRY(api_keys_find(call, "delete", &key, &record));
    TRY(api_trash(call, "api_key", &key, &key.parent, record->name));
    TRY(record_delete(call->op, &key));
    api_audit(call, "delete", "api_key", &key.parent, &key.id, record->name);
    return ST_OK;
}
