/* master.c: supervision of one gateway host.
 *
 *   start -> [segment][listeners][courier] -> catalog file there -> workers -> watch
 *   child died -> retire its column, start it again after its back-off
 *   TERM -> workers drain (bounded) -> courier journals the rest -> end
 *
 * Invariant: children are known by pid in exactly one place (courier, serving[i], leaving[i]). The
 * master must never block: it waits in poll only, and what it writes to stderr is dropped when
 * nobody reads.
 */
#include "data-plane/master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/log.h"
#include "data-plane/master/master_internal.h"

#define TICK_MS          200
#define COURIER_READY_MS 15000
#define COURIER_LAST_MS  10000 /* what the courier gets to journal the last events */

/* --- start
 * ----------------------------------------------------------------------------------------- */

static enum status open_data_dir(const struct master *master)
{
    struct str dir = params_str(master->params, PARAM_DATA_DIR);
    char lock[PARAMS_VALUE_MAX + 16];
    if (mkdir(dir.p, 0700) != 0 && errno != EEXIST)
        return status_from_errno(errno);
    snprintf(lock, sizeof lock, "%s/gateway.lock", dir.p);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return status_from_errno(errno);
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? ST_OK : ST_CONFLICT; /* held for life */
}

static enum status read_bundle(struct master *master)
{
    struct str given = params_str(master->params, PARAM_NODE_FILE);
    char path[PARAMS_VALUE_MAX + 32];
    if (given.n > 0)
        snprintf(path, sizeof path, "%s", given.p);
    else
        snprintf(path, sizeof path, "%s/node.bundle", params_str(master->params, PARAM_DATA_DIR).p);
    enum status status = node_bundle_read(path, &master->bundle);
    if (status == ST_OK && master->bundle.private_key == NULL)
        status = ST_BAD_FORMAT;
    if (status != ST_OK)
        log_error("node_bundle_unreadable", LOG_CSTR("path", path), LOG_STATUS(status));
    return status;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum status make_pipes(struct master *master)
{
    int log_ends[2];
    if (pipe2(log_ends, O_CLOEXEC | O_NONBLOCK) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, master->control) != 0)
        return status_from_errno(errno);
    master->log_read = log_ends[0];
    master->log_write = log_ends[1];
    for (uint32_t i = 0; i < master->workers; i++)
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                       master->pairs[i]) != 0)
            return status_from_errno(errno);
    return ST_OK;
}

static enum status prepare(struct master *master)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t wanted = params_u64(master->params, PARAM_WORKERS), boot;
    master->workers = (uint32_t)(wanted > 0 ? wanted : cores > 0 ? (uint64_t)cores : 1);
    if (master->workers > MASTER_WORKERS_MAX)
        master->workers = MASTER_WORKERS_MAX;
    randombytes_buf(&boot, sizeof boot);
    boot = (uint64_t)clock_wall_ms() << 20 | (boot & 0xFFFFF);
    raise_file_limit();
    TRY(open_data_dir(master));
    TRY(read_bundle(master));
    TRY(segment_create(master->workers, (uint32_t)params_u64(master->params, PARAM_SLOTS),
                       (uint32_t)params_u64(master->params, PARAM_COUNTERS),
                       &master->bundle.node, boot, &master->segment));
    TRY(master_listen(master));
    return make_pipes(master);
}

/* --- children
 * ---------------------------------------------------------------------------------------- */

static void later(struct master_child *child)
{
    int64_t now = clock_mono_ms();
    int64_t most = child->is_courier ? MASTER_COURIER_BACKOFF_MAX_MS : MASTER_BACKOFF_MAX_MS;
    if (now - child->started_ms > MASTER_STEADY_MS || child->backoff_ms == 0)
        child->backoff_ms = MASTER_BACKOFF_MIN_MS;
    else
        child->backoff_ms = child->backoff_ms * 2 > most ? most : child->backoff_ms * 2;
    child->pid = 0;
    child->due_ms = now + child->backoff_ms;
}

static void start_child(struct master *master, struct master_child *child)
{
    enum status status =
        child->is_courier ? master_start_courier(master) : master_start_worker(master, child);
    if (status == ST_OK)
        return;
    log_error("child_not_started", LOG_BOOL("courier", child->is_courier),
              LOG_U64("worker", child->worker), LOG_STATUS(status));
    child->started_ms = clock_mono_ms();
    later(child);
}

