/* loop.c: the worker's one epoll loop (loop.h).
 *
 * Why: everything a worker does happens on this thread, so the rules that keep it fair and free of
 * dangling pointers live in one place. Invariants:
 *
 * - A removed watch hears nothing more: the rest of the batch at hand is searched for it (a batch
 *   is at most BATCH events).
 * - The timer heap holds {key, timer}. A timer that is moved to a LATER time keeps its place with
 *   its old key; when that key comes up, the timer is put back with its true time. So the deadline
 *   of a busy connection costs one store per request, not a heap operation. A key is never later
 *   than its timer's due time.
 * - heap[place - 1].timer == timer for every armed timer. The heap's room is reserved address
 *   space: it never fails to grow.
 * - Work that keeps producing work (a job that defers itself, a timer of 0 ms) is bounded per turn
 *   by PASSES_MAX, so that descriptors are served in between; it goes on in the next turn, which
 *   then does not sleep.
 *
 * Never: block, other than in epoll_wait; call back into an owner after it removed its watch,
 * timer or job.
 */
#include "data-plane/worker/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"

#define BATCH      128
#define PASSES_MAX 64
#define LOOP_MAGIC 0x4C4F4F50u

struct entry {
    int64_t key_ns;
    struct loop_timer *timer;
};

struct queue {
    struct loop_job *first, **last; /* in order; last is where the next one is linked in */
};

struct loop {
    uint32_t magic;
    int epoll_fd;
    bool stopped;
    int64_t now_ns;
    uint64_t longest_us;
    struct entry *heap;
    uint32_t heap_count;
    struct queue now, later; /* deferred: being run in this pass, queued for the next */
    struct epoll_event batch[BATCH];
    int batch_at, batch_count;
};

#define HEAP_BYTES ((size_t)LOOP_TIMERS_MAX * sizeof(struct entry))

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

enum status loop_new(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return ST_NO_MEMORY;
    loop->magic = LOOP_MAGIC;
    queue_init(&loop->now);
    queue_init(&loop->later);
    loop->now_ns = clock_mono_ns();
    void *heap = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (heap == MAP_FAILED) {
        free(loop);
        return ST_NO_MEMORY;
    }
    loop->heap = heap;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        munmap(loop->heap, HEAP_BYTES);
        free(loop);
        return ST_IO;
    }
    *out = loop;
    return ST_OK;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    CHECK_OBJ(loop, LOOP_MAGIC);
    close(loop->epoll_fd);
    munmap(loop->heap, HEAP_BYTES);
    loop->magic = 0;
    free(loop);
}

int64_t loop_now_ns(const struct loop *loop)
{
    return loop->now_ns;
}

uint64_t loop_longest_turn_us(const struct loop *loop)
{
    return loop->longest_us;
}

int loop_epoll_fd(const struct loop *loop)
{
    return loop->epoll_fd;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

/* --- descriptors ------------------------------------------------------------------------------ */

enum status loop_watch_set(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    if (watch->armed && watch->events == events)
        return ST_OK;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int op = watch->armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int failed = epoll_ctl(loop->epoll_fd, op, watch->fd, &event);
    /* A library that closes and reopens descriptors behind our back (same number) turns one case
     * into the other. */
    if (failed != 0 && op == EPOLL_CTL_MOD && errno == ENOENT)
        failed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event);
    else if (failed != 0 && op == EPOLL_CTL_ADD && errno == EEXIST)
        failed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    if (failed != 0)
        return errno == ENOMEM || errno == ENOSPC ? ST_NO_MEMORY : ST_IO;
    watch->armed = true;
    watch->events = events;
    return ST_OK;
}

