/* reply.h: writes a reply's head and body into the connection, applying the request's transport
 * faults.
 *
 * Each request gets exactly one of these; afterwards req->replied is set, or req->source pumps the
 * rest.
 */
#ifndef SLUICE_TESTS_SIM_REPLY_H
#define SLUICE_TESTS_SIM_REPLY_H

#include "tests/sim/request.h"

#define REPLY_JSON "application/json"

/* A complete body. Copies. */
void reply_body(struct request *req, int status, const char *content_type, struct str body);
/* An error body in the words of the request's API. `code` may be NULL; `message` p = NULL: what
 * that API says with this status. */
void reply_error(struct request *req, int status, const char *code, struct str message);
/* A body made by `source` (takes it); `length` < 0: not known, chunked. */
void reply_source(struct request *req, const char *content_type, struct source *source,
                  int64_t length);
/* Bytes that are a whole HTTP reply already. */
void reply_raw(struct request *req, int status, struct str bytes);

#endif
