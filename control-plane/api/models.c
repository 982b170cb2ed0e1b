/* models.c: GET /v1/models and /v1/models/{model}: what a workspace may call, by the names it is
 * called by.
 *
 * For each live provider of the workspace whose integration is enabled: the catalogue's models of
 * its kind and the integration's own exact rows, each asked of common/policy.c, which the worker
 * asks, too. The gateway answers the same from its own copy. Rows are "@provider/model"; `slug` is
 * the model as the provider is sent it. Limits: MODELS_MAX rows.
 */
#include <stdlib.h>

#include "control-plane/api/fields.h"
#include "control-plane/api/reach.h"
#include "control-plane/api/resolve.h"

#define MODELS_MAX 50000

struct model_row {
    struct str id, slug, canonical;
    const char *owner; /* provider kind */
    int64_t created_ms;
};

struct gathering {
    struct api_call *call;
    struct reach reach; /* of the provider that is looked at */
    struct str key_allowed;
    struct model_row *rows;
    size_t count, room;
};

/* Adds the model if the policy allows it. */
static enum status consider(struct gathering *g, struct str model, int64_t created_ms)
{
    struct arena *arena = g->call->arena;
    struct str id = arena_printf(arena, "@%s/" STR_FMT, g->reach.provider->slug, STR_ARG(model));
    struct policy_verdict verdict;
    if (id.p == NULL)
        return ST_NO_MEMORY;
    if (!reach_allows(&g->reach, model, id, g->key_allowed, &verdict) || g->count == MODELS_MAX)
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
        (struct model_row){id, slug, canonical, g->reach.integration->provider_type, created_ms};
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
        record_cursor_open(g->call->txn, SLUICE__KIND__KIND_MODEL, &ID_NONE, &g->reach.type,
                           &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &model, NULL);
        if (status == ST_OK)
            status = consider(g, str_c(model->slug), g->reach.integration->created_at_ms);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    if (status != ST_END)
        return status;
    for (size_t i = 0; i < g->reach.rule_count; i++) {
        struct str slug = g->reach.rules[i].slug;
        if (str_find_char(slug, '*') < 0 && !reach_in_catalog(&g->reach, slug))
            TRY(consider(g, slug, g->reach.records[i]->created_at_ms));
    }
    return ST_OK;
}

static enum status gather_provider(struct gathering *g, const struct record_key *key)
{
    struct api_call *call = g->call;
    struct str wanted = api_query(call, "provider"), service = api_query(call, "ai_service");
    TRY(reach_load(call->txn, NULL, call->arena, call->now_ms, key, &g->reach));
    if (!g->reach.open)
        return ST_OK;
    struct str slug = str_c(g->reach.provider->slug),
               type = str_c(g->reach.integration->provider_type);
    struct str bare = wanted.n > 0 && wanted.p[0] == '@' ? str_from(wanted, 1) : wanted;
    bool named = wanted.n == 0 || str_eq(bare, slug) || str_eq(wanted, type);
    bool served = service.n == 0 || str_eq(service, type);
    return named && served ? consider_all(g) : ST_OK;
}

static enum status gather(struct gathering *g, const struct id *workspace)
{
    struct api_call *call = g->call;
    struct record_cursor *cursor = NULL;
    struct record_key key;
    if (call->auth.record != NULL && !auth_is_org(&call->auth))
        TRY(reach_lines(call->arena, call->auth.record->allowed_models,
                        call->auth.record->n_allowed_models, &g->key_allowed));
    enum status status = record_cursor_open(call->txn, SLUICE__KIND__KIND_PROVIDER, &call->auth.org,
                                            workspace, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, NULL, &key, NULL, NULL);
        if (status == ST_OK)
            status = gather_provider(g, &key);
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
