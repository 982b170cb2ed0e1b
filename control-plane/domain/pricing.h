/* pricing.h: prices and adjustments as clients send them, into the dated rows of catalog.proto.
 *
 *   pricing_config       {"type":"static","effective_from":"2026-12-01T00:00:00Z",
 *                         "pay_as_you_go":{"request_token":{"price":0.00025},
 *                           "response_token":{"price":0.001},"image":{"hd":{"1024x1024":{"price":8}}},
 *                           "additional_units":{"web_search":{"price":1},
 *                             "input_token:tier=batch":{"price":0.000125}}}}
 *   pricing_adjustments  {"effective_from":...,"multiplier":{"default":0.8,
 *                           "cache_read_input_token":0.9,"image":{"default":1},
 *                           "additional_units":{"web_search":1.1}},"cost_multiplier":{...}}
 *
 * Prices are US cents per unit, as in the public pricing files (reference/admin-api.md 1.13); rows
 * are whole pico-USD. `multiplier` makes the charge of the cost, `cost_multiplier` the cost of the
 * price (what a contract with the provider says); both 0 to 1000. Names: pricing.def. Pure.
 *
 * pricing_from gives the pages a history of its own: what is set holds from its date on, and what
 * held before that date stays, because attempts of that time may be re-rated.
 */
#ifndef SLUICE_CONTROL_DOMAIN_PRICING_H
#define SLUICE_CONTROL_DOMAIN_PRICING_H

#include "common/json_tree.h"
#include "proto/catalog.pb-c.h"

#define PRICING_PICOUSD_DIGITS 10 /* a cent is 10^10 pico-USD */
#define PRICING_PPM_DIGITS     6
#define PRICING_KEEP_MS        (INT64_C(400) * 86400000) /* superseded pages older than this go first */

/* gives the page in the arena, dated `effective_from` or else `now_ms`; without rows if the config
 * prices nothing. `where`: the member that is wrong, `why`: its rule. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status pricing_read(struct arena *arena, const struct json *config, int64_t now_ms,
                                  Sluice__Prices **prices, struct str *where, const char **why);
MUST_USE enum status pricing_read_adjust(struct arena *arena, const struct json *adjustments,
                                         int64_t now_ms, Sluice__PriceAdjust **adjust,
                                         struct str *where, const char **why);

/* Puts a page into a history (ascending by date; a new array in the arena): pages that begin at or
 * after its date go, as it holds from then on. A page that changes nothing is not kept, and nothing
 * is kept of an empty history with an empty page. At most PRICE_BOOK_PAGES remain: pages that ended
 * more than PRICING_KEEP_MS ago go. ST_TOO_LARGE: too many changes since then; ST_NO_MEMORY. */
MUST_USE enum status pricing_put(struct arena *arena, int64_t now_ms, Sluice__Prices *page,
                                 Sluice__Prices ***pages, size_t *count);
MUST_USE enum status pricing_put_adjust(struct arena *arena, int64_t now_ms,
                                        Sluice__PriceAdjust *page, Sluice__PriceAdjust ***pages,
                                        size_t *count);

#endif
