/* names_client.c: the worker's cache of host names (names_client.h).
 *
 *   names_get: fresh -> answer; stale -> answer and ask again in the background; unknown -> ask,
 * wait
 *
 * Entries live in a hash table of fixed size with chains; the least recently used goes when it is
 * full. A query that the courier does not answer within NAMES_TIMEOUT_MS wakes its waiters with
 * ST_UPSTREAM_TIMEOUT. Invariant: a waiter is on at most one list and is taken off before it is
 * called.
 */
#include "data-plane/worker/names_client.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "data-plane/worker/mailbox.h"
#include "data-plane/worker/worker.h"

#define NAMES_BUCKETS     1024u
#define NAMES_TTL_MIN_MS  5000
#define NAMES_TTL_MAX_MS  300000
#define NAMES_FAIL_TTL_MS 1000

struct name_entry {
    struct name_entry *next_in_bucket;
    struct name_entry *newer, *older; /* by last use */
    struct name_wait *waiting;
    struct loop_timer timer; /* the query's time-out */
    struct names *names;
    int64_t fresh_until_ns, keep_until_ns;
    bool asked;
    size_t host_n;
    struct name_answer answer;
    char host[IPC_HOST_MAX + 1];
};

struct names {
    struct worker *worker;
    struct name_entry *buckets[NAMES_BUCKETS];
    struct name_entry *newest, *oldest;
    size_t count;
    struct name_answer literal;
};

static unsigned bucket_of(struct str host)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < host.n; i++)
        hash = (hash ^ (uint8_t)host.p[i]) * 16777619u;
    return hash % NAMES_BUCKETS;
}

static void order_remove(struct names *names, struct name_entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &names->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &names->newest) = entry->older;
    entry->older = entry->newer = NULL;
}

static void order_add(struct names *names, struct name_entry *entry)
{
    entry->older = names->newest;
    *(names->newest != NULL ? &names->newest->newer : &names->oldest) = entry;
    names->newest = entry;
}

static struct name_entry *find(struct names *names, struct str host)
{
    struct name_entry *entry = names->buckets[bucket_of(host)];
    while (entry != NULL && !str_eq(str_of(entry->host, entry->host_n), host))
        entry = entry->next_in_bucket;
    return entry;
}

static void wake(struct name_entry *entry)
{
    while (entry->waiting != NULL) {
        struct name_wait *wait = entry->waiting;
        names_wait_cancel(wait);
        wait->done(wait);
    }
}

static void forget(struct names *names, struct name_entry *entry)
{
    struct name_entry **at = &names->buckets[bucket_of(str_of(entry->host, entry->host_n))];
    while (*at != entry)
        at = &(*at)->next_in_bucket;
    *at = entry->next_in_bucket;
    order_remove(names, entry);
    loop_timer_clear(names->worker->loop, &entry->timer);
    names->count--;
    free(entry);
}

static void query_expired(struct loop_timer *timer)
{
    struct name_entry *entry = timer->owner;
    entry->asked = false;
    if (entry->keep_until_ns <= loop_now_ns(entry->names->worker->loop))
        entry->answer =
            (struct name_answer){.status = ST_UPSTREAM_TIMEOUT, .version = entry->answer.version};
    entry->fresh_until_ns =
        loop_now_ns(entry->names->worker->loop) + (int64_t)NAMES_FAIL_TTL_MS * 1000000;
    if (entry->keep_until_ns < entry->fresh_until_ns)
        entry->keep_until_ns = entry->fresh_until_ns;
    wake(entry);
}

static void ask(struct name_entry *entry)
{
    struct names *names = entry->names;
    if (entry->asked)
        return;
    struct ipc_name query = {.head = {.kind = IPC_NAME_QUERY}};
    memcpy(query.host, entry->host, entry->host_n + 1);
    if (mailbox_send(names->worker, &query, sizeof query) != ST_OK)
        return; /* the time-out asks the waiters to come again */
    entry->asked = true;
    loop_timer_set(names->worker->loop, &entry->timer, NAMES_TIMEOUT_MS);
}

