/* access_prices.c: see access_prices.h.
 *
 * `free` and the multipliers share a page of one history, so a change of one copies the other from
 * the page that holds at its date. Prices of models have a history each. Nothing here touches what
 * the provider bills: a team's terms are about what the team is charged.
 */
#include "control-plane/api/access_prices.h"

#include <stdlib.h>

#include "control-plane/api/prices.h"

static const char adjust_name[] = "workspaces.pricing_adjustments";
static const char models_name[] = "workspaces.model_prices";

bool access_prices_wanted(const struct json *item)
{
    return api_member(item, "free") != NULL || api_member(item, "pricing_adjustments") != NULL ||
           api_member(item, "model_prices") != NULL;
}

/* The page that holds at an instant; NULL: none. */
static const Sluice__PriceAdjust *page_at(const Sluice__WorkspaceAccess *access, int64_t at_ms)
{
    const Sluice__PriceAdjust *found = NULL;
    for (size_t i = 0; i < access->n_price_adjusts; i++)
        if (access->price_adjusts[i]->effective_from_ms <= at_ms)
            found = access->price_adjusts[i];
    return found;
}

/* free: true, false, or null for false. */
static enum status read_free(struct api_call *call, const struct json *item, bool *given,
                             bool *free_now)
{
    const struct json *node = api_member(item, "free");
    *given = node != NULL;
    *free_now = false;
    if (json_is_none(node))
        return ST_OK;
    return json_is_bool(node) && json_bool(node, free_now) == ST_OK
               ? ST_OK
               : api_invalid(call, "workspaces.free", "must be true or false");
}

static enum status read_adjust(struct api_call *call, const struct json *item, int64_t from_ms,
                               bool dated, Sluice__WorkspaceAccess *access)
{
    const struct json *node = api_member(item, "pricing_adjustments");
    Sluice__PriceAdjust *page;
    bool given, free_now;
    TRY(read_free(call, item, &given, &free_now));
    TRY(prices_read_adjust(call, adjust_name, node, from_ms, &page));
    const Sluice__PriceAdjust *held = page_at(access, page->effective_from_ms);
    bool same_free = !given || free_now == (held != NULL && held->free);
    bool same_json = node == NULL || str_eq(node->raw, str_c(access->pricing_adjustments_json));
    if (same_free && same_json && !dated)
        return ST_OK;
    if (page->n_cost > 0)
        return api_fail(call, ST_INVALID,
                        "%s.cost_multiplier: is the integration's, not a workspace's", adjust_name);
    page->free = given ? free_now : held != NULL && held->free;
    if (node == NULL && held != NULL) {
        page->has_charge = held->has_charge;
        page->charge = held->charge;
        page->n_charge = held->n_charge;
    }
    TRY(prices_put_adjust(call, adjust_name, page, &access->price_adjusts,
                          &access->n_price_adjusts));
    if (node == NULL)
        return ST_OK;
    return api_cstr(call->arena, json_is(node, JSON_NULL) ? STR("") : node->raw,
                    &access->pricing_adjustments_json);
}

/* --- prices of models --- */

static enum status add_model(struct api_call *call, struct str slug,
                             Sluice__WorkspaceAccess *access, Sluice__ModelPrices **model)
{
    size_t count = access->n_model_prices;
    Sluice__ModelPrices **all = arena_calloc(call->arena, count + 1, sizeof(*all));
    Sluice__ModelPrices *made = arena_alloc(call->arena, sizeof(*made));
    if (count >= ACCESS_PRICES_MODELS_MAX)
        return api_fail(call, ST_INVALID, "%s: at most %d models", models_name,
                        ACCESS_PRICES_MODELS_MAX);
    if (all == NULL || made == NULL)
        return ST_NO_MEMORY;
    sluice__model_prices__init(made);
    TRY(api_cstr(call->arena, slug, &made->slug));
    size_t at = 0;
    while (at < count && str_cmp(str_c(access->model_prices[at]->slug), slug) < 0)
        at++;
    if (count > 0) {
        memcpy(all, access->model_prices, at * sizeof(*all));
        memcpy(all + at + 1, access->model_prices + at, (count - at) * sizeof(*all));
    }
    all[at] = made;
    access->model_prices = all;
    access->n_model_prices++;
    *model = made;
    return ST_OK;
}

