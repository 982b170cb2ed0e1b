/* route_walk.h: which target of a plan is tried now, and which after it (gateway-semantics.md
 * section 2.1).
 *
 *   begin -> first -> leaf -- attempt, its outcome --> next -> leaf -- ... --> ROUTE_WALK_END
 *
 * A strategy decides what an outcome means: single, loadbalance and conditional hand it up, a
 * fallback takes its next target for it, if its statuses say so. Conditions are evaluated once, in
 * begin, so that later steps need nothing of the request. A loadbalance draws when it is entered:
 * one draw, no fail-over.
 *
 * Targets that the circuit breaker keeps closed off ("cooled") are neither drawn nor fallen back
 * to. If there would be none left at all, they are taken as if none were: a breaker never refuses a
 * request. Whoever calls owns everything; pure, with the caller's random numbers and the caller's
 * eyes.
 */
#ifndef SLUICE_DATA_ROUTE_WALK_H
#define SLUICE_DATA_ROUTE_WALK_H

#include "common/route_query.h"

struct route_eyes {
    void *arg;
    bool (*is_cooled)(void *arg, size_t leaf); /* NULL: none is */
    uint64_t (*random)(void *arg);             /* 64 even bits */
};

struct route_walk {
    const struct route_plan *plan;
    const uint16_t *chosen; /* arena; per node: where a conditional leads, or ROUTE_NONE */
    uint16_t at;            /* the leaf of the last step */
    bool ignore_cooled;
};

struct route_outcome {
    int http_status; /* what the caller would get to see */
    bool no_answer;  /* nothing came from the provider: refused, reset, timed out */
};

enum route_step {
    ROUTE_WALK_LEAF,     /* *leaf is to be tried */
    ROUTE_WALK_END,      /* the last outcome is the request's */
    ROUTE_WALK_NO_MATCH, /* no condition of a conditional holds and it has no default: a 400 */
};

/* Evaluates the conditions. plan: open, not a refusal; borrowed as is the arena's memory, until the
 * walk ends. ST_TOO_LARGE: a condition could not be evaluated within its bound. ST_NO_MEMORY. */
MUST_USE enum status route_walk_begin(struct route_walk *walk, const struct route_plan *plan,
                                      struct arena *arena, const struct route_inputs *inputs);

/* ROUTE_WALK_LEAF or ROUTE_WALK_NO_MATCH. */
MUST_USE enum route_step route_walk_first(struct route_walk *walk, const struct route_eyes *eyes,
                                          size_t *leaf);
/* After an attempt of the leaf that was given last, also after one that went well. */
MUST_USE enum route_step route_walk_next(struct route_walk *walk, const struct route_eyes *eyes,
                                         struct route_outcome outcome, size_t *leaf);

#endif
