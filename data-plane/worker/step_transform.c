/* step_transform.c: the caller's body as the target takes it: scan and splice, never re-serialised.
 *
 *   "model": "@slug/name"      -> the upstream's own name
 *   stream without usage asked -> stream_options.include_usage is added (hidden again on the way back: step_exchange.c)
 *
 *   override_params of a config -> laid over the body (json_merge.h), for this attempt
 *   what the provider's row renames -> row_rules.c
 *
 * Everything else comes out byte for byte as it went in. Where one edit makes the text shorter and no other target may need the original,
 * the text in front of it is moved up in place; otherwise a new text is built in the arena.
 */
#include "common/json_merge.h"
#include "common/json_write.h"
#include "data-plane/worker/edits.h"
#include "data-plane/worker/row_rules.h"
#include "data-plane/worker/translate.h"

static bool apply(struct req *req, const struct edits *edits, struct str *out)
{
    struct str text = buf_str(&req->body.mem);
    const struct edit *only = &edits->items[0];
    if (edits->count == 1 && only->with.n <= only->cut && !attempts_may_follow(req) && !req->body.streaming) {
        size_t shorter = only->cut - only->with.n;
        memmove(req->body.mem.p + shorter, req->body.mem.p, only->at);
        memcpy(req->body.mem.p + only->at + shorter, only->with.p, only->with.n);
        *out = str_from(text, shorter);
        return true;
    }
    return edits_apply(edits, text, out) == ST_OK;
}

static struct str quoted(struct req *req, struct str text)
{
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, 4096);
    jw_init(&w, &buf);
    jw_str(&w, text);
    struct str out = buf_status(&buf) == ST_OK ? arena_str(&req->arena, buf_str(&buf)) : STR_NONE;
    buf_free(&buf);
    return out;
}

/* Chat and completions streams report usage only if asked; the ledger always asks. */
static void ask_for_usage(struct req *req, struct edits *edits)
{
    struct req_body *body = &req->body;
    bool asks = (req->op == OP_CHAT || req->op == OP_COMPLETIONS) && body->is_stream && !body->wants_usage &&
                !req->attempt.no_stream_options;
    if (!asks)
        return;
    const struct json_field *options = &body->stream_options;
    size_t base = 0;
    struct str with = STR("{\"include_usage\":true}");
    req->attempt.hide_usage = true;
    if (options->raw.p == NULL) {
        base = (size_t)(body->stream.member.p - body->mem.p);
        edits_add(edits, base, 0, STR("\"stream_options\":{\"include_usage\":true},"));
        return;
    }
    base = (size_t)(options->raw.p - body->mem.p);
    struct json_field usage = {.name = "include_usage"};
    if (options->type == JSON_OBJECT && json_scan_object(options->raw, &usage, 1, NULL) == ST_OK) {
        if (usage.raw.p != NULL)
            edits_add(edits, (size_t)(usage.raw.p - body->mem.p), usage.raw.n, STR("true"));
        else if (options->raw.n > 2 && memchr(options->raw.p, '"', options->raw.n) != NULL)
            edits_add(edits, base + 1, 0, STR("\"include_usage\":true,"));
        else
            edits_add(edits, base, options->raw.n, with);
        return;
    }
    edits_add(edits, base, options->raw.n, with);
}

/* False: the document says nothing beyond the model, which the plan has used already. */
static bool has_overrides(struct str override_json)
{
    struct str name, value;
    enum json_type type;
    size_t at = 0;
    while (json_scan_next(override_json, &at, &name, &value, &type))
        if (!str_eq(name, STR("\"model\"")))
            return true;
    return false;
}

enum step_result req_apply_overrides(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct str over = attempt->target->override_json;
    bool json = req->surface == REQ_SURFACE_OP && op_row(req->op)->body == OP_BODY_JSON;
    if (!json || attempt->overridden || !has_overrides(over))
        return STEP_NEXT;
    struct buf merged;
    buf_init(&merged, (size_t)params_u64(req->worker->params, PARAM_JSON_BODY_MAX));
    enum status status = json_merge(&req->arena, &merged, buf_str(&req->body.mem), over);
    enum step_result result =
        status == ST_OK ? req_body_replace(req, buf_str(&merged))
                        : req_refuse(req, status,
                                     "The request body with the config's override_params is too large.");
    attempt->overridden = status == ST_OK;
    buf_free(&merged);
    return result;
}

