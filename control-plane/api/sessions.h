/* sessions.h: what the handlers about passwords and sessions share.
 *
 * Cookies and tickets are shown once, in the reply that made them. Everything runs on the caller's
 * thread.
 */
#ifndef SLUICE_CONTROL_API_SESSIONS_H
#define SLUICE_CONTROL_API_SESSIONS_H

#include "control-plane/api/call.h"
#include "control-plane/auth/ticket.h"

/* Takes a token of the throttle for (the client's address, `account`). ST_RATE_LIMITED with a
 * Retry-After header. */
MUST_USE enum status sessions_throttle(struct api_call *call, struct str account);

/* A required text of the body. ST_INVALID: absent, empty or no string. */
MUST_USE enum status sessions_text(struct api_call *call, const char *name, struct str *text);

/* The new password of the body, hashed: takes 100 ms. ST_INVALID (length), ST_OVERLOADED. */
MUST_USE enum status passwords_read(struct api_call *call, struct str *hash);

/* Puts the cookie into the reply; "" with age 0 removes it. */
void sessions_set_cookie(struct api_call *call, const char *value, int64_t age_s);

/* Writes who one is: person, organisation, workspaces, guard word. call->auth is the session's.
 * Store statuses. */
MUST_USE enum status sessions_write_current(struct api_call *call, const struct ticket *ticket,
                                            int64_t expires_at_ms);

#endif
