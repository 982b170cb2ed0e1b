/* asks.c: questions of workers (whose is this object?) and the answers to probes, in the order they
 * come.
 *
 * A request is waiting behind each question, so a question is answered soon or refused: at once
 * while the link is away, or when it is older than UPLINK_ASK_TIMEOUT_MS. Questions about the same
 * provider that stand one behind the other travel together.
 */
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"
#include "data-plane/courier/uplink_internal.h"

#define ASKS_TOGETHER     64u
#define ASKS_RESULT_BYTES ((size_t)1 << 20)

/* --- the queue -------------------------------------------------------------------------------- */

static void asks_push(struct uplink *uplink, const struct uplink_ask *ask)
{
    CHECK_OBJ(uplink, UPLINK_MAGIC);
    bool room = false;
    pthread_mutex_lock(&uplink->lock);
    if (!uplink->stopping &&
        uplink->ask_count < (ask->is_probe ? UPLINK_ASKS_MAX : UPLINK_ASK_ROWS)) {
        size_t at = (uplink->ask_first + uplink->ask_count) % UPLINK_ASK_ROWS;
        uplink->asks[at] = *ask;
        uplink->asks[at].at_ms = clock_mono_ms();
        uplink->asks[at].overloaded = uplink->ask_count >= UPLINK_ASKS_MAX;
        uplink->ask_count++;
        room = true;
        pthread_cond_broadcast(&uplink->wake);
    }
    pthread_mutex_unlock(&uplink->lock);
    if (room)
        return;
    log_warn("link_question_dropped", LOG_BOOL("probe", ask->is_probe));
    if (ask->arena != NULL)
        arena_free(ask->arena);
    free(ask->arena);
}

static bool asks_alike(const struct uplink_ask *a, const struct uplink_ask *b)
{
    return !a->is_probe && !b->is_probe && !b->overloaded && id_eq(&a->query.org, &b->query.org) &&
           id_eq(&a->query.workspace, &b->query.workspace) &&
           id_eq(&a->query.provider, &b->query.provider) &&
           strcmp(a->query.object_kind, b->query.object_kind) == 0;
}

/* Takes the oldest and those behind it that can travel with it; waits for one. 0: stopping and
 * nothing left. */
static size_t asks_take(struct uplink *uplink, struct uplink_ask taken[ASKS_TOGETHER])
{
    size_t count = 0;
    pthread_mutex_lock(&uplink->lock);
    while (uplink->ask_count == 0 && !uplink->stopping)
        pthread_cond_wait(&uplink->wake, &uplink->lock);
    while (uplink->ask_count > 0 && count < ASKS_TOGETHER) {
        const struct uplink_ask *next = &uplink->asks[uplink->ask_first];
        if (count > 0 && (taken[0].overloaded || !asks_alike(&taken[0], next)))
            break;
        taken[count++] = *next;
        uplink->ask_first = (uplink->ask_first + 1) % UPLINK_ASK_ROWS;
        uplink->ask_count--;
    }
    pthread_mutex_unlock(&uplink->lock);
    return count;
}

void uplink_ask_object(struct uplink *uplink, uint64_t tag, const struct ipc_object *query)
{
    struct uplink_ask ask = {.tag = tag, .query = *query};
    ask.query.object[sizeof ask.query.object - 1] = '\0';
    ask.query.object_kind[sizeof ask.query.object_kind - 1] = '\0';
    asks_push(uplink, &ask);
}

void uplink_probe_result(struct uplink *uplink, struct str packed)
{
    struct uplink_ask ask = {.is_probe = true, .arena = calloc(1, sizeof *ask.arena)};
    if (ask.arena == NULL)
        return;
    arena_init(ask.arena, ASKS_RESULT_BYTES);
    enum status status =
        wire_unpack_known(&sluice__probe_result__descriptor, packed, ask.arena, &ask.result);
    if (status == ST_OK) {
        asks_push(uplink, &ask);
        return;
    }
    log_warn("probe_result_malformed", LOG_STATUS(status));
    arena_free(ask.arena);
    free(ask.arena);
}

/* --- the thread ------------------------------------------------------------------------------- */

static enum status asks_exchange(struct uplink *uplink, struct arena *arena,
                                 const struct uplink_ask *asks, size_t count,
                                 Sluice__ObjectReply **reply)
{
    Sluice__ObjectRequest request;
    char *ids[ASKS_TOGETHER];
    sluice__object_request__init(&request);
    request.org = wire_id_data(&asks[0].query.org);
    request.workspace = wire_id_data(&asks[0].query.workspace);
    request.provider = wire_id_data(&asks[0].query.provider);
    request.object_kind = arena_cstr(arena, str_c(asks[0].query.object_kind));
    for (size_t i = 0; i < count; i++) {
        ids[i] = arena_cstr(arena, str_c(asks[i].query.object));
        if (ids[i] == NULL || request.object_kind == NULL)
            return ST_NO_MEMORY;
    }
    request.n_object_ids = count;
    request.object_ids = ids;
    TRY(uplink_exchange(uplink, arena, SLUICE__LINK_KIND__LINK_OBJECT, &request.base,
                        UPLINK_ASK_TIMEOUT_MS, reply));
    return (*reply)->n_owned == count ? ST_OK : ST_BAD_FORMAT;
}

static void asks_answer(struct uplink *uplink, struct arena *arena, const struct uplink_ask *asks,
                        size_t count)
{
    const struct uplink_calls *calls = &uplink->calls;
    Sluice__ObjectReply *reply = NULL;
    bool late = clock_mono_ms() - asks[0].at_ms > UPLINK_ASK_TIMEOUT_MS;
    enum status status = ST_CONTROL_AWAY;
    if (asks[0].overloaded)
        status = ST_OVERLOADED;
    else if (!late && uplink_is_up(uplink))
        status = asks_exchange(uplink, arena, asks, count, &reply);
    for (size_t i = 0; i < count; i++) {
        enum status one = status;
        if (status == ST_OK)
            one = reply->owned[i] ? ST_OK : ST_NOT_FOUND;
        else if (status != ST_OVERLOADED)
            one = ST_CONTROL_AWAY;
        calls->object_answer(calls->arg, asks[i].tag, one);
    }
}

static void asks_send_result(struct uplink *uplink, struct arena *arena, struct uplink_ask *ask)
{
    Sluice__ProbeResultReply *reply;
    enum status status = uplink_exchange(uplink, arena, SLUICE__LINK_KIND__LINK_PROBE_RESULT,
                                         &ask->result->base, UPLINK_ASK_TIMEOUT_MS, &reply);
    if (status != ST_OK)
        log_warn("probe_result_lost", LOG_STATUS(status));
    arena_free(ask->arena);
    free(ask->arena);
}

void *asks_thread(void *arg)
{
    struct uplink *uplink = arg;
    struct uplink_ask taken[ASKS_TOGETHER];
    struct arena arena;
    size_t count;
    arena_init(&arena, UPLINK_REQUEST_BYTES);
    while ((count = asks_take(uplink, taken)) > 0) {
        if (taken[0].is_probe)
            asks_send_result(uplink, &arena, &taken[0]);
        else
            asks_answer(uplink, &arena, taken, count);
        arena_free(&arena);
    }
    return NULL;
}
