/* authorize.h: may this workspace send this model to this provider, and with what? One target looked up in the catalog.
 *
 * Used by step_authorize.c for the attempt and by plan_names.c to find who offers a model. Between catalog_begin and catalog_end; what the
 * attempt needs later is copied into the request's arena.
 */
#ifndef SLUICE_DATA_WORKER_AUTHORIZE_H
#define SLUICE_DATA_WORKER_AUTHORIZE_H

#include "data-plane/worker/req.h"

/* Everything that is true about one target, borrowed from the catalog until catalog_end. */
struct authorize_view {
    const struct cat_provider *provider;
    const struct cat_integration *integration;
    const struct cat_access *access; /* of the integration in the workspace; NULL: its own */
    const struct cat_provider_type *type;
    const struct cat_rules *rules; /* NULL: none */
    const struct cat_rule *rule;   /* the one that decided; NULL: none */
    const struct cat_model *model; /* the built-in row that prices it; NULL: none */
    const struct cat_provider_type *base_type; /* whose model a custom one is based on; NULL: its own */
    const char *list_verdict;      /* policy_outcome_text; NULL: there is no model */
    struct str upstream_model;     /* borrows */
    struct str asked_model;        /* as rules and prices know it; borrows */
    struct dialect_deployment deployment; /* what the model means there (back.resolve) */
    bool unlisted;
};

/* ST_OK, ST_PROVIDER_NOT_FOUND, ST_PROVIDER_DISABLED, ST_MODEL_NOT_ALLOWED, ST_UNLISTED_MODEL, ST_UNSUPPORTED, ST_BAD_FORMAT,
 * ST_NO_MODEL (`model` is empty, the operation needs one and the integration has no default), ST_MODEL_NOT_FOUND; `reason` (room REQ_REASON_MAX) says which rule. */
MUST_USE enum status authorize_target(struct req *req, struct str provider_slug, struct str model,
                                      struct authorize_view *view, char *reason);

#endif
