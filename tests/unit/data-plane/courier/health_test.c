/* The status port: pages, refusals, and peers that never finish. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data-plane/courier/health.h"
#include "data-plane/courier/host_state.h"

static struct loop *loop;
static struct health *health;
static struct segment seg;
static struct host_state state;
static int listener;
static uint16_t port;
static pthread_t thread;
static struct loop_timer stopper;
static _Atomic bool stop;

static void poll_stop(struct loop_timer *timer)
{
    if (stop)
        loop_stop(loop);
    else
        loop_timer_set(loop, timer, 5);
}

static void *run(void *arg)
{
    stopper = (struct loop_timer){.expired = poll_stop};
    loop_timer_set(loop, &stopper, 0);
    loop_run(loop, NULL, NULL);
    return arg;
}

static void setup(void)
{
    static const struct id node = {{5}};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert(bind(listener, (struct sockaddr *)&at, n) == 0 && listen(listener, 512) == 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    port = ntohs(at.sin_port);
    cr_assert_eq(segment_create(2, 16, 64, &node, 7, &seg), ST_OK);
    host_state_init(&state, &seg, 60);
    cr_assert_eq(loop_new(&loop), ST_OK);
    cr_assert_eq(health_open(loop, &listener, 1, host_state_page, &state, &health), ST_OK);
    cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
}

static void teardown(void)
{
    stop = true;
    pthread_join(thread, NULL);
    health_close(health);
    loop_free(loop);
    segment_close(&seg);
    close(listener);
}

TestSuite(health, .init = setup, .fini = teardown, .timeout = 60);

static int dial(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static char answer[1 << 20];

static int ask(const char *request, size_t n, size_t split)
{
    int fd = dial();
    size_t got = 0;
    ssize_t more;
    for (size_t at = 0; at < n; at += split)
        (void)!send(fd, request + at, n - at < split ? n - at : split, MSG_NOSIGNAL);
    while ((more = recv(fd, answer + got, sizeof answer - 1 - got, 0)) > 0)
        got += (size_t)more;
    answer[got] = '\0';
    close(fd);
    return got > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

#define ASK(text) ask(text, sizeof(text) - 1, sizeof(text))

Test(health, pages)
{
    cr_assert_eq(ASK("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    cr_assert_not_null(strstr(answer, "\r\n\r\n{\"status\":\"ok\"}\n"));
    cr_assert_eq(ASK("GET /readyz?verbose HTTP/1.0\r\n\r\n"), 503);
    cr_assert_eq(ASK("GET /metrics HTTP/1.1\r\n\r\n"), 200);
    cr_assert_not_null(strstr(answer, "\nsluice_workers_ready 0\n"));
    cr_assert_eq(ASK("HEAD /healthz HTTP/1.1\r\n\r\n"), 200);
    cr_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

Test(health, readiness)
{
    struct column_head *column = segment_column(&seg, 0);
    uint32_t index;
    cr_assert_eq(segment_assign(&seg, 0, 1, &index), ST_OK);
    column->ready = 1;
    column->sandbox = COLUMN_SANDBOX_SECCOMP | COLUMN_SANDBOX_LANDLOCK_FILES;
    seg.head->status.has_catalog = 1;
    cr_assert_eq(ASK("GET /readyz HTTP/1.1\r\n\r\n"), 503,
                 "never heard the control plane, and a limit on staleness");
    cr_assert_not_null(strstr(answer, "\"contact_age_s\":null"));
    state.max_staleness_s = 0;
    cr_assert_eq(ASK("GET /readyz HTTP/1.1\r\n\r\n"), 200);
    cr_assert_not_null(strstr(answer, "\"landlock_files\":true,\"landlock_network\":false"));
    column->worker = 77; /* nonsense of a worker that was taken over */
    cr_assert_eq(ASK("GET /readyz HTTP/1.1\r\n\r\n"), 503);
    column->worker = 0;
    seg.head->status.revoked = 1;
    cr_assert_eq(ASK("GET /readyz HTTP/1.1\r\n\r\n"), 503);
}

Test(health, split_at_every_size)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for (size_t split = 1; split < sizeof request; split++)
        cr_assert_eq(ask(request, sizeof request - 1, split), 200, "%zu", split);
}

Test(health, hostile_requests)
{
    static char big[HEALTH_HEAD_BYTES + 100];
    memset(big, 'a', sizeof big);
    cr_assert_eq(ask(big, sizeof big, sizeof big) % 400,
                 0); /* 400, or reset while we were still sending */
    cr_assert_eq(ASK("POST /metrics HTTP/1.1\r\n\r\n"), 405);
    cr_assert_eq(ASK("GET /../etc/passwd HTTP/1.1\r\n\r\n"), 404);
    cr_assert_eq(ASK("GET  HTTP/1.1\r\n\r\n"), 404);
    cr_assert_eq(ASK("GET /healthz\r\n\r\n"), 400);
    cr_assert_eq(ASK("\r\n\r\n"), 400);
    cr_assert_eq(ASK("\0\0\0\0\r\n\r\n"), 400);
}

/* More idle peers than there are places: honest ones wait for the deadline of the idle, not for
 * ever. */
Test(health, idle_peers_are_cut_off)
{
    int idle[HEALTH_CONNECTIONS_MAX + 10];
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        idle[i] = dial();
    cr_assert_eq(ASK("GET /healthz HTTP/1.1\r\n\r\n"), 200);
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        close(idle[i]);
}
