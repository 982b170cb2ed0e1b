/* reply.h: what comes back from a provider, on its way to the client: upstream's events for a request (`arg` is the struct req). */
#ifndef SLUICE_DATA_WORKER_REPLY_H
#define SLUICE_DATA_WORKER_REPLY_H

#include "data-plane/upstream.h"

extern const struct upstream_events reply_events;

#endif
