/* front.h: everything between a worker's listening sockets and its requests: settings, memory, the
 * set of connections, drain.
 *
 * One per worker, one thread. Owner of every connection (conn.h) and listener (listener.h).
 * Settings are read once; a change of configuration is a new worker. Limits: connections_max
 * connections (then accepting stops until one ends); memory per connection is stated in
 * conn_internal.h.
 */
#ifndef SLUICE_DATA_WORKER_FRONT_H
#define SLUICE_DATA_WORKER_FRONT_H

#include "common/params.h"
#include "data-plane/worker/loop.h"

#define FRONT_LISTENERS_MAX 16

struct worker;
struct front;
struct tls_server;

struct front_settings {
    int64_t head_timeout_ms;      /* a request head, a TLS handshake, a PROXY header */
    int64_t body_grace_ms;        /* every window of twice this must bring one grace's worth of
                                     body_min_rate */
    uint64_t body_min_rate;       /* bytes per second */
    int64_t keepalive_timeout_ms; /* idle connection */
    int64_t send_timeout_ms;      /* a client that takes no byte */
    uint64_t inflate_max_bytes;   /* one gzip body, inflated */
    size_t connections_max;
    bool proxy_protocol;    /* PROXY v2 is expected from trusted_proxies */
    bool serve_half_closed; /* a FIN behind a request is not taken for the client's end (conn.c) */
    struct str trusted_proxies; /* comma lists, borrowed for the front's life */
    struct str cors_origins;
};

/* What params.def says. */
void front_settings_from(const struct params *params, struct front_settings *settings);

/* Takes listening, non-blocking descriptors and starts accepting on them; `tls` (borrowed, may be
 * NULL) applies to all. Stores the front in worker->front before anything can call it.
 * ST_NO_MEMORY, ST_IO. */
MUST_USE enum status front_open(struct worker *worker, const struct front_settings *settings,
                                const int *listener_fds, size_t listener_count,
                                struct tls_server *tls, struct front **front);
/* Ends every connection at once (requests hear req_client_gone) and closes the listeners. No call
 * may be on the stack. */
void front_close(struct front *front);
/* Stops accepting, closes idle connections; the others get `Connection: close` with their reply.
 * Once is enough. */
void front_drain(struct front *front);
/* Closes the listeners for good: nobody will accept on them again, so who connects is refused instead
 * of left waiting. Behind front_drain. Once is enough. */
void front_close_listeners(struct front *front);
/* Every connection ends at the end of the turn; requests hear req_client_gone now. From timers,
 * jobs and events only. */
void front_abort(struct front *front);
size_t front_connections(const struct front *front);

#endif
