/* worker.c: one worker process, from its first line to its last (worker.h).
 *
 * Why one order and no other: everything that needs a file, a name or a secret comes first, then
 * the sandbox closes for good, then the listeners open; so no byte of a client is read by a process
 * that could still open a file. Signals come through a descriptor, so nothing interrupts the loop.
 * Invariants: `ready` is set only when the sandbox is locked and the listeners accept; every
 * request ends before the process does (its slot is settled in shared memory, where the courier
 * finds it).
 *
 *   TERM             stop accepting, let requests finish (at most drain_max_s), exit 0
 *   INT              break every request off, exit 0
 *   HUP, USR1, USR2  are the master's: it starts new workers, so certificates are read once here
 *
 * The master's death is a TERM.
 */
#include "data-plane/worker/worker.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "data-plane/answer_cache.h"
#include "data-plane/estimate.h"
#include "data-plane/sandbox.h"
#include "data-plane/upstream.h"
#include "data-plane/worker/access_log.h"
#include "data-plane/worker/front.h"
#include "data-plane/worker/keyring.h"
#include "data-plane/worker/limits_client.h"
#include "data-plane/worker/mailbox.h"
#include "data-plane/worker/names_client.h"
#include "data-plane/worker/tokens.h"
#include "data-plane/worker/transport.h"

#define BEAT_MS           1000
#define MALLOC_KEEP_BYTES (32 * 1024 * 1024) /* freed memory at the top of the heap that is kept   \
                                              */
#define MALLOC_GROW_BYTES (1024 * 1024)
#define TRIM_FROM_CONNECTIONS 512
#define MALLOC_MMAP_BYTES (4 * 1024 * 1024) /* larger blocks (bodies) go back at once */

/* The process is the worker: what is open at the end goes with it. */
static struct {
    struct worker worker;
    struct tls_server *tls;
    struct loop_watch signals;
    struct loop_timer beat, drain_end;
    pid_t master;
    size_t connections_peak; /* since memory was given back last */
} process;

/* --- what needs files ----------------------------------------------------------------------------
 */

static enum status load_tls(const struct params *params)
{
    struct str chain = params_str(params, PARAM_TLS_CERT);
    char path[PARAMS_VALUE_MAX + 1];
    struct secret *key = NULL;
    int fd = -1;
    if (chain.n == 0)
        return ST_OK;
    TRY(params_secret(params, PARAM_TLS_KEY, &fd, path));
    if (fd >= 0) {
        /* Several workers and their successors read it, so it must be readable more than once. */
        log_error("tls_key_must_be_a_file");
        return ST_INVALID;
    }
    TRY(secret_read_file(path, 0, &key));
    enum status status = tls_server_new(chain.p, secret_open(key), &process.tls);
    secret_close(key);
    secret_free(key);
    return status;
}

static enum status open_shared(const struct worker_boot *boot, struct worker *worker)
{
    TRY(segment_map(boot->segment_fd, &worker->segment));
    worker->column_index = boot->column;
    worker->column = segment_column(&worker->segment, boot->column);
    worker->column->pid = getpid();
    CHECK(metrics_slots_needed() <= SEGMENT_METRICS);
    metrics_bind(&worker->metrics, segment_metrics(&worker->segment, boot->column),
                 SEGMENT_METRICS);
    clock_set_offset(atomic_load(&worker->segment.head->status.utc_offset_ms));
    return slots_open(&worker->segment, boot->column, &worker->slots);
}

/* What is known from earlier requests: answers, and how providers do, by own words and those of the
 * host's other workers. */
static enum status open_health(struct worker *worker)
{
    struct breaker_column *columns[SEGMENT_MAX_COLUMNS];
    for (uint32_t i = 0; i < worker->segment.columns; i++)
        columns[i] = segment_breaker(&worker->segment, i);
    size_t kept = (size_t)params_u64(worker->params, PARAM_CACHE_MAX);
    if (kept >= ANSWER_MIN_BYTES)
        TRY(answer_cache_new(kept, &worker->answers));
    TRY(breaker_new(columns, worker->segment.columns, worker->column_index, &worker->breaker));
    return retry_budgets_new(&worker->retry_budgets);
}

