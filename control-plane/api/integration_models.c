/* integration_models.c: /v1/integrations/{integration}/models: which models an integration offers.
 *
 * The answer is the provider's whole catalogue and the integration's own rows, sorted by slug,
 * disabled ones included. A PUT is an upsert per slug and never replaces the set; members that are
 * not sent stay. A row's slug may be a pattern ("o1-*"). A model may have a custom host and headers
 * of its own; its host must be one that the integration's credential may go to, else a row would be
 * a way to aim the credential elsewhere.
 */
#include <stdlib.h>

#include "common/wire.h"
#include "control-plane/api/credentials.h"
#include "control-plane/api/integrations.h"
#include "control-plane/api/prices.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/builtin.h"
#include "control-plane/domain/model_refresh.h"

#define AT(member) FIELD_AT(Sluice__ModelRule, member)

/* Of one item of `models`. */
static const struct field item_rows[] = {
    {"enabled", FIELD_BOOL, FIELD_REQUIRED, AT(enabled), 0, 0},
    {"is_custom", FIELD_BOOL, FIELD_OUT, AT(is_custom), 0, 0},
    {"is_finetune", FIELD_BOOL, FIELD_OUT, AT(is_finetune), 0, 0},
    {"base_model_slug", FIELD_TEXT, FIELD_OUT, AT(base_model), 0, MODEL_SLUG_MAX},
    {"upstream_model", FIELD_TEXT, FIELD_OUT, AT(upstream_model), 0, MODEL_SLUG_MAX},
    {"name", FIELD_TEXT, 0, AT(name), 0, 255},
    {"description", FIELD_TEXT, FIELD_OUT, AT(description), 0, 1024},
    {"pricing_config", FIELD_OBJECT, FIELD_OUT, AT(pricing_json), 0, 0},
};
static const struct field_set item_fields = {"integration_model", item_rows, COUNT_OF(item_rows)};

