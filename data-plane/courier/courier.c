/* courier.c: the courier process, from its descriptors to its end.
 *
 *   loop thread      workers' sockets, names, status port, signals          must never wait for the
 * disk collector        slots -> journal                                       waits for fdatasync
 *   keeper           catalog file: readers, dead generations, journal tidy  waits for the disk
 *   uplink (3)       changes -> catalog, journal -> usage, questions        wait for the network
 *   names (4)        getaddrinfo
 *
 * Order at start: what an earlier courier left is taken over (journal, slots) before the master
 * hears that the catalog file is there. Order at the end: the collector first, while the uplink can
 * still carry the last events; then everything else. The process leaves by _exit, because nng's
 * threads cannot be ended safely. Invariant: nothing in this process can open a credential.
 */
#include "data-plane/courier/courier.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "data-plane/courier/collector.h"
#include "data-plane/courier/courier_link.h"
#include "data-plane/courier/health.h"
#include "data-plane/courier/names.h"

#define COURIER_SEGMENT_FD      4
#define COURIER_BUNDLE_FD       5
#define COURIER_LOG_FD          6
#define COURIER_STATUS_FD       7
#define COURIER_MESSAGES_TURN   64 /* of one worker before the others have theirs */
#define COURIER_BEAT_MS         1000
#define COURIER_WARM_MS         10000
#define COURIER_TIDY_TURNS      60 /* keeper's seconds between two tidyings of the journal */
#define COURIER_ORPHAN_MS       50
#define COURIER_ORPHAN_GRACE_MS 5000 /* beyond the drain of the workers */
#define COURIER_LAST_MS         1500 /* at the end, for the last events to be acknowledged */
#define COURIER_FILE_BYTES      (16u << 20)
#define COURIER_SOFTWARE        "sluice-gateway 0.1"

struct courier_pair {
    struct courier *courier;
    uint32_t worker;
    bool closed; /* nobody has the other end: master and worker are gone */
    struct loop_watch watch;
};

struct courier {
    const struct courier_boot *boot;
    struct loop *loop;
    struct segment segment;
    struct node_bundle bundle;
    struct journal *journal;
    struct grants *grants;
    struct collector *collector;
    struct keeper *keeper;
    struct resolver *resolver;
    struct uplink *_Atomic uplink; /* set while the collector's thread runs already */
    struct health *health;
    struct host_state state;
    struct courier_link link;
    struct loop_watch signals, names;
    struct loop_timer beat, warm, orphan;
    pid_t master;
    int64_t orphan_by_ms; /* 0: the master lives */
    struct courier_pair *pairs;
    int *pair_fds;
    struct buf hosts;
    unsigned tidy_turns;
    _Alignas(16) char message[IPC_MAX_BYTES];
};

/* --- workers --- */

static void on_counter(struct courier *courier, uint32_t worker, const struct ipc_head *head)
{
    const struct grants_now now = {clock_mono_ms(), clock_utc_ms()};
    const void *message = head;
    if (head->kind == IPC_COUNTER_OPEN)
        grants_open(courier->grants, &now, worker, message);
    else if (head->kind == IPC_WISH)
        grants_wish(courier->grants, &now, head->tag);
    else
        grants_fix(courier->grants, message);
}

static void tell_worker(void *arg, uint32_t worker, const void *message, size_t n)
{
    const struct courier *courier = arg;
    if (worker < courier->boot->workers)
        (void)!ipc_send(courier->pair_fds[worker], message, n);
}

/* Before the uplink stands, its first request says it all. */
static void wake_grants(void *arg)
{
    struct courier *courier = arg;
    struct uplink *uplink = courier->uplink;
    if (uplink != NULL)
        uplink_grants_ready(uplink);
}

static void on_message(struct courier *courier, uint32_t worker, size_t n)
{
    const struct ipc_head *head = (const struct ipc_head *)(const void *)courier->message;
    const void *message = courier->message;
    if (!ipc_check(message, n)) {
        log_warn("message_malformed", LOG_U64("worker", worker), LOG_U64("kind", head->kind));
        return;
    }
    switch ((enum ipc_kind)head->kind) {
    case IPC_NAME_QUERY:
        resolver_ask(courier->resolver, worker, message);
        break;
    case IPC_OBJECT_QUERY:
        uplink_ask_object(courier->uplink, courier_link_tag(worker, head->tag), message);
        break;
    case IPC_PROBE_RESULT: {
        const struct ipc_blob *blob = message;
        uplink_probe_result(courier->uplink, str_of(blob->bytes, blob->n));
        break;
    }
    case IPC_DONE:
        collector_wake(courier->collector);
        break;
    case IPC_COUNTER_OPEN:
    case IPC_WISH:
    case IPC_RATE_FIX:
        on_counter(courier, worker, head);
        break;
    case IPC_COUNTER_ROW:
    case IPC_GRANTED:
    case IPC_RECALL:
    case IPC_NAME_ANSWER:
    case IPC_OBJECT_ANSWER:
    case IPC_PROBE:
    case IPC_CATALOG_NEW:
    case IPC_COURIER_UP:
        log_warn("message_unexpected", LOG_U64("worker", worker), LOG_U64("kind", head->kind));
        break;
    }
}

