/* estimate.h: what requests like this one used lately, learned per API key and model by one worker.
 *
 * Reservations of standard limits are made from it, and attempts whose usage never came are charged by it. An estimate leans
 * to the high side: the running mean plus the running mean deviation (as TCP's retransmission timer, RFC 6298), so that a
 * limit is passed rarely and by little. A bounded table; what is used least recently in its place goes.
 * One thread. Whole numbers only.
 */
#ifndef SLUICE_DATA_ESTIMATE_H
#define SLUICE_DATA_ESTIMATE_H

#include "common/id.h"
#include "data-plane/usage.h"

#define ESTIMATE_PLACES 4096 /* pairs of key and model that are remembered */

struct estimates;
/* gives. ST_NO_MEMORY. */
MUST_USE enum status estimates_open(struct estimates **estimates);
void estimates_close(struct estimates *estimates);

/* Replaces the token figures of `likely` (bound_likely) by learned ones, output cut to `max_tokens` (0: no cut). Leaves them
 * if nothing was learned. */
void estimates_apply(const struct estimates *estimates, const struct id *key, struct str model, uint64_t body_bytes,
                     uint64_t max_tokens, struct slot_usage *likely);
/* What a request of `body_bytes` really used. */
void estimates_learn(struct estimates *estimates, const struct id *key, struct str model, uint64_t body_bytes,
                     uint64_t input_tokens, uint64_t output_tokens);

#endif
