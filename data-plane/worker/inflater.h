/* inflater.h: one gzip request body, inflated piece by piece under a cap.
 *
 * Owner: the connection whose body it is; it holds about 60 KB (zlib's window and one output piece)
 * from the first body byte to the last. One thread. The sum of what comes out is capped, so a bomb
 * costs no more than an honest body of that size; one member only, nothing behind it.
 */
#ifndef SLUICE_DATA_WORKER_INFLATER_H
#define SLUICE_DATA_WORKER_INFLATER_H

#include "common/str.h"

#define INFLATER_PIECE_BYTES (16 * 1024)

struct inflater;

/* gives. ST_NO_MEMORY. */
MUST_USE enum status inflater_new(uint64_t max_bytes, struct inflater **inflater);
/* releases; NULL is fine. */
void inflater_free(struct inflater *inflater);

/* Inflates from p[0 .. n) until a piece is full; *used is how much of the input it took (nothing
 * while an earlier piece still waits). ST_BAD_HTTP: not gzip, damaged, or bytes behind its end.
 * ST_TOO_LARGE: above max_bytes. ST_NO_MEMORY. */
MUST_USE enum status inflater_feed(struct inflater *inflater, const char *p, size_t n,
                                   size_t *used);
/* The piece that waits to be taken (borrowed); n = 0: none. */
struct str inflater_piece(const struct inflater *inflater);
/* The first n bytes of the piece are delivered. */
void inflater_took(struct inflater *inflater, size_t n);
/* All input was fed and every piece taken: ST_OK if the gzip stream is whole, else ST_BAD_HTTP. */
MUST_USE enum status inflater_end(const struct inflater *inflater);

#endif
