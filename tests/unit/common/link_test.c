/* link_test.c: the link over loopback: what it carries, and who gets nothing. Strangers are played with raw sockets and OpenSSL. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/link.h"
#include "common/pki.h"

static struct arena arena;
static struct pki_pair ca, server_pair, client_pair, foreign_ca, foreign_pair;
static struct link_server *server;
static struct link_client *client;
static _Atomic unsigned handled;
static pthread_mutex_t parked_lock = PTHREAD_MUTEX_INITIALIZER;
static struct link_request *parked[64];
static size_t parked_count;
static char url[64];
static _Atomic uint32_t last_peer, gone_peer;

static void note_gone(void *arg, uint32_t peer)
{
    (void)arg;
    atomic_store(&gone_peer, peer);
}

/* "park" waits for release_parked, "drop" gets no answer, "big" 16 MiB, all else comes back. */
static void handle(void *arg, struct link_request *request)
{
    (void)arg;
    atomic_fetch_add(&handled, 1);
    atomic_store(&last_peer, link_request_peer(request));
    struct str wire = link_request_wire(request);
    if (str_eq(wire, STR("park"))) {
        pthread_mutex_lock(&parked_lock);
        parked[parked_count++] = request;
        pthread_mutex_unlock(&parked_lock);
    } else if (str_eq(wire, STR("drop"))) {
        link_request_drop(request);
    } else if (str_eq(wire, STR("big"))) {
        char *big = calloc(1, LINK_MAX_BYTES);
        link_request_reply(request, str_of(big, LINK_MAX_BYTES));
        free(big);
    } else {
        link_request_reply(request, wire);
    }
}

static size_t parked_now(void)
{
    pthread_mutex_lock(&parked_lock);
    size_t n = parked_count;
    pthread_mutex_unlock(&parked_lock);
    return n;
}

static void release_parked(void)
{
    pthread_mutex_lock(&parked_lock);
    for (size_t i = 0; i < parked_count; i++)
        link_request_reply(parked[i], STR("released"));
    parked_count = 0;
    pthread_mutex_unlock(&parked_lock);
}

static struct link_identity identity(const struct pki_pair *pair, const struct pki_pair *issuer)
{
    return (struct link_identity){pair->cert_pem.p, pair->key_pem.p, issuer->cert_pem.p};
}

static void setup(void)
{
    arena_init(&arena, 256u << 20);
    cr_assert_eq(pki_make_ca(&arena, "ours", &ca), ST_OK);
    cr_assert_eq(pki_make_ca(&arena, "foreign", &foreign_ca), ST_OK);
    cr_assert_eq(pki_make_server(&arena, &ca, NULL, 0, &server_pair), ST_OK);
    cr_assert_eq(pki_make_client(&arena, &ca, "node", &client_pair), ST_OK);
    cr_assert_eq(pki_make_client(&arena, &foreign_ca, "node", &foreign_pair), ST_OK);
    struct link_server_options options = {.url = "tls+tcp://127.0.0.1:0",
                                          .identity = identity(&server_pair, &ca),
                                          .parked_max = 40,
                                          .handler = handle,
                                          .gone = note_gone};
    cr_assert_eq(link_server_start(&options, &server), ST_OK);
    cr_assert_neq(link_server_port(server), 0);
    snprintf(url, sizeof url, "tls+tcp://127.0.0.1:%u", link_server_port(server));
    struct link_identity id = identity(&client_pair, &ca);
    cr_assert_eq(link_client_open(url, &id, NULL, NULL, &client), ST_OK);
}

static void teardown(void)
{
    release_parked();
    link_client_interrupt(client);
    link_server_stop(server);
    arena_free(&arena);
}

TestSuite(link, .init = setup, .fini = teardown, .timeout = 240);

static enum status call(struct str request, unsigned timeout_ms, struct str *reply)
{
    return link_client_call(client, request, timeout_ms, &arena, reply);
}

static void assert_alive(void)
{
    struct str reply;
    cr_assert_eq(call(STR("alive?"), 10000, &reply), ST_OK);
    cr_assert(str_eq(reply, STR("alive?")));
}

Test(link, carries_a_request_and_its_reply)
{
    assert_alive();
    while (!link_client_up(client)) /* told on a thread of its own, maybe behind the first reply */
        usleep(1000);
}

