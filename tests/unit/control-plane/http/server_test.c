/* server_test.c: bytes on a real socket: what the listener answers, and that it closes after what it refused. */
#include "control-plane/http/server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control-plane/http/reply.h"

static struct server *server;
static _Atomic unsigned handled;

static size_t body_max(void *arg, const struct http_request *request)
{
    (void)arg;
    (void)request;
    return 64 * 1024;
}

/* Pieces "0", "1", ... ; `pieces_then` ends them. */
static unsigned pieces_left, pieces_ended;
static enum status pieces_then;

static enum status next_piece(void *arg, struct buf *out)
{
    (void)arg;
    if (pieces_left == 0)
        return pieces_then;
    buf_printf(out, "%u", pieces_left--);
    return ST_OK;
}

static void end_pieces(void *arg)
{
    (void)arg;
    pieces_ended++;
}

/* Answers with the length of the body and its path; /pieces in pieces. */
static void handle(void *arg, struct http_request *request, struct http_reply *reply)
{
    (void)arg;
    handled++;
    reply->status = 200;
    if (str_eq(request->path, STR("/pieces"))) {
        reply_pieces(reply, "text/plain", next_piece, end_pieces, NULL);
        return;
    }
    buf_printf(&reply->body, "{\"n\":%zu,\"path\":\"%.*s\"}", request->body.n, (int)request->path.n, request->path.p);
    reply_identify(reply, request);
}

static void begin(void)
{
    struct server_options options = {.addresses = STR("127.0.0.1"), .threads = 4, .timeout_ms = 1000,
                                     .body_max = body_max, .handle = handle};
    cr_assert_eq(server_start(&options, &server), ST_OK);
}

static void end(void)
{
    server_stop(server);
}

TestSuite(server, .init = begin, .fini = end, .timeout = 60);

/* Sends all bytes, half-closes if told, and reads to the end of the connection. */
static size_t exchange(const char *bytes, size_t n, char *out, size_t room)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server_port(server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t got = 0;
    cr_assert(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    cr_assert(send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n);
    for (;;) {
        struct pollfd wait = {fd, POLLIN, 0};
        if (poll(&wait, 1, 5000) <= 0)
            break;
        ssize_t part = recv(fd, out + got, room - 1 - got, 0);
        if (part <= 0)
            break;
        got += (size_t)part;
    }
    out[got] = '\0';
    close(fd);
    return got;
}

static unsigned count_of(const char *text, const char *needle)
{
    unsigned n = 0;
    for (const char *found = text; (found = strstr(found, needle)) != NULL; found++)
        n++;
    return n;
}

#define HOST "Host: a\r\n"
#define SMUGGLED "GET /smuggled HTTP/1.1\r\n" HOST "\r\n"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *bytes;
    size_t n;
    int status;       /* of the first answer; 0: closed without one */
    unsigned answers; /* how many in all */
} hostile[] = {
    {BYTES("GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), 200, 1},
    {BYTES("GET /a HTTP/1.0\r\n\r\n"), 200, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), 200, 2},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 411, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nhello" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\nhello" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length:\r\n 5\r\n\r\nhello" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "X: a\r\n folded\r\nContent-Length: 44\r\n\r\n" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "X\r\nContent-Length: 44\r\n\r\n" SMUGGLED), 400, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST ": x\r\nContent-Length: 44\r\n\r\n" SMUGGLED), 400, 1},
    {BYTES("GET /a HTTP/1.1\nHost: a\n\n"), 400, 1},
    {BYTES("GET /a HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"), 400, 1},
    {BYTES("GET /a HTTP/1.1\r\nHost: a\r\n\n"), 400, 1},
    {BYTES("GET  /a HTTP/1.1\r\n" HOST "\r\n"), 400, 1},
    {BYTES("GET /a  HTTP/1.1\r\n" HOST "\r\n"), 400, 1},
    {BYTES("  GET /a HTTP/1.1\r\n" HOST "\r\n"), 400, 1},
    {BYTES("\r\nGET /a HTTP/1.1\r\n" HOST "\r\n"), 400, 1},
    {BYTES("GET /a HTTP/1.1\r\n " HOST "\r\n"), 400, 1},
    {BYTES("GET /a HTTP/1.1\r\n\r\n"), 400, 1},
    {BYTES("GET /a HTTP/2.0\r\n" HOST "\r\n"), 400, 1},
    {BYTES("GET /a%00b HTTP/1.1\r\n" HOST "\r\n"), 400, 1},
    {BYTES("GET /a\0b HTTP/1.1\r\n" HOST "\r\n"), 400, 1},
    {BYTES("GET /a HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"), 400, 1},
    {BYTES("GET /a/%2e%2e/etc HTTP/1.1\r\n" HOST "\r\n"), 400, 1},
    {BYTES("GET http://b/a HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {BYTES("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 0, 0},
    {BYTES("BREW /a HTTP/1.1\r\n" HOST "\r\n"), 405, 1},
    {BYTES("POST /a HTTP/1.1\r\n" HOST "Content-Length: 999999999\r\n\r\n" SMUGGLED), 413, 1},
};

static void many_headers(struct buf *out, unsigned count)
{
    buf_init(out, 64 * 1024);
    buf_add_lit(out, "POST /a HTTP/1.1\r\n" HOST "Connection: close\r\n");
    for (unsigned i = 0; i < count; i++)
        buf_printf(out, "X-%u: %u\r\n", i, i);
    buf_add_lit(out, "Content-Length: 2\r\n\r\nhi");
}

Test(server, hostile_bytes_get_one_answer_and_a_closed_connection)
{
    static char reply[65536];
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        size_t got = exchange(hostile[i].bytes, hostile[i].n, reply, sizeof reply);
        int status = got > 12 ? (int)strtol(reply + 9, NULL, 10) : 0;
        cr_expect_eq(status, hostile[i].status, "case %zu: %d: %.200s", i, status, reply);
        cr_expect_eq(count_of(reply, "HTTP/1.1 "), hostile[i].answers, "case %zu: %.400s", i, reply);
        cr_expect_eq(count_of(reply, "smuggled"), 0, "case %zu", i);
        if (status >= 400)
            cr_expect(strstr(reply, "\"success\":false") != NULL && strstr(reply, "x-request-id") != NULL, "case %zu: %s", i, reply);
    }
}

/* The library parses 64 headers and forgets the rest: a length among the forgotten ones must not go unseen. */
Test(server, headers_beyond_what_the_library_keeps_are_refused)
{
    static char reply[65536];
    static const unsigned counts[] = {10, 61, 62, 63, 80};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct buf head;
        many_headers(&head, counts[i]);
        exchange(head.p, head.n, reply, sizeof reply);
        int status = (int)strtol(reply + 9, NULL, 10);
        cr_expect_eq(status, counts[i] + 3 <= 64 ? 200 : 400, "%u headers: %d", counts[i] + 3, status);
        buf_free(&head);
    }
}

