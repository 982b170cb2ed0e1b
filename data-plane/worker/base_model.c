/* base_model.c: see base_model.h.
 *
 * At most one look-up for each maker, and only for custom models whose base is not among the
 * integration's own: nothing of this runs for others. A base that nobody has changes nothing.
 */
#include "data-plane/worker/base_model.h"

static const struct cat_provider_type *find_type(struct req *req, struct str slug)
{
    struct id none = ID_NONE;
    struct str record;
    enum status status = catalog_find(req->worker->catalog, SLUICE__KIND__KIND_PROVIDER_TYPE, &none,
                                      &none, slug, &record);
    return status == ST_OK ? CAT_AS(record, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type)
                           : NULL;
}

static bool take(struct req *req, struct str maker, struct str model, struct authorize_view *view)
{
    const struct cat_provider_type *type = find_type(req, maker);
    struct id none = ID_NONE, id = type == NULL ? none : type->head.id;
    struct str record;
    if (type == NULL || catalog_find(req->worker->catalog, SLUICE__KIND__KIND_MODEL, &none, &id,
                                     model, &record) != ST_OK)
        return false;
    view->model = CAT_AS(record, SLUICE__KIND__KIND_MODEL, cat_model);
    view->base_type = view->model == NULL ? NULL : type;
    return view->model != NULL;
}

void base_model_find(struct req *req, struct authorize_view *view)
{
    static const struct str makers[] = {{"openai", 6},    {"anthropic", 9},    {"google", 6},
                                        {"cohere", 6},    {"mistral-ai", 10},  {"bedrock", 7},
                                        {"vertex-ai", 9}, {"azure-openai", 12}};
    struct str base =
        view->rule == NULL ? STR_NONE : cat_str(&view->rules->head, view->rule->base_model);
    if (base.n == 0 || view->model != NULL)
        return;
    ptrdiff_t slash = str_find_char(base, '/');
    if (slash > 0 &&
        take(req, str_head(base, (size_t)slash), str_from(base, (size_t)slash + 1), view))
        return;
    for (size_t i = 0; i < COUNT_OF(makers); i++)
        if (take(req, makers[i], base, view))
            return;
}
