/* models.c: GET /v1/models and /v1/models/{model}: what a workspace may call, by the names it is
 * called by.
 *
 * For each live provider of the workspace whose integration is enabled: the catalogue's models of
 * its kind and the integration's own exact rows, each asked of common/policy.c, which the worker
 * asks, too. The gateway answers the same from its own copy. Rows are "@provider/model"; `slug` is
 * the model as the provider is sent it. Limits: MODELS_MAX rows.
 */
#include <stdlib.h>

#include "common/policy.h"
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/builtin.h"

#define MODELS_MAX 50000

struct model_row {
    struct str id, slug, canonical;
    const char *owner; /* provider kind */
    int64_t created_ms;
};

struct gathering {
    struct api_call *call;
    const char *slug; /* of the provider */
    const Sluice__Integration *integration;
    struct policy_rule *rules;
    const Sluice__ModelRule **records;
    size_t rule_count;
    struct str provider_allowed, key_allowed;
    struct id type;
    struct model_row *rows;
    size_t count, room;
};

/* Lines for policy_input, each ended by '\n'. */
static enum status join(struct arena *arena, char **items, size_t count, struct str *lines)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += strlen(items[i]) + 1;
    char *text = arena_alloc(arena, n + 1), *at = text;
    if (text == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(items[i]);
        memcpy(at, items[i], m);
        at[m] = '\n';
        at += m + 1;
    }
    *lines = str_of(text, n);
    return ST_OK;
}

static bool in_catalog(const void *catalog, struct str id)
{
    const struct gathering *g = catalog;
    struct record_key key = {SLUICE__KIND__KIND_MODEL, ID_NONE, g->type,
                             builtin_model_id(str_c(g->integration->provider_type), id)};
    struct arena scratch;
    Sluice__Model *model;
    arena_init(&scratch, 1u << 20);
    enum status status = record_get(g->call->txn, &key, &scratch, &model, NULL);
    arena_free(&scratch);
    return status == ST_OK;
}

static enum status load_rules(struct gathering *g, const struct record_key *integration)
{
    struct api_call *call = g->call;
    struct record_cursor *cursor = NULL;
    struct record_key key;
    Sluice__ModelRule *rule;
    size_t room = 0;
    g->rule_count = 0;
    g->rules = NULL;
    enum status status = record_cursor_open(call->txn, SLUICE__KIND__KIND_MODEL_RULE,
                                            &integration->org, &integration->id, &cursor);
    while (status == ST_OK &&
           (status = record_cursor_next(cursor, call->arena, &key, &rule, NULL)) == ST_OK) {
        if (g->rule_count == room) {
            room = room == 0 ? 64 : room * 2;
            struct policy_rule *rules = arena_calloc(call->arena, room, sizeof(*rules));
            const Sluice__ModelRule **records = arena_calloc(call->arena, room, sizeof(*records));
            if (rules == NULL || records == NULL) {
                status = ST_NO_MEMORY;
                break;
            }
            if (g->rule_count > 0) {
                memcpy(rules, g->rules, g->rule_count * sizeof(*rules));
                memcpy(records, g->records, g->rule_count * sizeof(*records));
            }
            g->rules = rules;
            g->records = records;
        }
        g->records[g->rule_count] = rule;
        g->rules[g->rule_count++] =
            (struct policy_rule){.slug = str_c(rule->slug),
                                 .upstream_model = str_c(rule->upstream_model),
                                 .base_model = str_c(rule->base_model),
                                 .enabled = rule->enabled,
                                 .custom = rule->is_custom};
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

/* Adds the model if the policy allows it. */
static enum status consider(struct gathering *g, struct str model, int64_t created_ms)
{
    struct arena *arena = g->call->arena;
    struct str id = arena_printf(arena, "@%s/" STR_FMT, g->slug, STR_ARG(model));
    if (id.p == NULL)
        return ST_NO_MEMORY;
    struct policy_input input = {.model = model,
                                 .qualified = id,
                                 .allow_all_models = g->integration->allow_all_models,
                                 .rule_count = g->rule_count,
                                 .rule_at = policy_rule_of_array,
                                 .rules = g->rules,
                                 .in_catalog = in_catalog,
                                 .catalog = g,
                                 .provider_allowed = g->provider_allowed,
                                 .key_allowed = g->key_allowed};
    struct policy_verdict verdict;
    policy_decide(&input, &verdict);
    if (policy_status(&verdict) != ST_OK || g->count == MODELS_MAX)
        return ST_OK;
    if (g->count == g->room) {
        size_t room = g->room == 0 ? 256 : g->room * 2;
        struct model_row *rows = arena_calloc(arena, room, sizeof(*rows));
        if (rows == NULL)
            return ST_NO_MEMORY;
        if (g->count > 0)
            memcpy(rows, g->rows, g->count * sizeof(*rows));
        g->rows = rows;
        g->room = room;
    }
    struct str slug = arena_str(arena, model), canonical = arena_str(arena, verdict.upstream_model);
    if (slug.p == NULL || canonical.p == NULL)
        return ST_NO_MEMORY;
    g->rows[g->count++] =
        (struct model_row){id, slug, canonical, g->integration->provider_type, created_ms};
    return ST_OK;
}

/* The catalogue's models of the integration's kind, then its own exact rows that the catalogue
 * lacks. */
static enum status consider_all(struct gathering *g)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__Model *model;
    arena_init(&scratch, 4u << 20);
    enum status status =
        record_cursor_open(g->call->txn, SLUICE__KIND__KIND_MODEL, &ID_NONE, &g->type, &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &model, NULL);
        if (status == ST_OK)
            status = consider(g, str_c(model->slug), g->integration->created_at_ms);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    if (status != ST_END)
        return status;
    for (size_t i = 0; i < g->rule_count; i++) {
        struct str slug = g->rules[i].slug;
        if (str_find_char(slug, '*') < 0 && !in_catalog(g, slug))
            TRY(consider(g, slug, g->records[i]->created_at_ms));
    }
    return ST_OK;
}

static bool is_live(const struct api_call *call, const Sluice__Provider *provider)
{
    return provider->status == SLUICE__STATUS__STATUS_ACTIVE &&
           (provider->expires_at_ms == 0 || provider->expires_at_ms > call->now_ms);
}

static enum status gather_provider(struct gathering *g, const struct id *workspace,
                                   Sluice__Provider *provider)
{
    struct api_call *call = g->call;
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, call->auth.org, ID_NONE, ID_NONE};
    struct str wanted = api_query(call, "provider"), service = api_query(call, "ai_service");
    Sluice__Integration *integration;
    Sluice__WorkspaceAccess *access;
    TRY(wire_id(&provider->integration, &key.id));
    enum status status = record_get(call->txn, &key, call->arena, &integration, NULL);
    if (status == ST_NOT_FOUND || !is_live(call, provider))
        return ST_OK;
    TRY(status);
    TRY(resolve_access(call, &key.id, workspace, &access));
    bool named =
        wanted.n == 0 || str_eq(wanted, str_c(provider->slug)) ||
        str_eq(str_from(wanted, wanted.p != NULL && wanted.n > 0 && wanted.p[0] == '@' ? 1 : 0),
               str_c(provider->slug)) ||
        str_eq(wanted, str_c(integration->provider_type));
    bool served = service.n == 0 || str_eq(service, str_c(integration->provider_type));
    if (access == NULL || !access->enabled || !named || !served)
        return ST_OK;
    g->slug = provider->slug;
    g->integration = integration;
    g->type = builtin_provider_type_id(str_c(integration->provider_type));
    TRY(join(call->arena, provider->allowed_models, provider->n_allowed_models,
             &g->provider_allowed));
    TRY(load_rules(g, &key));
    return consider_all(g);
}

