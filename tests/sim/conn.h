/* conn.h: one client connection: bytes in, requests one after the other, bytes out.
 *
 * Owner: the loop's watch; freed when it closes. Requests on one connection are answered in order:
 * while a reply is under way nothing is read, so a pipelining client waits (CONN_PENDING_MAX bytes
 * of what came along are kept). A client that closes its side while its reply is under way has
 * aborted the request.
 */
#ifndef SLUICE_TESTS_SIM_CONN_H
#define SLUICE_TESTS_SIM_CONN_H

#include "tests/sim/request.h"

#include <llhttp.h>

#define CONN_READ_BYTES  (64 << 10)         /* per turn, so also the most that can be pending */
#define CONN_OUT_MAX     (SIM_TEXT_MAX * 2) /* one reply of unpaced text with its JSON escapes */
#define CONN_TURN_BYTES  (256 << 10) /* streamed to one client before the others get a turn */
#define CONN_PENDING_MAX CONN_READ_BYTES

struct conn {
    uint32_t magic;
    struct loop_watch watch;
    struct loop_timer timer; /* latency, pauses of a stream, slow writing: one at a time */
    struct sim *sim;
    struct pipe pipe;
    llhttp_t parser;
    struct buf pending;
    struct buf out;
    size_t out_at;
    int64_t slow_due_ms;
    struct request *req; /* NULL between requests */
    bool busy;           /* req is complete and being answered */
    bool keep_alive, blocked;
    bool reset_due; /* the pause before a RST has begun */
};

/* Starts accepting on the listener of `sim`. ST_IO. */
MUST_USE enum status conn_listen(struct sim *sim);

/* Prepares the parser of a new connection (http.c). */
void http_open(struct conn *conn);
/* Parses; at the end of a request what follows goes to `pending` and busy is set. ST_BAD_HTTP,
 * ST_NO_MEMORY. */
MUST_USE enum status http_feed(struct conn *conn, const char *p, size_t n);
/* The next request may be parsed. */
void http_resume(struct conn *conn);

#endif
