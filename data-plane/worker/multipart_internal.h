/* multipart_internal.h: what the readers of forms share: delimiters and heads of parts
 * (multipart.c).
 *
 * `body` is a run of the form's bytes. Where bytes in front of it were dropped, at least boundary.n
 * + 6 of those before the place that is searched are still there, so that a delimiter is seen with
 * the line end before it. Pure.
 */
#ifndef SLUICE_DATA_WORKER_MULTIPART_INTERNAL_H
#define SLUICE_DATA_WORKER_MULTIPART_INTERNAL_H

#include "data-plane/worker/multipart.h"

struct multipart_delimiter {
    size_t begin; /* of its leading CRLF, or of the body */
    size_t end;   /* behind its line */
    bool close;
};

struct multipart_part {
    bool wanted;
    size_t content; /* where it begins */
};

/* Proves that the body begins with a delimiter, as far as it is here. ST_AGAIN, ST_INVALID. */
MUST_USE enum status multipart_check_start(struct str body, struct str boundary);
/* The first delimiter whose boundary begins at or behind *from. ST_AGAIN: none yet, and no boundary
 * begins before *from. ST_INVALID. */
MUST_USE enum status multipart_find_delimiter(struct str body, struct str boundary, size_t *from,
                                              struct multipart_delimiter *out);
/* The head behind a delimiter that ends at `begin`. ST_AGAIN, ST_INVALID. */
MUST_USE enum status multipart_read_part(struct str body, struct str boundary, size_t begin,
                                         struct str field, struct multipart_part *part);

#endif
