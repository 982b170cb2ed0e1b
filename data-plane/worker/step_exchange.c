/* step_exchange.c: the attempt itself: headers and credential out, bytes back.
 *
 * The credential is opened here, copied into header lines that upstream.c wipes, and closed, all
 * within one call. Headers of the client pass by a positive list (plus x-portkey-forward-headers,
 * never a credential or framing header): what the caller holds for himself never reaches a provider
 * beside a stored credential. The answer is begun with its first byte; see reply.c.
 */
#include "common/apikey.h"
#include "data-plane/worker/reply.h"
#include "data-plane/worker/req.h"

#define HEADERS_MAX        48
#define SECRET_LINES_MAX   8
#define SECRET_LINES_BYTES (32 * 1024)

struct outgoing {
    struct upstream_header headers[HEADERS_MAX];
    size_t count;
    struct str secrets[SECRET_LINES_MAX];
    size_t secret_count;
    char lines[SECRET_LINES_BYTES]; /* wiped before return */
    size_t used;
};

static void add_header(struct outgoing *out, struct str name, struct str value)
{
    if (out->count < HEADERS_MAX && name.n > 0 && value.p != NULL)
        out->headers[out->count++] = (struct upstream_header){name, value};
}

/* Credential, framing and gateway headers are never forwarded, whatever the client asks. */
static bool may_forward(struct str name)
{
    static const char *const never[] = {"authorization",
                                        "x-api-key",
                                        "api-key",
                                        "x-goog-api-key",
                                        "cookie",
                                        "host",
                                        "content-length",
                                        "transfer-encoding",
                                        "connection",
                                        "keep-alive",
                                        "te",
                                        "trailer",
                                        "upgrade",
                                        "expect",
                                        "proxy-authorization",
                                        "proxy-connection",
                                        "accept-encoding",
                                        "x-client-request-id",
                                        "content-type",
                                        "accept",
                                        "forwarded",
                                        "x-forwarded-for"};
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (str_eq_nocase(name, str_c(never[i])))
            return false;
    return !str_starts_nocase(name, STR("x-portkey-")) &&
           !str_starts_nocase(name, STR("x-sluice-")) && !str_starts_nocase(name, STR("proxy-"));
}

/* A client's header, unless a key of ours is in it. */
static void add_client_header(struct req *req, struct outgoing *out, struct str name)
{
    struct str value = http_head_get(req->head, name);
    struct str ours = req->auth.value;
    if (value.n > 0 && !apikey_is_inside(value) && (ours.n == 0 || str_find(value, ours) < 0))
        add_header(out, name, value);
}

static void add_client_headers(struct req *req, struct outgoing *out)
{
    static const struct str pass[] = {
        {"content-type", 12},    {"accept", 6},       {"user-agent", 10}, {"openai-beta", 11},
        {"idempotency-key", 15}, {"traceparent", 11}, {"tracestate", 10}};
    for (size_t i = 0; i < COUNT_OF(pass); i++)
        add_client_header(req, out, pass[i]);
    struct str list = http_head_get(req->head, STR("x-portkey-forward-headers")), name;
    while (list.n > 0 && str_split(&list, ',', &name)) {
        name = str_trim(name);
        if (may_forward(name))
            add_client_header(req, out, name);
    }
}

/* "name: value\n" lines of the provider's row. */
static void add_row_headers(const struct req_attempt *attempt, struct outgoing *out)
{
    struct str rest = attempt->extra_headers, line;
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        ptrdiff_t colon = str_find_char(line, ':');
        if (colon > 0)
            add_header(out, str_head(line, (size_t)colon),
                       str_trim(str_from(line, (size_t)colon + 1)));
    }
}

/* openai_organization and openai_project of an integration, for OpenAI's own dialect. */
static void add_configured(struct req *req, struct outgoing *out)
{
    const struct req_attempt *attempt = &req->attempt;
    struct json_field fields[] = {{.name = "openai_organization"}, {.name = "openai_project"}};
    static const struct str names[] = {{"openai-organization", 19}, {"openai-project", 14}};
    if (attempt->configurations_json.n == 0 ||
        json_scan_object(attempt->configurations_json, fields, COUNT_OF(fields), NULL) != ST_OK)
        return;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (fields[i].raw.p == NULL || fields[i].type != JSON_STRING)
            continue;
        struct str text;
        char *room = arena_alloc(&req->arena, fields[i].raw.n);
        if (room != NULL && json_unescape(fields[i].raw, room, &text) == ST_OK && text.n > 0)
            add_header(out, names[i], text);
    }
}

