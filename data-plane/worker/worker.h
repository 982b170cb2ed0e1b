/* worker.h: one worker process: what it was given at start, and what its modules share.
 *
 * worker_main: map the segment, open the catalog file and everything else that needs a file, read the secrets, lock the sandbox,
 * then serve until drained. Order matters: nothing is opened after sandbox_lock.
 */
#ifndef SLUICE_DATA_WORKER_WORKER_H
#define SLUICE_DATA_WORKER_WORKER_H

#include "common/metrics.h"
#include "common/params.h"
#include "common/secret.h"
#include "data-plane/catalog_file.h"
#include "data-plane/slots.h"
#include "data-plane/worker/loop.h"

#define WORKER_LISTENERS_MAX 16

/* Filled by data-plane/main.c (role "worker") from argv and the fixed descriptors. */
struct worker_boot {
    const struct params *params;
    int control_fd;                /* 3: ipc with the courier */
    int segment_fd;                /* 4 */
    int secrets_fd;                /* 5: node X25519 public 32 + private 32 */
    int log_fd;                    /* 6 */
    int listener_fds[WORKER_LISTENERS_MAX];
    size_t listener_count;
    uint32_t column;
    const char *catalog_path;
};

struct names;    /* names_client.h: host -> addresses, asked of the courier */
struct upstream; /* upstream.h: libcurl */
struct keyring;  /* keyring.h: delivery keys, opened secrets */
struct tokens;   /* tokens.h: tokens that credentials are worth */
struct front;    /* front.h: listeners and connections */
struct mailbox;  /* mailbox.h: messages from and to the courier */
struct estimates; /* estimate.h: what requests used lately */
struct breaker;       /* breaker.h: which targets are passed over */
struct retry_budgets; /* retry.h: how much trying again a provider bears */
struct answer_cache;  /* answer_cache.h: answers that may be given again */
struct limits;     /* limits.h: its accounts of budgets and limits */
struct limit_wait; /* limits_client.h: a request that waits for a grant */

struct worker {
    struct loop *loop;
    struct catalog *catalog;
    struct segment segment;
    uint32_t column_index;
    struct column_head *column;
    struct slots *slots;
    const struct params *params;
    struct metrics metrics;
    struct names *names;
    struct upstream *upstream;
    struct keyring *keyring;
    struct tokens *tokens;
    struct front *front;
    struct mailbox *mailbox;
    struct estimates *estimates;
    struct limits *limits;
    struct answer_cache *answers; /* NULL: none are kept */
    struct breaker *breaker;
    struct retry_budgets *retry_budgets;
    struct limit_wait *waiting;
    struct loop_job forgetting; /* what waiting requests told that wait no longer (limits_client.c) */
    size_t body_bytes;        /* request bodies held in memory, all requests */
    bool draining;
};

int worker_main(const struct worker_boot *boot);

#endif
