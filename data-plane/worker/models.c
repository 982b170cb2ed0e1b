/* models.c: the gallery of one workspace as a list.
 *
 * Walks the workspace's providers; for each, the models its integration lists or, where all are
 * allowed, those of the built-in catalog; every row has passed authorize_target, so what the list
 * shows is what a call may use. What a row says and how rows are chosen is common/model_card.c's,
 * as it is for the control plane. Texts are borrowed from the catalog until the answer is written.
 */
#include "data-plane/worker/models.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/model_card.h"
#include "common/price_book.h"
#include "data-plane/worker/authorize.h"
#include "data-plane/worker/models_anthropic.h"
#include "data-plane/worker/percent.h"

#define MODELS_REPLY_MAX (32u * 1024u * 1024u)

struct model_row {
    struct model_card card;
    struct str catalog_prices, rule_prices;
};

struct gallery {
    struct req *req;
    struct model_row *rows;
    size_t count;
    struct model_card_query query;
    struct str provider; /* of the walk */
    const struct cat_provider_type *type;
    const struct cat_rules *rules;
};

static void describe_rule(struct model_row *row, const struct authorize_view *view)
{
    const struct cat_head *head = &view->rules->head;
    const struct cat_rule *rule = view->rule;
    if ((rule->flags & CAT_RULE_PATTERN) != 0)
        return;
    row->card.custom = (rule->flags & CAT_RULE_CUSTOM) != 0;
    row->card.name = cat_str(head, rule->name);
    row->card.description = cat_str(head, rule->description);
    row->rule_prices = cat_str(head, rule->prices);
    if (row->card.custom)
        row->card.created_ms = rule->created_at_ms;
}

static void describe_model(struct model_row *row, const struct cat_model *model)
{
    const struct cat_head *head = &model->head;
    struct model_card *card = &row->card;
    if (card->name.n == 0)
        card->name = cat_str(head, model->name);
    card->type = cat_str(head, model->type);
    card->status = cat_str(head, model->status);
    card->release_date = cat_str(head, model->release_date);
    card->inputs = cat_str(head, model->input_modalities);
    card->outputs = cat_str(head, model->output_modalities);
    card->capabilities = cat_str(head, model->capabilities);
    card->context_window_tokens = model->context_window_tokens;
    card->max_input_tokens = model->max_input_tokens;
    card->max_output_tokens = model->max_output_tokens;
    row->catalog_prices = cat_str(head, model->prices);
}

static void add_row(struct gallery *g, struct str model)
{
    struct authorize_view view;
    char reason[REQ_REASON_MAX];
    if (g->count == MODELS_MAX ||
        authorize_target(g->req, g->provider, model, &view, reason) != ST_OK ||
        view.unlisted || /* callable, but nobody knows that it exists */
        !str_eq(view.asked_model, model)) /* another name of a model that has a row of its own */
        return;
    struct model_row *row = &g->rows[g->count];
    *row = (struct model_row){.card = {.provider = g->provider,
                                       .service = cat_str(&view.type->head, view.type->slug),
                                       .model = model,
                                       .canonical = view.upstream_model}};
    if (view.rule != NULL)
        describe_rule(row, &view);
    if (view.model != NULL)
        describe_model(row, view.model);
    g->count += model_card_fits(&row->card, &g->query);
}

static bool has_exact_rule(const struct gallery *g, struct str slug)
{
    for (uint32_t i = 0; g->rules != NULL && i < g->rules->exact_count; i++)
        if (str_eq(cat_str(&g->rules->head, g->rules->rules[i].slug), slug))
            return true;
    return false;
}

static enum status each_catalog_model(void *arg, struct str record)
{
    struct gallery *g = arg;
    const struct cat_model *model = CAT_AS(record, SLUICE__KIND__KIND_MODEL, cat_model);
    if (model == NULL)
        return ST_OK;
    struct str slug = cat_str(&model->head, model->slug);
    if (!has_exact_rule(g, slug))
        add_row(g, slug);
    return g->count == MODELS_MAX ? ST_END : ST_OK;
}

