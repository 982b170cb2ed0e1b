/* uses.h: which limits hold for a request and for each of its attempts.
 *
 *   request   rates and permits of key, workspace, and policies that do not look at the target      once, step_admit.c
 *   attempt   budgets of all levels, everything of the target (provider, integration, access),      each, step_reserve.c
 *             policies that look at it; rates of tokens of every level
 *
 * Looked up between catalog_begin and catalog_end; the uses and their texts lie in the request's arena. Operations that cost
 * nothing take from no budget.
 */
#ifndef SLUICE_DATA_WORKER_USES_H
#define SLUICE_DATA_WORKER_USES_H

#include "data-plane/limits.h"

struct req;
struct authorize_view;

struct uses {
    struct limit_use *list;
    size_t count, room;
};

/* Fills req->uses. ST_NO_MEMORY, ST_TOO_LARGE (a policy's value key), ST_BAD_FORMAT, ST_UNPROCESSABLE (more than
 * LIMITS_USES_MAX). */
MUST_USE enum status uses_of_request(struct req *req);
/* Fills req->attempt.uses. Statuses as above. */
MUST_USE enum status uses_of_attempt(struct req *req, const struct authorize_view *view);

#endif
