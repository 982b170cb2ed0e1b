/* clamp.h: a strict budget cannot cover the most a request may use: how much output would fit, and lowering it to that.
 *
 * The caller opts in with the header x-sluice-clamp-output: true; then max_tokens is lowered in the body that is sent, and the
 * answer says so in x-sluice-clamped-max-tokens. Without it the refusal names the figure.
 */
#ifndef SLUICE_DATA_WORKER_CLAMP_H
#define SLUICE_DATA_WORKER_CLAMP_H

#include "data-plane/worker/req.h"

/* STEP_NEXT: the output was lowered, attempt.priced is false, to be priced and taken anew. Else refuses. */
enum step_result clamp_or_refuse(struct req *req, const struct limit_use *use);

#endif
