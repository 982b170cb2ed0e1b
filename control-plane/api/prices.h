/* prices.h: pricing_config and pricing_adjustments of bodies, with their errors (domain/pricing.h).
 *
 * Shared by the resources that have prices: models of an integration, integrations, workspaces of
 * an integration. `name` is the member's, for messages.
 */
#ifndef SLUICE_CONTROL_API_PRICES_H
#define SLUICE_CONTROL_API_PRICES_H

#include "control-plane/api/call.h"
#include "proto/catalog.pb-c.h"

/* gives the page that a pricing_config makes; null or absent gives an empty one: nothing of its
 * own. `from_ms`: its date if it has none itself. ST_INVALID (the message names the member and the
 * rule), ST_NO_MEMORY. */
MUST_USE enum status prices_read(struct api_call *call, const char *name, const struct json *config,
                                 int64_t from_ms, Sluice__Prices **page);
MUST_USE enum status prices_read_adjust(struct api_call *call, const char *name,
                                        const struct json *adjustments, int64_t from_ms,
                                        Sluice__PriceAdjust **page);
/* Reads a date, member `effective_from` of an object; `from_ms` stays if absent or null.
 * ST_INVALID. */
MUST_USE enum status prices_read_date(struct api_call *call, const char *name,
                                      const struct json *object, int64_t *from_ms);
/* Puts a page into its history. ST_INVALID: too many dated changes. */
MUST_USE enum status prices_put(struct api_call *call, const char *name, Sluice__Prices *page,
                                Sluice__Prices ***pages, size_t *count);
MUST_USE enum status prices_put_adjust(struct api_call *call, const char *name,
                                       Sluice__PriceAdjust *page, Sluice__PriceAdjust ***pages,
                                       size_t *count);

/* Writes the dated pages as member `name`: [{"effective_from","prices":{unit: US cents}}]. */
void prices_write(struct json_writer *w, const char *name, Sluice__Prices *const *pages,
                  size_t count);
/* [{"effective_from","free","multiplier":{unit: factor},"cost_multiplier":{..}}] */
void prices_write_adjusts(struct json_writer *w, const char *name,
                          Sluice__PriceAdjust *const *pages, size_t count);

#endif
