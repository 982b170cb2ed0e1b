/* api_keys.h: what the two files of /v1/api-keys share. Everything runs in the call's transaction.
 */
#ifndef SLUICE_CONTROL_API_API_KEYS_H
#define SLUICE_CONTROL_API_API_KEYS_H

#include "control-plane/api/fields.h"
#include "control-plane/auth/scopes.h"

/* ApiKey.creation_mode */
enum api_key_mode { API_KEY_MODE_API, API_KEY_MODE_UI, API_KEY_MODE_AUTO };

#define API_KEY_TEXT_MIN 16
#define API_KEY_TEXT_MAX 512

/* May the caller do `action` ("create", "rotate", ...) with keys of this kind? */
bool api_keys_may(const struct api_call *call, Sluice__ApiKeyType type, const char *action);

/* The key that the path names, if the caller may do `action` with it. ST_NOT_FOUND, ST_FORBIDDEN,
 * with messages. */
MUST_USE enum status api_keys_find(struct api_call *call, const char *action,
                                   struct record_key *key, Sluice__ApiKey **record);

/* Puts the hash and the masked form of a key's text into its record. ST_NO_MEMORY. */
MUST_USE enum status api_keys_adopt(struct api_call *call, struct str text, Sluice__ApiKey *record);

#endif
