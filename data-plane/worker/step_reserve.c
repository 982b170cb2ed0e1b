/* step_reserve.c: an attempt takes its reservation slot, and with it its id.
 *
 * No free slot means 503 before anything is sent: no admitted request can lack room for its usage event (ARCHITECTURE section 5). What is
 * known now is written now, so that a crash leaves enough to charge the attempt.
 */
#include "data-plane/worker/req.h"

static uint8_t copy_text(char *out, size_t room, struct str text)
{
    size_t n = text.n < room ? text.n : room;
    if (n > 0)
        memcpy(out, text.p, n);
    return (uint8_t)n;
}

enum step_result req_step_reserve(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct slot *slot;
    enum status status = slots_reserve(req->worker->slots, &slot);
    if (status != ST_OK)
        return req_refuse(req, status, "The gateway is at its limit of requests in progress. Try again in a moment.");
    slot->org = req->auth.org;
    slot->workspace = req->auth.workspace;
    slot->provider = attempt->provider;
    slot->integration = attempt->integration;
    slot->api_key = req->auth.key;
    slot->user = req->auth.user;
    slot->request_id = req->id;
    slot->revision = attempt->revision;
    slot->reserved_utc_ms = attempt->terms.at_ms;
    slot->op = (uint32_t)req->op;
    slot->stream = req->body.is_stream;
    slot->model_n = copy_text(slot->model, sizeof slot->model, attempt->target->model);
    slot->priced_model_n = copy_text(slot->priced_model, sizeof slot->priced_model, attempt->priced_model);
    slot->trace_n = copy_text(slot->trace, sizeof slot->trace, req->trace_id);
    cost_expect(req);
    cost_note(req, slot);
    attempt->slot = slot;
    return STEP_NEXT;
}
