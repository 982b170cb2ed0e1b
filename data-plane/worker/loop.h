/* loop.h: one epoll loop per worker: descriptors, timers, and work deferred to the end of a turn.
 *
 * One thread. Nothing here allocates on the request path: watches, timers and jobs are embedded in their owners, which must remove
 * them before they die. A watch that was removed gets no further event, not even one that is already in the batch at hand; still,
 * a callback that may be on the stack below defers its free (loop_defer). An object with timers lists them in its header.
 * Order within a turn: epoll events, expired timers, deferred work (until none is left), then sleep.
 * Failure: epoll refusing a descriptor is a status; everything else cannot fail.
 */
#ifndef SLUICE_DATA_WORKER_LOOP_H
#define SLUICE_DATA_WORKER_LOOP_H

#include "common/str.h"

struct loop;

#define LOOP_TIMERS_MAX (1u << 20) /* armed at once; a few per connection, so the descriptor limit bounds it far lower */

struct loop_watch {
    int fd;
    uint32_t events; /* EPOLLIN | EPOLLOUT | EPOLLRDHUP | ... as armed */
    bool armed;      /* known to epoll; false at first */
    void (*ready)(struct loop_watch *watch, uint32_t events);
    void *owner;
};

struct loop_timer {
    int64_t due_ns; /* 0 = not armed */
    uint32_t place; /* in the heap, counted from 1; 0 = not in it */
    void (*expired)(struct loop_timer *timer);
    void *owner;
};

struct loop_job {
    struct loop_job *next;
    bool queued;
    void (*run)(struct loop_job *job);
    void *owner;
};

/* gives. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status loop_new(struct loop **loop);
/* releases; no watch, timer or job may be left that its owner still wants to hear of. NULL is fine. */
void loop_free(struct loop *loop);
/* Runs until loop_stop. `turn` is called at the start of every turn (heartbeat), may be NULL. */
void loop_run(struct loop *loop, void (*turn)(void *arg), void *arg);
/* The turn at hand is finished, then loop_run returns. */
void loop_stop(struct loop *loop);

/* CLOCK_MONOTONIC at the start of the current turn: no system call. */
int64_t loop_now_ns(const struct loop *loop);
uint64_t loop_longest_turn_us(const struct loop *loop);

/* Adds or changes interest; watch->fd, ready and owner are set by the caller. events = 0 keeps the fd registered for errors only.
 * No system call when nothing changes. ST_NO_MEMORY, ST_IO (not a descriptor epoll takes). */
MUST_USE enum status loop_watch_set(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* Before the descriptor is closed. Removing twice is once. */
void loop_watch_remove(struct loop *loop, struct loop_watch *watch);

/* (Re)arms; delay_ms 0 fires in this turn. Moving a timer to a later time costs nothing. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_ms);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);

/* Runs job->run once, at the end of this turn; queuing twice is once. */
void loop_defer(struct loop *loop, struct loop_job *job);
void loop_defer_cancel(struct loop *loop, struct loop_job *job);

/* The epoll descriptor, for libcurl's sockets (upstream.c registers them with its own loop_watch objects). */
int loop_epoll_fd(const struct loop *loop);

#endif
