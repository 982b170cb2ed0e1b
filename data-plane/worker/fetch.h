/* fetch.h: one small exchange of the gateway's own beside a request: a token for a credential, a
 * picture that a message names by URL.
 *
 *   fetch_begin -> name -> egress rules -> exchange -> whole answer (bounded) -> done
 *
 * Owner: who began it, until `done` was called or fetch_cancel. It copies what it is given, and may
 * outlive the request that asked. A body that is sent and an answer that is `guarded` lie in
 * guarded memory (common/secret.h) and are wiped with the fetch. Loop thread only; waits never
 * block. Redirects are answers, not followed. Failure: fetch_begin's status, or the answer's.
 * Limits: FETCH_RUNNING_MAX at a time in a worker, answer_max bytes each; what is not guarded
 * counts against body_budget.
 */
#ifndef SLUICE_DATA_WORKER_FETCH_H
#define SLUICE_DATA_WORKER_FETCH_H

#include "common/id.h"
#include "common/secret.h"
#include "data-plane/upstream.h"

#define FETCH_RUNNING_MAX 256
#define FETCH_HEADERS_MAX 8
#define FETCH_GUARDED_MAX (256u * 1024u) /* of answer_max, if guarded */

struct worker;
struct fetch;

struct fetch_ask {
    const char *method; /* "GET", "POST"; static */
    struct str url;
    struct str hosts; /* the URL's host must be among these (what a credential was sealed for); n =
                         0: any */
    struct id org;    /* whose connections are used */
    struct str allowed_private[2]; /* ranges beside public addresses; [0] outlives the fetch */
    bool plain;                    /* http is fine at public addresses, too */
    const struct upstream_header *headers;
    size_t header_count;
    /* Header lines "name: value", each ended by '\n', and the body: taken, also if fetch_begin
     * fails; NULL: none. */
    struct secret *secret_lines, *body;
    size_t answer_max;
    bool guarded;
    uint32_t timeout_ms;
};

struct fetch_answer {
    /* ST_OK; ST_NOT_FOUND (no such host), ST_EGRESS_DENIED, ST_UPSTREAM_*, ST_TOO_LARGE,
     * ST_OVERLOADED, ST_NO_MEMORY */
    enum status status;
    int http_status;
    struct str type; /* content type; n = 0: none */
    struct str body;
};

typedef void (*fetch_done)(void *owner, const struct fetch_answer *answer);

/* Begins; `done` is called once, later, and never after fetch_cancel; the fetch and its answer are
 * gone when it returns. ST_INVALID (not an http(s) URL as url.h reads it, or another host than
 * `hosts`), ST_EGRESS_DENIED, ST_OVERLOADED, ST_NO_MEMORY. */
MUST_USE enum status fetch_begin(struct worker *worker, const struct fetch_ask *ask,
                                 fetch_done done, void *owner, struct fetch **fetch);
/* Ends it without `done`. NULL is fine. */
void fetch_cancel(struct fetch *fetch);

#endif
