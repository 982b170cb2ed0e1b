/* uplink.c: the life of the conversation, and one exchange of it.
 *
 * Every message carries a counter that this node and boot never use twice, also across restarts of
 * the courier: it starts at the machine's monotonic microseconds, and nothing sends a million
 * messages a second. nng repeats a request by itself when a connection breaks; the control plane
 * then calls it a repetition (conflict), and it is asked again once, as a new message.
 *
 * Must never: believe a reply whose MAC, node, boot, counter or kind is not what this request
 * expects.
 */
#include "data-plane/courier/uplink_internal.h"

#include <signal.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"

static enum status uplink_error_status(struct str code)
{
    for (int i = ST_OK + 1; i < ST_COUNT; i++)
        if (str_eq(code, str_c(status_row((enum status)i)->code)))
            return (enum status)i;
    return ST_INTERNAL;
}

static enum status uplink_seal(struct uplink *uplink, struct arena *arena, const struct frame *head,
                               const ProtobufCMessage *message, struct str *wire)
{
    struct secret *secret = uplink->config.bundle->node_key;
    pthread_mutex_lock(&uplink->key_lock);
    struct str key = secret_open(secret);
    enum status status = frame_seal(arena, (const uint8_t *)key.p, head, message, wire);
    secret_close(secret);
    pthread_mutex_unlock(&uplink->key_lock);
    return status;
}

static enum status uplink_verify(struct uplink *uplink, struct str wire, struct frame *frame)
{
    struct secret *secret = uplink->config.bundle->node_key;
    pthread_mutex_lock(&uplink->key_lock);
    struct str key = secret_open(secret);
    enum status status = frame_open(wire, (const uint8_t *)key.p, frame);
    secret_close(secret);
    pthread_mutex_unlock(&uplink->key_lock);
    return status;
}

static enum status uplink_refusal(const struct frame *frame, struct arena *arena)
{
    Sluice__LinkError *error;
    TRY(frame_message(frame, arena, &error));
    return uplink_error_status(str_c(error->status));
}

static enum status uplink_exchange_once(struct uplink *uplink, struct arena *arena,
                                        Sluice__LinkKind kind, const ProtobufCMessage *message,
                                        unsigned timeout_ms, void *reply)
{
    const struct frame head = {.node = uplink->config.bundle->node,
                               .boot = uplink->config.boot,
                               .counter = atomic_fetch_add(&uplink->counter, 1),
                               .kind = kind};
    struct frame back;
    struct str wire, answer;
    TRY(uplink_seal(uplink, arena, &head, message, &wire));
    TRY(link_client_call(uplink->client, wire, timeout_ms, arena, &answer));
    enum status status = uplink_verify(uplink, answer, &back);
    if (status != ST_OK || !id_eq(&back.node, &head.node) || back.boot != head.boot ||
        back.counter != head.counter) {
        log_warn("link_reply_refused", LOG_STATUS(status == ST_OK ? ST_CONFLICT : status));
        return ST_BAD_FORMAT;
    }
    if (back.kind == SLUICE__LINK_KIND__LINK_ERROR)
        return uplink_refusal(&back, arena);
    if (back.kind != kind + 1)
        return ST_BAD_FORMAT;
    return frame_message(&back, arena, reply);
}

enum status uplink_exchange(struct uplink *uplink, struct arena *arena, Sluice__LinkKind kind,
                            const ProtobufCMessage *message, unsigned timeout_ms, void *reply)
{
    enum status status = uplink_exchange_once(uplink, arena, kind, message, timeout_ms, reply);
    if (status == ST_CONFLICT)
        status = uplink_exchange_once(uplink, arena, kind, message, timeout_ms, reply);
    return status;
}

bool uplink_stopping(struct uplink *uplink)
{
    pthread_mutex_lock(&uplink->lock);
    bool stopping = uplink->stopping;
    pthread_mutex_unlock(&uplink->lock);
    return stopping;
}