static enum status open_modules(const struct worker_boot *boot, struct worker *worker)
{
    TRY(loop_new(&worker->loop));
    TRY(open_shared(boot, worker));
    TRY(estimates_open(&worker->estimates));
    TRY(limits_client_open(worker));
    TRY(open_health(worker));
    TRY(catalog_open(boot->catalog_path, &worker->catalog));
    TRY(load_tls(boot->params));
    TRY(upstream_open(worker, &worker->upstream));
    TRY(keyring_open(worker, boot->secrets_fd, &worker->keyring));
    TRY(tokens_open(worker, &worker->tokens));
    TRY(mailbox_open(worker, boot->control_fd, &worker->mailbox));
    TRY(names_open(worker, &worker->names));
    return access_log_open(worker, boot->log_fd, params_bool(boot->params, PARAM_ACCESS_LOG));
}

static enum status lock(const struct worker *worker)
{
    const struct egress_rules *egress = upstream_egress(worker->upstream);
    bool optional = params_bool(worker->params, PARAM_SANDBOX_OPTIONAL);
    struct sandbox_report report = {0};
    TRY(sandbox_lock(egress->ports, egress->port_count, false, &report));
    log_info("sandbox_locked", LOG_BOOL("seccomp", report.seccomp),
             LOG_BOOL("landlock_files", report.landlock_files),
             LOG_BOOL("landlock_network", report.landlock_network),
             LOG_I64("landlock_abi", report.landlock_abi));
    atomic_store(&worker->column->sandbox,
                 (report.seccomp ? COLUMN_SANDBOX_SECCOMP : 0) |
                     (report.landlock_files ? COLUMN_SANDBOX_LANDLOCK_FILES : 0) |
                     (report.landlock_network ? COLUMN_SANDBOX_LANDLOCK_NETWORK : 0));
    /* Kernels before 6.7 (Debian 12 has 6.1) know no Landlock rule for ports; upstream_shard.c
     * checks each socket itself. */
    if (!optional && !(report.seccomp && report.landlock_files)) {
        log_error("sandbox_incomplete",
                  LOG_CSTR("remedy", "a kernel with Landlock and seccomp, or --sandbox-optional"));
        return ST_UNSUPPORTED;
    }
    return ST_OK;
}

/* --- signals and drain ------------------------------------------------------------------------ */

static void drain_ended(struct loop_timer *timer)
{
    struct worker *worker = timer->owner;
    log_warn("drain_cut_short", LOG_U64("connections", front_connections(worker->front)));
    front_abort(worker->front);
}

/* A successor takes over the listeners, unless there will be none: the gateway ends, or its master is
 * gone. */
static bool ports_are_given_up(const struct worker *worker)
{
    return atomic_load(&worker->segment.head->ending) != 0 || getppid() != process.master;
}

static void drain(struct worker *worker)
{
    if (ports_are_given_up(worker))
        front_close_listeners(worker->front);
    if (worker->draining)
        return;
    worker->draining = true;
    atomic_store(&worker->column->state, COLUMN_DRAINING);
    log_info("worker_draining", LOG_U64("connections", front_connections(worker->front)));
    front_drain(worker->front);
    int64_t most_ms = (int64_t)params_u64(worker->params, PARAM_DRAIN_MAX_S) * 1000;
    loop_timer_set(worker->loop, &process.drain_end, most_ms);
}

static void signals_ready(struct loop_watch *watch, uint32_t events)
{
    struct worker *worker = watch->owner;
    struct signalfd_siginfo info;
    (void)events;
    while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            drain(worker);
        if (info.ssi_signo == SIGINT)
            front_abort(worker->front);
    }
}

static enum status open_signals(struct worker *worker)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return ST_IO;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return ST_IO;
    process.signals = (struct loop_watch){.fd = fd, .ready = signals_ready, .owner = worker};
    process.drain_end = (struct loop_timer){.expired = drain_ended, .owner = worker};
    return loop_watch_set(worker->loop, &process.signals, EPOLLIN);
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Thousands of streams that have ended leave their memory in pieces, which the C library keeps. It goes
 * back once a peak is over, and not while load merely swings. */
