/* dispatch.h: from a complete request to its reply: faults, credential, route, handler.
 *
 * dispatch_request either answers (req->dispatched is set then) or arms the connection's timer
 * (latency) and is called again when it fired.
 */
#ifndef SLUICE_TESTS_SIM_DISPATCH_H
#define SLUICE_TESTS_SIM_DISPATCH_H

#include "tests/sim/call.h"

void dispatch_request(struct request *req);

/* Answers /__sim/... (admin.c). */
void admin_request(struct request *req, struct str rest);
/* Answers a request with the static magic at least cost, and says so (static_reply.c). */
bool static_reply(struct request *req);

#endif
