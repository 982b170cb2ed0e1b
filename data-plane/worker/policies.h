/* policies.h: does a usage or rate policy apply to this request, and which of its counters is meant?
 *
 * All conditions must hold; in one, a value fits or (with '*') any value that is there, and none of the excludes does. The
 * counter is named by the tuple of the group keys: "metadata._user:alice,model:gpt-4o" (admin-api.md 3.3). A group key that
 * the request lacks counts as empty, so nothing escapes its counter by leaving it out.
 *
 * Metadata of one name: the workspace's default wins over the key's, that over the request's x-portkey-metadata, that for
 * "_user" over `user` in the body: what an admin fixed cannot be evaded by a caller.
 * Pure over its facts, which are borrowed; texts are made in the arena.
 */
#ifndef SLUICE_DATA_WORKER_POLICIES_H
#define SLUICE_DATA_WORKER_POLICIES_H

#include "common/catalog_codec.h"
#include "data-plane/worker/metadata.h"


struct policy_facts {
    struct arena *arena;
    struct id api_key, workspace, org;
    struct str config, config_id;              /* slug, id as text; n = 0: none used */
    struct str endpoint;                       /* operation of ops.def */
    struct str metadata[METADATA_LAYERS];    /* JSON objects in the order in which they win; n = 0: none */
    struct str body;                           /* JSON, for `user`; n = 0: none */
    struct str provider, provider_id, type;    /* of the target: slug, id as text, slug of its type; n = 0: not known here */
    struct str model;                          /* without @slug/ */
};

/* True if all conditions hold. `head`: of the record that the policy stands in. */
bool policies_match(const struct cat_head *head, const struct cat_policy *policy, const struct policy_facts *facts);

/* The value key, at most LIMIT_VALUE_KEY bytes of UTF-8; what is longer is cut and its hash put behind it. gives in the
 * arena. ST_NO_MEMORY. */
MUST_USE enum status policies_value_key(const struct cat_head *head, const struct cat_policy *policy,
                                        const struct policy_facts *facts, struct str *value_key);

#endif
