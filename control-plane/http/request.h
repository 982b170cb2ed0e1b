/* request.h: an HTTP request and its reply as plain values, so that nothing behind the server knows
 * its library.
 *
 * Owner: server.c, one pair per request, both alive until the reply is sent. Everything in the
 * request borrows; handlers write the reply only through its functions (reply.h). One thread per
 * request.
 */
#ifndef SLUICE_CONTROL_HTTP_REQUEST_H
#define SLUICE_CONTROL_HTTP_REQUEST_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/id.h"

#define HTTP_HEADERS_MAX       64
#define HTTP_REPLY_HEADERS_MAX 12
#define HTTP_TRACE_MAX         128
#define HTTP_REPLY_MAX_BYTES   (16u << 20)

enum http_method {
    HTTP_GET,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_HEAD,
    HTTP_OPTIONS,
    HTTP_PATCH,
    HTTP_METHOD_COUNT
};

struct http_header {
    struct str name, value;
};

struct http_request {
    enum http_method method;
    struct str path;  /* as sent: percent-encoded, without the query, passed by guard_check */
    struct str query; /* behind '?', may be empty */
    struct str body;  /* complete; n = 0 when there was none */
    const struct http_header *headers;
    size_t header_count;
    struct str client_ip;
    bool tls;
    char request_id[ID_TEXT + 1];
    char trace_id[HTTP_TRACE_MAX + 1]; /* the caller's if it sent a clean one, else request_id */
    struct arena *arena;               /* lives as long as the request; wiped afterwards */
};

struct http_reply {
    int status;
    const char *content_type; /* a literal */
    struct buf body;
    struct http_header headers[HTTP_REPLY_HEADERS_MAX];
    size_t header_count;
    bool cacheable; /* false: cache-control: no-store */
    /* A reply of unknown length: asked for pieces behind the head until ST_END; any other status than
     * ST_OK breaks the connection off, so that a reply which is cut is seen to be. NULL: `body` is all.
     * piece_end is called once, whatever came of it. */
    enum status (*piece)(void *arg, struct buf *out);
    void (*piece_end)(void *arg);
    void *piece_arg;
};

/* GET, POST, ...; ST_METHOD for any other word. */
MUST_USE enum status http_method_from_text(struct str text, enum http_method *method);
const char *http_method_text(enum http_method method);

/* Value of a header (name in lower case), or n = 0 with p = NULL. The guard has refused duplicates
 * of those that matter. */
struct str http_request_header(const struct http_request *request, const char *name);

/* A query parameter, percent-decoded ('+' is a space) into the arena; the first of several. p =
 * NULL if absent. ST_NO_MEMORY is told apart by nobody: a value that does not fit is absent. */
struct str http_request_query(const struct http_request *request, const char *name);

/* Decodes %XX (and '+' if `plus`) into the arena. ST_INVALID: broken escape; ST_NO_MEMORY. */
MUST_USE enum status http_decode(struct arena *arena, struct str raw, bool plus, struct str *text);

#endif
