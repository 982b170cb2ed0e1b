/* step_plan.c: where does it go? From the request, the key and the workspace to an ordered list of targets.
 *
 * Documents: the request's config (if the key lets it override), else the key's default, else the workspace's. Within one request the later
 * says more: config < headers < body; but a config's override_params.model replaces the body's model, as its name says. A string
 * "@slug/model" names the provider wherever it stands. Everything is copied into the arena before the catalog read ends.
 */
#include "data-plane/route_config.h"
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

/* --- configs ------------------------------------------------------------------------------------------------------------ */

static enum status copy_config(struct req *req, const struct str *record, struct str *document)
{
    const struct cat_config *config = CAT_AS(*record, SLUICE__KIND__KIND_CONFIG, cat_config);
    if (config == NULL || config->status != SLUICE__STATUS__STATUS_ACTIVE)
        return ST_NOT_FOUND;
    char text[ID_TEXT + 1];
    struct id id = config->head.id;
    id_to_text(&id, text);
    req->config = arena_str(&req->arena, cat_str(&config->head, config->slug));
    req->config_id = arena_str(&req->arena, str_of(text, ID_TEXT));
    *document = arena_str(&req->arena, cat_str(&config->head, config->document_json));
    return document->p == NULL || req->config_id.p == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status find_config(struct req *req, struct str name, struct str *document)
{
    struct str record;
    struct id id;
    if (id_from_text(name, &id) == ST_OK)
        TRY(catalog_get(req->worker->catalog, SLUICE__KIND__KIND_CONFIG, &req->auth.org, &req->auth.workspace, &id, &record));
    else
        TRY(catalog_find(req->worker->catalog, SLUICE__KIND__KIND_CONFIG, &req->auth.org, &req->auth.workspace, name, &record));
    return copy_config(req, &record, document);
}

static enum status default_config(struct req *req, const struct id *id, struct str *document)
{
    struct str record;
    if (id_is_none(id))
        return ST_NOT_FOUND;
    TRY(catalog_get(req->worker->catalog, SLUICE__KIND__KIND_CONFIG, &req->auth.org, &req->auth.workspace, id, &record));
    return copy_config(req, &record, document);
}

static struct id workspace_default(struct req *req)
{
    struct str record;
    struct id none = ID_NONE;
    if (catalog_get(req->worker->catalog, SLUICE__KIND__KIND_WORKSPACE, &req->auth.org, &none, &req->auth.workspace, &record) != ST_OK)
        return none;
    const struct cat_workspace *workspace = CAT_AS(record, SLUICE__KIND__KIND_WORKSPACE, cat_workspace);
    return workspace == NULL ? none : workspace->default_config;
}

static enum step_result choose_config(struct req *req, struct str *document)
{
    struct str header = http_head_get(req->head, STR("x-portkey-config"));
    enum status status = default_config(req, &req->auth.default_config, document);
    bool key_has_one = status == ST_OK;
    if (header.n > 0) {
        if (key_has_one && req->auth.config_override == 2)
            return req_refuse(req, ST_FORBIDDEN,
                              "x-portkey-config: this API key has a default config that may not be overridden.");
        if (header.p[0] == '{') {
            req->config = req->config_id = STR_NONE;
            *document = header;
            return STEP_NEXT;
        }
        status = find_config(req, header, document);
        if (status == ST_NOT_FOUND)
            return req_refuse(req, ST_NOT_FOUND, "x-portkey-config: there is no config \"" STR_FMT "\" in this workspace.",
                              STR_ARG(str_head(header, 100)));
        return status == ST_OK ? STEP_NEXT : req_refuse(req, status, "%s", status_row(status)->text);
    }
    if (!key_has_one) {
        struct id id = workspace_default(req);
        if (default_config(req, &id, document) != ST_OK)
            *document = STR_NONE;
    }
    return STEP_NEXT;
}

/* --- provider and model -------------------------------------------------------------------------------------------------- */

static struct str plain_slug(struct str value)
{
    return value.n > 0 && value.p[0] == '@' ? str_from(value, 1) : value;
}

/* "defaults":{"provider":"@slug"} of the key. */
static struct str default_provider(struct req *req)
{
    struct json_field field = {.name = "provider"};
    struct str text;
    if (req->auth.defaults_json.n == 0 || json_scan_object(req->auth.defaults_json, &field, 1, NULL) != ST_OK ||
        field.raw.p == NULL || field.type != JSON_STRING)
        return STR_NONE;
    char *room = arena_alloc(&req->arena, field.raw.n);
    return room != NULL && json_unescape(field.raw, room, &text) == ST_OK ? plain_slug(text) : STR_NONE;
}

static enum step_result body_model(struct req *req, struct str *model)
{
    const struct json_field *field = &req->body.model;
    *model = STR_NONE;
    if (field->raw.p == NULL)
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

static bool needs_model(const struct req *req)
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

static enum step_result fill_target(struct req *req, const struct route_leaf *leaf, struct req_target *target)
{
    struct str model, slug, rest;
    enum step_result result = body_model(req, &model);
    if (result != STEP_NEXT)
        return result;
    struct str header = plain_slug(http_head_get(req->head, STR("x-portkey-provider")));
    if (header.n == 0)
        header = plain_slug(http_head_get(req->head, STR("x-portkey-virtual-key")));
    target->provider = leaf->provider.n > 0 ? leaf->provider : STR_NONE;
    if (header.n > 0)
        target->provider = arena_str(&req->arena, header);
    if (leaf->model.n > 0)
        model = leaf->model;
    if (req_split_model(model, &slug, &rest)) {
        target->provider = slug;
        model = rest;
    }
    target->model = model;
    target->override_json = leaf->override_json;
    target->index = leaf->index.n > 0 ? leaf->index : STR("config");
    if (target->provider.n == 0)
        target->provider = default_provider(req);
    if (target->model.n == 0 && needs_model(req))
        return req_refuse(req, ST_NO_MODEL, "model: required. Name it as \"@provider-slug/model\".");
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
    struct str document = STR_NONE, why;
    struct route_leaf leaf = {.index = STR_NONE};
    enum step_result result = choose_config(req, &document);
    if (result != STEP_NEXT)
        return result;
    if (document.n > 0) {
        enum status status = route_config_read(&req->arena, document, &leaf, &why);
        if (status != ST_OK)
            return req_refuse(req, status, STR_FMT, STR_ARG(status == ST_INVALID ? why : str_c(status_row(status)->text)));
    }
    req->targets = arena_calloc(&req->arena, 1, sizeof *req->targets);
    if (req->targets == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    req->target_count = 1;
    return fill_target(req, &leaf, &req->targets[0]);
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
