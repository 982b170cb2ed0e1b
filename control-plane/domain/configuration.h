/* configuration.h: the fields of an integration's configurations that gateways act by, checked when
 * they are saved.
 *
 * The rules are configuration.def's; other fields are stored as they are. Gateways check again what
 * they put into an address. Pure but for the arena.
 */
#ifndef SLUICE_CONTROL_DOMAIN_CONFIGURATION_H
#define SLUICE_CONTROL_DOMAIN_CONFIGURATION_H

#include "common/json_tree.h"

#define CONFIGURATION_DEPLOYMENTS_MAX 64

/* configurations: an object, or NULL. ST_INVALID: `why` names the field and its rule, in the arena.
 * ST_NO_MEMORY. */
MUST_USE enum status configuration_check(struct arena *arena, const struct json *configurations,
                                         struct str *why);

#endif
