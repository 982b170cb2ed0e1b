/* multipart.h: finds one small text field in a multipart/form-data body (RFC 7578) that is still arriving. Pure over given bytes. */
#ifndef SLUICE_DATA_WORKER_MULTIPART_H
#define SLUICE_DATA_WORKER_MULTIPART_H

#include "common/str.h"

#define MULTIPART_VALUE_MAX 512

/* The boundary of a content type. ST_INVALID: no multipart/form-data, or a boundary outside RFC 2046 (1-70 characters). */
MUST_USE enum status multipart_boundary(struct str content_type, struct str *boundary);

/* Looks for the part named `field` in the bytes so far. *searched (start with 0) remembers the first part not yet passed.
 * ST_OK: *value is its whole value (borrows). ST_AGAIN: not here yet. ST_NOT_FOUND: the closing boundary came first.
 * ST_INVALID: malformed, or the value is above MULTIPART_VALUE_MAX. */
MUST_USE enum status multipart_find(struct str body, struct str boundary, struct str field, size_t *searched,
                                    struct str *value);

#endif
