/* loop.h: one epoll loop with timers, for one thread.
 *
 * Owner: the caller owns every watch and timer and takes them out before freeing them. Callbacks
 * run on the loop's thread; a callback may remove its own watch and any timer, but no other watch
 * (its event may be in the same batch). Limits: LOOP_TIMERS_MAX timers at once. Times are
 * CLOCK_MONOTONIC milliseconds.
 */
#ifndef SLUICE_TESTS_SIM_LOOP_H
#define SLUICE_TESTS_SIM_LOOP_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOP_TIMERS_MAX 65536u

struct loop_watch {
    void (*ready)(struct loop_watch *watch, uint32_t events);
    int fd;
    uint32_t events; /* what epoll was told last */
};

struct loop_timer {
    void (*fire)(struct loop_timer *timer);
    int64_t due_ms;
    size_t heap_at; /* position + 1; 0 = not armed */
};

struct loop {
    int epoll_fd;
    struct loop_timer **heap; /* smallest due_ms first */
    size_t timers, room;
    int64_t now_ms; /* read once a turn */
    volatile int stop;
};

/* ST_IO when epoll cannot be made. */
MUST_USE enum status loop_init(struct loop *loop);
void loop_close(struct loop *loop);
/* Runs until loop->stop is set (a signal handler may set it). */
void loop_run(struct loop *loop);

/* Starts or changes what is watched on watch->fd. ST_IO. */
MUST_USE enum status loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events);
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* (Re)arms the timer to fire `after_ms` from now; 0 fires in this or the next turn. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t after_ms);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);

static inline bool loop_timer_armed(const struct loop_timer *timer)
{
    return timer->heap_at != 0;
}

#endif
