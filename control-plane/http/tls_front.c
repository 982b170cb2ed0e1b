/* tls_front.c: accept, handshake, relay.
 *
 *   client == TLS ==> [connection thread] -- plain, loopback --> civetweb
 *
 * One accepting thread, one thread per connection; the pipe `stop` ends all of their polls at once.
 * Both sockets are non-blocking and each direction has one buffer, so a side that does not read
 * holds up its own direction only. Buffers are wiped, as they carry credentials. Must never look
 * into the bytes: what they mean is decided once, behind.
 */
#include "control-plane/http/tls_front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/netaddr.h"

#define FRONT_MAGIC     0x544c5346u
#define FRONT_BUF_BYTES 16384
#define FRONT_STACK     (256u << 10)
#define FRONT_BACKLOG   64

struct front_slot {
    bool used;
    int client;
    uint16_t inner_port; /* local port of our connection to the listener; 0 before it stands */
    struct netaddr peer;
    struct tls_front *front;
};

struct tls_front {
    uint32_t magic;
    SSL_CTX *tls;
    int listeners[TLS_FRONT_ADDRESSES];
    size_t listener_count;
    int stop[2]; /* closing [1] ends every poll of [0] */
    uint16_t port, inner_port;
    bool serving;
    pthread_t acceptor;
    pthread_mutex_t lock; /* of the slots */
    pthread_cond_t idle;  /* a slot became free */
    struct front_slot slots[TLS_FRONT_MAX];
    size_t open;
};

/* One direction of a relay. */
struct flow {
    char bytes[FRONT_BUF_BYTES];
    size_t from, to;
    bool ended;
};

struct relay {
    struct tls_front *front;
    SSL *ssl;
    int client, inner;
    short client_events, inner_events; /* what to wait for */
    struct flow up, down;              /* client to listener, listener to client */
};

/* --- relaying ------------------------------------------------------------------------------------
 */

