/* pricing.h: GET /model-configs/pricing/{provider}/{model}: a built-in model's prices, in US cents
 * per unit, without a key (admin-api.md 1.13). */
#ifndef SLUICE_DATA_WORKER_PRICING_H
#define SLUICE_DATA_WORKER_PRICING_H

#include "data-plane/worker/req.h"

#define PRICING_PREFIX "/model-configs/pricing/"

/* Answers and ends the request. Refuses with ST_PROVIDER_NOT_FOUND or ST_MODEL_NOT_FOUND. */
enum step_result pricing_answer(struct req *req);

#endif
