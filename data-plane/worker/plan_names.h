/* plan_names.h: helpful refusals: who offers a model, and names near a mistyped one. */
#ifndef SLUICE_DATA_WORKER_PLAN_NAMES_H
#define SLUICE_DATA_WORKER_PLAN_NAMES_H

#include "data-plane/worker/req.h"

/* 400: no provider named; lists this workspace's providers that offer `model`. Between catalog_begin and catalog_end. */
enum step_result plan_refuse_no_provider(struct req *req, struct str model);
/* " Did you mean @a or @b?" for a provider slug, or "". Same condition. */
void plan_near_providers(struct req *req, struct str slug, char *out, size_t room);
/* The same for a model of an integration. */
void plan_near_models(struct req *req, const struct cat_integration *integration, struct str model, char *out, size_t room);

#endif
