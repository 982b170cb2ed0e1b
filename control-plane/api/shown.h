/* shown.h: entities and bodies as an audit record may show them: everything but what is secret.
 *
 * A member is hidden ("***") if its name is that of a credential (credentials_is_secret), a key,
 * token or password, whatever object it is in; of a stored message the hashes, seals and hidden
 * forms are left out. Texts that are JSON in the store are shown as JSON. Pure; everything new is
 * in the arena.
 */
#ifndef SLUICE_CONTROL_API_SHOWN_H
#define SLUICE_CONTROL_API_SHOWN_H

#include <protobuf-c/protobuf-c.h>

#include "common/json_write.h"

#define SHOWN_MAX_BYTES (16u << 10)

/* A body without what is secret; p = NULL when it has more than SHOWN_MAX_BYTES, or without memory.
 */
struct str shown_json(struct arena *arena, const struct json *node);

/* A stored message as JSON; p = NULL as above. */
struct str shown_message(struct arena *arena, const ProtobufCMessage *message);

#endif
