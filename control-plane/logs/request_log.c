/* request_log.c: the queue in front of the request log, and the thread behind it.
 *
 * Invariant: whoever offers copies into memory and goes on; only the log's own thread touches the
 * disk. A queue that is full, an environment that is full or one that fails costs rows of the log
 * and nothing else: they are counted. After a failed write the environment is left alone until the
 * next start, because LMDB cannot be trusted behind one. Must never: be waited for by ingest, or
 * share anything with the store.
 */
#include "control-plane/logs/request_log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire.h"
#include "control-plane/logs/request_log_rows.h"

#define MAGIC         0x524C4F47u
#define WRITE_ROWS    2000u /* in one transaction */
#define DROP_ROWS     500u
#define ROOM_ROWS     50u /* dropped where a full environment must take more */
#define UPKEEP_S      60
#define SCRATCH_BYTES ((size_t)4 << 20)
#define EVENT_MAX     ((size_t)256 << 10)

/* One packed event, in a list. */
struct item {
    struct item *next;
    size_t n;
    char bytes[];
};

struct request_log {
    uint32_t magic;
    struct kv *kv;
    int64_t keep_ms;
    uint64_t bytes_max;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    struct item *first, **last; /* under the lock, down to `settled` */
    size_t queued_bytes;
    bool stop, upkeep_asked, settled;
    _Atomic uint64_t dropped, rows, bytes;
    _Atomic bool broken;
};

/* --- offering --- */

static struct item *pack(const Sluice__UsageEvent *event)
{
    size_t n = protobuf_c_message_get_packed_size(&event->base);
    if (n > EVENT_MAX)
        return NULL;
    struct item *item = malloc(sizeof(*item) + n);
    if (item == NULL)
        return NULL;
    item->next = NULL;
    item->n = protobuf_c_message_pack(&event->base, (uint8_t *)item->bytes);
    return item;
}

void request_log_offer(struct request_log *log, Sluice__UsageEvent *const *events, size_t count)
{
    if (log == NULL)
        return;
    CHECK_OBJ(log, MAGIC);
    for (size_t i = 0; i < count; i++) {
        struct item *item = atomic_load(&log->broken) ? NULL : pack(events[i]);
        pthread_mutex_lock(&log->lock);
        if (item != NULL && log->queued_bytes + item->n <= REQUEST_LOG_QUEUE_BYTES) {
            *log->last = item;
            log->last = &item->next;
            log->queued_bytes += item->n;
            log->settled = false;
            item = NULL;
            pthread_cond_signal(&log->wake);
        } else {
            atomic_fetch_add(&log->dropped, 1);
        }
        pthread_mutex_unlock(&log->lock);
        free(item);
    }
}

/* --- writing --- */

static enum status drop_some(struct request_log *log, int64_t before_ms, size_t rows, bool *left)
{
    struct request_log_size size;
    struct kv_txn *txn;
    TRY(kv_begin(log->kv, true, &txn));
    enum status status = request_log_size_get(txn, &size);
    if (status == ST_OK)
        status = request_log_rows_drop(txn, before_ms, log->bytes_max, rows, &size, left);
    if (status == ST_OK)
        status = request_log_size_put(txn, &size);
    if (status != ST_OK) {
        kv_abort(txn);
        return status;
    }
    TRY(kv_commit(txn));
    atomic_store(&log->rows, size.rows);
    atomic_store(&log->bytes, size.bytes);
    return ST_OK;
}

/* Writes up to WRITE_ROWS of the list; *rest is what is left of it. */
static enum status write_some(struct request_log *log, struct item *items, struct item **rest)
{
    struct request_log_size size;
    struct arena scratch;
    struct kv_txn *txn;
    TRY(kv_begin(log->kv, true, &txn));
    arena_init(&scratch, SCRATCH_BYTES);
    enum status status = request_log_size_get(txn, &size);
    struct item *item = items;
    uint64_t odd = 0;
    for (size_t n = 0; status == ST_OK && item != NULL && n < WRITE_ROWS; n++, item = item->next) {
        arena_free(&scratch);
        status = request_log_row_put(txn, str_of(item->bytes, item->n), &scratch, &size);
        odd += status == ST_INVALID;
        if (status == ST_INVALID)
            status = ST_OK;
    }
    arena_free(&scratch);
    if (status == ST_OK)
        status = request_log_size_put(txn, &size);
    if (status != ST_OK) {
        kv_abort(txn);
        return status;
    }
    TRY(kv_commit(txn));
    *rest = item;
    atomic_fetch_add(&log->dropped, odd);
    atomic_store(&log->rows, size.rows);
    atomic_store(&log->bytes, size.bytes);
    return ST_OK;
}

static void free_items(struct request_log *log, struct item *items, const struct item *end,
                       bool dropped)
{
    while (items != end) {
        struct item *next = items->next;
        atomic_fetch_add(&log->dropped, dropped ? 1 : 0);
        free(items);
        items = next;
    }
}

static void fail(struct request_log *log, enum status status)
{
    log_error("request_log_failed", LOG_STATUS(status));
    atomic_store(&log->broken, true);
}

/* A full environment makes room once and is tried again. */
static void write_all(struct request_log *log, struct item *items)
{
    while (items != NULL && !atomic_load(&log->broken)) {
        struct item *rest = items;
        bool left;
        enum status status = write_some(log, items, &rest);
        if (status == ST_STORE_FULL && drop_some(log, INT64_MAX, ROOM_ROWS, &left) == ST_OK)
            status = write_some(log, items, &rest);
        if (status == ST_STORE_FULL) {
            log_warn("request_log_full");
            break;
        }
        if (status != ST_OK) {
            fail(log, status);
            break;
        }
        free_items(log, items, rest, false);
        items = rest;
    }
    free_items(log, items, NULL, true);
}

