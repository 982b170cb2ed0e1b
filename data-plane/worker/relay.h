/* relay.h: admin routes under the gateway's base URL are re-emitted to the control plane (ARCHITECTURE section 7), so that one base URL works
 * for SDKs. Everything passes: method, path, query, headers but framing, body, answer. The control plane decides. */
#ifndef SLUICE_DATA_WORKER_RELAY_H
#define SLUICE_DATA_WORKER_RELAY_H

#include "data-plane/worker/req.h"

/* Starts the exchange with control_url; entered again while its name is looked up. Refuses with ST_CONTROL_AWAY. */
enum step_result relay_begin(struct req *req);

#endif
