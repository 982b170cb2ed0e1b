/* analytics.h: a question of the analytics routes, as a few questions of the ledger's sums.
 *
 * The filters of one call name provider, model, key or value of metadata; each combination of them
 * is a slice, asked by itself, and slices never overlap, so their sums add up. Everything lies in
 * the call's arena. Limits: ANALYTICS_SLICES slices, ANALYTICS_POINTS periods.
 */
#ifndef SLUICE_CONTROL_API_ANALYTICS_H
#define SLUICE_CONTROL_API_ANALYTICS_H

#include "control-plane/api/call.h"
#include "control-plane/ledger/ledger.h"

#define ANALYTICS_SLICES 64u
#define ANALYTICS_POINTS 1200u /* of a graph: days, or hours of a short span */
#define ANALYTICS_CENTS  7     /* digits of a nano-USD amount behind the point of US cents */

struct analytics_slice {
    struct id provider, key; /* none: any */
    struct str ai_provider;  /* n = 0: any */
    struct str model;        /* n = 0: any */
    struct str label, value; /* n = 0: any */
};

struct analytics {
    struct id org, workspace; /* workspace none: all */
    int64_t start_ms, end_ms; /* whole periods */
    enum rollup_period period;
    struct analytics_slice slices[ANALYTICS_SLICES];
    size_t count; /* at least one */
};

/* Reads workspace, span and filters of the call. ST_INVALID with a message, ST_NOT_FOUND and
 * ST_FORBIDDEN (workspace), store statuses. */
MUST_USE enum status analytics_read(struct api_call *call, struct analytics *analytics);

/* As analytics_read for those who look at single requests (logs_walk.h): filters by what only those
 * have are left to the caller. Gives the span as it was asked for, too. */
MUST_USE enum status analytics_read_rows(struct api_call *call, struct analytics *analytics,
                                         int64_t *start_ms, int64_t *end_ms);

/* Rows of all slices, grouped by `group` (enum ledger_group), one behind the other: the same group
 * may come once per slice. `label`: a key of metadata to group by, or n = 0. ST_INVALID with a
 * message (no sums are kept by all that was asked), ST_TOO_LARGE, store statuses. */
MUST_USE enum status analytics_ask(struct api_call *call, const struct analytics *analytics,
                                   unsigned group, struct str label, struct ledger_answer *answer);

/* Length of a period and how many the span has. */
int64_t analytics_unit_ms(const struct analytics *analytics);
size_t analytics_periods(const struct analytics *analytics);

#endif
