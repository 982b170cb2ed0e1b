/* upstream_shard.c: libcurl's multi handles on the worker's loop.
 *
 * libcurl tells which descriptors it waits for (socket callback) and when it wants to be called
 * (timer callback). Between two transfers on a kept connection it says "remove" and, microseconds
 * later, "add" again; a descriptor therefore stays in epoll as it was until an event arrives that
 * nobody wants or libcurl closes it, which saves two system calls a request.
 *
 * Invariants: in_curl is > 0 exactly while libcurl is on the stack, and handles are removed only
 * when it is 0; a shard_socket is recycled at the end of the turn, never inside it, since later
 * events of one batch may still point to it.
 */
#include "data-plane/upstream_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data-plane/worker/worker.h"

static void shard_reap(struct shard *shard)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(shard->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct exchange *exchange = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        CHECK_OBJ(exchange, EXCHANGE_MAGIC);
        exchange_finish(exchange, message->data.result);
    }
}

static void shard_act(struct shard *shard, curl_socket_t fd, int what)
{
    int running;
    shard->upstream->in_curl++;
    curl_multi_socket_action(shard->multi, fd, what, &running);
    shard->upstream->in_curl--;
    shard_reap(shard);
}

static void shard_timer_expired(struct loop_timer *timer)
{
    shard_act(timer->owner, CURL_SOCKET_TIMEOUT, 0);
}

static void shard_kick_run(struct loop_job *job)
{
    shard_act(job->owner, CURL_SOCKET_TIMEOUT, 0);
}

void shard_kick(struct shard *shard)
{
    loop_defer(shard->upstream->loop, &shard->kick);
}

static void socket_ready(struct loop_watch *watch, uint32_t events)
{
    struct shard_socket *socket = (struct shard_socket *)watch;
    struct shard *shard = watch->owner;
    if (!socket->wanted) {
        loop_watch_remove(shard->upstream->loop, watch);
        return;
    }
    int what = 0;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
        what |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        what |= CURL_CSELECT_ERR;
    shard_act(shard, watch->fd, what);
}

static void sockets_reap(struct loop_job *job)
{
    struct upstream *upstream = job->owner;
    while (upstream->dead_sockets != NULL) {
        struct shard_socket *socket = upstream->dead_sockets;
        upstream->dead_sockets = socket->next_free;
        socket->next_free = upstream->free_sockets;
        upstream->free_sockets = socket;
    }
}

static struct shard_socket *socket_get(struct upstream *upstream, int fd)
{
    size_t at = (size_t)fd;
    if (at >= upstream->socket_count) {
        size_t count = at * 2 + 64;
        struct shard_socket **grown = realloc(upstream->sockets, count * sizeof *grown);
        if (grown == NULL)
            return NULL;
        memset(grown + upstream->socket_count, 0, (count - upstream->socket_count) * sizeof *grown);
        upstream->sockets = grown;
        upstream->socket_count = count;
    }
    if (upstream->sockets[at] == NULL) {
        struct shard_socket *socket = upstream->free_sockets;
        if (socket != NULL)
            upstream->free_sockets = socket->next_free;
        else
            socket = malloc(sizeof *socket);
        if (socket == NULL)
            return NULL;
        *socket = (struct shard_socket){.watch = {.fd = fd, .ready = socket_ready}};
        upstream->sockets[at] = socket;
    }
    return upstream->sockets[at];
}

static int shard_socket_wish(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct shard *shard = arg;
    (void)easy;
    (void)socket_arg;
    struct shard_socket *socket = socket_get(shard->upstream, fd);
    if (socket == NULL)
        return -1;
    if (what == CURL_POLL_REMOVE) {
        socket->wanted = false;
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    socket->wanted = true;
    socket->watch.owner = shard;
    return loop_watch_set(shard->upstream->loop, &socket->watch, events) == ST_OK ? 0 : -1;
}

static int shard_timer_wish(CURLM *multi, long timeout_ms, void *arg)
{
    struct shard *shard = arg;
    (void)multi;
    if (timeout_ms < 0)
        loop_timer_clear(shard->upstream->loop, &shard->timer);
    else if (timeout_ms == 0)
        shard_kick(shard);
    else
        loop_timer_set(shard->upstream->loop, &shard->timer, timeout_ms);
    return 0;
}

static enum status shard_new(struct upstream *upstream, struct shard **out)
{
    struct shard *shard = calloc(1, sizeof *shard);
    if (shard == NULL)
        return ST_NO_MEMORY;
    shard->upstream = upstream;
    shard->timer = (struct loop_timer){.expired = shard_timer_expired, .owner = shard};
    shard->kick = (struct loop_job){.run = shard_kick_run, .owner = shard};
    shard->multi = curl_multi_init();
    if (shard->multi == NULL) {
        free(shard);
        return ST_NO_MEMORY;
    }
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, shard_socket_wish);
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, shard_timer_wish);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS,
                      UPSTREAM_SHARD_ACTIVE + UPSTREAM_IDLE_PER_SHARD);
    curl_multi_setopt(shard->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    *out = shard;
    return ST_OK;
}

