/* parking.c: the table of waiting requests.
 *
 * Due requests are found by a scan: with a few thousand nodes that costs microseconds per wake, and
 * a wake answers up to that many requests anyway. The time until nothing is due is the least of all
 * deadlines, so an idle table wakes nobody.
 */
#include "control-plane/publish/parking.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "control-plane/publish/nodes.h"

#define PARKING_MAGIC   0x5061726bu
#define PARKING_IDLE_MS 60000

struct parking {
    uint32_t magic;
    pthread_mutex_t
        lock; /* guards everything below; never held across a call into the link or the store */
    pthread_cond_t wake; /* CLOCK_MONOTONIC */
    struct parked *rows[NODES_MAX];
    size_t count;
    uint64_t newest;
    bool stopping;
};

enum status parking_new(uint64_t newest, struct parking **out)
{
    struct parking *parking = calloc(1, sizeof *parking);
    pthread_condattr_t attr;
    if (parking == NULL)
        return ST_NO_MEMORY;
    parking->magic = PARKING_MAGIC;
    parking->newest = newest;
    pthread_mutex_init(&parking->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&parking->wake, &attr);
    pthread_condattr_destroy(&attr);
    *out = parking;
    return ST_OK;
}

/* With the lock held. */
static struct parked *parking_remove(struct parking *parking, size_t at)
{
    struct parked *row = parking->rows[at];
    parking->rows[at] = parking->rows[--parking->count];
    return row;
}

/* With the lock held: NULL if the node has none. */
static struct parked *parking_remove_node(struct parking *parking, const struct id *node)
{
    for (size_t i = 0; i < parking->count; i++)
        if (id_eq(&parking->rows[i]->head.node, node))
            return parking_remove(parking, i);
    return NULL;
}

enum status parking_add(struct parking *parking, const struct parked *parked)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    struct parked *row = malloc(sizeof *row);
    if (row == NULL)
        return ST_NO_MEMORY;
    *row = *parked;
    row->head.payload = STR_NONE;
    enum status status = ST_OK;
    pthread_mutex_lock(&parking->lock);
    struct parked *before = parking_remove_node(parking, &parked->head.node);
    if (parking->stopping)
        status = ST_CLOSED;
    else if (parking->count == NODES_MAX)
        status = ST_OVERLOADED;
    if (status == ST_OK) {
        parking->rows[parking->count++] = row;
        pthread_cond_signal(&parking->wake);
    }
    pthread_mutex_unlock(&parking->lock);
    if (before != NULL)
        link_request_drop(before->request);
    free(before);
    if (status != ST_OK)
        free(row);
    return status;
}

enum status parking_take(struct parking *parking, const struct id *node, struct parked *parked)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    pthread_mutex_lock(&parking->lock);
    struct parked *row = parking_remove_node(parking, node);
    pthread_mutex_unlock(&parking->lock);
    if (row == NULL)
        return ST_NOT_FOUND;
    *parked = *row;
    free(row);
    return ST_OK;
}

/* With the lock held: a due request, or NULL and the time until which none is. */
static struct parked *parking_due(struct parking *parking, int64_t *until_ms)
{
    int64_t now_ms = clock_mono_ms();
    *until_ms = now_ms + PARKING_IDLE_MS;
    for (size_t i = 0; i < parking->count; i++) {
        const struct parked *row = parking->rows[i];
        int64_t due_ms = row->deadline_ms;
        if (parking->newest > row->known && row->not_before_ms < due_ms)
            due_ms = row->not_before_ms;
        if (row->gone || row->woken || due_ms <= now_ms)
            return parking_remove(parking, i);
        if (due_ms < *until_ms)
            *until_ms = due_ms;
    }
    return NULL;
}

enum status parking_wait(struct parking *parking, struct parked *parked)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    struct parked *row = NULL;
    pthread_mutex_lock(&parking->lock);
    while (!parking->stopping) {
        int64_t until_ms;
        row = parking_due(parking, &until_ms);
        if (row != NULL)
            break;
        struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
        pthread_cond_timedwait(&parking->wake, &parking->lock, &until);
    }
    pthread_mutex_unlock(&parking->lock);
    if (row == NULL)
        return ST_CLOSED;
    *parked = *row;
    free(row);
    return ST_OK;
}

void parking_wake(struct parking *parking, const struct id *node)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    pthread_mutex_lock(&parking->lock);
    for (size_t i = 0; i < parking->count; i++)
        if (id_eq(&parking->rows[i]->head.node, node))
            parking->rows[i]->woken = true;
    pthread_cond_signal(&parking->wake);
    pthread_mutex_unlock(&parking->lock);
}

void parking_news(struct parking *parking, uint64_t newest)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    pthread_mutex_lock(&parking->lock);
    if (newest > parking->newest) {
        parking->newest = newest;
        pthread_cond_signal(&parking->wake);
    }
    pthread_mutex_unlock(&parking->lock);
}

void parking_gone(struct parking *parking, uint32_t peer)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    pthread_mutex_lock(&parking->lock);
    for (size_t i = 0; i < parking->count; i++)
        if (parking->rows[i]->peer == peer)
            parking->rows[i]->gone = true;
    pthread_cond_signal(&parking->wake);
    pthread_mutex_unlock(&parking->lock);
}

void parking_stop(struct parking *parking)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    pthread_mutex_lock(&parking->lock);
    parking->stopping = true;
    pthread_cond_broadcast(&parking->wake);
    pthread_mutex_unlock(&parking->lock);
}

bool parking_stopping(struct parking *parking)
{
    CHECK_OBJ(parking, PARKING_MAGIC);
    pthread_mutex_lock(&parking->lock);
    bool stopping = parking->stopping;
    pthread_mutex_unlock(&parking->lock);
    return stopping;
}
