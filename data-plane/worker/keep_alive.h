/* keep_alive.h: a stream that is silent for stream_keep_alive gets a comment, or Anthropic's ping,
 * so that proxies and clients between do not take it for dead.
 *
 *   head of a stream -> keep_alive_start     bytes go out -> keep_alive_touch
 *
 * Starts the answer if nothing else did, but never while another attempt can follow: then silence
 * is what the caller gets. Off where the target's level of the config says stream_keep_alive:
 * false, or the parameter is 0. One timer of the request's; loop thread only.
 */
#ifndef SLUICE_DATA_WORKER_KEEP_ALIVE_H
#define SLUICE_DATA_WORKER_KEEP_ALIVE_H

#include "data-plane/worker/loop.h"

struct req;

/* The provider answers with a stream for a caller who asked for one. */
void keep_alive_start(struct req *req);
/* The caller was sent something. */
void keep_alive_touch(struct req *req);
void keep_alive_cancel(struct req *req);

#endif
