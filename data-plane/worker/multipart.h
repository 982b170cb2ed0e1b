/* multipart.h: finds one small text field in a multipart/form-data body (RFC 7578) that is still arriving. Pure over given bytes. */
#ifndef SLUICE_DATA_WORKER_MULTIPART_H
#define SLUICE_DATA_WORKER_MULTIPART_H

#include "common/str.h"

#define MULTIPART_VALUE_MAX 512

/* The boundary of a content type. ST_INVALID: no multipart/form-data, a boundary outside RFC 2046 (1-70 characters), two of them. */
MUST_USE enum status multipart_boundary(struct str content_type, struct str *boundary);

/* Looks for the part named `field` in the bytes so far, which grow at their end only. *searched (start with 0) remembers how far
 * nothing need be read again. ST_OK: *value is its whole value (borrows); called again with the same *searched it looks for another
 * such part behind it. ST_AGAIN: not here yet. ST_NOT_FOUND: the closing delimiter came first. ST_INVALID: malformed, of two meanings
 * (multipart.c), or the value is above MULTIPART_VALUE_MAX. The verdict does not depend on where the body is cut. */
MUST_USE enum status multipart_find(struct str body, struct str boundary, struct str field, size_t *searched,
                                    struct str *value);

#endif
