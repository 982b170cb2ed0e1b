/* conn.c: the life of a client connection: events, deadlines, the end (conn_internal.h draws the
 * states).
 *
 * Why everything ends in conn_turn: requests call into the connection from their own callbacks and
 * the connection calls requests, so nothing may be freed or restarted underneath either. Calls only
 * set state and queue the job; conn_turn then goes on with input, flushes once, arms epoll and the
 * timer, or releases. Invariants: a dead connection has no request; the request hears of its
 * client's end at most once, never from within its own call.
 *
 * A client that leaves. FIN (EPOLLRDHUP) says only that no more will be sent; a client that closed
 * looks exactly like one that did shutdown(SHUT_WR) and still reads. Tokens cost money, so we
 * decide as nginx does: a FIN behind a complete request means the client is gone, its request is
 * cancelled at once, before the first byte of the answer too. `serve_half_closed` decides the other
 * way; then only a reset or a failing write tells. A FIN never cuts off a reply that is already
 * complete, nor a request whose bytes are still in the socket: reading goes on until it finds the
 * end.
 */
#include "data-plane/worker/conn.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include "data-plane/worker/conn_internal.h"
#include "data-plane/worker/proxy_v2.h"

int64_t conn_now(const struct conn *conn)
{
    return loop_now_ns(conn->front->loop);
}

struct loop *conn_loop(struct conn *conn)
{
    return conn->front->loop;
}

void conn_wake(struct conn *conn)
{
    loop_defer(conn->front->loop, &conn->job);
}

void conn_die(struct conn *conn)
{
    CHECK(conn->req == NULL);
    conn->dead = true;
    conn_wake(conn);
}

void conn_lost(struct conn *conn)
{
    if (conn->dead)
        return;
    struct req *req = conn->req;
    conn->req = NULL;
    conn_die(conn);
    if (req != NULL)
        req_client_gone(req);
}

void conn_abort(struct conn *conn)
{
    if (conn->dead)
        return;
    conn->req = NULL;
    if (conn->framing == CONN_FRAMING_CLOSE) {
        /* Only the end of the connection ends this body: an orderly end would make it look
         * complete. */
        conn->reset = true;
        conn_die(conn);
        return;
    }
    /* What is queued still goes out; the end that the framing announced never comes. */
    conn->in = CONN_IN_BROKEN;
    conn->close_after = conn->reply_ended = true;
    conn_wake(conn);
}

