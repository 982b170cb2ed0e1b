/* loop.h: one epoll loop per worker: descriptors, timers, and work deferred to the end of a turn.
 *
 * One thread. Nothing here allocates on the request path: watches and timers are embedded in their owners, which must remove
 * them before they die; frees triggered while a batch of events is handled are deferred (loop_defer), because later events of the
 * same batch may still point to the object. An object with timers lists them in its header.
 * Order within a turn: epoll events, expired timers, deferred work (until none is left), then sleep.
 */
#ifndef SLUICE_DATA_WORKER_LOOP_H
#define SLUICE_DATA_WORKER_LOOP_H

#include "common/str.h"

struct loop;

struct loop_watch {
    int fd;
    uint32_t events; /* EPOLLIN | EPOLLOUT | EPOLLRDHUP | ... as armed */
    void (*ready)(struct loop_watch *watch, uint32_t events);
    void *owner;
};

struct loop_timer {
    int64_t due_ns; /* 0 = not armed */
    uint32_t place; /* in the heap */
    void (*expired)(struct loop_timer *timer);
    void *owner;
};

struct loop_job {
    struct loop_job *next;
    bool queued;
    void (*run)(struct loop_job *job);
    void *owner;
};

MUST_USE enum status loop_new(struct loop **loop);
void loop_free(struct loop *loop);
/* Runs until loop_stop. `turn` is called at the start of every turn (heartbeat), may be NULL. */
void loop_run(struct loop *loop, void (*turn)(void *arg), void *arg);
void loop_stop(struct loop *loop);

/* CLOCK_MONOTONIC at the start of the current turn: no system call. */
int64_t loop_now_ns(const struct loop *loop);
uint64_t loop_longest_turn_us(const struct loop *loop);

/* Adds or changes interest; watch->fd, ready and owner are set by the caller. events = 0 keeps the fd registered for errors only. */
MUST_USE enum status loop_watch_set(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_watch_remove(struct loop *loop, struct loop_watch *watch);

/* (Re)arms; delay_ms 0 fires in this turn. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_ms);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);

/* Runs job->run once, at the end of this turn; queuing twice is once. */
void loop_defer(struct loop *loop, struct loop_job *job);
void loop_defer_cancel(struct loop *loop, struct loop_job *job);

/* The epoll descriptor, for libcurl's sockets (upstream.c registers them with its own loop_watch objects). */
int loop_epoll_fd(const struct loop *loop);

#endif
