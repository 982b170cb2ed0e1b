/* tokens.h: the tokens of a worker: fetched once, kept in guarded memory, renewed ahead of their
 * end.
 *
 *   tokens_get   none kept   -> fetch; ST_AGAIN to all who ask meanwhile (one flight per token)
 *                fresh       -> ST_OK
 *                ending soon -> ST_OK, and a fetch beside it: nobody waits
 *                it failed   -> the failure, until it may be tried again
 *
 * A token belongs to one credential as it was sealed (owner, version, hosts) and to one scope of
 * it, so a credential that is saved again starts anew. Token endpoints are called under egress
 * rules and only at hosts that the credential was sealed for. Owner: the worker; loop thread only.
 * Limits: TOKENS_MAX tokens, the one not used for longest goes; TOKEN_TIMEOUT_MS for a fetch.
 */
#ifndef SLUICE_DATA_WORKER_TOKENS_H
#define SLUICE_DATA_WORKER_TOKENS_H

#include "common/id.h"
#include "data-plane/dialect/token.h"

#define TOKENS_MAX       1024
#define TOKEN_TIMEOUT_MS 10000

struct worker;
struct tokens;

/* Whose token. Borrowed for the call. */
struct token_owner {
    struct id org, owner;
    uint32_t version;
    struct str hosts, allowed_private;
};

/* A waiting caller; embedded in it; done is called at most once, never from within tokens_get. */
struct token_wait {
    struct token_wait *next, **back;
    void (*done)(struct token_wait *wait);
    void *owner;
};

/* ST_NO_MEMORY. */
MUST_USE enum status tokens_open(struct worker *worker, struct tokens **tokens);
void tokens_close(struct tokens *tokens);

/* Copies the token to out; *n is its length. `signing` must have its credential open. ST_AGAIN:
 * asked; wait->done will be called, then call again. ST_CREDENTIAL_REFUSED, ST_UPSTREAM_CONNECT,
 * ST_UPSTREAM_TIMEOUT, ST_UPSTREAM_BROKEN, ST_EGRESS_DENIED: signing->reason says more.
 * ST_TOO_LARGE (the room), ST_OVERLOADED, ST_NO_MEMORY. */
MUST_USE enum status tokens_get(struct tokens *tokens, const struct dialect_signing *signing,
                                const struct token_kind *kind, struct str scope,
                                const struct token_owner *owner, struct token_wait *wait, char *out,
                                size_t room, size_t *n);
void tokens_wait_cancel(struct token_wait *wait);
/* The provider did not take a token of this credential (HTTP 401): all of them are fetched anew,
 * but for those that have just been. */
void tokens_forget(struct tokens *tokens, const struct token_owner *owner);

#endif
