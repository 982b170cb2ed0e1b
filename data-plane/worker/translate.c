/* translate.c: see translate.h.
 *
 *   HOLD    nothing goes out: an error in front of the content is still an HTTP error
 *   FLOW    a stream: what the engine wrote goes out as it comes
 *   ENDED   a whole answer, or the end of a stream
 *   FAILED  the provider's error: an HTTP error, or the stream's last event
 *
 * The request is parsed once, however many attempts it makes. Invariants: the usage that is settled
 * is the one the caller was shown; an answer that broke off never ends like a whole one. Never: a
 * word about one provider here.
 */
#include "data-plane/worker/translate.h"

#include "common/clock.h"
#include "data-plane/dialect/count.h"
#include "data-plane/dialect/simple.h"
#include "data-plane/worker/media_fetch.h"
#include "data-plane/worker/cost_words.h"
#include "data-plane/worker/reply.h"

/* --- the way out */

/* The path of an operation that needs no translation; n = 0: there is none. A service elsewhere that
 * speaks a dialect has that dialect's own paths, whatever the row of its provider says. */
static struct str native_path(const struct req *req, const struct str row_paths[OP_COUNT],
                              const struct back *back)
{
    const struct req_attempt *attempt = &req->attempt;
    bool native = back != NULL && (back->native & OP_BIT(req->op)) != 0;
    if (attempt->foreign)
        return native ? str_c(op_row(req->op)->path) : STR_NONE;
    return native || attempt->dialect == CAT_DIALECT_OPENAI ? row_paths[req->op] : STR_NONE;
}

static enum status new_call(struct req *req, const struct front *front, const struct back *back)
{
    struct req_attempt *attempt = &req->attempt;
    struct dialect_call *call = arena_alloc(&req->arena, sizeof *call);
    char id[ID_TEXT + 1];
    if (call == NULL)
        return ST_NO_MEMORY;
    enum status status = dialect_begin(call, &req->arena, front, back, &attempt->facts);
    attempt->call = call;
    id_to_text(&req->id, id);
    call->answer_id = arena_str(&req->arena, str_of(id, ID_TEXT));
    call->created_s = clock_utc_ms() / 1000;
    struct str strict = http_head_get(req->head, STR("x-portkey-strict-open-ai-compliance"));
    const struct route_node *node = attempts_node(req);
    bool off = node != NULL && node->set.strict == ROUTE_OFF;
    call->extras = strict.n > 0 ? str_eq(strict, STR("false")) : off;
    return status == ST_OK && call->answer_id.p == NULL ? ST_NO_MEMORY : status;
}

static enum step_result begin_call(struct req *req, const struct front *front,
                                   const struct back *back)
{
    enum status status = new_call(req, front, back);
    return status == ST_OK ? STEP_NEXT : req_refuse(req, status, "Not enough memory.");
}

/* What the row says of the operation, or what a service of this dialect has. */
static struct str row_of(const struct req *req, const struct str row_paths[OP_COUNT],
                         const struct back *back, const struct simple_op *op)
{
    struct str row = req->attempt.foreign ? STR("") : row_paths[op == NULL ? back->via : req->op];
    if (req->attempt.foreign || (op != NULL && row.n == 0))
        row = str_c(op == NULL ? back->default_path : op->default_path);
    return row;
}

/* The back's path, from the row's. */
static enum step_result make_path(struct req *req, const struct back *back,
                                  const struct simple_op *op, struct str row, struct str *path)
{
    struct req_attempt *attempt = &req->attempt;
    struct buf text;
    enum status status = ST_OK;
    buf_init(&text, 4096);
    if (op != NULL && op->path != NULL)
        status = op->path(&attempt->facts, row, &text);
    else if (op == NULL && back->path != NULL)
        status = back->path(&attempt->facts, row, req->body.is_stream, &text);
    else
        buf_add_str(&text, row);
    if (status == ST_OK)
        status = buf_status(&text);
    if (status == ST_OK)
        *path = arena_str(&req->arena, buf_str(&text));
    buf_free(&text);
    return status == ST_OK && path->p != NULL
               ? STEP_NEXT
               : req_refuse(req, status == ST_OK ? ST_NO_MEMORY : status,
                            "The address of this model at provider @" STR_FMT
                            " cannot be built: its name, or the integration's configuration, has "
                            "something that does not belong there.",
                            STR_ARG(attempt->provider_slug));
}

