/* config_refs.h: which providers a routing document names. Pure. */
#ifndef SLUICE_CONTROL_DOMAIN_CONFIG_REFS_H
#define SLUICE_CONTROL_DOMAIN_CONFIG_REFS_H

#include "common/json_tree.h"

/* True if the document sends requests to the provider with this slug: a text "@slug" or
 * "@slug/model" anywhere, or the slug itself as `provider` or `virtual_key`. */
bool config_refs_name(const struct json *document, struct arena *arena, struct str slug);

#endif
