/* step_plan.c: where does it go? From the request, the key and the workspace to a plan and its
 * first target.
 *
 * Documents: the request's config (if the key lets it override), else the key's default, else the
 * workspace's. A saved one was compiled when it was published; one in a header is compiled here. A
 * string "@slug/model" names the provider wherever it stands. Who says which provider:
 *
 *   a document that is one target itself    config < headers < body
 *   a target of a document                  headers < body < what the target says, or its choice
 *                                           between targets would be none
 *
 * and override_params.model replaces the body's model, as its name says. Everything is copied into
 * the arena before the catalog read ends.
 */
#include "common/json_merge.h"
#include "common/route_doc.h"
#include "data-plane/worker/metadata.h"
#include "data-plane/worker/plan_names.h"
#include "data-plane/worker/req.h"

bool req_split_model(struct str text, struct str *slug, struct str *model)
{
    if (text.n < 2 || text.p[0] != '@')
        return false;
    ptrdiff_t slash = str_find_char(text, '/');
    if (slash < 0) {
        *slug = str_from(text, 1);
        *model = STR_NONE;
    } else {
        *slug = str_of(text.p + 1, (size_t)slash - 1);
        *model = str_from(text, (size_t)slash + 1);
    }
    return slug->n > 0;
}

/* --- documents --- */

/* A plan out of a record, where it may be read. */
static enum status copy_plan(struct req *req, struct str bytes, struct str *plan)
{
    char *copy = arena_alloc(&req->arena, bytes.n);
    if (copy == NULL)
        return ST_NO_MEMORY;
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    *plan = str_of(copy, bytes.n);
    return ST_OK;
}

static enum status copy_config(struct req *req, const struct str *record, struct str *plan)
{
    const struct cat_config *config = CAT_AS(*record, SLUICE__KIND__KIND_CONFIG, cat_config);
    if (config == NULL || config->status != SLUICE__STATUS__STATUS_ACTIVE)
        return ST_NOT_FOUND;
    char text[ID_TEXT + 1];
    struct id id = config->head.id;
    id_to_text(&id, text);
    req->config = arena_str(&req->arena, cat_str(&config->head, config->slug));
    req->config_id = arena_str(&req->arena, str_of(text, ID_TEXT));
    if (req->config.p == NULL || req->config_id.p == NULL)
        return ST_NO_MEMORY;
    return copy_plan(req, cat_str(&config->head, config->plan), plan);
}

static enum status find_config(struct req *req, struct str name, struct str *plan)
{
    struct str record;
    struct id id;
    if (id_from_text(name, &id) == ST_OK)
        TRY(catalog_get(req->worker->catalog, SLUICE__KIND__KIND_CONFIG, &req->auth.org,
                        &req->auth.workspace, &id, &record));
    else
        TRY(catalog_find(req->worker->catalog, SLUICE__KIND__KIND_CONFIG, &req->auth.org,
                         &req->auth.workspace, name, &record));
    return copy_config(req, &record, plan);
}

static enum status default_config(struct req *req, const struct id *id, struct str *plan)
{
    struct str record;
    if (id_is_none(id))
        return ST_NOT_FOUND;
    TRY(catalog_get(req->worker->catalog, SLUICE__KIND__KIND_CONFIG, &req->auth.org,
                    &req->auth.workspace, id, &record));
    return copy_config(req, &record, plan);
}

/* The request's workspace, or NULL. */
static const struct cat_workspace *workspace_of(struct req *req)
{
    struct str record;
    struct id none = ID_NONE;
    if (catalog_get(req->worker->catalog, SLUICE__KIND__KIND_WORKSPACE, &req->auth.org, &none,
                    &req->auth.workspace, &record) != ST_OK)
        return NULL;
    return CAT_AS(record, SLUICE__KIND__KIND_WORKSPACE, cat_workspace);
}

/* A document in a header. */
static enum step_result compile(struct req *req, struct str document, struct str *plan)
{
    struct str why = STR_NONE;
    enum status status = route_doc_compile(&req->arena, document, 0, plan, &why);
    req->config = req->config_id = STR_NONE;
    if (status == ST_OK)
        return STEP_NEXT;
    return why.n > 0 ? req_refuse(req, status, STR_FMT, STR_ARG(str_head(why, 400)))
                     : req_refuse(req, status, "%s", status_row(status)->text);
}

