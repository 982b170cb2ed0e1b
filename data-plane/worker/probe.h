/* probe.h: acts once with a sealed credential on behalf of the control plane: "test" or "list_models" (ARCHITECTURE section 4, Probe).
 *
 * At most PROBES_MAX at a time per worker; each ends within its deadline. The answer goes back over the mailbox under the same tag: ok,
 * HTTP status, the provider's own message (cut), latency, model ids. The credential never leaves this process but to its own host.
 */
#ifndef SLUICE_DATA_WORKER_PROBE_H
#define SLUICE_DATA_WORKER_PROBE_H

#include "data-plane/worker/worker.h"

#define PROBES_MAX 8

/* `packed`: a Sluice__Probe. Anything wrong is answered as a failed probe. */
void probe_begin(struct worker *worker, uint32_t tag, struct str packed);

#endif
