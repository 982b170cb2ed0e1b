/* drain.c: see drain.h.
 *
 * The exchange gets other readers, which look at the answer for its usage and drop it. Invariant:
 * req_finish follows exactly once, by drain_done. Must never: touch req->conn or req->head, begin
 * another attempt, or hold an upload whose rest cannot come any more.
 */
#include "data-plane/worker/drain.h"

#include "data-plane/worker/attempts.h"
#include "data-plane/worker/keep_alive.h"
#include "data-plane/worker/reply.h"
#include "data-plane/worker/translate.h"

enum policy { CANCEL, DRAIN };

static unsigned drains; /* a worker is one thread */

static enum policy policy_of(const struct req_attempt *attempt)
{
    static const struct {
        struct str type;
        enum policy policy;
    } rows[] = {
#define DISCONNECT(type, policy) {{type, sizeof type - 1}, policy},
#include "data-plane/worker/disconnect.def"
#undef DISCONNECT
    };
    struct str own = json_member(attempt->configurations_json, "on_client_disconnect", JSON_STRING);
    if (own.p != NULL)
        return json_string_is(own, STR("drain")) ? DRAIN : CANCEL;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_eq(rows[i].type, attempt->type_slug))
            return rows[i].policy;
    return CANCEL;
}

static bool look_at_event(void *arg, const struct sse_event *event)
{
    struct req *req = arg;
    bool only_usage;
    if (event->data.n > 0 && str_find(event->data, STR("\"usage\"")) >= 0)
        usage_pick_event(&req->usage, event->data, req->attempt.stream_usage_path, &only_usage);
    if (req->op == OP_RESPONSES_CREATE && req->usage.id[0] == '\0' && event->data.n > 0)
        usage_pick_response_id(&req->usage, event->data);
    return true;
}

/* As reply.c does it, but that no status leads to another attempt. */
static void drain_head_end(void *arg, int http_status)
{
    struct req *req = arg;
    struct req_attempt *attempt = &req->attempt;
    attempt->head_done = true;
    attempt->http_status = http_status;
    if (attempt->call != NULL)
        translate_head(req);
    char *room = attempt->is_json ? arena_alloc(&req->arena, USAGE_PICK_MEMBER_MAX) : NULL;
    usage_pick_init(&req->usage, room);
    attempt->is_json = room != NULL;
}

static bool drain_body(void *arg, const char *p, size_t n)
{
    struct req *req = arg;
    if (req->attempt.call != NULL)
        translate_drain(req, p, n);
    else if (req->attempt.is_sse)
        (void)!sse_feed(&req->sse, p, n, look_at_event, req); /* unread: charged as reserved */
    else if (req->attempt.is_json)
        usage_pick_feed(&req->usage, p, n);
    return true;
}

static void drain_done(void *arg, enum status status)
{
    struct req *req = arg;
    req->attempt.exchange = NULL;
    if (req->finished)
        return;
    if (req->attempt.call != NULL)
        translate_drain(req, NULL, 0);
    (void)reply_outcome(req, status); /* notes an attempt that never arrived */
    req_settle(req, SLOT_OUTCOME_CLIENT_GONE);
    req_finish(req);
}

void drain_end(struct req *req)
{
    drains -= req->draining;
    req->draining = false;
}

bool drain_begin(struct req *req)
{
    static struct upstream_events events;
    const struct req_attempt *attempt = &req->attempt;
    bool upload_ends = !req->body.streaming || req->body.complete;
    enum bound_when when = bound_row(req->op)->when;
    if (when != BOUND_ANSWER && when != BOUND_REQUEST)
        return false; /* nothing to learn */
    if (req->surface != REQ_SURFACE_OP || attempt->exchange == NULL || attempt->slot == NULL ||
        req->finished || !upload_ends || drains >= DRAINS_MAX || policy_of(attempt) != DRAIN)
        return false;
    events = reply_events;
    events.head_end = drain_head_end;
    events.body = drain_body;
    events.done = drain_done;
    attempts_cancel(req);
    keep_alive_cancel(req);
    req->draining = true;
    drains++;
    upstream_hand_over(attempt->exchange, &events);
    return true;
}
