/* names.c: a small resolver service (names.h).
 *
 *   ask -> cache hit -> answer
 *       -> entry asked already -> one more waiter
 *       -> queue -> thread: getaddrinfo -> done list -> eventfd -> resolver_run: cache, answer all
 * waiters
 *
 * One lock guards queue and done list; the cache and the waiters belong to the loop thread alone. A
 * thread that hangs in the system's resolver delays its own host only; the worker's time-out bounds
 * the wait.
 */
#include "data-plane/courier/names.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/params.h"

#define BUCKETS     1024u
#define FAIL_TTL_MS 2000

struct waiter {
    struct waiter *next;
    uint32_t worker, tag;
};

struct entry {
    struct entry *next_in_bucket;
    struct entry *next_job; /* queue or done list */
    struct waiter *waiters;
    struct ipc_name answer; /* host is the key */
    int64_t fresh_until_ms;
    bool asked;
};

struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct entry *queue, **queue_tail, *done;
    bool stopping;
    pthread_t threads[COURIER_NAMES_THREADS];
    size_t thread_count;
    int event_fd;
    struct str name_servers;
    void (*answer)(void *arg, uint32_t worker, const struct ipc_name *answer);
    void *arg;
    struct entry *buckets[BUCKETS];
    size_t count, waiting;
};

/* --- threads ------------------------------------------------------------------------------------
 */

/* This thread's resolver state asks our servers instead of resolv.conf's. */
static void use_name_servers(struct str servers)
{
    struct str item;
    int count = 0;
    if (servers.n == 0 || res_init() != 0)
        return;
    while (params_next(&servers, &item) && count < MAXNS) {
        struct str host;
        struct netaddr addr;
        struct sockaddr_storage where;
        uint16_t port;
        if (netaddr_split_port(item, NAMESERVER_PORT, &host, &port) != ST_OK ||
            netaddr_from_text(host, &addr) != ST_OK || addr.family != 4) {
            log_warn("name_server_ignored", LOG_STR("server", item));
            continue;
        }
        (void)netaddr_to_sockaddr(&addr, port, &where);
        memcpy(&_res.nsaddr_list[count++], &where, sizeof _res.nsaddr_list[0]);
    }
    if (count > 0)
        _res.nscount = count;
}

static void add_addr(struct ipc_name *out, const struct sockaddr *sockaddr)
{
    struct netaddr addr;
    uint16_t port;
    if (out->count == IPC_ADDRS_MAX || netaddr_from_sockaddr(sockaddr, &addr, &port) != ST_OK)
        return;
    for (uint32_t i = 0; i < out->count; i++)
        if (netaddr_eq(&out->addrs[i], &addr))
            return;
    out->addrs[out->count++] = addr;
}

static void look_up(struct ipc_name *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    out->count = 0;
    int code = getaddrinfo(out->host, NULL, &hints, &list);
    for (struct addrinfo *at = list; at != NULL; at = at->ai_next)
        add_addr(out, at->ai_addr);
    if (list != NULL)
        freeaddrinfo(list);
    out->status = out->count > 0 ? ST_OK : code == EAI_AGAIN ? ST_UPSTREAM_TIMEOUT : ST_NOT_FOUND;
    out->ttl_s = COURIER_NAMES_TTL_S;
}

static void *resolver_thread(void *arg)
{
    struct resolver *resolver = arg;
    use_name_servers(resolver->name_servers);
    CHECK(pthread_mutex_lock(&resolver->lock) == 0);
    while (!resolver->stopping) {
        struct entry *entry = resolver->queue;
        if (entry == NULL) {
            CHECK(pthread_cond_wait(&resolver->work, &resolver->lock) == 0);
            continue;
        }
        resolver->queue = entry->next_job;
        if (resolver->queue == NULL)
            resolver->queue_tail = &resolver->queue;
        CHECK(pthread_mutex_unlock(&resolver->lock) == 0);
        look_up(&entry->answer);
        CHECK(pthread_mutex_lock(&resolver->lock) == 0);
        entry->next_job = resolver->done;
        resolver->done = entry;
        uint64_t one = 1;
        ssize_t written = write(resolver->event_fd, &one, sizeof one);
        (void)written;
    }
    CHECK(pthread_mutex_unlock(&resolver->lock) == 0);
    return NULL;
}

/* --- loop thread ---------------------------------------------------------------------------------
 */

static struct entry **place_of(struct resolver *resolver, const char *host)
{
    uint32_t hash = 2166136261u;
    for (const char *p = host; *p != '\0'; p++)
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    struct entry **at = &resolver->buckets[hash % BUCKETS];
    while (*at != NULL && strcmp((*at)->answer.host, host) != 0)
        at = &(*at)->next_in_bucket;
    return at;
}

/* The cache is full: what is stale and asked by nobody goes. */
static void sweep(struct resolver *resolver, int64_t now)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct entry **at = &resolver->buckets[i];
        while (*at != NULL) {
            struct entry *entry = *at;
            if (!entry->asked && entry->fresh_until_ms <= now) {
                *at = entry->next_in_bucket;
                free(entry);
                resolver->count--;
            } else {
                at = &entry->next_in_bucket;
            }
        }
    }
}

static void refuse(struct resolver *resolver, uint32_t worker, const struct ipc_name *query,
                   enum status status)
{
    struct ipc_name answer = *query;
    answer.head.kind = IPC_NAME_ANSWER;
    answer.status = status;
    answer.count = 0;
    resolver->answer(resolver->arg, worker, &answer);
}

