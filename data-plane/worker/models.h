/* models.h: GET /v1/models and /v1/models/{id}, answered from the node's catalog: every model the
 * caller may use, as "@slug/model"; in Anthropic's shape (models_anthropic.h) where he sends
 * anthropic-version. */
#ifndef SLUICE_DATA_WORKER_MODELS_H
#define SLUICE_DATA_WORKER_MODELS_H

#include "data-plane/worker/req.h"

#define MODELS_MAX 20000

/* Answers and ends the request. Query and rows: common/model_card.h. */
enum step_result models_answer(struct req *req);

#endif
