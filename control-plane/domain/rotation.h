/* rotation.h: when a key is due for rotation, and how long the old value stays valid. Pure. */
#ifndef SLUICE_CONTROL_DOMAIN_ROTATION_H
#define SLUICE_CONTROL_DOMAIN_ROTATION_H

#include "common/json_tree.h"

#define ROTATION_TRANSITION_MIN_MS 1800000

/* Reads a rotation policy {rotation_period | rotation_period_days | next_rotation_at,
 * key_transition_period_ms} and gives it with next_rotation_at filled, as JSON in the arena: weekly
 * = next Monday 00:00 UTC, monthly = next 1st 00:00 UTC, days = that many midnights ahead, an
 * explicit time = its UTC midnight. `why` gets a sentence on ST_INVALID. ST_NO_MEMORY,
 * ST_TOO_LARGE. */
MUST_USE enum status rotation_complete(struct arena *arena, const struct json *policy,
                                       int64_t now_ms, char **json, const char **why);

/* True if the stored policy ("" = none) asks for a rotation now: its date has come, and the key was
 * not rotated since. */
bool rotation_is_due(struct arena *arena, struct str policy, int64_t last_rotated_ms,
                     int64_t now_ms);

/* After a rotation: the policy with its next date; one that names a date and no period stays as it
 * is. gives JSON in the arena. Statuses of rotation_complete. */
MUST_USE enum status rotation_advance(struct arena *arena, struct str policy, int64_t now_ms,
                                      char **json);

/* The transition period of a stored policy ("" = none): its key_transition_period_ms or the
 * minimum. */
int64_t rotation_transition_ms(struct arena *arena, struct str policy);

#endif
