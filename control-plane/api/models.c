/* models.c: GET /v1/models and /v1/models/{model}: what a workspace may call, by the names it is
 * called by.
 *
 * For each live provider of the workspace whose integration is enabled: the catalogue's models of
 * its kind and the integration's own exact rows, each asked of common/policy.c, which the worker
 * asks, too. What a row says and how rows are chosen is common/model_card.c's, as it is for the
 * gateway, so both answer alike. Limits: MODELS_MAX rows; only what is asked for is kept.
 */
#include <stdlib.h>

#include "common/model_card.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/reach.h"
#include "control-plane/api/resolve.h"
#include "control-plane/domain/builtin.h"

#define MODELS_MAX 20000

struct model_row {
    struct model_card card;
    struct model_card_price price;
};

struct gathering {
    struct api_call *call;
    struct model_card_query query;
    struct reach reach; /* of the provider that is looked at */
    struct str key_allowed;
    struct model_row *rows;
    size_t count, room;
};

/* --- one row */

/* The page in force; NULL: nothing is set. */
static const Sluice__Prices *page_at(Sluice__Prices *const *pages, size_t count, int64_t at_ms)
{
    while (count > 0 && pages[count - 1]->effective_from_ms > at_ms)
        count--;
    return count == 0 || pages[count - 1]->n_rows == 0 ? NULL : pages[count - 1];
}

static enum status pick_prices(const Sluice__Prices *prices, struct price_row *row)
{
    const struct price_query plain = {.input_tokens = 0};
    struct price_table table;
    price_table_init(&table);
    for (size_t i = 0; prices != NULL && i < prices->n_rows; i++)
        TRY(price_table_add(&table, str_c(prices->rows[i]->unit), prices->rows[i]->picousd));
    return price_pick(price_table_blob(&table), &plain, row);
}

/* The catalog's prices, and the integration's own over them. */
static enum status price_of(const Sluice__Model *model, const Sluice__ModelRule *rule, int64_t at_ms,
                            struct model_card_price *price)
{
    const Sluice__Prices *page =
        model == NULL ? NULL : page_at(model->prices, model->n_prices, at_ms);
    struct price_row own;
    price->source = MODEL_CARD_CATALOG;
    TRY(pick_prices(page, &price->row));
    page = rule == NULL ? NULL : page_at(rule->prices, rule->n_prices, at_ms);
    if (page == NULL)
        return ST_OK;
    TRY(pick_prices(page, &own));
    price_row_overlay(&price->row, &own);
    price->source = MODEL_CARD_INTEGRATION;
    return ST_OK;
}

static void describe_rule(struct model_card *card, const Sluice__ModelRule *rule)
{
    card->custom = rule->is_custom;
    card->name = str_c(rule->name);
    card->description = str_c(rule->description);
    if (card->custom)
        card->created_ms = rule->created_at_ms;
}

static enum status describe_model(struct arena *arena, struct model_card *card,
                                  const Sluice__Model *model)
{
    if (card->name.n == 0)
        card->name = str_c(model->name);
    card->type = str_c(model->type);
    card->status = str_c(model->status);
    card->release_date = str_c(model->release_date);
    card->context_window_tokens = model->context_window_tokens;
    card->max_input_tokens = model->max_input_tokens;
    card->max_output_tokens = model->max_output_tokens;
    TRY(reach_lines(arena, model->input_modalities, model->n_input_modalities, &card->inputs));
    TRY(reach_lines(arena, model->output_modalities, model->n_output_modalities, &card->outputs));
    return reach_lines(arena, model->capabilities, model->n_capabilities, &card->capabilities);
}

/* The built-in row that prices a model; NULL: none. */
static enum status find_priced(struct gathering *g, struct arena *arena, struct str priced,
                               const Sluice__Model *self, const Sluice__Model **model)
{
    struct record_key key = {SLUICE__KIND__KIND_MODEL, ID_NONE, g->reach.type, ID_NONE};
    Sluice__Model *found;
    *model = NULL;
    if (priced.n == 0)
        return ST_OK;
    if (self != NULL && str_eq(priced, str_c(self->slug))) {
        *model = self;
        return ST_OK;
    }
    key.id = builtin_model_id(str_c(g->reach.integration->provider_type), priced);
    enum status status = record_get(g->call->txn, &key, arena, &found, NULL);
    if (status == ST_OK)
        *model = found;
    return status == ST_NOT_FOUND ? ST_OK : status;
}

/* Texts of a row that stays go into the call's arena. */
static enum status keep_texts(struct arena *arena, struct model_card *card)
{
    struct str *texts[] = {
        &card->model,  &card->canonical, &card->name,         &card->type,    &card->description,
        &card->status, &card->inputs,    &card->release_date, &card->outputs, &card->capabilities};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        *texts[i] = arena_str(arena, *texts[i]);
        if (texts[i]->p == NULL)
            return ST_NO_MEMORY;
    }
    return ST_OK;
}

static enum status grow(struct gathering *g)
{
    size_t room = g->room == 0 ? 256 : g->room * 2;
    struct model_row *rows = arena_calloc(g->call->arena, room, sizeof(*rows));
    if (rows == NULL)
        return ST_NO_MEMORY;
    if (g->count > 0)
        memcpy(rows, g->rows, g->count * sizeof(*rows));
    g->rows = rows;
    g->room = room;
    return ST_OK;
}

