/* session.h: browsers that signed in.
 *
 * A session is a record below its user, found by the ids in its ticket and proved by the ticket's
 * hash. It ends by sign-out, by revocation, with its time, with its user, and when the password
 * changes. Records are not in the feed. At most SESSION_PER_USER_MAX per user: the oldest make
 * room. Functions with a write_op run on the writer thread and add no audit record: the caller says
 * what happened.
 */
#ifndef SLUICE_CONTROL_AUTH_SESSION_H
#define SLUICE_CONTROL_AUTH_SESSION_H

#include "control-plane/auth/ticket.h"
#include "control-plane/store/records.h"
#include "control-plane/store/writer.h"

#define SESSION_COOKIE         "sluice_session"
#define SESSION_PER_USER_MAX   50
#define SESSION_AGENT_MAX      255
#define SESSION_PURGE_PER_STEP 1000

/* The text of the session's cookie in a Cookie header; p = NULL: there is none. */
struct str session_cookie(struct str cookie);
/* The session's ticket out of a Cookie header. ST_INVALID: there is none in it. */
MUST_USE enum status session_read_cookie(struct str cookie, struct ticket *ticket);

/* Finds the live session and its live user. ST_UNAUTHORIZED: unknown, ended, or of nobody any more;
 * ST_NO_MEMORY, store statuses. */
MUST_USE enum status session_find(struct kv_txn *txn, struct arena *arena,
                                  const struct ticket *ticket, int64_t now_ms,
                                  Sluice__Session **session, Sluice__User **user);

struct session_order {
    struct id org, user;
    int64_t ttl_ms;
    struct str client_ip, user_agent;
};
/* Makes a session; gives its ticket and its end. ST_NO_MEMORY, store statuses. */
MUST_USE enum status session_make(struct write_op *op, const struct session_order *order,
                                  struct ticket *ticket, int64_t *expires_at_ms);

/* Ends all sessions of a user but `keep` (NULL: all). */
MUST_USE enum status session_end_all(struct write_op *op, const struct id *org,
                                     const struct id *user, const struct id *keep);

/* Removes sessions whose time is over: looks at SESSION_PURGE_PER_STEP behind `last` (zeroed at
 * first) and says whether some remain. Sets op->no_revision. */
MUST_USE enum status session_purge(struct write_op *op, struct record_key *last, bool *left);

#endif
