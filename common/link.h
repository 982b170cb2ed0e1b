/* link.h: requests and replies between the planes: nng req/rep over mutual TLS (ARCHITECTURE
 * section 4).
 *
 * This layer moves whole messages of at most FRAME_MAX_BYTES and knows nothing of their meaning
 * (frame.h). TLS admits only holders of a certificate of our CA; the server is known by the fixed
 * name LINK_SERVER_NAME, not by its address. Delivery: a request reaches the handler once or more
 * (nng sends again after a lost connection), the reply at most once: so every request is
 * idempotent. A process that opens a link has nng's threads from then on: it never forks again and
 * is never the sandboxed worker. Servers and clients live as long as their process: nng 1.5.2
 * cannot close a used socket safely, so there is no close; link_server_stop and
 * link_client_interrupt make an orderly end possible.
 */
#ifndef SLUICE_COMMON_LINK_H
#define SLUICE_COMMON_LINK_H

#include "common/arena.h"

#define LINK_SERVER_NAME      "sluice-control"
#define LINK_MAX_BYTES        (16u << 20)
#define LINK_WAIT_MAX_MS      25000u /* longest a server may park a request */
#define LINK_TIMEOUT_EXTRA_MS 10000u /* a client's timeout beyond the wait it asked for */
#define LINK_DEAD_MS          10000u /* silence behind which a connection is given up */
#define LINK_RECONNECT_MIN_MS 200
#define LINK_RECONNECT_MAX_MS 5000 /* 30 s kept nodes without grants for 20 s behind an outage of 10 s */
#define LINK_CLIENT_CALLS_MAX 16 /* calls at once of one client */

/* Who we are: PEM texts, NUL-terminated; borrowed during the opening call only. */
struct link_identity {
    const char *cert_pem, *key_pem, *ca_pem;
};

/* --- server (control plane) ------------------------------------------------------------------- */
struct link_server;
struct link_request; /* one received request; ends with exactly one link_request_reply or
                        link_request_drop */

/* Runs on one of the server's own threads (never in an nng callback); may block for the disk, not
 * for other requests: it parks by keeping the request and returning. */
typedef void (*link_handler)(void *arg, struct link_request *request);

struct link_server_options {
    const char *url; /* "tls+tcp://host:port", port 0 picks one */
    struct link_identity identity;
    unsigned threads;    /* 0: 4 */
    unsigned parked_max; /* requests that may be open at once; 0: 4,096 */
    link_handler handler;
    /* A connection ended; its parked requests may be dropped. Runs on an nng thread: it may take a
     * short lock, call nothing of the link and never block. May be NULL. */
    void (*gone)(void *arg, uint32_t peer);
    void *arg; /* borrowed for the server's life */
};

/* Listens. ST_INVALID (url, certificate or key), ST_CONFLICT (address in use), ST_NO_MEMORY, ST_IO.
 */
MUST_USE enum status link_server_start(const struct link_server_options *options,
                                       struct link_server **server);
/* The port it listens on. */
uint16_t link_server_port(const struct link_server *server);
/* No handler runs any more when this returns; requests that are parked may still be answered. NULL
 * is fine. */
void link_server_stop(struct link_server *server);

/* The message, borrowed until the request ends. */
struct str link_request_wire(const struct link_request *request);
/* The connection it came on: a number that is not 0. */
uint32_t link_request_peer(const struct link_request *request);
/* False when too many requests are parked: this one must be answered at once. */
bool link_request_may_park(const struct link_request *request);
/* copies `wire` and ends the request. Any thread. Without memory the request is dropped. */
void link_request_reply(struct link_request *request, struct str wire);
/* Ends the request without an answer: the asker learns nothing. Any thread. */
void link_request_drop(struct link_request *request);

/* --- client (courier) ------------------------------------------------------------------------- */
struct link_client;

/* The connection came or went. Runs on an nng thread, one call at a time: it may store a few
 * values, call nothing of the link and never block. */
typedef void (*link_state_fn)(void *arg, bool up);

/* Starts connecting in the background and for ever (200 ms - 5 s, full jitter). `state` may be
 * NULL. ST_INVALID, ST_NO_MEMORY, ST_IO. */
MUST_USE enum status link_client_open(const char *url, const struct link_identity *identity,
                                      link_state_fn state, void *arg, struct link_client **client);
/* Sends one request and waits for its reply, given in the arena. Any thread; up to
 * LINK_CLIENT_CALLS_MAX at once. ST_CONTROL_AWAY: no reply within timeout_ms. ST_CLOSED:
 * interrupted. ST_OVERLOADED: too many calls. ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status link_client_call(struct link_client *client, struct str request,
                                      unsigned timeout_ms, struct arena *arena, struct str *reply);
/* True while a connection stands (TLS done). Any thread. */
bool link_client_up(struct link_client *client);
/* Ends all calls with ST_CLOSED, now and later. Any thread, not in a signal handler. */
void link_client_interrupt(struct link_client *client);
/* How long to wait before try number `tries` (from 0): full jitter over 200 ms, doubling to 5 s.
 */
unsigned link_backoff_ms(unsigned tries);

#endif
