/* fetch.c: see fetch.h.
 *
 *   WAIT (name) -> RUN (exchange) -> over: done, free
 *
 * Invariants: the address is classified with the ask's own ranges and pinned, like a provider's; a
 * secret is readable only while its exchange runs; done is never called from within fetch_begin
 * (a failure behind a name that is known already is told at the end of the turn). Must never follow
 * a redirect: what it would reach was not checked.
 */
#include "data-plane/worker/fetch.h"

#include <stdlib.h>

#include "common/arena.h"
#include "data-plane/worker/names_client.h"
#include "data-plane/worker/url.h"
#include "data-plane/worker/worker.h"

#define ARENA_MAX (1u << 20)

struct fetch {
    struct worker *worker;
    struct arena arena;
    struct fetch_ask ask;
    struct url_parts url;
    fetch_done done;
    void *owner;
    struct name_wait wait;
    struct loop_job over; /* tells a failure that cannot be told at once */
    struct exchange *exchange;
    bool opened; /* secrets are readable */
    struct secret *guarded;
    char *room; /* of `guarded`, while it is written */
    struct buf open;
    size_t charged; /* in worker->body_bytes */
    struct fetch_answer answer;
};

static unsigned running;

static void close_secrets(struct fetch *fetch)
{
    if (!fetch->opened)
        return;
    fetch->opened = false;
    if (fetch->ask.body != NULL)
        secret_close(fetch->ask.body);
    if (fetch->guarded != NULL)
        secret_close(fetch->guarded);
}

static void release(struct fetch *fetch)
{
    loop_defer_cancel(fetch->worker->loop, &fetch->over);
    close_secrets(fetch);
    secret_free(fetch->ask.body);
    secret_free(fetch->ask.secret_lines);
    secret_free(fetch->guarded);
    fetch->worker->body_bytes -= fetch->charged;
    buf_free(&fetch->open);
    arena_free(&fetch->arena);
    free(fetch);
    running--;
}

void fetch_cancel(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    names_wait_cancel(&fetch->wait);
    if (fetch->exchange != NULL)
        upstream_cancel(fetch->exchange);
    release(fetch);
}

static void tell(struct fetch *fetch, enum status status)
{
    struct fetch_answer *answer = &fetch->answer;
    if (answer->status == ST_OK)
        answer->status = status;
    if (!fetch->ask.guarded)
        answer->body = buf_str(&fetch->open);
    else if (fetch->room != NULL)
        answer->body.p = fetch->room;
    fetch->done(fetch->owner, answer);
    release(fetch);
}

/* --- the answer */

static void on_head(void *arg, int http_status, struct str name, struct str value)
{
    struct fetch *fetch = arg;
    (void)http_status;
    if (str_eq_nocase(name, STR("content-type")))
        fetch->answer.type = arena_str(&fetch->arena, value);
}

static void on_head_end(void *arg, int http_status)
{
    ((struct fetch *)arg)->answer.http_status = http_status;
}

static bool charge(struct fetch *fetch)
{
    struct worker *worker = fetch->worker;
    size_t more = fetch->open.room_bytes - fetch->charged;
    if (worker->body_bytes + more > params_u64(worker->params, PARAM_BODY_BUDGET))
        return false;
    worker->body_bytes += more;
    fetch->charged += more;
    return true;
}

static enum status keep(struct fetch *fetch, const char *p, size_t n)
{
    struct str *body = &fetch->answer.body;
    if (fetch->ask.guarded) {
        if (n > fetch->ask.answer_max - body->n)
            return ST_TOO_LARGE;
        memcpy(fetch->room + body->n, p, n);
        body->n += n;
        return ST_OK;
    }
    buf_add(&fetch->open, p, n);
    TRY(buf_status(&fetch->open));
    return charge(fetch) ? ST_OK : ST_OVERLOADED;
}

static bool on_body(void *arg, const char *p, size_t n)
{
    struct fetch *fetch = arg;
    if (fetch->answer.status != ST_OK)
        return true;
    fetch->answer.status = keep(fetch, p, n);
    if (fetch->answer.status != ST_OK)
        loop_defer(fetch->worker->loop, &fetch->over);
    return true;
}

static void on_done(void *arg, enum status status)
{
    struct fetch *fetch = arg;
    fetch->exchange = NULL;
    tell(fetch, status);
}

static const struct upstream_events events = {
    .head = on_head, .head_end = on_head_end, .body = on_body, .done = on_done};

/* --- the way out */

static void take_lines(struct fetch *fetch, struct upstream_request *request)
{
    struct str rest, line;
    if (fetch->ask.secret_lines == NULL)
        return;
    rest = secret_open(fetch->ask.secret_lines);
    while (rest.n > 0 && str_split(&rest, '\n', &line) &&
           request->secret_header_count < COUNT_OF(request->secret_headers))
        if (line.n > 0)
            request->secret_headers[request->secret_header_count++] = line;
}

