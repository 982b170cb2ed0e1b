/* master_internal.h: what master.c (supervision), master_child.c (fork and exec) and
 * master_listen.c (ports) share. */
#ifndef SLUICE_DATA_MASTER_INTERNAL_H
#define SLUICE_DATA_MASTER_INTERNAL_H

#include <sys/types.h>

#include "common/node_bundle.h"
#include "data-plane/courier/courier.h"
#include "data-plane/master/master.h"
#include "data-plane/segment.h"
#include "data-plane/worker/worker.h"

#define MASTER_WORKERS_MAX            128
#define MASTER_CHILD_FDS_MAX          (COURIER_PAIR_FD + MASTER_WORKERS_MAX + 1)
#define MASTER_BACKOFF_MIN_MS         100
#define MASTER_BACKOFF_MAX_MS         30000
#define MASTER_COURIER_BACKOFF_MAX_MS 2000 /* without a courier the slots run out within seconds   \
                                            */
#define MASTER_WATCHDOG_MS 10000 /* longest turn of a worker before it is taken for stuck */
#define MASTER_STEADY_MS   10000 /* a child that lived this long starts its back-off anew */

struct master_child {
    pid_t pid; /* 0: not running */
    bool is_courier;
    uint32_t worker; /* position */
    uint32_t column;
    int64_t started_ms, due_ms; /* due: when to start it again */
    int64_t backoff_ms;
    bool leaving; /* drains; its successor runs already or is not wanted */
};

struct master {
    const struct params *params;
    int option_count;
    char *const *options;
    struct node_bundle bundle;
    struct segment segment;
    uint32_t workers;
    uint32_t epoch;
    int listeners[MASTER_WORKERS_MAX][WORKER_LISTENERS_MAX];
    size_t listener_count; /* addresses */
    int status_fds[COURIER_STATUS_MAX];
    size_t status_count;
    int pairs[MASTER_WORKERS_MAX][2]; /* [0] the worker's end, [1] the courier's */
    int log_read, log_write;
    int control[2]; /* [0] ours, [1] the courier's */
    struct master_child courier;
    struct master_child serving[MASTER_WORKERS_MAX];
    struct master_child leaving[MASTER_WORKERS_MAX]; /* predecessors that drain */
    uint32_t catalog_epoch;
    bool courier_ready, stopping;
    bool courier_up;   /* the one that runs said so */
    bool courier_done; /* the last one ended in order */
    int64_t stop_by_ms;
};

/* master_listen.c: gateway listeners (one SO_REUSEPORT socket per worker and address) and status
 * listeners. Refuses a non-loopback bind without TLS unless insecure_bind. ST_INVALID, ST_CONFLICT
 * (port in use), ST_IO; logs which address. */
MUST_USE enum status master_listen(struct master *master);
/* The gateway ends: gives the gateway's ports up. */
void master_close_listeners(struct master *master);

/* master_child.c: forks and executes one child; sets pid and started_ms. ST_OVERLOADED (no free
 * column), ST_IO. */
MUST_USE enum status master_start_courier(struct master *master);
MUST_USE enum status master_start_worker(struct master *master, struct master_child *child);

#endif