static enum status add_secret_line(struct outgoing *out, const struct open_secrets *secrets,
                                   struct str secret_name, struct str header, struct str prefix)
{
    size_t room = sizeof out->lines - out->used, n;
    if (out->secret_count == SECRET_LINES_MAX || header.n + prefix.n + 2 >= room)
        return ST_TOO_LARGE;
    char *line = out->lines + out->used;
    memcpy(line, header.p, header.n);
    memcpy(line + header.n, ": ", 2);
    memcpy(line + header.n + 2, prefix.p, prefix.n);
    size_t head = header.n + 2 + prefix.n;
    TRY(keyring_secret(secrets, secret_name, line + head, room - head, &n));
    out->secrets[out->secret_count++] = str_of(line, head + n);
    out->used += head + n;
    return ST_OK;
}

static enum status add_secrets(struct req *req, struct outgoing *out,
                               const struct open_secrets *secrets)
{
    const struct req_attempt *attempt = &req->attempt;
    if (attempt->auth_header.n > 0) {
        enum status status =
            add_secret_line(out, secrets, STR("key"), attempt->auth_header, attempt->auth_prefix);
        if (status != ST_OK && status != ST_NOT_FOUND)
            return status;
    }
    struct str rest = attempt->header_names, name;
    while (rest.n > 0 && str_split(&rest, '\n', &name)) {
        if (name.n == 0)
            continue;
        struct str field = arena_printf(&req->arena, "custom_headers." STR_FMT, STR_ARG(name));
        TRY(add_secret_line(out, secrets, field, name, STR("")));
    }
    return ST_OK;
}

static enum status open_and_add(struct req *req, struct outgoing *out)
{
    struct req_attempt *attempt = &req->attempt;
    struct open_secrets secrets = {.keyring = NULL};
    if (attempt->secrets_box.n == 0)
        return ST_OK;
    TRY(catalog_begin(req->worker->catalog));
    enum status status = keyring_open_secrets(req->worker->keyring, req->worker->catalog,
                                              &req->auth.org, &attempt->secrets_owner,
                                              attempt->secrets_version, &attempt->delivery_key,
                                              attempt->hosts, attempt->secrets_box, &secrets);
    catalog_end(req->worker->catalog);
    TRY(status);
    status = add_secrets(req, out, &secrets);
    keyring_close_secrets(&secrets);
    return status;
}

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
    body->read_at = 0;
    *length =
        req->head->content_length >= 0 && !req->head->gzip ? req->head->content_length + shift : -1;
    return ST_OK;
}

static struct upstream_times times_of(const struct req *req)
{
    const struct params *params = req->worker->params;
    return (struct upstream_times){
        .connect_ms = (uint32_t)params_u64(params, PARAM_CONNECT_TIMEOUT),
        .first_byte_ms = (uint32_t)params_u64(params, PARAM_FIRST_BYTE_TIMEOUT),
        .idle_ms = (uint32_t)params_u64(params, PARAM_IDLE_TIMEOUT),
        .total_ms = (uint32_t)params_u64(params, PARAM_REQUEST_TIMEOUT)};
}

/* Without TLS a credential goes to what the operator opened or named only: private ranges
 * (allowed_private) or allowed_http_hosts. */
static bool may_go_plain(const struct req *req, const struct netaddr *addrs, size_t count)
{
    struct str rest = params_str(req->worker->params, PARAM_ALLOWED_HTTP_HOSTS), pattern;
    bool public = false;
    for (size_t i = 0; i < count; i++)
    public = public || netaddr_classify(&addrs[i]) == NETADDR_PUBLIC;
    while (public && params_next(&rest, &pattern))
    public = !str_glob(pattern, req->attempt.host);
    return !public;
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
    if (!attempt->tls && !may_go_plain(req, addrs, addr_count))
        return ST_EGRESS_DENIED;
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
                                       .times = times_of(req)};
    memcpy(request.secret_headers, out->secrets, out->secret_count * sizeof out->secrets[0]);
    if (req->body.streaming)
        TRY(begin_streaming(req, &request.stream_length));
    return upstream_start(req->worker->upstream, &request, &reply_events, req, &attempt->exchange);
}

static enum step_result refuse_start(struct req *req, enum status status)
{
    struct str slug = req->attempt.provider_slug;
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
    char id[ATTEMPT_ID_TEXT + 1];
    struct attempt_id attempt_id = slots_attempt(req->worker->slots, attempt->slot);
    attempt_id_to_text(&attempt_id, id);
    out.count = out.secret_count = out.used = 0;
    add_client_headers(req, &out);
    add_row_headers(attempt, &out);
    add_configured(req, &out);
    add_header(&out, STR("x-client-request-id"), str_of(id, ATTEMPT_ID_TEXT));
    enum status status = open_and_add(req, &out);
    if (status == ST_OK)
        status = start(req, &out);
    secret_wipe(out.lines, out.used);
    if (status != ST_OK)
        return refuse_start(req, status);
    slots_mark_sent(req->worker->slots,
                    attempt->slot); /* libcurl runs at the end of this turn, never before */
    attempt->sent_ns = loop_now_ns(req->worker->loop);
    req->attempts_sent++;
    metrics_add(&req->worker->metrics, M_ATTEMPTS, 1);
    return STEP_WAIT;
}
