/* step_read_body.c: the request body, whole (JSON) or as far as the model field (uploads).
 *
 * Bounded twice: one body by json_body_max / upload_max, all bodies of a worker together by body_budget. JSON is validated here in
 * one pass that also finds the few members the gateway reads; nothing is rewritten yet. An upload that names its model early, or needs
 * none, goes on while it still arrives (body.streaming): the rest flows to the provider at the provider's pace.
 */
#include "data-plane/worker/batch_rows.h"
#include "data-plane/worker/multipart.h"
#include "data-plane/worker/req.h"

#define STREAM_PENDING_MAX (256u * 1024u)

static uint64_t param(const struct req *req, enum param which)
{
    return params_u64(req->worker->params, which);
}

static bool charge(struct req *req)
{
    size_t held = req->body.mem.room_bytes + req->body.original.room_bytes +
                  (req->body.rows != NULL ? req->body.rows->row.room_bytes : 0);
    struct worker *worker = req->worker;
    if (held > req->body.charged && worker->body_bytes + held - req->body.charged > param(req, PARAM_BODY_BUDGET))
        return false;
    worker->body_bytes = worker->body_bytes - req->body.charged + held;
    req->body.charged = held;
    return true;
}

/* A second model behind the one that was decided on must not reach the provider whole. */
static enum status watch_model(struct req_body *body, struct str bytes)
{
    return body->watch == NULL ? ST_OK : multipart_watch_feed(body->watch, bytes, body->boundary, STR("model"));
}

size_t req_body_take(struct req *req, const char *p, size_t n)
{
    struct req_body *body = &req->body;
    if (req->finished)
        return n;
    if (body->streaming) {
        /* Until the exchange has begun, the steps hold spans into mem: nothing may move it. */
        if (req->attempt.exchange == NULL || body->mem.n - body->read_at >= STREAM_PENDING_MAX)
            return 0;
        if (body->read_at >= body->mem.n - body->read_at) { /* moves no more than it frees */
            buf_drop_front(&body->mem, body->read_at);
            body->read_at = 0;
        }
    }
    buf_add(&body->mem, p, n);
    enum status status = buf_status(&body->mem);
    if (status == ST_OK && body->rows != NULL && !req_rows_take(req, str_of(p, n), false))
        status = req->refused;
    if (status == ST_OK && !charge(req))
        status = ST_OVERLOADED;
    if (status == ST_OK)
        status = watch_model(body, str_of(p, n));
    if (status != ST_OK) {
        req_body_failed(req, status);
        return n;
    }
    if (body->streaming)
        upstream_resume(req->attempt.exchange);
    else if (body->boundary.n > 0)
        req_run(req);
    return n;
}

static enum step_result scan_json(struct req *req)
{
    struct req_body *body = &req->body;
    struct json_field fields[] = {{.name = "model"}, {.name = "stream"}, {.name = "stream_options"},
                                  {.name = "max_tokens"}, {.name = "n"}};
    struct json_error error = {0, "not a JSON object"};
    enum status status = json_scan_object(buf_str(&body->mem), fields, COUNT_OF(fields), &error);
    if (status != ST_OK)
        return req_refuse(req, status == ST_TOO_LARGE ? ST_TOO_LARGE : ST_BAD_JSON,
                          "The request body is not a valid JSON object: %s at byte %zu.", error.what, error.at);
    body->model = fields[0];
    body->stream = fields[1];
    body->stream_options = fields[2];
    body->max_tokens = fields[3];
    body->n = fields[4];
    if (body->model.raw.p != NULL && body->model.type != JSON_STRING)
        return req_refuse(req, ST_INVALID, "model: must be a string.");
    if (body->stream.raw.p != NULL && body->stream.type != JSON_TRUE && body->stream.type != JSON_FALSE &&
        body->stream.type != JSON_NULL)
        return req_refuse(req, ST_INVALID, "stream: must be true or false.");
    body->is_stream = body->stream.raw.p != NULL && body->stream.type == JSON_TRUE;
    struct json_field usage = {.name = "include_usage"};
    if (body->stream_options.raw.p != NULL && body->stream_options.type == JSON_OBJECT &&
        json_scan_object(body->stream_options.raw, &usage, 1, NULL) == ST_OK)
        body->wants_usage = usage.raw.p != NULL && usage.type == JSON_TRUE;
    return STEP_NEXT;
}

