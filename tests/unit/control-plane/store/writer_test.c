/* Writer: groups, one failing operation, numbers without gaps, waiting, a full store. */
#include <pthread.h>

#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

#define THREADS 16
#define EACH    50

struct job {
    struct fixture *f;
    unsigned thread;
    unsigned ok, refused;
    uint64_t last;
};

static enum status put_number(struct write_op *op, void *arg)
{
    struct key key;
    uint8_t row[8];
    key_init(&key);
    key_add_u8(&key, 0x7E);
    key_add_u64(&key, *(uint64_t *)arg);
    key_put_u64(row, op->revision);
    TRY(kv_put(op->txn, KV_MAIN, key_str(&key), str_of((const char *)row, 8)));
    return *(uint64_t *)arg % 5 == 0 ? ST_CONFLICT : ST_OK; /* fails after it wrote */
}

static void *run_jobs(void *arg)
{
    struct job *job = arg;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (unsigned i = 0; i < EACH; i++) {
        uint64_t number = job->thread * 1000 + i, revision = 0;
        struct fixture_call call = {put_number, &number};
        enum status status =
            writer_run(job->f->writer, NULL, &arena, fixture_call, &call, &revision);
        job->ok += status == ST_OK;
        job->refused += status == ST_CONFLICT;
        if (status == ST_OK) {
            cr_assert_gt(revision, job->last);
            job->last = revision;
        }
        arena_free(&arena);
    }
    return NULL;
}

Test(writer, a_failing_operation_is_undone_alone)
{
    struct fixture f;
    struct job jobs[THREADS];
    pthread_t threads[THREADS];
    fixture_open(&f);
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.f = &f, .thread = i};
        cr_assert_eq(pthread_create(&threads[i], NULL, run_jobs, &jobs[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_assert_eq(jobs[i].ok, EACH - EACH / 5);
        cr_assert_eq(jobs[i].refused, EACH / 5);
    }
    uint64_t want = THREADS * (EACH - EACH / 5);
    cr_assert_eq(writer_revision(f.writer), want);
    bool used[THREADS * EACH + 1] = {false};
    struct kv_txn *txn = fixture_read(&f);
    for (uint64_t i = 0; i < THREADS * EACH; i++) {
        uint64_t number = i / EACH * 1000 + i % EACH;
        struct key key;
        struct str value;
        key_init(&key);
        key_add_u8(&key, 0x7E);
        key_add_u64(&key, number);
        enum status status = kv_get(txn, KV_MAIN, key_str(&key), &value);
        IS(status, number % 5 == 0 ? ST_NOT_FOUND : ST_OK);
        if (status == ST_OK) {
            uint64_t revision = key_get_u64(value.p);
            cr_assert(revision >= 1 && revision <= want && !used[revision]);
            used[revision] = true;
        }
    }
    uint64_t stored;
    OK(record_revision(txn, &stored));
    cr_assert_eq(stored, want);
    struct audit_check check = {0};
    OK(audit_check_step(txn, SIZE_MAX, &check));
    cr_assert(check.done && check.intact && check.count == want);
    kv_abort(txn);
    fixture_close(&f);
}

static enum status no_revision(struct write_op *op, void *arg)
{
    op->no_revision = true;
    return kv_put(op->txn, KV_MAIN, *(struct str *)arg, STR("counter"));
}

static enum status no_audit(struct write_op *op, void *arg)
{
    return kv_put(op->txn, KV_MAIN, *(struct str *)arg, STR("silent"));
}

Test(writer, counters_make_no_revision)
{
    struct fixture f;
    struct str key = STR("\x7E"
                         "c");
    uint64_t revision = 99, number = 1;
    fixture_open(&f);
    OK(writer_run(f.writer, NULL, &f.arena, no_revision, &key, &revision));
    cr_assert_eq(revision, 0);
    OK(fixture_write(&f, put_number, &number, &revision));
    cr_assert_eq(revision, 1);
    fixture_shut(&f);
    fixture_reopen(&f, FIXTURE_MAP_BYTES);
    cr_assert_eq(writer_revision(f.writer), 1);
    fixture_close(&f);
}

Test(writer, a_change_without_audit_is_a_bug, .signal = SIGABRT)
{
    struct fixture f;
    struct str key = STR("\x7E"
                         "c");
    fixture_open(&f);
    fixture_remove(f.path); /* nobody cleans up behind an abort */
    (void)!writer_run(f.writer, NULL, &f.arena, no_audit, &key, NULL);
}

static void *wait_for_two(void *arg)
{
    struct job *job = arg;
    job->last = writer_wait_revision(job->f->writer, 1, 60000);
    return NULL;
}

Test(writer, waiting_for_a_revision)
{
    struct fixture f;
    pthread_t thread;
    fixture_open(&f);
    cr_assert_eq(writer_wait_revision(f.writer, 0, 1), 0);
    uint64_t number = 1;
    OK(fixture_write(&f, put_number, &number, NULL));
    cr_assert_eq(writer_wait_revision(f.writer, 0, 60000), 1);
    struct job job = {.f = &f};
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_two, &job), 0);
    OK(fixture_write(&f, put_number, &number, NULL));
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(job.last, 2);
    fixture_close(&f);
}

static enum status put_big(struct write_op *op, void *arg)
{
    static char fill[20000];
    struct key key;
    key_init(&key);
    key_add_u8(&key, 0x7E);
    key_add_u64(&key, *(uint64_t *)arg);
    return kv_put(op->txn, KV_MAIN, key_str(&key), str_of(fill, sizeof fill));
}

Test(writer, a_full_store_refuses_and_stays_readable)
{
    struct fixture f;
    fixture_open_map(&f, 1 << 20);
    enum status status = ST_OK;
    uint64_t number = 0, acknowledged = 0;
    for (; number < 1000 && status == ST_OK; number++) {
        status = fixture_write(&f, put_big, &number, NULL);
        acknowledged += status == ST_OK;
    }
    IS(status, ST_STORE_FULL);
    cr_assert_gt(acknowledged, 5);
    cr_assert_eq(writer_revision(f.writer), acknowledged);
    struct kv_txn *txn = fixture_read(&f);
    uint64_t stored;
    OK(record_revision(txn, &stored));
    cr_assert_eq(stored, acknowledged);
    kv_abort(txn);
    fixture_shut(&f);
    fixture_reopen(&f, FIXTURE_MAP_BYTES); /* with a larger map it goes on */
    OK(fixture_write(&f, put_big, &number, NULL));
    cr_assert_eq(writer_revision(f.writer), acknowledged + 1);
    fixture_close(&f);
}
