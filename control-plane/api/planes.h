/* planes.h: waiting until the data planes have a change. */
#ifndef SLUICE_CONTROL_API_PLANES_H
#define SLUICE_CONTROL_API_PLANES_H

#include "control-plane/api/call.h"

#define PLANES_WAITERS_MAX 8
#define PLANES_WAIT_MAX_MS 25000
#define PLANES_WAIT_MS     5000

/* For ?wait=applied (and ?wait_ms=): holds the reply and adds x-sluice-applied. At most
 * PLANES_WAITERS_MAX wait, the others get the figures of the moment. Never fails a change, which is
 * committed already. */
void planes_wait_applied(struct api_call *call, uint64_t revision);

#endif
