/* names_client.h: host names to classified addresses, for one worker.
 *
 * The courier resolves (it has files and DNS), the worker decides: every answer is classified by egress rules before it may be
 * used, and pinned by upstream.c. Answers are kept for their TTL (floor 5 s, ceiling 300 s) and refreshed ahead of need, so a
 * busy host never waits. At most NAMES_MAX hosts; the least recently used goes. One thread.
 */
#ifndef SLUICE_DATA_WORKER_NAMES_CLIENT_H
#define SLUICE_DATA_WORKER_NAMES_CLIENT_H

#include "common/netaddr.h"
#include "data-plane/ipc.h"
#include "data-plane/worker/loop.h"

#define NAMES_MAX        4096
#define NAMES_TIMEOUT_MS 5000

struct worker;
struct names;

struct name_answer {
    enum status status; /* ST_OK; ST_NOT_FOUND no such host; ST_UPSTREAM_TIMEOUT courier silent */
    uint32_t version;   /* grows whenever the address set of this host changes */
    size_t count;
    struct netaddr addrs[IPC_ADDRS_MAX];
};

/* A waiting caller; embedded in it; done is called at most once, never from within names_get. */
struct name_wait {
    struct name_wait *next, **back;
    void (*done)(struct name_wait *wait);
    void *owner;
};

/* An empty cache. ST_NO_MEMORY. */
MUST_USE enum status names_open(struct worker *worker, struct names **names);
void names_close(struct names *names);

/* ST_OK: `answer` (borrowed until the next call) is fresh. ST_AGAIN: asked; wait->done will be called, then call again.
 * IP literals answer at once. ST_OVERLOADED: too many names wait. */
MUST_USE enum status names_get(struct names *names, struct str host, struct name_wait *wait,
                               const struct name_answer **answer);
void names_wait_cancel(struct name_wait *wait);
/* An answer from the courier. */
void names_on_answer(struct names *names, const struct ipc_name *answer);

#endif