static void conn_release(struct conn *conn)
{
    struct front *front = conn->front;
    loop_watch_remove(front->loop, &conn->watch);
    loop_timer_clear(front->loop, &conn->timer);
    loop_defer_cancel(front->loop, &conn->job);
    transport_close(&conn->transport, conn->reset);
    conn_body_free(conn);
    conn_head_free(conn);
    conn_stash_free(conn);
    conn_out_free(conn);
    front_give_conn(front, conn);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static int64_t send_deadline(const struct conn *conn)
{
    return conn->out_bytes == 0 ? INT64_MAX
                                : conn->sent_ns + conn->front->settings.send_timeout_ms * 1000000;
}

/* When the input state at hand has lasted too long. */
static int64_t input_deadline(const struct conn *conn)
{
    const struct front_settings *settings = &conn->front->settings;
    switch ((enum conn_in)conn->in) {
    case CONN_IN_PROXY:
    case CONN_IN_TLS:
        return conn->since_ns + settings->head_timeout_ms * 1000000;
    case CONN_IN_HEAD:
        return conn->since_ns + 1000000 * (conn->stash_end > conn->stash_at
                                               ? settings->head_timeout_ms
                                               : settings->keepalive_timeout_ms);
    case CONN_IN_BODY:
    case CONN_IN_SKIP:
        return conn_wants_input(conn) ? conn->rate_ns + 2 * settings->body_grace_ms * 1000000
                                      : INT64_MAX;
    case CONN_IN_LINGER:
        return conn->since_ns + CONN_LINGER_MS * (int64_t)1000000;
    default:
        return INT64_MAX;
    }
}

static void arm_timer(struct conn *conn)
{
    int64_t due = send_deadline(conn), input = input_deadline(conn), now = conn_now(conn);
    if (input < due)
        due = input;
    /* A timer that is no longer needed is left to fire: it finds nothing, and clearing would cost
     * more. */
    if (due != INT64_MAX)
        loop_timer_set(conn->front->loop, &conn->timer,
                       due <= now ? 0 : (due - now + 999999) / 1000000);
}

/* The client took bytes since the last look, if only out of the kernel's buffer. */
static bool client_took_bytes(struct conn *conn)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    if (getsockopt(conn->transport.fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return false;
    bool more = info.tcpi_bytes_acked > conn->acked_bytes;
    conn->acked_bytes = info.tcpi_bytes_acked;
    return more;
}

static void input_expired(struct conn *conn)
{
    switch ((enum conn_in)conn->in) {
    case CONN_IN_HEAD:
        if (conn->stash_end > conn->stash_at)
            conn_refuse(conn, ST_CLIENT_TIMEOUT, "The request head did not arrive in time.");
        else
            conn_die(conn);
        break;
    case CONN_IN_BODY:
        if (!conn_rate_ok(conn))
            conn_body_fail(conn, ST_CLIENT_TIMEOUT);
        break;
    case CONN_IN_SKIP:
        if (!conn_rate_ok(conn))
            conn_die(conn);
        break;
    default:
        conn_die(conn);
        break;
    }
}

static void conn_expired(struct loop_timer *timer)
{
    struct conn *conn = timer->owner;
    int64_t now = conn_now(conn);
    if (conn->dead)
        return;
    if (send_deadline(conn) <= now) {
        if (client_took_bytes(conn))
            conn->sent_ns = now;
        else
            conn_lost(conn);
    }
    if (!conn->dead && input_deadline(conn) <= now)
        input_expired(conn);
    conn_wake(conn);
}

/* --- before the first request ----------------------------------------------------------------- */

static void enter_head(struct conn *conn)
{
    conn->in = CONN_IN_HEAD;
    conn->since_ns = conn_now(conn);
}

static void go_on_with_tls(struct conn *conn)
{
    enum status status = transport_handshake(&conn->transport);
    if (status == ST_OK)
        enter_head(conn);
    else if (status != ST_AGAIN)
        conn_die(conn);
}

static void after_proxy(struct conn *conn)
{
    conn->in = conn->tls ? CONN_IN_TLS : CONN_IN_HEAD;
    conn->since_ns = conn_now(conn);
}

static void go_on_with_proxy(struct conn *conn)
{
    size_t need = PROXY_V2_FIXED_BYTES;
    for (;;) {
        enum status status = conn_read_exactly(conn, need);
        if (status == ST_AGAIN)
            return;
        if (status == ST_OK)
            status = proxy_v2_parse(conn->stash, conn->stash_end, &need, &conn->peer);
        if (status == ST_OK) {
            conn_stash_free(conn);
            after_proxy(conn);
            return;
        }
        if (status != ST_AGAIN) {
            metrics_add(&conn->front->worker->metrics, M_BAD_HTTP, 1);
            conn_die(conn);
            return;
        }
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void conn_ready(struct loop_watch *watch, uint32_t events)
{
    struct conn *conn = watch->owner;
    if (conn->dead)
        return;
    if (events & (EPOLLERR | EPOLLHUP)) {
        conn_lost(conn);
        return;
    }
    if (conn->in == CONN_IN_PROXY)
        go_on_with_proxy(conn);
    if (conn->in == CONN_IN_TLS)
        go_on_with_tls(conn);
    else if (events & (EPOLLIN | EPOLLRDHUP)) {
        if (conn_wants_input(conn)) {
            conn_read(conn);
        } else {
            conn->in_quiet |= (events & EPOLLIN) != 0;
            conn->peer_fin |= (events & EPOLLRDHUP) != 0;
        }
    }
    conn_wake(conn);
}

static void arm_watch(struct conn *conn)
{
    uint32_t events = conn->peer_fin ? 0 : EPOLLRDHUP;
    if (conn_wants_input(conn))
        conn->in_quiet = false;
    if (!conn->in_quiet)
        events |= EPOLLIN;
    if (conn->out_bytes > 0)
        events |= EPOLLOUT;
    if (conn->in == CONN_IN_TLS)
        events = EPOLLRDHUP | transport_wants(&conn->transport);
    else if (conn->tls && conn_wants_input(conn))
        events |= transport_wants(&conn->transport) & EPOLLOUT;
    if (loop_watch_set(conn->front->loop, &conn->watch, events) != ST_OK)
        conn_lost(conn);
}

/* --- the end of a turn ------------------------------------------------------------------------ */

/* All replies are out and there will be no further request. */
static void finish(struct conn *conn)
{
    if (conn->in == CONN_IN_ENDED || conn->peer_fin) {
        conn_die(conn);
        return;
    }
    /* Closing while unread bytes are in the socket would reset it and could destroy the reply on
     * its way. */
    transport_end(&conn->transport);
    conn->in = CONN_IN_LINGER;
    conn->since_ns = conn_now(conn);
    conn->skip_left = CONN_LINGER_BYTES;
}

static void after_flush(struct conn *conn)
{
    if (conn->write_failed) {
        conn_lost(conn);
        return;
    }
    if (conn->above_high && conn->out_bytes < CONN_OUT_LOW_BYTES) {
        conn->above_high = false;
        if (conn->req != NULL)
            req_writable(conn->req);
    }
    bool idle = conn->in == CONN_IN_HEAD && conn->stash_end == conn->stash_at;
    if (conn->out_bytes == 0 && idle && conn->front->draining)
        conn_die(conn);
    else if (conn->out_bytes == 0 && (conn->in == CONN_IN_FLUSH || conn->in == CONN_IN_ENDED))
        finish(conn);
}

static bool client_left(const struct conn *conn)
{
    return conn->peer_fin && conn->in == CONN_IN_DONE && conn->req != NULL &&
           !conn->front->settings.serve_half_closed;
}

static void conn_turn(struct loop_job *job)
{
    struct conn *conn = job->owner;
    bool more = !conn->dead && conn_progress(conn);
    if (!conn->dead && client_left(conn))
        conn_lost(conn);
    if (!conn->dead && conn->out_bytes > 0 && !conn->write_failed)
        conn_out_flush(conn);
    if (!conn->dead)
        after_flush(conn);
    if (!conn->dead)
        arm_watch(conn);
    if (conn->dead) {
        conn_release(conn);
        return;
    }
    arm_timer(conn);
    if (more)
        conn_wake(conn);
}

enum status conn_accept(struct front *front, int fd, const struct netaddr *peer)
{
    struct transport transport;
    enum status status = transport_open(&transport, fd, front->tls);
    if (status != ST_OK) {
        transport.ssl = NULL;
        transport_close(&transport, true);
        return status;
    }
    struct conn *conn = front_take_conn(front);
    if (conn == NULL) {
        transport_close(&transport, true);
        return front->full ? ST_OVERLOADED : ST_NO_MEMORY;
    }
    conn->transport = transport;
    conn->tls = front->tls != NULL;
    conn->peer = *peer;
    conn->watch = (struct loop_watch){.fd = fd, .ready = conn_ready, .owner = conn};
    conn->timer = (struct loop_timer){.expired = conn_expired, .owner = conn};
    conn->job = (struct loop_job){.run = conn_turn, .owner = conn};
    after_proxy(conn);
    if (front->settings.proxy_protocol && netaddr_in_list(peer, front->settings.trusted_proxies))
        conn->in = CONN_IN_PROXY;
    conn_wake(conn);
    return ST_OK;
}
