/* step_exchange.c: the attempt itself goes out, and its answer comes back through reply.c.
 *
 * The host was resolved and the credential bound before (step_connect.c); here the addresses pass the
 * egress rules, the head and the credential are laid out (outgoing.c), and the exchange begins. A
 * credential that waits for a token leaves the walk; whoever brings it runs the request again. The
 * answer is begun with its first byte; see reply.c.
 */
#include "data-plane/worker/outgoing.h"
#include "data-plane/worker/reply.h"
#include "data-plane/worker/timeouts.h"

/* The uploads that still arrive: the first part is kept in the arena, the rest flows through
 * body.mem. */
static enum status begin_streaming(struct req *req, int64_t *length)
{
    struct req_body *body = &req->body;
    int64_t shift = (int64_t)req->attempt.body.n - (int64_t)body->mem.n;
    req->attempt.body = arena_str(&req->arena, req->attempt.body);
    if (req->attempt.body.p == NULL)
        return ST_NO_MEMORY;
    buf_clear(&body->mem);
    body->spent = true;
    body->read_at = 0;
    *length =
        req->head->content_length >= 0 && !req->head->gzip ? req->head->content_length + shift : -1;
    return ST_OK;
}

static enum status start(struct req *req, struct outgoing *out)
{
    static const char *const methods[] = {"GET", "POST", "DELETE", "PUT", "PATCH"};
    struct req_attempt *attempt = &req->attempt;
    struct netaddr addrs[IPC_ADDRS_MAX];
    size_t addr_count;
    struct egress_rules rules = *upstream_egress(req->worker->upstream);
    rules.allowed_private[1] = attempt->allowed_private;
    TRY(egress_check_port(&rules, attempt->port));
    TRY(egress_filter(&rules, attempt->addresses->addrs, attempt->addresses->count, addrs,
                      &addr_count));
    if (!attempt->tls &&
        !egress_may_go_plain(params_str(req->worker->params, PARAM_ALLOWED_HTTP_HOSTS),
                             attempt->host, addrs, addr_count))
        return ST_EGRESS_DENIED;
    attempt->times = timeouts_of(req);
    struct upstream_request request = {.method = methods[req->head->method],
                                       .url = attempt->url.p,
                                       .host = attempt->host,
                                       .port = attempt->port,
                                       .org = req->auth.org,
                                       .addrs = addrs,
                                       .addr_count = addr_count,
                                       .addr_version = attempt->addresses->version,
                                       .headers = out->headers,
                                       .header_count = out->count,
                                       .secret_header_count = out->secret_count,
                                       .body = attempt->body,
                                       .stream_length = -2,
                                       .times = attempt->times};
    memcpy(request.secret_headers, out->secrets, out->secret_count * sizeof out->secrets[0]);
    if (req->body.streaming)
        TRY(begin_streaming(req, &request.stream_length));
    return upstream_start(req->worker->upstream, &request, &reply_events, req, &attempt->exchange);
}

static enum step_result refuse_start(struct req *req, enum status status, const char *reason)
{
    struct str slug = req->attempt.provider_slug;
    if (reason[0] != '\0')
        return req_refuse(req, status,
                          "The credential of provider @" STR_FMT " gives no token: %s.",
                          STR_ARG(slug), reason);
    switch (status) {
    case ST_EGRESS_DENIED:
        return req_refuse(
            req, status,
            "The address or port of provider @" STR_FMT
            " is not allowed by this gateway's egress rules (egress_ports, allowed_private, allowed_http_hosts).",
            STR_ARG(slug));
    case ST_BAD_SEAL:
    case ST_NOT_FOUND:
        return req_refuse(req, ST_BAD_SEAL,
                          "The credential of provider @" STR_FMT
                          " cannot be opened on this gateway. An admin should save "
                          "the integration's key again.",
                          STR_ARG(slug));
    default:
        return req_refuse(req, status,
                          "The request to provider @" STR_FMT " could not be started: %s",
                          STR_ARG(slug), status_row(status)->text);
    }
}

enum step_result req_step_exchange(struct req *req)
{
    static struct outgoing out; /* a worker is one thread; wiped after each use */
    struct req_attempt *attempt = &req->attempt;
    if (attempt->exchange != NULL)
        return STEP_WAIT;
    out.count = out.secret_count = out.used = 0;
    out.reason[0] = '\0';
    outgoing_headers(req, &out);
    enum status status = outgoing_credential(req, &out);
    if (status == ST_OK)
        status = start(req, &out);
    secret_wipe(out.lines, out.used);
    if (status == ST_AGAIN)
        return STEP_WAIT;
    if (status != ST_OK)
        return refuse_start(req, status, out.reason);
    slots_mark_sent(req->worker->slots,
                    attempt->slot); /* libcurl runs at the end of this turn, never before */
    attempt->reached = true;
    attempt->sent_ns = loop_now_ns(req->worker->loop);
    req->attempts_sent++;
    metrics_add(&req->worker->metrics, M_ATTEMPTS, 1);
    return STEP_WAIT;
}
