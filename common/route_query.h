/* route_query.h: does a condition of a plan hold for this request?
 *
 * What a key finds: metadata.* in the request's metadata, params.* in its JSON body as the client
 * sent it (before overrides), url.pathname. A path goes to any depth: a segment is a member's name,
 * or a position in an array; a member whose own name has dots is found first ("metadata.a.b" means
 * the member "a.b" if there is one). Each key is looked up once per request.
 *
 * Operators (section 2.2): equality is of type and value, numbers by value, exactly; $gt and the
 * like compare numbers, also those a string begins with; what is missing equals nothing, is in no
 * list and matches no pattern, so $ne and $nin hold. $regex tests the text of a string, number or
 * boolean.
 *
 * One request, one thread. Work is bounded (ROUTE_WORK_MAX steps: bytes passed over, states of
 * patterns): beyond it there is no answer, because half an answer would route wrongly.
 */
#ifndef SLUICE_COMMON_ROUTE_QUERY_H
#define SLUICE_COMMON_ROUTE_QUERY_H

#include "common/json_scan.h"
#include "common/route_plan.h"

#define ROUTE_WORK_MAX (8u << 20)

struct route_inputs {
    struct str metadata; /* a validated JSON object, or n = 0 */
    struct str params;   /* likewise */
    struct str pathname; /* "/v1/chat/completions" */
};

struct route_found {
    bool found, bare; /* bare: text without quotes (the pathname) */
    enum json_type type;
    struct str raw;
};

/* A request's look at a plan. */
struct route_query {
    const struct route_plan *plan;
    const struct route_inputs *inputs;
    struct arena *arena;
    uint64_t work;     /* left */
    uint64_t resolved; /* bit per path: found[] is filled */
    struct route_found found[ROUTE_PATHS_MAX];
};

/* All borrowed, as long as `query` is used. */
void route_query_init(struct route_query *query, const struct route_plan *plan, struct arena *arena,
                      const struct route_inputs *inputs);

/* term: a condition's. ST_TOO_LARGE: the work is used up. ST_NO_MEMORY. */
MUST_USE enum status route_query_holds(struct route_query *query, size_t term, bool *holds);

#endif
