/* uses.c: see uses.h.
 *
 * Modes are settled here: a limit's own, else the workspace's, else the organisation's; what
 * happens when the control plane is away follows from the mode unless the limit says it. Must
 * never: leave a limit out because its entity was looked up by another name.
 */
#include "data-plane/worker/uses.h"

#include "data-plane/worker/authorize.h"
#include "data-plane/worker/policies.h"

enum part { PART_REQUEST, PART_ATTEMPT };

struct gather {
    struct req *req;
    struct uses *uses;
    enum part part;
    bool strict; /* the default mode */
    bool free;   /* the operation costs nothing: no budgets */
    struct policy_facts facts;
};

/* Where a limit is defined. */
struct place {
    enum limit_level level;
    struct id entity, second, parent;
    struct str name;
    struct str value_key;
    bool of_target; /* taken by each attempt, rates and permits too */
};

static enum status make_room(struct gather *gather, size_t more)
{
    struct uses *uses = gather->uses;
    size_t room = uses->count + more;
    if (room > LIMITS_USES_MAX)
        return ST_UNPROCESSABLE;
    if (room <= uses->room)
        return ST_OK;
    struct limit_use *grown = arena_calloc(&gather->req->arena, room + 4, sizeof *grown);
    if (grown == NULL)
        return ST_NO_MEMORY;
    if (uses->count > 0)
        memcpy(grown, uses->list, uses->count * sizeof *grown);
    uses->list = grown;
    uses->room = room + 4;
    return ST_OK;
}

/* Does this limit belong to what is gathered now? */
static bool is_wanted(const struct gather *gather, const struct place *place,
                      const struct limit_def *def)
{
    if (def->window == LIMIT_BUDGET)
        return gather->part == PART_ATTEMPT && !gather->free;
    bool tokens = def->measure == LIMIT_TOKENS;
    if (tokens && gather->free)
        return false;
    if (place->of_target)
        return gather->part == PART_ATTEMPT;
    if (tokens)
        return gather->part == PART_ATTEMPT; /* what each attempt really used counts */
    return gather->part == PART_REQUEST;
}

static enum status add_use(struct gather *gather, const struct place *place,
                           const struct cat_limit *limit)
{
    if (!is_wanted(gather, place, &limit->def))
        return ST_OK;
    TRY(make_room(gather, 1));
    struct limit_use *use = &gather->uses->list[gather->uses->count++];
    bool strict = limit->def.mode == LIMIT_MODE_STRICT ||
                  (limit->def.mode == LIMIT_MODE_DEFAULT && gather->strict);
    bool deny = limit->def.on_disconnect == LIMIT_AWAY_DENY ||
                (limit->def.on_disconnect == LIMIT_AWAY_DEFAULT && strict);
    *use = (struct limit_use){.limit = *limit,
                              .ref = {.level = (uint8_t)place->level,
                                      .measure = limit->def.measure,
                                      .window = limit->def.window,
                                      .nth = limit->def.nth,
                                      .org = gather->req->auth.org,
                                      .entity = place->entity,
                                      .second = place->second,
                                      .value_key = place->value_key},
                              .workspace = place->parent,
                              .name = place->name,
                              .strict = strict,
                              .deny = deny,
                              .row = LIMITS_NO_ROW};
    return ST_OK;
}

static enum status add_all(struct gather *gather, const struct place *place, struct str limits)
{
    for (size_t i = 0; i < cat_limit_count(limits); i++) {
        struct cat_limit limit = cat_limit_at(limits, i);
        TRY(add_use(gather, place, &limit));
    }
    return ST_OK;
}

static struct str kept(struct gather *gather, struct str text)
{
    return text.n == 0 ? STR("") : arena_str(&gather->req->arena, text);
}

/* --- the caller's side --- */

static enum status find_workspace(struct gather *gather, const struct cat_workspace **out)
{
    struct catalog *catalog = gather->req->worker->catalog;
    const struct req_auth *auth = &gather->req->auth;
    struct str record;
    *out = NULL;
    enum status status = catalog_get(catalog, SLUICE__KIND__KIND_WORKSPACE, &auth->org, &ID_NONE,
                                     &auth->workspace, &record);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    *out = CAT_AS(record, SLUICE__KIND__KIND_WORKSPACE, cat_workspace);
    return *out == NULL ? ST_BAD_FORMAT : ST_OK;
}

/* The default mode: the workspace's, or the organisation's. */
static enum status find_mode(struct gather *gather, const struct cat_workspace *workspace)
{
    const struct req_auth *auth = &gather->req->auth;
    struct str record;
    if (workspace != NULL && workspace->default_limit_mode != 0) {
        gather->strict = workspace->default_limit_mode == 2;
        return ST_OK;
    }
    enum status status = catalog_get(gather->req->worker->catalog, SLUICE__KIND__KIND_ORGANISATION,
                                     &auth->org, &ID_NONE, &auth->org, &record);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    const struct cat_org *org = CAT_AS(record, SLUICE__KIND__KIND_ORGANISATION, cat_org);
    gather->strict = org != NULL && org->default_limit_mode == 1;
    return org == NULL ? ST_BAD_FORMAT : ST_OK;
}

static enum status add_key(struct gather *gather)
{
    const struct req_auth *auth = &gather->req->auth;
    const struct place place = {
        .level = LIMIT_KEY, .entity = auth->key, .parent = auth->workspace, .name = auth->name};
    return add_all(gather, &place, auth->limits);
}

