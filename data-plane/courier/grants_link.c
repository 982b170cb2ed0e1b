/* grants_link.c: asking for grants.
 *
 * One request at a time: the next is built when the last was answered or given up, so that what it
 * says is never older than what was said before. It sleeps until something is to be said, at the
 * longest until the time that the books name. A request that was given up is not repeated as it
 * was: the books say what is true by then. What an earlier boot of this node held when it ended in
 * order goes with the first request.
 */
#include "common/clock.h"
#include "common/log.h"
#include "data-plane/courier/uplink_internal.h"

#define GRANTS_LINK_LEAST_MS 5 /* between two requests: what comes together goes together */

/* Sleeps until woken, at most wait_ms. False: stopping. */
static bool grants_wait(struct uplink *uplink, unsigned wait_ms)
{
    int64_t until_ms = clock_mono_ms() + wait_ms;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    int rc = 0;
    pthread_mutex_lock(&uplink->lock);
    while (!uplink->stopping && !uplink->grants_ready && rc == 0)
        rc = pthread_cond_timedwait(&uplink->wake, &uplink->lock, &until);
    uplink->grants_ready = false;
    bool stopping = uplink->stopping;
    pthread_mutex_unlock(&uplink->lock);
    return !stopping;
}

static enum status grants_ask(struct uplink *uplink, struct arena *arena, unsigned *wait_ms)
{
    const struct uplink_calls *calls = &uplink->calls;
    Sluice__GrantsRequest *request;
    Sluice__GrantsReply *reply = NULL;
    TRY(calls->grants_next(calls->arg, arena, &request, wait_ms));
    int64_t sent_ms = clock_mono_ms();
    enum status status = uplink_exchange(uplink, arena, SLUICE__LINK_KIND__LINK_GRANTS,
                                         &request->base, LINK_TIMEOUT_EXTRA_MS, &reply);
    calls->grants_answer(calls->arg, sent_ms, request, status == ST_OK ? reply : NULL);
    return status;
}

void *grants_thread(void *arg)
{
    struct uplink *uplink = arg;
    struct arena arena;
    unsigned tries = 0;
    bool more = true;
    arena_init(&arena, UPLINK_REQUEST_BYTES);
    while (more) {
        unsigned wait_ms = 0;
        enum status status = grants_ask(uplink, &arena, &wait_ms);
        arena_free(&arena);
        if (status == ST_OK || status == ST_END)
            tries = 0;
        if (status == ST_CLOSED)
            break;
        if (status == ST_END)
            more = grants_wait(uplink, wait_ms);
        else if (status != ST_OK)
            more = uplink_back_off(uplink, status, &tries);
        else
            more = uplink_sleep(uplink, GRANTS_LINK_LEAST_MS);
    }
    return NULL;
}

void uplink_grants_ready(struct uplink *uplink)
{
    CHECK_OBJ(uplink, UPLINK_MAGIC);
    pthread_mutex_lock(&uplink->lock);
    if (!uplink->grants_ready) {
        uplink->grants_ready = true;
        pthread_cond_broadcast(&uplink->wake);
    }
    pthread_mutex_unlock(&uplink->lock);
}
