/* keep_alive.c: see keep_alive.h.
 *
 * Only between events: what an event is cut in two by is no comment any more. Both ways of passing
 * a stream write whole events, except for one that is above the cap. Source: WHATWG HTML,
 * section 9.2.7 ("a comment line every 15 seconds or so").
 */
#include "data-plane/worker/keep_alive.h"

#include "data-plane/worker/reply.h"

static uint64_t period_ms(const struct req *req)
{
    const struct route_node *node = attempts_node(req);
    bool off = node != NULL && node->set.keep_alive == ROUTE_OFF;
    return off ? 0 : params_u64(req->worker->params, PARAM_STREAM_KEEP_ALIVE);
}

void keep_alive_touch(struct req *req)
{
    if (req->keep_alive.due_ns != 0)
        loop_timer_set(req->worker->loop, &req->keep_alive, (int64_t)period_ms(req));
}

static void silent(struct loop_timer *timer)
{
    struct req *req = timer->owner;
    struct str text = req->anthropic ? STR("event: ping\ndata: {\"type\": \"ping\"}\n\n")
                                     : STR(": keep-alive\n\n");
    loop_timer_set(req->worker->loop, timer, (int64_t)period_ms(req));
    if (req->sse.oversize || (!req->answer_begun && attempts_may_follow(req)))
        return;
    if (!req->answer_begun && !reply_begin_early(req))
        return;
    if (conn_write_room(req->conn) > 0)
        conn_reply_write(req->conn, text.p, text.n);
}

void keep_alive_start(struct req *req)
{
    bool is_events = req->op == OP_CHAT || req->op == OP_COMPLETIONS || req->op == OP_MESSAGES ||
                     req->op == OP_RESPONSES_CREATE;
    uint64_t ms = period_ms(req);
    if (ms == 0 || !is_events || req->surface != REQ_SURFACE_OP || !req->body.is_stream)
        return;
    req->keep_alive = (struct loop_timer){.expired = silent, .owner = req};
    loop_timer_set(req->worker->loop, &req->keep_alive, (int64_t)ms);
}

void keep_alive_cancel(struct req *req)
{
    loop_timer_clear(req->worker->loop, &req->keep_alive);
}
