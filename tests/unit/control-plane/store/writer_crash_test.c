/* Kill -9 at random while several threads write: what was acknowledged is there, numbers have no
 * gaps, the audit chain is whole, the feed and the index agree with the records, and usage is
 * counted once although every batch is sent again and again. SLUICE_CRASH_ROUNDS sets the number of
 * kills (default 20). */
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "tests/store_life.h"
#include "tests/unit/control-plane/store_fixture.h"

#define WRITERS     4
#define LIFE_MS_MAX 120
#define ROUNDS      20

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

static void tell(const struct child *child, struct life_ack ack)
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
        struct life_ack ack = {.number = worker->child->round << 32 | worker->thread << 24 | n};
        if (writer_run(worker->child->writer, NULL, &arena, life_put_workspace, &ack.number,
                       &ack.revision) != ST_OK)
            _exit(3);
        arena_free(&arena);
        tell(worker->child, ack);
    }
    return NULL;
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
    struct id node = life_id(9);
    struct kv_txn *txn;
    if (kv_begin(child.kv, false, &txn) != ST_OK ||
        ledger_watermark(txn, &node, LIFE_BOOT, &mark) != ST_OK)
        _exit(7);
    kv_abort(txn);
    for (uint64_t through = mark.through_seq;;) {
        if (life_send_usage(child.writer, &through) != ST_OK)
            _exit(4);
        tell(&child, (struct life_ack){.number = through});
    }
}

static bool read_ack(int fd, struct life_told *told)
{
    struct life_ack ack;
    if (read(fd, &ack, sizeof ack) != sizeof ack)
        return false;
    cr_assert(life_tell(told, ack));
    return true;
}

/* One life: starts at fork, ends with SIGKILL after a random time, whatever it is doing then. */
static void run_child(const char *path, uint64_t round, struct life_told *told)
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

Test(writer_crash, nothing_acknowledged_is_lost, .timeout = 0)
{
    const char *wish = getenv("SLUICE_CRASH_ROUNDS");
    uint64_t rounds = ROUNDS;
    if (wish != NULL)
        OK(str_to_u64(str_c(wish), &rounds));
    struct fixture f = {0};
    struct life_told told = {0};
    arena_init(&f.arena, (size_t)64 << 20);
    fixture_folder(f.path);
    for (uint64_t round = 0; round < rounds; round++) {
        run_child(f.path, round, &told);
        OK(kv_open(f.path, &(struct kv_options){.map_bytes = FIXTURE_MAP_BYTES}, &f.kv));
        const char *wrong = life_check(f.kv, &told, &f.arena);
        cr_assert(wrong == NULL, "%s", wrong);
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