static enum status add_workspace(struct gather *gather, const struct cat_workspace *workspace)
{
    if (workspace == NULL || workspace->limits.len == 0)
        return ST_OK;
    const struct place place = {.level = LIMIT_WORKSPACE,
                                .entity = workspace->head.id,
                                .name = kept(gather, cat_str(&workspace->head, workspace->slug))};
    return add_all(gather, &place, cat_str(&workspace->head, workspace->limits));
}

/* --- policies --- */

static void fill_facts(struct gather *gather, const struct cat_workspace *workspace)
{
    struct req *req = gather->req;
    bool json = req->surface == REQ_SURFACE_OP && op_row(req->op)->body == OP_BODY_JSON;
    gather->facts = (struct policy_facts){.arena = &req->arena,
                                          .api_key = req->auth.key,
                                          .workspace = req->auth.workspace,
                                          .org = req->auth.org,
                                          .config = req->config,
                                          .config_id = req->config_id,
                                          .endpoint = str_c(op_row(req->op)->text),
                                          .body = json ? buf_str(&req->body.mem) : STR_NONE};
    metadata_layers(req, workspace, gather->facts.metadata);
}

static void fill_target(struct gather *gather, const struct authorize_view *view)
{
    struct policy_facts *facts = &gather->facts;
    char text[ID_TEXT + 1];
    struct id id = view->provider->head.id;
    id_to_text(&id, text);
    facts->provider = cat_str(&view->provider->head, view->provider->slug);
    facts->provider_id = arena_str(&gather->req->arena, str_of(text, ID_TEXT));
    facts->type = cat_str(&view->type->head, view->type->slug);
    facts->model = gather->req->attempt.model;
}

static enum status add_policy(struct gather *gather, const struct cat_head *head,
                              const struct cat_policy *policy)
{
    bool of_target = (policy->flags & CAT_POLICY_OF_TARGET) != 0;
    struct cat_limit limit = policy->limit;
    struct place place = {.level = LIMIT_POLICY,
                          .entity = policy->id,
                          .parent = gather->req->auth.workspace,
                          .of_target = of_target};
    if (!is_wanted(gather, &place, &limit.def) || !policies_match(head, policy, &gather->facts))
        return ST_OK;
    place.name = kept(gather, cat_str(head, policy->name));
    TRY(policies_value_key(head, policy, &gather->facts, &place.value_key));
    struct limit_ref ref = {.level = LIMIT_POLICY,
                            .measure = limit.def.measure,
                            .window = limit.def.window,
                            .nth = limit.def.nth,
                            .org = gather->req->auth.org,
                            .entity = place.entity,
                            .value_key = place.value_key};
    limit_counter_id(&ref, &limit.counter);
    return add_use(gather, &place, &limit);
}

static enum status add_policies(struct gather *gather, const struct cat_workspace *workspace,
                                const struct authorize_view *view)
{
    const struct req_auth *auth = &gather->req->auth;
    struct str record;
    enum status status = catalog_get(gather->req->worker->catalog, CAT_KIND_POLICIES, &auth->org,
                                     &ID_NONE, &auth->workspace, &record);
    if (status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    const struct cat_policies *policies = cat_check_policies(record);
    if (policies == NULL)
        return ST_BAD_FORMAT;
    fill_facts(gather, workspace);
    if (view != NULL)
        fill_target(gather, view);
    for (uint32_t i = 0; i < policies->count; i++)
        TRY(add_policy(gather, &policies->head, &policies->policies[i]));
    return ST_OK;
}

/* --- the target's side --- */

static enum status add_target(struct gather *gather, const struct authorize_view *view)
{
    const struct req_auth *auth = &gather->req->auth;
    struct str integration = cat_str(&view->integration->head, view->integration->slug);
    const struct place of_provider = {.level = LIMIT_PROVIDER,
                                      .entity = view->provider->head.id,
                                      .parent = auth->workspace,
                                      .name = gather->req->attempt.provider_slug,
                                      .of_target = true};
    const struct place of_integration = {.level = LIMIT_INTEGRATION,
                                         .entity = view->integration->head.id,
                                         .name = kept(gather, integration),
                                         .of_target = true};
    TRY(add_all(gather, &of_integration,
                cat_str(&view->integration->head, view->integration->limits)));
    if (view->access != NULL) {
        struct place of_access = of_integration;
        of_access.level = LIMIT_ACCESS;
        of_access.second = auth->workspace;
        TRY(add_all(gather, &of_access, cat_str(&view->access->head, view->access->limits)));
    }
    return add_all(gather, &of_provider, cat_str(&view->provider->head, view->provider->limits));
}

static bool is_free(const struct req *req)
{
    return req->surface == REQ_SURFACE_OP && bound_row(req->op)->when == BOUND_FREE;
}

static enum status gather_all(struct gather *gather, const struct authorize_view *view)
{
    const struct cat_workspace *workspace;
    TRY(find_workspace(gather, &workspace));
    TRY(find_mode(gather, workspace));
    if (view != NULL)
        TRY(add_target(gather, view));
    TRY(add_workspace(gather, workspace));
    TRY(add_key(gather));
    return add_policies(gather, workspace, view);
}

enum status uses_of_request(struct req *req)
{
    struct gather gather = {
        .req = req, .uses = &req->uses, .part = PART_REQUEST, .free = is_free(req)};
    req->uses.count = 0;
    return gather_all(&gather, NULL);
}

enum status uses_of_attempt(struct req *req, const struct authorize_view *view)
{
    struct gather gather = {.req = req,
                            .uses = &req->attempt.uses,
                            .part = PART_ATTEMPT,
                            .free = is_free(req)};
    return gather_all(&gather, view);
}
