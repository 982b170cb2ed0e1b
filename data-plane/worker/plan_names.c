/* plan_names.c: reads names of the caller's own workspace for a sentence in a refusal.
 *
 * Only what the caller may use is ever named: providers of his workspace, models his integration
 * lists as enabled. Walks are capped, so an error costs a bounded number of look-ups.
 */
#include "data-plane/worker/plan_names.h"

#include <stdio.h>

#include "data-plane/worker/authorize.h"
#include "data-plane/worker/near.h"

#define WALK_MAX     2000
#define OFFERING_MAX 8

struct walk {
    struct req *req;
    struct near near;
    struct str model;
    unsigned seen, offering;
    char text[300];
    size_t n;
};

static enum status offer_provider(void *arg, struct str record)
{
    struct walk *walk = arg;
    const struct cat_provider *provider = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER, cat_provider);
    if (++walk->seen > WALK_MAX)
        return ST_END;
    if (provider != NULL && provider->status == SLUICE__STATUS__STATUS_ACTIVE)
        near_offer(&walk->near, cat_str(&provider->head, provider->slug));
    return ST_OK;
}

void plan_near_providers(struct req *req, struct str slug, char *out, size_t room)
{
    struct walk walk = {.req = req};
    near_init(&walk.near, slug);
    enum status status = catalog_each(req->worker->catalog, SLUICE__KIND__KIND_PROVIDER,
                                      &req->auth.org, &req->auth.workspace, offer_provider, &walk);
    (void)status;
    near_sentence(&walk.near, "@", out, room);
}

static enum status offer_model(void *arg, struct str record)
{
    struct walk *walk = arg;
    const struct cat_model *model = CAT_AS(record, SLUICE__KIND__KIND_MODEL, cat_model);
    if (++walk->seen > WALK_MAX)
        return ST_END;
    if (model != NULL)
        near_offer(&walk->near, cat_str(&model->head, model->slug));
    return ST_OK;
}

static void offer_rules(struct walk *walk, const struct cat_integration *integration)
{
    struct str record;
    struct id none = ID_NONE;
    if (catalog_get(walk->req->worker->catalog, CAT_KIND_RULES, &integration->head.org, &none,
                    &integration->head.id, &record) != ST_OK)
        return;
    const struct cat_rules *rules = CAT_AS(record, CAT_KIND_RULES, cat_rules);
    unsigned offered = (integration->flags & CAT_INTEGRATION_ALLOW_ALL) != 0
                           ? CAT_RULE_ENABLED | CAT_RULE_LISTING
                           : CAT_RULE_ENABLED;
    for (uint32_t i = 0; rules != NULL && i < rules->exact_count && i < WALK_MAX; i++)
        if ((rules->rules[i].flags & offered) != 0)
            near_offer(&walk->near, cat_str(&rules->head, rules->rules[i].slug));
}

void plan_near_models(struct req *req, const struct cat_integration *integration, struct str model,
                      char *out, size_t room)
{
    struct walk walk = {.req = req};
    struct id none = ID_NONE, type = integration->provider_type;
    near_init(&walk.near, model);
    offer_rules(&walk, integration);
    if ((integration->flags & CAT_INTEGRATION_ALLOW_ALL) != 0) {
        enum status status = catalog_each(req->worker->catalog, SLUICE__KIND__KIND_MODEL, &none,
                                          &type, offer_model, &walk);
        (void)status;
    }
    near_sentence(&walk.near, "", out, room);
}

static enum status offer_offering(void *arg, struct str record)
{
    struct walk *walk = arg;
    const struct cat_provider *provider = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER, cat_provider);
    struct authorize_view view;
    char reason[REQ_REASON_MAX];
    if (++walk->seen > 64 || walk->offering >= OFFERING_MAX)
        return ST_END;
    if (provider == NULL)
        return ST_OK;
    struct str slug = cat_str(&provider->head, provider->slug);
    if (authorize_target(walk->req, slug, walk->model, &view, reason) != ST_OK ||
        (view.unlisted && walk->model.n > 0))
        return ST_OK;
    int n =
        snprintf(walk->text + walk->n, sizeof walk->text - walk->n,
                 "%s\"@" STR_FMT "%s" STR_FMT "\"", walk->offering == 0 ? "" : ", ", STR_ARG(slug),
                 walk->model.n > 0 ? "/" : "", STR_ARG(str_head(walk->model, 60)));
    if (n > 0 && (size_t)n < sizeof walk->text - walk->n) {
        walk->n += (size_t)n;
        walk->offering++;
    } else {
        walk->text[walk->n] = '\0';
    }
    return ST_OK;
}

enum step_result plan_refuse_no_provider(struct req *req, struct str model)
{
    struct walk walk = {.req = req, .model = model};
    enum status status = catalog_each(req->worker->catalog, SLUICE__KIND__KIND_PROVIDER,
                                      &req->auth.org, &req->auth.workspace, offer_offering, &walk);
    (void)status;
    if (walk.offering == 0)
        return req_refuse(req, ST_NO_PROVIDER,
                          "The request names no provider, and no provider of this workspace offers "
                          "this model. Name one as "
                          "\"@provider-slug/model\" or in x-portkey-provider.");
    return req_refuse(
        req, ST_NO_PROVIDER,
        "The request names no provider. %s %s: name it in the model, or send x-portkey-provider.",
        model.n > 0 ? "This workspace offers the model as" : "This workspace has", walk.text);
}
