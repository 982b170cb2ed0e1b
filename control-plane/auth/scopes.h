/* scopes.h: the scopes of scopes.def as a table. Pure. */
#ifndef SLUICE_CONTROL_AUTH_SCOPES_H
#define SLUICE_CONTROL_AUTH_SCOPES_H

#include "common/str.h"
#include "proto/catalog.pb-c.h"

/* True if the scope exists and this kind of key may hold it. Exact match; "list" does not imply
 * "read". */
bool scope_fits(Sluice__ApiKeyType type, struct str scope);

/* True if a plain member of a workspace may give it to a key of their own. */
bool scope_is_for_members(struct str scope);

/* The scope at a position, for making a key with all scopes of its kind. False behind the last. */
bool scope_at(size_t index, struct str *scope);

#endif
