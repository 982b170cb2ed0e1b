/* models.c: the gallery of one workspace as a list.
 *
 * Walks the workspace's providers; for each, the models its integration lists or, where all are
 * allowed, those of the built-in catalog; every row has passed authorize_target, so what the list
 * shows is what a call may use. Shape: admin-api.md 1.13, with the fields that OpenAI clients read
 * (id, object, created, owned_by).
 */
#include "data-plane/worker/models.h"

#include <stdlib.h>

#include "common/json_write.h"
#include "data-plane/worker/authorize.h"
#include "data-plane/worker/models_anthropic.h"
#include "data-plane/worker/percent.h"

#define MODELS_REPLY_MAX (16u * 1024u * 1024u)

struct model_row {
    struct str provider, model, name, service, type;
    uint64_t context_window, max_output;
    bool custom;
};

struct gallery {
    struct req *req;
    struct model_row *rows;
    size_t count;
    struct str want_provider, want_service;
    struct str provider; /* of the walk */
    const struct cat_provider_type *type;
    const struct cat_rules *rules;
    enum status status;
};

static struct str copy(struct gallery *g, struct str text)
{
    return text.n == 0 ? STR_NONE : arena_str(&g->req->arena, text);
}

static void add_row(struct gallery *g, struct str model)
{
    struct authorize_view view;
    char reason[REQ_REASON_MAX];
    if (g->count == MODELS_MAX ||
        authorize_target(g->req, g->provider, model, &view, reason) != ST_OK ||
        view.unlisted) /* callable, but nobody knows that it exists */
        return;
    struct model_row *row = &g->rows[g->count++];
    *row = (struct model_row){.provider = copy(g, g->provider), .model = copy(g, model)};
    row->service = copy(g, cat_str(&view.type->head, view.type->slug));
    row->custom = view.rule != NULL && (view.rule->flags & CAT_RULE_CUSTOM) != 0;
    if (view.rule != NULL && view.rule->name.len > 0)
        row->name = copy(g, cat_str(&view.rules->head, view.rule->name));
    if (view.model != NULL) {
        if (row->name.n == 0)
            row->name = copy(g, cat_str(&view.model->head, view.model->name));
        row->type = copy(g, cat_str(&view.model->head, view.model->type));
        row->context_window = view.model->context_window_tokens;
        row->max_output = view.model->max_output_tokens;
    }
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
    if (g->want_provider.n > 0 && !str_eq(g->want_provider, g->provider))
        return ST_OK;
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
        (g->want_service.n > 0 && !str_eq(g->want_service, cat_str(&g->type->head, g->type->slug))))
        return ST_OK;
    g->rules = NULL;
    if (catalog_get(catalog, CAT_KIND_RULES, &g->req->auth.org, &none, &integration_id, &found) ==
        ST_OK)
        g->rules = CAT_AS(found, CAT_KIND_RULES, cat_rules);
    for (uint32_t i = 0; g->rules != NULL && i < g->rules->exact_count; i++)
        add_row(g, cat_str(&g->rules->head, g->rules->rules[i].slug));
    return catalog_each(catalog, SLUICE__KIND__KIND_MODEL, &none, &type_id, each_catalog_model, g);
}

/* --- query, order, output
 * ---------------------------------------------------------------------------------------------------
 */

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

static int by_name(const void *a, const void *b)
{
    const struct model_row *x = a, *y = b;
    int order = str_cmp(x->model, y->model);
    return order != 0 ? order : str_cmp(x->provider, y->provider);
}

static int by_provider(const void *a, const void *b)
{
    const struct model_row *x = a, *y = b;
    int order = str_cmp(x->provider, y->provider);
    return order != 0 ? order : str_cmp(x->model, y->model);
}

static int by_service(const void *a, const void *b)
{
    const struct model_row *x = a, *y = b;
    int order = str_cmp(x->service, y->service);
    return order != 0 ? order : by_provider(a, b);
}

static void sort_rows(struct gallery *g)
{
    struct str sort = query_value(g->req, STR("sort"));
    qsort(g->rows, g->count, sizeof g->rows[0],
          str_eq(sort, STR("name"))         ? by_name
          : str_eq(sort, STR("ai_service")) ? by_service
                                            : by_provider);
    if (!str_eq(query_value(g->req, STR("order")), STR("desc")))
        return;
    for (size_t i = 0; i < g->count / 2; i++) {
        struct model_row keep = g->rows[i];
        g->rows[i] = g->rows[g->count - 1 - i];
        g->rows[g->count - 1 - i] = keep;
    }
}

static void write_row(struct gallery *g, struct json_writer *w, const struct model_row *row)
{
    struct str id = arena_printf(&g->req->arena, "@" STR_FMT "/" STR_FMT, STR_ARG(row->provider),
                                 STR_ARG(row->model));
    jw_object(w);
    jw_field_str(w, "id", id);
    jw_field_cstr(w, "object", "model");
    jw_field_u64(w, "created", 0);
    jw_field_str(w, "owned_by", row->service);
    jw_field_str(w, "slug", row->model);
    jw_field_str(w, "canonical_slug", row->model);
    if (row->name.n > 0)
        jw_field_str(w, "name", row->name);
    jw_field_str(w, "provider", row->provider);
    if (row->type.n > 0)
        jw_field_str(w, "type", row->type);
    if (row->context_window > 0)
        jw_field_u64(w, "context_window", row->context_window);
    if (row->max_output > 0)
        jw_field_u64(w, "max_output_tokens", row->max_output);
    jw_field_bool(w, "is_custom", row->custom);
    jw_end(w);
}

/* --- for callers who speak Anthropic's dialect */

static void anthropic_row_at(void *arg, size_t n, struct models_anthropic_row *out)
{
    struct gallery *g = arg;
    const struct model_row *row = &g->rows[n];
    *out = (struct models_anthropic_row){
        .id = arena_printf(&g->req->arena, "@" STR_FMT "/" STR_FMT, STR_ARG(row->provider),
                           STR_ARG(row->model)),
        .name = row->name,
        .max_input_tokens = row->context_window,
        .max_output_tokens = row->max_output};
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
    uint64_t offset = 0, limit = g->count;
    struct str text = query_value(g->req, STR("offset"));
    if (text.n > 0 && str_to_u64(text, &offset) != ST_OK)
        offset = 0;
    text = query_value(g->req, STR("limit"));
    if (text.n > 0 && str_to_u64(text, &limit) != ST_OK)
        limit = g->count;
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_field_u64(&w, "total", g->count);
    jw_key(&w, "data");
    jw_array(&w);
    for (uint64_t i = offset; i < g->count && i - offset < limit; i++)
        write_row(g, &w, &g->rows[i]);
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
        write_row(g, &w, &g->rows[0]);
    return STEP_NEXT;
}

enum step_result models_answer(struct req *req)
{
    struct gallery g = {.req = req};
    g.want_provider = query_value(req, STR("provider"));
    if (str_starts(g.want_provider, STR("@")))
        g.want_provider = str_from(g.want_provider, 1);
    g.want_service = query_value(req, STR("ai_service"));
    g.rows = malloc(MODELS_MAX * sizeof *g.rows);
    enum status status = g.rows == NULL ? ST_NO_MEMORY : catalog_begin(req->worker->catalog);
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
        sort_rows(&g);
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
