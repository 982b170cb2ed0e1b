/* cost.h: what an attempt is reserved for, and what it is charged when it ends.
 *
 *   cost_expect  likely use, learned (estimate.h)   -> req->attempt.cost    every attempt
 *   cost_most    the most it can use (bound.h)      -> in its place         where a strict limit holds
 *   cost_note    into the slot, so that a crash leaves enough to charge the attempt
 *   cost_settle  what was used, and whose word it is
 *
 * Settlement, by what is known at the end (usage source in brackets):
 *
 *   nothing reached the provider, or it refused (3xx to 5xx), or the operation is free     nothing [provider]
 *   the answer said its usage                                                            that [provider]
 *   a whole answer, and the request alone says what it costs (images, characters)        that [provider]
 *   anything else: cut off, timed out, client gone, worker died, usage never said        as reserved [bound, estimated]
 *
 * A client that goes cuts the attempt; from providers that bill it all the same the answer is drained first (disconnect.def).
 *
 * One thread; nothing is kept between attempts but the learned estimates.
 */
#ifndef SLUICE_DATA_WORKER_COST_H
#define SLUICE_DATA_WORKER_COST_H

#include "data-plane/bound.h"
#include "data-plane/estimate.h"
#include "data-plane/slot.h"

struct req;

/* Of one attempt (req.h). */
struct cost {
    struct bound_ask ask;         /* body: valid until the body is transformed */
    struct slot_usage likely;     /* by the request and what was learned */
    struct price_query query;     /* quality and size of images; in the arena */
    struct price_usage usage;     /* reserved for, and charged if the usage never comes */
    struct price_amounts amounts; /* what that comes to */
    bool bounded;                 /* it is the most, not an estimate */
};

/* Fills attempt.cost from the request as it stands and the model's figures. Never fails: what has no price is 0 and says so
 * in amounts. */
void cost_expect(struct req *req);
/* Replaces it by the most. ST_UNBOUNDED_COST: bound->field and remedy say why. ST_RANGE: beyond any budget. */
MUST_USE enum status cost_most(struct req *req, struct bound *bound);
/* Input and output tokens of what is reserved. */
int64_t cost_tokens(const struct price_usage *usage);
/* The operation has no rule for its price (bound.def): refused under a cost or token limit. */
bool cost_is_closed(const struct cost *cost);
/* True if a class that the attempt would use has no price and nothing stands for it: of the cost, or of the charge. */
bool cost_is_unpriced(const struct cost *cost, bool charge);

/* Writes what is reserved for into the slot. */
void cost_note(const struct req *req, struct slot *slot);
/* Writes counts, cost, charge, tier and source of the ended attempt into the slot, and learns from it. */
void cost_settle(struct req *req, struct slot *slot);

#endif