bool uplink_sleep(struct uplink *uplink, unsigned ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&uplink->lock);
    while (!uplink->stopping && clock_mono_ms() < until_ms)
        pthread_cond_timedwait(&uplink->wake, &uplink->lock, &until);
    bool stopping = uplink->stopping;
    pthread_mutex_unlock(&uplink->lock);
    return !stopping;
}

bool uplink_back_off(struct uplink *uplink, enum status why, unsigned *tries)
{
    unsigned ms = link_backoff_ms((*tries)++);
    return uplink_sleep(uplink, why == ST_NODE_REVOKED ? UPLINK_REVOKED_MS : ms);
}

static void uplink_state(void *arg, bool up)
{
    struct uplink *uplink = arg;
    atomic_store(&uplink->up, up);
    pthread_mutex_lock(&uplink->lock);
    if (!uplink->stopping)
        uplink->calls.state(uplink->calls.arg, up);
    pthread_mutex_unlock(&uplink->lock);
}

static enum status uplink_connect(struct uplink *uplink)
{
    const struct node_bundle *bundle = uplink->config.bundle;
    struct str key = secret_open(bundle->key_pem);
    const struct link_identity identity = {bundle->cert_pem, key.p, bundle->ca_pem};
    enum status status =
        link_client_open(bundle->link_url, &identity, uplink_state, uplink, &uplink->client);
    secret_close(bundle->key_pem);
    return status;
}

static enum status uplink_threads(struct uplink *uplink)
{
    const struct {
        pthread_t *thread;
        void *(*body)(void *arg);
    } rows[] = {{&uplink->feed, feed_thread},
                {&uplink->upload, upload_thread},
                {&uplink->asker, asks_thread},
                {&uplink->grants, grants_thread}};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (uplink->threads < COUNT_OF(rows) &&
           pthread_create(rows[uplink->threads].thread, NULL, rows[uplink->threads].body, uplink) ==
               0)
        uplink->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return uplink->threads == COUNT_OF(rows) ? ST_OK : ST_NO_MEMORY;
}

enum status uplink_start(const struct uplink_config *config, const struct uplink_calls *calls,
                         struct uplink **out)
{
    pthread_condattr_t attr;
    struct uplink *uplink = calloc(1, sizeof *uplink);
    if (uplink == NULL)
        return ST_NO_MEMORY;
    uplink->magic = UPLINK_MAGIC;
    uplink->config = *config;
    uplink->calls = *calls;
    atomic_store(&uplink->counter, (uint64_t)clock_mono_ns() / 1000 + 1);
    pthread_mutex_init(&uplink->key_lock, NULL);
    pthread_mutex_init(&uplink->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&uplink->wake, &attr);
    pthread_condattr_destroy(&attr);
    uplink->asks = calloc(UPLINK_ASK_ROWS, sizeof *uplink->asks);
    enum status status = uplink->asks != NULL ? uplink_connect(uplink) : ST_NO_MEMORY;
    if (status == ST_OK)
        status = uplink_threads(uplink);
    if (status != ST_OK) {
        uplink_stop(uplink);
        return status;
    }
    *out = uplink;
    return ST_OK;
}

void uplink_stop(struct uplink *uplink)
{
    if (uplink == NULL)
        return;
    CHECK_OBJ(uplink, UPLINK_MAGIC);
    pthread_mutex_lock(&uplink->lock);
    uplink->stopping = true;
    pthread_cond_broadcast(&uplink->wake);
    pthread_mutex_unlock(&uplink->lock);
    if (uplink->client != NULL)
        link_client_interrupt(uplink->client);
    pthread_t threads[] = {uplink->feed, uplink->upload, uplink->asker, uplink->grants};
    for (unsigned i = 0; i < uplink->threads; i++)
        pthread_join(threads[i], NULL);
    uplink->threads = 0;
}

bool uplink_is_up(const struct uplink *uplink)
{
    CHECK_OBJ(uplink, UPLINK_MAGIC);
    return atomic_load(&uplink->up);
}
