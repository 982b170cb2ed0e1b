/* upstream_internal.h: what upstream.c (exchanges), upstream_request.c, upstream_shard.c (multi
 * handles on the loop) and upstream_tls.c share.
 *
 *   upstream 1--n shard (one CURLM each, first-fit) ; exchange = one easy handle, recycled with its
 * memory block Timers: shard.timer (libcurl's wish), exchange.timer (first byte, idle and total,
 * checked lazily).
 */
#ifndef SLUICE_DATA_UPSTREAM_INTERNAL_H
#define SLUICE_DATA_UPSTREAM_INTERNAL_H

#include <curl/curl.h>
#include <openssl/x509.h>

#include "common/buf.h"
#include "data-plane/upstream.h"

#define UPSTREAM_SHARDS         256
#define UPSTREAM_IDLE_PER_SHARD 100L
#define UPSTREAM_FREE_MAX       512
#define UPSTREAM_PINS_MAX       16
#define UPSTREAM_PORTS_MAX      64
#define SHARD_RESOLVED          16
#define SHARD_HOST_MAX          128
#define SHARD_RESOLVE_KEEP_MS   30000 /* libcurl keeps an entry 60 s (CURLOPT_DNS_CACHE_TIMEOUT) */
#define EXCHANGE_MAGIC          0x45584348u

/* What a shard's libcurl was told about one (organisation, host, port) lately. */
struct shard_resolved {
    struct id org;
    struct str host; /* in room */
    char room[SHARD_HOST_MAX];
    uint16_t port;
    uint32_t version;
    struct netaddr first;
    int64_t until_ns;
};

struct shard {
    struct upstream *upstream;
    CURLM *multi;
    struct loop_timer timer;
    struct loop_job
        kick; /* run libcurl once at the end of this turn: new transfers begin without a timer */
    uint32_t active;
    struct shard_resolved resolved[SHARD_RESOLVED]; /* direct-mapped */
};

/* A descriptor that libcurl watches; stays registered between transfers (shard_socket). */
struct shard_socket {
    struct loop_watch watch; /* owner: the shard */
    struct shard_socket *next_free;
    bool wanted; /* libcurl waits for it now */
};

enum exchange_state { EXCHANGE_FREE, EXCHANGE_RUNNING, EXCHANGE_CANCELLED };

struct exchange {
    uint32_t magic;
    enum exchange_state state;
    struct upstream *upstream;
    struct shard *shard;
    CURL *easy;
    const struct upstream_events *events;
    void *arg;
    struct buf block; /* header lines, slist nodes, resolve entry; wiped at the end */
    struct loop_timer timer;
    struct upstream_times times;
    int64_t started_ns, sent_ns, last_ns;
    struct netaddr pins[UPSTREAM_PINS_MAX];
    size_t pin_count;
    uint16_t port;
    bool sent, head_seen, first_byte, failed_egress, resume_wanted, body_paused, read_paused;
    int http_status;
    enum status forced;    /* own time-out: reported instead of libcurl's result */
    struct exchange *next; /* free list */
    struct exchange *next_deferred;
    bool deferred;
};

struct upstream {
    struct worker *worker;
    struct loop *loop;
    X509_STORE *store;
    struct egress_rules egress;
    uint16_t ports[UPSTREAM_PORTS_MAX];
    struct shard *shards[UPSTREAM_SHARDS];
    struct shard_socket **sockets; /* by descriptor */
    size_t socket_count;
    struct shard_socket *free_sockets, *dead_sockets;
    struct exchange *free_exchanges;
    uint32_t free_count, active;
    struct exchange *deferred; /* cancelled or resumed from within a libcurl callback */
    struct loop_job deferred_job, reap_job;
    unsigned in_curl; /* > 0: libcurl is on the stack */
};

/* upstream_shard.c */
MUST_USE enum status shard_pick(struct upstream *upstream, struct shard **shard);
/* True if this shard was told the same addresses less than SHARD_RESOLVE_KEEP_MS ago; else notes
 * that it is told now. */
bool shard_resolves(struct shard *shard, const struct upstream_request *request);
void shard_kick(struct shard *shard);
void shard_free(struct shard *shard);
curl_socket_t shard_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);
int shard_close_socket(void *arg, curl_socket_t fd);

/* upstream.c: a finished transfer of a shard. */
void exchange_finish(struct exchange *exchange, CURLcode result);

/* upstream_request.c: sets everything of one request on the easy handle. ST_INVALID, ST_NO_MEMORY,
 * ST_TOO_LARGE. */
MUST_USE enum status upstream_build(struct exchange *exchange,
                                    const struct upstream_request *request);

/* upstream_tls.c */
MUST_USE enum status upstream_tls_load(const char *ca_file, const char *extra_ca_file,
                                       X509_STORE **store);
CURLcode upstream_tls_context(CURL *easy, void *ssl_ctx, void *arg);

#endif
