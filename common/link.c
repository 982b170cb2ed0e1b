/* link.c: the only file that includes nng. Packaged version: 1.5.2 with mbedTLS 2.28 (reliability.md M1-M6, section 5).
 *
 * What is kept here because nng does not keep it:
 *   - req/rep with contexts only. sub0 crashes and pub0 drops in this version.
 *   - RESENDTIME is -1: the default sends a request again after 60 s. Retry belongs to the caller, with jitter.
 *   - RECVMAXSZ is set (default: unlimited), and TLS auth is REQUIRED on both sides (default of a listener: none).
 *   - mbedTLS 2.28 compares no IP addresses of a certificate, so the server's name is fixed (LINK_SERVER_NAME).
 *   - An nng callback only moves a context between states; handlers run on our threads.
 *   - A client with a timeout shorter than the server's queue livelocks both: requests that waited too long are dropped.
 *   - Sockets that ever had a connection are never closed: closing them races inside nng (use-after-free until 1.6; a close while
 *     replies are under way hung 26 of 60 times here). They end with the process.
 *
 * One context of the server:
 *
 *   RECEIVING -message-> QUEUED -thread-> HANDED -reply-> SENDING -sent-> RECEIVING
 *                                             `--drop----------------------^
 * At least LINK_SPARE contexts are kept RECEIVING beyond those parked; contexts are added on demand up to parked_max + LINK_SPARE.
 */
#include "common/link.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"

#define LINK_SERVER_MAGIC  0x4c4b5356u
#define LINK_REQUEST_MAGIC 0x4c4b5251u
#define LINK_CLIENT_MAGIC  0x4c4b434cu
#define LINK_SPARE         16u
#define LINK_HEADER_BYTES  64u /* room for nng's own request ids, which count as part of a message */
#define LINK_THREADS_MAX   64u
#define LINK_QUEUE_MAX_MS  ((int64_t)LINK_TIMEOUT_EXTRA_MS)

enum link_state { LINK_RECEIVING, LINK_QUEUED, LINK_HANDED, LINK_SENDING };

struct link_request {
    uint32_t magic;
    struct link_server *server;
    enum link_state state; /* moves with the context; the server's lock orders QUEUED and RECEIVING */
    nng_ctx ctx;
    nng_aio *aio;
    nng_msg *msg;
    int64_t received_ms;
    bool may_park;
    struct link_request *next_queued, *next;
};

struct link_server {
    uint32_t magic;
    nng_socket socket;
    nng_listener listener;
    uint16_t port;
    link_handler handler;
    void (*gone)(void *arg, uint32_t peer);
    void *arg;
    unsigned parked_max;
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t wake;
    struct link_request *requests;
    struct link_request *queue_first, **queue_last;
    unsigned count, receiving;
    bool stopping;
    pthread_t threads[LINK_THREADS_MAX];
    unsigned thread_count;
};

struct link_call {
    nng_ctx ctx;
    nng_aio *aio;
    bool open, busy;
};

struct link_client {
    uint32_t magic;
    nng_socket socket;
    link_state_fn state;
    void *arg;
    pthread_mutex_t lock; /* guards everything below */
    bool interrupted;
    int pipes;
    struct link_call calls[LINK_CLIENT_CALLS_MAX];
};

static enum status link_status(int rv)
{
    switch (rv) {
    case 0:
        return ST_OK;
    case NNG_ENOMEM:
        return ST_NO_MEMORY;
    case NNG_EADDRINUSE:
        return ST_CONFLICT;
    case NNG_EINVAL:
    case NNG_EADDRINVAL:
    case NNG_ECRYPTO:
    case NNG_ENOTSUP:
        return ST_INVALID;
    case NNG_ETIMEDOUT:
        return ST_CONTROL_AWAY;
    case NNG_EMSGSIZE:
        return ST_TOO_LARGE;
    case NNG_ECLOSED:
    case NNG_ECANCELED:
        return ST_CLOSED;
    default:
        return ST_IO;
    }
}

