/* throttle.h: how often somebody may try a password.
 *
 * Two buckets per attempt, one of the client's address (IPv6: its /64) and one of the account that
 * was named, whether it exists or not. An attempt takes a token from both before the password is
 * looked at; one that succeeds gives the account's back. Who floods an account from many addresses
 * keeps its owner waiting too: guessing is stopped first. In memory: a restart forgets. Owner:
 * throttle_new gives, throttle_free releases. Thread-safe. Bound: THROTTLE_ROWS rows; of four that
 * a name may lie in, the fullest bucket makes room.
 */
#ifndef SLUICE_CONTROL_AUTH_THROTTLE_H
#define SLUICE_CONTROL_AUTH_THROTTLE_H

#include "common/str.h"

#define THROTTLE_ROWS            4096
#define THROTTLE_ADDRESS_TOKENS  30
#define THROTTLE_ADDRESS_EACH_MS 10000 /* one token comes back per ... */
#define THROTTLE_ACCOUNT_TOKENS  10
#define THROTTLE_ACCOUNT_EACH_MS 30000

struct throttle;

/* NULL when there is no memory. */
struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle);

/* Takes a token of each, or none. ST_RATE_LIMITED: *wait_ms until it is worth trying again.
 * `now_ms` is of the monotonic clock. */
MUST_USE enum status throttle_take(struct throttle *throttle, struct str address,
                                   struct str account, int64_t now_ms, int64_t *wait_ms);
/* One bucket of `tokens`, each back after `each_ms`, for anything else that must not come too often.
 * ST_RATE_LIMITED. */
MUST_USE enum status throttle_allow(struct throttle *throttle, struct str name, int64_t now_ms,
                                    int64_t tokens, int64_t each_ms);
/* The password was right. */
void throttle_forgive(struct throttle *throttle, struct str account, int64_t now_ms);

#endif
