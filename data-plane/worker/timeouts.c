/* timeouts.c: see timeouts.h.
 *
 * Why the caller's own time has a status of its own: 504 says that the provider is slow, 408 that
 * this request was not given more. Never: a time that outlasts the request's bound.
 */
#include "data-plane/worker/timeouts.h"

#include "common/route_doc.h"
#include "data-plane/worker/req.h"

static const struct {
    struct str header;
    const char *name;
    int param; /* -1: no bound but what is said */
} rows[ROUTE_TIMEOUTS] = {
    [ROUTE_TIMEOUT_REQUEST] = {{"x-portkey-request-timeout", 25}, "request_timeout", -1},
    [ROUTE_TIMEOUT_CONNECT] = {{"x-sluice-connect-timeout", 24},
                               "connect_timeout",
                               PARAM_CONNECT_TIMEOUT},
    [ROUTE_TIMEOUT_FIRST_BYTE] = {{"x-sluice-first-byte-timeout", 27},
                                  "first_byte_timeout",
                                  PARAM_FIRST_BYTE_TIMEOUT},
    [ROUTE_TIMEOUT_IDLE] = {{"x-sluice-idle-timeout", 21}, "idle_timeout", PARAM_IDLE_TIMEOUT},
    [ROUTE_TIMEOUT_TOTAL] = {{"x-sluice-total-timeout", 22},
                             "total_timeout",
                             PARAM_REQUEST_TIMEOUT},
};

/* 0: it says nothing. */
static uint32_t read_ms(struct str text)
{
    uint64_t ms;
    if (text.n == 0 || str_to_u64(text, &ms) != ST_OK)
        return 0;
    return (uint32_t)(ms < ROUTE_TIMEOUT_MAX_MS ? ms : ROUTE_TIMEOUT_MAX_MS);
}

static uint32_t of_provider(const struct req *req, enum route_timeout which)
{
    struct str json = req->attempt.configurations_json;
    if (str_find(json, STR("_timeout")) < 0) /* most say nothing, and are not parsed five times */
        return 0;
    return read_ms(json_member(json, rows[which].name, JSON_NUMBER));
}

/* 0: nothing is said. */
static uint32_t time_of(const struct req *req, enum route_timeout which)
{
    const struct route_node *node = attempts_node(req);
    uint32_t ms = read_ms(http_head_get(req->head, rows[which].header));
    if (ms == 0 && node != NULL)
        ms = node->set.timeout_ms[which];
    if (ms == 0)
        ms = of_provider(req, which);
    if (ms > 0)
        return ms;
    return rows[which].param < 0
               ? 0
               : (uint32_t)params_u64(req->worker->params, (enum param)rows[which].param);
}

struct upstream_times timeouts_of(const struct req *req)
{
    int64_t spent_ms = (loop_now_ns(req->worker->loop) - req->started_ns) / 1000000;
    int64_t left_ms = (int64_t)params_u64(req->worker->params, PARAM_REQUEST_TIMEOUT) - spent_ms;
    uint32_t total_ms = time_of(req, ROUTE_TIMEOUT_TOTAL);
    if (left_ms < total_ms)
        total_ms = left_ms > 1 ? (uint32_t)left_ms : 1;
    return (struct upstream_times){.connect_ms = time_of(req, ROUTE_TIMEOUT_CONNECT),
                                   .first_byte_ms = time_of(req, ROUTE_TIMEOUT_FIRST_BYTE),
                                   .idle_ms = time_of(req, ROUTE_TIMEOUT_IDLE),
                                   .total_ms = total_ms,
                                   .head_ms = time_of(req, ROUTE_TIMEOUT_REQUEST)};
}

enum status timeouts_judge(const struct req *req, enum status status)
{
    const struct req_attempt *attempt = &req->attempt;
    int64_t head_ns = (int64_t)attempt->times.head_ms * 1000000;
    bool late = status == ST_UPSTREAM_TIMEOUT || status == ST_UPSTREAM_CONNECT;
    if (!late || head_ns == 0 || attempt->head_done ||
        loop_now_ns(req->worker->loop) - attempt->sent_ns < head_ns)
        return status;
    return ST_TIMED_OUT;
}