Test(link, carries_sixteen_mebibytes_and_no_more)
{
    struct str reply;
    cr_assert_eq(call(STR("big"), 20000, &reply), ST_OK);
    cr_assert_eq(reply.n, LINK_MAX_BYTES);
    cr_assert_eq(call(str_of(reply.p, LINK_MAX_BYTES), 20000, &reply), ST_OK);
    cr_assert_eq(reply.n, LINK_MAX_BYTES);
    cr_assert_eq(call(str_of(reply.p, LINK_MAX_BYTES + 1), 20000, &reply), ST_TOO_LARGE);
    assert_alive();
}

Test(link, without_an_answer_the_call_ends_at_its_timeout)
{
    struct str reply;
    cr_assert_eq(call(STR("drop"), 300, &reply), ST_CONTROL_AWAY);
    assert_alive();
}

static void *park(void *arg)
{
    struct arena own;
    arena_init(&own, 1u << 20);
    struct str reply = STR_NONE;
    *(enum status *)arg = link_client_call(client, STR("park"), 20000, &own, &reply);
    if (*(enum status *)arg == ST_OK && !str_eq(reply, STR("released")))
        *(enum status *)arg = ST_INVALID;
    arena_free(&own);
    return NULL;
}

enum { PARKERS = 15 };

static void start_parkers(pthread_t threads[PARKERS], enum status results[PARKERS])
{
    for (int i = 0; i < PARKERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, park, &results[i]), 0);
    while (parked_now() < PARKERS)
        usleep(1000);
}

Test(link, parked_requests_do_not_hold_up_others)
{
    pthread_t threads[PARKERS];
    enum status results[PARKERS];
    start_parkers(threads, results);
    for (int i = 0; i < 50; i++)
        assert_alive();
    release_parked();
    for (int i = 0; i < PARKERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(results[i], ST_OK);
    }
}

Test(link, interrupt_ends_calls_now_and_later)
{
    pthread_t threads[PARKERS];
    enum status results[PARKERS];
    start_parkers(threads, results);
    link_client_interrupt(client);
    for (int i = 0; i < PARKERS; i++) {
        pthread_join(threads[i], NULL);
        cr_expect_eq(results[i], ST_CLOSED);
    }
    struct str reply;
    cr_assert_eq(call(STR("x"), 1000, &reply), ST_CLOSED);
}