static void pair_ready(struct loop_watch *watch, uint32_t events)
{
    struct courier_pair *pair = watch->owner;
    struct courier *courier = pair->courier;
    size_t n;
    (void)events;
    for (unsigned i = 0; i < COURIER_MESSAGES_TURN; i++) {
        enum status status = ipc_receive(watch->fd, courier->message, sizeof courier->message, &n);
        if (status == ST_OK)
            on_message(courier, pair->worker, n);
        if (status == ST_CLOSED) {
            loop_watch_remove(courier->loop, watch);
            pair->closed = true;
        }
        if (status != ST_OK && status != ST_BAD_FORMAT)
            break;
    }
}

static void tell_all(const struct courier *courier, const void *message, size_t n)
{
    for (uint32_t i = 0; i < courier->boot->workers; i++)
        (void)!ipc_send(courier->pair_fds[i], message, n);
}

static void name_answered(void *arg, uint32_t worker, const struct ipc_name *answer)
{
    const struct courier *courier = arg;
    if (worker < courier->boot->workers) /* else it was asked to keep a host warm */
        (void)!ipc_send(courier->pair_fds[worker], answer, sizeof *answer);
}

static void names_ready(struct loop_watch *watch, uint32_t events)
{
    struct courier *courier = watch->owner;
    (void)events;
    resolver_run(courier->resolver);
}

/* --- what other threads report --- */

static void on_stored(void *arg)
{
    struct courier *courier = arg;
    atomic_store(&courier->segment.head->status.journal_pending, journal_pending(courier->journal));
    struct uplink *uplink = courier->uplink;
    if (uplink != NULL)
        uplink_usage_ready(uplink);
}

static void on_changed(void *arg)
{
    const struct courier *courier = arg;
    const struct ipc_blob message = {.head = {IPC_CATALOG_NEW, 0}};
    tell_all(courier, &message, sizeof message);
}

static void on_second(void *arg)
{
    struct courier *courier = arg;
    if (++courier->tidy_turns % COURIER_TIDY_TURNS != 0)
        return;
    journal_tidy(courier->journal);
    on_stored(courier);
}

/* --- timers and signals --- */

static void beat(struct loop_timer *timer)
{
    struct courier *courier = timer->owner;
    host_state_note(&courier->state, journal_pending(courier->journal),
                    journal_damaged(courier->journal), keeper_skipped(courier->keeper),
                    grants_used(courier->grants));
    loop_timer_set(courier->loop, timer, COURIER_BEAT_MS);
}

/* Asks for every host of the catalog as nobody in particular, so that the cache stays fresh. */
static void warm(struct loop_timer *timer)
{
    struct courier *courier = timer->owner;
    struct ipc_name query = {.head = {IPC_NAME_QUERY, 0}};
    struct str rest, host;
    buf_clear(&courier->hosts);
    keeper_hosts(courier->keeper, &courier->hosts);
    rest = buf_str(&courier->hosts);
    while (str_split(&rest, '\n', &host)) {
        if (host.n == 0 || host.n > IPC_HOST_MAX)
            continue;
        memset(query.host, 0, sizeof query.host);
        memcpy(query.host, host.p, host.n);
        resolver_ask(courier->resolver, UINT32_MAX, &query);
    }
    loop_timer_set(courier->loop, timer, COURIER_WARM_MS);
}

/* The master is gone and its workers drain: what they still settle must reach the journal, and what
 * they leave is ours to recover, for nobody else will. The status port and the catalog file are left to
 * the gateway that may start beside us meanwhile. */
static void orphan_check(struct loop_timer *timer)
{
    struct courier *courier = timer->owner;
    bool all_closed = true;
    for (uint32_t i = 0; i < courier->boot->workers; i++)
        all_closed = all_closed && courier->pairs[i].closed;
    if (!all_closed && clock_mono_ms() < courier->orphan_by_ms) {
        loop_timer_set(courier->loop, timer, COURIER_ORPHAN_MS);
        return;
    }
    for (uint32_t i = 0; i < courier->segment.columns; i++) {
        uint32_t state = atomic_load(&segment_column(&courier->segment, i)->state);
        if (state == COLUMN_LIVE || state == COLUMN_DRAINING)
            segment_retire(&courier->segment, i);
    }
    loop_stop(courier->loop);
}

