/* route_doc.h: reads a routing document and compiles it (gateway-semantics.md section 2).
 *
 * One code for both planes: the control plane refuses at save time what the gateway could not use,
 * the courier compiles what was saved into the catalog, a worker compiles what comes inline in
 * x-portkey-config. Keys are snake_case or camelCase. Refused: what would be misunderstood, with
 * the path and the rule ("config.targets[1].retry.attempts: must be a whole number."), and
 * `options` of the first version. Listed as guards: keys that would make requests safer and that
 * nothing here runs; whoever uses the plan refuses it for them, unless the operator chose
 * otherwise. Warned of: unknown keys and everything that has no effect. Nothing is ignored without
 * a word.
 *
 * Pure; a document in, a plan out. About 2 us per target and more for long texts, so it has no
 * place on the path of requests whose document was saved.
 */
#ifndef SLUICE_COMMON_ROUTE_DOC_H
#define SLUICE_COMMON_ROUTE_DOC_H

#include "common/arena.h"

#define ROUTE_DOC_MAX          (512u << 10) /* bytes */
#define ROUTE_DOC_WARNINGS_MAX 32
#define ROUTE_TIMEOUT_MAX_MS   86400000
#define ROUTE_CACHE_MAX_AGE_S  7776000 /* 90 days */

/* The document is stored: credentials in it are refused. */
#define ROUTE_DOC_SAVED 1u

/* gives the plan (route_plan.h) in the arena, aligned. ST_INVALID with *why (arena or static text,
 * UTF-8), ST_NO_MEMORY. */
MUST_USE enum status route_doc_compile(struct arena *arena, struct str json, unsigned flags,
                                       struct str *plan, struct str *why);

/* gives a plan that holds nothing but the reason why its document cannot be used. ST_NO_MEMORY. */
MUST_USE enum status route_doc_refusal(struct arena *arena, struct str why, struct str *plan);

#endif
