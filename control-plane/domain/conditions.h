/* conditions.h: what a policy applies to, and what it counts by (reference/admin-api.md 3.3).
 *
 *   conditions  [{"key":"metadata.team","value":"a","excludes":["b"]}, ..]   all must hold; a value
 * is a string, a number, true or false, or an array of them (any); '*' stands for any text group_by
 * [{"key":"api_key"}, ..]                                      one counter per tuple
 *
 * Nodes compile what is stored, and refuse a revision that they cannot: so what is checked here is
 * what they can. Policies of tools (target other than "llm") are stored for others to read; their
 * keys are not looked at. Pure.
 */
#ifndef SLUICE_CONTROL_DOMAIN_CONDITIONS_H
#define SLUICE_CONTROL_DOMAIN_CONDITIONS_H

#include "common/arena.h"
#include "common/json_tree.h"

#define CONDITIONS_MAX       32  /* of one policy */
#define CONDITIONS_VALUES    500 /* in one condition */
#define CONDITIONS_VALUE_MAX 512 /* bytes of one value */
#define CONDITIONS_GROUPS    8

struct conditions_error {
    char field[48];   /* "conditions[2].value" */
    const char *rule; /* static */
};

/* `tools`: keys are not looked at. ST_INVALID with `error` filled, ST_NO_MEMORY. */
MUST_USE enum status conditions_check(struct arena *arena, const struct json *conditions,
                                      bool tools, struct conditions_error *error);
MUST_USE enum status conditions_check_groups(struct arena *arena, const struct json *groups,
                                             bool tools, struct conditions_error *error);

#endif