bool shard_resolves(struct shard *shard, const struct upstream_request *request)
{
    uint32_t hash = 2166136261u;
    int64_t now = loop_now_ns(shard->upstream->loop);
    for (size_t i = 0; i < request->host.n; i++)
        hash = (hash ^ (uint8_t)request->host.p[i]) * 16777619u;
    hash = (hash ^ request->port ^ request->org.b[15]) * 16777619u;
    struct shard_resolved *entry = &shard->resolved[(hash >> 16) % SHARD_RESOLVED];
    bool same = now < entry->until_ns && entry->port == request->port &&
                entry->version == request->addr_version && id_eq(&entry->org, &request->org) &&
                str_eq(entry->host, request->host) && request->addr_count > 0 &&
                netaddr_eq(&entry->first, &request->addrs[0]);
    if (same || request->host.n > SHARD_HOST_MAX || request->addr_count == 0)
        return same;
    memcpy(entry->room, request->host.p, request->host.n);
    entry->host = str_of(entry->room, request->host.n);
    entry->org = request->org;
    entry->port = request->port;
    entry->version = request->addr_version;
    entry->first = request->addrs[0];
    entry->until_ns = now + (int64_t)SHARD_RESOLVE_KEEP_MS * 1000000;
    return false;
}

enum status shard_pick(struct upstream *upstream, struct shard **out)
{
    for (size_t i = 0; i < UPSTREAM_SHARDS; i++) {
        if (upstream->shards[i] == NULL)
            TRY(shard_new(upstream, &upstream->shards[i]));
        if (upstream->shards[i]->active < UPSTREAM_SHARD_ACTIVE) {
            *out = upstream->shards[i];
            return ST_OK;
        }
    }
    return ST_OVERLOADED;
}

void shard_free(struct shard *shard)
{
    if (shard == NULL)
        return;
    loop_timer_clear(shard->upstream->loop, &shard->timer);
    loop_defer_cancel(shard->upstream->loop, &shard->kick);
    curl_multi_cleanup(shard->multi);
    loop_timer_clear(shard->upstream->loop, &shard->timer);
    loop_defer_cancel(shard->upstream->loop, &shard->kick);
    free(shard);
}

static bool is_pinned(const struct exchange *exchange, const struct sockaddr *address)
{
    struct netaddr addr;
    uint16_t port;
    if (netaddr_from_sockaddr(address, &addr, &port) != ST_OK || port != exchange->port)
        return false;
    for (size_t i = 0; i < exchange->pin_count; i++)
        if (netaddr_eq(&exchange->pins[i], &addr))
            return true;
    return false;
}

curl_socket_t shard_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *exchange = arg;
    CHECK_OBJ(exchange, EXCHANGE_MAGIC);
    if (purpose != CURLSOCKTYPE_IPCXN || !is_pinned(exchange, &address->addr)) {
        exchange->failed_egress = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

int shard_close_socket(void *arg, curl_socket_t fd)
{
    struct upstream *upstream = arg;
    if ((size_t)fd < upstream->socket_count && upstream->sockets[fd] != NULL) {
        struct shard_socket *socket = upstream->sockets[fd];
        loop_watch_remove(upstream->loop, &socket->watch);
        socket->wanted = false;
        upstream->sockets[fd] = NULL;
        socket->next_free = upstream->dead_sockets;
        upstream->dead_sockets = socket;
        upstream->reap_job.run = sockets_reap;
        loop_defer(upstream->loop, &upstream->reap_job);
    }
    return close(fd);
}
