/* authorize.c: the effective policy of one target: provider -> integration -> access -> lists -> catalog (ARCHITECTURE section 1).
 *
 * Every level is checked, the strictest wins, and the refusal names the level and the slug. The decision itself about a model is the pure
 * function of common/policy.c; here its inputs are read from the node's catalog. Names of other tenants never appear in a reason.
 */
#include "data-plane/worker/authorize.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"
#include "data-plane/worker/authorize_model.h"
#include "data-plane/worker/plan_names.h"

static enum status say(char *reason, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

static enum status say(char *reason, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, REQ_REASON_MAX, format, args);
    va_end(args);
    return status;
}

static enum status find_provider(struct req *req, struct str slug, struct authorize_view *view, char *reason)
{
    struct catalog *catalog = req->worker->catalog;
    struct str record;
    struct id id;
    enum status status = id_from_text(slug, &id) == ST_OK
                             ? catalog_get(catalog, SLUICE__KIND__KIND_PROVIDER, &req->auth.org, &req->auth.workspace, &id, &record)
                             : catalog_find(catalog, SLUICE__KIND__KIND_PROVIDER, &req->auth.org, &req->auth.workspace, slug, &record);
    if (status == ST_NOT_FOUND) {
        char near[300];
        plan_near_providers(req, slug, near, sizeof near);
        return say(reason, ST_PROVIDER_NOT_FOUND, "This workspace has no provider \"@" STR_FMT "\".%s",
                   STR_ARG(str_head(slug, 100)), near);
    }
    TRY(status);
    view->provider = CAT_AS(record, SLUICE__KIND__KIND_PROVIDER, cat_provider);
    return view->provider == NULL ? ST_BAD_FORMAT : ST_OK;
}

static enum status check_provider(struct authorize_view *view, char *reason)
{
    const struct cat_provider *provider = view->provider;
    struct str slug = cat_str(&provider->head, provider->slug);
    if (provider->status != SLUICE__STATUS__STATUS_ACTIVE)
        return say(reason, ST_PROVIDER_DISABLED, "Provider @" STR_FMT " is disabled in this workspace.", STR_ARG(slug));
    if (provider->expires_at_ms != 0 && clock_utc_ms() >= provider->expires_at_ms)
        return say(reason, ST_PROVIDER_DISABLED, "Provider @" STR_FMT " has expired.", STR_ARG(slug));
    return ST_OK;
}

static enum status find_integration(struct req *req, struct authorize_view *view, char *reason)
{
    struct catalog *catalog = req->worker->catalog;
    struct str record, slug = cat_str(&view->provider->head, view->provider->slug);
    struct id none = ID_NONE, id = view->provider->integration;
    enum status status = catalog_get(catalog, SLUICE__KIND__KIND_INTEGRATION, &req->auth.org, &none, &id, &record);
    view->integration = status == ST_OK ? CAT_AS(record, SLUICE__KIND__KIND_INTEGRATION, cat_integration) : NULL;
    if (view->integration == NULL || view->integration->status != SLUICE__STATUS__STATUS_ACTIVE)
        return say(reason, ST_PROVIDER_DISABLED, "The integration behind provider @" STR_FMT " is disabled or deleted.",
                   STR_ARG(slug));
    if ((view->integration->flags & CAT_INTEGRATION_ELSEWHERE) != 0)
        return say(reason, ST_REGION_BOUND,
                   "The integration behind provider @" STR_FMT " is bound to regions that this gateway is not in. Call a gateway "
                   "of one of its regions.",
                   STR_ARG(slug));
    struct id owner = view->integration->workspace;
    status = catalog_get(catalog, SLUICE__KIND__KIND_WORKSPACE_ACCESS, &req->auth.org, &id, &req->auth.workspace, &record);
    view->access = status == ST_OK ? CAT_AS(record, SLUICE__KIND__KIND_WORKSPACE_ACCESS, cat_access) : NULL;
    if (id_eq(&owner, &req->auth.workspace))
        return ST_OK;
    if (!id_is_none(&owner) || view->access == NULL || !view->access->enabled)
        return say(reason, ST_PROVIDER_DISABLED,
                   "The integration behind provider @" STR_FMT " is not provisioned to this workspace. An organisation admin can "
                   "enable it.",
                   STR_ARG(slug));
    return ST_OK;
}

static enum status find_type(struct req *req, struct authorize_view *view, char *reason)
{
    struct catalog *catalog = req->worker->catalog;
    struct str record;
    struct id none = ID_NONE, id = view->integration->provider_type;
    enum status status = catalog_get(catalog, SLUICE__KIND__KIND_PROVIDER_TYPE, &none, &none, &id, &record);
    view->type = status == ST_OK ? CAT_AS(record, SLUICE__KIND__KIND_PROVIDER_TYPE, cat_provider_type) : NULL;
    if (view->type == NULL)
        return say(reason, ST_UNSUPPORTED, "The service behind provider @" STR_FMT " is not known to this gateway.",
                   STR_ARG(cat_str(&view->provider->head, view->provider->slug)));
    id = view->integration->head.id;
    if (catalog_get(catalog, CAT_KIND_RULES, &req->auth.org, &none, &id, &record) == ST_OK)
        view->rules = CAT_AS(record, CAT_KIND_RULES, cat_rules);
    return ST_OK;
}

/* What the model means in this integration: rules, lists and prices go by that. */
static enum status resolve_model(struct req *req, struct authorize_view *view, struct str *model, char *reason)
{
    const struct back *back = dialect_back(view->type->dialect);
    struct dialect_target target = {.provider = cat_str(&view->provider->head, view->provider->slug),
                                    .service = cat_str(&view->type->head, view->type->slug),
                                    .configurations_json = cat_str(&view->integration->head,
                                                                   view->integration->configurations_json)};
    if (back == NULL || back->resolve == NULL)
        return ST_OK;
    TRY(back->resolve(&req->arena, &target, req->op, *model, &view->deployment, reason, REQ_REASON_MAX));
    if (view->deployment.model.n > 0)
        *model = view->deployment.model;
    return ST_OK;
}

enum status authorize_target(struct req *req, struct str provider_slug, struct str model, struct authorize_view *view,
                             char *reason)
{
    *view = (struct authorize_view){.provider = NULL};
    TRY(find_provider(req, provider_slug, view, reason));
    TRY(check_provider(view, reason));
    TRY(find_integration(req, view, reason));
    TRY(find_type(req, view, reason));
    TRY(resolve_model(req, view, &model, reason));
    if (model.n == 0)
        return req_needs_model(req)
                   ? say(reason, ST_NO_MODEL, "model: required. Name it as \"@provider-slug/model\".")
                   : ST_OK;
    view->asked_model = model;
    TRY(authorize_model(req, model, view, reason));
    if (view->deployment.upstream.n > 0)
        view->upstream_model = view->deployment.upstream;
    return ST_OK;
}
