/* upstream.c: one exchange with a provider: a recycled libcurl easy handle and the block of memory
 * its request lines live in.
 *
 *   start -> RUNNING -> (libcurl done | own time-out | cancel) -> block wiped -> FREE list
 *
 * libcurl rules kept here (reliability.md section 5): http and https only, no redirects, no proxies
 * or netrc from the environment, no HTTP/0.9, verification on, addresses pinned by RESOLVE under a
 * per-organisation CONNECT_TO name and checked again when the socket is opened. Our header lines
 * and list nodes live in exchange->block, which libcurl only reads; it is wiped when the attempt
 * ends. Must never remove a handle or resume a transfer while libcurl is on the stack: such wishes
 * are deferred to the end of the turn.
 */
#include "data-plane/upstream.h"

#include <stdlib.h>

#include "common/log.h"
#include "data-plane/upstream_internal.h"
#include "data-plane/worker/url.h"
#include "data-plane/worker/worker.h"

#define BLOCK_MAX_BYTES (256u * 1024u)

static bool is_running(const struct exchange *exchange)
{
    return exchange->state == EXCHANGE_RUNNING;
}

/* --- libcurl's callbacks
 * --------------------------------------------------------------------------------------------- */

static void touch(struct exchange *exchange)
{
    exchange->last_ns = loop_now_ns(exchange->upstream->loop);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *exchange = arg;
    struct str line = str_trim(str_of(p, size * n));
    if (!is_running(exchange))
        return 0;
    touch(exchange);
    if (str_starts(line, STR("HTTP/"))) {
        uint64_t status = 0;
        struct str rest = str_from(line, 9);
        if (line.n < 12 || str_to_u64(str_head(rest, 3), &status) != ST_OK)
            return 0;
        exchange->http_status = (int)status;
        exchange->sent = true;
        return size * n;
    }
    if (exchange->http_status < 200)
        return size * n;
    if (line.n == 0) {
        if (!exchange->head_seen) {
            exchange->head_seen = true;
            exchange->events->head_end(exchange->arg, exchange->http_status);
        }
        return is_running(exchange) ? size * n : 0;
    }
    ptrdiff_t colon = str_find_char(line, ':');
    if (colon > 0 && !exchange->head_seen)
        exchange->events->head(exchange->arg, exchange->http_status, str_head(line, (size_t)colon),
                               str_trim(str_from(line, (size_t)colon + 1)));
    return is_running(exchange) ? size * n : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *exchange = arg;
    if (!is_running(exchange))
        return 0;
    touch(exchange);
    exchange->first_byte = true;
    if (!exchange->events->body(exchange->arg, p, size * n)) {
        if (!is_running(exchange))
            return 0;
        exchange->body_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    return is_running(exchange) ? size * n : 0;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *exchange = arg;
    if (!is_running(exchange))
        return CURL_READFUNC_ABORT;
    bool end = false;
    size_t got = exchange->events->read(exchange->arg, p, size * n, &end);
    if (got == UPSTREAM_READ_ABORT)
        return CURL_READFUNC_ABORT;
    touch(exchange);
    exchange->sent = true;
    if (got == 0 && !end) {
        exchange->read_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    return got;
}

/* Called when the connection stands and the request is about to be written: from here on the
 * provider may bill. */
static int on_prereq(void *arg, char *primary_ip, char *local_ip, int primary_port, int local_port)
{
    struct exchange *exchange = arg;
    (void)primary_ip;
    (void)local_ip;
    (void)primary_port;
    (void)local_port;
    /* A second time: a kept connection died before the first byte of an answer, and libcurl would
     * send again. The provider may have done the work already, so that would be another attempt. */
    if (!is_running(exchange) || exchange->sent)
        return CURL_PREREQFUNC_ABORT;
    exchange->sent = true;
    exchange->sent_ns = loop_now_ns(exchange->upstream->loop);
    touch(exchange);
    return CURL_PREREQFUNC_OK;
}

/* --- the life of an exchange
 * ------------------------------------------------------------------------------------------- */

/* Takes an exchange off the deferred list: it is about to be recycled. */
static void exchange_undefer(struct exchange *exchange)
{
    struct exchange **at = &exchange->upstream->deferred;
    while (exchange->deferred && *at != exchange)
        at = &(*at)->next_deferred;
    if (exchange->deferred)
        *at = exchange->next_deferred;
    exchange->deferred = false;
}

static void exchange_release(struct exchange *exchange)
{
    struct upstream *upstream = exchange->upstream;
    exchange_undefer(exchange);
    loop_timer_clear(upstream->loop, &exchange->timer);
    if (exchange->shard != NULL) {
        curl_multi_remove_handle(exchange->shard->multi, exchange->easy);
        exchange->shard->active--;
        exchange->shard = NULL;
        upstream->active--;
    }
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, NULL);
    curl_easy_setopt(exchange->easy, CURLOPT_CONNECT_TO, NULL);
    secret_wipe(exchange->block.p, exchange->block.n);
    buf_clear(&exchange->block);
    exchange->state = EXCHANGE_FREE;
    if (upstream->free_count >= UPSTREAM_FREE_MAX) {
        curl_easy_cleanup(exchange->easy);
        buf_free(&exchange->block);
        exchange->magic = 0;
        free(exchange);
        return;
    }
    exchange->next = upstream->free_exchanges;
    upstream->free_exchanges = exchange;
    upstream->free_count++;
}

static enum status status_of_result(const struct exchange *exchange, CURLcode result)
{
    if (exchange->forced == ST_UPSTREAM_TIMEOUT && !exchange->sent)
        return ST_UPSTREAM_CONNECT;
    if (exchange->forced != ST_OK)
        return exchange->forced;
    switch (result) {
    case CURLE_OK:
        return exchange->head_seen ? ST_OK : ST_UPSTREAM_BROKEN;
    case CURLE_OPERATION_TIMEDOUT:
        return exchange->sent ? ST_UPSTREAM_TIMEOUT : ST_UPSTREAM_CONNECT;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return exchange->failed_egress ? ST_EGRESS_DENIED : ST_UPSTREAM_CONNECT;
    case CURLE_OUT_OF_MEMORY:
        return ST_NO_MEMORY;
    default:
        return exchange->sent ? ST_UPSTREAM_BROKEN : ST_UPSTREAM_CONNECT;
    }
}

void exchange_finish(struct exchange *exchange, CURLcode result)
{
    if (exchange->state == EXCHANGE_CANCELLED)
        return; /* the deferred job releases it */
    const struct upstream_events *events = exchange->events;
    void *arg = exchange->arg;
    enum status status = status_of_result(exchange, result);
    if (result != CURLE_OK)
        log_debug("exchange_failed", LOG_I64("curl", result), LOG_STATUS(status));
    exchange_release(exchange);
    events->done(arg, status);
}

static void exchange_defer(struct exchange *exchange)
{
    struct upstream *upstream = exchange->upstream;
    if (!exchange->deferred) {
        exchange->deferred = true;
        exchange->next_deferred = upstream->deferred;
        upstream->deferred = exchange;
    }
    loop_defer(upstream->loop, &upstream->deferred_job);
}

static void exchange_unpause(struct exchange *exchange)
{
    struct upstream *upstream = exchange->upstream;
    exchange->resume_wanted = false;
    exchange->body_paused = exchange->read_paused = false;
    touch(exchange);
    upstream->in_curl++;
    curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
    upstream->in_curl--;
    if (exchange->shard != NULL)
        shard_kick(exchange->shard);
}

static void run_deferred(struct loop_job *job)
{
    struct upstream *upstream = job->owner;
    CHECK(upstream->in_curl == 0);
    while (upstream->deferred != NULL) {
        struct exchange *exchange = upstream->deferred;
        upstream->deferred = exchange->next_deferred;
        exchange->deferred = false;
        if (exchange->state == EXCHANGE_CANCELLED)
            exchange_release(exchange);
        else if (exchange->state == EXCHANGE_RUNNING && exchange->resume_wanted)
            exchange_unpause(exchange);
    }
}

void upstream_resume(struct exchange *exchange)
{
    CHECK_OBJ(exchange, EXCHANGE_MAGIC);
    if (!is_running(exchange) || (!exchange->body_paused && !exchange->read_paused))
        return;
    exchange->resume_wanted = true;
    exchange_defer(exchange);
}

void upstream_hand_over(struct exchange *exchange, const struct upstream_events *events)
{
    CHECK_OBJ(exchange, EXCHANGE_MAGIC);
    exchange->events = events;
    upstream_resume(exchange);
}

void upstream_cancel(struct exchange *exchange)
{
    CHECK_OBJ(exchange, EXCHANGE_MAGIC);
    if (!is_running(exchange))
        return;
    exchange->state = EXCHANGE_CANCELLED;
    exchange->events = NULL;
    exchange->arg = NULL;
    if (exchange->upstream->in_curl > 0 || exchange->deferred)
        exchange_defer(exchange);
    else
        exchange_release(exchange);
}

bool upstream_was_sent(const struct exchange *exchange)
{
    return exchange->sent;
}

uint32_t upstream_active(const struct upstream *upstream)
{
    return upstream->active;
}

/* Lazy: one timer per exchange looks which of its limits has passed, and otherwise sleeps until the
 * next one could. */
static void exchange_timer_expired(struct loop_timer *timer)
{
    struct exchange *exchange = timer->owner;
    int64_t now = loop_now_ns(exchange->upstream->loop);
    const struct upstream_times *times = &exchange->times;
    bool stalled_by_us = exchange->body_paused || exchange->read_paused;
    int64_t total_left = exchange->started_ns + (int64_t)times->total_ms * 1000000 - now;
    int64_t wait_ms = exchange->first_byte ? times->idle_ms : times->first_byte_ms;
    int64_t wait_left = exchange->last_ns + wait_ms * 1000000 - now;
    if (stalled_by_us)
        wait_left = wait_ms * 1000000;
    int64_t left = total_left < wait_left ? total_left : wait_left;
    if (times->head_ms > 0 && !exchange->head_seen) {
        int64_t head_left = exchange->started_ns + (int64_t)times->head_ms * 1000000 - now;
        left = head_left < left ? head_left : left;
    }
    if (left > 0) {
        loop_timer_set(exchange->upstream->loop, timer, left / 1000000 + 1);
        return;
    }
    exchange->forced = ST_UPSTREAM_TIMEOUT;
    exchange_finish(exchange, CURLE_OPERATION_TIMEDOUT);
}

/* --- recycled handles */

static enum status exchange_new(struct upstream *upstream, struct exchange **out)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    CURL *easy = curl_easy_init();
    if (exchange == NULL || easy == NULL) {
        free(exchange);
        curl_easy_cleanup(easy);
        return ST_NO_MEMORY;
    }
    *exchange = (struct exchange){.magic = EXCHANGE_MAGIC, .upstream = upstream, .easy = easy};
    exchange->timer = (struct loop_timer){.expired = exchange_timer_expired, .owner = exchange};
    buf_init(&exchange->block, BLOCK_MAX_BYTES);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    /* Asks for plain bytes, and undoes the compression of a provider that does not listen. */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, upstream_tls_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, upstream);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 90L);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 3600L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prereq);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, shard_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, shard_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, upstream);
    *out = exchange;
    return ST_OK;
}

