/* writer.c: the queue, the group and the commit.
 *
 *   caller: queue request, sleep
 *   writer: begin -> { nested: fn, audit, revision } x n -> commit -> wake all
 *
 * Invariant: nobody is told ST_OK before the commit that holds his change returned. A group takes
 * what is waiting, at most WRITER_GROUP operations and WRITER_GROUP_NS; it never waits for company,
 * because what arrives during a commit makes the next group anyway. A failed operation aborts its
 * nested transaction and nothing else. A revision number is used only by an operation that
 * succeeds, so numbers have no gaps. If a commit fails with anything but "full" or "no memory",
 * whether it is on the disk is unknown: the process ends without answering, and the truth is read
 * at the next start.
 */
#include "control-plane/store/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "control-plane/audit/audit.h"
#include "control-plane/store/keys.h"

#define WRITER_MAGIC    0x77720001u
#define WRITER_GROUP    256u
#define WRITER_GROUP_NS 2000000
#define WRITER_WAITING  4096u
#define WRITER_EXIT     74 /* EX_IOERR */

struct write_request {
    struct write_request *next;
    const struct write_actor *actor;
    struct arena *arena;
    write_fn fn;
    void *arg;
    enum status status;
    uint64_t revision;
    bool done;
    pthread_cond_t wake;
};

struct writer {
    uint32_t magic;
    struct kv *kv;
    pthread_t thread;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t work, news;
    struct write_request *first, *last;
    size_t waiting;
    bool stopping;
    uint64_t revision; /* committed */
};

static void writer_lock(struct writer *writer)
{
    CHECK(pthread_mutex_lock(&writer->lock) == 0);
}

static void writer_unlock(struct writer *writer)
{
    CHECK(pthread_mutex_unlock(&writer->lock) == 0);
}

void writer_audit(struct write_op *op, const struct write_audit *audit)
{
    struct write_audit *copy = arena_alloc(op->arena, sizeof *copy);
    if (copy == NULL) {
        op->audit_failed = true;
        return;
    }
    *copy = *audit;
    copy->next = NULL;
    struct write_audit **at = &op->audits;
    while (*at != NULL)
        at = &(*at)->next;
    *at = copy;
}

static enum status writer_seal(struct write_op *op)
{
    struct key key;
    uint8_t number[8];
    if (op->no_revision && op->audits == NULL && !op->audit_failed)
        return ST_OK;
    if (op->no_revision) {
        bool fits;
        TRY(audit_fits(op, &fits));
        op->no_revision = fits;
    }
    CHECK(op->audits != NULL || op->audit_failed);
    TRY(audit_append(op));
    if (op->no_revision)
        return ST_OK;
    key_init_meta(&key, KEY_META_REVISION);
    key_put_u64(number, op->revision);
    return kv_put(op->txn, KV_MAIN, key_str(&key), (struct str){(const char *)number, 8});
}

/* Runs one operation in its nested transaction; `revision` moves on if it made one. */
static enum status writer_run_one(struct kv_txn *group, struct write_request *request,
                                  uint64_t *revision)
{
    struct write_op op = {.arena = request->arena,
                          .revision = *revision + 1,
                          .now_ms = clock_utc_ms(),
                          .actor = request->actor};
    TRY(kv_begin_nested(group, &op.txn));
    enum status status = request->fn(&op, request->arg);
    if (status == ST_OK)
        status = writer_seal(&op);
    if (status != ST_OK) {
        kv_abort(op.txn);
        return status;
    }
    TRY(kv_commit(op.txn));
    if (!op.no_revision)
        *revision = op.revision;
    request->revision = *revision;
    return ST_OK;
}

static struct write_request *writer_take(struct writer *writer)
{
    writer_lock(writer);
    struct write_request *request = writer->first;
    if (request != NULL) {
        writer->first = request->next;
        if (writer->first == NULL)
            writer->last = NULL;
        writer->waiting--;
    }
    writer_unlock(writer);
    return request;
}

static bool writer_can_go_on(enum status status)
{
    return status == ST_OK || status == ST_STORE_FULL || status == ST_NO_MEMORY;
}

static _Noreturn void writer_die(enum status status)
{
    log_error("store_commit_failed", LOG_STATUS(status));
    _exit(WRITER_EXIT);
}

/* Tells everybody of the group; what had succeeded so far takes the commit's outcome. */
static void writer_answer(struct writer *writer, struct write_request **group, size_t count,
                          enum status commit, uint64_t revision)
{
    writer_lock(writer);
    if (commit == ST_OK && revision > writer->revision) {
        writer->revision = revision;
        pthread_cond_broadcast(&writer->news);
    }
    for (size_t i = 0; i < count; i++) {
        if (group[i]->status == ST_OK)
            group[i]->status = commit;
        group[i]->done = true;
        pthread_cond_signal(&group[i]->wake);
    }
    writer_unlock(writer);
}