static void orphan(struct courier *courier)
{
    int64_t drain_ms = (int64_t)params_u64(courier->boot->params, PARAM_DRAIN_MAX_S) * 1000;
    if (courier->orphan_by_ms != 0)
        return;
    log_warn("master_gone");
    atomic_store(&courier->link.orphaned, true);
    health_close(courier->health);
    courier->health = NULL;
    for (uint32_t i = 0; i < courier->boot->status_count; i++)
        close(COURIER_STATUS_FD + (int)i);
    courier->orphan_by_ms = clock_mono_ms() + drain_ms + COURIER_ORPHAN_GRACE_MS;
    loop_timer_set(courier->loop, &courier->orphan, 0);
}

/* The master ends us when its workers are gone. A signal that somebody sent to the whole group (a
 * terminal, a service manager) also reached the workers, and what they settle on it must be
 * journaled. */
static void signals_ready(struct loop_watch *watch, uint32_t events)
{
    struct courier *courier = watch->owner;
    struct signalfd_siginfo info;
    (void)events;
    while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT)
            continue;
        if (getppid() != courier->master)
            orphan(courier);
        else if (info.ssi_pid == (uint32_t)courier->master)
            loop_stop(courier->loop);
    }
}

/* Before any thread starts, so that all of them inherit the mask. */
static enum status open_signals(struct courier *courier)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return ST_IO;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return ST_IO;
    courier->signals = (struct loop_watch){.fd = fd, .ready = signals_ready, .owner = courier};
    return loop_watch_set(courier->loop, &courier->signals, EPOLLIN);
}

/* --- start --- */

static enum status open_disk(struct courier *courier)
{
    const struct params *params = courier->boot->params;
    const char *dir = params_str(params, PARAM_DATA_DIR).p;
    char journal[PARAMS_VALUE_MAX + 32], catalog[PARAMS_VALUE_MAX + 32];
    const struct journal_limits limits = {.file_bytes = COURIER_FILE_BYTES,
                                          .keep_ms = params_u64(params, PARAM_JOURNAL_KEEP),
                                          .cap_bytes = params_u64(params, PARAM_JOURNAL_MAX)};
    uint64_t boot = courier->segment.head->boot;
    snprintf(journal, sizeof journal, "%s/journal", dir);
    snprintf(catalog, sizeof catalog, "%s/catalog.mdb", dir);
    TRY(journal_open(journal, boot, &limits, &courier->journal));
    const struct grants_calls lend = {courier, tell_worker, wake_grants};
    TRY(grants_new(&courier->segment, &lend, &courier->grants));
    const struct collector_config collect = {&courier->segment, courier->journal, courier->grants,
                                             courier->bundle.node, boot, on_stored, courier};
    TRY(collector_start(&collect, &courier->collector));
    const struct keeper_config keep = {catalog, &courier->segment, on_changed, on_second, courier};
    return keeper_open(&keep, &courier->keeper);
}