static enum status each_provider(void *arg, struct str record)
{
    struct gallery *g = arg;
    struct catalog *catalog = g->req->worker->catalog;
    const struct cat_provider *provider = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER, cat_provider);
    struct str found;
    struct id none = ID_NONE;
    if (provider == NULL)
        return ST_OK;
    g->provider = cat_str(&provider->head, provider->slug);
    struct id integration_id = provider->integration;
    if (catalog_get(catalog, SLUICE__KIND__KIND_INTEGRATION, &g->req->auth.org, &none,
                    &integration_id, &found) != ST_OK)
        return ST_OK;
    const struct cat_integration *integration =
        CAT_AS(found, SLUICE__KIND__KIND_INTEGRATION, cat_integration);
    struct id type_id = integration == NULL ? none : integration->provider_type;
    if (catalog_get(catalog, SLUICE__KIND__KIND_PROVIDER_TYPE, &none, &none, &type_id, &found) !=
        ST_OK)
        return ST_OK;
    g->type = CAT_AS(found, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type);
    if (g->type == NULL ||
        !model_card_wants_provider(&g->query, g->provider, cat_str(&g->type->head, g->type->slug)))
        return ST_OK;
    g->rules = NULL;
    if (catalog_get(catalog, CAT_KIND_RULES, &g->req->auth.org, &none, &integration_id, &found) ==
        ST_OK)
        g->rules = CAT_AS(found, CAT_KIND_RULES, cat_rules);
    for (uint32_t i = 0; g->rules != NULL && i < g->rules->exact_count; i++)
        add_row(g, cat_str(&g->rules->head, g->rules->rules[i].slug));
    return catalog_each(catalog, SLUICE__KIND__KIND_MODEL, &none, &type_id, each_catalog_model, g);
}

/* --- query, order, output */

static enum status read_query(struct gallery *g)
{
    struct str rest = g->req->head->query, pair, name;
    g->query.limit = UINT64_MAX;
    while (rest.n > 0 && str_split(&rest, '&', &pair)) {
        if (!str_split(&pair, '=', &name))
            continue;
        struct str value = percent_decode(&g->req->arena, pair);
        if (value.p == NULL)
            return ST_NO_MEMORY;
        model_card_ask(&g->query, name, value);
    }
    return ST_OK;
}

static int by_query(const void *a, const void *b, void *query)
{
    return model_card_compare(&((const struct model_row *)a)->card,
                              &((const struct model_row *)b)->card, query);
}

/* The catalog's prices, and the integration's own over them, as they stand now. */
static enum status price_of(const struct model_row *row, struct model_card_price *price)
{
    const struct price_query plain = {.input_tokens = 0};
    int64_t now_ms = clock_utc_ms();
    struct price_row own;
    struct str page;
    price->source = MODEL_CARD_CATALOG;
    TRY(price_book_at(row->catalog_prices, now_ms, &page));
    TRY(price_pick(page, &plain, &price->row));
    TRY(price_book_at(row->rule_prices, now_ms, &page));
    if (page.n == 0)
        return ST_OK;
    TRY(price_pick(page, &plain, &own));
    price_row_overlay(&price->row, &own);
    price->source = MODEL_CARD_INTEGRATION;
    return ST_OK;
}

static void write_row(struct json_writer *w, const struct model_row *row)
{
    struct model_card_price price;
    if (price_of(row, &price) != ST_OK)
        price.source = MODEL_CARD_UNPRICED;
    model_card_write(w, &row->card, &price);
}

/* --- for callers who speak Anthropic's dialect */

