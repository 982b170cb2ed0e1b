/* nodes.h: what the control plane knows of its nodes beyond their records: who is there, what they
 * have, how far behind.
 *
 * A node's definition (name, region, key, revoked) is its record in the store and is read there for
 * every message; this table holds only what messages said, in memory, for nodes whose key was
 * verified. A restart forgets it and the next message restores it. Threads: any; one lock inside,
 * never held across I/O. Bound: NODES_MAX nodes; of each the windows of NODES_BOOTS boots.
 */
#ifndef SLUICE_CONTROL_PUBLISH_NODES_H
#define SLUICE_CONTROL_PUBLISH_NODES_H

#include "common/arena.h"
#include "common/frame.h"
#include "control-plane/store/records.h"

#define NODES_MAX      4096u
#define NODES_BOOTS    4u
#define NODES_TEXT_MAX 127u
#define NODES_SILENT_MS                                                                            \
    40000 /* longest silence of a node that waits for changes: 25 s, and 10 s for the way */

struct nodes;

/* What is known of one node; a copy. */
struct node_live {
    struct id id;
    bool connected;
    uint64_t applied;          /* revision */
    uint64_t refused_revision; /* 0: none */
    char refused[NODES_TEXT_MAX + 1];
    char software[NODES_TEXT_MAX + 1];
    int64_t last_seen_ms; /* UTC */
    int64_t lag_ms;       /* since the oldest revision it lacks was committed; 0: it lacks none */
    uint32_t workers_ready;
    uint64_t requests_total, errors_total, open_requests, journal_pending;
};

struct nodes_applied {
    unsigned applied, of, refused;
};

/* gives. ST_NO_MEMORY. */
MUST_USE enum status nodes_new(struct nodes **nodes);
void nodes_free(struct nodes *nodes);

/* A message of this node was verified, on connection `peer`: takes its counter. ST_CONFLICT: seen
 * before. ST_OVERLOADED: the table is full. */
MUST_USE enum status nodes_admit(struct nodes *nodes, const struct id *id, uint64_t boot,
                                 uint64_t counter, uint32_t peer);
void nodes_hello(struct nodes *nodes, const struct id *id, const char *software);
/* The acknowledgement in a ChangesRequest. `store` false: the node holds another store's data, so
 * nothing counts as applied. */
void nodes_report(struct nodes *nodes, const struct id *id, bool same_store,
                  const Sluice__ChangesRequest *report);
/* When a node may be told news: now, or gap_ms after it last was. Monotonic milliseconds; takes
 * that moment. */
int64_t nodes_wake(struct nodes *nodes, const struct id *id, unsigned gap_ms);
/* A connection ended: its nodes are no longer connected. */
void nodes_gone(struct nodes *nodes, uint32_t peer);
/* Is this life of the node connected? */
bool nodes_boot_connected(struct nodes *nodes, const struct id *id, uint64_t boot);
/* Forgets a node (removed). */
void nodes_forget(struct nodes *nodes, const struct id *id);

/* Revision `revision` is committed: from now on who lacks it lags. */
void nodes_committed(struct nodes *nodes, uint64_t revision);

/* ST_NOT_FOUND: nothing heard of it since this process started. */
MUST_USE enum status nodes_get(struct nodes *nodes, const struct id *id, struct node_live *live);
/* gives a copy of all, in no order. ST_NO_MEMORY. */
MUST_USE enum status nodes_list(struct nodes *nodes, struct arena *arena, struct node_live **list,
                                size_t *count);

/* Waits until every connected node has applied or refused `revision`, at most wait_ms. */
void nodes_wait_applied(struct nodes *nodes, uint64_t revision, unsigned wait_ms,
                        struct nodes_applied *applied);

#endif
