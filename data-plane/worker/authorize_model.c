/* authorize_model.c: feeds the pure decision of common/policy.c from the catalog, and puts its
 * verdict into words.
 *
 * Nothing is decided here: rows come in the order of the catalog's cat_rules, and what the verdict
 * names (upstream id, priced id) is looked up.
 */
#include "data-plane/worker/authorize_model.h"

#include <stdio.h>

#include "common/policy.h"
#include "data-plane/worker/base_model.h"
#include "data-plane/worker/plan_names.h"

#define QUALIFIED_MAX 600

/* The last model looked up, and its record (p = NULL: none). */
struct found {
    struct str id, record;
};

struct sources {
    struct catalog *catalog;
    struct id type;
    const struct cat_rules *rules;
    struct found *found;
};

static void rule_at(const void *arg, size_t n, struct policy_rule *out)
{
    const struct cat_rules *rules = ((const struct sources *)arg)->rules;
    const struct cat_rule *rule = &rules->rules[n];
    *out = (struct policy_rule){.slug = cat_str(&rules->head, rule->slug),
                                .upstream_model = cat_str(&rules->head, rule->upstream_model),
                                .base_model = cat_str(&rules->head, rule->base_model),
                                .enabled = (rule->flags & CAT_RULE_ENABLED) != 0,
                                .custom = (rule->flags & CAT_RULE_CUSTOM) != 0,
                                .listing = (rule->flags & CAT_RULE_LISTING) != 0};
}

/* The decision and the price ask for the same id: one hash and one look-up serve both. */
static struct str find_model(const struct sources *sources, struct str id)
{
    struct id none = ID_NONE;
    struct found *found = sources->found;
    if (found->id.p != NULL && str_eq(found->id, id))
        return found->record;
    found->id = id;
    if (catalog_find(sources->catalog, SLUICE__KIND__KIND_MODEL, &none, &sources->type, id,
                     &found->record) != ST_OK)
        found->record = STR_NONE;
    return found->record;
}

static bool in_catalog(const void *arg, struct str id)
{
    return find_model(arg, id).p != NULL;
}

static size_t rule_count(const struct cat_rules *rules)
{
    if (rules == NULL)
        return 0;
    size_t count = (size_t)rules->exact_count + rules->pattern_count;
    size_t fits = (rules->head.length - sizeof *rules) / sizeof(struct cat_rule);
    return count < fits ? count : fits;
}

/* Has the provider itself said that it has this model? */
static bool is_listing(const struct cat_rules *rules, struct str model)
{
    for (size_t i = 0; i < rule_count(rules); i++)
        if ((rules->rules[i].flags & CAT_RULE_LISTING) != 0 &&
            str_eq(cat_str(&rules->head, rules->rules[i].slug), model))
            return true;
    return false;
}

static enum status refuse(struct req *req, const struct policy_verdict *verdict, struct str model,
                          const struct authorize_view *view, char *reason)
{
    struct str slug = cat_str(&view->provider->head, view->provider->slug);
    char near[300] = "";
    int n = 0;
    model = str_head(model, 120);
    switch (verdict->outcome) {
    case POLICY_DENIED_BY_RULE:
        n = snprintf(reason, REQ_REASON_MAX,
                     "The model \"" STR_FMT "\" is denied by the rule \"" STR_FMT
                     "\" of the integration behind @" STR_FMT "%s.",
                     STR_ARG(model),
                     STR_ARG(str_head(cat_str(&view->rules->head, view->rule->slug), 100)),
                     STR_ARG(slug), verdict->by_upstream ? " (it stands for a denied model)" : "");
        break;
    case POLICY_NARROWED_BY_PROVIDER:
        n = snprintf(reason, REQ_REASON_MAX,
                     "The model \"" STR_FMT
                     "\" is not among the allowed_models of provider @" STR_FMT ".",
                     STR_ARG(model), STR_ARG(slug));
        break;
    case POLICY_NARROWED_BY_KEY:
        n = snprintf(reason, REQ_REASON_MAX,
                     "The model \"" STR_FMT "\" is not among the allowed_models of this API key.",
                     STR_ARG(model));
        break;
    default:
        plan_near_models(req, view->integration, model, near, sizeof near);
        n = snprintf(reason, REQ_REASON_MAX,
                     verdict->in_catalog ? "The model \"" STR_FMT
                                           "\" is not enabled in the integration behind @" STR_FMT
                                           ".%s"
                                         : "Provider @" STR_FMT " has no model \"" STR_FMT "\".%s",
                     STR_ARG(verdict->in_catalog ? model : slug),
                     STR_ARG(verdict->in_catalog ? slug : model), near);
        break;
    }
    (void)n;
    return policy_status(verdict);
}

enum status authorize_model(struct req *req, struct str model, struct authorize_view *view,
                            char *reason)
{
    struct found found = {.id = STR_NONE};
    struct sources sources = {.found = &found,
                              .catalog = req->worker->catalog,
                              .type = view->integration->provider_type,
                              .rules = view->rules};
    struct str slug = cat_str(&view->provider->head, view->provider->slug);
    struct str qualified = STR_NONE;
    char room[QUALIFIED_MAX];
    if (slug.n + model.n + 2 <= sizeof room) {
        room[0] = '@';
        memcpy(room + 1, slug.p, slug.n);
        room[1 + slug.n] = '/';
        memcpy(room + 2 + slug.n, model.p, model.n);
        qualified = str_of(room, slug.n + model.n + 2);
    }
    struct policy_input input = {
        .model = model,
        .qualified = qualified,
        .allow_all_models = (view->integration->flags & CAT_INTEGRATION_ALLOW_ALL) != 0,
        .rule_count = rule_count(view->rules),
        .rule_at = rule_at,
        .rules = &sources,
        .in_catalog = in_catalog,
        .catalog = &sources,
        .provider_allowed = cat_str(&view->provider->head, view->provider->allowed_models),
        .key_allowed = req->auth.allowed_models};
    struct policy_verdict verdict;
    policy_decide(&input, &verdict);
    if (verdict.rule >= 0)
        view->rule = &view->rules->rules[verdict.rule];
    enum status status = policy_status(&verdict);
    if (status != ST_OK)
        return refuse(req, &verdict, model, view, reason);
    view->upstream_model = verdict.upstream_model;
    view->unlisted =
        verdict.outcome == POLICY_UNLISTED_ALLOWED && !is_listing(view->rules, model);
    if (verdict.priced_model.n > 0)
        view->model =
            CAT_AS(find_model(&sources, verdict.priced_model), SLUICE__KIND__KIND_MODEL, cat_model);
    base_model_find(req, view);
    return ST_OK;
}
