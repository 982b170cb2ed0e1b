/* step_authorize.c: this target, by its own rules, and a copy of all that the attempt needs.
 *
 * The catalog read is one short look: what is copied here is of one revision, and the attempt is
 * charged and sent by it even if an admin changes something a moment later. A refusal costs
 * nothing: nothing was reserved yet.
 */
#include "data-plane/worker/authorize.h"
#include "data-plane/worker/terms.h"
#include "data-plane/worker/translate.h"
#include "data-plane/worker/url.h"

static struct str keep(struct req *req, const struct cat_head *head, struct cat_ref ref)
{
    return arena_str(&req->arena, cat_str(head, ref));
}

/* What the integration says of its host, else what a custom model's base speaks; a rule with a host of
 * its own is not at the integration's. */
static uint16_t dialect_of(const struct authorize_view *view)
{
    struct str own = cat_str(&view->integration->head, view->integration->api_dialect);
    bool elsewhere = view->rule != NULL && view->rule->base_url.len > 0;
    if (view->base_type != NULL && (own.n == 0 || elsewhere))
        return view->base_type->dialect;
    return own.n > 0 ? catalog_dialect(own) : view->type->dialect;
}

static void copy_type(struct req *req, const struct authorize_view *view)
{
    struct req_attempt *attempt = &req->attempt;
    const struct cat_provider_type *type = view->type;
    attempt->dialect = dialect_of(view);
    attempt->back = dialect_back(attempt->dialect);
    attempt->foreign = attempt->dialect != type->dialect;
    attempt->type_slug = keep(req, &type->head, type->slug);
    attempt->auth_header = keep(req, &type->head, type->auth_header);
    attempt->auth_prefix = keep(req, &type->head, type->auth_prefix);
    if (attempt->auth_header.n == 0) {
        attempt->auth_header = STR("authorization");
        attempt->auth_prefix = STR("Bearer ");
    }
    attempt->extra_headers = keep(req, &type->head, type->extra_headers);
    attempt->renames = keep(req, &type->head, type->renames);
    attempt->stream_usage_path = keep(req, &type->head, type->stream_usage_path);
    attempt->no_stream_options = type->no_stream_options != 0;
    attempt->developer_to_system = type->developer_to_system != 0;
    attempt->text_embeddings = type->text_embeddings != 0;
}

static void copy_credential(struct req *req, const struct authorize_view *view)
{
    struct req_attempt *attempt = &req->attempt;
    const struct cat_integration *integration = view->integration;
    const struct cat_rule *rule = view->rule;
    attempt->configurations_json = keep(req, &integration->head, integration->configurations_json);
    attempt->allowed_private = keep(req, &integration->head, integration->allowed_private);
    if (rule != NULL && rule->base_url.len > 0 && rule->secrets_box.len > 0) {
        attempt->secrets_owner = rule->id;
        attempt->secrets_version = rule->secrets_version;
        attempt->delivery_key = rule->delivery_key;
        attempt->hosts = keep(req, &view->rules->head, rule->hosts);
        attempt->secrets_box = keep(req, &view->rules->head, rule->secrets_box);
        attempt->header_names = keep(req, &view->rules->head, rule->header_names);
        return;
    }
    attempt->secrets_owner = integration->head.id;
    attempt->secrets_version = integration->secrets_version;
    attempt->delivery_key = integration->delivery_key;
    attempt->hosts = keep(req, &integration->head, integration->hosts);
    attempt->secrets_box = keep(req, &integration->head, integration->secrets_box);
    attempt->header_names = keep(req, &integration->head, integration->header_names);
}

static void copy_model(struct req *req, const struct authorize_view *view)
{
    struct req_attempt *attempt = &req->attempt;
    attempt->model = arena_str(&req->arena, view->asked_model);
    attempt->upstream_model = arena_str(&req->arena, view->upstream_model);
    attempt->api_version = view->deployment.api_version;
    attempt->no_stream_options =
        attempt->no_stream_options || view->deployment.no_stream_options;
    attempt->unlisted = view->unlisted;
    attempt->list_verdict = view->list_verdict;
    if (view->rule != NULL)
        attempt->list_row = view->rule->id;
    attempt->priced_model = STR_NONE;
    if (view->model != NULL) {
        attempt->priced_model = keep(req, &view->model->head, view->model->slug);
        attempt->base_model = attempt->priced_model;
        attempt->context_tokens = view->model->context_window_tokens > 0
                                      ? view->model->context_window_tokens
                                      : view->model->max_input_tokens;
        attempt->max_output_tokens = view->model->max_output_tokens;
        attempt->capabilities = keep(req, &view->model->head, view->model->capabilities);
    } else if (view->rule != NULL && view->rule->prices.len > 0) {
        attempt->priced_model = keep(req, &view->rules->head, view->rule->slug);
    }
    if (view->rule != NULL && view->rule->base_model.len > 0)
        attempt->base_model = keep(req, &view->rules->head, view->rule->base_model);
    terms_copy(req, view);
}