enum step_result req_body_replace(struct req *req, struct str text)
{
    struct req_body *body = &req->body;
    struct str copy = arena_str(&req->arena, text);
    if (copy.p == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    req->chat = NULL;
    if (body->original.n == 0 && attempts_may_follow(req)) {
        body->original = body->mem;
        buf_init(&body->mem, (size_t)param(req, PARAM_JSON_BODY_MAX));
    }
    buf_clear(&body->mem);
    buf_add_str(&body->mem, copy);
    if (buf_status(&body->mem) != ST_OK || !charge(req))
        return req_refuse(req, ST_TOO_LARGE, "The request body with the config's override_params is too large.");
    return scan_json(req);
}

enum step_result req_body_restore(struct req *req)
{
    struct req_body *body = &req->body;
    if (body->original.n == 0)
        return STEP_NEXT;
    buf_free(&body->mem);
    body->mem = body->original;
    body->original = (struct buf){.n = 0};
    req->chat = NULL;
    (void)charge(req); /* it is less than before */
    return scan_json(req);
}

static bool is_json_type(struct str type)
{
    struct str rest = type, media;
    if (type.n == 0 || !str_split(&rest, ';', &media))
        return true;
    media = str_trim(media);
    return str_eq_nocase(media, STR("application/json")) || str_ends(media, STR("+json")) ||
           str_eq_nocase(media, STR("text/plain"));
}

static enum step_result check_head(struct req *req)
{
    enum op_body kind = op_row(req->op)->body;
    struct str type = http_head_get(req->head, STR("content-type"));
    if (kind == OP_BODY_JSON && !is_json_type(type))
        return req_refuse(req, ST_CONTENT_TYPE, "content-type: this endpoint takes application/json, not " STR_FMT ".",
                          STR_ARG(str_head(type, 80)));
    if (kind == OP_BODY_MULTIPART && multipart_boundary(type, &req->body.boundary) != ST_OK)
        return req_refuse(req, ST_CONTENT_TYPE,
                          "content-type: this endpoint takes multipart/form-data with a boundary of 1 to 70 characters.");
    uint64_t max = kind == OP_BODY_JSON ? param(req, PARAM_JSON_BODY_MAX) : param(req, PARAM_UPLOAD_MAX);
    if (req->head->content_length > 0 && (uint64_t)req->head->content_length > max)
        return req_refuse(req, ST_TOO_LARGE, "The request body has %lld bytes; at most %llu are taken here.",
                          (long long)req->head->content_length, (unsigned long long)max);
    if (kind == OP_BODY_JSON && !req->head->has_body)
        return req_refuse(req, ST_BAD_JSON, "The request has no body; a JSON object is expected.");
    return STEP_NEXT;
}

/* The model field of an upload, as soon as it is here. */
static enum step_result search_model(struct req *req)
{
    struct req_body *body = &req->body;
    struct str value;
    if (req->op == OP_FILES_UPLOAD) {
        body->streaming = !body->complete;
        return STEP_NEXT;
    }
    enum status status = multipart_find(buf_str(&body->mem), body->boundary, STR("model"), &body->searched, &value);
    if (status == ST_AGAIN && !body->complete)
        return STEP_WAIT;
    if (status == ST_INVALID || status == ST_AGAIN)
        return req_refuse(req, ST_INVALID, "The multipart body is malformed or ends early.");
    if (status == ST_OK) {
        body->watch = arena_alloc(&req->arena, sizeof *body->watch);
        if (body->watch == NULL)
            return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
        struct str rest = str_from(buf_str(&body->mem), body->searched);
        if (multipart_watch_begin(body->watch, rest, body->boundary, STR("model")) != ST_OK ||
            (body->complete && multipart_watch_end(body->watch) != ST_OK))
            return req_refuse(req, ST_INVALID, "The multipart body is malformed or gives model twice.");
        body->model = (struct json_field){.name = "model", .raw = value, .type = JSON_STRING};
        body->streaming = !body->complete;
    }
    return STEP_NEXT;
}

enum step_result req_step_read_body(struct req *req)
{
    struct req_body *body = &req->body;
    if (req->surface == REQ_SURFACE_RELAY || req->surface == REQ_SURFACE_PASSTHROUGH) {
        body->streaming = true;
        return STEP_NEXT;
    }
    enum op_body kind = req->surface == REQ_SURFACE_OP ? op_row(req->op)->body : OP_BODY_NONE;
    if (kind == OP_BODY_NONE)
        return STEP_NEXT;
    if (!body->started) {
        enum step_result result = check_head(req);
        if (result != STEP_NEXT)
            return result;
        body->started = true;
        if (kind == OP_BODY_JSON && req->head->content_length > 0 &&
            buf_reserve(&body->mem, (size_t)req->head->content_length) != ST_OK)
            return req_refuse(req, ST_OVERLOADED, "There is no memory for this request body.");
        conn_body_start(req->conn);
        if (req->finished)
            return STEP_DONE;
    }
    if (kind == OP_BODY_MULTIPART)
        return search_model(req);
    return body->complete ? scan_json(req) : STEP_WAIT;
}