static struct str query_value(const struct req *req, struct str name)
{
    struct str rest = req->head->query, pair;
    while (rest.n > 0 && str_split(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find_char(pair, '=');
        if (equals > 0 && str_eq(str_head(pair, (size_t)equals), name))
            return str_from(pair, (size_t)equals + 1);
    }
    return STR_NONE;
}

static void anthropic_row_at(void *arg, size_t n, struct models_anthropic_row *out)
{
    struct gallery *g = arg;
    const struct model_row *row = &g->rows[n];
    *out = (struct models_anthropic_row){
        .id = arena_printf(&g->req->arena, "@" STR_FMT "/" STR_FMT, STR_ARG(row->card.provider),
                           STR_ARG(row->card.model)),
        .name = row->card.name,
        .max_input_tokens = row->card.context_window_tokens,
        .max_output_tokens = row->card.max_output_tokens};
}

static void write_anthropic(struct gallery *g, struct buf *out, bool list)
{
    struct models_anthropic_rows rows = {g->count, anthropic_row_at, g};
    struct models_anthropic_row row;
    struct json_writer w;
    jw_init(&w, out);
    if (list) {
        struct models_anthropic_page page = {
            query_value(g->req, STR("limit")),
            percent_decode(&g->req->arena, query_value(g->req, STR("after_id"))),
            percent_decode(&g->req->arena, query_value(g->req, STR("before_id")))};
        models_anthropic_list(&w, &rows, &page);
    } else {
        anthropic_row_at(g, 0, &row);
        models_anthropic_row(&w, &row);
    }
}

static void write_list(struct gallery *g, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_field_u64(&w, "total", g->count);
    jw_key(&w, "data");
    jw_array(&w);
    for (uint64_t i = g->query.offset; i < g->count && i - g->query.offset < g->query.limit; i++)
        write_row(&w, &g->rows[i]);
    jw_end(&w);
    jw_end(&w);
}

static enum step_result answer_one(struct gallery *g, struct buf *out)
{
    struct str id = percent_decode(&g->req->arena, str_from(g->req->path, 8)), slug, model;
    if (!req_split_model(id, &slug, &model))
        return req_refuse(g->req, ST_MODEL_NOT_FOUND,
                          "Model ids have the form \"@provider-slug/model\".");
    g->provider = slug;
    g->query = (struct model_card_query){.limit = UINT64_MAX};
    add_row(g, model);
    if (g->count == 0)
        return req_refuse(g->req, ST_MODEL_NOT_FOUND,
                          "This workspace has no model \"" STR_FMT "\".",
                          STR_ARG(str_head(id, 200)));
    struct json_writer w;
    jw_init(&w, out);
    if (g->req->anthropic)
        write_anthropic(g, out, false);
    else
        write_row(&w, &g->rows[0]);
    return STEP_NEXT;
}

enum step_result models_answer(struct req *req)
{
    struct gallery g = {.req = req};
    g.rows = malloc(MODELS_MAX * sizeof *g.rows);
    enum status status = g.rows == NULL ? ST_NO_MEMORY : read_query(&g);
    if (status == ST_OK)
        status = catalog_begin(req->worker->catalog);
    if (status != ST_OK) {
        free(g.rows);
        return req_refuse(req, status, "%s", status_row(status)->text);
    }
    struct buf out;
    buf_init(&out, MODELS_REPLY_MAX);
    enum step_result result = STEP_NEXT;
    if (str_eq(req->path, STR("/models"))) {
        status = catalog_each(req->worker->catalog, SLUICE__KIND__KIND_PROVIDER, &req->auth.org,
                              &req->auth.workspace, each_provider, &g);
        qsort_r(g.rows, g.count, sizeof g.rows[0], by_query, &g.query);
        if (req->anthropic)
            write_anthropic(&g, &out, true);
        else
            write_list(&g, &out);
    } else {
        result = answer_one(&g, &out);
    }
    catalog_end(req->worker->catalog);
    if (result == STEP_NEXT && buf_status(&out) != ST_OK)
        result = req_refuse(req, ST_NO_MEMORY, "The list is too long; ask for one provider.");
    if (result == STEP_NEXT) {
        req_answer_json(req, 200, buf_str(&out));
        result = STEP_DONE;
    }
    buf_free(&out);
    free(g.rows);
    return result;
}