static enum status exchange_take(struct upstream *upstream, struct exchange **out)
{
    if (upstream->free_exchanges == NULL)
        return exchange_new(upstream, out);
    *out = upstream->free_exchanges;
    upstream->free_exchanges = (*out)->next;
    upstream->free_count--;
    (*out)->next = NULL;
    return ST_OK;
}

enum status upstream_start(struct upstream *upstream, const struct upstream_request *request,
                           const struct upstream_events *events, void *arg, struct exchange **out)
{
    struct exchange *exchange;
    struct shard *shard;
    TRY(shard_pick(upstream, &shard));
    TRY(exchange_take(upstream, &exchange));
    exchange->state = EXCHANGE_RUNNING;
    exchange->events = events;
    exchange->arg = arg;
    exchange->times = request->times;
    exchange->sent = exchange->head_seen = exchange->first_byte = exchange->failed_egress = false;
    exchange->resume_wanted = exchange->body_paused = exchange->read_paused = false;
    exchange->http_status = 0;
    exchange->forced = ST_OK;
    exchange->started_ns = exchange->last_ns = loop_now_ns(upstream->loop);
    exchange->shard = shard; /* upstream_build asks what it knows; counted below */
    enum status status = upstream_build(exchange, request);
    exchange->shard = NULL;
    if (status == ST_OK) {
        upstream->in_curl++;
        CURLMcode added = curl_multi_add_handle(shard->multi, exchange->easy);
        upstream->in_curl--;
        status = added == CURLM_OK ? ST_OK : ST_NO_MEMORY;
    }
    if (status != ST_OK) {
        exchange_release(exchange);
        return status;
    }
    exchange->shard = shard;
    shard->active++;
    upstream->active++;
    uint32_t first = request->times.first_byte_ms < request->times.total_ms
                         ? request->times.first_byte_ms
                         : request->times.total_ms;
    if (request->times.head_ms > 0 && request->times.head_ms < first)
        first = request->times.head_ms;
    loop_timer_set(upstream->loop, &exchange->timer, first);
    shard_kick(shard);
    *out = exchange;
    return ST_OK;
}

