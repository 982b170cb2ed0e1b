/* analytics_logs.h: graphs that are drawn from the request log instead of sums.
 *
 * For analytics.c, which knows the paths. Works on the call alone. Limit: LOGS_WALK_MAX requests
 * (logs_walk.h).
 */
#ifndef SLUICE_CONTROL_API_ANALYTICS_LOGS_H
#define SLUICE_CONTROL_API_ANALYTICS_LOGS_H

#include "control-plane/api/call.h"

enum analytics_logs {
    ANALYTICS_LATENCY,      /* avg, p50, p90, p99 in ms */
    ANALYTICS_STACKS,       /* errors by status, over time */
    ANALYTICS_STATUS_CODES, /* errors by status */
};

/* Writes the answer. ST_INVALID with a message (filters), ST_NOT_FOUND (no request log is kept),
 * ST_TOO_LARGE (more requests than a walk looks at), as logs_walk. */
MUST_USE enum status analytics_logs_graph(struct api_call *call, enum analytics_logs graph);

#endif