Test(server, bodies_arrive_whole_in_any_pieces)
{
    static char request[40000], reply[65536];
    int n = snprintf(request, sizeof request, "POST /big HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 30000\r\n\r\n");
    memset(request + n, 'x', 30000);
    exchange(request, (size_t)n + 30000, reply, sizeof reply);
    cr_expect(strstr(reply, "{\"n\":30000,\"path\":\"/big\"}") != NULL, "%s", reply);
}

/* Four threads: two connections may stay, what is above is asked to go. */
Test(server, idle_connections_leave_threads_for_others)
{
    static const char request[] = "GET /a HTTP/1.1\r\n" HOST "\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server_port(server))};
    char reply[4096];
    unsigned kept = 0;
    int fds[4];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert(connect(fds[i], (struct sockaddr *)&address, sizeof address) == 0);
        cr_assert(send(fds[i], request, sizeof request - 1, MSG_NOSIGNAL) == sizeof request - 1);
        ssize_t n = recv(fds[i], reply, sizeof reply - 1, 0);
        cr_assert(n > 0);
        reply[n] = '\0';
        kept += strstr(reply, "Connection: close") == NULL;
    }
    cr_expect_eq(kept, 2, "%u kept", kept);
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
}

Test(server, expect_continue_is_answered)
{
    char reply[4096];
    exchange(BYTES("POST /c HTTP/1.1\r\n" HOST "Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi"), reply, sizeof reply);
    cr_expect(strncmp(reply, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", 40) == 0, "%s", reply);
}

Test(server, a_body_that_does_not_come_is_given_up)
{
    char reply[4096];
    exchange(BYTES("POST /c HTTP/1.1\r\n" HOST "Content-Length: 20\r\n\r\nhi"), reply, sizeof reply);
    cr_expect(strstr(reply, " 408 ") != NULL, "%s", reply);
    cr_expect_eq(handled, 0);
}

Test(server, other_addresses_need_a_word_from_the_operator)
{
    struct server_options options = {.addresses = STR("127.0.0.1, 0.0.0.0"), .threads = 4, .timeout_ms = 1000,
                                     .body_max = body_max, .handle = handle};
    struct server *other;
    cr_expect_eq(server_start(&options, &other), ST_FORBIDDEN);
    cr_expect(server_is_loopback(STR("127.9.9.9")) && server_is_loopback(STR("::1")) && server_is_loopback(STR("localhost")));
    cr_expect(!server_is_loopback(STR("10.0.0.1")) && !server_is_loopback(STR("::")) && !server_is_loopback(STR("example.com")));
}

/* A reply in pieces: whole if it ends in an empty chunk; a cut one does not, and the connection is closed. */
Test(server, pieces_are_whole_or_seen_to_be_cut)
{
    static const char request[] = "GET /pieces HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static const char kept[] = "GET /pieces HTTP/1.1\r\nHost: a\r\n\r\n";
    char out[4096];
    pieces_left = 3;
    pieces_then = ST_END;
    exchange(request, sizeof request - 1, out, sizeof out);
    cr_assert_not_null(strstr(out, "Transfer-Encoding: chunked\r\n"), "%s", out);
    cr_assert_null(strstr(out, "Content-Length"));
    cr_assert_not_null(strstr(out, "1\r\n3\r\n1\r\n2\r\n1\r\n1\r\n0\r\n\r\n"), "%s", out);
    cr_assert_eq(pieces_ended, 1);
    pieces_left = 1;
    pieces_then = ST_IO;
    exchange(kept, sizeof kept - 1, out, sizeof out);
    cr_assert_not_null(strstr(out, "1\r\n1\r\n"), "%s", out);
    cr_assert_null(strstr(out, "0\r\n\r\n"), "%s", out);
    cr_assert_eq(pieces_ended, 2);
}
