/* link_client.c: the courier's end: one dialer that connects for ever, and calls that wait for
 * their reply.
 *
 * Each call has a context of its own, opened at its first use and kept. A call that is interrupted
 * or runs out of time leaves its context reusable: sending on it again cancels what was open.
 *
 * A connection can be dead without anybody being told (a firewall forgot it, a cable is out): TCP
 * then tries for a quarter of an hour. So when a call has waited LINK_DEAD_MS or longer and nothing
 * at all came back meanwhile, the connection is given up and a new one made.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/link_internal.h"
#include "common/log.h"

#define LINK_CLIENT_MAGIC 0x4c4b434cu

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
    nng_pipe pipe;    /* the newest */
    int64_t heard_ms; /* monotonic: it was made, or the last reply came */
    struct link_call calls[LINK_CLIENT_CALLS_MAX];
};

static void link_client_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct link_client *client = arg;
    pthread_mutex_lock(&client->lock);
    client->pipes += event == NNG_PIPE_EV_ADD_POST ? 1 : -1;
    if (event == NNG_PIPE_EV_ADD_POST) {
        client->pipe = pipe;
        client->heard_ms = clock_mono_ms();
    }
    if (client->state != NULL)
        client->state(client->arg, client->pipes > 0);
    pthread_mutex_unlock(&client->lock);
}

static int link_client_dial(struct link_client *client, const char *url, nng_tls_config *tls)
{
    nng_dialer dialer;
    int rv = nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    LINK_STEP(rv, nng_pipe_notify(client->socket, NNG_PIPE_EV_ADD_POST, link_client_pipe, client));
    LINK_STEP(rv, nng_pipe_notify(client->socket, NNG_PIPE_EV_REM_POST, link_client_pipe, client));
    LINK_STEP(rv, nng_dialer_create(&dialer, client->socket, url));
    LINK_STEP(rv, nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, tls));
    LINK_STEP(rv,
              nng_dialer_set_size(dialer, NNG_OPT_RECVMAXSZ, LINK_MAX_BYTES + LINK_HEADER_BYTES));
    LINK_STEP(rv, nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, LINK_RECONNECT_MIN_MS));
    LINK_STEP(rv, nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, LINK_RECONNECT_MAX_MS));
    LINK_STEP(rv, nng_dialer_start(dialer, NNG_FLAG_NONBLOCK));
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

enum status link_client_open(const char *url, const struct link_identity *identity,
                             link_state_fn state, void *arg, struct link_client **client)
{
    nng_tls_config *tls = NULL;
    if (url == NULL || strncmp(url, "tls+tcp://", 10) != 0)
        return ST_INVALID;
    TRY(link_tls(false, identity, &tls));
    struct link_client *c = calloc(1, sizeof *c);
    enum status status = ST_NO_MEMORY;
    if (c == NULL)
        goto out;
    c->magic = LINK_CLIENT_MAGIC;
    c->state = state;
    c->arg = arg;
    pthread_mutex_init(&c->lock, NULL);
    int rv = nng_req0_open(&c->socket);
    LINK_STEP(rv, link_client_dial(c, url, tls));
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

/* Takes a free context, opened at its first use and kept: contexts are never closed while the
 * client lives. */
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

/* Begins an operation unless the client was interrupted: both under one lock, so that none slips
 * through. */
static void link_call_begin(struct link_client *client, struct link_call *call, bool send,
                            int64_t deadline_ms)
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

/* A call that began at `since_ms` got nothing: if nothing came for anybody since, the connection is
 * taken for dead. */
static void link_client_suspect(struct link_client *client, int64_t since_ms)
{
    pthread_mutex_lock(&client->lock);
    bool dead = client->pipes > 0 && client->heard_ms <= since_ms;
    nng_pipe pipe = client->pipe;
    pthread_mutex_unlock(&client->lock);
    if (!dead)
        return;
    log_warn("link_silent", LOG_I64("since_ms", clock_mono_ms() - since_ms));
    nng_pipe_close(pipe);
}

static void link_client_heard(struct link_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->heard_ms = clock_mono_ms();
    pthread_mutex_unlock(&client->lock);
}

static enum status link_call_run(struct link_client *client, struct link_call *call,
                                 struct str request, unsigned timeout_ms, nng_msg **reply)
{
    int64_t began_ms = clock_mono_ms(), deadline_ms = began_ms + timeout_ms;
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
    if (rv == 0) {
        *reply = nng_aio_get_msg(call->aio);
        link_client_heard(client);
    } else if (rv == NNG_ETIMEDOUT && timeout_ms >= LINK_DEAD_MS) {
        link_client_suspect(client, began_ms);
    }
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
