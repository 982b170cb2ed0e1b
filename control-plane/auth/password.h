/* password.h: passwords of people, hashed with Argon2id.
 *
 * One hash takes some 100 ms and 64 MiB, so at most PASSWORD_AT_ONCE run at a time and
 * PASSWORD_WAITING wait; more are turned away. Never on the writer thread, never inside a
 * transaction. Thread-safe. The caller wipes the password.
 */
#ifndef SLUICE_CONTROL_AUTH_PASSWORD_H
#define SLUICE_CONTROL_AUTH_PASSWORD_H

#include "common/arena.h"

#define PASSWORD_MIN_BYTES 12
#define PASSWORD_MAX_BYTES 1024
#define PASSWORD_RULE      "must have 12 to 1,024 bytes"
#define PASSWORD_AT_ONCE   2
#define PASSWORD_WAITING   8

/* gives the text to store, in the arena. ST_INVALID (length: PASSWORD_RULE), ST_OVERLOADED,
 * ST_NO_MEMORY. */
MUST_USE enum status password_hash(struct arena *arena, struct str password, struct str *hash);

/* ST_OK: `password` is the one of `hash`. ST_UNAUTHORIZED: it is not. With n = 0 for `hash`
 * (nobody, or no password set) it works as long as for a wrong one. ST_OVERLOADED. */
MUST_USE enum status password_verify(struct str hash, struct str password);

#endif