static Sluice__ModelPrices *find_model(const Sluice__WorkspaceAccess *access, struct str slug)
{
    for (size_t i = 0; i < access->n_model_prices; i++)
        if (str_eq(str_c(access->model_prices[i]->slug), slug))
            return access->model_prices[i];
    return NULL;
}

static enum status read_model(struct api_call *call, const struct json *item, int64_t from_ms,
                              bool dated, Sluice__WorkspaceAccess *access)
{
    const struct json *config = api_member(item, "pricing_config");
    Sluice__Prices *page;
    struct str slug;
    if (!json_is(item, JSON_OBJECT) ||
        json_text(json_get(item, "slug"), call->arena, &slug) != ST_OK || slug.n == 0 ||
        slug.n > 255)
        return api_fail(call, ST_INVALID, "%s.slug: must be 1 to 255 characters", models_name);
    if (config == NULL)
        return api_fail(call, ST_INVALID, "%s.pricing_config: is required; null ends it",
                        models_name);
    Sluice__ModelPrices *model = find_model(access, slug);
    if (model == NULL && json_is(config, JSON_NULL))
        return ST_OK;
    if (model == NULL)
        TRY(add_model(call, slug, access, &model));
    struct str text = json_is(config, JSON_NULL) ? STR("") : config->raw;
    if (str_eq(text, str_c(model->pricing_json)) && !dated)
        return ST_OK;
    TRY(prices_read(call, "workspaces.model_prices.pricing_config", config, from_ms, &page));
    TRY(prices_put(call, "workspaces.model_prices.pricing_config", page, &model->prices,
                   &model->n_prices));
    return api_cstr(call->arena, text, &model->pricing_json);
}

enum status access_prices_read(struct api_call *call, const struct json *item,
                               Sluice__WorkspaceAccess *access)
{
    const struct json *models = api_member(item, "model_prices");
    int64_t from_ms = call->now_ms;
    bool dated = !json_is_none(api_member(item, "effective_from"));
    TRY(prices_read_date(call, "workspaces", item, &from_ms));
    if (api_member(item, "free") != NULL || api_member(item, "pricing_adjustments") != NULL)
        TRY(read_adjust(call, item, from_ms, dated, access));
    if (json_is_none(models))
        return ST_OK;
    if (!json_is(models, JSON_ARRAY))
        return api_invalid(call, models_name, "must be an array");
    for (const struct json *model = models->first; model != NULL; model = model->next)
        TRY(read_model(call, model, from_ms, dated, access));
    return ST_OK;
}

/* --- answers --- */

void access_prices_write(struct api_call *call, const Sluice__WorkspaceAccess *access)
{
    struct json_writer *w = &call->json;
    const Sluice__PriceAdjust *now = page_at(access, call->now_ms);
    jw_field_bool(w, "free", now != NULL && now->free);
    jw_key(w, "pricing_adjustments");
    jw_raw(w, access->pricing_adjustments_json[0] == '\0'
                  ? STR("null")
                  : str_c(access->pricing_adjustments_json));
    if (access->n_price_adjusts > 0)
        prices_write_adjusts(w, "pricing_history", access->price_adjusts, access->n_price_adjusts);
    jw_key(w, "model_prices");
    jw_array(w);
    for (size_t i = 0; i < access->n_model_prices; i++) {
        const Sluice__ModelPrices *model = access->model_prices[i];
        jw_object(w);
        jw_field_cstr(w, "slug", model->slug);
        jw_key(w, "pricing_config");
        jw_raw(w, model->pricing_json[0] == '\0' ? STR("null") : str_c(model->pricing_json));
        prices_write(w, "pricing_history", model->prices, model->n_prices);
        jw_end(w);
    }
    jw_end(w);
}
