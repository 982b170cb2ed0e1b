/* guard.h: what a request head must look like before anything else may look at it (reliability.md
 * M9).
 *
 * Pure: decides on the request line and the list of headers as they arrived; the byte-level shape
 * of the head (line ends, folding, blanks before the colon) is checked where the bytes are, in
 * server.c. Everything not named good is refused.
 */
#ifndef SLUICE_CONTROL_HTTP_GUARD_H
#define SLUICE_CONTROL_HTTP_GUARD_H

#include "control-plane/http/request.h"

#define GUARD_TARGET_MAX 8192

struct guard_head {
    struct str method, target, version; /* target without '?' and query; version "1.1" */
    struct str query;                   /* p = NULL if there was no '?' */
    const struct http_header *headers;
    size_t header_count;
};

struct guard_verdict {
    enum http_method method;
    uint64_t body_bytes; /* 0 without Content-Length */
    bool wants_continue; /* Expect: 100-continue */
    const char *reason;  /* of a refusal: a static sentence */
};

/* RFC 9112 sections 3, 6 and RFC 9110 section 7.2, strictly. `verdict->reason` is set on every
 * refusal. ST_BAD_HTTP: malformed, ambiguous or unsafe; ST_METHOD: unknown method;
 * ST_LENGTH_REQUIRED: a chunked body; ST_HEAD_TOO_LARGE: target above GUARD_TARGET_MAX. The caller
 * closes the connection after any refusal. */
MUST_USE enum status guard_check(const struct guard_head *head, struct guard_verdict *verdict);

#endif
