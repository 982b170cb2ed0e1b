/* Kill -9 at random while several threads write: what was acknowledged is there, numbers have no
 * gaps, the audit chain is whole, the feed and the index agree with the records, and usage is
 * counted once although every batch is sent again and again. SLUICE_CRASH_ROUNDS sets the number of
 * kills (default 20). */
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "control-plane/ledger/ledger.h"
#include "control-plane/store/keys.h"
#include "tests/unit/control-plane/store_fixture.h"

#define WRITERS     4
#define BATCH       12
#define AGAIN       20 /* events before the watermark that are sent again */
#define LIFE_MS_MAX 120
#define ROUNDS      20
#define BOOT        7
#define DAY         20000u

/* What a child tells its parent, in one write of a pipe each. */
struct ack {
    uint64_t revision; /* 0: usage */
    uint64_t number;   /* unique number of the record, or through_seq */
};

struct child {
    struct kv *kv;
    struct writer *writer;
    int pipe;
    uint64_t round;
};

struct worker {
    struct child *child;
    uint64_t thread;
};

static struct id number_id(uint64_t number)
{
    struct id id = test_id(1);
    key_put_u64(id.b + 8, number);
    return id;
}

static enum status put_workspace(struct write_op *op, void *arg)
{
    uint64_t number = *(uint64_t *)arg;
    char slug[32], name[600];
    struct id id = number_id(number);
    struct record_key key = {.kind = SLUICE__KIND__KIND_WORKSPACE, .org = test_id(1), .id = id};
    Sluice__Workspace row = SLUICE__WORKSPACE__INIT;
    snprintf(slug, sizeof slug, "w%llu", (unsigned long long)number);
    memset(name, 'n', sizeof name - 1);
    name[number % (sizeof name - 1)] = '\0';
    row.id = wire_id_data(&id);
    row.slug = slug;
    row.name = name;
    struct write_audit audit = test_audit("create");
    writer_audit(op, &audit);
    return record_put(op, &key, &row, str_c(slug));
}

static void tell(const struct child *child, struct ack ack)
{
    if (write(child->pipe, &ack, sizeof ack) != sizeof ack)
        _exit(2);
}

static void *write_records(void *arg)
{
    struct worker *worker = arg;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (uint64_t n = 0;; n++) {
        struct ack ack = {.number = worker->child->round << 32 | worker->thread << 24 | n};
        if (writer_run(worker->child->writer, NULL, &arena, put_workspace, &ack.number,
                       &ack.revision) != ST_OK)
            _exit(3);
        arena_free(&arena);
        tell(worker->child, ack);
    }
    return NULL;
}

static void send_usage(struct child *child, uint64_t *through)
{
    static Sluice__UsageEvent rows[BATCH + AGAIN];
    static uint8_t attempts[BATCH + AGAIN][LEDGER_ATTEMPT_BYTES];
    Sluice__UsageEvent *events[BATCH + AGAIN];
    Sluice__UsageBatch batch = SLUICE__USAGE_BATCH__INIT;
    struct id node = test_id(9), org = test_id(1);
    uint64_t first = *through > AGAIN ? *through - AGAIN : 1;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rows[i] = (Sluice__UsageEvent)SLUICE__USAGE_EVENT__INIT;
        memcpy(attempts[i], node.b, sizeof node.b);
        key_put_u64(attempts[i] + 28, first + i);
        rows[i].attempt_id = (ProtobufCBinaryData){LEDGER_ATTEMPT_BYTES, attempts[i]};
        rows[i].seq = first + i;
        rows[i].org = wire_id_data(&org);
        rows[i].at_ms = DAY * ROLLUP_DAY_MS + (int64_t)((first + i) % 20) * ROLLUP_HOUR_MS;
        rows[i].cost_nanousd = 5;
        events[i] = &rows[i];
    }
    batch.journal_boot = BOOT;
    batch.events = events;
    batch.n_events = COUNT_OF(rows);
    if (ledger_ingest(child->writer, &node, &batch, through) != ST_OK)
        _exit(4);
}

static _Noreturn void child_main(const char *path, int pipe_fd, uint64_t round)
{
    struct child child = {.pipe = pipe_fd, .round = round};
    struct worker workers[WRITERS];
    pthread_t thread;
    if (kv_open(path, &(struct kv_options){.map_bytes = FIXTURE_MAP_BYTES}, &child.kv) != ST_OK ||
        writer_start(child.kv, &child.writer) != ST_OK)
        _exit(5);
    for (uint64_t i = 0; i < WRITERS; i++) {
        workers[i] = (struct worker){.child = &child, .thread = i};
        if (pthread_create(&thread, NULL, write_records, &workers[i]) != 0)
            _exit(6);
    }
    struct ledger_watermark mark;
    struct id node = test_id(9);
    struct kv_txn *txn;
    if (kv_begin(child.kv, false, &txn) != ST_OK ||
        ledger_watermark(txn, &node, BOOT, &mark) != ST_OK)
        _exit(7);
    kv_abort(txn);
    for (uint64_t through = mark.through_seq;;) {
        send_usage(&child, &through);
        tell(&child, (struct ack){.number = through});
    }
}

struct told {
    struct ack *acks;
    size_t count, room;
    uint64_t through_seq;
};

