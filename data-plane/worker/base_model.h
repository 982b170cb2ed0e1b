/* base_model.h: the model of another provider that a custom model is based on.
 *
 * A custom model speaks, and by default costs, what its base model does. A base that the
 * integration's own provider does not have is looked for at others: "anthropic/claude-sonnet-4-5"
 * at that provider only, a bare name at the makers of models, in the order of base_model.c.
 */
#ifndef SLUICE_DATA_WORKER_BASE_MODEL_H
#define SLUICE_DATA_WORKER_BASE_MODEL_H

#include "data-plane/worker/authorize.h"

/* Sets view->model and view->base_type if the rule's base model is another provider's; else leaves
 * them. Between catalog_begin and catalog_end. */
void base_model_find(struct req *req, struct authorize_view *view);

#endif
