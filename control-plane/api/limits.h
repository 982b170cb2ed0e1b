/* limits.h: taking usage_limits and rate_limits as clients send them (reference/admin-api.md
 * section 3).
 *
 * What is stored is the client's own JSON (reads must give it back) with whole numbers plain. What
 * it means, and so what is refused, is common/limit.h's: the same code reads it at a node. Pure.
 */
#ifndef SLUICE_CONTROL_API_LIMITS_H
#define SLUICE_CONTROL_API_LIMITS_H

#include "control-plane/api/call.h"

/* Canonical text of usage limits: an object when `single`, else an array; "" for null, [] or
 * absent. A single object is taken for an array of one and the other way round. `name` is the
 * member's, for messages. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status limits_usage(struct api_call *call, const char *name, const struct json *node,
                                  bool single, char **text);
/* The same for rate limits: always an array. */
MUST_USE enum status limits_rates(struct api_call *call, const char *name, const struct json *node,
                                  char **text);

/* Copies a tree, with numbers that are whole written plainly ("100.0" -> 100): some clients read
 * them as integers. Depth is bounded by the parser. */
void limits_write_plain(struct json_writer *w, const struct json *node);

/* ST_INVALID if an entity's usage and rate limits together are more than LIMIT_DEFS_MAX. Texts as
 * the functions above gave them. */
MUST_USE enum status limits_check_count(struct api_call *call, struct str usage, struct str rates);

/* ST_INVALID if alert_threshold > credit_limit in an object that limits_usage gave (API keys,
 * policies). */
MUST_USE enum status limits_check_alert(struct api_call *call, const char *name, struct str object);

#endif
