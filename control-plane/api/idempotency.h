/* idempotency.h: Idempotency-Key: a POST that is sent again is answered again, not done again.
 *
 *   Rows (KV_MAIN): [0x7F 'K'][org 16][actor 16][BLAKE2b-128(key)]
 *                   -> u8 version, i64 made_at_ms, u64 revision, request hash 32, sealed reply
 * The reply is written in the transaction of the change, so there is never one without the other.
 * It may hold a new API key, so it is sealed with a key that follows from what proved the caller
 * and the Idempotency-Key: the store alone cannot open it. Kept IDEMPOTENCY_KEEP_MS. Only successes
 * are kept: what was refused may be tried again. Functions run inside the operation.
 */
#ifndef SLUICE_CONTROL_API_IDEMPOTENCY_H
#define SLUICE_CONTROL_API_IDEMPOTENCY_H

#include "control-plane/api/call.h"
#include "control-plane/store/keys.h"

#define IDEMPOTENCY_KEEP_MS        ((int64_t)24 * 3600 * 1000)
#define IDEMPOTENCY_KEY_MAX        255
#define IDEMPOTENCY_PURGE_PER_STEP 1000

/* If the request has a key that was answered already: puts that answer into the reply, makes the
 * operation write nothing and sets *replayed. ST_INVALID (no such key can be), ST_UNPROCESSABLE (it
 * was another request, or another value of the caller's credential), with messages; store statuses.
 */
MUST_USE enum status idempotency_look(struct api_call *call, bool *replayed);

/* Keeps the reply of a change that went well. Nothing without a key. ST_TOO_LARGE (above 1 MiB),
 * store statuses. */
MUST_USE enum status idempotency_keep(struct api_call *call);

/* Forgets rows older than IDEMPOTENCY_KEEP_MS: looks at IDEMPOTENCY_PURGE_PER_STEP behind `place`
 * (n = 0 at first), and says whether some remain. Sets op->no_revision. */
MUST_USE enum status idempotency_purge(struct write_op *op, struct key *place, bool *left);

#endif