/* Mutual TLS 1.2 or newer with our CA and nobody else's. gives. */
static enum status link_tls(enum nng_tls_mode mode, const struct link_identity *id, nng_tls_config **config)
{
    nng_tls_config *tls = NULL;
    int rv = nng_tls_config_alloc(&tls, mode);
    if (rv == 0)
        rv = nng_tls_config_auth_mode(tls, NNG_TLS_AUTH_MODE_REQUIRED);
    if (rv == 0)
        rv = nng_tls_config_ca_chain(tls, id->ca_pem, NULL);
    if (rv == 0)
        rv = nng_tls_config_own_cert(tls, id->cert_pem, id->key_pem, NULL);
    if (rv == 0)
        rv = nng_tls_config_version(tls, NNG_TLS_1_2, NNG_TLS_1_2);
    if (rv == 0 && mode == NNG_TLS_MODE_CLIENT)
        rv = nng_tls_config_server_name(tls, LINK_SERVER_NAME);
    if (rv != 0) {
        if (tls != NULL)
            nng_tls_config_free(tls);
        return rv == NNG_ENOMEM ? ST_NO_MEMORY : ST_INVALID;
    }
    *config = tls;
    return ST_OK;
}

/* --- server --------------------------------------------------------------------------------------- */

static void link_receive(struct link_request *request)
{
    struct link_server *server = request->server;
    pthread_mutex_lock(&server->lock);
    request->state = LINK_RECEIVING;
    server->receiving++;
    pthread_mutex_unlock(&server->lock);
    nng_ctx_recv(request->ctx, request->aio);
}