const struct egress_rules *upstream_egress(const struct upstream *upstream)
{
    return &upstream->egress;
}

/* egress_ports: a comma list of TCP ports. */
static enum status read_ports(struct upstream *upstream, struct str list)
{
    struct str item;
    uint64_t port;
    while (str_split(&list, ',', &item)) {
        item = str_trim(item);
        if (item.n == 0)
            continue;
        if (str_to_u64(item, &port) != ST_OK || port == 0 || port > 65535 ||
            upstream->egress.port_count == UPSTREAM_PORTS_MAX)
            return ST_INVALID;
        upstream->ports[upstream->egress.port_count++] = (uint16_t)port;
    }
    upstream->egress.ports = upstream->ports;
    return ST_OK;
}

/* Admin calls are relayed to the control plane, so its port belongs to what the sandbox lets
 * through. */
static enum status add_control_port(struct upstream *upstream, struct str control_url)
{
    struct url_parts parts;
    TRY(url_split(control_url, &parts));
    if (upstream->egress.port_count == UPSTREAM_PORTS_MAX)
        return ST_INVALID;
    upstream->ports[upstream->egress.port_count++] = parts.port;
    return ST_OK;
}

enum status upstream_open(struct worker *worker, struct upstream **out)
{
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (upstream == NULL)
        return ST_NO_MEMORY;
    upstream->worker = worker;
    upstream->loop = worker->loop;
    upstream->deferred_job = (struct loop_job){.run = run_deferred, .owner = upstream};
    upstream->reap_job = (struct loop_job){.owner = upstream};
    upstream->egress.allowed_private[0] = params_str(worker->params, PARAM_ALLOWED_PRIVATE);
    enum status status = read_ports(upstream, params_str(worker->params, PARAM_EGRESS_PORTS));
    if (status == ST_OK)
        status = add_control_port(upstream, params_str(worker->params, PARAM_CONTROL_URL));
    if (status == ST_OK)
        status =
            upstream_tls_load(params_str(worker->params, PARAM_CA_FILE).p,
                              params_str(worker->params, PARAM_EXTRA_CA_FILE).p, &upstream->store);
    if (status != ST_OK) {
        free(upstream);
        return status;
    }
    *out = upstream;
    return ST_OK;
}

void upstream_close(struct upstream *upstream)
{
    if (upstream == NULL)
        return;
    while (upstream->free_exchanges != NULL) {
        struct exchange *exchange = upstream->free_exchanges;
        upstream->free_exchanges = exchange->next;
        curl_easy_cleanup(exchange->easy);
        buf_free(&exchange->block);
        free(exchange);
    }
    for (size_t i = 0; i < UPSTREAM_SHARDS; i++)
        shard_free(upstream->shards[i]);
    for (size_t i = 0; i < upstream->socket_count; i++)
        free(upstream->sockets[i]);
    while (upstream->free_sockets != NULL) {
        struct shard_socket *socket = upstream->free_sockets;
        upstream->free_sockets = socket->next_free;
        free(socket);
    }
    loop_defer_cancel(upstream->loop, &upstream->deferred_job);
    loop_defer_cancel(upstream->loop, &upstream->reap_job);
    free(upstream->sockets);
    X509_STORE_free(upstream->store);
    free(upstream);
}
