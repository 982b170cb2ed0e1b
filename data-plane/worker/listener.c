/* listener.c: accepting (listener.h).
 *
 * Why back-off and not a spare descriptor: at EMFILE the waiting client is better left in the
 * backlog for a few milliseconds than accepted and dropped. Socket options that every connection
 * needs are set once on the listening socket; Linux hands TCP_NODELAY and TCP_NOTSENT_LOWAT down to
 * accepted sockets. Never: accept while the front is full or draining.
 */
#include "data-plane/worker/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/netaddr.h"
#include "data-plane/worker/conn_internal.h"

static void back_off(struct listener *listener, int reason)
{
    if (listener->retry_ms == 0)
        log_warn("accept_paused", LOG_I64("errno", reason));
    listener->retry_ms = listener->retry_ms == 0 ? LISTENER_RETRY_MIN_MS : listener->retry_ms * 2;
    if (listener->retry_ms > LISTENER_RETRY_MAX_MS)
        listener->retry_ms = LISTENER_RETRY_MAX_MS;
    loop_watch_remove(listener->front->loop, &listener->watch);
    loop_timer_set(listener->front->loop, &listener->retry, listener->retry_ms);
}

/* True: try the next one. */
static bool accept_one(struct listener *listener)
{
    struct sockaddr_storage from;
    socklen_t from_bytes = sizeof from;
    int fd =
        accept4(listener->fd, (struct sockaddr *)&from, &from_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return false;
        /* The client of this one left already, or a network error of its own: the next may be well.
         */
        if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO || errno == ENETDOWN ||
            errno == EHOSTUNREACH)
            return true;
        back_off(listener, errno);
        return false;
    }
    listener->retry_ms = 0;
    struct netaddr peer = {0};
    uint16_t port = 0;
    if (netaddr_from_sockaddr((const struct sockaddr *)&from, &peer, &port) != ST_OK)
        peer = (struct netaddr){0};
    enum status status = conn_accept(listener->front, fd, &peer);
    if (status == ST_NO_MEMORY)
        back_off(listener, ENOMEM);
    return status == ST_OK;
}

static void listener_ready(struct loop_watch *watch, uint32_t events)
{
    struct listener *listener = watch->owner;
    (void)events;
    for (int i = 0; i < LISTENER_ACCEPTS_PER_TURN && !listener->paused; i++)
        if (!accept_one(listener))
            break;
}

static void listener_arm(struct listener *listener)
{
    if (loop_watch_set(listener->front->loop, &listener->watch, EPOLLIN) != ST_OK)
        back_off(listener, ENOMEM);
}

static void listener_retry(struct loop_timer *timer)
{
    struct listener *listener = timer->owner;
    if (!listener->paused)
        listener_arm(listener);
}

enum status listener_open(struct listener *listener, struct front *front, int fd)
{
    const int on = 1, unsent = LISTENER_UNSENT_BYTES;
    *listener = (struct listener){
        .front = front,
        .fd = fd,
        .watch = {.fd = fd, .ready = listener_ready, .owner = listener},
        .retry = {.expired = listener_retry, .owner = listener},
    };
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    return loop_watch_set(front->loop, &listener->watch, EPOLLIN);
}

void listener_close(struct listener *listener)
{
    loop_watch_remove(listener->front->loop, &listener->watch);
    loop_timer_clear(listener->front->loop, &listener->retry);
    close(listener->fd);
}

void listener_pause(struct listener *listener)
{
    listener->paused = true;
    loop_watch_remove(listener->front->loop, &listener->watch);
    loop_timer_clear(listener->front->loop, &listener->retry);
}

void listener_resume(struct listener *listener)
{
    if (!listener->paused)
        return;
    listener->paused = false;
    listener_arm(listener);
}
