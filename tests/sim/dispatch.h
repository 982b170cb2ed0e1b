/* dispatch.h: from a complete request to its reply: faults, credential, route, handler.
 *
 * dispatch_request either answers (req->dispatched is set then) or arms the connection's timer
 * (latency) and is called again when it fired.
 */
#ifndef SLUICE_TESTS_SIM_DISPATCH_H
#define SLUICE_TESTS_SIM_DISPATCH_H

#include "tests/sim/call.h"

/* One row of routes.c. */
struct route {
    const char *method;
    const char
        *path; /* segments after any base path; '*' is one segment, a last '**' all that is left */
    void (*call)(struct call *call);
};

void dispatch_request(struct request *req);

/* The route that the end of `path` matches, trying the longest end first; NULL: none. *id is what
 * stood for the star. *wrong_method is set when only the method does not fit. */
const struct route *routes_find(struct str method, struct str path, struct str *id,
                                bool *wrong_method);

/* Answers /__sim/... (admin.c). */
void admin_request(struct request *req, struct str rest);
/* Answers a request with the static magic at least cost, and says so (static_reply.c). */
bool static_reply(struct request *req);

#endif
