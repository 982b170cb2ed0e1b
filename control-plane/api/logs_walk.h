/* logs_walk.h: requests of the request log that fit the filters of a call.
 *
 * The filters are those of the documented analytics and logs routes, all of them together. Rows are
 * read newest first, LOGS_STEP at a time, each step in a transaction of its own and a scratch
 * arena, so a walk holds no snapshot and the memory of one step. Limit: LOGS_WALK_MAX rows looked
 * at. What the log has dropped by age or size is not in it.
 */
#ifndef SLUICE_CONTROL_API_LOGS_WALK_H
#define SLUICE_CONTROL_API_LOGS_WALK_H

#include "control-plane/api/analytics.h"
#include "control-plane/logs/request_log.h"

#define LOGS_STEP      500u
#define LOGS_WALK_MAX  100000u
#define LOGS_RANGES    4u /* total, prompt and completion tokens, cost */
#define LOGS_CODES_MAX 64u

struct logs_filter {
    struct analytics who;     /* workspace and slices; its span is in whole periods */
    int64_t start_ms, end_ms; /* as asked */
    struct str trace;         /* n = 0: any */
    struct id request;        /* none: any */
    int64_t min[LOGS_RANGES], max[LOGS_RANGES]; /* tokens; of cost nano-USD */
    uint32_t codes[LOGS_CODES_MAX];
    size_t code_count; /* 0: any */
};

/* Reads the filters of the call. As analytics_read; filters over what is not logged are ST_INVALID.
 */
MUST_USE enum status logs_read(struct api_call *call, struct logs_filter *filter);

/* One request; `event` and `vendor` (ai_provider_id of its integration, "" if that is gone) die
 * after the call. A status other than ST_OK ends the walk with it. */
typedef enum status logs_row_fn(void *arg, const Sluice__UsageEvent *event, struct str vendor);

/* cut: more rows were there than LOGS_WALK_MAX. ST_NOT_FOUND with a message (no request log is
 * kept), ST_AGAIN, ST_NO_MEMORY, ST_BAD_FORMAT. */
MUST_USE enum status logs_walk(struct api_call *call, const struct logs_filter *filter,
                               logs_row_fn *row, void *arg, bool *cut);

#endif
