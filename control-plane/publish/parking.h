/* parking.h: Changes requests that wait for news, one per node, and who takes them out when.
 *
 *   parking_add -> waits -> parking_wait gives it when it is due:
 *                             news (a revision newer than it knows) not before its not_before_ms
 *                             its deadline, or its connection is gone
 *                             parking_wake: it has something else to be told
 *                        -> parking_take gives it to somebody with other news (a probe)
 * A request belongs to the table or to exactly one thread, so it ends once. Owner of what is added:
 * the table until it gives it. Threads: any. Bound: NODES_MAX.
 */
#ifndef SLUICE_CONTROL_PUBLISH_PARKING_H
#define SLUICE_CONTROL_PUBLISH_PARKING_H

#include "common/frame.h"
#include "common/link.h"

struct parking;

struct parked {
    struct link_request *request;
    struct frame head; /* without its payload */
    struct id store_id;
    uint64_t have_revision;
    uint64_t known; /* newer than this is news */
    uint32_t peer;
    int64_t deadline_ms, not_before_ms; /* monotonic */
    bool gone, woken;
};

/* `newest`: the revision now. gives. ST_NO_MEMORY. */
MUST_USE enum status parking_new(uint64_t newest, struct parking **parking);

/* copies `parked`; an older request of the same node is dropped. ST_OVERLOADED, ST_CLOSED
 * (stopping), ST_NO_MEMORY: it stays the caller's. */
MUST_USE enum status parking_add(struct parking *parking, const struct parked *parked);
/* gives the node's request. ST_NOT_FOUND. */
MUST_USE enum status parking_take(struct parking *parking, const struct id *node,
                                  struct parked *parked);
/* Waits for a due request and gives it. ST_CLOSED: parking_stop was called. */
MUST_USE enum status parking_wait(struct parking *parking, struct parked *parked);

/* Makes the node's request due now, if it has one. */
void parking_wake(struct parking *parking, const struct id *node);

/* A newer revision is there. */
void parking_news(struct parking *parking, uint64_t newest);
/* A connection ended. Takes a short lock only. */
void parking_gone(struct parking *parking, uint32_t peer);
/* Ends parking_wait, now and later. What is parked stays: the process ends. */
void parking_stop(struct parking *parking);
bool parking_stopping(struct parking *parking);

#endif
