/* listener.h: one listening socket of a worker: accepting with bounds.
 *
 * Embedded in the front. At most LISTENER_ACCEPTS_PER_TURN connections a turn, so that accepting
 * cannot starve serving. When descriptors or memory run out, or the front is full, accepting
 * pauses: the kernel's backlog holds the clients. One thread. Timers: retry.
 */
#ifndef SLUICE_DATA_WORKER_LISTENER_H
#define SLUICE_DATA_WORKER_LISTENER_H

#include "data-plane/worker/loop.h"

#define LISTENER_ACCEPTS_PER_TURN 32
#define LISTENER_RETRY_MIN_MS     20
#define LISTENER_RETRY_MAX_MS     1000
#define LISTENER_UNSENT_BYTES                                                                      \
    (64 * 1024) /* TCP_NOTSENT_LOWAT: what the kernel may hold unsent for a slow reader */

struct front;

struct listener {
    struct front *front;
    int fd;
    struct loop_watch watch;
    struct loop_timer retry;
    int64_t retry_ms;
    bool paused; /* by listener_pause, until listener_resume */
};

/* takes the descriptor. ST_IO, ST_NO_MEMORY. */
MUST_USE enum status listener_open(struct listener *listener, struct front *front, int fd);
void listener_close(struct listener *listener);
/* The front is full, or has room again. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);

#endif