static enum status start(struct fetch *fetch, const struct name_answer *names)
{
    const struct fetch_ask *ask = &fetch->ask;
    struct netaddr addrs[IPC_ADDRS_MAX];
    struct egress_rules rules = *upstream_egress(fetch->worker->upstream);
    struct str http_hosts = params_str(fetch->worker->params, PARAM_ALLOWED_HTTP_HOSTS);
    size_t count;
    TRY(names->status);
    rules.allowed_private[0] = ask->allowed_private[0];
    rules.allowed_private[1] = ask->allowed_private[1];
    TRY(egress_filter(&rules, names->addrs, names->count, addrs, &count));
    if (!fetch->url.tls && !ask->plain &&
        !egress_may_go_plain(http_hosts, fetch->url.host, addrs, count))
        return ST_EGRESS_DENIED;
    struct upstream_request request = {
        .method = ask->method,
        .url = ask->url.p,
        .host = fetch->url.host,
        .port = fetch->url.port,
        .org = ask->org,
        .addrs = addrs,
        .addr_count = count,
        .addr_version = names->version,
        .headers = ask->headers,
        .header_count = ask->header_count,
        .stream_length = -2,
        .times = {.connect_ms = ask->timeout_ms,
                  .first_byte_ms = ask->timeout_ms,
                  .idle_ms = ask->timeout_ms,
                  .total_ms = ask->timeout_ms}};
    fetch->opened = true;
    if (ask->body != NULL)
        request.body = secret_open(ask->body);
    if (fetch->guarded != NULL)
        fetch->room = secret_open_write(fetch->guarded);
    take_lines(fetch, &request);
    enum status status =
        upstream_start(fetch->worker->upstream, &request, &events, fetch, &fetch->exchange);
    if (ask->secret_lines != NULL)
        secret_close(ask->secret_lines); /* libcurl has its copy, which upstream.c wipes */
    return status;
}

/* ST_AGAIN: the name is asked for. */
static enum status go(struct fetch *fetch)
{
    const struct name_answer *names;
    TRY(names_get(fetch->worker->names, fetch->url.host, &fetch->wait, &names));
    return start(fetch, names);
}

static void name_found(struct name_wait *wait)
{
    struct fetch *fetch = wait->owner;
    enum status status = go(fetch);
    if (status != ST_OK && status != ST_AGAIN)
        tell(fetch, status);
}

/* It failed where its owner could not be told at once. */
static void give_up(struct loop_job *job)
{
    struct fetch *fetch = job->owner;
    if (fetch->exchange != NULL)
        upstream_cancel(fetch->exchange);
    fetch->exchange = NULL;
    tell(fetch, ST_INTERNAL);
}

/* --- beginning */

static enum status copy_headers(struct fetch *fetch, const struct fetch_ask *ask)
{
    struct upstream_header *headers =
        arena_calloc(&fetch->arena, ask->header_count + 1, sizeof *headers);
    if (headers == NULL || ask->header_count > FETCH_HEADERS_MAX)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < ask->header_count; i++) {
        headers[i].name = arena_str(&fetch->arena, ask->headers[i].name);
        headers[i].value = arena_str(&fetch->arena, ask->headers[i].value);
        if (headers[i].name.p == NULL || headers[i].value.p == NULL)
            return ST_NO_MEMORY;
    }
    fetch->ask.headers = headers;
    return ST_OK;
}

static enum status copy(struct fetch *fetch, const struct fetch_ask *ask)
{
    const struct egress_rules *rules = upstream_egress(fetch->worker->upstream);
    const char *url = arena_cstr(&fetch->arena, ask->url);
    if (url == NULL)
        return ST_NO_MEMORY;
    fetch->ask.url = str_of(url, ask->url.n);
    fetch->ask.hosts = STR_NONE; /* needed here only */
    fetch->ask.allowed_private[1] = arena_str(&fetch->arena, ask->allowed_private[1]);
    TRY(copy_headers(fetch, ask));
    TRY(url_split(fetch->ask.url, &fetch->url));
    if (ask->hosts.n > 0 && !url_host_is_among(ask->hosts, fetch->url.host, fetch->url.port))
        return ST_INVALID;
    TRY(egress_check_port(rules, fetch->url.port));
    return ask->guarded ? secret_new(ask->answer_max, &fetch->guarded) : ST_OK;
}

enum status fetch_begin(struct worker *worker, const struct fetch_ask *ask, fetch_done done,
                        void *owner, struct fetch **out)
{
    struct fetch *fetch = running < FETCH_RUNNING_MAX ? calloc(1, sizeof *fetch) : NULL;
    if (fetch == NULL) {
        secret_free(ask->body);
        secret_free(ask->secret_lines);
        return ST_OVERLOADED;
    }
    running++;
    CHECK(!ask->guarded || ask->answer_max <= FETCH_GUARDED_MAX);
    fetch->worker = worker;
    fetch->ask = *ask;
    fetch->done = done;
    fetch->owner = owner;
    fetch->wait = (struct name_wait){.done = name_found, .owner = fetch};
    fetch->over = (struct loop_job){.run = give_up, .owner = fetch};
    arena_init(&fetch->arena, ARENA_MAX);
    buf_init(&fetch->open, ask->answer_max);
    enum status status = copy(fetch, ask);
    if (status != ST_OK) {
        release(fetch);
        return status;
    }
    *out = fetch;
    status = go(fetch);
    if (status != ST_OK && status != ST_AGAIN) {
        fetch->answer.status = status;
        loop_defer(worker->loop, &fetch->over);
    }
    return ST_OK;
}
