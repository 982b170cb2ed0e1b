/* reply.h: what comes back from a provider, on its way to the client: upstream's events for a request (`arg` is the struct req). */
#ifndef SLUICE_DATA_WORKER_REPLY_H
#define SLUICE_DATA_WORKER_REPLY_H

#include "data-plane/upstream.h"
#include "data-plane/worker/req.h"

extern const struct upstream_events reply_events;

/* For translate.c. Sends status and headers of the answer. False: the client is gone and the request has ended. */
bool reply_begin(struct req *req);
/* Bytes of the answer, once it has begun; what the cache keeps of it. */
void reply_write(struct req *req, const char *p, size_t n);
/* The same before there is anything to send: from here on the answer is a stream. */
bool reply_begin_early(struct req *req);
/* Also notes whether the provider may have seen anything of it. */
enum slot_outcome reply_outcome(struct req *req, enum status status);
/* The exchange failed with `status`: another attempt, or the answer that says so. Ends the attempt, or the request. */
void reply_refuse_failed(struct req *req, enum status status);

#endif