enum step_result translate_route(struct req *req, const struct str row_paths[OP_COUNT],
                                 struct str *path)
{
    struct req_attempt *attempt = &req->attempt;
    const struct back *back = dialect_back(attempt->dialect);
    const struct front *front = dialect_front(req->op);
    attempt->facts = (struct dialect_target){.op = req->op,
                                             .full_model = attempt->upstream_model,
                                             .provider = attempt->provider_slug,
                                             .service = attempt->type_slug,
                                             .model = attempt->upstream_model,
                                             .base_model = attempt->base_model,
                                             .max_output_tokens = attempt->max_output_tokens,
                                             .capabilities = attempt->capabilities,
                                             .api_version = attempt->api_version,
                                             .configurations_json = attempt->configurations_json};
    if (!attempt->foreign) {
        attempt->facts.renames = attempt->renames;
        attempt->facts.stream_usage_path = attempt->stream_usage_path;
        attempt->facts.no_stream_options = attempt->no_stream_options;
    }
    if (back != NULL && back->choose != NULL) {
        back = back->choose(&req->arena, &attempt->facts);
        attempt->upstream_model = attempt->facts.model;
        attempt->no_stream_options = attempt->no_stream_options || back->no_stream_options;
    }
    attempt->back = back;
    bool native = back != NULL && (back->native & OP_BIT(req->op)) != 0;
    if (native && back->path != NULL)
        return make_path(req, back, NULL, row_of(req, row_paths, back, NULL), path);
    *path = native_path(req, row_paths, back);
    if (path->n > 0)
        return back == NULL || back->path == NULL ? STEP_NEXT
                                                  : make_path(req, back, NULL, *path, path);
    if (back == NULL || front == NULL)
        return STEP_NEXT;
    const struct simple_op *op = front->simple == NULL ? NULL : simple_find(back, req->op);
    if (front->simple != NULL && op == NULL)
        return STEP_NEXT;
    struct str row = row_of(req, row_paths, back, op);
    if (row.n == 0)
        return STEP_NEXT;
    enum step_result result = begin_call(req, front, back);
    return result == STEP_NEXT ? make_path(req, back, op, row, path) : result;
}

