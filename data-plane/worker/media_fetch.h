/* media_fetch.h: pictures and files that a request names by URL, fetched for a provider that wants
 * bytes (back.wants_bytes), before the request is written in its dialect.
 *
 *   transform -> media_fetch: STEP_WAIT -> (all there) req_run -> transform -> media_fetch:
 * STEP_NEXT
 *
 * Owner: the request; what was fetched lies in its arena and serves all of its attempts. The URL is
 * the caller's: public addresses only, and what media_allowed_private opens; never what is open to
 * providers. No credential goes out, no redirect is followed. Loop thread only.
 * Limits: media_max_count URLs of a request, media_max_bytes each, MEDIA_PARALLEL at a time,
 * media_timeout; body_budget. media_max_count 0 turns it off.
 * Failure: 400 that names the part and what is wrong.
 */
#ifndef SLUICE_DATA_WORKER_MEDIA_FETCH_H
#define SLUICE_DATA_WORKER_MEDIA_FETCH_H

#include "data-plane/worker/req.h"

#define MEDIA_PARALLEL 4

/* STEP_NEXT: every part that the attempt's back wants as bytes has them. STEP_WAIT: req_run goes
 * on. STEP_REFUSE. */
enum step_result media_fetch(struct req *req);
/* Something would have to be fetched. */
bool media_is_wanted(const struct req *req);
/* Ends what still runs. For req_finish. */
void media_fetch_cancel(struct req *req);

#endif
