/* route_config.h: routing documents ("configs"): what one says about where a request goes. gateway-semantics.md section 2.
 *
 * A document is a JSON object; its leaf names a provider ("provider": "@slug" or a plain slug, or "virtual_key") and override_params, whose
 * "model" may be "@slug/model" itself. Read here: a bare leaf, and strategy.mode "single" with targets. Other modes are refused with the
 * path of what is not supported, never ignored. Text is borrowed from the document or copied into the arena.
 */
#ifndef SLUICE_DATA_ROUTE_CONFIG_H
#define SLUICE_DATA_ROUTE_CONFIG_H

#include "common/json_tree.h"

struct route_leaf {
    struct str provider;      /* slug without '@'; n = 0 none */
    struct str model;         /* override_params.model; n = 0 none */
    struct str override_json; /* override_params, exact text; n = 0 none */
    struct str index;         /* "config" or "config.targets[0]" */
};

/* ST_OK; ST_INVALID with *why (arena or static text: path and rule); ST_NO_MEMORY. */
MUST_USE enum status route_config_read(struct arena *arena, struct str document, struct route_leaf *leaf, struct str *why);

#endif