Test(link, too_many_calls_at_once_are_refused)
{
    pthread_t threads[PARKERS], last;
    enum status results[PARKERS], result;
    start_parkers(threads, results);
    cr_assert_eq(pthread_create(&last, NULL, park, &result), 0);
    while (parked_now() < PARKERS + 1)
        usleep(1000);
    struct str reply;
    cr_expect_eq(call(STR("x"), 1000, &reply), ST_OVERLOADED);
    release_parked();
    for (int i = 0; i < PARKERS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(last, NULL);
}

Test(link, foreign_certificates_get_nothing)
{
    struct link_identity rows[] = {
        identity(&foreign_pair, &ca),         /* the server must not take this client */
        identity(&foreign_pair, &foreign_ca), /* neither side knows the other */
        identity(&client_pair, &foreign_ca),  /* the client must not take this server */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct link_client *stranger;
        struct str reply;
        cr_assert_eq(link_client_open(url, &rows[i], NULL, NULL, &stranger), ST_OK);
        cr_expect_eq(link_client_call(stranger, STR("hello"), 600, &arena, &reply), ST_CONTROL_AWAY, "row %zu", i);
    }
    cr_expect_eq(atomic_load(&handled), 0);
    assert_alive();
}

Test(link, a_node_cannot_play_the_server)
{
    struct link_server *fake;
    struct link_server_options options = {
        .url = "tls+tcp://127.0.0.1:0", .identity = identity(&client_pair, &ca), .handler = handle};
    cr_assert_eq(link_server_start(&options, &fake), ST_OK);
    char fake_url[64];
    snprintf(fake_url, sizeof fake_url, "tls+tcp://127.0.0.1:%u", link_server_port(fake));
    struct link_client *victim;
    struct link_identity id = identity(&client_pair, &ca);
    struct str reply;
    cr_assert_eq(link_client_open(fake_url, &id, NULL, NULL, &victim), ST_OK);
    cr_expect_eq(link_client_call(victim, STR("hello"), 600, &arena, &reply), ST_CONTROL_AWAY);
    cr_expect_eq(atomic_load(&handled), 0);
}

Test(link, unusable_options_are_refused)
{
    struct link_identity good = identity(&client_pair, &ca), bad = {"x", "y", "z"};
    struct link_client *none;
    cr_expect_eq(link_client_open("tcp://127.0.0.1:1", &good, NULL, NULL, &none), ST_INVALID);
    cr_expect_eq(link_client_open(NULL, &good, NULL, NULL, &none), ST_INVALID);
    cr_expect_eq(link_client_open(url, &bad, NULL, NULL, &none), ST_INVALID);
    struct link_server *second;
    struct link_server_options taken = {.url = url, .identity = identity(&server_pair, &ca), .handler = handle};
    cr_expect_eq(link_server_start(&taken, &second), ST_CONFLICT);
    taken.url = "tcp://127.0.0.1:0";
    cr_expect_eq(link_server_start(&taken, &second), ST_INVALID);
}

/* --- strangers on raw sockets ------------------------------------------------------------------------ */

static int raw_connect(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(link_server_port(server))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = 5};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

Test(link, plain_bytes_get_nothing_and_hurt_nothing)
{
    static const struct {
        const char *p;
        size_t n;
    } rows[] = {
#define RAW(literal) {literal, sizeof(literal) - 1}
        RAW(""),
        RAW("\0SP\0\0\x30\0\0"), /* nng's own greeting over plain TCP */
        RAW("\0SP\0\0\x30\0\0\0\0\0\0\0\0\0\x08\x80\0\0\x01hell"),
        RAW("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        RAW("\x16\x03\x01\xff\xff\x01"),
        RAW("\x16\x03\x01\x00\x05\x01\xff\xff\xff\x03"),
        RAW("\x15\x03\x03\x00\x02\x02\x28"),
        RAW("\x80\x2e\x01\x00\x02"),
#undef RAW
    };
    for (unsigned round = 0; round < 5; round++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            int fd = raw_connect();
            cr_assert_eq(send(fd, rows[i].p, rows[i].n, MSG_NOSIGNAL), (ssize_t)rows[i].n);
            if (round == 1)
                shutdown(fd, SHUT_WR);
            if (round == 2) {
                struct linger reset = {.l_onoff = 1};
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            }
            char room[64];
            ssize_t n = round == 1 ? recv(fd, room, sizeof room, 0) : 0;
            cr_expect(n < 64 && (n <= 0 || memcmp(room, "\0SP", 3) != 0), "row %zu was greeted", i);
            close(fd);
        }
    }
    cr_expect_eq(atomic_load(&handled), 0);
    assert_alive();
}

static SSL *tls_connect(int fd, const struct pki_pair *pair, SSL_CTX **ctx)
{
    *ctx = SSL_CTX_new(TLS_client_method());
    if (pair != NULL) {
        BIO *cert = BIO_new_mem_buf(pair->cert_pem.p, -1), *key = BIO_new_mem_buf(pair->key_pem.p, -1);
        X509 *x509 = PEM_read_bio_X509(cert, NULL, NULL, NULL);
        EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
        cr_assert_eq(SSL_CTX_use_certificate(*ctx, x509), 1);
        cr_assert_eq(SSL_CTX_use_PrivateKey(*ctx, pkey), 1);
        EVP_PKEY_free(pkey);
        X509_free(x509);
        BIO_free(key);
        BIO_free(cert);
    }
    SSL *ssl = SSL_new(*ctx);
    SSL_set_fd(ssl, fd);
    return ssl;
}

/* True if the peer finishes the handshake and greets as nng does. */
static bool greeted(const struct pki_pair *pair, const void *then, size_t n)
{
    SSL_CTX *ctx;
    int fd = raw_connect();
    SSL *ssl = tls_connect(fd, pair, &ctx);
    char room[16] = "";
    bool ok = SSL_connect(ssl) == 1 && SSL_write(ssl, "\0SP\0\0\x30\0\0", 8) == 8 && SSL_read(ssl, room, 8) == 8 &&
              memcmp(room, "\0SP", 3) == 0;
    if (ok && n > 0)
        cr_expect_eq(SSL_write(ssl, then, (int)n), (int)n);
    if (ok && n > 0)
        cr_expect_leq(SSL_read(ssl, room, sizeof room), 0, "an answer to garbage");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return ok;
}

Test(link, no_client_certificate_no_greeting)
{
    cr_expect(greeted(&client_pair, NULL, 0));
    cr_expect_not(greeted(NULL, NULL, 0));
    cr_expect_not(greeted(&foreign_pair, NULL, 0));
    cr_expect_not(greeted(&server_pair, NULL, 0), "a server's certificate is no client's");
    assert_alive();
}

Test(link, a_connection_that_ends_is_told)
{
    /* length 8, request id, then 4 bytes that come back */
    static const char request[] = "\0\0\0\0\0\0\0\x08\x80\0\0\1" "ping";
    SSL_CTX *ctx;
    int fd = raw_connect();
    SSL *ssl = tls_connect(fd, &client_pair, &ctx);
    char room[64];
    cr_assert_eq(SSL_connect(ssl), 1);
    cr_assert_eq(SSL_write(ssl, "\0SP\0\0\x30\0\0", 8), 8);
    cr_assert_eq(SSL_read(ssl, room, 8), 8);
    cr_assert_eq(SSL_write(ssl, request, 16), 16);
    cr_assert_gt(SSL_read(ssl, room, sizeof room), 0);
    cr_assert_neq(atomic_load(&last_peer), 0);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    while (atomic_load(&gone_peer) != atomic_load(&last_peer))
        usleep(1000);
}

Test(link, a_length_above_the_cap_ends_the_connection)
{
    /* nng's length is 8 bytes big-endian; then a request id. */
    static const char four_gib[] = "\0\0\0\1\0\0\0\0\x80\0\0\1";
    static const char over[] = "\0\0\0\0\x01\x10\0\0\x80\0\0\1";
    static const char huge[] = "\x7f\xff\xff\xff\xff\xff\xff\xff\x80\0\0\1";
    cr_expect(greeted(&client_pair, four_gib, 12));
    cr_expect(greeted(&client_pair, over, 12));
    cr_expect(greeted(&client_pair, huge, 12));
    cr_expect_eq(atomic_load(&handled), 0);
    assert_alive();
}

/* --- a connection that dies without a word ----------------------------------------------------------- */

static int relay_listener;
static _Atomic int relay_frozen; /* connections with a number up to this one carry nothing any more */

/* Carries bytes between two sockets until one ends, or for ever nothing once it is frozen. */
static void relay_carry(int number, int a, int b)
{
    char room[4096];
    struct pollfd ends[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
    while (number > atomic_load(&relay_frozen)) {
        if (poll(ends, 2, 20) <= 0)
            continue;
        for (int i = 0; i < 2; i++) {
            ssize_t n = (ends[i].revents & POLLIN) == 0 ? 0 : recv(ends[i].fd, room, sizeof room, 0);
            if (n > 0 && number > atomic_load(&relay_frozen))
                send(ends[1 - i].fd, room, (size_t)n, MSG_NOSIGNAL);
            if (n == 0 && (ends[i].revents & (POLLIN | POLLHUP)) != 0)
                return;
        }
    }
    pause();
}

static void *relay_connection(void *arg)
{
    static _Atomic int count;
    relay_carry(atomic_fetch_add(&count, 1) + 1, (int)(intptr_t)arg, raw_connect());
    return NULL;
}

static void *relay(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_t thread;
        int fd = accept(relay_listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        pthread_create(&thread, NULL, relay_connection, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
}

Test(link, a_connection_that_is_silent_is_given_up)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    pthread_t thread;
    char relay_url[64];
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    relay_listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(relay_listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(relay_listener, 8), 0);
    cr_assert_eq(getsockname(relay_listener, (struct sockaddr *)&at, &n), 0);
    cr_assert_eq(pthread_create(&thread, NULL, relay, NULL), 0);
    snprintf(relay_url, sizeof relay_url, "tls+tcp://127.0.0.1:%u", ntohs(at.sin_port));
    struct link_client *far;
    struct link_identity id = identity(&client_pair, &ca);
    struct str reply;
    cr_assert_eq(link_client_open(relay_url, &id, NULL, NULL, &far), ST_OK);
    cr_assert_eq(link_client_call(far, STR("one"), 10000, &arena, &reply), ST_OK);
    atomic_store(&relay_frozen, 1);
    cr_expect_eq(link_client_call(far, STR("two"), LINK_DEAD_MS, &arena, &reply), ST_CONTROL_AWAY);
    cr_expect_eq(link_client_call(far, STR("three"), 20000, &arena, &reply), ST_OK);
    cr_expect(str_eq(reply, STR("three")));
}

Test(link, backoff_is_jittered_within_its_bounds)
{
    for (unsigned tries = 0; tries < 40; tries++) {
        unsigned top = tries < 5 ? 200u << tries : LINK_RECONNECT_MAX_MS;
        unsigned ms = link_backoff_ms(tries);
        cr_expect(ms >= 1 && ms <= (top < 30000 ? top : 30000), "%u: %u", tries, ms);
    }
}
