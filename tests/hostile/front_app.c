/* front_app.c: a small application on the worker's front, so that connections can be tested without
 * providers.
 *
 * It implements the seam of conn.h (req_*) with paths that each hold one behaviour; front_test.py
 * drives it. One thread, one front. /size            reads the body, answers
 * {"bytes","peer","tls","gone","live","connections"} /echo            sends the body back as it
 * comes, under back-pressure /late?MS         reads the body, answers after MS /lazy?MS begins to
 * read the body after MS /sip?MS          takes 1000 body bytes every MS /stream?MS,N     N events,
 * one every MS /fire?N          N bytes as fast as the client takes them /sized?N         N bytes
 * with Content-Length /refuse          413 at once, the body unread /abort, /short   an answer that
 * breaks off by conn_abort, by ending early /evil            headers that must not get out /drain
 * front_drain
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "data-plane/worker/conn.h"
#include "data-plane/worker/front.h"
#include "data-plane/worker/transport.h"
#include "data-plane/worker/worker.h"

enum kind { SIZE, ECHO, LATE, LAZY, SIP, STREAM, FIRE, SIZED };

struct req {
    struct conn *conn;
    enum kind kind;
    uint64_t body_bytes, left;
    int64_t ms;
    size_t sip;
    bool begun, body_done;
    struct loop_timer timer;
    struct netaddr peer;
    bool tls;
};

static struct worker app;
static uint64_t gone, live, failed;

static void end(struct req *req)
{
    loop_timer_clear(app.loop, &req->timer);
    live--;
    free(req);
}

static void answer_size(struct req *req, int status)
{
    char peer[NETADDR_TEXT + 1], body[256];
    netaddr_to_text(&req->peer, peer);
    int n = snprintf(
        body, sizeof body,
        "{\"bytes\":%llu,\"peer\":\"%s\",\"tls\":%s,\"gone\":%llu,\"live\":%llu,\"failed\":%llu,"
        "\"connections\":%zu}",
        (unsigned long long)req->body_bytes, peer, req->tls ? "true" : "false",
        (unsigned long long)gone, (unsigned long long)live, (unsigned long long)failed,
        front_connections(app.front));
    const struct reply_header header = {STR("Content-Type"), STR("application/json")};
    struct conn *conn = req->conn;
    end(req);
    conn_reply_simple(conn, status, &header, 1, str_of(body, (size_t)n));
}

static bool begin(struct req *req, int64_t length)
{
    if (req->begun)
        return true;
    req->begun = true;
    return conn_reply_begin(req->conn, 200, NULL, 0, length) == ST_OK;
}

static void pour(struct req *req)
{
    static const char some[4096] = {'x'};
    while (req->left > 0) {
        size_t room = conn_write_room(req->conn), n = sizeof some;
        if (room == 0)
            return;
        n = n > req->left ? (size_t)req->left : n;
        conn_reply_write(req->conn, some, n);
        req->left -= n;
    }
    struct conn *conn = req->conn;
    end(req);
    conn_reply_end(conn);
}

static void expired(struct loop_timer *timer)
{
    struct req *req = timer->owner;
    if (req->kind == LATE) {
        answer_size(req, 200);
    } else if (req->kind == LAZY) {
        conn_body_start(req->conn);
    } else if (req->kind == SIP) {
        req->sip = 1000;
        loop_timer_set(app.loop, timer, req->ms);
        conn_body_resume(req->conn);
    } else if (req->left-- > 0) {
        static const char event[] = "data: {\"i\":1}\n\n";
        conn_reply_write(req->conn, event, sizeof event - 1);
        loop_timer_set(app.loop, timer, req->ms);
    } else {
        struct conn *conn = req->conn;
        end(req);
        conn_reply_end(conn);
    }
}

/* --- the seam --------------------------------------------------------------------------------- */

size_t req_body(struct req *req, const char *p, size_t n)
{
    if (req->kind == ECHO) {
        if (!begin(req, -1))
            return n;
        size_t room = conn_write_room(req->conn);
        n = n < room ? n : room;
        conn_reply_write(req->conn, p, n);
    } else if (req->kind == SIP) {
        n = n < req->sip ? n : req->sip;
        req->sip -= n;
    }
    req->body_bytes += n;
    return n;
}

void req_body_end(struct req *req)
{
    req->body_done = true;
    if (req->kind == SIZE || req->kind == LAZY || req->kind == SIP) {
        answer_size(req, 200);
    } else if (req->kind == LATE) {
        loop_timer_set(app.loop, &req->timer, req->ms);
    } else if (req->kind == ECHO) {
        struct conn *conn = req->conn;
        bool begun = begin(req, -1);
        end(req);
        if (begun)
            conn_reply_end(conn);
    } else if (begin(req, req->kind == SIZED ? (int64_t)req->left : -1)) {
        if (req->kind == STREAM)
            loop_timer_set(app.loop, &req->timer, req->ms);
        else
            pour(req);
    }
}

void req_body_failed(struct req *req, enum status status)
{
    failed++;
    if (req->begun) {
        struct conn *conn = req->conn;
        end(req);
        conn_abort(conn);
    } else {
        answer_size(req, status_row(status)->http);
    }
}

void req_writable(struct req *req)
{
    if (req->kind == ECHO)
        conn_body_resume(req->conn);
    else if (req->kind == FIRE || req->kind == SIZED)
        pour(req);
}

void req_client_gone(struct req *req)
{
    gone++;
    end(req);
}

