/* limits_client.h: a worker's accounts (limits.h), its line to the courier about them, and the requests that wait for a grant.
 *
 * A request that is blocked waits at most grant_wait_ms; it is woken as soon as what blocks it has moved. Waits are embedded
 * in their owners. One thread. Timers: one per wait.
 */
#ifndef SLUICE_DATA_WORKER_LIMITS_CLIENT_H
#define SLUICE_DATA_WORKER_LIMITS_CLIENT_H

#include "data-plane/ipc.h"
#include "data-plane/limits.h"
#include "data-plane/worker/loop.h"

struct worker;
struct limits_client;

struct limit_wait {
    struct limit_wait *next, **back;
    struct loop_timer timer;
    struct worker *worker;
    const struct limit_use *use; /* what blocks it */
    int64_t until_ms;            /* monotonic; 0: it has not asked yet */
    void (*done)(struct limit_wait *wait);
    void *owner;
};

/* Sets worker->limits and worker->waiting. ST_NO_MEMORY. */
MUST_USE enum status limits_client_open(struct worker *worker);

/* The time for limits.h: how much longer a request may wait. Its patience begins with its first call. */
struct limits_now limits_client_now(struct worker *worker, struct limit_wait *wait);
/* limits_take for a request that may wait: with ST_AGAIN, wait->done is called once, never from within, when what blocks it
 * has moved or patience ends; `done` and `owner` are set, the uses stay where they are until then. */
MUST_USE enum status limits_client_take(struct worker *worker, struct limit_wait *wait, struct limit_use *uses,
                                        size_t count, size_t *which);
/* Takes it off the list; not waiting is fine. Patience starts anew. */
void limits_client_cancel(struct limit_wait *wait);

/* A message of the courier: IPC_COUNTER_ROW, IPC_GRANTED, IPC_RECALL, IPC_COURIER_UP. */
void limits_client_message(struct worker *worker, const struct ipc_head *head, size_t n);
/* Once a second. */
void limits_client_beat(struct worker *worker);

#endif
