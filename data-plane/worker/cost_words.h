/* cost_words.h: what a caller is told a call cost: x-sluice-cost-nanousd and x-sluice-usage-source.
 *
 * The figure is the charge of all attempts of the request, which budgets count (multipliers of the
 * caller's team are in it); the source says whose word it is for the last one: provider, estimated,
 * bound. Operations that cost nothing, or have no rule (bound.def), tell nothing. whole answers two
 * headers. A JSON answer is held until its end, because its head goes first; one above
 * COST_HELD_BYTES, and one that is no JSON, passes as it comes and tells nothing streams         a
 * comment behind the last event, which every reader of event streams skips (HTML, "Server-sent
 * events") One thread.
 */
#ifndef SLUICE_DATA_WORKER_COST_WORDS_H
#define SLUICE_DATA_WORKER_COST_WORDS_H

#include "data-plane/worker/req.h"

#define COST_HELD_BYTES (256u * 1024u)

/* The attempt was settled into `slot`: remembers what is told. */
void cost_words_learn(struct req *req, const struct slot *slot);
/* Appends the headers, if there is something to tell; returns the new count. Values lie in the
 * arena. */
size_t cost_words_headers(struct req *req, struct reply_header *headers, size_t count);
/* Writes the comment at the end of a stream. */
void cost_words_comment(struct req *req);

/* Keeps bytes of an answer until its end. False: they must go out now, behind req->held. */
bool cost_words_hold(struct req *req, const char *p, size_t n);

#endif
