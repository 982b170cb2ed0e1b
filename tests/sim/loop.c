/* loop.c: see loop.h.
 *
 * Timers are a binary heap of borrowed pointers; each timer knows its place, so disarming is O(log
 * n) too. The loop must never block elsewhere than in epoll_wait.
 */
#include "tests/sim/loop.h"

#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define LOOP_BATCH       256
#define LOOP_WAIT_MAX_MS 1000 /* a signal that lands between two waits is seen this late at most   \
                               */

enum status loop_init(struct loop *loop)
{
    *loop = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    loop->now_ms = clock_mono_ms();
    return loop->epoll_fd < 0 ? ST_IO : ST_OK;
}

void loop_close(struct loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop->heap);
    *loop = (struct loop){.epoll_fd = -1};
}

static void heap_put(struct loop *loop, size_t at, struct loop_timer *timer)
{
    loop->heap[at] = timer;
    timer->heap_at = at + 1;
}

static void heap_up(struct loop *loop, size_t at, struct loop_timer *timer)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (loop->heap[parent]->due_ms <= timer->due_ms)
            break;
        heap_put(loop, at, loop->heap[parent]);
        at = parent;
    }
    heap_put(loop, at, timer);
}

static void heap_down(struct loop *loop, size_t at, struct loop_timer *timer)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= loop->timers)
            break;
        if (child + 1 < loop->timers && loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
            child++;
        if (timer->due_ms <= loop->heap[child]->due_ms)
            break;
        heap_put(loop, at, loop->heap[child]);
        at = child;
    }
    heap_put(loop, at, timer);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
    if (timer->heap_at == 0)
        return;
    size_t at = timer->heap_at - 1;
    timer->heap_at = 0;
    struct loop_timer *last = loop->heap[--loop->timers];
    if (last == timer)
        return;
    if (at > 0 && last->due_ms < loop->heap[(at - 1) / 2]->due_ms)
        heap_up(loop, at, last);
    else
        heap_down(loop, at, last);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t after_ms)
{
    loop_timer_clear(loop, timer);
    timer->due_ms = loop->now_ms + (after_ms < 0 ? 0 : after_ms);
    if (loop->timers == loop->room) {
        size_t room = loop->room == 0 ? 1024 : loop->room * 2;
        CHECK(room <= LOOP_TIMERS_MAX);
        struct loop_timer **heap = realloc(loop->heap, room * sizeof(struct loop_timer *));
        CHECK(heap != NULL);
        loop->heap = heap;
        loop->room = room;
    }
    loop->timers++;
    heap_up(loop, loop->timers - 1, timer);
}

static void loop_fire_due(struct loop *loop)
{
    int64_t now_ms = loop->now_ms; /* what is armed by a callback with 0 waits for the next turn */
    for (size_t budget = loop->timers; budget > 0 && loop->timers > 0; budget--) {
        struct loop_timer *timer = loop->heap[0];
        if (timer->due_ms > now_ms)
            return;
        loop_timer_clear(loop, timer);
        timer->fire(timer);
    }
}

static int loop_wait_ms(const struct loop *loop)
{
    if (loop->timers == 0)
        return LOOP_WAIT_MAX_MS;
    int64_t left_ms = loop->heap[0]->due_ms - clock_mono_ms();
    if (left_ms <= 0)
        return 0;
    return left_ms > LOOP_WAIT_MAX_MS ? LOOP_WAIT_MAX_MS : (int)left_ms;
}

void loop_run(struct loop *loop)
{
    struct epoll_event events[LOOP_BATCH];
    while (!loop->stop) {
        int n = epoll_wait(loop->epoll_fd, events, LOOP_BATCH, loop_wait_ms(loop));
        if (n < 0 && errno != EINTR)
            return;
        loop->now_ms = clock_mono_ms();
        for (int i = 0; i < n; i++) {
            struct loop_watch *watch = events[i].data.ptr;
            watch->ready(watch, events[i].events);
        }
        loop_fire_due(loop);
    }
}

enum status loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->events = events;
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0 ? ST_OK : ST_IO;
}

void loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    if (watch->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->events = events;
    CHECK(epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) == 0);
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
    struct epoll_event event = {0};
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, &event);
}