static void start_due(struct master *master)
{
    int64_t now = clock_mono_ms();
    if (master->stopping)
        return;
    if (master->courier.pid == 0 && now >= master->courier.due_ms)
        start_child(master, &master->courier);
    for (uint32_t i = 0; i < master->workers && master->courier_ready; i++)
        if (master->serving[i].pid == 0 && now >= master->serving[i].due_ms)
            start_child(master, &master->serving[i]);
}

static void child_ended(struct master *master, pid_t pid, int how)
{
    bool by_signal = WIFSIGNALED(how);
    log_info("child_ended", LOG_I64("child", pid), LOG_BOOL("by_signal", by_signal),
             LOG_I64("code", by_signal ? WTERMSIG(how) : WEXITSTATUS(how)));
    if (pid == master->courier.pid) {
        master->courier_up = false;
        master->courier_done = master->stopping && !by_signal && WEXITSTATUS(how) == 0;
        later(&master->courier);
        return;
    }
    for (uint32_t i = 0; i < master->workers; i++) {
        if (master->leaving[i].pid == pid) {
            segment_retire(&master->segment, master->leaving[i].column);
            master->leaving[i].pid = 0;
        } else if (master->serving[i].pid == pid) {
            segment_retire(&master->segment, master->serving[i].column);
            later(&master->serving[i]);
        }
    }
}

static void reap(struct master *master)
{
    pid_t pid;
    int how;
    while ((pid = waitpid(-1, &how, WNOHANG)) > 0)
        child_ended(master, pid, how);
}

static void signal_workers(struct master *master, int number)
{
    for (uint32_t i = 0; i < master->workers; i++) {
        if (master->serving[i].pid > 0)
            kill(master->serving[i].pid, number);
        if (master->leaving[i].pid > 0)
            kill(master->leaving[i].pid, number);
    }
}

/* A successor starts at once on the same sockets; the old worker finishes what it has. One
 * predecessor per position at a time. */
static void replace_workers(struct master *master)
{
    for (uint32_t i = 0; i < master->workers; i++) {
        if (master->serving[i].pid == 0 || master->leaving[i].pid != 0)
            continue;
        master->leaving[i] = master->serving[i];
        master->leaving[i].leaving = true;
        kill(master->leaving[i].pid, SIGTERM);
        master->serving[i].pid = 0;
        master->serving[i].due_ms = 0;
    }
}

static bool any_worker(const struct master *master)
{
    for (uint32_t i = 0; i < master->workers; i++)
        if (master->serving[i].pid > 0 || master->leaving[i].pid > 0)
            return true;
    return false;
}

/* --- events
 * -------------------------------------------------------------------------------------------- */

static void pass_logs(const struct master *master)
{
    char block[65536];
    ssize_t n;
    while ((n = read(master->log_read, block, sizeof block)) > 0) {
        struct pollfd out = {.fd = 2, .events = POLLOUT};
        if (poll(&out, 1, 0) != 1 || write(2, block, (size_t)n) != n)
            break;
    }
}

static void read_control(struct master *master)
{
    char byte;
    while (read(master->control[0], &byte, 1) == 1) {
        if (byte != 'r')
            continue;
        master->courier_up = true;
        if (!master->courier_ready)
            log_info("catalog_file_ready");
        master->courier_ready = true;
    }
}

static void stop(struct master *master, bool now)
{
    uint64_t drain_ms = now ? 0 : params_u64(master->params, PARAM_DRAIN_MAX_S) * 1000;
    if (!master->stopping)
        log_info("stopping", LOG_BOOL("at_once", now));
    master->stopping = true;
    atomic_store(&master->segment.head->ending, 1u);
    master_close_listeners(master);
    master->stop_by_ms = clock_mono_ms() + (int64_t)drain_ms;
    signal_workers(master, now ? SIGINT : SIGTERM);
}

/* Lines of all processes pass through here, so one file is opened for all. */
static void open_log(const struct master *master)
{
    struct str path = params_str(master->params, PARAM_LOG_FILE);
    if (log_to_file(path) != ST_OK)
        log_error("log_file_not_opened", LOG_STR("path", path));
}

