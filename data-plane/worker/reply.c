/* reply.c: provider bytes to client bytes.
 *
 *   head* -> head_end -> body* -> done        (upstream.h)
 *            decide      pass    complete the answer, settle
 *
 * The answer begins with the first byte or with the end, so that a failure before it can still become a proper error, or another
 * attempt (attempts.h). While another attempt can follow, a stream begins with its first content; what stands in front is held.
 * JSON passes untouched while usage_pick looks on; a stream passes event by event, and usage that only the ledger asked for is
 * taken out again.
 * Back-pressure: when the client's queue is full the provider is paused. What cannot be completed never looks complete.
 */
#include "data-plane/worker/reply.h"

#include "data-plane/worker/keep_alive.h"
#include "data-plane/worker/cost_words.h"
#include "data-plane/worker/limit_words.h"
#include "common/clock.h"
#include "data-plane/worker/outgoing.h"
#include "data-plane/worker/preamble.h"
#include "data-plane/worker/refusal.h"
#include "data-plane/worker/reply_list.h"
#include "data-plane/worker/req.h"
#include "data-plane/worker/timeouts.h"
#include "data-plane/worker/translate.h"

#define PASS_HEADERS_MAX 40
#define EVENT_OUT_MAX    (SSE_EVENT_MAX + 1024u)

/* Framing, cookies and the provider's own cross-origin rules stay behind. */
static bool may_pass(const struct req *req, struct str name)
{
    static const char *const never[] = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer",
                                        "upgrade", "date", "set-cookie", "alt-svc", "strict-transport-security",
                                        "proxy-authenticate", "server", "content-encoding", "x-client-request-id",
                                        "www-authenticate", "nel", "report-to", "via"};
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (str_eq_nocase(name, str_c(never[i])))
            return false;
    return req->surface == REQ_SURFACE_RELAY || (!str_starts_nocase(name, STR("access-control-")) && !str_starts_nocase(name, STR("x-sluice-")) &&
           !str_starts_nocase(name, STR("x-portkey-")) && !str_starts_nocase(name, STR("cf-")));
}

static void on_head(void *arg, int http_status, struct str name, struct str value)
{
    struct req *req = arg;
    struct req_attempt *attempt = &req->attempt;
    uint64_t length;
    if (http_status >= 300)
        retry_after_header(&req->attempts.after, name, value, clock_utc_ms());
    if (str_eq_nocase(name, STR("content-length")) && str_to_u64(value, &length) == ST_OK && length < INT64_MAX)
        attempt->reply_length = (int64_t)length;
    if (str_eq_nocase(name, STR("content-encoding")) && !str_eq_nocase(value, STR("identity")))
        attempt->is_encoded = true; /* upstream.c hands it over decoded: the length is another */
    if (str_eq_nocase(name, STR("content-type"))) {
        attempt->is_sse = str_starts_nocase(value, STR("text/event-stream"));
        attempt->is_json = str_starts_nocase(value, STR("application/json"));
        attempt->content_type = arena_str(&req->arena, value);
    }
    if (attempt->call != NULL && translate_replaces(name))
        return; /* the caller gets others */
    if (!may_pass(req, name) || attempt->reply_header_count >= PASS_HEADERS_MAX)
        return;
    if (attempt->reply_headers == NULL)
        attempt->reply_headers = arena_alloc(&req->arena, PASS_HEADERS_MAX * sizeof *attempt->reply_headers);
    if (attempt->reply_headers == NULL)
        return;
    if (str_eq_nocase(name, STR("x-request-id")) && req->surface != REQ_SURFACE_RELAY)
        name = STR("x-sluice-upstream-request-id");
    struct upstream_header *header = &attempt->reply_headers[attempt->reply_header_count];
    header->name = arena_str(&req->arena, name);
    header->value = arena_str(&req->arena, value);
    if (header->name.p != NULL && header->value.p != NULL)
        attempt->reply_header_count++;
}

