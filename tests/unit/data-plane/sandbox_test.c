/* The sandbox refuses every forbidden act and leaves what serving needs: sockets on an event loop,
 * and libcurl with TLS. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "data-plane/sandbox.h"

/* Runs `body` in a child; its exit code, or 256 + the signal that ended it. */
static int in_child(int (*body)(void *arg), void *arg)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body(arg));
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static int try_all(void *arg)
{
    struct sandbox_report report;
    (void)arg;
    if (sandbox_lock((const uint16_t[]){443}, 1, true, &report) != ST_OK)
        return 200;
    for (int i = 0; sandbox_act_name((size_t)i) != NULL; i++) {
        bool refused = false;
        if (sandbox_try(sandbox_act_name((size_t)i), &refused) != ST_OK || !refused)
            return i + 1;
    }
    return 0;
}

Test(sandbox, every_act_is_refused)
{
    int code = in_child(try_all, NULL);
    cr_assert_eq(code, 0, "%d: %s", code,
                 code > 0 && code < 200 ? sandbox_act_name((size_t)code - 1) : "not locked");
}

/* The acts themselves work where nothing is locked, or the test above would prove nothing. */
static int try_unlocked(void *arg)
{
    static const char *const acts[] = {
        "open",       "stat",        "exec", "fork",      "thread",        "connect", "bind",
        "socket_udp", "socket_unix", "kill", "mmap_exec", "mprotect_exec", "memfd",   "chdir"};
    (void)arg;
    for (int i = 0; i < (int)COUNT_OF(acts); i++) {
        bool refused = true;
        if (sandbox_try(acts[i], &refused) != ST_OK || refused)
            return i + 1;
    }
    return 0;
}

Test(sandbox, acts_succeed_without_it)
{
    cr_assert_eq(in_child(try_unlocked, NULL), 0);
    bool refused;
    cr_assert_eq(sandbox_try("levitate", &refused), ST_NOT_FOUND);
}

/* --- what must still work --- */

static int listen_any(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 16) == 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

struct serve {
    int listener;
    uint16_t port;
};

#define NEED(expr)                                                                                 \
    do {                                                                                           \
        if (!(expr))                                                                               \
            return __LINE__ & 0xFF;                                                                \
    } while (0)

