/* master_child.c: fork + execve of this program in another role, with the descriptors where the
 * role expects them.
 *
 *   child: sources -> duplicated high -> dup2 to their fixed numbers -> everything else is CLOEXEC
 * -> execve
 *
 * Secrets go through a pipe that is written before the fork and read once by the child: they are in
 * no file, argument or environment. Between fork and execve only async-signal-safe calls are made.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "data-plane/master/master_internal.h"

#define HIGH_FD 512

struct placement {
    int source, target;
};

struct launch {
    struct placement fds[MASTER_CHILD_FDS_MAX];
    size_t count;
    char number[2][16];
    char **argv;
};

static void place(struct launch *launch, int source, int target)
{
    CHECK(launch->count < COUNT_OF(launch->fds));
    launch->fds[launch->count++] = (struct placement){source, target};
}

/* A pipe that holds the bytes already. Its capacity (64 KiB) bounds what a child can be given. */
static enum status secret_pipe(struct str bytes, int *read_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return status_from_errno(errno);
    ssize_t n = fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 ? write(ends[1], bytes.p, bytes.n) : -1;
    close(ends[1]);
    if (n != (ssize_t)bytes.n) {
        close(ends[0]);
        return ST_IO;
    }
    *read_end = ends[0];
    return ST_OK;
}

_Noreturn static void child_run(const struct launch *launch, pid_t parent)
{
    int high[MASTER_CHILD_FDS_MAX];
    sigset_t none;
    for (size_t i = 0; i < launch->count; i++) {
        high[i] = fcntl(launch->fds[i].source, F_DUPFD_CLOEXEC, HIGH_FD);
        if (high[i] < 0)
            _exit(111);
    }
    for (size_t i = 0; i < launch->count; i++)
        if (dup2(high[i], launch->fds[i].target) < 0)
            _exit(111);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(112);
    execve("/proc/self/exe", launch->argv, environ);
    _exit(113);
}

static enum status run(struct master *master, struct launch *launch, char *role, pid_t *out)
{
    static char program[] = "sluice-gateway";
    char **argv = calloc((size_t)master->option_count + MASTER_CHILD_ARGS + 1, sizeof *argv);
    if (argv == NULL)
        return ST_NO_MEMORY;
    argv[0] = program;
    argv[1] = role;
    argv[2] = launch->number[0];
    argv[3] = launch->number[1];
    for (int i = 0; i < master->option_count; i++)
        argv[MASTER_CHILD_ARGS + i] = master->options[i];
    launch->argv = argv;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        child_run(launch, parent);
    int err = errno;
    free(argv);
    if (pid < 0)
        return status_from_errno(err);
    *out = pid;
    return ST_OK;
}

static void started(struct master_child *child, const char *role)
{
    child->started_ms = clock_mono_ms();
    child->due_ms = 0;
    log_info("child_started", LOG_CSTR("role", role), LOG_I64("child", child->pid),
             LOG_U64("worker", child->worker));
}

enum status master_start_courier(struct master *master)
{
    static char role[] = "courier";
    struct launch launch = {.count = 0};
    struct secret *text = NULL;
    int bundle_fd = -1;
    enum status status = node_bundle_format(&master->bundle, false, &text);
    if (status == ST_OK) {
        struct str bytes = secret_open(text);
        status = secret_pipe(str_of(bytes.p, strnlen(bytes.p, bytes.n)), &bundle_fd);
        secret_close(text);
    }
    secret_free(text);
    TRY(status);
    snprintf(launch.number[0], sizeof launch.number[0], "%u", master->workers);
    snprintf(launch.number[1], sizeof launch.number[1], "%zu", master->status_count);
    place(&launch, master->control[1], COURIER_CONTROL_FD);
    place(&launch, master->segment.fd, 4);
    place(&launch, bundle_fd, 5);
    place(&launch, master->log_write, 6);
    for (size_t i = 0; i < master->status_count; i++)
        place(&launch, master->status_fds[i], 7 + (int)i);
    for (uint32_t i = 0; i < master->workers; i++)
        place(&launch, master->pairs[i][1], COURIER_PAIR_FD + (int)i);
    status = run(master, &launch, role, &master->courier.pid);
    close(bundle_fd);
    if (status == ST_OK)
        started(&master->courier, role);
    return status;
}

static enum status worker_secrets(const struct master *master, int *fd)
{
    char both[2 * NODE_BUNDLE_KEY_BYTES];
    struct str private_key = secret_open(master->bundle.private_key);
    memcpy(both, master->bundle.public_key, NODE_BUNDLE_KEY_BYTES);
    memcpy(both + NODE_BUNDLE_KEY_BYTES, private_key.p, NODE_BUNDLE_KEY_BYTES);
    secret_close(master->bundle.private_key);
    enum status status = secret_pipe(str_of(both, sizeof both), fd);
    secret_wipe(both, sizeof both);
    return status;
}

enum status master_start_worker(struct master *master, struct master_child *child)
{
    static char role[] = "worker";
    struct launch launch = {.count = 0};
    int secrets_fd;
    TRY(segment_assign(&master->segment, child->worker, ++master->epoch, &child->column));
    enum status status = worker_secrets(master, &secrets_fd);
    if (status == ST_OK) {
        snprintf(launch.number[0], sizeof launch.number[0], "%u", child->column);
        snprintf(launch.number[1], sizeof launch.number[1], "%zu", master->listener_count);
        place(&launch, master->pairs[child->worker][0], 3);
        place(&launch, master->segment.fd, 4);
        place(&launch, secrets_fd, 5);
        place(&launch, master->log_write, 6);
        for (size_t i = 0; i < master->listener_count; i++)
            place(&launch, master->listeners[child->worker][i], 7 + (int)i);
        status = run(master, &launch, role, &child->pid);
        close(secrets_fd);
    }
    if (status != ST_OK) {
        segment_retire(&master->segment, child->column);
        return status;
    }
    started(child, role);
    return ST_OK;
}
