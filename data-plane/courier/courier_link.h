/* courier_link.h: what the uplink needs from this host (struct uplink_calls): catalog, journal, workers, shared status.
 *
 * The calls come on the uplink's threads; each touches only parts that take a lock of their own (keeper, journal, grants), words of the shared
 * status, or the workers' sockets. Used by courier.c.
 */
#ifndef SLUICE_DATA_COURIER_LINK_CALLS_H
#define SLUICE_DATA_COURIER_LINK_CALLS_H

#include <stdatomic.h>

#include "data-plane/courier/grants.h"
#include "data-plane/courier/host_state.h"
#include "data-plane/courier/journal.h"
#include "data-plane/courier/keeper.h"
#include "data-plane/courier/uplink.h"

struct courier_link {
    struct segment *segment;
    struct keeper *keeper;
    struct journal *journal;
    struct grants *grants;
    struct host_state *state;
    const int *pairs; /* one per worker */
    uint32_t workers;
    struct id told_store; /* the store whose coming made us forget acknowledgements */
    uint32_t next_probe;
    atomic_bool orphaned; /* another gateway may own the catalog file by now: nothing is written to it */
    uint64_t ended_said, ended_asked; /* boots up to here are known to have ended; the one in the request in flight */
};

/* `link` is borrowed for the uplink's life. */
void courier_link_calls(struct courier_link *link, struct uplink_calls *calls);

/* The tag of a question: which worker, and its own tag. */
static inline uint64_t courier_link_tag(uint32_t worker, uint32_t tag)
{
    return (uint64_t)worker << 32 | tag;
}

#endif