static enum status add_entry(struct names *names, struct str host, struct name_entry **out)
{
    if (host.n == 0 || host.n > IPC_HOST_MAX)
        return ST_INVALID;
    if (names->count >= NAMES_MAX) {
        struct name_entry *victim = names->oldest;
        while (victim != NULL && (victim->waiting != NULL || victim->asked))
            victim = victim->newer;
        if (victim == NULL)
            return ST_OVERLOADED;
        forget(names, victim);
    }
    struct name_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return ST_NO_MEMORY;
    entry->names = names;
    entry->host_n = host.n;
    memcpy(entry->host, host.p, host.n);
    entry->timer = (struct loop_timer){.expired = query_expired, .owner = entry};
    unsigned bucket = bucket_of(host);
    entry->next_in_bucket = names->buckets[bucket];
    names->buckets[bucket] = entry;
    order_add(names, entry);
    names->count++;
    *out = entry;
    return ST_OK;
}

enum status names_get(struct names *names, struct str host, struct name_wait *wait,
                      const struct name_answer **answer)
{
    if (netaddr_looks_numeric(host)) {
        names->literal = (struct name_answer){.status = ST_OK, .version = 1, .count = 1};
        TRY(netaddr_from_text(host, &names->literal.addrs[0]));
        *answer = &names->literal;
        return ST_OK;
    }
    struct name_entry *entry = find(names, host);
    if (entry == NULL)
        TRY(add_entry(names, host, &entry));
    order_remove(names, entry);
    order_add(names, entry);
    int64_t now = loop_now_ns(names->worker->loop);
    if (now >= entry->fresh_until_ns)
        ask(entry);
    if (now < entry->keep_until_ns) {
        *answer = &entry->answer;
        return ST_OK;
    }
    if (!entry->asked)
        loop_timer_set(names->worker->loop, &entry->timer, NAMES_FAIL_TTL_MS);
    CHECK(wait->back == NULL); /* waits once */
    wait->next = entry->waiting;
    if (wait->next != NULL)
        wait->next->back = &wait->next;
    wait->back = &entry->waiting;
    entry->waiting = wait;
    return ST_AGAIN;
}

void names_wait_cancel(struct name_wait *wait)
{
    if (wait->back == NULL)
        return;
    *wait->back = wait->next;
    if (wait->next != NULL)
        wait->next->back = wait->back;
    wait->next = NULL;
    wait->back = NULL;
}

static bool same_addrs(const struct name_answer *a, const struct ipc_name *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!netaddr_eq(&a->addrs[i], &b->addrs[i]))
            return false;
    return true;
}

void names_on_answer(struct names *names, const struct ipc_name *answer)
{
    struct name_entry *entry =
        find(names, str_of(answer->host, strnlen(answer->host, sizeof answer->host)));
    if (entry == NULL || answer->count > IPC_ADDRS_MAX || answer->status >= ST_COUNT)
        return;
    int64_t now = loop_now_ns(names->worker->loop);
    loop_timer_clear(names->worker->loop, &entry->timer);
    entry->asked = false;
    bool ok = answer->status == ST_OK && answer->count > 0;
    if (ok || now >= entry->keep_until_ns) {
        if (!same_addrs(&entry->answer, answer))
            entry->answer.version++;
        entry->answer.status = ok                        ? ST_OK
                               : answer->status == ST_OK ? ST_NOT_FOUND
                                                         : (enum status)answer->status;
        entry->answer.count = ok ? answer->count : 0;
        memcpy(entry->answer.addrs, answer->addrs, sizeof answer->addrs);
    }
    int64_t ttl_ms = ok ? (int64_t)answer->ttl_s * 1000 : NAMES_FAIL_TTL_MS;
    ttl_ms = ok && ttl_ms < NAMES_TTL_MIN_MS ? NAMES_TTL_MIN_MS
             : ttl_ms > NAMES_TTL_MAX_MS     ? NAMES_TTL_MAX_MS
                                             : ttl_ms;
    entry->fresh_until_ns = now + ttl_ms * 1000000;
    if (ok)
        entry->keep_until_ns = entry->fresh_until_ns + (int64_t)NAMES_TTL_MAX_MS * 1000000;
    else if (entry->keep_until_ns < entry->fresh_until_ns)
        entry->keep_until_ns = entry->fresh_until_ns;
    wake(entry);
}

enum status names_open(struct worker *worker, struct names **out)
{
    struct names *names = calloc(1, sizeof *names);
    if (names == NULL)
        return ST_NO_MEMORY;
    names->worker = worker;
    *out = names;
    return ST_OK;
}

void names_close(struct names *names)
{
    if (names == NULL)
        return;
    while (names->oldest != NULL)
        forget(names, names->oldest);
    free(names);
}