static void on_head_end(void *arg, int http_status)
{
    struct req *req = arg;
    struct req_attempt *attempt = &req->attempt;
    attempt->head_done = true;
    if (attempt->is_encoded)
        attempt->reply_length = -1;
    attempt->http_status = http_status;
    if (http_status == 401 && attempt->uses_token) {
        struct token_owner owner = outgoing_token_owner(req);
        tokens_forget(req->worker->tokens, &owner);
    }
    if (attempt->slot != NULL)
        attempt->slot->first_byte_us = (uint64_t)(loop_now_ns(req->worker->loop) - attempt->sent_ns) / 1000;
    metrics_observe_us(&req->worker->metrics, M_FIRST_BYTE_US,
                       (uint64_t)(loop_now_ns(req->worker->loop) - attempt->sent_ns) / 1000);
    if (req->body.is_stream)
        req->attempts.first_byte_ms = (loop_now_ns(req->worker->loop) - attempt->sent_ns) / 1000000;
    if (attempts_answered(req, http_status))
        return;
    if (http_status >= 400 && attempt->call == NULL)
        translate_error(req);
    if (attempt->call != NULL)
        translate_head(req);
    char *room = attempt->is_json ? arena_alloc(&req->arena, USAGE_PICK_MEMBER_MAX) : NULL;
    usage_pick_init(&req->usage, room);
    if (room == NULL)
        attempt->is_json = false;
    if (http_status < 300 && (attempt->is_sse || attempt->call != NULL))
        keep_alive_start(req);
}

/* Sends status and headers. False: the client is gone and the request has ended. */
bool reply_begin(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t count = 0;
    bool limits = limit_words_has(req); /* ours are told, not the provider's */
    for (size_t i = 0; i < attempt->reply_header_count; i++)
        if (!limits || !str_starts_nocase(attempt->reply_headers[i].name, STR("x-ratelimit-")))
        headers[count++] = (struct reply_header){attempt->reply_headers[i].name, attempt->reply_headers[i].value};
    if (req->surface != REQ_SURFACE_RELAY)
        count = refusal_common_headers(req, headers, count, attempt->http_status >= 400 ? "provider" : NULL);
    if (attempt->reply_type.n > 0)
        headers[count++] = (struct reply_header){STR("content-type"), attempt->reply_type};
    if (attempt->call != NULL && attempt->call->dropped[0] != '\0')
        headers[count++] = (struct reply_header){STR("x-sluice-dropped-params"), str_c(attempt->call->dropped)};
    if (attempt->is_sse) {
        headers[count++] = (struct reply_header){STR("cache-control"), STR("no-cache")};
        headers[count++] = (struct reply_header){STR("x-accel-buffering"), STR("no")};
    }
    bool empty = attempt->http_status == 204 || attempt->http_status == 304;
    int64_t length = empty ? -2 : attempt->is_sse ? -1 : attempt->reply_length;
    req->answer_begun = true;
    recall_begin(req, attempt->reply_type.n > 0 ? attempt->reply_type : attempt->content_type);
    if (conn_reply_begin(req->conn, attempt->http_status, headers, count, length) == ST_OK)
        return true;
    req->conn = NULL;
    req_finish(req);
    return false;
}

void reply_write(struct req *req, const char *p, size_t n)
{
    recall_add(req, p, n);
    conn_reply_write(req->conn, p, n);
    keep_alive_touch(req);
}

/* Bytes of a stream: held until its content, then to the client. */
static void put(struct req *req, const char *p, size_t n)
{
    if (req->answer_begun)
        reply_write(req, p, n);
    else
        buf_add(&req->held, p, n);
}

/* Cuts one member and its comma out of a single-line event. */
static void write_without(struct req *req, const struct sse_event *event, struct str member)
{
    size_t at = (size_t)(member.p - event->raw.p), end = at + member.n;
    while (end < event->raw.n && (event->raw.p[end] == ' ' || event->raw.p[end] == '\t'))
        end++;
    if (end < event->raw.n && event->raw.p[end] == ',') {
        end++;
    } else {
        while (at > 0 && event->raw.p[at - 1] != ',')
            at--;
        at -= at > 0 ? 1 : 0;
    }
    put(req, event->raw.p, at);
    put(req, event->raw.p + end, event->raw.n - end);
}

