/* providers.h: what /v1/providers and /v1/virtual-keys share. Everything runs in the call's
 * transaction. */
#ifndef SLUICE_CONTROL_API_PROVIDERS_H
#define SLUICE_CONTROL_API_PROVIDERS_H

#include "control-plane/api/fields.h"
#include "control-plane/api/limit_view.h"

/* The integration behind a provider, into `arena`. ST_NOT_FOUND. */
MUST_USE enum status providers_integration(struct api_call *call, const Sluice__Provider *provider,
                                           struct arena *arena, struct record_key *key,
                                           Sluice__Integration **integration);

/* Writes `status` (active, exhausted, expired) and what was used of the provider's limits. Store
 * statuses. */
MUST_USE enum status providers_write_usage(struct api_call *call, const struct record_key *key,
                                           const Sluice__Provider *provider);

/* Puts the slug of the body, or one made of the name. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status providers_pick_slug(struct api_call *call, Sluice__Provider *provider);

/* Writes the record. ST_CONFLICT with a message: the slug is taken in the workspace. */
MUST_USE enum status providers_put(struct api_call *call, const struct record_key *key,
                                   Sluice__Provider *provider);

/* The answer {id, slug, object}, and once more under `data`. */
void providers_write_made(struct api_call *call, const struct record_key *key, const char *slug,
                          const char *object);

/* ST_IN_USE with a message if a config of the workspace names the provider, unless forced. */
MUST_USE enum status providers_check_unused(struct api_call *call, const struct record_key *key,
                                            const Sluice__Provider *provider);

#endif
