/* upload.c: bringing usage to the control plane.
 *
 * One batch at a time, oldest first, until none is left; then it sleeps until it is told of more.
 * An acknowledgement says how far the ledger holds that journal without a gap; only that is
 * acknowledged on disk. A batch that is answered without progress is not repeated at once: both
 * sides are then waiting for something that a hot loop would not bring.
 */
#include "common/log.h"
#include "data-plane/courier/uplink_internal.h"

#define UPLOAD_IDLE_MS 60000

/* Sleeps until there is something to upload. False: stopping. */
static bool upload_wait(struct uplink *uplink)
{
    struct timespec until;
    pthread_mutex_lock(&uplink->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += UPLOAD_IDLE_MS / 1000;
    int rc = 0;
    while (!uplink->stopping && !uplink->usage_ready && rc == 0)
        rc = pthread_cond_timedwait(&uplink->wake, &uplink->lock, &until);
    uplink->usage_ready = false;
    bool stopping = uplink->stopping;
    pthread_mutex_unlock(&uplink->lock);
    return !stopping;
}

/* Sends one batch. ST_END: there is none. ST_AGAIN: the ledger took nothing of it. */
static enum status upload_one(struct uplink *uplink, struct arena *arena)
{
    const struct uplink_calls *calls = &uplink->calls;
    Sluice__UsageRequest request;
    Sluice__UsageBatch *batch;
    Sluice__UsageAck *ack;
    TRY(calls->usage_next(calls->arg, arena, &batch));
    sluice__usage_request__init(&request);
    request.batch = batch;
    TRY(uplink_exchange(uplink, arena, SLUICE__LINK_KIND__LINK_USAGE, &request.base,
                        LINK_TIMEOUT_EXTRA_MS, &ack));
    if (ack->journal_boot != batch->journal_boot)
        return ST_BAD_FORMAT;
    if (ack->through_seq < batch->first_seq) {
        log_warn("usage_not_taken", LOG_U64("boot", batch->journal_boot),
                 LOG_U64("first", batch->first_seq), LOG_U64("through", ack->through_seq));
        return ST_AGAIN;
    }
    calls->usage_acked(calls->arg, ack->journal_boot, ack->through_seq);
    return ST_OK;
}

void *upload_thread(void *arg)
{
    struct uplink *uplink = arg;
    struct arena arena;
    unsigned tries = 0;
    bool more = true;
    arena_init(&arena, UPLINK_REQUEST_BYTES);
    while (more) {
        enum status status = upload_one(uplink, &arena);
        arena_free(&arena);
        if (status == ST_OK)
            tries = 0;
        if (status == ST_CLOSED)
            break;
        if (status == ST_END)
            more = upload_wait(uplink);
        else if (status != ST_OK)
            more = uplink_back_off(uplink, status, &tries);
        else
            more = !uplink_stopping(uplink);
    }
    return NULL;
}

void uplink_usage_ready(struct uplink *uplink)
{
    CHECK_OBJ(uplink, UPLINK_MAGIC);
    pthread_mutex_lock(&uplink->lock);
    uplink->usage_ready = true;
    pthread_cond_broadcast(&uplink->wake);
    pthread_mutex_unlock(&uplink->lock);
}
