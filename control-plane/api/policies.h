/* policies.h: usage and rate policies of a workspace, as both resources see them.
 *
 * One kind of record serves both (catalog.proto, Policy); what differs is a struct policies_kind:
 * the members that make the limit. Shared by policies.c, policies_body.c and policies_entities.c.
 */
#ifndef SLUICE_CONTROL_API_POLICIES_H
#define SLUICE_CONTROL_API_POLICIES_H

#include "common/limit.h"
#include "control-plane/api/fields.h"

#define POLICIES_MAX 500 /* of one kind in a workspace, archived ones included */

/* A member of the limit. */
struct policies_figure {
    const char *name;
    bool always; /* null when it is not set; else left out */
};

struct policies_kind {
    Sluice__Kind kind;
    const struct field_set *fields;
    const struct policies_figure *figures;
    size_t figure_count;
    const char *object, *resource;
};
extern const struct policies_kind policies_usage, policies_rate;

/* Reads the body into a policy. ST_INVALID with a message that names member and rule. */
MUST_USE enum status policies_read(struct api_call *call, const struct policies_kind *kind,
                                   bool creating, Sluice__Policy *policy);

/* The policy that the path names, in the workspace of the request. `archived`: also one that was
 * deleted. ST_NOT_FOUND with a message. */
MUST_USE enum status policies_find(struct api_call *call, Sluice__Kind kind, bool archived,
                                   struct record_key *key, Sluice__Policy **policy);

/* Writes "value_key_usage_map" of a usage policy: what each of its counters used, the first
 * COUNTERS_PAGE_MAX. Store statuses. */
MUST_USE enum status policies_write_usage(struct api_call *call, const struct record_key *key);
/* Resets the counter that reset_usage_for_value names: a value_key, or the value of a single group.
 * ST_INVALID with a message: nothing was counted for it. */
MUST_USE enum status policies_reset_value(struct api_call *call, const struct record_key *key);
/* When the counters of a policy begin anew: 0 never. Store statuses. */
MUST_USE enum status policies_next_reset(struct api_call *call, Sluice__Kind kind,
                                         const struct record_key *key, const Sluice__Policy *policy,
                                         int64_t *next_ms);

/* Its one limit. ST_INVALID: the stored text cannot be read. */
MUST_USE enum status policies_limit(struct api_call *call, Sluice__Kind kind,
                                    const Sluice__Policy *policy, struct limit_def *def);

#endif
