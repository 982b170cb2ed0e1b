/* response.h: one response of the responses API: made once, shown as a reply, as a stream, and
 * again later.
 *
 * Owner: the request's keep arena. All JSON is rendered when the response is made, because the
 * request's body is gone by the time a stream ends: `running`, `done` and (of a background
 * response) `cancelled` are the whole object in each state.
 */
#ifndef SLUICE_TESTS_SIM_RESPONSE_H
#define SLUICE_TESTS_SIM_RESPONSE_H

#include "tests/sim/answer.h"

/* One output item: a message or a call. */
struct response_item {
    struct str id;
    struct str running, done;
};

struct response {
    struct str id;
    struct answer answer;
    struct str running, done, cancelled; /* the response object */
    struct response_item *items;         /* one per block of the answer */
    bool background;
};

/* Makes the call's outcome a stream of this response's events (response_stream.c). */
void response_stream_start(struct call *call, struct response *response);

#endif
