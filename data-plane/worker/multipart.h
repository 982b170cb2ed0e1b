/* multipart.h: finds one small text field in a multipart/form-data body (RFC 7578) that is still arriving. Pure over given bytes. */
#ifndef SLUICE_DATA_WORKER_MULTIPART_H
#define SLUICE_DATA_WORKER_MULTIPART_H

#include "common/str.h"

#define MULTIPART_VALUE_MAX 512
#define MULTIPART_WATCH_BYTES 8192 /* holds the longest part head, a value and two delimiters */

/* The boundary of a content type. ST_INVALID: no multipart/form-data, a boundary outside RFC 2046 (1-70 characters), two of them. */
MUST_USE enum status multipart_boundary(struct str content_type, struct str *boundary);

/* Looks for the part named `field` in the bytes so far, which grow at their end only. *searched (start with 0) remembers how far
 * nothing need be read again. ST_OK: *value is its whole value (borrows); called again with the same *searched it looks for another
 * such part behind it. ST_AGAIN: not here yet. ST_NOT_FOUND: the closing delimiter came first. ST_INVALID: malformed, of two meanings
 * (multipart.c), or the value is above MULTIPART_VALUE_MAX. The verdict does not depend on where the body is cut. */
MUST_USE enum status multipart_find(struct str body, struct str boundary, struct str field, size_t *searched,
                                    struct str *value);

/* Looks for a second part of that name in a body that flows through: behind the part that multipart_find found. */
struct multipart_watch {
    size_t searched, kept;
    bool closed; /* the closing delimiter has passed */
    char keep[MULTIPART_WATCH_BYTES];
};
/* `rest`: the body from *searched of the multipart_find that gave ST_OK, as far as it is here. As multipart_watch_feed. */
MUST_USE enum status multipart_watch_begin(struct multipart_watch *watch, struct str rest, struct str boundary, struct str field);
/* The bytes that follow. ST_OK: no second one so far. ST_INVALID: there is one, or the body is malformed. */
MUST_USE enum status multipart_watch_feed(struct multipart_watch *watch, struct str bytes, struct str boundary, struct str field);
/* ST_INVALID: the body ended before its closing delimiter. */
MUST_USE enum status multipart_watch_end(const struct multipart_watch *watch);

#endif
