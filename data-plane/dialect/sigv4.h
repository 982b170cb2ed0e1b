/* sigv4.h: AWS Signature Version 4 of one request, in a header.
 *
 * Signs what it is given: the caller names every header that is to be signed (host, x-amz-date and
 * all other x-amz-* headers at least) and sends them exactly so. No clock, no memory of its own but
 * the query's; what is derived from the secret lies on the stack and is wiped. One thread, never
 * waits. Source: AWS General Reference, "Create a signed AWS API request"; proved by the published
 * test suite (tests/unit/data-plane/dialect/sigv4_test.c).
 * Limits: SIGV4_HEADERS_MAX headers, SIGV4_PAIRS_MAX query parameters.
 */
#ifndef SLUICE_DATA_DIALECT_SIGV4_H
#define SLUICE_DATA_DIALECT_SIGV4_H

#include "data-plane/upstream.h"

#define SIGV4_HEADERS_MAX 32
#define SIGV4_PAIRS_MAX   64
#define SIGV4_HEX         64
#define SIGV4_TIME        16
#define SIGV4_VALUE_MAX   2048 /* room that the value of Authorization never exceeds */

struct sigv4_keys {
    struct str id, secret; /* borrowed plain bytes; a session token is a header to sign */
};

struct sigv4_request {
    struct str method;                     /* upper case */
    struct str path, query;                /* as they go out, escapes included; query without '?' */
    const struct upstream_header *headers; /* all are signed; any order, names in any case */
    size_t header_count;
    struct str payload;         /* sigv4_payload's, or "UNSIGNED-PAYLOAD" */
    struct str time;            /* sigv4_time's */
    struct str region, service; /* "eu-central-1", "bedrock" */
    bool plain_path;            /* s3: the path is signed as it is, not encoded once more */
};

/* SHA-256 of the body in lower-case hex: the value of x-amz-content-sha256. */
void sigv4_payload(struct str body, char hex[SIGV4_HEX + 1]);
/* "20150830T123600Z": the value of x-amz-date, from unix milliseconds. */
void sigv4_time(int64_t utc_ms, char text[SIGV4_TIME + 1]);
/* The value of Authorization -> out (not a secret). ST_TOO_LARGE: over a limit above, or no room.
 * ST_NO_MEMORY. */
MUST_USE enum status sigv4_sign(const struct sigv4_request *request, const struct sigv4_keys *keys,
                                char *out, size_t room, size_t *n);

#endif
