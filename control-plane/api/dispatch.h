/* dispatch.h: the way of every request through the control plane's HTTP side.
 *
 *   route -> who (auth) -> may they (scope) -> body (one JSON object) -> read transaction or writer
 * operation -> reply
 *
 * Thread-safe; the server calls it from its own threads.
 */
#ifndef SLUICE_CONTROL_API_DISPATCH_H
#define SLUICE_CONTROL_API_DISPATCH_H

#include "control-plane/api/call.h"

#define DISPATCH_BODY_MAX       (1u << 20)
#define DISPATCH_LARGE_BODY_MAX (4u << 20) /* lists of models */

/* Answers one request; `arg` is the struct api. Fits server_options.handle. */
void dispatch_handle(void *arg, struct http_request *request, struct http_reply *reply);
/* Fits server_options.body_max. */
size_t dispatch_body_max(void *arg, const struct http_request *request);

/* The route table, for tests and generators. */
const struct route *dispatch_routes(size_t *count);

#endif
