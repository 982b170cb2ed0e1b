/* uplink_internal.h: what the files of the uplink share. For uplink.c, feed.c, upload.c and asks.c
 * only.
 *
 *   uplink.c  life, one exchange (seal, call, verify), sleeping        asks.c    questions and
 * probe results, as they come feed.c    hello and changes, one long poll at a time upload.c  usage,
 * one batch at a time grants_link.c  grants, one request at a time
 */
#ifndef SLUICE_DATA_COURIER_UPLINK_INTERNAL_H
#define SLUICE_DATA_COURIER_UPLINK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/frame.h"
#include "common/link.h"
#include "data-plane/courier/uplink.h"

#define UPLINK_MAGIC      0x55706c6bu
#define UPLINK_REVOKED_MS 30000u
#define UPLINK_ASK_ROWS                                                                            \
    (2 * UPLINK_ASKS_MAX) /* those beyond UPLINK_ASKS_MAX are only there to be refused */
#define UPLINK_REQUEST_BYTES ((size_t)64 << 20) /* arena of one small exchange */

struct uplink_ask {
    bool is_probe;
    bool overloaded;
    uint64_t tag;
    int64_t at_ms; /* monotonic */
    struct ipc_object query;
    Sluice__ProbeResult *result; /* malloc'ed with its parts in `arena` */
    struct arena *arena;
};

struct uplink {
    uint32_t magic;
    struct uplink_config config;
    struct uplink_calls calls;
    struct link_client *client;
    pthread_mutex_t key_lock; /* a secret is opened by one thread at a time */
    _Atomic uint64_t counter;
    _Atomic bool up;

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t wake;  /* CLOCK_MONOTONIC; stopping, usage_ready, asks */
    bool stopping, usage_ready, grants_ready;
    struct uplink_ask *asks; /* ring of UPLINK_ASK_ROWS */
    size_t ask_first, ask_count;

    pthread_t feed, upload, asker, grants; /* by the thread that starts and stops us */
    unsigned threads;
};

/* One request and its authentic reply of kind `kind` + 1. gives the reply in the arena.
 * ST_CONTROL_AWAY: none within timeout_ms. ST_CLOSED: stopping. ST_NODE_REVOKED. ST_BAD_FORMAT: not
 * what may come back. Any other status the control plane refused with. */
MUST_USE enum status uplink_exchange(struct uplink *uplink, struct arena *arena,
                                     Sluice__LinkKind kind, const ProtobufCMessage *message,
                                     unsigned timeout_ms, void *reply);

/* Sleeps; false as soon as the uplink stops. */
bool uplink_sleep(struct uplink *uplink, unsigned ms);
bool uplink_stopping(struct uplink *uplink);
/* Sleeps after failure number *tries (counted up): full jitter, or about UPLINK_REVOKED_MS for a
 * removed node. */
bool uplink_back_off(struct uplink *uplink, enum status why, unsigned *tries);

/* Thread bodies; `arg` is the uplink. */
void *feed_thread(void *arg);
void *upload_thread(void *arg);
void *asks_thread(void *arg);
void *grants_thread(void *arg);

#endif