/* Adds the model if the policy allows it and the query asks for it. `self`: the catalog's row of
 * this name, or NULL. What is only looked at lives in `scratch`. */
static enum status consider(struct gathering *g, struct arena *scratch, struct str model,
                            const Sluice__Model *self)
{
    const char *slug = g->reach.provider->slug;
    struct str id = arena_printf(scratch, "@%s/" STR_FMT, slug, STR_ARG(model));
    struct policy_verdict verdict;
    const Sluice__Model *priced;
    const Sluice__ModelRule *rule = NULL;
    if (id.p == NULL)
        return ST_NO_MEMORY;
    if (g->count == MODELS_MAX || !reach_allows(&g->reach, model, id, g->key_allowed, &verdict))
        return ST_OK;
    if (verdict.rule >= 0 && str_find_char(g->reach.rules[verdict.rule].slug, '*') < 0)
        rule = g->reach.records[verdict.rule];
    struct model_row row = {.card = {.provider = str_c(slug),
                                     .service = str_c(g->reach.integration->provider_type),
                                     .model = model,
                                     .canonical = verdict.upstream_model}};
    TRY(find_priced(g, scratch, verdict.priced_model, self, &priced));
    if (rule != NULL)
        describe_rule(&row.card, rule);
    if (priced != NULL)
        TRY(describe_model(scratch, &row.card, priced));
    if (!model_card_fits(&row.card, &g->query))
        return ST_OK;
    TRY(price_of(priced, rule, g->call->now_ms, &row.price));
    TRY(keep_texts(g->call->arena, &row.card));
    if (g->count == g->room)
        TRY(grow(g));
    g->rows[g->count++] = row;
    return ST_OK;
}

/* --- the walk */

/* The catalogue's models of the integration's kind, then its own exact rows that the catalogue
 * lacks. */
static enum status consider_all(struct gathering *g)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__Model *model;
    arena_init(&scratch, 4u << 20);
    enum status status = record_cursor_open(g->call->txn, SLUICE__KIND__KIND_MODEL, &ID_NONE,
                                            &g->reach.type, &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &model, NULL);
        if (status == ST_OK)
            status = consider(g, &scratch, str_c(model->slug), model);
    }
    record_cursor_close(cursor);
    if (status == ST_END)
        status = ST_OK;
    for (size_t i = 0; status == ST_OK && i < g->reach.rule_count; i++) {
        struct str slug = g->reach.rules[i].slug;
        arena_free(&scratch);
        if (str_find_char(slug, '*') < 0 && !reach_in_catalog(&g->reach, slug))
            status = consider(g, &scratch, slug, NULL);
    }
    arena_free(&scratch);
    return status;
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
        if (status != ST_OK)
            break;
        status = reach_load(call->txn, NULL, call->arena, call->now_ms, &key, &g->reach);
        if (status == ST_OK && g->reach.open &&
            model_card_wants_provider(&g->query, str_c(g->reach.provider->slug),
                                      str_c(g->reach.integration->provider_type)))
            status = consider_all(g);
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static int by_query(const void *a, const void *b, void *query)
{
    return model_card_compare(&((const struct model_row *)a)->card,
                              &((const struct model_row *)b)->card, query);
}

static void read_query(struct api_call *call, struct model_card_query *query)
{
    static const char *const names[] = {
        "provider",       "ai_service",      "search",     "type",      "status",
        "input_modality", "output_modality", "capability", "is_custom", "sort",
        "order",          "limit",           "offset"};
    *query = (struct model_card_query){.limit = UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str value = api_query(call, names[i]);
        if (value.n > 0)
            model_card_ask(query, str_c(names[i]), value);
    }
}

enum status api_models_list(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct gathering g = {.call = call};
    struct record_key scope;
    Sluice__Workspace *workspace;
    TRY(resolve_scope(call, true, &scope, &workspace));
    read_query(call, &g.query);
    TRY(gather(&g, &scope.id));
    if (g.count > 1)
        qsort_r(g.rows, g.count, sizeof(*g.rows), by_query, &g.query);
    jw_object(w);
    jw_field_cstr(w, "object", "list");
    jw_field_u64(w, "total", g.count);
    jw_key(w, "data");
    jw_array(w);
    for (uint64_t i = g.query.offset; i < g.count && i - g.query.offset < g.query.limit; i++)
        model_card_write(w, &g.rows[i].card, &g.rows[i].price);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}

/* "@provider/model" in its parts. */
static bool split_id(struct str id, struct str *provider, struct str *model)
{
    if (id.n == 0 || id.p[0] != '@')
        return false;
    *model = str_from(id, 1);
    return str_split(model, '/', provider) && provider->n > 0 && model->n > 0;
}

enum status api_models_get(struct api_call *call)
{
    struct gathering g = {.call = call, .query = {.limit = UINT64_MAX}};
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct str model;
    TRY(resolve_scope(call, true, &scope, &workspace));
    if (split_id(call->params[0], &g.query.provider, &model))
        TRY(gather(&g, &scope.id));
    for (size_t i = 0; i < g.count; i++) {
        if (!str_eq(g.rows[i].card.model, model) ||
            !str_eq(g.rows[i].card.provider, g.query.provider))
            continue;
        model_card_write(&call->json, &g.rows[i].card, &g.rows[i].price);
        return ST_OK;
    }
    return api_fail(call, ST_MODEL_NOT_FOUND, "No such model in this workspace (404)");
}
