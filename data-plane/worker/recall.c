/* recall.c: see recall.h.
 *
 * Invariant: the draft holds the bytes of the answer alone; what this gateway says beside it to one
 * caller (keep-alive comments, costs) is not written through here. Must never store what a caller
 * could not have used: doubt drops the draft.
 */
#include "data-plane/worker/recall.h"

#include "data-plane/worker/preamble.h"
#include "data-plane/worker/refusal.h"
#include "data-plane/worker/req.h"

static bool is_kept(const struct req *req)
{
    const struct route_node *node = attempts_node(req);
    bool whole_body = req->surface == REQ_SURFACE_OP && !req->body.streaming;
    if (req->worker->answers == NULL || node == NULL || node->set.cache != ROUTE_ON || !whole_body)
        return false;
    switch (req->op) {
    case OP_CHAT:
    case OP_COMPLETIONS:
    case OP_EMBEDDINGS:
    case OP_MESSAGES:
    case OP_RESPONSES_CREATE:
        return true;
    default:
        return false;
    }
}

static int64_t now_ms(const struct req *req)
{
    return loop_now_ns(req->worker->loop) / 1000000;
}

static enum status make_key(struct req *req)
{
    const struct req_attempt *attempt = &req->attempt;
    bool extras = attempt->call != NULL && attempt->call->extras;
    const struct str who[] = {str_of((const char *)attempt->provider.b, ID_BYTES),
                              str_of((const char *)attempt->integration.b, ID_BYTES),
                              extras ? STR("+") : STR("-"),
                              attempt->upstream_model,
                              STR(" "),
                              attempt->url};
    struct answer_name name = {.org = req->auth.org,
                               .workspace = req->auth.workspace,
                               .op = (uint32_t)req->op,
                               .targets = arena_join(&req->arena, who, COUNT_OF(who)),
                               .space = http_head_get(req->head, STR("x-portkey-cache-namespace")),
                               .body = buf_str(&req->body.mem)};
    if (name.targets.p == NULL)
        return ST_NO_MEMORY;
    return answer_cache_key(req->worker->answers, &req->arena, &name, &req->recall.key);
}

/* --- a stored answer --- */

void recall_resume(struct req *req)
{
    struct recall *recall = &req->recall;
    struct str rest = str_from(recall->answer->body, recall->at);
    while (rest.n > 0) {
        size_t room = conn_write_room(req->conn);
        size_t n = rest.n < room ? rest.n : room;
        if (n == 0)
            return;
        conn_reply_write(req->conn, rest.p, n);
        rest = str_from(rest, n);
        recall->at += n;
    }
    struct conn *conn = req->conn;
    conn_reply_end(conn);
    req->conn = NULL;
    req_finish(req);
}

static void answer(struct req *req)
{
    const struct answer *found = req->recall.answer;
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t count = refusal_common_headers(req, headers, 0, NULL);
    headers[count++] = (struct reply_header){STR("content-type"), found->content_type};
    if (found->is_stream)
        headers[count++] = (struct reply_header){STR("cache-control"), STR("no-cache")};
    req->answer_begun = true;
    req->attempt.http_status = 200;
    metrics_add(&req->worker->metrics, M_CACHE_HITS, 1);
    int64_t length = found->is_stream ? -1 : (int64_t)found->body.n;
    if (conn_reply_begin(req->conn, 200, headers, count, length) == ST_OK) {
        recall_resume(req);
        return;
    }
    req->conn = NULL;
    req_finish(req);
}

bool recall_find(struct req *req)
{
    struct recall *recall = &req->recall;
    *recall = (struct recall){.status = TRACE_CACHE_DISABLED};
    if (!is_kept(req) || make_key(req) != ST_OK)
        return false;
    recall->max_age_s = attempts_node(req)->set.cache_max_age_s;
    recall->status = TRACE_CACHE_REFRESH;
    if (http_head_get(req->head, STR("x-portkey-cache-force-refresh")).p != NULL)
        return false;
    recall->answer = answer_cache_find(req->worker->answers, &recall->key, &req->auth.org,
                                       &req->auth.workspace, recall->max_age_s, now_ms(req));
    recall->status = recall->answer == NULL ? TRACE_CACHE_MISS : TRACE_CACHE_HIT;
    if (req->explain.on)
        recall_cancel(req);
    if (recall->answer == NULL)
        return false;
    answer(req);
    return true;
}

/* --- an answer to store --- */

void recall_begin(struct req *req, struct str content_type)
{
    struct recall *recall = &req->recall;
    bool wanted = recall->status == TRACE_CACHE_MISS || recall->status == TRACE_CACHE_REFRESH;
    if (wanted && recall->draft == NULL && req->attempt.http_status == 200)
        recall->draft = answer_draft_begin(req->worker->answers, &recall->key, &req->auth.org,
                                           &req->auth.workspace, content_type, req->attempt.is_sse);
}

void recall_add(struct req *req, const char *p, size_t n)
{
    answer_draft_add(req->recall.draft, str_of(p, n));
}

/* The last event of a stream that is complete. */
static bool is_last(const struct req *req, const struct sse_event *event)
{
    switch (req->op) {
    case OP_MESSAGES:
        return str_find(event->data, STR("\"message_stop\"")) >= 0;
    case OP_RESPONSES_CREATE:
        return str_find(event->data, STR("\"response.completed\"")) >= 0;
    default:
        return str_eq(event->data, STR("[DONE]"));
    }
}

void recall_event(struct req *req, const struct sse_event *event)
{
    struct recall *recall = &req->recall;
    int http_status;
    if (recall->status == TRACE_CACHE_DISABLED)
        return;
    if (preamble_judge(req->op, event, &http_status) == PREAMBLE_FAILED)
        recall_cancel(req);
    recall->ended = event->data.n > 0 && is_last(req, event);
}

void recall_end(struct req *req, bool whole)
{
    struct recall *recall = &req->recall;
    struct answer_draft *draft = recall->draft;
    recall->draft = NULL;
    if (whole)
        (void)answer_draft_store(draft, req->attempt.http_status, recall->max_age_s, now_ms(req));
    else
        answer_draft_drop(draft);
}

void recall_cancel(struct req *req)
{
    struct recall *recall = &req->recall;
    answer_draft_drop(recall->draft);
    recall->draft = NULL;
    if (recall->answer != NULL)
        answer_release(req->worker->answers, recall->answer);
    recall->answer = NULL;
}
