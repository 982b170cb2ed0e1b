/* transport.c: plain sockets, and the switch between plain and TLS (transport.h).
 *
 * Why one struct and no table of functions: there are two kinds, and a branch on `ssl` is cheaper
 * and easier to follow than an indirect call. Invariant: after ST_AGAIN `wants` names at least one
 * event. Never: block, close a descriptor twice.
 */
#include "data-plane/worker/transport.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum status transport_open(struct transport *transport, int fd, struct tls_server *tls)
{
    *transport = (struct transport){.fd = fd, .wants = EPOLLIN};
    return tls == NULL ? ST_OK : tls_open(transport, tls);
}

void transport_close(struct transport *transport, bool reset)
{
    if (transport->fd < 0)
        return;
    if (transport->ssl != NULL)
        tls_close(transport);
    if (reset) {
        const struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(transport->fd);
    transport->fd = -1;
}

enum status transport_handshake(struct transport *transport)
{
    return transport->ssl == NULL ? ST_OK : tls_handshake(transport);
}

static enum status again_or_closed(struct transport *transport, uint32_t wants)
{
    transport->wants = wants;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? ST_AGAIN : ST_CLOSED;
}

enum status transport_read(struct transport *transport, char *p, size_t n, size_t *got)
{
    if (transport->ssl != NULL)
        return tls_read(transport, p, n, got);
    ssize_t count = recv(transport->fd, p, n, 0);
    if (count < 0)
        return again_or_closed(transport, EPOLLIN);
    if (count == 0)
        return ST_END;
    *got = (size_t)count;
    return ST_OK;
}

static enum status plain_write(struct transport *transport, const struct iovec *parts, size_t count,
                               size_t *put)
{
    /* Not sendmsg: the sandbox refuses it, for it could carry an address. SIGPIPE is ignored
     * (worker.c). */
    ssize_t sent = writev(transport->fd, parts, (int)count);
    if (sent < 0)
        return again_or_closed(transport, EPOLLOUT);
    *put = (size_t)sent;
    return ST_OK;
}

enum status transport_write(struct transport *transport, const struct iovec *parts, size_t count,
                            size_t *put)
{
    if (transport->ssl == NULL)
        return plain_write(transport, parts, count, put);
    *put = 0;
    for (size_t i = 0; i < count; i++) {
        size_t some = 0;
        enum status status = tls_write(transport, parts[i].iov_base, parts[i].iov_len, &some);
        if (status != ST_OK)
            return *put > 0 && status == ST_AGAIN ? ST_OK : status;
        *put += some;
        if (some < parts[i].iov_len)
            break;
    }
    return ST_OK;
}

void transport_end(struct transport *transport)
{
    if (transport->ssl != NULL)
        tls_end(transport);
    (void)shutdown(transport->fd, SHUT_WR);
}

enum status transport_discard(struct transport *transport, size_t n, size_t *got)
{
    /* With MSG_TRUNC and no room TCP drops the bytes without copying them. */
    ssize_t count = recv(transport->fd, NULL, n, MSG_TRUNC);
    if (count < 0)
        return again_or_closed(transport, EPOLLIN);
    if (count == 0)
        return ST_END;
    *got = (size_t)count;
    return ST_OK;
}

size_t transport_pending(const struct transport *transport)
{
    return transport->ssl == NULL ? 0 : tls_pending(transport);
}