/* *plan: n = 0 if there is no document. */
static enum step_result choose_config(struct req *req, struct str *plan)
{
    struct str header = http_head_get(req->head, STR("x-portkey-config"));
    enum status status = default_config(req, &req->auth.default_config, plan);
    bool key_has_one = status == ST_OK;
    if (header.n > 0) {
        if (key_has_one && req->auth.config_override == 2)
            return req_refuse(req, ST_FORBIDDEN,
                              "x-portkey-config: this API key has a default config that may not be "
                              "overridden.");
        if (header.p[0] == '{')
            return compile(req, header, plan);
        status = find_config(req, header, plan);
        if (status == ST_NOT_FOUND)
            return req_refuse(req, ST_NOT_FOUND,
                              "x-portkey-config: there is no config \"" STR_FMT
                              "\" in this workspace.",
                              STR_ARG(str_head(header, 100)));
        return status == ST_OK ? STEP_NEXT
                               : req_refuse(req, status, "%s", status_row(status)->text);
    }
    if (!key_has_one) {
        const struct cat_workspace *workspace = workspace_of(req);
        struct id id = workspace == NULL ? ID_NONE : workspace->default_config;
        if (default_config(req, &id, plan) != ST_OK)
            *plan = STR_NONE;
    }
    return STEP_NEXT;
}

/* --- what conditions see --- */

/* All metadata as one object, as policies see them one by one. */
static enum status read_metadata(struct req *req, struct str *metadata)
{
    struct str layers[METADATA_LAYERS];
    metadata_layers(req, workspace_of(req), layers);
    *metadata = STR_NONE;
    for (size_t i = METADATA_LAYERS; i-- > 0;) {
        struct buf merged;
        if (layers[i].n == 0)
            continue;
        if (metadata->n == 0) {
            *metadata = arena_str(&req->arena, layers[i]);
            continue;
        }
        buf_init(&merged, REQ_ARENA_MAX);
        enum status status = json_merge(&req->arena, &merged, *metadata, layers[i]);
        *metadata = arena_str(&req->arena, buf_str(&merged));
        buf_free(&merged);
        TRY(status);
    }
    return ST_OK;
}

static enum status read_inputs(struct req *req, struct route_inputs *inputs)
{
    bool json = req->surface == REQ_SURFACE_OP && op_row(req->op)->body == OP_BODY_JSON;
    *inputs = (struct route_inputs){.params = json ? buf_str(&req->body.mem) : STR_NONE,
                                    .pathname = req->head->path};
    return read_metadata(req, &inputs->metadata);
}

/* --- provider and model --- */

static struct str plain_slug(struct str value)
{
    return value.n > 0 && value.p[0] == '@' ? str_from(value, 1) : value;
}

/* "defaults":{"provider":"@slug"} of the key. */
static struct str default_provider(struct req *req)
{
    struct str raw = json_member(req->auth.defaults_json, "provider", JSON_STRING), text;
    char *room = raw.p == NULL ? NULL : arena_alloc(&req->arena, raw.n);
    return room != NULL && json_unescape(raw, room, &text) == ST_OK ? plain_slug(text) : STR_NONE;
}

static enum step_result body_model(struct req *req, struct str *model)
{
    const struct json_field *field = &req->body.model;
    *model = req->path_model;
    if (field->raw.p == NULL || model->n > 0)
        return STEP_NEXT;
    if (op_row(req->op)->body == OP_BODY_MULTIPART) {
        *model = arena_str(&req->arena, field->raw);
        return STEP_NEXT;
    }
    char *room = arena_alloc(&req->arena, field->raw.n);
    struct str text;
    if (room == NULL || json_unescape(field->raw, room, &text) != ST_OK)
        return req_refuse(req, ST_INVALID, "model: the string cannot be read.");
    *model = arena_str(&req->arena, text);
    return STEP_NEXT;
}

bool req_needs_model(const struct req *req)
{
    switch (req->op) {
    case OP_FILES_UPLOAD:
    case OP_BATCHES_CREATE:
    case OP_MODERATIONS:
    case OP_IMAGES_GENERATIONS:
    case OP_IMAGES_EDITS:
        return false; /* the provider has a default of its own, or none is named */
    default:
        return req->surface == REQ_SURFACE_OP && op_row(req->op)->body != OP_BODY_NONE;
    }
}

static struct str header_provider(const struct req *req)
{
    struct str header = plain_slug(http_head_get(req->head, STR("x-portkey-provider")));
    return header.n > 0 ? header
                        : plain_slug(http_head_get(req->head, STR("x-portkey-virtual-key")));
}

