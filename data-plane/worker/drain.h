/* drain.h: an attempt that goes on without its client, so that its usage is the provider's word
 * (disconnect.def).
 *
 * The request keeps its slot, permits and exchange; nothing is written to anybody. Ends with the
 * exchange: at its end, at the attempt's time limits, or with the worker. At most DRAINS_MAX at a
 * time in a worker; one more is cut. One thread.
 */
#ifndef SLUICE_DATA_WORKER_DRAIN_H
#define SLUICE_DATA_WORKER_DRAIN_H

#include "data-plane/worker/req.h"

#define DRAINS_MAX 256

/* The client is gone (req->conn is NULL). True: the request goes on and finishes itself. False: it
 * is to be finished. */
bool drain_begin(struct req *req);
/* The request is finished, drained or not. */
void drain_end(struct req *req);

#endif
