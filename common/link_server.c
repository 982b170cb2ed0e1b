/* link_server.c: the control plane's end: contexts that receive, threads that handle.
 *
 * One context of the server:
 *
 *   RECEIVING -message-> QUEUED -thread-> HANDED -reply-> SENDING -sent-> RECEIVING
 *                                             `--drop----------------------^
 * At least LINK_SPARE contexts are kept RECEIVING beyond those parked; contexts are added on demand
 * up to parked_max + LINK_SPARE.
 *
 * An nng callback only moves a context between states; handlers run on our threads. Requests that
 * waited longer than a client waits are dropped: answering them would only keep both sides busy.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/link_internal.h"
#include "common/log.h"

#define LINK_SERVER_MAGIC  0x4c4b5356u
#define LINK_REQUEST_MAGIC 0x4c4b5251u
#define LINK_SPARE         16u
#define LINK_THREADS_MAX   64u
#define LINK_QUEUE_MAX_MS  ((int64_t)LINK_TIMEOUT_EXTRA_MS)

enum link_state { LINK_RECEIVING, LINK_QUEUED, LINK_HANDED, LINK_SENDING };

struct link_request {
    uint32_t magic;
    struct link_server *server;
    enum link_state state; /* moves with the context; the lock orders QUEUED and RECEIVING */
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

static enum status link_server_listen(struct link_server *server,
                                      const struct link_server_options *options)
{
    nng_tls_config *tls = NULL;
    int port = 0;
    TRY(link_tls(true, &options->identity, &tls));
    int rv = 0;
    if (server->gone != NULL)
        rv = nng_pipe_notify(server->socket, NNG_PIPE_EV_REM_POST, link_server_pipe, server);
    LINK_STEP(rv, nng_listener_create(&server->listener, server->socket, options->url));
    LINK_STEP(rv, nng_listener_set_ptr(server->listener, NNG_OPT_TLS_CONFIG, tls));
    LINK_STEP(rv, nng_listener_set_size(server->listener, NNG_OPT_RECVMAXSZ,
                                        LINK_MAX_BYTES + LINK_HEADER_BYTES));
    LINK_STEP(rv, nng_listener_start(server->listener, 0));
    LINK_STEP(rv, nng_listener_get_int(server->listener, NNG_OPT_TCP_BOUND_PORT, &port));
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

enum status link_server_start(const struct link_server_options *options,
                              struct link_server **server)
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
    if (wire.n > LINK_MAX_BYTES || nng_msg_alloc(&reply, 0) != 0 ||
        nng_msg_append(reply, wire.p, wire.n) != 0) {
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