/* {"input_tokens": n} by our own rule: nothing is sent, nothing is charged. */
static enum step_result answer_count(struct req *req)
{
    struct str body = arena_printf(&req->arena, "{\"input_tokens\":%llu}",
                                   (unsigned long long)count_estimate(req->chat));
    if (body.p == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    req->estimated = true;
    req_answer_json(req, 200, body);
    return STEP_DONE;
}

enum step_result translate_read(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    enum status status = ST_OK;
    if (req->chat == NULL)
        status = dialect_read(call, buf_str(&req->body.mem), &req->chat);
    call->chat = req->chat;
    return status == ST_OK ? STEP_NEXT : req_refuse(req, status, "%s", call->reason);
}

enum step_result translate_request(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    enum step_result result = translate_read(req);
    if (result != STEP_NEXT)
        return result;
    if (call->front->event == NULL && call->op == NULL)
        return answer_count(req);
    result = call->op != NULL ? STEP_NEXT : media_fetch(req);
    if (result != STEP_NEXT)
        return result;
    enum status status = dialect_write(call, &req->attempt.body);
    return status == ST_OK ? STEP_NEXT : req_refuse(req, status, "%s", call->reason);
}

void translate_free(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    if (attempt->call == NULL)
        return;
    req->worker->body_bytes -= attempt->call_bytes;
    attempt->call_bytes = 0;
    dialect_free(attempt->call);
    attempt->call = NULL;
}

/* --- the way back */

/* The caller gets other ones than the provider's. */
static void drop_type(struct req_attempt *attempt)
{
    size_t kept = 0;
    for (size_t i = 0; i < attempt->reply_header_count; i++)
        if (!translate_replaces(attempt->reply_headers[i].name))
            attempt->reply_headers[kept++] = attempt->reply_headers[i];
    attempt->reply_header_count = kept;
}

void translate_error(struct req *req)
{
    static const struct chat no_chat;
    struct req_attempt *attempt = &req->attempt;
    const struct front *front = dialect_front(req->op);
    if (attempt->back == NULL || !attempt->back->mixed_errors || front == NULL ||
        front->simple != NULL || req->surface != REQ_SURFACE_OP)
        return;
    if (new_call(req, front, attempt->back) != ST_OK) {
        translate_free(req);
        return;
    }
    attempt->call->chat = &no_chat;
    drop_type(attempt);
}

bool translate_replaces(struct str header)
{
    return str_eq_nocase(header, STR("content-type")) ||
           str_eq_nocase(header, STR("cache-control"));
}

void translate_head(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    attempt->call->reply_headers = attempt->reply_headers;
    attempt->call->reply_header_count = attempt->reply_header_count;
    dialect_reply_begin(attempt->call, attempt->http_status, attempt->content_type);
    attempt->is_sse = attempt->is_json = false; /* of what the caller gets: see begin */
    attempt->reply_length = -1;
}

static bool charge(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct worker *worker = req->worker;
    size_t held = dialect_held_bytes(attempt->call);
    size_t others = worker->body_bytes - attempt->call_bytes;
    if (held > attempt->call_bytes && others + held > params_u64(worker->params, PARAM_BODY_BUDGET))
        return false;
    worker->body_bytes = others + held;
    attempt->call_bytes = held;
    return true;
}

static void take_usage(struct req *req)
{
    const struct dialect_call *call = req->attempt.call;
    if (!dialect_usage_is_whole(call))
        return;
    req->usage.usage = call->usage;
    req->usage.items = call->usage.images;
    memcpy(req->usage.tier, call->tier, sizeof req->usage.tier);
    req->usage.found = true;
}

/* Status and headers of the answer. False: the client is gone and the request has ended. */
static bool begin(struct req *req, int64_t length)
{
    struct req_attempt *attempt = &req->attempt;
    attempt->is_sse = length < 0;
    attempt->reply_type = length < 0 ? STR("text/event-stream") : STR("application/json");
    if (attempt->call->out_type.n > 0)
        attempt->reply_type = attempt->call->out_type;
    req->estimated = req->estimated || attempt->call->estimated;
    attempt->reply_length = length;
    return reply_begin(req);
}

static void put(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    reply_write(req, call->out.p, call->out.n);
    buf_clear(&call->out);
}

bool translate_begin_early(struct req *req)
{
    req->attempt.call->content = true;
    if (!begin(req, -1))
        return false;
    put(req);
    return true;
}

/* Writes what may go out. False: the request has ended. */
static bool flow(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    bool streams = call->chat->stream && call->content;
    take_usage(req);
    if (!streams || call->out.n == 0)
        return true;
    if (!req->answer_begun && !begin(req, -1))
        return false;
    put(req);
    return true;
}

/* The answer cannot be followed any more. */
static void give_up(struct req *req, enum status status)
{
    struct str slug = req->attempt.provider_slug;
    if (status == ST_UPSTREAM_BROKEN && attempts_answered(req, status_row(status)->http))
        return;
    if (status == ST_NO_MEMORY || status == ST_OVERLOADED)
        req_refuse(req, status, "The answer of provider @" STR_FMT " could not be held in memory.",
                   STR_ARG(slug));
    else if (status == ST_TOO_LARGE)
        req_refuse(req, ST_UPSTREAM_BROKEN,
                   "The answer of provider @" STR_FMT " is larger than the gateway translates.",
                   STR_ARG(slug));
    else
        req_refuse(req, ST_UPSTREAM_BROKEN,
                   "The answer of provider @" STR_FMT
                   " broke off, or is not in the dialect of its service.",
                   STR_ARG(slug));
    req_answer_refusal(req);
}

bool translate_body(struct req *req, const char *p, size_t n)
{
    struct dialect_call *call = req->attempt.call;
    if (req->answer_begun && conn_write_room(req->conn) == 0)
        return false;
    enum status status = dialect_reply_feed(call, p, n);
    if (!flow(req))
        return true;
    if (status == ST_OK && !charge(req))
        status = ST_OVERLOADED;
    if (status != ST_OK)
        give_up(req, status);
    return true;
}

static void end_answer(struct req *req)
{
    struct conn *conn = req->conn;
    recall_end(req, req->attempt.call->state == DIALECT_ENDED);
    cost_words_comment(req);
    conn_reply_end(conn);
    req->conn = NULL;
    req_finish(req);
}

/* A whole body: an answer, or an error in front of any content. */
static void answer_whole(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    enum status status = buf_status(&call->out);
    if (status != ST_OK) {
        give_up(req, status);
        return;
    }
    if (!begin(req, (int64_t)call->out.n))
        return;
    put(req);
    end_answer(req);
}

static void answer_error(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    if (req->answer_begun) {
        end_answer(req); /* the stream holds it already */
        return;
    }
    dialect_write_error(call, &call->error);
    answer_whole(req);
}

/* The provider's error, in front of any content: it may lead to another attempt. */
static bool failed_over(struct req *req)
{
    return !req->answer_begun && attempts_answered(req, req->attempt.http_status);
}

void translate_drain(struct req *req, const char *p, size_t n)
{
    struct dialect_call *call = req->attempt.call;
    if (call->state == DIALECT_FAILED ||
        (n > 0 ? dialect_reply_feed(call, p, n) : dialect_reply_end(call)) != ST_OK)
        return;
    take_usage(req);
    buf_clear(&call->out);
}

void translate_done(struct req *req, enum status status)
{
    struct req_attempt *attempt = &req->attempt;
    struct dialect_call *call = attempt->call;
    bool over = call->state == DIALECT_ENDED || call->state == DIALECT_FAILED;
    if (status == ST_OK || over)
        status = dialect_reply_end(call);
    if (!flow(req))
        return;
    if (call->state == DIALECT_FAILED && !req->answer_begun)
        attempt->http_status = call->error.http; /* a 200 that was none */
    req_settle(req, call->state == DIALECT_FAILED ? SLOT_OUTCOME_PROVIDER_ERROR
                                                  : reply_outcome(req, status));
    if (status == ST_UPSTREAM_TIMEOUT || status == ST_UPSTREAM_CONNECT || status == ST_TIMED_OUT ||
        status == ST_EGRESS_DENIED)
        reply_refuse_failed(req, status);
    else if (status != ST_OK)
        give_up(req, status);
    else if (call->state == DIALECT_FAILED && !failed_over(req))
        answer_error(req);
    else if (call->state == DIALECT_FAILED)
        return;
    else if (req->answer_begun)
        end_answer(req);
    else
        answer_whole(req);
}

void translate_refusal(struct req *req, struct str type, struct buf *out)
{
    const struct status_row *row = status_row(req->refused);
    struct dialect_call *call = req->attempt.call;
    struct chat_error error = {.http = row->http,
                               .message = str_c(req->reason[0] != '\0' ? req->reason : row->text),
                               .type = type,
                               .code = str_c(row->code)};
    buf_clear(&call->out);
    dialect_write_error(call, &error);
    buf_add_str(out, buf_str(&call->out));
}
