/* probe.c: the table of open probes.
 *
 *   FREE -ask-> WAITING -attached to a reply of its node-> SENT -answer-> DONE -wait returns-> FREE
 *                  `--------------------- time is up -----------------------------------------^
 *
 * An answer is taken only from the node that was asked, and cut to what its header states. Answers
 * are copied into the asker's arena while the slot is locked; nothing of a node's message outlives
 * the handler.
 */
#include "control-plane/publish/probe.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/wire.h"
#include "control-plane/publish/changes.h"

#define PROBES_MAGIC 0x50726273u

enum probe_state { PROBE_FREE, PROBE_WAITING, PROBE_SENT, PROBE_DONE };

struct probe {
    enum probe_state state;
    struct id id, node;
    struct record_key integration;
    struct str unsaved;
    const char *action;
    int64_t deadline_ms; /* monotonic */
    struct arena arena;  /* of the answer */
    struct probe_result result;
};

struct probes {
    uint32_t magic;
    pthread_mutex_t lock;
    pthread_cond_t done; /* CLOCK_MONOTONIC */
    struct probe rows[PROBES_MAX];
};

enum status probes_new(struct probes **out)
{
    struct probes *probes = calloc(1, sizeof *probes);
    pthread_condattr_t attr;
    if (probes == NULL)
        return ST_NO_MEMORY;
    probes->magic = PROBES_MAGIC;
    pthread_mutex_init(&probes->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&probes->done, &attr);
    pthread_condattr_destroy(&attr);
    for (size_t i = 0; i < PROBES_MAX; i++)
        arena_init(&probes->rows[i].arena, 4u << 20);
    *out = probes;
    return ST_OK;
}

void probes_free(struct probes *probes)
{
    if (probes == NULL)
        return;
    CHECK_OBJ(probes, PROBES_MAGIC);
    for (size_t i = 0; i < PROBES_MAX; i++)
        arena_free(&probes->rows[i].arena);
    pthread_cond_destroy(&probes->done);
    pthread_mutex_destroy(&probes->lock);
    free(probes);
}

static struct probe *probe_find(struct probes *probes, const struct id *id)
{
    for (size_t i = 0; i < PROBES_MAX; i++)
        if (probes->rows[i].state != PROBE_FREE && id_eq(&probes->rows[i].id, id))
            return &probes->rows[i];
    return NULL;
}

enum status probe_ask(struct probes *probes, const struct id *node,
                      const struct record_key *integration, struct str unsaved, const char *action,
                      unsigned wait_ms, struct id *id)
{
    CHECK_OBJ(probes, PROBES_MAGIC);
    enum status status = ST_OVERLOADED;
    if (wait_ms > PROBE_WAIT_MAX_MS)
        wait_ms = PROBE_WAIT_MAX_MS;
    pthread_mutex_lock(&probes->lock);
    for (size_t i = 0; i < PROBES_MAX && status != ST_OK; i++) {
        struct probe *probe = &probes->rows[i];
        if (probe->state != PROBE_FREE)
            continue;
        probe->state = PROBE_WAITING;
        probe->id = id_new();
        probe->node = *node;
        probe->integration = *integration;
        probe->unsaved = unsaved;
        probe->action = action;
        probe->deadline_ms = clock_mono_ms() + wait_ms;
        probe->result = (struct probe_result){0};
        *id = probe->id;
        status = ST_OK;
    }
    pthread_mutex_unlock(&probes->lock);
    return status;
}

/* Copies texts that die with `from`'s owner. */
static enum status probe_copy(struct arena *arena, const struct probe_result *from,
                              struct probe_result *to)
{
    struct probe_result copy = *from;
    struct str *models = arena_calloc(arena, from->model_count, sizeof *models);
    copy.message = arena_str(arena, from->message);
    if (models == NULL || copy.message.p == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < from->model_count; i++) {
        models[i] = arena_str(arena, from->models[i]);
        if (models[i].p == NULL)
            return ST_NO_MEMORY;
    }
    copy.models = models;
    *to = copy;
    return ST_OK;
}

enum status probe_wait(struct probes *probes, const struct id *id, struct arena *arena,
                       struct probe_result *result)
{
    CHECK_OBJ(probes, PROBES_MAGIC);
    enum status status = ST_UPSTREAM_TIMEOUT;
    pthread_mutex_lock(&probes->lock);
    struct probe *probe = probe_find(probes, id);
    CHECK(probe != NULL);
    struct timespec until = {.tv_sec = probe->deadline_ms / 1000,
                             .tv_nsec = probe->deadline_ms % 1000 * 1000000};
    while (probe->state != PROBE_DONE)
        if (pthread_cond_timedwait(&probes->done, &probes->lock, &until) != 0)
            break;
    if (probe->state == PROBE_DONE)
        status = probe_copy(arena, &probe->result, result);
    probe->state = PROBE_FREE;
    arena_free(&probe->arena);
    pthread_mutex_unlock(&probes->lock);
    return status;
}