static void give_memory_back(size_t connections)
{
    if (connections > process.connections_peak)
        process.connections_peak = connections;
    if (process.connections_peak < TRIM_FROM_CONNECTIONS || connections > process.connections_peak / 4)
        return;
    process.connections_peak = connections;
    malloc_trim(MALLOC_GROW_BYTES);
}

static void beat(struct loop_timer *timer)
{
    struct worker *worker = timer->owner;
    uint64_t longest_us = loop_longest_turn_us(worker->loop);
    clock_set_offset(
        atomic_load_explicit(&worker->segment.head->status.utc_offset_ms, memory_order_relaxed));
    atomic_store_explicit(&worker->column->longest_turn_us, longest_us, memory_order_relaxed);
    metrics_set(&worker->metrics, M_LOOP_LONGEST_US, longest_us);
    metrics_set(&worker->metrics, M_SLOTS_FREE, slots_free_count(worker->slots));
    metrics_set(&worker->metrics, M_UPSTREAM_OPEN, upstream_active(worker->upstream));
    give_memory_back(front_connections(worker->front));
    limits_client_beat(worker);
    loop_timer_set(worker->loop, timer, BEAT_MS);
}

static void turn(void *arg)
{
    struct worker *worker = arg;
    size_t connections = front_connections(worker->front);
    atomic_store_explicit(&worker->column->heartbeat_ns, (uint64_t)loop_now_ns(worker->loop),
                          memory_order_relaxed);
    atomic_store_explicit(&worker->column->open_connections, (uint32_t)connections,
                          memory_order_relaxed);
    slots_collect(worker->slots, limits_freed, worker->limits);
    if (worker->draining && connections == 0)
        loop_stop(worker->loop);
}

/* --- the process ------------------------------------------------------------------------------ */

/* Two descriptors a stream: the limit that the system allows is the one wanted. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* libcurl frees and asks for the same tens of kilobytes with every request: memory that went back
 * to the kernel in between would be faulted in and cleared again, a tenth of a request's cost. What
 * a worker holds is bounded by its own caps. */
static void keep_freed_memory(void)
{
    mallopt(M_TRIM_THRESHOLD, MALLOC_KEEP_BYTES);
    mallopt(M_TOP_PAD, MALLOC_GROW_BYTES);
    mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP_BYTES);
}

static enum status start(const struct worker_boot *boot, struct worker *worker)
{
    struct front_settings settings;
    keep_freed_memory();
    raise_descriptor_limit();
    process.master = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
        return ST_IO;
    TRY(open_modules(boot, worker));
    TRY(open_signals(worker));
    TRY(lock(worker));
    front_settings_from(boot->params, &settings);
    TRY(front_open(worker, &settings, boot->listener_fds, boot->listener_count, process.tls,
                   &worker->front));
    process.beat = (struct loop_timer){.expired = beat, .owner = worker};
    loop_timer_set(worker->loop, &process.beat, 0);
    atomic_store(&worker->column->ready, 1);
    return ST_OK;
}

int worker_main(const struct worker_boot *boot)
{
    struct worker *worker = &process.worker;
    enum log_level level = LOG_LEVEL_INFO;
    worker->params = boot->params;
    /* main has checked it */
    (void)!log_level_from_text(params_str(boot->params, PARAM_LOG_LEVEL), &level);
    log_open("gateway.worker", boot->log_fd, level);
    enum status status = start(boot, worker);
    if (status != ST_OK) {
        log_error("worker_cannot_start", LOG_STATUS(status), LOG_I64("errno", errno));
        return 1;
    }
    log_info("worker_ready", LOG_U64("worker", worker->column->worker),
             LOG_U64("epoch", worker->column->epoch));
    loop_run(worker->loop, turn, worker);
    atomic_store(&worker->column->ready, 0);
    front_close(worker->front);
    access_log_close();
    tokens_close(worker->tokens);
    keyring_close(worker->keyring);
    log_info("worker_stopped");
    return 0;
}