static void writer_run_group(struct writer *writer)
{
    struct write_request *group[WRITER_GROUP], *request;
    size_t count = 0, succeeded = 0;
    struct kv_txn *txn = NULL;
    uint64_t revision = writer->revision; /* only this thread changes it */
    int64_t until_ns = clock_mono_ns() + WRITER_GROUP_NS;
    enum status begun = kv_begin(writer->kv, true, &txn);
    if (!writer_can_go_on(begun))
        writer_die(begun);
    while (count < WRITER_GROUP && (request = writer_take(writer)) != NULL) {
        request->status = begun == ST_OK ? writer_run_one(txn, request, &revision) : begun;
        succeeded += request->status == ST_OK;
        group[count++] = request;
        if (clock_mono_ns() >= until_ns)
            break;
    }
    enum status commit = ST_OK;
    if (succeeded > 0)
        commit = kv_commit(txn);
    else
        kv_abort(txn);
    if (!writer_can_go_on(commit))
        writer_die(commit);
    writer_answer(writer, group, count, commit, revision);
}

static void *writer_main(void *arg)
{
    struct writer *writer = arg;
    for (;;) {
        writer_lock(writer);
        while (writer->first == NULL && !writer->stopping)
            CHECK(pthread_cond_wait(&writer->work, &writer->lock) == 0);
        bool end = writer->first == NULL;
        writer_unlock(writer);
        if (end)
            return NULL;
        writer_run_group(writer);
    }
}

static enum status writer_read_revision(struct kv *kv, uint64_t *revision)
{
    struct kv_txn *txn;
    TRY(kv_begin(kv, false, &txn));
    enum status status = record_revision(txn, revision);
    kv_abort(txn);
    return status;
}

static void writer_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    CHECK(pthread_condattr_init(&attr) == 0);
    CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(cond, &attr) == 0);
    pthread_condattr_destroy(&attr);
}

static void writer_free(struct writer *writer)
{
    pthread_cond_destroy(&writer->news);
    pthread_cond_destroy(&writer->work);
    pthread_mutex_destroy(&writer->lock);
    writer->magic = 0;
    free(writer);
}

enum status writer_start(struct kv *kv, struct writer **out)
{
    uint64_t revision;
    TRY(writer_read_revision(kv, &revision));
    struct writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return ST_NO_MEMORY;
    writer->magic = WRITER_MAGIC;
    writer->kv = kv;
    writer->revision = revision;
    CHECK(pthread_mutex_init(&writer->lock, NULL) == 0);
    writer_cond_init(&writer->work);
    writer_cond_init(&writer->news);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&writer->thread, NULL, writer_main, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        writer_free(writer);
        return ST_NO_MEMORY;
    }
    pthread_setname_np(writer->thread, "writer");
    *out = writer;
    return ST_OK;
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL)
        return;
    CHECK_OBJ(writer, WRITER_MAGIC);
    writer_lock(writer);
    writer->stopping = true;
    pthread_cond_signal(&writer->work);
    pthread_cond_broadcast(&writer->news);
    writer_unlock(writer);
    CHECK(pthread_join(writer->thread, NULL) == 0);
    writer_free(writer);
}

enum status writer_run(struct writer *writer, const struct write_actor *actor, struct arena *arena,
                       write_fn fn, void *arg, uint64_t *revision)
{
    CHECK_OBJ(writer, WRITER_MAGIC);
    CHECK(!pthread_equal(pthread_self(), writer->thread));
    struct write_request request = {.actor = actor, .arena = arena, .fn = fn, .arg = arg};
    writer_lock(writer);
    if (writer->stopping || writer->waiting >= WRITER_WAITING) {
        writer_unlock(writer);
        return ST_OVERLOADED;
    }
    writer_cond_init(&request.wake);
    if (writer->last != NULL)
        writer->last->next = &request;
    else
        writer->first = &request;
    writer->last = &request;
    writer->waiting++;
    pthread_cond_signal(&writer->work);
    while (!request.done)
        CHECK(pthread_cond_wait(&request.wake, &writer->lock) == 0);
    writer_unlock(writer);
    pthread_cond_destroy(&request.wake);
    TRY(request.status);
    if (revision != NULL)
        *revision = request.revision;
    return ST_OK;
}

uint64_t writer_revision(struct writer *writer)
{
    CHECK_OBJ(writer, WRITER_MAGIC);
    writer_lock(writer);
    uint64_t revision = writer->revision;
    writer_unlock(writer);
    return revision;
}

uint64_t writer_wait_revision(struct writer *writer, uint64_t seen, unsigned wait_ms)
{
    CHECK_OBJ(writer, WRITER_MAGIC);
    struct timespec until;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    writer_lock(writer);
    int rc = 0;
    while (writer->revision <= seen && !writer->stopping && rc == 0)
        rc = pthread_cond_timedwait(&writer->news, &writer->lock, &until);
    uint64_t revision = writer->revision;
    writer_unlock(writer);
    return revision;
}