/* Usage that the client did not ask for: the extra last event goes, a member in other events is cut out. */
static void write_hiding(struct req *req, const struct sse_event *event, bool only_usage)
{
    if (only_usage)
        return;
    struct json_field fields[] = {{.name = "usage"}};
    bool inside = event->data.p >= event->raw.p && event->data.p < event->raw.p + event->raw.n;
    if (inside && json_scan_object(event->data, fields, 1, NULL) == ST_OK && fields[0].raw.p != NULL)
        write_without(req, event, fields[0].member);
    else
        put(req, event->raw.p, event->raw.n);
}

/* Begins the answer with what was held. False: the client is gone and the request has ended. */
static bool begin_held(struct req *req)
{
    if (!reply_begin(req))
        return false;
    if (req->held.n > 0)
        reply_write(req, req->held.p, req->held.n);
    buf_clear(&req->held);
    return !req->finished;
}

bool reply_begin_early(struct req *req)
{
    return req->attempt.call != NULL ? translate_begin_early(req) : begin_held(req);
}

/* In front of a stream's content. False: this stream goes no further, as another attempt follows
 * (attempt.leaving) or the request has ended. */
static bool hold_event(struct req *req, const struct sse_event *event)
{
    int http_status = 0;
    enum preamble kind = preamble_judge(req->op, event, &http_status);
    if (kind == PREAMBLE_FAILED && attempts_decide_answered(req, http_status)) {
        req->attempt.leaving = true;
        req->attempt.http_status = http_status;
        return false;
    }
    bool fits = req->held.n + event->raw.n <= REQ_HELD_MAX;
    return (kind == PREAMBLE_OPENS && fits) || begin_held(req);
}

static bool on_event(void *arg, const struct sse_event *event)
{
    struct req *req = arg;
    struct req_attempt *attempt = &req->attempt;
    bool only_usage = false;
    if (!req->answer_begun && !hold_event(req, event))
        return false;
    recall_event(req, event);
    bool mentions = event->data.n > 0 && str_find(event->data, STR("\"usage\"")) >= 0;
    if (mentions)
        usage_pick_event(&req->usage, event->data, attempt->stream_usage_path, &only_usage);
    if (req->op == OP_RESPONSES_CREATE && req->usage.id[0] == '\0' && event->data.n > 0)
        usage_pick_response_id(&req->usage, event->data);
    if (mentions && attempt->hide_usage)
        write_hiding(req, event, only_usage);
    else
        put(req, event->raw.p, event->raw.n);
    return true;
}

static void feed_stream(struct req *req, const char *p, size_t n)
{
    enum status status = sse_feed(&req->sse, p, n, on_event, req);
    if (req->finished)
        return;
    if (req->attempt.leaving) {
        attempts_go(req);
    } else if (status != ST_OK || buf_status(&req->held) != ST_OK) {
        req_refuse(req, ST_NO_MEMORY, "The stream could not be followed.");
        req_answer_refusal(req);
    }
}

static bool on_body(void *arg, const char *p, size_t n)
{
    struct req *req = arg;
    struct req_attempt *attempt = &req->attempt;
    if (attempt->call != NULL)
        return translate_body(req, p, n);
    if (reply_list_applies(req)) {
        if (!reply_list_feed(req, p, n)) {
            req_refuse(req, ST_OVERLOADED, "The provider's list is too long; ask for smaller pages with ?limit=.");
            req_answer_refusal(req);
        }
        return true;
    }
    if (cost_words_hold(req, p, n)) {
        usage_pick_feed(&req->usage, p, n);
        return true;
    }
    bool holds = attempt->is_sse && attempts_may_follow(req);
    if (!req->answer_begun && !holds && !begin_held(req))
        return true;
    if (req->answer_begun && conn_write_room(req->conn) == 0)
        return false;
    if (attempt->is_sse) {
        feed_stream(req, p, n);
        return true;
    }
    if (attempt->is_json)
        usage_pick_feed(&req->usage, p, n);
    reply_write(req, p, n);
    return true;
}

