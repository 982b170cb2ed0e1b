/* server.h: the admin listener. The only part that knows the HTTP library (civetweb).
 *
 * Owner: server_start gives, server_stop releases and joins every thread. Plain HTTP on a loopback
 * address; any other address needs TLS (tls_front.h stands in front then) or an explicit
 * insecure_bind. `handle` runs on one of `threads` library threads at a time per connection and
 * must not keep pointers into the request. Limits: head 16 KiB, body as `body_max` says, body
 * deadline SERVER_BODY_MS, `threads` requests at once, the rest queues.
 */
#ifndef SLUICE_CONTROL_HTTP_SERVER_H
#define SLUICE_CONTROL_HTTP_SERVER_H

#include "control-plane/http/request.h"

#define SERVER_HEAD_MAX_BYTES 16384
#define SERVER_BODY_MS        20000

struct server;

struct server_options {
    struct str addresses; /* comma list of IPv4 and IPv6 literals */
    uint16_t port;        /* 0: any free one (of the first address), see server_port */
    unsigned threads;     /* 4 to 128 */
    unsigned timeout_ms;  /* for a head, and between two reads of a body */
    bool insecure_bind;   /* allow a non-loopback address without TLS */
    /* Largest body of this request (method, path, query and headers are set). */
    size_t (*body_max)(void *arg, const struct http_request *request);
    /* Answers; the reply is prepared with status 500 and an empty object. */
    void (*handle)(void *arg, struct http_request *request, struct http_reply *reply);
    /* The real client behind a local forwarder's connection from `port`; false: the connection's
     * own. May be NULL. */
    bool (*peer_of)(void *peers, uint16_t port, char address[64]);
    void *peers;
    void *arg;
};

/* ST_FORBIDDEN: non-loopback address without insecure_bind. ST_IO: cannot listen. ST_NO_MEMORY. */
MUST_USE enum status server_start(const struct server_options *options, struct server **server);
/* Refuses new connections, waits for the running handlers (they are bounded by their own
 * deadlines). NULL is fine. */
void server_stop(struct server *server);
/* The port it listens on. */
uint16_t server_port(const struct server *server);

/* True for 127.0.0.0/8, ::1 and "localhost". */
bool server_is_loopback(struct str address);

#endif