static void give(struct resolver *resolver, struct entry *entry, uint32_t worker, uint32_t tag)
{
    entry->answer.head = (struct ipc_head){.kind = IPC_NAME_ANSWER, .tag = tag};
    resolver->answer(resolver->arg, worker, &entry->answer);
}

static bool enqueue(struct resolver *resolver, struct entry *entry, uint32_t worker, uint32_t tag)
{
    struct waiter *waiter =
        resolver->waiting < COURIER_NAMES_WAITING_MAX ? malloc(sizeof *waiter) : NULL;
    if (waiter == NULL)
        return false;
    *waiter = (struct waiter){entry->waiters, worker, tag};
    entry->waiters = waiter;
    resolver->waiting++;
    if (entry->asked)
        return true;
    entry->asked = true;
    entry->next_job = NULL;
    CHECK(pthread_mutex_lock(&resolver->lock) == 0);
    *resolver->queue_tail = entry;
    resolver->queue_tail = &entry->next_job;
    CHECK(pthread_cond_signal(&resolver->work) == 0);
    CHECK(pthread_mutex_unlock(&resolver->lock) == 0);
    return true;
}

void resolver_ask(struct resolver *resolver, uint32_t worker, const struct ipc_name *query)
{
    int64_t now = clock_mono_ms();
    struct ipc_name safe = *query;
    safe.host[IPC_HOST_MAX] = '\0';
    if (netaddr_looks_numeric(str_c(safe.host))) {
        refuse(resolver, worker, &safe, ST_INVALID);
        return;
    }
    struct entry **at = place_of(resolver, safe.host), *entry = *at;
    if (entry == NULL && resolver->count >= COURIER_NAMES_CACHE_MAX) {
        sweep(resolver, now);
        at = place_of(resolver, safe.host);
    }
    if (entry == NULL && safe.host[0] != '\0' && resolver->count < COURIER_NAMES_CACHE_MAX) {
        entry = calloc(1, sizeof *entry);
        if (entry != NULL) {
            memcpy(entry->answer.host, safe.host, sizeof safe.host);
            *at = entry;
            resolver->count++;
        }
    }
    if (entry == NULL)
        refuse(resolver, worker, &safe, ST_OVERLOADED);
    else if (!entry->asked && now < entry->fresh_until_ms)
        give(resolver, entry, worker, safe.head.tag);
    else if (!enqueue(resolver, entry, worker, safe.head.tag))
        refuse(resolver, worker, &safe, ST_OVERLOADED);
}

void resolver_run(struct resolver *resolver)
{
    uint64_t count;
    ssize_t got = read(resolver->event_fd, &count, sizeof count);
    (void)got;
    CHECK(pthread_mutex_lock(&resolver->lock) == 0);
    struct entry *done = resolver->done;
    resolver->done = NULL;
    CHECK(pthread_mutex_unlock(&resolver->lock) == 0);
    while (done != NULL) {
        struct entry *entry = done;
        done = entry->next_job;
        entry->asked = false;
        entry->fresh_until_ms =
            clock_mono_ms() +
            (entry->answer.status == ST_OK ? COURIER_NAMES_TTL_S * 1000 : FAIL_TTL_MS);
        while (entry->waiters != NULL) {
            struct waiter *waiter = entry->waiters;
            entry->waiters = waiter->next;
            resolver->waiting--;
            give(resolver, entry, waiter->worker, waiter->tag);
            free(waiter);
        }
    }
}

int resolver_fd(const struct resolver *resolver)
{
    return resolver->event_fd;
}

enum status resolver_start(struct str name_servers,
                           void (*answer)(void *arg, uint32_t worker,
                                          const struct ipc_name *answer),
                           void *arg, struct resolver **out)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL)
        return ST_NO_MEMORY;
    resolver->name_servers = name_servers;
    resolver->answer = answer;
    resolver->arg = arg;
    resolver->queue_tail = &resolver->queue;
    CHECK(pthread_mutex_init(&resolver->lock, NULL) == 0 &&
          pthread_cond_init(&resolver->work, NULL) == 0);
    resolver->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = resolver->event_fd >= 0;
    while (ok && resolver->thread_count < COURIER_NAMES_THREADS) {
        ok = pthread_create(&resolver->threads[resolver->thread_count], NULL, resolver_thread,
                            resolver) == 0;
        resolver->thread_count += ok;
    }
    if (!ok) {
        resolver_stop(resolver);
        return ST_IO;
    }
    *out = resolver;
    return ST_OK;
}

void resolver_stop(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    CHECK(pthread_mutex_lock(&resolver->lock) == 0);
    resolver->stopping = true;
    CHECK(pthread_cond_broadcast(&resolver->work) == 0);
    CHECK(pthread_mutex_unlock(&resolver->lock) == 0);
    for (size_t i = 0; i < resolver->thread_count; i++)
        pthread_join(resolver->threads[i], NULL);
    for (size_t i = 0; i < BUCKETS; i++) {
        while (resolver->buckets[i] != NULL) {
            struct entry *entry = resolver->buckets[i];
            resolver->buckets[i] = entry->next_in_bucket;
            while (entry->waiters != NULL) {
                struct waiter *waiter = entry->waiters;
                entry->waiters = waiter->next;
                free(waiter);
            }
            free(entry);
        }
    }
    if (resolver->event_fd >= 0)
        close(resolver->event_fd);
    pthread_cond_destroy(&resolver->work);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}
