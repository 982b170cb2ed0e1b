/* transport.h: the bytes of one client connection, plain or inside TLS, without blocking.
 *
 * Embedded in its connection, which owns it; the descriptor belongs to the transport from
 * transport_open to transport_close. One thread. An operation that cannot go on answers ST_AGAIN,
 * and transport_wants tells which epoll events to wait for. ST_CLOSED means that the connection is
 * broken; nothing but transport_close may follow. TLS: OpenSSL, 1.2 and 1.3, http/1.1 by ALPN; no
 * compression, no renegotiation; buffers are given back while idle. Certificates are read when a
 * worker starts, before its sandbox locks: after a SIGHUP the master starts new workers and lets
 * the old ones drain, so no worker ever needs a file again.
 */
#ifndef SLUICE_DATA_WORKER_TRANSPORT_H
#define SLUICE_DATA_WORKER_TRANSPORT_H

#include <sys/uio.h>

#include "common/str.h"

struct ssl_st;
struct tls_server; /* certificate and rules, shared by all connections of a listener */

struct transport {
    int fd;
    struct ssl_st *ssl; /* NULL: plain */
    uint32_t wants;     /* epoll events the last ST_AGAIN waits for */
};

/* Reads a PEM chain and its PEM key (n bytes, wiped by the caller). ST_INVALID: no usable pair
 * (logged). */
MUST_USE enum status tls_server_new(const char *chain_path, struct str key_pem,
                                    struct tls_server **tls);
void tls_server_free(struct tls_server *tls);

/* takes the descriptor (non-blocking). `tls` NULL: plain; borrowed until close. ST_NO_MEMORY (the
 * descriptor stays the caller's). */
MUST_USE enum status transport_open(struct transport *transport, int fd, struct tls_server *tls);
/* Ends both directions. `reset`: the peer must not take what it has for the whole (RST instead of
 * FIN). */
void transport_close(struct transport *transport, bool reset);

/* ST_OK: the TLS handshake is complete (plain: always). ST_AGAIN, ST_CLOSED. */
MUST_USE enum status transport_handshake(struct transport *transport);
/* 1..n bytes. ST_AGAIN: none now. ST_END: the peer has ended its direction. ST_CLOSED. */
MUST_USE enum status transport_read(struct transport *transport, char *p, size_t n, size_t *got);
/* As many bytes as go now, *put > 0. ST_AGAIN, ST_CLOSED. */
MUST_USE enum status transport_write(struct transport *transport, const struct iovec *parts,
                                     size_t count, size_t *put);
/* Tells the peer that nothing more comes (close_notify, FIN). Best effort. */
void transport_end(struct transport *transport);
/* Reads and throws away up to n bytes below TLS. ST_AGAIN: none now. ST_END, ST_CLOSED. */
MUST_USE enum status transport_discard(struct transport *transport, size_t n, size_t *got);

/* Bytes that were read from the socket already and that epoll therefore does not know of. */
size_t transport_pending(const struct transport *transport);
/* EPOLLIN or EPOLLOUT of the last ST_AGAIN; a TLS read may have to wait for writing, and the other
 * way round. */
static inline uint32_t transport_wants(const struct transport *transport)
{
    return transport->wants;
}

/* transport_tls.c, for transport.c */
MUST_USE enum status tls_open(struct transport *transport, struct tls_server *tls);
void tls_close(struct transport *transport);
MUST_USE enum status tls_handshake(struct transport *transport);
MUST_USE enum status tls_read(struct transport *transport, char *p, size_t n, size_t *got);
MUST_USE enum status tls_write(struct transport *transport, const char *p, size_t n, size_t *put);
void tls_end(struct transport *transport);
size_t tls_pending(const struct transport *transport);

#endif