/* The callback of a context's aio: a message came, or a reply went. */
static void link_turn(void *arg)
{
    struct link_request *request = arg;
    struct link_server *server = request->server;
    int rv = nng_aio_result(request->aio);
    if (request->state == LINK_SENDING) {
        if (rv != 0)
            nng_msg_free(nng_aio_get_msg(request->aio));
        if (rv != NNG_ECLOSED && rv != NNG_ECANCELED)
            link_receive(request);
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->receiving--;
    if (rv == 0) {
        request->msg = nng_aio_get_msg(request->aio);
        request->received_ms = clock_mono_ms();
        request->state = LINK_QUEUED;
        request->next_queued = NULL;
        *server->queue_last = request;
        server->queue_last = &request->next_queued;
        pthread_cond_signal(&server->wake);
    }
    pthread_mutex_unlock(&server->lock);
}

/* Opens one more context and lets it receive. The caller has counted it. */
static enum status link_request_open(struct link_server *server)
{
    struct link_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return ST_NO_MEMORY;
    request->magic = LINK_REQUEST_MAGIC;
    request->server = server;
    int rv = nng_ctx_open(&request->ctx, server->socket);
    if (rv == 0 && (rv = nng_aio_alloc(&request->aio, link_turn, request)) != 0)
        nng_ctx_close(request->ctx);
    if (rv != 0) {
        free(request);
        return link_status(rv);
    }
    pthread_mutex_lock(&server->lock);
    request->next = server->requests;
    server->requests = request;
    pthread_mutex_unlock(&server->lock);
    link_receive(request);
    return ST_OK;
}

/* With the lock held; gives it back for the time of opening. */
static void link_keep_spare(struct link_server *server)
{
    while (!server->stopping && server->receiving < LINK_SPARE &&
           server->count < server->parked_max + LINK_SPARE) {
        server->count++;
        pthread_mutex_unlock(&server->lock);
        enum status status = link_request_open(server);
        pthread_mutex_lock(&server->lock);
        if (status != ST_OK) {
            server->count--;
            log_error("link_context_failed", LOG_STATUS(status));
            return;
        }
    }
}

static void *link_thread(void *arg)
{
    struct link_server *server = arg;
    pthread_mutex_lock(&server->lock);
    for (;;) {
        while (server->queue_first == NULL && !server->stopping)
            pthread_cond_wait(&server->wake, &server->lock);
        if (server->stopping)
            break;
        struct link_request *request = server->queue_first;
        server->queue_first = request->next_queued;
        if (server->queue_first == NULL)
            server->queue_last = &server->queue_first;
        request->state = LINK_HANDED;
        link_keep_spare(server);
        request->may_park = server->receiving >= LINK_SPARE;
        pthread_mutex_unlock(&server->lock);
        if (clock_mono_ms() - request->received_ms > LINK_QUEUE_MAX_MS)
            link_request_drop(request);
        else
            server->handler(server->arg, request);
        pthread_mutex_lock(&server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void link_server_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct link_server *server = arg;
    (void)event;
    server->gone(server->arg, (uint32_t)nng_pipe_id(pipe));
}

static enum status link_server_listen(struct link_server *server, const struct link_server_options *options)
{
    nng_tls_config *tls = NULL;
    int port = 0;
    TRY(link_tls(NNG_TLS_MODE_SERVER, &options->identity, &tls));
    int rv = 0;
    if (server->gone != NULL)
        rv = nng_pipe_notify(server->socket, NNG_PIPE_EV_REM_POST, link_server_pipe, server);
    if (rv == 0)
        rv = nng_listener_create(&server->listener, server->socket, options->url);
    if (rv == 0)
        rv = nng_listener_set_ptr(server->listener, NNG_OPT_TLS_CONFIG, tls);
    if (rv == 0)
        rv = nng_listener_set_size(server->listener, NNG_OPT_RECVMAXSZ, LINK_MAX_BYTES + LINK_HEADER_BYTES);
    if (rv == 0)
        rv = nng_listener_start(server->listener, 0);
    if (rv == 0)
        rv = nng_listener_get_int(server->listener, NNG_OPT_TCP_BOUND_PORT, &port);
    nng_tls_config_free(tls);
    server->port = (uint16_t)port;
    return link_status(rv);
}

/* Our threads take no signals: those belong to the main thread. */
static enum status link_server_threads(struct link_server *server, unsigned wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    enum status status = ST_OK;
    while (server->thread_count < wanted && status == ST_OK) {
        if (pthread_create(&server->threads[server->thread_count], NULL, link_thread, server) != 0)
            status = ST_NO_MEMORY;
        else
            server->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* Takes down a server that never listened, so never had a connection. */
static void link_server_abandon(struct link_server *server)
{
    link_server_stop(server);
    if (nng_socket_id(server->socket) > 0)
        nng_close(server->socket);
    for (struct link_request *request = server->requests, *next; request != NULL; request = next) {
        next = request->next;
        nng_aio_stop(request->aio);
        nng_aio_free(request->aio);
        free(request);
    }
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

enum status link_server_start(const struct link_server_options *options, struct link_server **server)
{
    if (options->url == NULL || strncmp(options->url, "tls+tcp://", 10) != 0)
        return ST_INVALID;
    struct link_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return ST_NO_MEMORY;
    s->magic = LINK_SERVER_MAGIC;
    s->handler = options->handler;
    s->gone = options->gone;
    s->arg = options->arg;
    s->parked_max = options->parked_max != 0 ? options->parked_max : 4096;
    s->queue_last = &s->queue_first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    unsigned threads = options->threads != 0 ? options->threads : 4;
    int rv = nng_rep0_open(&s->socket);
    enum status status = link_status(rv);
    if (rv == 0) {
        pthread_mutex_lock(&s->lock);
        link_keep_spare(s);
        status = s->count == LINK_SPARE ? ST_OK : ST_NO_MEMORY;
        pthread_mutex_unlock(&s->lock);
    }
    if (status == ST_OK)
        status = link_server_threads(s, threads < LINK_THREADS_MAX ? threads : LINK_THREADS_MAX);
    if (status == ST_OK)
        status = link_server_listen(s, options);
    if (status != ST_OK) {
        link_server_abandon(s);
        return status;
    }
    *server = s;
    return ST_OK;
}

uint16_t link_server_port(const struct link_server *server)
{
    CHECK_OBJ(server, LINK_SERVER_MAGIC);
    return server->port;
}

void link_server_stop(struct link_server *server)
{
    if (server == NULL)
        return;
    CHECK_OBJ(server, LINK_SERVER_MAGIC);
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->wake);
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < server->thread_count; i++)
        pthread_join(server->threads[i], NULL);
    server->thread_count = 0;
}

struct str link_request_wire(const struct link_request *request)
{
    CHECK_OBJ(request, LINK_REQUEST_MAGIC);
    return str_of(nng_msg_body(request->msg), nng_msg_len(request->msg));
}

uint32_t link_request_peer(const struct link_request *request)
{
    CHECK_OBJ(request, LINK_REQUEST_MAGIC);
    return (uint32_t)nng_pipe_id(nng_msg_get_pipe(request->msg));
}

bool link_request_may_park(const struct link_request *request)
{
    CHECK_OBJ(request, LINK_REQUEST_MAGIC);
    return request->may_park;
}

/* The message of a request that ends; the context goes on. */
static void link_request_forget(struct link_request *request)
{
    CHECK_OBJ(request, LINK_REQUEST_MAGIC);
    CHECK(request->state == LINK_HANDED);
    nng_msg_free(request->msg);
    request->msg = NULL;
}

void link_request_reply(struct link_request *request, struct str wire)
{
    nng_msg *reply = NULL;
    if (wire.n > LINK_MAX_BYTES || nng_msg_alloc(&reply, 0) != 0 || nng_msg_append(reply, wire.p, wire.n) != 0) {
        nng_msg_free(reply);
        log_error("link_reply_dropped", LOG_U64("bytes", wire.n));
        link_request_drop(request);
        return;
    }
    link_request_forget(request);
    request->state = LINK_SENDING;
    nng_aio_set_msg(request->aio, reply);
    nng_ctx_send(request->ctx, request->aio);
}

void link_request_drop(struct link_request *request)
{
    link_request_forget(request);
    link_receive(request);
}

/* --- client --------------------------------------------------------------------------------------- */

static void link_client_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct link_client *client = arg;
    (void)pipe;
    pthread_mutex_lock(&client->lock);
    client->pipes += event == NNG_PIPE_EV_ADD_POST ? 1 : -1;
    if (client->state != NULL)
        client->state(client->arg, client->pipes > 0);
    pthread_mutex_unlock(&client->lock);
}

static int link_client_dial(struct link_client *client, const char *url, nng_tls_config *tls)
{
    nng_dialer dialer;
    int rv = nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    if (rv == 0)
        rv = nng_pipe_notify(client->socket, NNG_PIPE_EV_ADD_POST, link_client_pipe, client);
    if (rv == 0)
        rv = nng_pipe_notify(client->socket, NNG_PIPE_EV_REM_POST, link_client_pipe, client);
    if (rv == 0)
        rv = nng_dialer_create(&dialer, client->socket, url);
    if (rv == 0)
        rv = nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, tls);
    if (rv == 0)
        rv = nng_dialer_set_size(dialer, NNG_OPT_RECVMAXSZ, LINK_MAX_BYTES + LINK_HEADER_BYTES);
    if (rv == 0)
        rv = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, LINK_RECONNECT_MIN_MS);
    if (rv == 0)
        rv = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, LINK_RECONNECT_MAX_MS);
    if (rv == 0)
        rv = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
    return rv;
}

