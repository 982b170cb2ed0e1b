/* conn.h: one client connection: bytes to requests, replies to bytes.
 *
 * conn.c reads and parses (http1.c: strict llhttp; everything reliability.md S1 lists is refused with 400 and close), keeps
 * keep-alive and pipelining (one request at a time; later bytes wait), enforces deadlines (head 10 s; body minimum rate; idle
 * 75 s) and caps (head 64 KiB, 100 header lines, bytes read per turn), inflates gzip request bodies under the cap, answers
 * Expect: 100-continue when the request wants its body, writes replies with back-pressure, and detects a client that left
 * (EPOLLRDHUP behind a complete request, or an error: the rule is in conn.c).
 *
 * Above it stands struct req (req.h). The seam, all on one thread:
 *   conn -> req:  req_begin, req_body, req_body_end, req_writable, req_client_gone
 *   req -> conn:  the functions below. A connection has at most one live request; conn owns the connection, req owns itself
 *                 until conn_reply_end / conn_abort, after which conn never touches it again.
 */
#ifndef SLUICE_DATA_WORKER_CONN_H
#define SLUICE_DATA_WORKER_CONN_H

#include "common/arena.h"
#include "common/netaddr.h"
#include "common/ops.h"
#include "data-plane/worker/loop.h"

struct worker;
struct conn;
struct req;

#define CONN_HEADERS_MAX      100
#define CONN_HEAD_BYTES       (64 * 1024)
#define CONN_OUT_HIGH_BYTES   (64 * 1024) /* above: conn_write_room() is 0 and the upstream is paused (R16: 128 KiB a stream) */
#define CONN_OUT_LOW_BYTES    (16 * 1024) /* below again: req_writable */

struct http_header {
    struct str name;  /* as sent; compare with str_eq_nocase */
    struct str value; /* trimmed */
};

/* A parsed head; borrows from the connection's head buffer, which lives until the reply has ended. */
struct http_head {
    enum op_method method;
    struct str method_text;
    struct str target;   /* as sent */
    struct str path;     /* without query, still percent-encoded */
    struct str query;    /* without '?'; n = 0 if none */
    const struct http_header *headers;
    size_t header_count;
    int64_t content_length; /* of the decoded body; -1: unknown (chunked, gzip) or none */
    bool has_body, chunked, gzip, keep_alive, expect_continue, http10;
    bool head_only; /* HEAD: method is OP_METHOD_GET, conn drops the reply's body */
    struct netaddr peer;    /* the client, after trusted_proxies / PROXY protocol */
    bool tls;
};

/* First header of that name, or STR_NONE. Name in lower case. */
struct str http_head_get(const struct http_head *head, struct str name);

/* --- conn -> req (implemented in req.c) ------------------------------------------------------------------------------ */
/* A complete head. Returns the request that will receive the rest, or NULL after it answered by itself (conn_reply_simple). */
struct req *req_begin(struct worker *worker, struct conn *conn, const struct http_head *head);
/* Body bytes, decoded (unchunked, inflated). Returns how many were taken: fewer than n pauses reading until conn_body_resume. */
size_t req_body(struct req *req, const char *p, size_t n);
/* The body is complete (also called at once when there is none). */
void req_body_end(struct req *req);
/* The body will never be complete: malformed chunk, too slow, inflation bomb. `status` says why. The request answers. */
void req_body_failed(struct req *req, enum status status);
/* The output queue fell below CONN_OUT_LOW_BYTES after it had been above the high mark. */
void req_writable(struct req *req);
/* The client left: no reply can be sent. The request cancels its upstream, settles and frees itself. */
void req_client_gone(struct req *req);

/* --- req -> conn ----------------------------------------------------------------------------------------------------- */
/* Starts reading the body (sends 100 Continue if the client waits for it). Before this no body byte is taken. */
void conn_body_start(struct conn *conn);
void conn_body_resume(struct conn *conn);

/* Starts a reply. `headers` are copied. length >= 0: Content-Length; -1: chunked (or until close for HTTP/1.0); -2: no body (204, 304,
 * HEAD). Date, Connection and framing headers are conn's. ST_CLOSED: the client is gone (the request ends as after
 * req_client_gone). */
struct reply_header {
    struct str name, value;
};
MUST_USE enum status conn_reply_begin(struct conn *conn, int http_status, const struct reply_header *headers, size_t count,
                                      int64_t length);
/* copies into the output queue; flushed once at the end of the turn. */
void conn_reply_write(struct conn *conn, const char *p, size_t n);
/* Bytes that may be written before the high mark; 0 means: pause the source until req_writable. */
size_t conn_write_room(const struct conn *conn);
/* The reply is complete: the request is no longer known to the connection. Keep-alive goes on with the next request (the rest
 * of an unread body is drained up to 64 KiB, else the connection closes). */
void conn_reply_end(struct conn *conn);
/* Breaks the connection off (a reply that cannot be completed must not look complete). */
void conn_abort(struct conn *conn);
/* Bytes of reply body written so far, for the access log. */
uint64_t conn_reply_bytes(const struct conn *conn);

/* One whole small reply, then conn_reply_end. */
void conn_reply_simple(struct conn *conn, int http_status, const struct reply_header *headers, size_t count, struct str body);

struct loop *conn_loop(struct conn *conn);

#endif