bool probes_waiting(struct probes *probes, const struct id *node)
{
    CHECK_OBJ(probes, PROBES_MAGIC);
    bool waiting = false;
    pthread_mutex_lock(&probes->lock);
    for (size_t i = 0; i < PROBES_MAX; i++)
        waiting = waiting ||
                  (probes->rows[i].state == PROBE_WAITING && id_eq(&probes->rows[i].node, node));
    pthread_mutex_unlock(&probes->lock);
    return waiting;
}

/* What goes to the node; a copy in the arena, so that the table's lock is not held while the store
 * is read. */
static enum status probe_build(struct kv_txn *txn, const struct probe *probe,
                               const struct id *group, struct arena *arena, Sluice__Probe **out)
{
    Sluice__Probe *message = arena_alloc(arena, sizeof *message);
    if (message == NULL)
        return ST_NO_MEMORY;
    sluice__probe__init(message);
    struct str id = arena_str(arena, id_bytes(&probe->id));
    struct str org = arena_str(arena, id_bytes(&probe->integration.org));
    message->action = arena_cstr(arena, str_c(probe->action));
    if (id.p == NULL || org.p == NULL || message->action == NULL)
        return ST_NO_MEMORY;
    message->id = wire_data(id);
    message->org = wire_data(org);
    message->deadline_ms = clock_utc_ms() + (probe->deadline_ms - clock_mono_ms());
    TRY(record_get(txn, &probe->integration, arena, &message->integration, NULL));
    if (probe->unsaved.n > 0)
        TRY(wire_unpack(&sluice__integration__descriptor, probe->unsaved, arena,
                        &message->integration));
    TRY(changes_cut_integration(txn, group, arena, message->integration));
    if (message->integration->elsewhere)
        return ST_NOT_FOUND; /* bound to other regions since it was asked */
    *out = message;
    return ST_OK;
}

enum status probes_attach(struct probes *probes, struct kv_txn *txn, const struct id *node,
                          const struct id *group, struct arena *arena, Sluice__ChangesReply *reply)
{
    CHECK_OBJ(probes, PROBES_MAGIC);
    struct probe taken[PROBES_MAX];
    size_t count = 0;
    bool copied = true;
    pthread_mutex_lock(&probes->lock);
    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct probe *probe = &probes->rows[i];
        if (probe->state != PROBE_WAITING || !id_eq(&probe->node, node))
            continue;
        probe->state = PROBE_SENT;
        taken[count] = *probe;
        taken[count].unsaved = arena_str(arena, probe->unsaved); /* its asker may go */
        copied = copied && taken[count].unsaved.p != NULL;
        count++;
    }
    pthread_mutex_unlock(&probes->lock);
    if (!copied)
        return ST_NO_MEMORY;
    if (count == 0)
        return ST_OK;
    reply->probes = arena_calloc(arena, count, sizeof *reply->probes);
    if (reply->probes == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum status status =
            probe_build(txn, &taken[i], group, arena, &reply->probes[reply->n_probes]);
        if (status == ST_OK)
            reply->n_probes++;
        else if (status != ST_NOT_FOUND)
            return status;
    }
    return ST_OK;
}

/* The node's words into the slot's own memory, cut to the stated limits. */
static enum status probe_store(struct probe *probe, const Sluice__ProbeResult *answer)
{
    size_t count = answer->n_models < PROBE_MODELS_MAX ? answer->n_models : PROBE_MODELS_MAX;
    struct str *models = arena_calloc(&probe->arena, count, sizeof *models);
    if (models == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        models[i] = str_c(answer->models[i]);
    struct str message = str_head(str_c(answer->message), PROBE_MESSAGE_MAX);
    while (!str_is_utf8(message))
        message.n--;
    const struct probe_result borrowed = {.ok = answer->ok,
                                          .http_status = answer->http_status,
                                          .latency_ms = answer->latency_ms,
                                          .message = message,
                                          .models = models,
                                          .model_count = count,
                                          .cut = answer->cut || answer->n_models > count};
    return probe_copy(&probe->arena, &borrowed, &probe->result);
}

bool probe_answer(struct probes *probes, const struct id *node, const Sluice__ProbeResult *answer)
{
    CHECK_OBJ(probes, PROBES_MAGIC);
    struct id id;
    bool known = false;
    if (wire_id(&answer->id, &id) != ST_OK)
        return false;
    pthread_mutex_lock(&probes->lock);
    struct probe *probe = probe_find(probes, &id);
    if (probe != NULL && probe->state == PROBE_SENT && id_eq(&probe->node, node) &&
        probe_store(probe, answer) == ST_OK) {
        probe->state = PROBE_DONE;
        known = true;
        pthread_cond_broadcast(&probes->done);
    }
    pthread_mutex_unlock(&probes->lock);
    return known;
}