static bool at_once(struct conn *conn, struct str path)
{
    if (str_eq(path, STR("/refuse"))) {
        conn_reply_simple(conn, 413, NULL, 0, STR("too large"));
    } else if (str_eq(path, STR("/abort")) || str_eq(path, STR("/short"))) {
        if (conn_reply_begin(conn, 200, NULL, 0, str_eq(path, STR("/short")) ? 100 : -1) == ST_OK) {
            conn_reply_write(conn, "0123456789", 10);
            if (str_eq(path, STR("/short")))
                conn_reply_end(conn);
            else
                conn_abort(conn);
        }
    } else if (str_eq(path, STR("/evil"))) {
        const struct reply_header headers[] = {
            {STR("X-Good"), STR("1")},
            {STR("X-Evil"), STR("a\r\nX-Injected: 1")},
            {STR("X Bad"), STR("1")},
            {STR("Transfer-Encoding"), STR("chunked")},
            {STR("Content-Length"), STR("999")},
            {STR("Connection"), STR("upgrade")},
        };
        conn_reply_simple(conn, 200, headers, COUNT_OF(headers), STR("ok"));
    } else if (str_eq(path, STR("/drain"))) {
        front_drain(app.front);
        conn_reply_simple(conn, 200, NULL, 0, STR("ok"));
    } else {
        return false;
    }
    return true;
}

struct req *req_begin(struct worker *worker, struct conn *conn, const struct http_head *head)
{
    static const struct {
        const char *path;
        enum kind kind;
    } kinds[] = {{"/size", SIZE}, {"/echo", ECHO},     {"/late", LATE}, {"/lazy", LAZY},
                 {"/sip", SIP},   {"/stream", STREAM}, {"/fire", FIRE}, {"/sized", SIZED}};
    (void)worker;
    if (at_once(conn, head->path))
        return NULL;
    struct req *req = calloc(1, sizeof *req);
    CHECK(req != NULL);
    live++;
    *req = (struct req){.conn = conn, .peer = head->peer, .tls = head->tls};
    req->timer = (struct loop_timer){.expired = expired, .owner = req};
    size_t i = 0;
    while (i < COUNT_OF(kinds) && !str_eq(head->path, str_c(kinds[i].path)))
        i++;
    if (i == COUNT_OF(kinds)) {
        answer_size(req, 404);
        return NULL;
    }
    req->kind = kinds[i].kind;
    struct str first, rest = head->query;
    uint64_t a = 0, b = 0;
    if (str_split(&rest, ',', &first) && str_to_u64(first, &a) == ST_OK && rest.n > 0)
        (void)!str_to_u64(rest, &b);
    req->ms = (int64_t)a;
    req->left = req->kind == STREAM ? b : a;
    if (req->kind == LAZY || (req->kind == SIP && head->has_body))
        loop_timer_set(app.loop, &req->timer, req->ms);
    if (req->kind != LAZY)
        conn_body_start(conn);
    return req;
}

/* --- start ------------------------------------------------------------------------------------ */

static int listen_on(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in bound;
    socklen_t n = sizeof bound;
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    CHECK(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
          listen(fd, 4096) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&bound, &n) == 0);
    printf("%u\n", ntohs(bound.sin_port));
    fflush(stdout);
    return fd;
}

static struct tls_server *load_tls(const char *chain, const char *key_path)
{
    static char pem[16384];
    struct tls_server *tls = NULL;
    FILE *file = fopen(key_path, "r");
    CHECK(file != NULL);
    size_t n = fread(pem, 1, sizeof pem, file);
    fclose(file);
    CHECK(tls_server_new(chain, str_of(pem, n), &tls) == ST_OK);
    return tls;
}

static void turn(void *arg)
{
    (void)arg;
    if (app.draining && front_connections(app.front) == 0)
        loop_stop(app.loop);
}

static volatile sig_atomic_t terminated;

static void on_term(int number)
{
    (void)number;
    terminated = 1;
}

static void look_for_signals(struct loop_timer *timer)
{
    if (terminated && !app.draining) {
        app.draining = true;
        front_drain(app.front);
    }
    loop_timer_set(app.loop, timer, 20);
}

int main(int argc, char **argv)
{
    struct params params;
    struct buf why;
    uint64_t slots[512] = {0};
    buf_init(&why, 4096);
    log_open("front_app", 2, LOG_LEVEL_WARN);
    CHECK(loop_new(&app.loop) == ST_OK);
    CHECK(metrics_slots_needed() <= COUNT_OF(slots));
    metrics_bind(&app.metrics, slots, COUNT_OF(slots));
    if (params_load(&params, PARAMS_GATEWAY, argc, argv, &why) != ST_OK) {
        fprintf(stderr, "%.*s\n", (int)why.n, why.p);
        return 2;
    }
    struct front_settings settings;
    front_settings_from(&params, &settings);
    struct str chain = params_str(&params, PARAM_TLS_CERT);
    int key_fd = -1;
    char key_path[PARAMS_VALUE_MAX + 1];
    struct tls_server *tls = NULL;
    if (chain.n > 0 && params_secret(&params, PARAM_TLS_KEY, &key_fd, key_path) == ST_OK)
        tls = load_tls(chain.p, key_path);
    int fd = listen_on((uint16_t)params_u64(&params, PARAM_GATEWAY_PORT));
    struct front *front = NULL;
    CHECK(front_open(&app, &settings, &fd, 1, tls, &front) == ST_OK);
    struct loop_timer signals = {.expired = look_for_signals};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_term);
    loop_timer_set(app.loop, &signals, 20);
    loop_run(app.loop, turn, NULL);
    loop_timer_clear(app.loop, &signals);
    front_close(front);
    tls_server_free(tls);
    loop_free(app.loop);
    params_free(&params);
    buf_free(&why);
    return 0;
}
