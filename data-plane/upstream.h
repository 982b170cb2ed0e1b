/* upstream.h: one HTTP exchange with a provider, over sharded libcurl multi handles on the worker's
 * loop.
 *
 * upstream.c is the only file of the data plane that includes curl.h. libcurl 7.88 slows down with
 * the number of connections to one host in one multi handle, so transfers go first-fit to shards of
 * at most UPSTREAM_SHARD_ACTIVE active ones; easy handles are reused. HTTP/1.1 only, no redirects,
 * no environment proxies, no netrc, certificate checks always on, addresses pinned by the caller.
 * Connections are never shared between organisations (CONNECT_TO tag per organisation).
 * Callbacks run on the loop; never from within upstream_start; after `done` (or upstream_cancel)
 * the exchange is unknown here.
 */
#ifndef SLUICE_DATA_UPSTREAM_H
#define SLUICE_DATA_UPSTREAM_H

#include "common/arena.h"
#include "common/id.h"
#include "common/netaddr.h"
#include "data-plane/egress.h"
#include "data-plane/worker/loop.h"

#define UPSTREAM_SHARD_ACTIVE 100

struct worker;
struct upstream;
struct exchange;

struct upstream_header {
    struct str name, value;
};

struct upstream_times {
    uint32_t connect_ms, first_byte_ms, idle_ms, total_ms;
    uint32_t head_ms; /* from the start until the answer's head; 0: no such bound */
};

struct upstream_request {
    const char *method; /* "GET", "POST", "DELETE" */
    const char *url;    /* NUL-terminated; https, or http for hosts the operator listed */
    struct str host;    /* of the url, lower case, without port */
    uint16_t port;
    bool ip_literal;
    struct id org;               /* connections are kept per organisation */
    const struct netaddr *addrs; /* classified; pinned; ignored for an IP literal */
    size_t addr_count;
    uint32_t addr_version; /* names_client version: re-pin when it moved */
    const struct upstream_header *headers;
    size_t header_count;
    /* Authorisation header kept apart: wiped by upstream.c once libcurl copied it. May be n = 0. */
    struct str secret_headers[8]; /* whole lines "name: value" */
    size_t secret_header_count;
    struct str body;       /* borrowed until done; used when stream_length == -2 */
    int64_t stream_length; /* -2: `body`; -1: unknown (chunked); >= 0: streamed by `read` */
    struct upstream_times times;
};

struct upstream_events {
    /* Final status line and each header, in order; then `head_end`. 1xx answers are skipped. */
    void (*head)(void *arg, int http_status, struct str name, struct str value);
    void (*head_end)(void *arg, int http_status);
    /* Body bytes. Returns false to pause (the same bytes come again after upstream_resume). */
    bool (*body)(void *arg, const char *p, size_t n);
    /* The request body: fills up to `room` bytes. Returns 0 with *end true at the end, 0 with *end
     * false to pause, or UPSTREAM_READ_ABORT. NULL when `body` is given. */
    size_t (*read)(void *arg, char *out, size_t room, bool *end);
    /* The end. ST_OK; ST_UPSTREAM_CONNECT (nothing was sent), ST_UPSTREAM_TIMEOUT,
     * ST_UPSTREAM_BROKEN, ST_EGRESS_DENIED. */
    void (*done)(void *arg, enum status status);
};
#define UPSTREAM_READ_ABORT ((size_t)-1)

/* Reads the CA bundle and everything else that needs a file: before the sandbox locks. ST_IO,
 * ST_NO_MEMORY. */
MUST_USE enum status upstream_open(struct worker *worker, struct upstream **upstream);
void upstream_close(struct upstream *upstream);

/* Starts an exchange; `request` is read during the call only (but for `body`). ST_OVERLOADED,
 * ST_NO_MEMORY, ST_INVALID (a header value with CR, LF or NUL; a URL libcurl refuses). */
MUST_USE enum status upstream_start(struct upstream *upstream,
                                    const struct upstream_request *request,
                                    const struct upstream_events *events, void *arg,
                                    struct exchange **exchange);
/* After `body` returned false / `read` paused. */
void upstream_resume(struct exchange *exchange);
/* From now on the exchange tells `events` (borrows, with the same arg), and goes on if it was paused. */
void upstream_hand_over(struct exchange *exchange, const struct upstream_events *events);
/* Ends the exchange without `done`; the connection is closed unless the answer was complete. */
void upstream_cancel(struct exchange *exchange);
/* Request bytes went out (anything the provider may bill). */
bool upstream_was_sent(const struct exchange *exchange);
uint32_t upstream_active(const struct upstream *upstream);
/* Ports and private ranges of this installation (params egress_ports, allowed_private): for egress
 * checks and the sandbox. */
const struct egress_rules *upstream_egress(const struct upstream *upstream);

#endif