static const struct field rows[] = {
    {"models", FIELD_OTHER, 0, 0, 0, 0},
    {"allow_all_models", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_integration_models = {"integration_models", rows, COUNT_OF(rows)};

/* One line of the answer: a catalogue model, a rule, or both. */
struct model_line {
    const char *slug, *name;
    const Sluice__ModelRule *rule;
};

struct model_lines {
    struct model_line *items;
    size_t count, room;
};

static enum status push(struct arena *arena, struct model_lines *lines, struct model_line line)
{
    if (lines->count == lines->room) {
        size_t room = lines->room == 0 ? 256 : lines->room * 2;
        struct model_line *grown = arena_calloc(arena, room, sizeof(*grown));
        if (grown == NULL)
            return ST_NO_MEMORY;
        if (lines->count > 0)
            memcpy(grown, lines->items, lines->count * sizeof(*grown));
        lines->items = grown;
        lines->room = room;
    }
    lines->items[lines->count++] = line;
    return ST_OK;
}

static enum status gather(struct api_call *call, Sluice__Kind kind, const struct id *org,
                          const struct id *parent, struct model_lines *lines)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    void *message;
    enum status status = record_cursor_open(call->txn, kind, org, parent, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, call->arena, &key, &message, NULL);
        if (status != ST_OK)
            break;
        const Sluice__Model *model = message;
        const Sluice__ModelRule *rule = message;
        bool is_rule = kind == SLUICE__KIND__KIND_MODEL_RULE;
        struct model_line line = {is_rule ? rule->slug : model->slug,
                                  is_rule ? rule->name : model->name, is_rule ? rule : NULL};
        status = push(call->arena, lines, line);
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

/* By slug; of a pair, the line with the rule last. */
static int by_slug(const void *a, const void *b)
{
    const struct model_line *x = a, *y = b;
    int order = strcmp(x->slug, y->slug);
    return order != 0 ? order : (x->rule != NULL) - (y->rule != NULL);
}

static enum status write_configurations(struct api_call *call, const Sluice__ModelRule *rule)
{
    jw_key(&call->json, "configurations");
    jw_raw(&call->json,
           rule->configurations_json[0] == '\0' ? STR("null") : str_c(rule->configurations_json));
    return ST_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Does the provider list the model itself? Unknown (null) until it was asked, and for patterns. */
static void write_listing(struct json_writer *w, const struct model_line *line,
                          const Sluice__Integration *record)
{
    const Sluice__ModelRule *rule = line->rule;
    int64_t vanished_ms = rule == NULL ? 0 : rule->vanished_at_ms;
    bool absent = record->n_absent_models > 0 &&
                  bsearch(&line->slug, record->absent_models, record->n_absent_models,
                          sizeof(*record->absent_models), by_text) != NULL;
    bool known = record->models_refreshed_at_ms != 0 && strchr(line->slug, '*') == NULL;
    jw_key(w, "listed_by_provider");
    if (!known || (rule != NULL && !rule->listed))
        jw_null(w);
    else
        jw_bool(w, !absent && vanished_ms == 0);
    jw_field_time(w, "vanished_at", vanished_ms);
}

static enum status write_line(struct api_call *call, const struct model_line *line,
                              const Sluice__Integration *record)
{
    struct json_writer *w = &call->json;
    const Sluice__ModelRule *rule = line->rule;
    const char *name = rule != NULL && rule->name[0] != '\0' ? rule->name : line->name;
    jw_object(w);
    jw_field_cstr(w, "slug", line->slug);
    jw_field_cstr(w, "name", name[0] == '\0' ? line->slug : name);
    bool ruled = rule != NULL && !rule->discovered;
    jw_field_bool(w, "enabled", ruled ? rule->enabled : record->allow_all_models);
    jw_field_bool(w, "discovered", rule != NULL && rule->discovered);
    write_listing(w, line, record);
    if (rule != NULL) {
        fields_write(w, &item_fields, rule);
        if (rule->n_prices > 0)
            prices_write(w, "pricing_history", rule->prices, rule->n_prices);
        TRY(write_configurations(call, rule));
    } else {
        jw_field_bool(w, "is_custom", false);
        jw_field_bool(w, "is_finetune", false);
    }
    jw_field_time(w, "created_at", rule == NULL ? record->created_at_ms : rule->created_at_ms);
    jw_field_time(w, "last_updated_at", rule == NULL ? record->created_at_ms : rule->updated_at_ms);
    jw_end(w);
    return ST_OK;
}

enum status api_integration_models_list(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct record_key key;
    Sluice__Integration *record;
    struct model_lines lines = {NULL, 0, 0};
    uint64_t total = 0;
    TRY(resolve_integration(call, call->params[0], &key, &record));
    struct id type = builtin_provider_type_id(str_c(record->provider_type));
    TRY(gather(call, SLUICE__KIND__KIND_MODEL, &ID_NONE, &type, &lines));
    TRY(gather(call, SLUICE__KIND__KIND_MODEL_RULE, &key.org, &key.id, &lines));
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof(*lines.items), by_slug);
    jw_object(w);
    jw_field_cstr(w, "object", "list");
    jw_field_bool(w, "allow_all_models", record->allow_all_models);
    jw_field_time(w, "refreshed_at", record->models_refreshed_at_ms);
    jw_key(w, "models");
    jw_array(w);
    for (size_t i = 0; i < lines.count; i++) {
        struct model_line *line = &lines.items[i];
        if (i + 1 < lines.count && strcmp(line->slug, line[1].slug) == 0) {
            line[1].name =
                line[1].rule != NULL && line[1].rule->name[0] != '\0' ? line[1].name : line->name;
            continue;
        }
        TRY(write_line(call, line, record));
        total++;
    }
    jw_end(w);
    jw_field_u64(w, "total", total);
    jw_end(w);
    return ST_OK;
}

static bool integration_has_host(const Sluice__Integration *record, struct str host)
{
    if (record->secrets == NULL || record->secrets->vault_box.len == 0)
        return true;
    for (size_t i = 0; i < record->secrets->n_hosts; i++)
        if (str_eq(str_c(record->secrets->hosts[i]), host))
            return true;
    return false;
}

/* Custom host and headers of one model. */
static enum status read_configurations(struct api_call *call, const struct record_key *key,
                                       const struct json *item, const Sluice__Integration *record,
                                       Sluice__ModelRule *rule)
{
    const struct json *configurations = api_member(item, "configurations");
    struct str url, host = STR("");
    const char *why;
    if (configurations == NULL)
        return ST_OK;
    struct credentials c = {.org = key->org,
                            .owner = key->id,
                            .stored = rule->secrets,
                            .configurations = configurations,
                            .configurations_json = "",
                            .masked_json = ""};
    TRY(credentials_merge(call, &c));
    TRY(api_cstr(call->arena, STR(""), &rule->base_url));
    const struct json *custom = json_get(c.configuration_tree, "custom_host");
    if (!json_is_none(custom)) {
        if (json_text(custom, call->arena, &url) != ST_OK)
            return api_invalid(call, "models.configurations.custom_host", "must be a string");
        enum status status = upstream_host_check(call->arena, url, call->api->private_upstreams,
                                                 &rule->base_url, &host, &why);
        if (status == ST_INVALID)
            return api_invalid(call, "models.configurations.custom_host", why);
        TRY(status);
        if (!integration_has_host(record, host))
            return api_invalid(call, "models.configurations.custom_host",
                               "is not among the integration's hosts: add it to its "
                               "configurations.credential_hosts first");
    }
    TRY(credentials_seal(call, &c, &host, host.n > 0 ? 1 : 0));
    rule->secrets = c.sealed;
    struct json *masked;
    struct str shown;
    TRY(json_parse(call->arena, str_c(c.masked_json), NULL, &masked, NULL));
    TRY(fields_merge(call->arena, str_c(c.configurations_json), masked, &shown));
    return api_cstr(call->arena, shown, &rule->configurations_json);
}

/* The price of a model from a date on; null: the catalog's from now on. What is sent again as it
 * stands changes nothing, so an apply that repeats itself does not move dates. */
static enum status read_prices(struct api_call *call, const struct json *item, struct str before,
                               Sluice__ModelRule *rule)
{
    const struct json *config = api_member(item, "pricing_config");
    Sluice__Prices *page;
    if (config == NULL || str_eq(config->raw, before))
        return ST_OK;
    TRY(prices_read(call, "models.pricing_config", config, call->now_ms, &page));
    return prices_put(call, "models.pricing_config", page, &rule->prices, &rule->n_prices);
}

static enum status upsert(struct api_call *call, const struct record_key *integration,
                          const Sluice__Integration *record, const struct json *item)
{
    struct record_key *key = arena_alloc(call->arena, sizeof(*key));
    Sluice__ModelRule *rule = arena_alloc(call->arena, sizeof(*rule));
    struct str slug;
    if (key == NULL || rule == NULL)
        return ST_NO_MEMORY;
    if (json_text(json_get(item, "slug"), call->arena, &slug) != ST_OK || !model_slug_is_valid(slug))
        return api_invalid(call, "models.slug", "must be 1 to 255 visible characters");
    enum status status = record_find(call->txn, SLUICE__KIND__KIND_MODEL_RULE, &integration->org,
                                     &integration->id, slug, key);
    bool fresh = status == ST_NOT_FOUND;
    if (fresh) {
        *key = (struct record_key){SLUICE__KIND__KIND_MODEL_RULE, integration->org, integration->id,
                                   id_new()};
        sluice__model_rule__init(rule);
        rule->id = wire_id_data(&key->id);
        rule->created_at_ms = call->now_ms;
        TRY(api_cstr(call->arena, slug, &rule->slug));
    } else if (status == ST_OK) {
        TRY(record_get(call->txn, key, call->arena, &rule, NULL));
        if (rule->discovered)
            rule->enabled = record->allow_all_models;
        rule->discovered = false;
    } else {
        return status;
    }
    struct str before = str_c(rule->pricing_json);
    TRY(fields_read_item(call, item, &item_fields, rule, fresh));
    TRY(read_prices(call, item, before, rule));
    TRY(read_configurations(call, key, item, record, rule));
    rule->updated_at_ms = call->now_ms;
    return record_put(call->op, key, rule, slug);
}

static enum status count_rules(struct api_call *call, const struct record_key *integration,
                               size_t *count)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    *count = 0;
    TRY(record_cursor_open(call->txn, SLUICE__KIND__KIND_MODEL_RULE, &integration->org,
                           &integration->id, &cursor));
    enum status status;
    while ((status = record_cursor_next(cursor, call->arena, &key, NULL, NULL)) == ST_OK)
        (*count)++;
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

enum status integrations_touch(struct api_call *call, const struct record_key *key,
                               Sluice__Integration *record, const char *action)
{
    struct id workspace;
    TRY(wire_id(&record->workspace, &workspace));
    record->updated_at_ms = call->now_ms;
    TRY(record_put(call->op, key, record, str_c(record->slug)));
    api_audit(call, action, "integration", &workspace, &key->id, record->slug);
    return ST_OK;
}

enum status api_integration_models_update(struct api_call *call)
{
    struct record_key key;
    Sluice__Integration *record;
    const struct json *models = api_body(call, "models");
    bool all;
    size_t count;
    TRY(resolve_own_integration(call, call->params[0], &key, &record));
    all = record->allow_all_models;
    TRY(api_body_bool(call, "allow_all_models", &all));
    record->allow_all_models = all;
    if (!json_is_none(models) && !json_is(models, JSON_ARRAY))
        return api_invalid(call, "models", "must be an array");
    for (const struct json *item = models == NULL ? NULL : models->first; item != NULL;
         item = item->next)
        TRY(upsert(call, &key, record, item));
    TRY(count_rules(call, &key, &count));
    if (count > MODEL_RULES_MAX)
        return api_invalid(call, "models", "an integration may have 5000 rows of its own");
    return integrations_touch(call, &key, record, "update_models");
}

static enum status remove_rule(struct api_call *call, const struct record_key *integration,
                               struct str slug)
{
    struct record_key key;
    enum status status = record_find(call->txn, SLUICE__KIND__KIND_MODEL_RULE, &integration->org,
                                     &integration->id, str_trim(slug), &key);
    if (status == ST_OK)
        status = record_delete(call->op, &key);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status api_integration_models_delete(struct api_call *call)
{
    struct record_key key;
    Sluice__Integration *record;
    struct str slugs = api_query(call, "slugs"), slug;
    const struct json *models = api_body(call, "models");
    TRY(resolve_own_integration(call, call->params[0], &key, &record));
    if (slugs.n == 0 && !json_is(models, JSON_ARRAY))
        return api_invalid(call, "slugs",
                           "name the models to delete, in ?slugs=a,b or in {\"models\": [..]}");
    while (slugs.n > 0 && str_split(&slugs, ',', &slug))
        TRY(remove_rule(call, &key, slug));
    for (const struct json *item = models == NULL ? NULL : models->first; item != NULL;
         item = item->next) {
        const struct json *name = json_is(item, JSON_OBJECT) ? json_get(item, "slug") : item;
        if (json_text(name, call->arena, &slug) != ST_OK)
            return api_invalid(call, "models", "must be an array of slugs");
        TRY(remove_rule(call, &key, slug));
    }
    return integrations_touch(call, &key, record, "delete_models");
}
