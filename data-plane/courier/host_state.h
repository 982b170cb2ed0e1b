/* host_state.h: how this host is: what /healthz, /readyz and /metrics say, and what the control plane is told.
 *
 * Reads the segment and the courier's own numbers; never another machine. Pages run on the loop's thread, host_state_health on any.
 */
#ifndef SLUICE_DATA_COURIER_HOST_STATE_H
#define SLUICE_DATA_COURIER_HOST_STATE_H

#include "common/buf.h"
#include "common/metrics.h"
#include "data-plane/segment.h"
#include "proto/link.pb-c.h"

#define HOST_STATE_METRICS 256

struct host_state {
    const struct segment *segment; /* borrowed */
    uint64_t max_staleness_s;      /* 0: never too old */
    uint64_t own[HOST_STATE_METRICS];
    struct metrics metrics; /* bound to `own`: the courier's rows */
};

void host_state_init(struct host_state *state, const struct segment *segment, uint64_t max_staleness_s);
/* Numbers that only the courier knows; kept for the pages. */
void host_state_note(struct host_state *state, uint64_t journal_pending, uint64_t journal_damaged, uint64_t skipped,
                     uint64_t counters);

/* health_page: /healthz, /readyz, /metrics. */
int host_state_page(void *state, struct str path, struct buf *out, const char **content_type);
/* Fills in what goes with every request for changes. */
void host_state_health(const struct host_state *state, Sluice__NodeHealth *health);
/* True if this host may take traffic: a catalog, a worker that serves, not too stale, not removed. */
bool host_state_ready(const struct host_state *state);

#endif
