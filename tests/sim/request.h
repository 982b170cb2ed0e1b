/* request.h: one HTTP request, from its first byte to the end of its reply.
 *
 * Owner: the connection. Everything in `keep` lives until the end of the reply; everything in
 * `arena` (the parsed body) dies when the handler returns. The body is kept whole for JSON
 * (REQUEST_BODY_MAX) and streamed into `form` for multipart. Handlers run when the body is
 * complete.
 */
#ifndef SLUICE_TESTS_SIM_REQUEST_H
#define SLUICE_TESTS_SIM_REQUEST_H

#include "common/json_tree.h"
#include "tests/sim/fault.h"
#include "tests/sim/form.h"
#include "tests/sim/sim.h"
#include "tests/sim/usage.h"

#include <openssl/evp.h>

#define REQUEST_HEADERS_MAX 128
#define REQUEST_HEAD_MAX    (256 << 10)
#define REQUEST_BODY_MAX    (96 << 20) /* not multipart */
#define REQUEST_BODY_LOGGED 4096
#define REQUEST_ARENA_MAX   (512 << 20)

struct conn;
struct source;
struct family;

struct request_header {
    uint32_t name_at, name_n, value_at, value_n; /* in `head`; names are lower-case */
};

enum request_ending {
    ENDING_NORMAL, /* keep the connection if the client wants it */
    ENDING_CUT,    /* FIN */
    ENDING_RESET,  /* RST */
};

struct request {
    struct conn *conn;
    struct sim *sim;
    int64_t started_ms;
    const char *method;
    struct buf head; /* the target, then names and values without separators */
    uint32_t target_n;
    struct request_header headers[REQUEST_HEADERS_MAX];
    size_t header_count;
    bool in_value, http10;
    struct str path, query; /* of the target, not decoded */
    const struct family *family;
    struct str reply_id;  /* made when it is first asked for; in keep */
    struct str principal; /* who the credential stands for; p = NULL: the credential itself */

    struct buf body;
    struct buf body_logged; /* the first REQUEST_BODY_LOGGED bytes */
    uint64_t body_bytes;
    EVP_MD_CTX *body_sha;
    struct form *form;
    int refuse_status; /* the body could not be taken: 400 or 413 */

    struct arena arena, keep;
    struct fault fault;
    bool latency_done, dispatched, replied;
    bool quiet;            /* no truth record */
    bool admin;            /* not counted either */
    struct buf extra_head; /* reply header lines added by a handler */
    struct source *source; /* NULL: the whole reply is in the connection's buffer */
    bool chunked, counted_as_stream;
    enum request_ending ending;

    int status; /* of the reply; 0: none */
    bool stream;
    struct str model; /* in keep */
    struct usage usage;
    uint64_t bytes_out;
};

/* ST_NO_MEMORY. */
MUST_USE enum status request_open(struct sim *sim, struct conn *conn, struct request **req);
/* Releases everything; accepts NULL. */
void request_close(struct request *req);

/* Value of the header with this lower-case name (the first), or p = NULL. */
struct str request_header(const struct request *req, const char *name);
/* Value of a query parameter, percent-decoded into keep, or p = NULL. */
struct str request_query(struct request *req, const char *name);
/* Value of a member of a form body (application/x-www-form-urlencoded), decoded into keep, or p =
 * NULL. */
struct str request_form_value(struct request *req, const char *name);
/* Percent-decoded copy in keep; p = NULL when there is no memory. */
struct str request_decode(struct request *req, struct str text);

/* The id that the reply's head (and in some APIs its body) carries. */
struct str request_reply_id(struct request *req);

/* The credential and the header it came in (borrowed), whatever API; false when there is none. */
bool request_credential(const struct request *req, struct str *value, const char **header);

/* The digest of the body as 64 hexadecimal digits and NUL. */
void request_body_hash(const struct request *req, char text[65]);

#endif