static void upkeep(struct request_log *log)
{
    bool left = true;
    while (left && !atomic_load(&log->broken)) {
        enum status status = drop_some(log, clock_utc_ms() - log->keep_ms, DROP_ROWS, &left);
        if (status == ST_STORE_FULL) {
            log_warn("request_log_full");
            return;
        }
        if (status != ST_OK)
            fail(log, status);
    }
    kv_check_readers(log->kv);
}

/* Takes the queue; waits for one, for a minute to pass, or for the end. False: the end. */
static bool take(struct request_log *log, struct item **items, bool *due)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += UPKEEP_S;
    pthread_mutex_lock(&log->lock);
    *due = log->upkeep_asked;
    while (log->first == NULL && !log->stop && !*due) {
        log->settled = true;
        pthread_cond_broadcast(&log->idle);
        *due = pthread_cond_timedwait(&log->wake, &log->lock, &until) != 0 || log->upkeep_asked;
    }
    log->upkeep_asked = false;
    *items = log->first;
    log->first = NULL;
    log->last = &log->first;
    log->queued_bytes = 0;
    bool more = *items != NULL || !log->stop;
    pthread_mutex_unlock(&log->lock);
    return more;
}

static void *run(void *arg)
{
    struct request_log *log = arg;
    struct item *items;
    bool due;
    while (take(log, &items, &due)) {
        write_all(log, items);
        if (due || atomic_load(&log->bytes) > log->bytes_max)
            upkeep(log);
    }
    return NULL;
}

/* --- life --- */

static void init_conditions(struct request_log *log)
{
    pthread_condattr_t attributes;
    CHECK(pthread_condattr_init(&attributes) == 0);
    CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_mutex_init(&log->lock, NULL) == 0);
    CHECK(pthread_cond_init(&log->wake, &attributes) == 0);
    CHECK(pthread_cond_init(&log->idle, NULL) == 0);
    pthread_condattr_destroy(&attributes);
}

static enum status read_size(struct request_log *log)
{
    struct request_log_size size;
    struct kv_txn *txn;
    TRY(kv_begin(log->kv, false, &txn));
    enum status status = request_log_size_get(txn, &size);
    kv_abort(txn);
    TRY(status);
    atomic_store(&log->rows, size.rows);
    atomic_store(&log->bytes, size.bytes);
    return ST_OK;
}

enum status request_log_open(const struct request_log_options *options, struct request_log **out)
{
    struct request_log *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return ST_NO_MEMORY;
    log->magic = MAGIC;
    log->keep_ms = options->keep_ms;
    log->bytes_max = options->map_bytes / 2;
    log->last = &log->first;
    log->upkeep_asked = true;
    init_conditions(log);
    enum status status =
        kv_open(options->path, &(struct kv_options){.map_bytes = options->map_bytes}, &log->kv);
    if (status == ST_OK)
        status = read_size(log);
    if (status == ST_OK && pthread_create(&log->thread, NULL, run, log) != 0)
        status = ST_NO_MEMORY;
    if (status != ST_OK) {
        if (log->kv != NULL)
            kv_close(log->kv);
        free(log);
        return status;
    }
    *out = log;
    return ST_OK;
}

void request_log_close(struct request_log *log)
{
    if (log == NULL)
        return;
    CHECK_OBJ(log, MAGIC);
    pthread_mutex_lock(&log->lock);
    log->stop = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->lock);
    CHECK(pthread_join(log->thread, NULL) == 0);
    kv_close(log->kv);
    pthread_cond_destroy(&log->wake);
    pthread_cond_destroy(&log->idle);
    pthread_mutex_destroy(&log->lock);
    log->magic = 0;
    free(log);
}

void request_log_stats(struct request_log *log, struct request_log_stats *stats)
{
    CHECK_OBJ(log, MAGIC);
    *stats = (struct request_log_stats){.rows = atomic_load(&log->rows),
                                        .bytes = atomic_load(&log->bytes),
                                        .dropped = atomic_load(&log->dropped),
                                        .broken = atomic_load(&log->broken)};
}

void request_log_settle(struct request_log *log)
{
    CHECK_OBJ(log, MAGIC);
    pthread_mutex_lock(&log->lock);
    log->settled = false;
    log->upkeep_asked = true;
    pthread_cond_signal(&log->wake);
    while (!log->settled)
        pthread_cond_wait(&log->idle, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

enum status request_log_list(struct request_log *log, const struct request_log_question *question,
                             const uint8_t *place, struct arena *arena,
                             struct request_log_page *out)
{
    struct request_log_page page = {.count = 0};
    struct kv_txn *txn;
    CHECK_OBJ(log, MAGIC);
    if (question->limit == 0 || question->limit > REQUEST_LOG_PAGE_MAX || question->start_ms < 0 ||
        question->end_ms < question->start_ms)
        return ST_RANGE;
    page.rows = arena_calloc(arena, question->limit, sizeof *page.rows);
    if (page.rows == NULL)
        return ST_NO_MEMORY;
    TRY(kv_begin(log->kv, false, &txn));
    enum status status = request_log_rows_list(txn, question, place, arena, &page);
    kv_abort(txn);
    TRY(status);
    *out = page;
    return ST_OK;
}
