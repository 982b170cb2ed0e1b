/* relay.c: one admin call, passed on.
 *
 * The control plane's address is the operator's own (control_url), so egress classification does not apply to it; nothing of a provider's
 * credential is near. The body streams; there is no slot and no usage event: an admin call is not an attempt.
 */
#include "data-plane/worker/relay.h"

#include "data-plane/worker/reply.h"
#include "data-plane/worker/url.h"

#define RELAY_HEADERS_MAX 64

static void name_found(struct name_wait *wait)
{
    req_run(wait->owner);
}

static bool is_framing(struct str name)
{
    static const char *const framing[] = {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te",
                                          "trailer", "upgrade", "expect", "proxy-connection", "proxy-authorization",
                                          "content-encoding", "accept-encoding", "x-forwarded-for"};
    for (size_t i = 0; i < COUNT_OF(framing); i++)
        if (str_eq_nocase(name, str_c(framing[i])))
            return true;
    return false;
}

static enum status start(struct req *req, const struct url_parts *control)
{
    static const char *const methods[] = {"GET", "POST", "DELETE", "PUT", "PATCH"};
    struct upstream_header headers[RELAY_HEADERS_MAX];
    size_t count = 0;
    char peer[NETADDR_TEXT + 1];
    for (size_t i = 0; i < req->head->header_count && count < RELAY_HEADERS_MAX - 1; i++)
        if (!is_framing(req->head->headers[i].name))
            headers[count++] = (struct upstream_header){req->head->headers[i].name, req->head->headers[i].value};
    netaddr_to_text(&req->head->peer, peer);
    headers[count++] = (struct upstream_header){STR("x-forwarded-for"), str_c(peer)};
    struct req_attempt *attempt = &req->attempt;
    const struct params *params = req->worker->params;
    struct upstream_request request = {.method = methods[req->head->method],
                                       .url = attempt->url.p,
                                       .host = control->host,
                                       .port = control->port,
                                       .addrs = attempt->addresses->addrs,
                                       .addr_count = attempt->addresses->count,
                                       .headers = headers,
                                       .header_count = count,
                                       .stream_length = req->head->has_body ? req->head->content_length : -2,
                                       .times = {.connect_ms = (uint32_t)params_u64(params, PARAM_CONNECT_TIMEOUT),
                                                 .first_byte_ms = 60000,
                                                 .idle_ms = 60000,
                                                 .total_ms = (uint32_t)params_u64(params, PARAM_REQUEST_TIMEOUT)}};
    if (req->head->gzip && req->head->has_body)
        request.stream_length = -1;
    attempt->reply_length = -1;
    return upstream_start(req->worker->upstream, &request, &reply_events, req, &attempt->exchange);
}

static enum step_result away(struct req *req)
{
    return req_refuse(req, ST_CONTROL_AWAY,
                      "The control plane cannot be reached from this gateway; model calls go on, admin calls must wait.");
}

enum step_result relay_begin(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    struct url_parts control;
    struct str base = params_str(req->worker->params, PARAM_CONTROL_URL);
    if (attempt->exchange != NULL)
        return STEP_WAIT;
    if (url_split(base, &control) != ST_OK || req->head->method == OP_METHOD_ANY)
        return away(req);
    attempt->wait.done = name_found;
    attempt->wait.owner = req;
    enum status status = names_get(req->worker->names, control.host, &attempt->wait, &attempt->addresses);
    if (status == ST_AGAIN)
        return STEP_WAIT;
    if (status != ST_OK || attempt->addresses->status != ST_OK)
        return away(req);
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    attempt->url = arena_printf(&req->arena, STR_FMT STR_FMT, STR_ARG(base), STR_ARG(req->head->target));
    if (attempt->url.p == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    return start(req, &control) == ST_OK ? STEP_WAIT : away(req);
}