/* After an SSL call that did nothing: what it waits for. False: the connection is over. */
static bool ssl_wants(struct relay *r, int result)
{
    int error = SSL_get_error(r->ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ)
        r->client_events |= POLLIN;
    else if (error == SSL_ERROR_WANT_WRITE)
        r->client_events |= POLLOUT;
    else
        return false;
    return true;
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Moves what can be moved towards the listener. True if a byte moved. */
static bool move_up(struct relay *r, bool *broken)
{
    bool moved = false;
    if (r->up.from == r->up.to && !r->up.ended) {
        int n = SSL_read(r->ssl, r->up.bytes, FRONT_BUF_BYTES);
        r->up.from = 0;
        r->up.to = n > 0 ? (size_t)n : 0;
        moved = n > 0;
        if (n <= 0 && !ssl_wants(r, n)) {
            r->up.ended = true;
            (void)shutdown(r->inner, SHUT_WR);
        }
    }
    if (r->up.from < r->up.to) {
        ssize_t n = send(r->inner, r->up.bytes + r->up.from, r->up.to - r->up.from, MSG_NOSIGNAL);
        if (n > 0)
            r->up.from += (size_t)n;
        else if (would_block())
            r->inner_events |= POLLOUT;
        else
            *broken = true;
        moved = moved || n > 0;
    }
    return moved;
}

static bool move_down(struct relay *r, bool *broken)
{
    bool moved = false;
    if (r->down.from == r->down.to && !r->down.ended) {
        ssize_t n = recv(r->inner, r->down.bytes, FRONT_BUF_BYTES, 0);
        r->down.from = 0;
        r->down.to = n > 0 ? (size_t)n : 0;
        moved = n > 0;
        if (n < 0 && would_block())
            r->inner_events |= POLLIN;
        else if (n <= 0)
            r->down.ended = true;
    }
    if (r->down.from < r->down.to) {
        int n = SSL_write(r->ssl, r->down.bytes + r->down.from, (int)(r->down.to - r->down.from));
        if (n > 0)
            r->down.from += (size_t)n;
        else if (!ssl_wants(r, n))
            *broken = true;
        moved = moved || n > 0;
    }
    return moved;
}

/* False: time is up, or the front stops. */
static bool wait_for(struct relay *r, int timeout_ms)
{
    struct pollfd fds[3] = {{r->client, r->client_events, 0},
                            {r->inner, r->inner_events, 0},
                            {r->front->stop[0], 0, 0}};
    int n = poll(fds, 3, timeout_ms);
    r->client_events = r->inner_events = 0;
    if (n < 0)
        return errno == EINTR;
    return n > 0 && fds[2].revents == 0;
}

static void run_relay(struct relay *r)
{
    bool broken = false;
    while (!broken && !(r->down.ended && r->down.from == r->down.to)) {
        bool moved = move_up(r, &broken);
        if (move_down(r, &broken) || moved || broken)
            continue;
        if (!wait_for(r, TLS_FRONT_IDLE_MS))
            return;
    }
    if (!broken)
        (void)SSL_shutdown(r->ssl);
}

static bool handshake(struct relay *r)
{
    int64_t deadline_ms = clock_mono_ms() + TLS_FRONT_HANDSHAKE_MS;
    for (;;) {
        int n = SSL_accept(r->ssl);
        if (n == 1)
            return true;
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (!ssl_wants(r, n) || left_ms <= 0 || !wait_for(r, (int)left_ms))
            return false;
    }
}

/* --- connections ---------------------------------------------------------------------------------
 */

static bool set_nonblocking(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static int connect_inner(struct front_slot *slot)
{
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons(slot->front->inner_port)},
                       local;
    socklen_t size = sizeof(local);
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* Bound before it connects, so that the listener can ask for the peer from the first byte on.
     */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
        getsockname(fd, (struct sockaddr *)&local, &size) != 0)
        goto failed;
    CHECK(pthread_mutex_lock(&slot->front->lock) == 0);
    slot->inner_port = ntohs(local.sin_port);
    CHECK(pthread_mutex_unlock(&slot->front->lock) == 0);
    if (connect(fd, (const struct sockaddr *)&target, sizeof(target)) == 0 && set_nonblocking(fd))
        return fd;
failed:
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void *serve_connection(void *arg)
{
    struct front_slot *slot = arg;
    struct tls_front *front = slot->front;
    struct relay *r = calloc(1, sizeof(*r));
    if (r != NULL) {
        r->front = front;
        r->client = slot->client;
        r->inner = -1;
        CHECK(pthread_mutex_lock(&front->lock) == 0);
        r->ssl = SSL_new(front->tls); /* of the identity that holds now: tls_front_reload */
        CHECK(pthread_mutex_unlock(&front->lock) == 0);
        if (r->ssl != NULL && set_nonblocking(r->client) && SSL_set_fd(r->ssl, r->client) == 1 &&
            handshake(r) && (r->inner = connect_inner(slot)) >= 0)
            run_relay(r);
        SSL_free(r->ssl);
        if (r->inner >= 0)
            (void)close(r->inner);
        secret_wipe(r, sizeof(*r));
        free(r);
    }
    (void)close(slot->client);
    CHECK(pthread_mutex_lock(&front->lock) == 0);
    slot->used = false;
    slot->inner_port = 0;
    front->open--;
    CHECK(pthread_cond_signal(&front->idle) == 0);
    CHECK(pthread_mutex_unlock(&front->lock) == 0);
    return NULL;
}

/* A free slot, if this client does not have its share already. */
static struct front_slot *take_slot(struct tls_front *front, int client, const struct netaddr *peer)
{
    struct front_slot *slot = NULL;
    unsigned theirs = 0;
    CHECK(pthread_mutex_lock(&front->lock) == 0);
    for (size_t i = 0; i < TLS_FRONT_MAX; i++) {
        if (!front->slots[i].used)
            slot = &front->slots[i];
        else if (netaddr_eq(&front->slots[i].peer, peer))
            theirs++;
    }
    if (theirs >= TLS_FRONT_PER_ADDRESS)
        slot = NULL;
    if (slot != NULL) {
        *slot = (struct front_slot){.used = true, .client = client, .peer = *peer, .front = front};
        front->open++;
    }
    CHECK(pthread_mutex_unlock(&front->lock) == 0);
    return slot;
}

static void accept_one(struct tls_front *front, int listener)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof(from);
    struct netaddr peer = {0};
    uint16_t port;
    pthread_attr_t attr;
    pthread_t thread;
    int client = accept4(listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC);
    if (client < 0)
        return;
    (void)(netaddr_from_sockaddr((const struct sockaddr *)&from, &peer, &port) == ST_OK);
    struct front_slot *slot = take_slot(front, client, &peer);
    if (slot == NULL) {
        (void)close(client);
        return;
    }
    CHECK(pthread_attr_init(&attr) == 0);
    CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
    CHECK(pthread_attr_setstacksize(&attr, FRONT_STACK) == 0);
    if (pthread_create(&thread, &attr, serve_connection, slot) != 0) {
        CHECK(pthread_mutex_lock(&front->lock) == 0);
        slot->used = false;
        front->open--;
        CHECK(pthread_mutex_unlock(&front->lock) == 0);
        (void)close(client);
    }
    (void)pthread_attr_destroy(&attr);
}

static void *accept_all(void *arg)
{
    struct tls_front *front = arg;
    struct pollfd fds[TLS_FRONT_ADDRESSES + 1];
    for (;;) {
        for (size_t i = 0; i < front->listener_count; i++)
            fds[i] = (struct pollfd){front->listeners[i], POLLIN, 0};
        fds[front->listener_count] = (struct pollfd){front->stop[0], 0, 0};
        int n = poll(fds, front->listener_count + 1, -1);
        if (n < 0 && errno != EINTR)
            return NULL;
        if (n > 0 && fds[front->listener_count].revents != 0)
            return NULL;
        for (size_t i = 0; n > 0 && i < front->listener_count; i++)
            if ((fds[i].revents & POLLIN) != 0)
                accept_one(front, front->listeners[i]);
    }
}

/* --- starting and stopping -----------------------------------------------------------------------
 */