static enum status open_pairs(struct courier *courier)
{
    uint32_t count = courier->boot->workers;
    courier->pairs = calloc(count, sizeof *courier->pairs);
    courier->pair_fds = calloc(count, sizeof *courier->pair_fds);
    if (courier->pairs == NULL || courier->pair_fds == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        courier->pair_fds[i] = COURIER_PAIR_FD + (int)i;
    return ST_OK;
}

static enum status watch_pairs(struct courier *courier)
{
    const struct ipc_head up = {IPC_COURIER_UP, 0};
    for (uint32_t i = 0; i < courier->boot->workers; i++) {
        struct courier_pair *pair = &courier->pairs[i];
        *pair = (struct courier_pair){.courier = courier, .worker = i};
        pair->watch =
            (struct loop_watch){.fd = courier->pair_fds[i], .ready = pair_ready, .owner = pair};
        TRY(loop_watch_set(courier->loop, &pair->watch, EPOLLIN));
    }
    tell_all(courier, &up, sizeof up);
    return ST_OK;
}

static enum status open_link(struct courier *courier)
{
    const struct uplink_config config = {&courier->bundle, courier->segment.head->boot,
                                         courier->boot->workers, COURIER_SOFTWARE};
    struct uplink_calls calls;
    courier->link = (struct courier_link){.segment = &courier->segment,
                                          .keeper = courier->keeper,
                                          .journal = courier->journal,
                                          .grants = courier->grants,
                                          .state = &courier->state,
                                          .pairs = courier->pair_fds,
                                          .workers = courier->boot->workers};
    courier_link_calls(&courier->link, &calls);
    struct uplink *uplink;
    TRY(uplink_start(&config, &calls, &uplink));
    courier->uplink = uplink;
    return ST_OK;
}

static enum status open_loop(struct courier *courier)
{
    int status_fds[COURIER_STATUS_MAX];
    for (uint32_t i = 0; i < courier->boot->status_count; i++)
        status_fds[i] = COURIER_STATUS_FD + (int)i;
    TRY(resolver_start(params_str(courier->boot->params, PARAM_NAME_SERVERS), name_answered,
                       courier, &courier->resolver));
    courier->names = (struct loop_watch){
        .fd = resolver_fd(courier->resolver), .ready = names_ready, .owner = courier};
    TRY(loop_watch_set(courier->loop, &courier->names, EPOLLIN));
    TRY(health_open(courier->loop, status_fds, courier->boot->status_count, host_state_page,
                    &courier->state, &courier->health));
    courier->beat = (struct loop_timer){.expired = beat, .owner = courier};
    courier->warm = (struct loop_timer){.expired = warm, .owner = courier};
    loop_timer_set(courier->loop, &courier->beat, 0);
    loop_timer_set(courier->loop, &courier->warm, 0);
    return ST_OK;
}

static enum status start(struct courier *courier)
{
    if (courier->boot->status_count > COURIER_STATUS_MAX)
        return ST_INVALID;
    courier->master = getppid();
    TRY(loop_new(&courier->loop));
    courier->orphan = (struct loop_timer){.expired = orphan_check, .owner = courier};
    TRY(open_signals(courier));
    TRY(segment_map(COURIER_SEGMENT_FD, &courier->segment));
    if (courier->boot->workers != courier->segment.workers)
        return ST_INVALID;
    TRY(node_bundle_read_fd(COURIER_BUNDLE_FD, &courier->bundle));
    clock_set_offset(atomic_load(&courier->segment.head->status.utc_offset_ms));
    host_state_init(&courier->state, &courier->segment,
                    params_u64(courier->boot->params, PARAM_MAX_STALENESS_S));
    TRY(open_pairs(courier));
    TRY(open_disk(courier));
    TRY(open_loop(courier));
    TRY(open_link(courier));
    TRY(watch_pairs(courier));
    on_stored(courier);
    return write(COURIER_CONTROL_FD, "r", 1) == 1 ? ST_OK : ST_IO;
}

/* --- the end --- */

/* Everything was settled and journaled: what is left of the grants goes back now if the control
 * plane hears it, else when the next boot says so. */
static bool all_closed(const struct courier *courier)
{
    for (uint32_t i = 0; i < courier->segment.columns; i++)
        if (atomic_load(&segment_column(&courier->segment, i)->state) != COLUMN_UNUSED)
            return false;
    return true;
}

static void return_grants(struct courier *courier)
{
    const struct grants_now now = {clock_mono_ms(), clock_utc_ms()};
    if (!all_closed(courier))
        return;
    journal_end(courier->journal);
    grants_end(courier->grants, &now);
}

static void await_acks(struct courier *courier)
{
    int64_t by_ms = clock_mono_ms() + COURIER_LAST_MS;
    const struct timespec pause = {0, 10000000};
    uplink_usage_ready(courier->uplink);
    while ((journal_pending(courier->journal) > 0 || grants_used(courier->grants) > 0) &&
           uplink_is_up(courier->uplink) && clock_mono_ms() < by_ms)
        nanosleep(&pause, NULL);
}

static void finish(struct courier *courier)
{
    collector_stop(courier->collector);
    courier->collector = NULL;
    return_grants(courier);
    await_acks(courier);
    log_info("courier_stopped", LOG_U64("usage_pending", journal_pending(courier->journal)));
    uplink_stop(courier->uplink);
    keeper_close(courier->keeper);
    journal_close(courier->journal);
}

int courier_main(const struct courier_boot *boot)
{
    static struct courier courier;
    enum log_level level = LOG_LEVEL_INFO;
    (void)!log_level_from_text(params_str(boot->params, PARAM_LOG_LEVEL), &level);
    log_open("gateway.courier", COURIER_LOG_FD, level);
    courier.boot = boot;
    buf_init(&courier.hosts, KEEPER_HOSTS_BYTES);
    enum status status = start(&courier);
    if (status != ST_OK) {
        log_error("courier_not_started", LOG_STATUS(status));
        _exit(1);
    }
    log_info("courier_started",
             LOG_U64("revision", atomic_load(&courier.segment.head->status.revision)));
    loop_run(courier.loop, NULL, NULL);
    finish(&courier);
    _exit(0);
}
