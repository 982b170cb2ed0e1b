/* access_prices.h: what one workspace is charged for an integration: members of its row in
 * /v1/integrations/{integration}/workspaces.
 *
 *   "free": true                       charged nothing; what the provider bills is recorded all the
 * same "pricing_adjustments": {..}        multipliers in place of the integration's
 * (domain/pricing.h) "model_prices": [{"slug","pricing_config"}]   prices of its own; an upsert by
 * slug, null ends one "effective_from": "..."            when all of these begin, unless they have
 * a date themselves
 *
 * Absent keeps, null clears, and what is sent again as it stands and without a date changes
 * nothing.
 */
#ifndef SLUICE_CONTROL_API_ACCESS_PRICES_H
#define SLUICE_CONTROL_API_ACCESS_PRICES_H

#include "control-plane/api/call.h"

#define ACCESS_PRICES_MODELS_MAX 200 /* of one row */

/* True if a row of the body has any of these members. */
bool access_prices_wanted(const struct json *item);
/* Reads them into the record. ST_INVALID with a message, ST_NO_MEMORY. */
MUST_USE enum status access_prices_read(struct api_call *call, const struct json *item,
                                        Sluice__WorkspaceAccess *access);
/* Writes them as members of the object that is open; `free` as it is now. */
void access_prices_write(struct api_call *call, const Sluice__WorkspaceAccess *access);

#endif