void loop_watch_remove(struct loop *loop, struct loop_watch *watch)
{
    if (!watch->armed)
        return;
    watch->armed = false;
    watch->events = 0;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = loop->batch_at; i < loop->batch_count; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

static void run_events(struct loop *loop)
{
    while (loop->batch_at < loop->batch_count) {
        const struct epoll_event *event = &loop->batch[loop->batch_at++];
        struct loop_watch *watch = event->data.ptr;
        if (watch != NULL)
            watch->ready(watch, event->events);
    }
    loop->batch_at = loop->batch_count = 0;
}

/* --- timers ----------------------------------------------------------------------------------- */

static void heap_put(struct loop *loop, uint32_t place, struct entry entry)
{
    loop->heap[place - 1] = entry;
    entry.timer->place = place;
}

static void heap_rise(struct loop *loop, uint32_t place, struct entry entry)
{
    while (place > 1 && loop->heap[place / 2 - 1].key_ns > entry.key_ns) {
        heap_put(loop, place, loop->heap[place / 2 - 1]);
        place /= 2;
    }
    heap_put(loop, place, entry);
}

static void heap_sink(struct loop *loop, uint32_t place, struct entry entry)
{
    for (;;) {
        uint32_t child = place * 2;
        if (child > loop->heap_count)
            break;
        if (child < loop->heap_count && loop->heap[child].key_ns < loop->heap[child - 1].key_ns)
            child++;
        if (loop->heap[child - 1].key_ns >= entry.key_ns)
            break;
        heap_put(loop, place, loop->heap[child - 1]);
        place = child;
    }
    heap_put(loop, place, entry);
}

static void heap_remove(struct loop *loop, struct loop_timer *timer)
{
    uint32_t place = timer->place;
    CHECK(place >= 1 && place <= loop->heap_count && loop->heap[place - 1].timer == timer);
    struct entry moved = loop->heap[--loop->heap_count];
    timer->place = 0;
    if (moved.timer == timer)
        return;
    if (place > 1 && loop->heap[place / 2 - 1].key_ns > moved.key_ns)
        heap_rise(loop, place, moved);
    else
        heap_sink(loop, place, moved);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t delay_ms)
{
    CHECK(delay_ms >= 0);
    timer->due_ns = loop->now_ns + delay_ms * 1000000;
    struct entry entry = {timer->due_ns, timer};
    if (timer->place == 0) {
        CHECK(loop->heap_count < LOOP_TIMERS_MAX);
        heap_rise(loop, ++loop->heap_count, entry);
    } else if (timer->due_ns < loop->heap[timer->place - 1].key_ns) {
        heap_rise(loop, timer->place, entry);
    }
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
    timer->due_ns = 0;
    if (timer->place != 0)
        heap_remove(loop, timer);
}

/* Fires what is due. True if anything fired. */
static bool run_timers(struct loop *loop)
{
    bool any = false;
    /* Timers re-armed with 0 ms by their own callbacks wait for the next pass. */
    uint32_t budget = loop->heap_count;
    while (budget-- > 0 && loop->heap_count > 0 && loop->heap[0].key_ns <= loop->now_ns) {
        struct loop_timer *timer = loop->heap[0].timer;
        if (timer->due_ns > loop->now_ns) {
            heap_sink(loop, 1, (struct entry){timer->due_ns, timer});
            continue;
        }
        heap_remove(loop, timer);
        timer->due_ns = 0;
        any = true;
        timer->expired(timer);
    }
    return any;
}

/* --- deferred work ---------------------------------------------------------------------------- */

void loop_defer(struct loop *loop, struct loop_job *job)
{
    if (job->queued)
        return;
    job->queued = true;
    job->next = NULL;
    *loop->later.last = job;
    loop->later.last = &job->next;
}

static bool queue_remove(struct queue *queue, struct loop_job *job)
{
    struct loop_job **at = &queue->first;
    while (*at != NULL && *at != job)
        at = &(*at)->next;
    if (*at == NULL)
        return false;
    *at = job->next;
    if (queue->last == &job->next)
        queue->last = at;
    return true;
}

void loop_defer_cancel(struct loop *loop, struct loop_job *job)
{
    if (!job->queued)
        return;
    CHECK(queue_remove(&loop->later, job) || queue_remove(&loop->now, job));
    job->queued = false;
    job->next = NULL;
}

/* One pass: what is queued now; a job queued meanwhile is for the next pass. True if anything ran.
 */
static bool run_jobs(struct loop *loop)
{
    if (loop->later.first == NULL)
        return false;
    loop->now = loop->later;
    queue_init(&loop->later);
    while (loop->now.first != NULL) {
        struct loop_job *job = loop->now.first;
        loop->now.first = job->next;
        if (loop->now.first == NULL)
            loop->now.last = &loop->now.first;
        job->queued = false;
        job->next = NULL;
        job->run(job);
    }
    return true;
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Milliseconds that epoll may sleep, rounded up so that a timer is never early by the time it
 * wakes. */
static int sleep_ms(struct loop *loop)
{
    if (loop->stopped || loop->later.first != NULL)
        return 0;
    while (loop->heap_count > 0) {
        struct loop_timer *timer = loop->heap[0].timer;
        if (timer->due_ns <= loop->heap[0].key_ns)
            break;
        heap_sink(loop, 1, (struct entry){timer->due_ns, timer});
    }
    if (loop->heap_count == 0)
        return -1;
    int64_t wait_ns = loop->heap[0].key_ns - loop->now_ns;
    if (wait_ns <= 0)
        return 0;
    int64_t wait_ms = (wait_ns + 999999) / 1000000;
    return wait_ms > 3600000 ? 3600000 : (int)wait_ms;
}

void loop_run(struct loop *loop, void (*turn)(void *arg), void *arg)
{
    CHECK_OBJ(loop, LOOP_MAGIC);
    loop->stopped = false;
    loop->now_ns = clock_mono_ns();
    while (!loop->stopped) {
        int n = epoll_wait(loop->epoll_fd, loop->batch, BATCH, sleep_ms(loop));
        CHECK(n >= 0 || errno == EINTR);
        int64_t start_ns = clock_mono_ns();
        loop->now_ns = start_ns;
        if (turn != NULL)
            turn(arg);
        loop->batch_at = 0;
        loop->batch_count = n > 0 ? n : 0;
        run_events(loop);
        for (int pass = 0; pass < PASSES_MAX; pass++) {
            bool any = run_timers(loop);
            any |= run_jobs(loop);
            if (!any)
                break;
        }
        /* The end of this turn is the clock for how long epoll may sleep. */
        loop->now_ns = clock_mono_ns();
        uint64_t took_us = (uint64_t)(loop->now_ns - start_ns) / 1000;
        if (took_us > loop->longest_us)
            loop->longest_us = took_us;
    }
}
