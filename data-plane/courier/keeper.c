/* keeper.c: see keeper.h.
 *
 * Deaths are counted in the shared status, which outlives a courier: an operation that is entered
 * and not left was somebody's last. A courier killed anywhere else costs the file nothing, or a
 * kill at random would throw a good catalog away. Must never: answer a damaged file with anything
 * but a new one, or hold the lock while calling out.
 */
#include "data-plane/courier/keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "data-plane/courier/keeper_hosts.h"

#define KEEPER_TURN_MS    1000
#define KEEPER_TIDY_TURNS 8 /* transactions of tidying per turn */

struct keeper {
    struct keeper_config config;
    pthread_mutex_t mutex; /* guards catalog */
    struct catalog *catalog;
    pthread_t thread;
    bool threaded, dirty; /* dirty: dead generations may be left */
    pthread_mutex_t stop_mutex;
    pthread_cond_t stop_cond;
    bool stop;
};

/* --- deaths inside an operation --- */

static struct segment_status *shared_of(const struct keeper *keeper)
{
    return &keeper->config.segment->head->status;
}

/* Between these two a death is counted against the file. */
static void enter(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->mutex);
    atomic_store(&shared_of(keeper)->catalog_busy, 1);
}

static void leave(struct keeper *keeper)
{
    atomic_store(&shared_of(keeper)->catalog_busy, 0);
    pthread_mutex_unlock(&keeper->mutex);
}

_Noreturn static void damaged(struct keeper *keeper, enum status status)
{
    log_error("catalog_damaged", LOG_STATUS(status));
    atomic_store(&shared_of(keeper)->catalog_deaths, KEEPER_DEATHS);
    atomic_store(&shared_of(keeper)->catalog_busy, 1);
    _exit(KEEPER_EXIT_DAMAGED);
}

/* --- the shared status --- */

static void publish(struct keeper *keeper)
{
    struct segment_status *shared = shared_of(keeper);
    uint64_t revision;
    struct id store;
    catalog_position(keeper->catalog, &revision, &store);
    atomic_store(&shared->revision, revision);
    atomic_store(&shared->has_catalog, id_is_none(&store) ? 0u : 1u);
}

/* --- the thread --- */

static void tidy(struct keeper *keeper)
{
    enum status status = ST_OK;
    bool more = true;
    for (unsigned i = 0; i < KEEPER_TIDY_TURNS && more && status == ST_OK; i++) {
        enter(keeper);
        status = catalog_tidy(keeper->catalog, &more);
        leave(keeper);
    }
    if (status == ST_BAD_FORMAT || status == ST_IO)
        damaged(keeper, status);
    if (!more)
        keeper->dirty = false;
}

static void turn(struct keeper *keeper)
{
    enter(keeper);
    catalog_check_readers(keeper->catalog);
    bool dirty = keeper->dirty;
    leave(keeper);
    if (dirty)
        tidy(keeper);
    if (keeper->config.every_second != NULL)
        keeper->config.every_second(keeper->config.arg);
}

static bool wait_turn(struct keeper *keeper)
{
    int64_t until_ms = clock_mono_ms() + KEEPER_TURN_MS;
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    pthread_mutex_lock(&keeper->stop_mutex);
    while (!keeper->stop &&
           pthread_cond_timedwait(&keeper->stop_cond, &keeper->stop_mutex, &until) == 0)
        ;
    bool stop = keeper->stop;
    pthread_mutex_unlock(&keeper->stop_mutex);
    return !stop;
}

static void *keeper_main(void *arg)
{
    struct keeper *keeper = arg;
    while (wait_turn(keeper))
        turn(keeper);
    return NULL;
}

/* --- open and close --- */

