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
#include "data-plane/worker/cost_words.h"
#include "data-plane/worker/reply.h"

/* --- the way out */

/* What the row says of an operation, or the back's own path for a service of its dialect elsewhere.
 */
static struct str path_of(const struct str row_paths[OP_COUNT], const struct back *back)
{
    struct str path = row_paths[back->via];
    return path.n > 0 ? path : str_c(back->default_path);
}

static enum step_result begin_call(struct req *req, const struct front *front,
                                   const struct back *back)
{
    struct req_attempt *attempt = &req->attempt;
    struct dialect_call *call = arena_alloc(&req->arena, sizeof *call);
    char id[ID_TEXT + 1];
    if (call == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    enum status status = dialect_begin(call, &req->arena, front, back, &attempt->facts);
    attempt->call = call;
    if (status != ST_OK)
        return req_refuse(req, status, "Not enough memory.");
    id_to_text(&req->id, id);
    call->answer_id = arena_str(&req->arena, str_of(id, ID_TEXT));
    call->created_s = clock_utc_ms() / 1000;
    struct str strict = http_head_get(req->head, STR("x-portkey-strict-open-ai-compliance"));
    call->extras = str_eq(strict, STR("false"));
    return call->answer_id.p == NULL ? req_refuse(req, ST_NO_MEMORY, "Not enough memory.")
                                     : STEP_NEXT;
}

enum step_result translate_route(struct req *req, const struct str row_paths[OP_COUNT],
                                 struct str *path)
{
    struct req_attempt *attempt = &req->attempt;
    const struct back *back = dialect_back(attempt->dialect);
    const struct front *front = dialect_front(req->op);
    attempt->facts = (struct dialect_target){.provider = attempt->provider_slug,
                                             .service = attempt->type_slug,
                                             .model = attempt->upstream_model,
                                             .base_model = attempt->base_model,
                                             .max_output_tokens = attempt->max_output_tokens,
                                             .configurations_json = attempt->configurations_json};
    *path = row_paths[req->op];
    if (path->n > 0 && (attempt->dialect == CAT_DIALECT_OPENAI ||
                        (back != NULL && (back->native & OP_BIT(req->op)) != 0)))
        return STEP_NEXT;
    *path = STR_NONE;
    if (back == NULL || front == NULL)
        return STEP_NEXT;
    enum step_result result = begin_call(req, front, back);
    if (result != STEP_NEXT || back->path == NULL) {
        *path = path_of(row_paths, back);
        return result;
    }
    struct buf text;
    buf_init(&text, 4096);
    enum status status =
        back->path(attempt->call->target, path_of(row_paths, back), req->body.is_stream, &text);
    if (status == ST_OK)
        status = buf_status(&text);
    if (status == ST_OK)
        *path = arena_str(&req->arena, buf_str(&text));
    buf_free(&text);
    return status == ST_OK && path->p != NULL
               ? STEP_NEXT
               : req_refuse(req, status == ST_OK ? ST_NO_MEMORY : status,
                            "The address of this model at provider @" STR_FMT " cannot be built.",
                            STR_ARG(attempt->provider_slug));
}

enum step_result translate_request(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    enum status status = ST_OK;
    if (req->chat == NULL)
        status = dialect_read(call, buf_str(&req->body.mem), &req->chat);
    call->chat = req->chat;
    if (status == ST_OK)
        status = dialect_write(call, &req->attempt.body);
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

void translate_head(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    dialect_reply_begin(attempt->call, attempt->http_status, attempt->content_type);
    attempt->is_sse = attempt->is_json = false; /* of what the caller gets: see begin */
    attempt->reply_length = -1;
}

static bool charge(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct worker *worker = req->worker;
    size_t held = attempt->call->whole.room_bytes + attempt->call->out.room_bytes;
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
    if (!call->has_usage)
        return;
    req->usage.usage = call->usage;
    req->usage.found = true;
}

/* Status and headers of the answer. False: the client is gone and the request has ended. */
static bool begin(struct req *req, int64_t length)
{
    struct req_attempt *attempt = &req->attempt;
    attempt->is_sse = length < 0;
    attempt->reply_type = length < 0 ? STR("text/event-stream") : STR("application/json");
    attempt->reply_length = length;
    return reply_begin(req);
}

static void put(struct req *req)
{
    struct dialect_call *call = req->attempt.call;
    conn_reply_write(req->conn, call->out.p, call->out.n);
    buf_clear(&call->out);
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
    if (status == ST_UPSTREAM_TIMEOUT || status == ST_UPSTREAM_CONNECT ||
        status == ST_EGRESS_DENIED)
        reply_refuse_failed(req, status);
    else if (status != ST_OK)
        give_up(req, status);
    else if (call->state == DIALECT_FAILED)
        answer_error(req);
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