static bool read_ack(int fd, struct told *told)
{
    struct ack ack;
    if (read(fd, &ack, sizeof ack) != sizeof ack)
        return false;
    if (ack.revision == 0) {
        told->through_seq = ack.number;
        return true;
    }
    if (told->count == told->room) {
        told->room = told->room * 2 + 1024;
        told->acks = realloc(told->acks, told->room * sizeof ack);
        cr_assert_not_null(told->acks);
    }
    told->acks[told->count++] = ack;
    return true;
}

/* One life: starts at fork, ends with SIGKILL after a random time, whatever it is doing then. */
static void run_child(const char *path, uint64_t round, struct told *told)
{
    int fds[2], end;
    cr_assert_eq(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        child_main(path, fds[1], round);
    }
    close(fds[1]);
    int64_t life_ms = (int64_t)randombytes_uniform(LIFE_MS_MAX), until = clock_mono_ms() + life_ms;
    while (clock_mono_ms() < until) {
        struct pollfd wait = {.fd = fds[0], .events = POLLIN};
        if (poll(&wait, 1, (int)(until - clock_mono_ms()) + 1) == 1 && !read_ack(fds[0], told))
            break;
    }
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, &end, 0), pid);
    cr_assert(WIFSIGNALED(end), "the child ended by itself: %d", WEXITSTATUS(end));
    while (read_ack(fds[0], told))
        ;
    close(fds[0]);
}

static enum status count_feed(void *arg, const struct record_change *change)
{
    uint64_t *count = arg;
    cr_assert(!change->deleted && change->body.n > 0);
    ++*count;
    return ST_OK;
}

static uint64_t count_records(struct kv_txn *txn)
{
    struct record_cursor *cursor;
    struct record_key key;
    struct id org = test_id(1);
    uint64_t count = 0;
    OK(record_cursor_open(txn, SLUICE__KIND__KIND_WORKSPACE, &org, &ID_NONE, &cursor));
    while (record_cursor_next(cursor, NULL, &key, NULL, NULL) == ST_OK) {
        char slug[32];
        struct record_key found;
        snprintf(slug, sizeof slug, "w%llu", (unsigned long long)key_get_u64(key.id.b + 8));
        OK(record_find(txn, key.kind, &org, &ID_NONE, str_c(slug), &found));
        cr_assert(id_eq(&found.id, &key.id));
        count++;
    }
    record_cursor_close(cursor);
    return count;
}

static void check_store(struct fixture *f, const struct told *told)
{
    uint64_t revision, feed = 0, got_revision;
    bool more;
    struct audit_check chain = {0};
    struct kv_txn *txn = fixture_read(f);
    OK(record_revision(txn, &revision));
    for (size_t i = 0; i < told->count; i++) {
        Sluice__Workspace *row;
        struct record_key key = {.kind = SLUICE__KIND__KIND_WORKSPACE,
                                 .org = test_id(1),
                                 .id = number_id(told->acks[i].number)};
        cr_assert_eq(record_get(txn, &key, &f->arena, &row, &got_revision), ST_OK,
                     "an acknowledged write is lost");
        cr_assert_eq(got_revision, told->acks[i].revision);
        arena_free(&f->arena);
    }
    cr_assert_eq(count_records(txn), revision);
    OK(record_changes(txn, 0, STR_NONE, SIZE_MAX, count_feed, &feed, &more));
    cr_assert_eq(feed, revision);
    OK(audit_check_step(txn, SIZE_MAX, &chain));
    cr_assert(chain.done && chain.intact && chain.count == revision);

    struct ledger_watermark mark;
    struct ledger_check sums;
    struct ledger_answer answer;
    struct id node = test_id(9);
    OK(ledger_watermark(txn, &node, BOOT, &mark));
    cr_assert_geq(mark.through_seq, told->through_seq);
    cr_assert(mark.rejected == 0 && mark.skipped == 0);
    OK(ledger_verify_day(txn, DAY, &sums));
    cr_assert_eq(sums.events, mark.through_seq);
    cr_assert(sums.different == 0 && sums.missing == 0 && sums.extra == 0);
    OK(ledger_ask(txn, &(struct ledger_question){.org = test_id(1), .end_ms = INT32_MAX * 1000LL},
                  &f->arena, &answer));
    cr_assert_eq(answer.totals.requests, mark.through_seq);
    cr_assert_eq(answer.totals.cost_nanousd, (int64_t)(mark.through_seq * 5));
    kv_abort(txn);
}

Test(writer_crash, nothing_acknowledged_is_lost, .timeout = 0)
{
    const char *wish = getenv("SLUICE_CRASH_ROUNDS");
    uint64_t rounds = ROUNDS;
    if (wish != NULL)
        OK(str_to_u64(str_c(wish), &rounds));
    struct fixture f = {0};
    struct told told = {0};
    arena_init(&f.arena, (size_t)64 << 20);
    fixture_folder(f.path);
    for (uint64_t round = 0; round < rounds; round++) {
        run_child(f.path, round, &told);
        OK(kv_open(f.path, &(struct kv_options){.map_bytes = FIXTURE_MAP_BYTES}, &f.kv));
        check_store(&f, &told);
        kv_close(f.kv);
        if (told.count > 20000) { /* begin anew before a round is all reading back */
            told.count = 0;
            told.through_seq = 0;
            fixture_remove(f.path);
            fixture_folder(f.path);
        }
    }
    cr_assert(told.count > rounds || rounds > ROUNDS,
              "the children were killed before they wrote anything");
    free(told.acks);
    arena_free(&f.arena);
    fixture_remove(f.path);
}