static size_t on_read(void *arg, char *out, size_t room, bool *end)
{
    struct req *req = arg;
    struct req_body *body = &req->body;
    struct str *first = &req->attempt.body;
    if (req->finished)
        return UPSTREAM_READ_ABORT;
    size_t left = first->n + body->mem.n - body->read_at, held = req_body_holds_back(body) && left > 0;
    size_t n = first->n < room ? first->n : room;
    n -= n > 0 && n == left ? held : 0;
    if (n > 0) {
        memcpy(out, first->p, n);
        *first = str_from(*first, n);
        return n;
    }
    n = body->mem.n - body->read_at;
    n = n < room ? n : room;
    n -= n > 0 && n == left ? held : 0;
    if (n > 0) {
        memcpy(out, body->mem.p + body->read_at, n);
        body->read_at += n;
        if (body->mem.n - body->read_at <= held && !body->complete)
            conn_body_resume(req->conn);
        return n;
    }
    if (!body->started && req->conn != NULL) {
        body->started = true;
        conn_body_start(req->conn);
        return on_read(arg, out, room, end);
    }
    if (!body->complete && req->conn != NULL)
        conn_body_resume(req->conn); /* it was told to wait for this exchange */
    *end = body->complete;
    return 0;
}

enum slot_outcome reply_outcome(struct req *req, enum status status)
{
    if (status == ST_UPSTREAM_CONNECT || status == ST_EGRESS_DENIED)
        req->attempt.reached = false;
    switch (status) {
    case ST_OK:
        return req->attempt.http_status >= 400 ? SLOT_OUTCOME_PROVIDER_ERROR : SLOT_OUTCOME_OK;
    case ST_UPSTREAM_TIMEOUT:
    case ST_TIMED_OUT:
        return SLOT_OUTCOME_TIMEOUT;
    default:
        return SLOT_OUTCOME_BROKEN;
    }
}

void reply_refuse_failed(struct req *req, enum status status)
{
    struct str slug = req->attempt.provider_slug;
    if (attempts_failed(req, status))
        return;
    if (req->surface == REQ_SURFACE_RELAY)
        req_refuse(req, ST_CONTROL_AWAY, "The control plane cannot be reached from this gateway.");
    else if (status == ST_TIMED_OUT)
        req_refuse(req, status, "Request exceeded the timeout sent in the request: %ums", req->attempt.times.head_ms);
    else if (status == ST_UPSTREAM_TIMEOUT)
        req_refuse(req, status, "Provider @" STR_FMT " did not answer in time.", STR_ARG(slug));
    else if (status == ST_UPSTREAM_CONNECT)
        req_refuse(req, status, "Provider @" STR_FMT " cannot be reached: the connection failed.", STR_ARG(slug));
    else if (status == ST_EGRESS_DENIED)
        req_refuse(req, status, "The address of provider @" STR_FMT " is not allowed by the egress rules.", STR_ARG(slug));
    else
        req_refuse(req, ST_UPSTREAM_BROKEN, "The answer of provider @" STR_FMT " broke off.", STR_ARG(slug));
    req_answer_refusal(req);
}

static void on_done(void *arg, enum status status)
{
    struct req *req = arg;
    req->attempt.exchange = NULL;
    if (req->finished)
        return;
    status = timeouts_judge(req, status);
    if (req->attempt.call != NULL) {
        translate_done(req, status);
        return;
    }
    if (status == ST_OK && reply_list_applies(req)) {
        reply_list_done(req);
        return;
    }
    req_settle(req, reply_outcome(req, status));
    if (status != ST_OK) {
        reply_refuse_failed(req, status);
        return;
    }
    if (!req->answer_begun) {
        if (!req->attempt.is_sse && (req->attempt.reply_length < 0 || req->held.n > 0))
            req->attempt.reply_length = (int64_t)req->held.n;
        if (!begin_held(req))
            return;
    }
    struct str rest = sse_rest(&req->sse);
    recall_end(req, rest.n == 0 && (req->attempt.is_sse ? req->recall.ended : req->usage.found));
    if (rest.n > 0)
        conn_reply_write(req->conn, rest.p, rest.n);
    else
        cost_words_comment(req);
    struct conn *conn = req->conn;
    conn_reply_end(conn);
    req->conn = NULL;
    req_finish(req);
}

const struct upstream_events reply_events = {
    .head = on_head,
    .head_end = on_head_end,
    .body = on_body,
    .read = on_read,
    .done = on_done,
};