void req_target_names(const struct req *req, size_t leaf, struct str *provider, struct str *model)
{
    const struct route_plan *plan = &req->attempts.plan;
    const struct route_node *node = plan->head == NULL ? NULL : &plan->nodes[leaf];
    struct str header = header_provider(req), slug, rest;
    bool is_target = node != NULL && node->parent != ROUTE_NONE && node->provider.len > 0;
    *provider = node == NULL ? STR_NONE : route_str(plan, node->provider);
    if (header.n > 0 && !is_target)
        *provider = header;
    *model = req->asked_model;
    bool overridden = node != NULL && node->model.len > 0;
    if (overridden)
        *model = route_str(plan, node->model);
    if (req_split_model(*model, &slug, &rest)) {
        if (!is_target || overridden)
            *provider = slug;
        *model = rest;
    }
    if (provider->n == 0)
        *provider = req->default_provider;
}

static enum step_result refuse_keys(struct req *req, struct str at, const char *key,
                                    const char *remedy)
{
    return req_refuse(req, ST_UNPROCESSABLE, STR_FMT ".%s: not supported here; %s.", STR_ARG(at),
                      key, remedy);
}

enum step_result req_fill_target(struct req *req)
{
    const struct route_plan *plan = &req->attempts.plan;
    const struct route_node *node = attempts_node(req);
    struct req_target *target = &req->target;
    *target = (struct req_target){.index = STR("config")};
    req_target_names(req, req->attempts.leaf, &target->provider, &target->model);
    if (node != NULL) {
        target->index = route_str(plan, node->path);
        target->override_json = route_str(plan, node->set.override_params);
        if ((node->flags & ROUTE_HAS_CREDENTIALS) != 0)
            return refuse_keys(req, target->index, "api_key",
                               "keep the credential in an integration and name its provider");
        if (node->set.custom_host.len > 0)
            return refuse_keys(req, target->index, "custom_host",
                               "a stored credential goes to its integration's own host only");
    }
    if (target->model.n == 0 && target->provider.n == 0 && req_needs_model(req))
        return req_refuse(req, ST_NO_MODEL,
                          "model: required. Name it as \"@provider-slug/model\".");
    if (target->provider.n == 0 && req->surface == REQ_SURFACE_PASSTHROUGH)
        return req_refuse(req, ST_NO_ROUTE,
                          "There is no endpoint /v1" STR_FMT ". To pass it through, name a "
                          "provider in x-portkey-provider.",
                          STR_ARG(str_head(req->path, 100)));
    if (target->provider.n == 0)
        return plan_refuse_no_provider(req, target->model);
    return STEP_NEXT;
}

static enum step_result plan(struct req *req)
{
    struct str bytes = STR_NONE, why = STR_NONE;
    struct route_inputs inputs;
    enum step_result result = choose_config(req, &bytes);
    if (result == STEP_NEXT)
        result = body_model(req, &req->asked_model);
    if (result != STEP_NEXT)
        return result;
    req->default_provider = default_provider(req);
    req->attempts = (struct attempts){.leaf = 0};
    if (bytes.n > 0) {
        enum status status = read_inputs(req, &inputs);
        if (status == ST_OK)
            status = attempts_begin(req, bytes, &inputs, &why);
        if (status != ST_OK && why.n > 0)
            return req_refuse(req, status, STR_FMT, STR_ARG(str_head(why, 400)));
        if (status != ST_OK)
            return req_refuse(req, status, "%s", status_row(status)->text);
    }
    /* With several targets, what is wrong with one is no reason to refuse here. */
    bool only_one = bytes.n == 0 || req->attempts.plan.head->nodes == 1;
    return only_one ? req_fill_target(req) : STEP_NEXT;
}

enum step_result req_step_plan(struct req *req)
{
    if (req->surface == REQ_SURFACE_RELAY || req->surface == REQ_SURFACE_MODELS)
        return STEP_NEXT;
    enum status status = catalog_begin(req->worker->catalog);
    if (status != ST_OK)
        return req_refuse(req, status, "%s", status_row(status)->text);
    bool moved = catalog_revision(req->worker->catalog) != req->auth.revision;
    enum step_result result = moved ? STEP_WAIT : plan(req);
    catalog_end(req->worker->catalog);
    if (!moved)
        return result;
    result = req_step_authenticate(req); /* the catalog changed while the body arrived */
    return result == STEP_NEXT ? req_step_plan(req) : result;
}
