/* uplink.h: the courier's end of the link: what goes to the control plane and what comes from it
 * (ARCHITECTURE section 4).
 *
 * Implemented by feed*.c over common/link.h and common/frame.h; used by courier.c and nobody else.
 * It owns the conversation: hello, the long poll for changes (staging parts until `more` is false
 * or LINK_MAX_BYTES x 4 are staged), uploads of usage, questions, retry with jitter, the mac and
 * counters. It knows no file, no segment and no worker: for those it calls what is below.
 *
 * Threads: uplink_start makes four. `feed` calls hello, copy_begins, position, changes, health,
 * probe, contact, recall; `usage` calls usage_next, usage_acked; `asks` calls object_answer; `grants`
 * calls grants_next, grants_answer. A call may
 * block for the disk; each comes from its one thread, never two at a time. The functions uplink_*
 * may be called from any thread and never block. Failure: the link being away is a state, not an
 * error. A node that was removed (LINK_ERROR with the code of ST_NODE_REVOKED) reports it by
 * `revoked` and asks again every 30 s, no more.
 */
#ifndef SLUICE_DATA_COURIER_UPLINK_H
#define SLUICE_DATA_COURIER_UPLINK_H

#include "common/arena.h"
#include "common/node_bundle.h"
#include "data-plane/ipc.h"
#include "proto/link.pb-c.h"

#define UPLINK_ASKS_MAX                                                                            \
    1024 /* questions and probe results that wait; beyond: answered ST_OVERLOADED, or dropped */
#define UPLINK_ASK_TIMEOUT_MS   4000
#define UPLINK_BATCH_MAX_EVENTS 2000
#define UPLINK_BATCH_MAX_BYTES  (1u << 20)

struct uplink;

struct uplink_config {
    const struct node_bundle *bundle; /* the link's part; borrowed for life */
    uint64_t boot;
    uint32_t workers;
    const char *software; /* version text; borrowed for life */
};

struct uplink_calls {
    void *arg; /* first argument of each */

    /* The control plane answered our hello (borrowed for the call). */
    void (*hello)(void *arg, const Sluice__HelloReply *reply);
    /* Where we stand: goes into the next ChangesRequest. */
    void (*position)(void *arg, uint64_t *revision, struct id *store_id);
    /* The next replies are a full copy from its beginning: what was copied before is given up. */
    void (*copy_begins)(void *arg);
    /* Staged replies, in order; as catalog_apply, whose statuses come back: ST_OK; ST_BAD_FORMAT
     * with *refused and *refused_revision (told to the control plane with the next request);
     * anything else: try the same again later. */
    enum status (*changes)(void *arg, Sluice__ChangesReply *const *replies, size_t count,
                           const char **refused, uint64_t *refused_revision);
    /* Fills in how the node is (zeroed before). */
    void (*health)(void *arg, Sluice__NodeHealth *health);
    /* One probe to be carried out by a worker (borrowed for the call); the answer comes by
     * uplink_probe_result. */
    void (*probe)(void *arg, const Sluice__Probe *probe);
    /* Any authentic reply came in: the control plane's clock and newest revision (0 = not said). */
    void (*contact)(void *arg, int64_t utc_ms, uint64_t newest_revision);
    /* The connection came or went; the node was removed (true) or is known again (false). `state`
     * comes from a thread of the link's library: it may store a few values and must not call back.
     * `revoked` comes from `feed`. */
    void (*state)(void *arg, bool up);
    void (*revoked)(void *arg, bool revoked);

    /* The oldest events that are not acknowledged, of any journal of this node, at most
     * UPLINK_BATCH_MAX_*; given in the arena. ST_END: none; uplink_usage_ready will say when. */
    enum status (*usage_next)(void *arg, struct arena *arena, Sluice__UsageBatch **batch);
    void (*usage_acked)(void *arg, uint64_t journal_boot, uint64_t through_seq);

    /* What is to be said about grants now, in the arena; as grants_request (grants.h). ST_END: nothing for wait_ms. */
    enum status (*grants_next)(void *arg, struct arena *arena, Sluice__GrantsRequest **request, unsigned *wait_ms);
    /* The reply to it (NULL: none came); sent_ms is monotonic. */
    void (*grants_answer)(void *arg, int64_t sent_ms, const Sluice__GrantsRequest *request, const Sluice__GrantsReply *reply);
    /* Another host needs what this one holds (borrowed for the call). */
    void (*recall)(void *arg, const Sluice__Recall *recall);

    /* Answer to uplink_ask_object; status as in struct ipc_object, or ST_OVERLOADED. */
    void (*object_answer)(void *arg, uint64_t tag, enum status status);
};

/* copies `calls`. gives. ST_INVALID (bundle), ST_NO_MEMORY, ST_IO. */
MUST_USE enum status uplink_start(const struct uplink_config *config,
                                  const struct uplink_calls *calls, struct uplink **uplink);
/* Ends the conversation; when it returns no call is made any more. Bounded by 2 s. NULL is fine. */
void uplink_stop(struct uplink *uplink);

/* There are new events, or another journal was found. */
void uplink_usage_ready(struct uplink *uplink);
/* There is something to say about grants. */
void uplink_grants_ready(struct uplink *uplink);
/* Whose is this object? copies the query. Answered exactly once by object_answer with `tag`. */
void uplink_ask_object(struct uplink *uplink, uint64_t tag, const struct ipc_object *query);
/* A worker's packed Sluice__ProbeResult; copies. Dropped when too many wait or it is malformed. */
void uplink_probe_result(struct uplink *uplink, struct str packed);
bool uplink_is_up(const struct uplink *uplink);

#endif
