/* authorize_model.h: the lists: may this model be used through this integration, provider and key, and as what is it sent and priced? */
#ifndef SLUICE_DATA_WORKER_AUTHORIZE_MODEL_H
#define SLUICE_DATA_WORKER_AUTHORIZE_MODEL_H

#include "data-plane/worker/authorize.h"

/* Fills rule, model, upstream_model and unlisted of a view whose provider, integration, type and rules are set.
 * ST_OK, ST_MODEL_NOT_ALLOWED, ST_UNLISTED_MODEL with `reason`. Between catalog_begin and catalog_end. */
MUST_USE enum status authorize_model(struct req *req, struct str model, struct authorize_view *view, char *reason);

#endif
