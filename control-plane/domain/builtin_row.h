/* builtin_row.h: one line of the built-in catalog as a message; used by builtin.c only.
 *
 * The message borrows from the arena and from the document. ST_BAD_FORMAT: *bad names the field
 * that is missing or wrong (static text, "" for the row as a whole). ST_NO_MEMORY.
 */
#ifndef SLUICE_CONTROL_DOMAIN_BUILTIN_ROW_H
#define SLUICE_CONTROL_DOMAIN_BUILTIN_ROW_H

#include "common/json_tree.h"
#include "proto/catalog.pb-c.h"

MUST_USE enum status builtin_row_provider(struct arena *arena, const struct json *node,
                                          Sluice__ProviderType *row, const char **bad);
MUST_USE enum status builtin_row_model(struct arena *arena, const struct json *node,
                                       Sluice__Model *row, const char **bad);

#endif