/* Clients that count tokens themselves send those unless they are told not to. */
static enum step_result refuse_tokens(struct req *req)
{
    return req_refuse(req, ST_INVALID,
                      "input: provider @" STR_FMT " (" STR_FMT ") takes text, not tokens. Send strings; LangChain for Python does with "
                      "OpenAIEmbeddings(check_embedding_ctx_length=False).",
                      STR_ARG(req->attempt.provider_slug), STR_ARG(req->attempt.type_slug));
}

/* A member in front of all others. False: no memory. */
static bool insert_member(struct req *req, struct edits *edits, struct str member)
{
    struct str text = buf_str(&req->body.mem);
    size_t open = (size_t)str_find_char(text, '{') + 1;
    bool empty = str_trim(str_from(text, open)).p[0] == '}';
    struct str with = arena_printf(&req->arena, STR_FMT "%s", STR_ARG(member), empty ? "" : ",");
    if (with.p != NULL)
        edits_add(edits, open, 0, with);
    return with.p != NULL;
}

/* The body's model is what the provider calls it. */
static bool place_model(struct req *req, struct edits *edits, bool json)
{
    const struct req_body *body = &req->body;
    struct str model = req->attempt.upstream_model, with = json ? quoted(req, model) : model;
    if (body->model.raw.p == NULL) {
        struct str member = arena_printf(&req->arena, "\"model\":" STR_FMT, STR_ARG(with));
        return !json || model.n == 0 || (with.p != NULL && member.p != NULL && insert_member(req, edits, member));
    }
    if (with.p != NULL && !str_eq(with, body->model.raw))
        edits_add(edits, (size_t)(body->model.raw.p - body->mem.p), body->model.raw.n, with);
    return with.p != NULL;
}

/* The address names the model: what stands in its place in the body (back.model_member), unless the
 * caller has it there. Token counts have one address for all models, so they keep theirs. */
static bool place_member(struct req *req, struct edits *edits)
{
    const struct req_body *body = &req->body;
    struct str with = str_c(req->attempt.back->model_member);
    struct str name = str_head(str_from(with, 1), (size_t)str_find_char(str_from(with, 1), '"'));
    struct json_field own = {.name = arena_cstr(&req->arena, name)};
    if (own.name == NULL)
        return false;
    bool there = json_scan_object(buf_str(&body->mem), &own, 1, NULL) == ST_OK && own.raw.p != NULL;
    if (req->op == OP_COUNT_TOKENS)
        return place_model(req, edits, true) && (there || insert_member(req, edits, with));
    if (body->model.raw.p == NULL)
        return there || insert_member(req, edits, with);
    if (there)
        edits_cut_member(edits, buf_str(&body->mem), body->model.member);
    else
        edits_add(edits, (size_t)(body->model.member.p - body->mem.p), body->model.member.n, with);
    return true;
}

enum step_result req_step_transform(struct req *req)
{
    struct req_body *body = &req->body;
    struct req_attempt *attempt = &req->attempt;
    struct edits edits;
    if (attempt->call != NULL && attempt->call->chat != NULL)
        return translate_request(req); /* it waited for what its parts name */
    attempt->body = buf_str(&body->mem);
    edits_init(&edits, &req->arena);
    if (req->surface != REQ_SURFACE_OP || op_row(req->op)->body == OP_BODY_NONE)
        return STEP_NEXT;
    bool json = op_row(req->op)->body == OP_BODY_JSON;
    if (attempt->call != NULL)
        return translate_request(req);
    if (req->op == OP_EMBEDDINGS && attempt->text_embeddings && !attempt->foreign && row_rules_has_tokens(attempt->body))
        return refuse_tokens(req);
    bool placed = json && attempt->back != NULL && attempt->back->model_member != NULL
                      ? place_member(req, &edits)
                      : place_model(req, &edits, json);
    if (!placed)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    if (json)
        ask_for_usage(req, &edits);
    if (req->op == OP_CHAT && !attempt->foreign)
        row_rules_apply(&(struct row_rules){attempt->renames, attempt->developer_to_system}, attempt->body, &edits);
    if (edits.count > 0 && !apply(req, &edits, &attempt->body))
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory for the changed request body.");
    return STEP_NEXT;
}