static enum status open_file(struct keeper *keeper)
{
    struct segment_status *shared = shared_of(keeper);
    bool died = atomic_load(&shared->catalog_busy) != 0, fresh;
    uint32_t deaths = died ? atomic_load(&shared->catalog_deaths) + 1 : 0;
    if (deaths > KEEPER_DEATHS) {
        log_error("catalog_put_aside", LOG_U64("deaths", deaths));
        TRY(catalog_put_aside(keeper->config.path));
        deaths = 0;
    }
    atomic_store(&shared->catalog_deaths, deaths);
    enter(keeper);
    enum status status = catalog_open_writer(keeper->config.path, &keeper->catalog, &fresh);
    if (status == ST_OK)
        catalog_check_readers(keeper->catalog);
    leave(keeper);
    TRY(status);
    uint32_t epoch = atomic_load(&shared->catalog_epoch);
    if (fresh || epoch == 0)
        atomic_store(&shared->catalog_epoch, epoch + 1);
    publish(keeper);
    return ST_OK;
}

enum status keeper_open(const struct keeper_config *config, struct keeper **keeper)
{
    struct keeper *made = calloc(1, sizeof *made);
    pthread_condattr_t monotonic;
    if (made == NULL)
        return ST_NO_MEMORY;
    made->config = *config;
    made->dirty = true;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_mutex_init(&made->stop_mutex, NULL);
    pthread_cond_init(&made->stop_cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
    enum status status = open_file(made);
    if (status == ST_OK) {
        made->threaded = pthread_create(&made->thread, NULL, keeper_main, made) == 0;
        status = made->threaded ? ST_OK : ST_NO_MEMORY;
    }
    if (status != ST_OK) {
        keeper_close(made);
        return status;
    }
    *keeper = made;
    return ST_OK;
}

void keeper_close(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    pthread_mutex_lock(&keeper->stop_mutex);
    keeper->stop = true;
    pthread_cond_signal(&keeper->stop_cond);
    pthread_mutex_unlock(&keeper->stop_mutex);
    if (keeper->threaded)
        pthread_join(keeper->thread, NULL);
    catalog_close(keeper->catalog);
    pthread_mutex_destroy(&keeper->mutex);
    pthread_mutex_destroy(&keeper->stop_mutex);
    pthread_cond_destroy(&keeper->stop_cond);
    free(keeper);
}

/* --- for the feed --- */

void keeper_position(struct keeper *keeper, uint64_t *revision, struct id *store_id)
{
    pthread_mutex_lock(&keeper->mutex);
    catalog_position(keeper->catalog, revision, store_id);
    pthread_mutex_unlock(&keeper->mutex);
}

void keeper_abandon(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->mutex);
    catalog_abandon(keeper->catalog);
    keeper->dirty = true;
    pthread_mutex_unlock(&keeper->mutex);
}

enum status keeper_apply(struct keeper *keeper, Sluice__ChangesReply *const *replies, size_t count,
                         const char **refused, uint64_t *refused_revision)
{
    uint64_t before, after;
    struct id store;
    enter(keeper);
    catalog_position(keeper->catalog, &before, &store);
    enum status status = catalog_apply(keeper->catalog, replies, count, refused, refused_revision);
    catalog_position(keeper->catalog, &after, &store);
    if (status == ST_OK) {
        keeper->dirty = keeper->dirty || (count > 0 && replies[0]->full);
        publish(keeper);
    }
    leave(keeper);
    if ((status == ST_BAD_FORMAT && *refused == NULL) || status == ST_IO)
        damaged(keeper, status);
    if (status == ST_OK && (after != before || (count > 0 && replies[0]->full)) &&
        keeper->config.changed != NULL)
        keeper->config.changed(keeper->config.arg);
    return status;
}

uint64_t keeper_skipped(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->mutex);
    uint64_t skipped = catalog_skipped(keeper->catalog);
    pthread_mutex_unlock(&keeper->mutex);
    return skipped;
}

void keeper_hosts(struct keeper *keeper, struct buf *out)
{
    enter(keeper);
    if (catalog_begin(keeper->catalog) == ST_OK) {
        catalog_hosts(keeper->catalog, KEEPER_HOSTS_MAX, out);
        catalog_end(keeper->catalog);
    }
    leave(keeper);
}
