/* planes.h: what the admin API wants to know of the data planes, and ask of them.
 *
 * The link (publish/) knows the nodes; app.c fills this table of functions from it, so that no handler depends on the link and tests
 * run without one. All functions are called from listener threads outside any transaction, but list, which gets one.
 */
#ifndef SLUICE_CONTROL_API_PLANES_H
#define SLUICE_CONTROL_API_PLANES_H

#include "control-plane/api/call.h"

#define PLANES_WAITERS_MAX 8
#define PLANES_WAIT_MAX_MS 25000
#define PLANES_WAIT_MS     5000

struct plane {
    struct id id;
    struct str name, region;
    uint64_t revision;    /* applied */
    int64_t lag_ms;       /* time since the newest revision it lacks was committed; 0: up to date */
    int64_t last_seen_ms; /* UTC; 0: never */
    const char *status;   /* "connected" | "stale" | "never_seen" | "removed" */
    struct str refused;   /* why it refused a revision, or n = 0 */
    struct str software;
};

struct planes_applied {
    unsigned applied, of, refused;
};

struct planes_probe {
    bool ok;
    unsigned http_status, latency_ms;
    struct str message, node;
};

struct planes {
    void *arg;
    /* gives all nodes in the arena. */
    enum status (*list)(void *arg, struct kv_txn *txn, struct arena *arena, struct plane **planes, size_t *count);
    /* Waits until every connected node applied (or refused) `revision`, at most wait_ms. */
    void (*wait_applied)(void *arg, uint64_t revision, unsigned wait_ms, struct planes_applied *applied);
    /* Asks one connected node to act once with an integration's credential. ST_NOT_READY: no node is connected;
     * ST_UPSTREAM_TIMEOUT: it did not answer. */
    enum status (*probe)(void *arg, const struct record_key *integration, const char *action, unsigned wait_ms,
                         struct arena *arena, struct planes_probe *probe);
};

/* For ?wait=applied (and ?wait_ms=): holds the reply and adds x-sluice-applied. Never fails a change that is committed. */
MUST_USE enum status planes_wait_applied(struct api_call *call, uint64_t revision);

#endif