static int serve_sockets(void *arg)
{
    const struct serve *serve = arg;
    struct sandbox_report report;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(serve->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    NEED(sandbox_lock(&serve->port, 1, true, &report) == ST_OK);
    int loop = epoll_create1(EPOLL_CLOEXEC),
        out = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    NEED(loop >= 0 && out >= 0);
    NEED(connect(out, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = serve->listener};
    NEED(epoll_ctl(loop, EPOLL_CTL_ADD, serve->listener, &event) == 0);
    NEED(epoll_wait(loop, &event, 1, 2000) == 1);
    int in = accept4(serve->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    NEED(in >= 0);
    int one = 1, error;
    socklen_t n = sizeof error;
    NEED(setsockopt(in, IPPROTO_TCP, 1, &one, sizeof one) == 0);
    NEED(getsockopt(out, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0);
    char bytes[4];
    struct pollfd wait = {.fd = in, .events = POLLIN};
    NEED(send(out, "ping", 4, MSG_NOSIGNAL) == 4 && poll(&wait, 1, 2000) == 1 &&
         recv(in, bytes, 4, 0) == 4);
    NEED(shutdown(out, SHUT_WR) == 0 && close(in) == 0 && close(out) == 0);
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), bell = eventfd(0, EFD_CLOEXEC);
    NEED(timer >= 0 && bell >= 0 && timerfd_settime(timer, 0, &soon, NULL) == 0);
    char *big = malloc(64u << 20);
    NEED(big != NULL && realloc(big, 128u << 20) != NULL && getrandom(bytes, 4, 0) == 4);
    struct timespec now;
    NEED(clock_gettime(CLOCK_REALTIME, &now) == 0);
    NEED(signal(SIGTERM, SIG_IGN) != SIG_ERR);
    return 0;
}

Test(sandbox, sockets_memory_and_time_still_work)
{
    struct serve serve;
    serve.listener = listen_any(&serve.port);
    cr_assert_eq(in_child(serve_sockets, &serve), 0);
}

static int abort_inside(void *arg)
{
    struct sandbox_report report;
    if (sandbox_lock(arg, 0, true, &report) != ST_OK)
        return 1;
    abort();
}

Test(sandbox, abort_still_aborts)
{
    cr_assert_eq(in_child(abort_inside, NULL), 256 + SIGABRT);
}

static int lock_twice_with_too_many(void *arg)
{
    static const uint16_t ports[SANDBOX_PORTS_MAX + 1];
    struct sandbox_report report;
    (void)arg;
    return sandbox_lock(ports, SANDBOX_PORTS_MAX + 1, true, &report) == ST_INVALID ? 0 : 1;
}

Test(sandbox, port_list_is_bounded)
{
    cr_assert_eq(in_child(lock_twice_with_too_many, NULL), 0);
}

/* --- HTTPS by libcurl --- */

static void make_certificate(EVP_PKEY **key, X509 **certificate)
{
    *key = EVP_EC_gen("P-256");
    *certificate = X509_new();
    X509_set_version(*certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(*certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(*certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(*certificate), 3600);
    X509_set_pubkey(*certificate, *key);
    X509_NAME *name = X509_get_subject_name(*certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"api.test", -1, -1,
                               0);
    X509_set_issuer_name(*certificate, name);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:api.test");
    X509_add_ext(*certificate, san, -1);
    X509_EXTENSION_free(san);
    cr_assert(X509_sign(*certificate, *key, EVP_sha256()) > 0);
}

_Noreturn static void serve_tls(int listener, EVP_PKEY *key, X509 *certificate)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        SSL *ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        char request[4096];
        if (SSL_accept(ssl) == 1) {
            while (SSL_read(ssl, request, sizeof request) > 0)
                SSL_write(ssl, reply, sizeof reply - 1);
        }
        SSL_free(ssl);
        close(fd);
    }
}

struct fetch {
    uint16_t port;
    char *pem;
    long pem_n;
};

static size_t swallow(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    *(size_t *)arg += n * size;
    return n * size;
}

/* A multi handle and its easy handles are made after the lock, as a worker does, on a connection
 * that is reused. */
static int fetch_inside(void *arg)
{
    const struct fetch *fetch = arg;
    struct sandbox_report report;
    char url[64], pin[64];
    NEED(curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
    NEED(sandbox_lock(&fetch->port, 1, true, &report) == ST_OK);
    snprintf(url, sizeof url, "https://api.test:%u/v1", fetch->port);
    snprintf(pin, sizeof pin, "api.test:%u:127.0.0.1", fetch->port);
    struct curl_slist *pins = curl_slist_append(NULL, pin);
    struct curl_blob ca = {fetch->pem, (size_t)fetch->pem_n, CURL_BLOB_COPY};
    CURLM *multi = curl_multi_init();
    NEED(multi != NULL);
    for (int i = 0; i < 3; i++) {
        CURL *easy = curl_easy_init();
        size_t got = 0;
        NEED(easy != NULL);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_RESOLVE, pins);
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 20000L);
        NEED(curl_multi_add_handle(multi, easy) == CURLM_OK);
        int running = 1, left;
        while (running > 0) {
            NEED(curl_multi_perform(multi, &running) == CURLM_OK);
            curl_multi_poll(multi, NULL, 0, 100, NULL);
        }
        CURLMsg *message = curl_multi_info_read(multi, &left);
        NEED(message != NULL && message->data.result == CURLE_OK && got == 2);
        curl_multi_remove_handle(multi, easy);
        curl_easy_cleanup(easy);
    }
    curl_multi_cleanup(multi);
    return 0;
}

Test(sandbox, libcurl_speaks_tls_inside, .timeout = 60)
{
    EVP_PKEY *key;
    X509 *certificate;
    struct fetch fetch;
    make_certificate(&key, &certificate);
    int listener = listen_any(&fetch.port);
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    fetch.pem_n = BIO_get_mem_data(bio, &fetch.pem);
    pid_t server = fork();
    if (server == 0)
        serve_tls(listener, key, certificate);
    int code = in_child(fetch_inside, &fetch);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    BIO_free(bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
    close(listener);
    cr_assert_eq(code, 0, "line %d of this file modulo 256", code);
}
