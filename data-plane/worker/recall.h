/* recall.h: answers from the cache (answer_cache.h) in the request path.
 *
 *   authorize -> recall -- hit: the stored answer, piece by piece as the client takes it
 *                       `- miss: reserve ... reply -> draft -> stored when the answer is complete
 *
 * For targets whose level of the config has cache: simple, for operations that answer from their
 * body alone, with a whole body in hand. Whether the caller may use the target was decided before;
 * a hit reserves and costs nothing. The key holds who asks, who would answer (provider,
 * integration, address, model) and the body with overrides. x-portkey-cache-force-refresh passes a
 * stored answer over, x-portkey-cache-namespace keeps answers apart.
 *
 * Owner: the request; what it holds is let go in recall_cancel. Loop thread only. Never stored:
 * what is no 200, what broke off, streams that report an error or lack their end.
 */
#ifndef SLUICE_DATA_WORKER_RECALL_H
#define SLUICE_DATA_WORKER_RECALL_H

#include "data-plane/answer_cache.h"
#include "data-plane/sse.h"
#include "data-plane/worker/trace.h"

struct req;

struct recall {
    enum trace_cache status;     /* of the present attempt */
    struct answer_key key;       /* unless it is DISABLED */
    uint32_t max_age_s;          /* 0: the default */
    const struct answer *answer; /* being sent; retained */
    size_t at;                   /* bytes of it that were sent */
    struct answer_draft *draft;  /* of the answer that goes to the client */
    bool ended;                  /* the stream had its last event */
};

/* Looks for a stored answer. True: it is being sent, and the walk is left. */
bool recall_find(struct req *req);
/* The client takes more. */
void recall_resume(struct req *req);

/* The provider's answer begins, goes on, and is complete. */
void recall_begin(struct req *req, struct str content_type);
void recall_add(struct req *req, const char *p, size_t n);
void recall_event(struct req *req, const struct sse_event *event);
void recall_end(struct req *req, bool whole);

/* Drops what is kept of the attempt. */
void recall_cancel(struct req *req);

#endif