/* A path of the provider's positive list, where the integration's admin turned pass-through on. */
static enum step_result check_passthrough(struct req *req, const struct authorize_view *view)
{
    struct str rest = cat_str(&view->type->head, view->type->passthrough), prefix;
    if ((view->integration->flags & CAT_INTEGRATION_PASSTHROUGH) == 0)
        return req_refuse(req, ST_PASSTHROUGH_OFF,
                          "Pass-through is off for the integration behind @" STR_FMT
                          "; there is no endpoint /v1" STR_FMT ".",
                          STR_ARG(req->attempt.provider_slug), STR_ARG(str_head(req->path, 100)));
    bool plain = str_find(req->path, STR("..")) < 0 && str_find_char(req->path, '%') < 0 &&
                 str_find(req->path, STR("//")) < 0;
    while (plain && rest.n > 0 && str_split(&rest, '\n', &prefix)) {
        if (prefix.n == 0 || !str_starts(req->path, prefix))
            continue;
        struct str tail = str_from(req->path, prefix.n);
        if (tail.n == 0 || tail.p[0] == '/' || prefix.p[prefix.n - 1] == '/')
            return STEP_NEXT;
    }
    return req_refuse(req, ST_PASSTHROUGH_OFF,
                      "The path /v1" STR_FMT " is not on the pass-through list of \"" STR_FMT "\".",
                      STR_ARG(str_head(req->path, 100)), STR_ARG(req->attempt.type_slug));
}

/* The operation's path at the provider, and whether it is translated on the way. */
static enum step_result choose_path(struct req *req, const struct authorize_view *view,
                                    struct str *path)
{
    struct str paths[OP_COUNT];
    for (size_t i = 0; i < OP_COUNT; i++)
        paths[i] = cat_str(&view->type->head, view->type->paths[i]);
    enum step_result result = translate_route(req, paths, path);
    if (result != STEP_NEXT || path->n > 0)
        return result;
    return req_refuse(req, ST_UNSUPPORTED,
                      "Provider @" STR_FMT " (" STR_FMT
                      ") does not offer the operation \"%s\" here.",
                      STR_ARG(req->attempt.provider_slug), STR_ARG(req->attempt.type_slug),
                      op_row(req->op)->text);
}

/* base + path with {id} filled, + the caller's query without any key of ours, in his own dialect. */
static enum step_result copy_url(struct req *req, const struct authorize_view *view)
{
    struct req_attempt *attempt = &req->attempt;
    struct str base = cat_str(&view->integration->head, view->integration->base_url);
    if (view->rule != NULL && view->rule->base_url.len > 0)
        base = cat_str(&view->rules->head, view->rule->base_url);
    if (base.n == 0)
        base = cat_str(&view->type->head, view->type->base_url);
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    struct str path = req->path, tail = STR("");
    bool passes = req->surface == REQ_SURFACE_PASSTHROUGH;
    enum step_result result = passes ? check_passthrough(req, view) : choose_path(req, view, &path);
    if (result != STEP_NEXT)
        return result;
    ptrdiff_t id = str_find(path, STR("{id}"));
    if (id >= 0) {
        tail = str_from(path, (size_t)id + 4);
        path = str_head(path, (size_t)id);
    }
    struct str query;
    enum status status =
        url_query_without_keys(&req->arena, req->head->query, req->auth.value, &query);
    if (status == ST_OK && attempt->api_version.n > 0) /* the deployment's own is in the path */
        status = url_query_without(&req->arena, query, STR("api-version"), &query);
    if (status != ST_OK)
        return req_refuse(req, status, "%s", status_row(status)->text);
    if (attempt->call != NULL)
        query = STR_NONE; /* of the caller's dialect */
    bool has_query = str_find_char(path, '?') >= 0;
    const struct str pieces[] = {base,
                                 path,
                                 id >= 0 ? req->object_id : STR(""),
                                 tail,
                                 str_c(query.n == 0 ? ""
                                       : has_query  ? "&"
                                                    : "?"),
                                 query};
    attempt->url = arena_join(&req->arena, pieces, COUNT_OF(pieces));
    struct url_parts parts;
    if (attempt->url.p == NULL || url_split(attempt->url, &parts) != ST_OK)
        return req_refuse(req, ST_UNPROCESSABLE,
                          "The address configured for provider @" STR_FMT " is not a valid URL.",
                          STR_ARG(attempt->provider_slug));
    attempt->host = parts.host;
    attempt->port = parts.port;
    attempt->tls = parts.tls;
    return STEP_NEXT;
}

static enum step_result refuse_uses(struct req *req, enum status status)
{
    return req_refuse(req, status, "%s",
                      status == ST_UNPROCESSABLE
                          ? "More budgets and limits apply to this request than it can carry."
                          : status_row(status)->text);
}

static enum step_result authorize(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct authorize_view view;
    char reason[REQ_REASON_MAX] = "";
    enum step_result result = req_fill_target(req);
    if (result != STEP_NEXT)
        return result;
    enum status status =
        authorize_target(req, attempt->target->provider, attempt->target->model, &view, reason);
    if (status != ST_OK)
        return req_refuse(req, status, "%s", reason[0] != '\0' ? reason : status_row(status)->text);
    attempt->provider = view.provider->head.id;
    attempt->integration = view.integration->head.id;
    attempt->provider_slug = keep(req, &view.provider->head, view.provider->slug);
    attempt->revision = catalog_revision(req->worker->catalog);
    copy_type(req, &view);
    copy_credential(req, &view);
    copy_model(req, &view);
    status = uses_of_attempt(req, &view);
    if (status != ST_OK)
        return refuse_uses(req, status);
    return copy_url(req, &view);
}

enum step_result req_step_authorize(struct req *req)
{
    limits_client_cancel(&req->limit_wait);
    translate_free(req);
    memset(&req->attempt, 0, sizeof req->attempt);
    usage_pick_init(&req->usage, NULL);
    req->attempt.target = &req->target;
    req->attempt.reply_length = -1;
    req->recall = (struct recall){.status = TRACE_CACHE_DISABLED};
    enum step_result result = req_body_restore(req);
    if (result != STEP_NEXT)
        return result;
    enum status status = catalog_begin(req->worker->catalog);
    if (status != ST_OK)
        return req_refuse(req, status, "%s", status_row(status)->text);
    result = authorize(req);
    catalog_end(req->worker->catalog);
    return result;
}