static enum status load_identity(const struct tls_front_options *options, SSL_CTX **out)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL)
        return ST_NO_MEMORY;
    (void)SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS |
                                           SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                           SSL_MODE_ENABLE_PARTIAL_WRITE);
    (void)SSL_CTX_set_options(tls,
                              SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    struct str pem = secret_open(options->key_pem);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    secret_close(options->key_pem);
    bool good = SSL_CTX_use_certificate_chain_file(tls, options->cert_path) == 1 &&
                key != NULL && SSL_CTX_use_PrivateKey(tls, key) == 1 &&
                SSL_CTX_check_private_key(tls) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    if (!good) {
        SSL_CTX_free(tls);
        return ST_INVALID;
    }
    *out = tls;
    return ST_OK;
}

enum status tls_front_reload(struct tls_front *front, const struct tls_front_options *options)
{
    SSL_CTX *tls;
    TRY(load_identity(options, &tls));
    pthread_mutex_lock(&front->lock);
    SSL_CTX *before = front->tls;
    front->tls = tls;
    pthread_mutex_unlock(&front->lock);
    SSL_CTX_free(before); /* connections that were made with it hold it until they end */
    return ST_OK;
}


static enum status listen_on(struct tls_front *front, struct str address)
{
    struct netaddr addr;
    struct sockaddr_storage at;
    socklen_t size;
    uint16_t port;
    int on = 1;
    if (front->listener_count == TLS_FRONT_ADDRESSES || netaddr_from_text(address, &addr) != ST_OK)
        return ST_INVALID;
    size = netaddr_to_sockaddr(&addr, front->port, &at);
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return ST_IO;
    front->listeners[front->listener_count++] = fd;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&at, size) != 0 || listen(fd, FRONT_BACKLOG) != 0)
        return ST_IO;
    size = sizeof(at);
    if (front->port == 0 && getsockname(fd, (struct sockaddr *)&at, &size) == 0 &&
        netaddr_from_sockaddr((const struct sockaddr *)&at, &addr, &port) == ST_OK)
        front->port = port;
    return ST_OK;
}

enum status tls_front_start(const struct tls_front_options *options, struct tls_front **out)
{
    struct tls_front *front = calloc(1, sizeof(*front));
    struct str rest = options->addresses, address;
    if (front == NULL)
        return ST_NO_MEMORY;
    front->magic = FRONT_MAGIC;
    front->port = options->port;
    front->stop[0] = front->stop[1] = -1;
    CHECK(pthread_mutex_init(&front->lock, NULL) == 0);
    CHECK(pthread_cond_init(&front->idle, NULL) == 0);
    enum status status = load_identity(options, &front->tls);
    if (status == ST_OK && pipe2(front->stop, O_CLOEXEC) != 0)
        status = ST_IO;
    while (status == ST_OK && str_split(&rest, ',', &address))
        status = listen_on(front, str_trim(address));
    if (status != ST_OK) {
        tls_front_stop(front);
        return status;
    }
    *out = front;
    return ST_OK;
}

enum status tls_front_serve(struct tls_front *front, uint16_t inner_port)
{
    CHECK_OBJ(front, FRONT_MAGIC);
    front->inner_port = inner_port;
    if (pthread_create(&front->acceptor, NULL, accept_all, front) != 0)
        return ST_NO_MEMORY;
    front->serving = true;
    return ST_OK;
}

void tls_front_stop(struct tls_front *front)
{
    if (front == NULL)
        return;
    CHECK_OBJ(front, FRONT_MAGIC);
    if (front->stop[1] >= 0)
        (void)close(front->stop[1]);
    if (front->serving)
        (void)pthread_join(front->acceptor, NULL);
    CHECK(pthread_mutex_lock(&front->lock) == 0);
    while (front->open > 0)
        CHECK(pthread_cond_wait(&front->idle, &front->lock) == 0);
    CHECK(pthread_mutex_unlock(&front->lock) == 0);
    for (size_t i = 0; i < front->listener_count; i++)
        (void)close(front->listeners[i]);
    if (front->stop[0] >= 0)
        (void)close(front->stop[0]);
    SSL_CTX_free(front->tls);
    (void)pthread_cond_destroy(&front->idle);
    (void)pthread_mutex_destroy(&front->lock);
    front->magic = 0;
    free(front);
}

uint16_t tls_front_port(const struct tls_front *front)
{
    CHECK_OBJ(front, FRONT_MAGIC);
    return front->port;
}

bool tls_front_peer(void *arg, uint16_t port, char address[64])
{
    struct tls_front *front = arg;
    bool found = false;
    if (front == NULL)
        return false;
    CHECK_OBJ(front, FRONT_MAGIC);
    CHECK(pthread_mutex_lock(&front->lock) == 0);
    for (size_t i = 0; i < TLS_FRONT_MAX && !found; i++) {
        found = front->slots[i].used && front->slots[i].inner_port == port;
        if (found)
            netaddr_to_text(&front->slots[i].peer, address);
    }
    CHECK(pthread_mutex_unlock(&front->lock) == 0);
    return found;
}