static enum status gather(struct gathering *g, const struct id *workspace)
{
    struct api_call *call = g->call;
    struct record_cursor *cursor = NULL;
    struct record_key key;
    Sluice__Provider *provider;
    if (call->auth.record != NULL && !auth_is_org(&call->auth))
        TRY(join(call->arena, call->auth.record->allowed_models,
                 call->auth.record->n_allowed_models, &g->key_allowed));
    enum status status = record_cursor_open(call->txn, SLUICE__KIND__KIND_PROVIDER, &call->auth.org,
                                            workspace, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, call->arena, &key, &provider, NULL);
        if (status == ST_OK)
            status = gather_provider(g, workspace, provider);
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static int by_id(const void *a, const void *b)
{
    return str_cmp(((const struct model_row *)a)->id, ((const struct model_row *)b)->id);
}

static int by_name(const void *a, const void *b)
{
    int order = str_cmp(((const struct model_row *)a)->slug, ((const struct model_row *)b)->slug);
    return order != 0 ? order : by_id(a, b);
}

static int by_owner(const void *a, const void *b)
{
    int order = strcmp(((const struct model_row *)a)->owner, ((const struct model_row *)b)->owner);
    return order != 0 ? order : by_id(a, b);
}

static void write_row(struct json_writer *w, const struct model_row *row)
{
    jw_object(w);
    jw_field_str(w, "id", row->id);
    jw_field_str(w, "slug", row->slug);
    jw_field_str(w, "canonical_slug", row->canonical);
    jw_field_cstr(w, "object", "model");
    jw_field_i64(w, "created", row->created_ms / 1000);
    jw_field_cstr(w, "owned_by", row->owner);
    jw_end(w);
}

static enum status gather_sorted(struct api_call *call, struct gathering *g)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct str sort = api_query(call, "sort");
    *g = (struct gathering){.call = call};
    TRY(resolve_scope(call, true, &scope, &workspace));
    TRY(gather(g, &scope.id));
    if (g->count > 1)
        qsort(g->rows, g->count, sizeof(*g->rows),
              str_eq(sort, STR("name"))                                          ? by_name
              : str_eq(sort, STR("provider")) || str_eq(sort, STR("ai_service")) ? by_owner
                                                                                 : by_id);
    return ST_OK;
}

enum status api_models_list(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct gathering g;
    uint64_t offset, limit;
    TRY(gather_sorted(call, &g));
    if (str_to_u64(api_query(call, "offset"), &offset) != ST_OK)
        offset = 0;
    if (str_to_u64(api_query(call, "limit"), &limit) != ST_OK || limit == 0)
        limit = MODELS_MAX;
    bool descending = str_eq(api_query(call, "order"), STR("desc"));
    jw_object(w);
    jw_field_cstr(w, "object", "list");
    jw_field_u64(w, "total", g.count);
    jw_key(w, "data");
    jw_array(w);
    for (uint64_t i = offset; i < g.count && i - offset < limit; i++)
        write_row(w, &g.rows[descending ? g.count - 1 - i : i]);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

enum status api_models_get(struct api_call *call)
{
    struct gathering g;
    TRY(gather_sorted(call, &g));
    for (size_t i = 0; i < g.count; i++) {
        if (!str_eq(g.rows[i].id, call->params[0]))
            continue;
        write_row(&call->json, &g.rows[i]);
        return ST_OK;
    }
    return api_fail(call, ST_MODEL_NOT_FOUND, "No such model in this workspace (404)");
}
