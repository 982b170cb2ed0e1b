/* outgoing.h: what goes to the provider beside the body: header lines, and the credential.
 *
 * Owner: step_exchange.c, which wipes `lines` after every use. Loop thread only.
 * Limits: OUTGOING_HEADERS_MAX headers (further ones are left out), OUTGOING_SECRETS_MAX secret
 * lines.
 */
#ifndef SLUICE_DATA_WORKER_OUTGOING_H
#define SLUICE_DATA_WORKER_OUTGOING_H

#include "data-plane/worker/req.h"

#define OUTGOING_HEADERS_MAX 48
#define OUTGOING_SECRETS_MAX 8
#define OUTGOING_LINES_BYTES (32 * 1024)

struct outgoing {
    struct upstream_header headers[OUTGOING_HEADERS_MAX];
    size_t count;
    struct str secrets[OUTGOING_SECRETS_MAX]; /* whole lines, in `lines` */
    size_t secret_count;
    char reason[TOKEN_REASON_MAX]; /* why the credential cannot go out, if more is known than a status */
    char lines[OUTGOING_LINES_BYTES];
    size_t used;
};

/* The caller's headers that pass, the translation's, the provider row's, and the attempt's id. */
void outgoing_headers(struct req *req, struct outgoing *out);
/* Opens the attempt's credential and adds its lines. ST_AGAIN: it waits for something; the request
 * is run again. ST_BAD_SEAL, ST_NOT_FOUND, ST_TOO_LARGE, ST_NO_MEMORY, or what the back's sign
 * gives. */
MUST_USE enum status outgoing_credential(struct req *req, struct outgoing *out);

/* The attempt's credential, as tokens belong to it. */
struct token_owner outgoing_token_owner(const struct req *req);

#endif
