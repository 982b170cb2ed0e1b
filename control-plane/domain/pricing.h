/* pricing.h: a model's pricing_config, as clients send it, into price rows (common/price.def).
 *
 *   {"type":"static","pay_as_you_go":{"request_token":{"price":0.00025},
 *    "response_token":{"price":0.001},"additional_units":{"web_search":{"price":1}}}}
 * Prices are US cents per unit, as in the public pricing files (reference/admin-api.md 1.13); rows
 * are whole pico-USD. Pure.
 */
#ifndef SLUICE_CONTROL_DOMAIN_PRICING_H
#define SLUICE_CONTROL_DOMAIN_PRICING_H

#include "common/json_tree.h"
#include "proto/catalog.pb-c.h"

#define PRICING_PICOUSD_DIGITS 10 /* a cent is 10^10 pico-USD */
#define PRICING_ROWS_MAX       32

/* gives the rows in the arena, NULL if the config has none. ST_INVALID (a price that is negative,
 * too large or no number), with the member's name in `where`; ST_NO_MEMORY. */
MUST_USE enum status pricing_read(struct arena *arena, const struct json *config,
                                  Sluice__Prices **prices, const char **where);

#endif
