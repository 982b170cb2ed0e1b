/* explain.h: what would happen to a request, told instead of done.
 *
 *   POST /v1/explain              the body of a chat completion
 *   POST /v1/explain/embeddings   ... of any other operation: its path behind /explain, its method
 *   x-sluice-explain: true        on the operation itself
 *
 * The request walks over the same steps with the same code up to where it would be sent (files that
 * it names by URL are not fetched); there, or where it is refused, the answer is this account: key,
 * workspace, config, limits before and after, the targets that refused it and why, the one that
 * would be asked (provider, integration, row of the model list, price, times, cache), and the whole
 * plan. Nothing is sent. Budgets are taken and given back, so what is said about them is what a
 * call would meet; rates and permits are looked at only, so asking uses none of them. A loadbalance
 * draws, so another call may draw otherwise. What is wrong with the key itself is refused as ever.
 * Loop thread only.
 */
#ifndef SLUICE_DATA_WORKER_EXPLAIN_H
#define SLUICE_DATA_WORKER_EXPLAIN_H

#include "common/buf.h"
#include "common/str.h"

struct req;

#define EXPLAIN_TRIED_BYTES (64u * 1024u)
#define EXPLAIN_BYTES       (512u * 1024u)

struct explain {
    bool on;
    struct buf tried; /* JSON objects of the targets that refused it, each behind a comma */
};

/* Finds out whether the request only asks. *path: behind /v1, may become that of the operation. */
void explain_begin(struct req *req, struct str *path);
void explain_free(struct req *req);

/* Would the request's own rates and permits let it pass? ST_OK, else it is refused (req->refused).
 * In the place of taking them. */
MUST_USE enum status explain_admit(struct req *req);
/* Would the attempt's limits? ST_AGAIN: the walk waits. In the place of taking them and a slot. */
MUST_USE enum status explain_reserve(struct req *req);
/* The attempt would be sent now; answers. */
void explain_allowed(struct req *req);
/* A target refused the request, and another one follows. */
void explain_tried(struct req *req);
/* The request is refused (req->refused); answers. */
void explain_refused(struct req *req);

#endif