static void on_signal(struct master *master, uint32_t number)
{
    if (number == SIGTERM || number == SIGINT)
        stop(master, number == SIGINT || master->stopping);
    else if (number == SIGHUP && !master->stopping)
        replace_workers(master);
    else if (number == SIGUSR1)
        open_log(master);
    else if (number == SIGCHLD)
        reap(master);
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void check_catalog_epoch(struct master *master)
{
    uint32_t epoch = atomic_load(&master->segment.head->status.catalog_epoch);
    if (epoch == master->catalog_epoch)
        return;
    bool first = master->catalog_epoch == 0;
    master->catalog_epoch = epoch;
    if (!first)
        replace_workers(master);
}

/* Until the next child is due, at most a tick. */
static int wait_ms(const struct master *master)
{
    int64_t wait = TICK_MS, now = clock_mono_ms();
    for (uint32_t i = 0; i <= master->workers && !master->stopping; i++) {
        const struct master_child *child =
            i == master->workers ? &master->courier : &master->serving[i];
        bool due = child->pid == 0 && (child->is_courier || master->courier_ready);
        if (due && child->due_ms - now < wait)
            wait = child->due_ms > now ? child->due_ms - now : 0;
    }
    return (int)wait;
}

/* A worker that has not begun a turn for WATCHDOG_MS is stuck: its clients wait in vain, and the
 * kernel still gives it a share of new ones. Its beat timer makes a healthy one turn every second.
 */
static void kill_stuck(const struct master *master)
{
    int64_t now_ns = clock_mono_ns();
    for (uint32_t i = 0; i < master->workers; i++) {
        const struct master_child *child = &master->serving[i];
        if (child->pid <= 0)
            continue;
        const struct column_head *column = segment_column(&master->segment, child->column);
        int64_t beat_ns = (int64_t)atomic_load(&column->heartbeat_ns);
        if (beat_ns == 0 || now_ns - beat_ns < (int64_t)MASTER_WATCHDOG_MS * 1000000)
            continue;
        log_error("worker_stuck", LOG_I64("child", child->pid), LOG_U64("worker", i));
        kill(child->pid, SIGKILL);
    }
}

static void watch_once(struct master *master, int signals)
{
    struct pollfd fds[] = {
        {signals, POLLIN, 0}, {master->log_read, POLLIN, 0}, {master->control[0], POLLIN, 0}};
    poll(fds, COUNT_OF(fds), wait_ms(master));
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
        on_signal(master, info.ssi_signo);
    pass_logs(master);
    read_control(master);
    check_catalog_epoch(master);
    kill_stuck(master);
    start_due(master);
}

/* The workers are gone: a courier journals what they left, then ends too. If there is none, or it
 * dies over it, another is started: what stands in the segment would be lost with this process. */
static void end_courier(struct master *master)
{
    int64_t by = clock_mono_ms() + COURIER_LAST_MS;
    bool told = false;
    master->courier.backoff_ms = 0;
    master->courier.due_ms = 0;
    while (!master->courier_done && clock_mono_ms() < by) {
        if (master->courier.pid == 0) {
            told = false;
            if (clock_mono_ms() >= master->courier.due_ms)
                start_child(master, &master->courier);
        }
        read_control(master);
        if (master->courier.pid != 0 && master->courier_up && !told)
            told = kill(master->courier.pid, SIGTERM) == 0;
        reap(master);
        pass_logs(master);
        poll(NULL, 0, 10);
    }
    if (!master->courier_done)
        log_error("courier_not_ended", LOG_CSTR("why", "usage in the segment may be lost"));
    if (master->courier.pid != 0)
        kill(master->courier.pid, SIGKILL);
}

int master_main(const struct params *params, int option_count, char *const *options)
{
    static struct master master;
    master.params = params;
    master.option_count = option_count;
    master.options = options;
    master.courier.is_courier = true;
    enum status status = prepare(&master);
    if (status != ST_OK) {
        log_error("not_started", LOG_STATUS(status));
        return 1;
    }
    for (uint32_t i = 0; i < master.workers; i++)
        master.serving[i].worker = master.leaving[i].worker = i;
    int signals = open_signals();
    if (signals < 0)
        return 1;
    log_info("started", LOG_U64("workers", master.workers), LOG_ID("node", &master.bundle.node));
    start_due(&master);
    while (!master.stopping || (any_worker(&master) && clock_mono_ms() < master.stop_by_ms))
        watch_once(&master, signals);
    signal_workers(&master, SIGKILL);
    while (any_worker(&master)) {
        reap(&master);
        poll(NULL, 0, 5);
    }
    end_courier(&master);
    pass_logs(&master);
    log_info("stopped");
    return 0;
}
