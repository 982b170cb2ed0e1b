/* refusal.c: the gateway's own answers.
 *
 * A refusal before the answer has begun is one small JSON document with the status of status.def.
 * After that a stream gets an error event in its dialect and the connection is cut, so that nothing
 * broken can look complete. Shapes: OpenAI API reference "Error codes"; Anthropic API reference
 * "Errors".
 */
#include "data-plane/worker/refusal.h"

#include "common/json_write.h"
#include "data-plane/dialect/front_anthropic.h"
#include "data-plane/worker/cost_words.h"
#include "data-plane/worker/limit_words.h"
#include "data-plane/worker/translate.h"

#define REFUSAL_MAX_BYTES 4096

size_t refusal_common_headers(struct req *req, struct reply_header *headers, size_t count,
                              const char *source)
{
    char text[ID_TEXT + 1];
    id_to_text(&req->id, text);
    struct str id = arena_str(&req->arena, str_of(text, ID_TEXT));
    headers[count++] = (struct reply_header){STR("x-request-id"), id};
    headers[count++] =
        (struct reply_header){STR("x-portkey-trace-id"), req->trace_id.n > 0 ? req->trace_id : id};
    headers[count++] = (struct reply_header){STR("x-sluice-error-source"), str_c(source)};
    if (source == NULL)
        count--;
    if (req->attempts_sent > 0 || req->recall.status == TRACE_CACHE_HIT) {
        struct trace_reply reply = {.option_index = req->target.index,
                                    .retry_count = retry_count(&req->attempts.retry),
                                    .cache = req->recall.status,
                                    .provider = req->attempt.type_slug};
        const struct route_plan *plan = &req->attempts.plan;
        if (plan->head != NULL) {
            reply.ignored_guards = route_str(plan, plan->head->guards);
            reply.warnings = route_str(plan, plan->head->warnings);
        }
        count = trace_reply_headers(&reply, &req->arena, headers, count);
    }
    if (req->clamped_max_tokens > 0)
        headers[count++] = (struct reply_header){
            STR("x-sluice-clamped-max-tokens"),
            arena_printf(&req->arena, "%llu", (unsigned long long)req->clamped_max_tokens)};
    count = cost_words_headers(req, headers, count);
    return limit_words_headers(req, headers, count);
}

static const char *openai_type(int http)
{
    switch (http) {
    case 401:
        return "authentication_error";
    case 403:
        return "permission_error";
    case 408:
    case 504:
        return "timeout_error";
    case 412:
        return "budget_error";
    case 429:
        return "rate_limit_error";
    default:
        return http >= 500 ? "server_error" : "invalid_request_error";
    }
}

void refusal_write_body(struct req *req, struct buf *out)
{
    const struct status_row *row = status_row(req->refused);
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    if (req->anthropic)
        jw_field_cstr(&w, "type", "error");
    jw_key(&w, "error");
    jw_object(&w);
    jw_field_cstr(&w, "type", req->anthropic ? front_anthropic_error_type(row->http) : openai_type(row->http));
    jw_field_str(&w, "message", str_c(req->reason[0] != '\0' ? req->reason : row->text));
    if (!req->anthropic) {
        jw_key(&w, "param");
        jw_null(&w);
    }
    jw_field_cstr(&w, "code", row->code);
    jw_end(&w);
    if (req->anthropic)
        jw_field_id(&w, "request_id", &req->id);
    jw_end(&w);
}

static bool is_sse_answer(const struct req *req)
{
    return req->answer_begun && req->attempt.is_sse;
}

/* The answer has begun: say what happened in the stream's own form, then cut. */
static void break_answer(struct req *req, struct str body)
{
    if (is_sse_answer(req) && req->attempt.call != NULL) {
        int http = status_row(req->refused)->http;
        struct str type = str_c(req->anthropic ? front_anthropic_error_type(http) : openai_type(http));
        struct buf last;
        buf_init(&last, 2 * REFUSAL_MAX_BYTES);
        translate_refusal(req, type, &last);
        conn_reply_write(req->conn, last.p, last.n);
        buf_free(&last);
    } else if (is_sse_answer(req)) {
        struct str head = req->anthropic ? STR("event: error\ndata: ") : STR("data: ");
        conn_reply_write(req->conn, head.p, head.n);
        conn_reply_write(req->conn, body.p, body.n);
        conn_reply_write(req->conn, "\n\n", 2);
    }
    conn_abort(req->conn);
    req->conn = NULL;
    req_finish(req);
}

void req_answer_refusal(struct req *req)
{
    if (req->conn == NULL) {
        req_finish(req);
        return;
    }
    if (req->explain.on && req->step > REQ_STEP_read_body) {
        explain_refused(req);
        return;
    }
    struct buf body;
    buf_init(&body, REFUSAL_MAX_BYTES);
    refusal_write_body(req, &body);
    if (req->answer_begun)
        break_answer(req, buf_str(&body));
    else
        req_answer_json(req, status_row(req->refused)->http, buf_str(&body));
    buf_free(&body);
}

static struct str retry_after(struct req *req)
{
    struct str text =
        req->retry_after_s > 0 ? arena_printf(&req->arena, "%u", req->retry_after_s) : STR_NONE;
    return text.p == NULL ? STR("1") : text;
}

void req_answer_json(struct req *req, int http_status, struct str body)
{
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t count = 0;
    headers[count++] = (struct reply_header){STR("content-type"), STR("application/json")};
    if (req->refused != ST_OK && status_row(req->refused)->retryable)
        headers[count++] = (struct reply_header){STR("retry-after"), retry_after(req)};
    count = refusal_common_headers(req, headers, count, req->refused == ST_OK ? NULL : "gateway");
    if (req->estimated)
        headers[count++] = (struct reply_header){STR("x-sluice-estimated"), STR("input_tokens")};
    if (req->list_partial)
        headers[count++] = (struct reply_header){STR("x-sluice-list-partial"), STR("true")};
    struct conn *conn = req->conn;
    req->answer_begun = true;
    req->attempt.http_status = http_status;
    conn_reply_simple(conn, http_status, headers, count, body);
    req->conn = NULL;
    req_finish(req);
}
