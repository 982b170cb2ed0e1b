/* price_settle.h: what an attempt costs us and what it is charged, and the most it can come to.
 *
 *   price   of a class: the model's (catalog), replaced by the integration's own price of the model
 *   cost    price x the integration's cost factor: what the provider bills
 *   charge  cost x charge factor (the workspace's, else the integration's); where the workspace has
 *           prices of its own for the model, those as they are; nothing for a workspace that is
 *           free. Limits count the charge unless told otherwise
 *
 * Each is summed exactly and rounded up once. What has no price is reported, never counted as 0;
 * with a ceiling (limit_def.ceiling_picousd) tokens without a price are charged at it, and the cost
 * stays unknown. The same terms price the reservation and the settlement, so they are pages that
 * were in force when the attempt reserved (price_book_at): a change of prices meanwhile changes
 * nothing. A use that has no price shows only at settlement where a variant turns out to be unknown
 * (an image quality without a price): a strict limit then charges what was reserved. Pure, no
 * allocation, safe on any bytes.
 */
#ifndef SLUICE_COMMON_PRICE_SETTLE_H
#define SLUICE_COMMON_PRICE_SETTLE_H

#include "common/price_book.h"

/* Everything that prices one attempt. Pages, borrowed; n = 0: none. */
struct price_terms {
    int64_t at_ms;            /* when they were in force; for the usage event */
    struct str catalog;       /* prices of the built-in model */
    struct str rule;          /* of the integration's model row (cat_rule) */
    struct str access;        /* of the integration in the workspace, for this model (cat_access) */
    struct str adjust;        /* adjustments of the integration (cat_integration) */
    struct str access_adjust; /* of the integration in the workspace (cat_access) */
    int64_t ceiling_picousd;  /* per token without a price, from the strictest limit; -1: none */
};

struct price_amounts {
    int64_t cost_nanousd;
    int64_t charge_nanousd;
    uint64_t unpriced;  /* classes whose cost is not known */
    uint64_t uncharged; /* classes that the charge lacks; 0 where nothing is charged */
    bool priced;        /* any class of the model has a price */
};

/* What `usage` costs. `query`: as served. ST_BAD_FORMAT (damaged page), ST_RANGE. */
MUST_USE enum status price_settle(const struct price_terms *terms, const struct price_query *query,
                                  const struct price_usage *usage, struct price_amounts *amounts);

/* The most that an attempt may use. */
struct price_bounds {
    uint64_t input_tokens;  /* of whatever class of input_classes is dearest */
    uint64_t output_tokens; /* of output_classes */
    uint64_t input_classes; /* sets of PRICE_BIT; what cannot occur is left out */
    uint64_t output_classes;
    struct price_usage other; /* images, seconds, searches ...; token classes are ignored */
};
#define PRICE_BOUND_INPUT                                                                          \
    (PRICE_BIT(PRICE_INPUT_TOKEN) | PRICE_BIT(PRICE_CACHE_READ_TOKEN) |                            \
     PRICE_BIT(PRICE_CACHE_WRITE_TOKEN))
#define PRICE_BOUND_OUTPUT (PRICE_BIT(PRICE_OUTPUT_TOKEN) | PRICE_BIT(PRICE_REASONING_TOKEN))

/* The most that an attempt within `bounds` can cost: the dearest variant that could hold
 * (query->dearest is set here; query->input_tokens is taken from the bounds), the dearest class a
 * token could fall in, and nothing left out as measured twice. price_settle of any usage within the
 * bounds gives no more. unpriced, uncharged: classes that could occur and have no price. Statuses
 * as price_settle. */
MUST_USE enum status price_bound(const struct price_terms *terms, const struct price_query *query,
                                 const struct price_bounds *bounds, struct price_amounts *amounts);

#endif
