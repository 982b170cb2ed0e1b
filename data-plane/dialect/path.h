/* path.h: the address of an operation at a provider, from the row's template. Pure.
 *
 *   /v1/projects/{vertex_project_id}/locations/{vertex_region}/publishers/google/models/{model}
 *
 * What fills a placeholder comes from admins and callers: it must be a name, and nothing that ends
 * a path segment, begins a query or climbs a folder.
 */
#ifndef SLUICE_DATA_DIALECT_PATH_H
#define SLUICE_DATA_DIALECT_PATH_H

#include "data-plane/dialect/dialect.h"

#define PATH_NAME_MAX 256 /* bytes of what fills a placeholder */

/* True for 1 to PATH_NAME_MAX bytes of [A-Za-z0-9._:@-] that begin with a letter or digit and have
 * no "..". */
bool path_is_name(struct str text);

/* Adds `row` to out with its placeholders filled: {model} by `model`, others by the integration's
 * configuration (target->configurations_json); {id} stays. ST_INVALID: a value is missing or no
 * name. ST_TOO_LARGE. */
MUST_USE enum status path_fill(const struct dialect_target *target, struct str row,
                               struct str model, struct buf *out);

/* A field of the integration's configuration, unescaped: borrows, or copies into room (max bytes).
 * n = 0: not there, no string, or too long. */
struct str path_configured(const struct dialect_target *target, const char *name, char *room,
                           size_t max);

#endif
