/* recalls.c: one short list per node, found by scanning the nodes that have one.
 *
 * A list exists only while something is in it, so the scan is over nodes that are being recalled
 * from just now. What is older than RECALLS_KEEP_MS is not told any more: the need behind it has
 * been refused long since.
 */
#include "control-plane/publish/recalls.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/wire.h"
#include "control-plane/publish/nodes.h"

#define RECALLS_MAGIC 0x5265636cu

struct recall_row {
    struct grants_recall recall;
    int64_t filed_ms; /* monotonic */
};
struct recall_list {
    struct id node;
    size_t count;
    struct recall_row rows[RECALLS_OF_NODE];
};

struct recalls {
    uint32_t magic;
    pthread_mutex_t lock; /* guards everything below */
    struct recall_list *lists[NODES_MAX];
    size_t count;
};

enum status recalls_new(struct recalls **out)
{
    struct recalls *recalls = calloc(1, sizeof *recalls);
    if (recalls == NULL)
        return ST_NO_MEMORY;
    recalls->magic = RECALLS_MAGIC;
    pthread_mutex_init(&recalls->lock, NULL);
    *out = recalls;
    return ST_OK;
}

void recalls_free(struct recalls *recalls)
{
    if (recalls == NULL)
        return;
    CHECK_OBJ(recalls, RECALLS_MAGIC);
    for (size_t i = 0; i < recalls->count; i++)
        free(recalls->lists[i]);
    pthread_mutex_destroy(&recalls->lock);
    free(recalls);
}

/* With the lock held: where the node's list is, or count. */
static size_t recalls_find(const struct recalls *recalls, const struct id *node)
{
    size_t at = 0;
    while (at < recalls->count && !id_eq(&recalls->lists[at]->node, node))
        at++;
    return at;
}

/* With the lock held: NULL when there is no room. */
static struct recall_list *recalls_list(struct recalls *recalls, const struct id *node)
{
    size_t at = recalls_find(recalls, node);
    if (at < recalls->count)
        return recalls->lists[at];
    struct recall_list *list = at < NODES_MAX ? calloc(1, sizeof *list) : NULL;
    if (list == NULL)
        return NULL;
    list->node = *node;
    recalls->lists[recalls->count++] = list;
    return list;
}

void recalls_file(struct recalls *recalls, const struct grants_recall *recall)
{
    CHECK_OBJ(recalls, RECALLS_MAGIC);
    pthread_mutex_lock(&recalls->lock);
    struct recall_list *list = recalls_list(recalls, &recall->node);
    if (list != NULL) {
        size_t at = 0;
        while (at < list->count && (!id_eq(&list->rows[at].recall.counter, &recall->counter) ||
                                    list->rows[at].recall.epoch != recall->epoch))
            at++;
        if (at < RECALLS_OF_NODE) {
            list->rows[at] = (struct recall_row){*recall, clock_mono_ms()};
            list->count += at == list->count;
        }
    }
    pthread_mutex_unlock(&recalls->lock);
}

bool recalls_waiting(struct recalls *recalls, const struct id *node)
{
    CHECK_OBJ(recalls, RECALLS_MAGIC);
    pthread_mutex_lock(&recalls->lock);
    bool waiting = recalls_find(recalls, node) < recalls->count;
    pthread_mutex_unlock(&recalls->lock);
    return waiting;
}

/* With the lock held: takes the list out; NULL: none. */
static struct recall_list *recalls_take(struct recalls *recalls, const struct id *node)
{
    size_t at = recalls_find(recalls, node);
    if (at == recalls->count)
        return NULL;
    struct recall_list *list = recalls->lists[at];
    recalls->lists[at] = recalls->lists[--recalls->count];
    return list;
}

static enum status recall_write(const struct grants_recall *recall, struct arena *arena,
                                Sluice__Recall **out)
{
    Sluice__Recall *message = arena_alloc(arena, sizeof *message);
    struct str counter = arena_str(arena, id_bytes(&recall->counter));
    if (message == NULL || counter.p == NULL)
        return ST_NO_MEMORY;
    sluice__recall__init(message);
    message->counter = wire_data(counter);
    message->epoch = recall->epoch;
    message->keep = (uint64_t)recall->keep;
    *out = message;
    return ST_OK;
}

enum status recalls_attach(struct recalls *recalls, const struct id *node, struct arena *arena,
                           Sluice__ChangesReply *reply)
{
    CHECK_OBJ(recalls, RECALLS_MAGIC);
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&recalls->lock);
    struct recall_list *list = recalls_take(recalls, node);
    pthread_mutex_unlock(&recalls->lock);
    if (list == NULL)
        return ST_OK;
    enum status status = ST_OK;
    reply->recalls = arena_calloc(arena, list->count, sizeof *reply->recalls);
    if (reply->recalls == NULL)
        status = ST_NO_MEMORY;
    for (size_t i = 0; i < list->count && status == ST_OK; i++) {
        if (now_ms - list->rows[i].filed_ms > RECALLS_KEEP_MS)
            continue;
        status = recall_write(&list->rows[i].recall, arena, &reply->recalls[reply->n_recalls]);
        reply->n_recalls += status == ST_OK;
    }
    free(list);
    return status;
}