/* Takes down a client that never dialled. */
static void link_client_abandon(struct link_client *client)
{
    if (client == NULL)
        return;
    if (nng_socket_id(client->socket) > 0)
        nng_close(client->socket);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

enum status link_client_open(const char *url, const struct link_identity *identity, link_state_fn state,
                             void *arg, struct link_client **client)
{
    nng_tls_config *tls = NULL;
    if (url == NULL || strncmp(url, "tls+tcp://", 10) != 0)
        return ST_INVALID;
    TRY(link_tls(NNG_TLS_MODE_CLIENT, identity, &tls));
    struct link_client *c = calloc(1, sizeof *c);
    enum status status = ST_NO_MEMORY;
    if (c == NULL)
        goto out;
    c->magic = LINK_CLIENT_MAGIC;
    c->state = state;
    c->arg = arg;
    pthread_mutex_init(&c->lock, NULL);
    int rv = nng_req0_open(&c->socket);
    if (rv == 0)
        rv = link_client_dial(c, url, tls);
    status = link_status(rv);
    if (status == ST_OK)
        TAKE(*client, &c);
out:
    link_client_abandon(c);
    nng_tls_config_free(tls);
    return status;
}

bool link_client_up(struct link_client *client)
{
    CHECK_OBJ(client, LINK_CLIENT_MAGIC);
    pthread_mutex_lock(&client->lock);
    bool up = client->pipes > 0;
    pthread_mutex_unlock(&client->lock);
    return up;
}

/* Takes a free context, opened at its first use and kept: contexts are never closed while the client lives. */
static enum status link_call_take(struct link_client *client, struct link_call **call)
{
    enum status status = ST_OVERLOADED;
    pthread_mutex_lock(&client->lock);
    for (size_t i = 0; i < LINK_CLIENT_CALLS_MAX && status == ST_OVERLOADED; i++) {
        struct link_call *c = &client->calls[i];
        if (c->busy)
            continue;
        int rv = 0;
        if (client->interrupted)
            rv = NNG_ECLOSED;
        else if (!c->open && (rv = nng_ctx_open(&c->ctx, client->socket)) == 0 &&
                 (rv = nng_aio_alloc(&c->aio, NULL, NULL)) != 0)
            nng_ctx_close(c->ctx);
        status = link_status(rv);
        if (rv == 0) {
            c->open = c->busy = true;
            *call = c;
        }
    }
    pthread_mutex_unlock(&client->lock);
    return status;
}

/* Begins an operation unless the client was interrupted: both under one lock, so that none slips through. */
static void link_call_begin(struct link_client *client, struct link_call *call, bool send, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - clock_mono_ms();
    nng_aio_set_timeout(call->aio, left_ms > 1 ? (nng_duration)left_ms : 1);
    pthread_mutex_lock(&client->lock);
    if (send)
        nng_ctx_send(call->ctx, call->aio);
    else
        nng_ctx_recv(call->ctx, call->aio);
    if (client->interrupted)
        nng_aio_abort(call->aio, NNG_ECLOSED);
    pthread_mutex_unlock(&client->lock);
    nng_aio_wait(call->aio);
}

static enum status link_call_run(struct link_client *client, struct link_call *call, struct str request,
                                 unsigned timeout_ms, nng_msg **reply)
{
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    nng_msg *msg = NULL;
    if (nng_msg_alloc(&msg, 0) != 0 || nng_msg_append(msg, request.p, request.n) != 0) {
        nng_msg_free(msg);
        return ST_NO_MEMORY;
    }
    nng_aio_set_msg(call->aio, msg);
    link_call_begin(client, call, true, deadline_ms);
    int rv = nng_aio_result(call->aio);
    if (rv != 0) {
        nng_msg_free(msg);
        return link_status(rv);
    }
    link_call_begin(client, call, false, deadline_ms);
    rv = nng_aio_result(call->aio);
    if (rv == 0)
        *reply = nng_aio_get_msg(call->aio);
    return link_status(rv);
}

enum status link_client_call(struct link_client *client, struct str request, unsigned timeout_ms,
                             struct arena *arena, struct str *reply)
{
    CHECK_OBJ(client, LINK_CLIENT_MAGIC);
    if (request.n > LINK_MAX_BYTES)
        return ST_TOO_LARGE;
    struct link_call *call = NULL;
    TRY(link_call_take(client, &call));
    nng_msg *msg = NULL;
    enum status status = link_call_run(client, call, request, timeout_ms, &msg);
    if (status == ST_OK) {
        struct str copy = arena_str(arena, str_of(nng_msg_body(msg), nng_msg_len(msg)));
        if (copy.p == NULL)
            status = ST_NO_MEMORY;
        else
            *reply = copy;
        nng_msg_free(msg);
    }
    pthread_mutex_lock(&client->lock);
    call->busy = false;
    pthread_mutex_unlock(&client->lock);
    return status;
}

void link_client_interrupt(struct link_client *client)
{
    CHECK_OBJ(client, LINK_CLIENT_MAGIC);
    pthread_mutex_lock(&client->lock);
    client->interrupted = true;
    for (size_t i = 0; i < LINK_CLIENT_CALLS_MAX; i++)
        if (client->calls[i].open)
            nng_aio_abort(client->calls[i].aio, NNG_ECLOSED);
    pthread_mutex_unlock(&client->lock);
}

unsigned link_backoff_ms(unsigned tries)
{
    unsigned top = LINK_RECONNECT_MIN_MS;
    while (tries-- > 0 && top < LINK_RECONNECT_MAX_MS)
        top *= 2;
    return randombytes_uniform(top < LINK_RECONNECT_MAX_MS ? top : LINK_RECONNECT_MAX_MS) + 1;
}
