/* json_digest.h: one number for what a JSON text says, however it is written.
 *
 * Same digest: other white space, other order of members, other escapes ("\u0061" and "a"). Another
 * one: another spelling of a number (1 and 1.0: a provider may read them differently), another
 * order of items. BLAKE2b, fed by the caller, so that more can go into the same hash. Pure.
 */
#ifndef SLUICE_COMMON_JSON_DIGEST_H
#define SLUICE_COMMON_JSON_DIGEST_H

#include <sodium.h>

#include "common/json_tree.h"

/* Feeds the value into `hash`, which was begun by the caller. The arena holds what is needed
 * meanwhile. ST_BAD_JSON, ST_TOO_LARGE (more than max_nodes values), ST_NO_MEMORY. */
MUST_USE enum status json_digest(struct arena *arena, struct str json, size_t max_nodes,
                                 crypto_generichash_state *hash);

#endif
