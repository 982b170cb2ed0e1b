/* bound.h: what a request can cost at most, and what it is likely to cost, before it is sent.
 *
 *   request --bound_most--> the most it can use, by class, or the field that has no bound      strict limits
 *           --bound_likely-> what such a request usually uses                                  all others
 *   the most --price_bound--> nano-USD at the dearest price that may come to apply (price_settle.h)
 *
 * The most must never be below what the provider reports, whatever the caller wrote: text by its bytes (a token is at least
 * one byte of it), images by the rules of bound_images.def, everything that may grow at the provider's side by the model's
 * context window, output by max_tokens times choices or the model's maximum, server tools by their own caps.
 * Pure, no allocation. Bodies are JSON that read_body has proved. Rows: bound.def.
 */
#ifndef SLUICE_DATA_BOUND_H
#define SLUICE_DATA_BOUND_H

#include "common/ops.h"
#include "common/price_settle.h"
#include "data-plane/usage.h"

#define BOUND_UNKNOWN UINT64_MAX

enum bound_when { BOUND_FREE, BOUND_ANSWER, BOUND_REQUEST, BOUND_CLOSED };
enum bound_models { BOUND_MODELS_NONE, BOUND_MODELS_BODY, BOUND_MODELS_FIELD, BOUND_MODELS_ROWS };

struct bound_ask {
    enum op op;
    struct str body;     /* the JSON body; n = 0: there is none */
    uint64_t body_bytes; /* of the whole request body; BOUND_UNKNOWN: not said */
    struct str model;    /* catalog slug, or the provider's id: picks the row of bound_images.def */
    uint64_t context_tokens, max_output_tokens; /* of the model; 0 = unknown */
};

struct bound {
    struct price_bounds most;
    struct price_query query; /* what picks the prices; borrows from the body */
    uint64_t max_tokens;      /* output tokens of one choice; 0: the operation has none */
    uint64_t choices;
    bool max_tokens_given; /* by the caller, not by the model */
    const char *field;     /* ST_UNBOUNDED_COST: what has no bound ... */
    const char *remedy;    /* ... and what would give it one; a sentence */
};

struct bound_row {
    enum bound_when when;
    enum bound_models models;
    enum status (*most)(const struct bound_ask *ask, struct bound *bound);
};
const struct bound_row *bound_row(enum op op);

/* The most that the request can use. ST_UNBOUNDED_COST: see field and remedy. */
MUST_USE enum status bound_most(const struct bound_ask *ask, struct bound *bound);
/* What it is likely to use if nothing was learned of its like: output cut to `max_tokens` (0: not said). Cheap: the body is
 * looked at only where the request alone decides (REQUEST). */
void bound_likely(const struct bound_ask *ask, uint64_t max_tokens, struct slot_usage *usage);

/* The counts of a bound, tokens as plain input and output: what is recorded when it is charged. */
void bound_usage(const struct price_bounds *most, struct price_usage *usage);

#endif
