/* server.c: civetweb, kept behind a guard.
 *
 * The library's parser is lax (reliability.md M9), so nothing it offers beyond "one thread per
 * connection, one parsed head" is used: no document root, no handlers, no forms, no URL decoding,
 * no TLS. Everything happens in begin_request:
 *
 *   bytes of the head plain? -> guard_check -> body into our own buffer, capped, with a deadline ->
 * handle -> reply
 *
 * Invariants: a request that fails any check closes its connection, so what follows it is never
 * read as a second request; body bytes are wiped from the library's buffer and ours when the
 * request ends (they may hold credentials). civetweb 1.15 terminates strings in place, so the head
 * lies in one buffer from the method to the last header value; the gaps between the strings show
 * what was there (line ends, folding, stray blanks). server_test and tests/hostile hold that.
 */
#include "control-plane/http/server.h"

#include <civetweb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/netaddr.h"
#include "common/secret.h"
#include "control-plane/http/guard.h"
#include "control-plane/http/reply.h"

#define SERVER_METHODS     "GET, HEAD, POST, PUT, DELETE"
#define SERVER_MAGIC       0x53525652u
#define SERVER_ARENA_BYTES (64u << 20)
#define SERVER_READ_STEP   16 /* the library may wait timeout_ms for each byte it is asked for */
#define NUDGE_US           20000
#define KEEP_ALIVE_MS_TEXT "1000"
#define KEEP_ALIVE_S_TEXT  "1"

struct server {
    uint32_t magic;
    struct server_options options;
    struct mg_context *context;
    uint16_t port;
    _Atomic bool stopped;
    _Atomic unsigned connections;
};

/* One request on its way through. */
struct exchange {
    struct server *server;
    struct mg_connection *conn;
    struct http_request request;
    struct http_reply reply;
    struct http_header headers[HTTP_HEADERS_MAX];
    struct buf body;
    struct arena arena;
    const char *head_end; /* first byte behind the head in the library's buffer; NULL if the head is
                             not plain */
    char peer[64];
};

bool server_is_loopback(struct str address)
{
    struct netaddr addr;
    if (str_eq(address, STR("localhost")))
        return true;
    return netaddr_from_text(address, &addr) == ST_OK &&
           netaddr_classify(&addr) == NETADDR_LOOPBACK;
}

/* The byte before the method: the allocator's size field (top byte 0) when the request begins its
 * buffer, a blank when the library skipped leading blanks. */
__attribute__((no_sanitize("address"))) static bool begins_buffer(const char *method)
{
    const volatile char *before = method - 1;
    return *before == '\0';
}

/* Proves that the head was METHOD SP TARGET SP VERSION CRLF *(NAME ":" OWS VALUE CRLF) CRLF and
 * finds its end. */
static const char *plain_head_end(const struct mg_request_info *info)
{
    if (!begins_buffer(info->request_method))
        return NULL;
    const char *at = info->request_method + strlen(info->request_method) + 1;
    if (info->request_uri != at)
        return NULL;
    at += strlen(at) + 1;
    if (info->query_string != NULL) {
        if (info->query_string != at)
            return NULL;
        at += strlen(at) + 1;
    }
    if (info->http_version != at + 5)
        return NULL;
    at = info->http_version + strlen(info->http_version) + 2;
    for (int i = 0; i < info->num_headers; i++) {
        const struct mg_header *header = &info->http_headers[i];
        const char *gap = header->name + strlen(header->name) + 1;
        if (header->name != at || header->value < gap)
            return NULL;
        for (; gap < header->value; gap++)
            if (*gap != ' ')
                return NULL;
        at = header->value + strlen(header->value) + 2;
    }
    /* The blank line: CR, and LF that the library turned into NUL (both NUL behind a bare request
     * line). */
    if (info->num_headers > 0 ? at[-1] != '\0' || at[0] != '\r' || at[1] != '\0'
                              : at[0] != '\0' || at[1] != '\0')
        return NULL;
    return at + 2;
}

static void wipe_library_body(const struct exchange *x, uint64_t body_bytes)
{
    const struct mg_request_info *info = mg_get_request_info(x->conn);
    size_t head = (size_t)(x->head_end - info->request_method);
    if (x->head_end == NULL || head >= SERVER_HEAD_MAX_BYTES)
        return;
    size_t room = SERVER_HEAD_MAX_BYTES - head;
    secret_wipe((char *)(uintptr_t)x->head_end, body_bytes < room ? (size_t)body_bytes : room);
}

/* Connections are kept while fewer than half of the threads have one, so idle clients cannot take
 * the listener from others. */
static bool keep_alive(struct exchange *x, const struct mg_request_info *info)
{
    bool keep = x->head_end != NULL && strcmp(info->http_version, "1.1") == 0 &&
                atomic_load(&x->server->connections) <= x->server->options.threads / 2;
    if (!keep)
        mg_disable_connection_keep_alive(x->conn);
    return keep;
}

/* Everything up to the empty line. */
static void write_head(struct exchange *x, struct buf *head)
{
    struct http_reply *reply = &x->reply;
    char date[30];
    clock_to_http(clock_wall_ms(), date);
    buf_printf(head, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n", reply->status,
               mg_get_response_code_text(x->conn, reply->status), date, reply->content_type);
    if (reply->piece == NULL)
        buf_printf(head, "Content-Length: %zu\r\n", reply->body.n);
    else
        buf_add_lit(head, "Transfer-Encoding: chunked\r\n");
    if (!reply->cacheable)
        buf_add_lit(head, "Cache-Control: no-store\r\n");
    buf_add_lit(head, "X-Content-Type-Options: nosniff\r\n");
    for (size_t i = 0; i < reply->header_count; i++) {
        buf_add_str(head, reply->headers[i].name);
        buf_add_lit(head, ": ");
        buf_add_str(head, reply->headers[i].value);
        buf_add_lit(head, "\r\n");
    }
    /* Clients that are told (undici, agentkeepalive) do not send on a connection that is about to
     * be closed. */
    if (keep_alive(x, mg_get_request_info(x->conn)))
        buf_add_lit(head, "Keep-Alive: timeout=" KEEP_ALIVE_S_TEXT "\r\n");
    else
        buf_add_lit(head, "Connection: close\r\n");
    buf_add_lit(head, "\r\n");
}

/* The last chunk is sent only if all came: without it the reader knows that it has not everything.
 */
static void send_pieces(struct exchange *x)
{
    struct http_reply *reply = &x->reply;
    struct buf piece;
    enum status status;
    buf_init(&piece, HTTP_REPLY_MAX_BYTES);
    while ((status = reply->piece(reply->piece_arg, &piece)) == ST_OK) {
        if (piece.n > 0 && mg_send_chunk(x->conn, piece.p, (unsigned)piece.n) <= 0)
            break;
        buf_clear(&piece);
    }
    buf_free(&piece);
    if (status == ST_END && mg_send_chunk(x->conn, "", 0) > 0)
        return;
    mg_disable_connection_keep_alive(x->conn);
    log_warn("reply_cut", LOG_STATUS(status), LOG_CSTR("request_id", x->request.request_id));
}

static void send_reply(struct exchange *x, bool with_body)
{
    struct http_reply *reply = &x->reply;
    struct buf head;
    buf_init(&head, 64u << 10);
    write_head(x, &head);
    bool sent = buf_status(&head) == ST_OK && mg_write(x->conn, head.p, head.n) > 0;
    buf_free(&head);
    if (sent && with_body && reply->piece != NULL)
        send_pieces(x);
    else if (sent && with_body && reply->body.n > 0)
        (void)mg_write(x->conn, reply->body.p, reply->body.n);
}

/* Answers with an error and closes: the rest of the connection is not trusted. */
static int refuse(struct exchange *x, enum status status, const char *reason)
{
    x->head_end = NULL;
    mg_disable_connection_keep_alive(x->conn);
    reply_error(&x->reply, status, str_c(reason));
    if (status == ST_METHOD)
        reply_header(&x->reply, STR("Allow"), STR(SERVER_METHODS));
    reply_identify(&x->reply, &x->request);
    send_reply(x, true);
    log_info("request_refused", LOG_STATUS(status), LOG_CSTR("reason", reason),
             LOG_STR("client", x->request.client_ip),
             LOG_CSTR("request_id", x->request.request_id));
    return -1; /* negative: the library must not read on for the body */
}

static enum status read_body(struct exchange *x, uint64_t body_bytes, bool wants_continue)
{
    if (body_bytes == 0)
        return ST_OK;
    TRY(buf_reserve(&x->body, (size_t)body_bytes));
    if (wants_continue && mg_write(x->conn, "HTTP/1.1 100 Continue\r\n\r\n", 25) <= 0)
        return ST_CLIENT_TIMEOUT;
    int64_t deadline_ms = clock_mono_ms() + SERVER_BODY_MS;
    while (x->body.n < body_bytes) {
        char step[SERVER_READ_STEP];
        size_t want = (size_t)body_bytes - x->body.n;
        int got = mg_read(x->conn, step, want < sizeof(step) ? want : sizeof(step));
        if (got <= 0 || clock_mono_ms() > deadline_ms)
            return ST_CLIENT_TIMEOUT;
        buf_add(&x->body, step, (size_t)got);
        secret_wipe(step, sizeof(step));
    }
    return buf_status(&x->body);
}

static void fill_request(struct exchange *x, const struct mg_request_info *info)
{
    struct http_request *request = &x->request;
    size_t count =
        info->num_headers < HTTP_HEADERS_MAX ? (size_t)info->num_headers : HTTP_HEADERS_MAX;
    for (size_t i = 0; i < count; i++)
        x->headers[i] = (struct http_header){str_c(info->http_headers[i].name),
                                             str_trim(str_c(info->http_headers[i].value))};
    request->headers = x->headers;
    request->header_count = count;
    request->path = str_c(info->request_uri);
    request->query = str_c(info->query_string);
    const struct server_options *options = &x->server->options;
    request->client_ip = str_c(info->remote_addr);
    if (options->peer_of != NULL &&
        options->peer_of(options->peers, (uint16_t)info->remote_port, x->peer)) {
        request->client_ip = str_c(x->peer);
        request->tls = true;
    }
    request->arena = &x->arena;
    reply_trace(request);
}

static int serve(struct exchange *x)
{
    const struct mg_request_info *info = mg_get_request_info(x->conn);
    const struct server_options *options = &x->server->options;
    fill_request(x, info);
    x->head_end = plain_head_end(info);
    if (x->head_end == NULL)
        return refuse(x, ST_BAD_HTTP, "The request head is not plain HTTP/1.1.");
    struct guard_head head = {str_c(info->request_method),
                              x->request.path,
                              str_c(info->http_version),
                              x->request.query,
                              x->headers,
                              x->request.header_count};
    struct guard_verdict verdict;
    enum status status = guard_check(&head, &verdict);
    if (status != ST_OK)
        return refuse(x, status, verdict.reason);
    x->request.method = verdict.method;
    size_t body_max = options->body_max(options->arg, &x->request);
    if (verdict.body_bytes > body_max)
        return refuse(x, ST_TOO_LARGE, status_row(ST_TOO_LARGE)->text);
    buf_init(&x->body, body_max);
    status = read_body(x, verdict.body_bytes, verdict.wants_continue);
    wipe_library_body(x, verdict.body_bytes);
    if (status != ST_OK)
        return refuse(x, status, status_row(status)->text);
    x->request.body = buf_str(&x->body);
    options->handle(options->arg, &x->request, &x->reply);
    send_reply(x, x->request.method != HTTP_HEAD);
    return x->reply.status;
}

static int on_begin_request(struct mg_connection *conn)
{
    struct exchange x = {.server = mg_get_user_data(mg_get_context(conn)), .conn = conn};
    arena_init(&x.arena, SERVER_ARENA_BYTES);
    reply_init(&x.reply);
    int result = serve(&x);
    if (x.body.p != NULL)
        secret_wipe(x.body.p, x.body.room_bytes);
    buf_free(&x.body);
    reply_wipe(&x.reply);
    arena_wipe(&x.arena);
    return result;
}

/* What the library could not read: mostly the head, but a method that it does not know, too. */
static enum status library_status(const struct mg_connection *conn, int http_status)
{
    const struct mg_request_info *info = mg_get_request_info(conn);
    enum http_method method;
    if (http_status == 408)
        return ST_CLIENT_TIMEOUT;
    bool word = info != NULL && info->request_method != NULL && info->request_method[0] != '\0';
    for (const char *at = word ? info->request_method : ""; *at != '\0' && word; at++)
        word = *at >= 'A' && *at <= 'Z';
    return word && http_method_from_text(str_c(info->request_method), &method) != ST_OK
               ? ST_METHOD
               : ST_BAD_HTTP;
}

/* The library's own refusals get our shape too. */
static int on_http_error(struct mg_connection *conn, int http_status, const char *text)
{
    enum status status = library_status(conn, http_status);
    (void)text;
    struct exchange x = {.server = mg_get_user_data(mg_get_context(conn)), .conn = conn};
    arena_init(&x.arena, 4096);
    reply_init(&x.reply);
    x.request.arena = &x.arena;
    reply_trace(&x.request);
    mg_disable_connection_keep_alive(conn);
    reply_error(&x.reply, status, STR_NONE);
    if (status == ST_METHOD)
        reply_header(&x.reply, STR("Allow"), STR(SERVER_METHODS));
    reply_identify(&x.reply, &x.request);
    send_reply(&x, true);
    reply_wipe(&x.reply);
    arena_wipe(&x.arena);
    return 0;
}

static int on_open(const struct mg_connection *conn, void **data)
{
    struct server *server = mg_get_user_data(mg_get_context(conn));
    (void)data;
    atomic_fetch_add(&server->connections, 1);
    return 0;
}

static void on_close(const struct mg_connection *conn)
{
    struct server *server = mg_get_user_data(mg_get_context(conn));
    atomic_fetch_sub(&server->connections, 1);
}

static int on_log_message(const struct mg_connection *conn, const char *message)
{
    (void)conn;
    log_debug("http_library", LOG_CSTR("message", message));
    return 1;
}

/* "127.0.0.1:8788,[::1]:8788" */
static enum status listen_text(const struct server_options *options, char *text, size_t room)
{
    struct str rest = options->addresses, address;
    size_t n = 0;
    while (str_split(&rest, ',', &address)) {
        address = str_trim(address);
        if (!options->insecure_bind && !server_is_loopback(address))
            return ST_FORBIDDEN;
        bool v6 = str_find_char(address, ':') >= 0;
        int more = snprintf(text + n, room - n, v6 ? "%s[" STR_FMT "]:%u" : "%s" STR_FMT ":%u",
                            n == 0 ? "" : ",", STR_ARG(address), options->port);
        if (more < 0 || (size_t)more >= room - n)
            return ST_TOO_LARGE;
        n += (size_t)more;
    }
    return ST_OK;
}

static enum status start_library(struct server *server)
{
    const struct server_options *options = &server->options;
    char listen[512], threads[16], timeout_ms[16], head_max[16];
    TRY(listen_text(options, listen, sizeof(listen)));
    (void)snprintf(threads, sizeof(threads), "%u", options->threads);
    (void)snprintf(timeout_ms, sizeof(timeout_ms), "%u", options->timeout_ms);
    (void)snprintf(head_max, sizeof(head_max), "%d", SERVER_HEAD_MAX_BYTES);
    const char *settings[] = {"listening_ports",
                              listen,
                              "num_threads",
                              threads,
                              "request_timeout_ms",
                              timeout_ms,
                              "max_request_size",
                              head_max,
                              "enable_keep_alive",
                              "yes",
                              "keep_alive_timeout_ms",
                              KEEP_ALIVE_MS_TEXT,
                              "decode_url",
                              "no",
                              "decode_query_string",
                              "no",
                              "tcp_nodelay",
                              "1",
                              "enable_directory_listing",
                              "no",
                              "linger_timeout_ms",
                              "500",
                              NULL};
    struct mg_callbacks callbacks = {.begin_request = on_begin_request,
                                     .log_message = on_log_message,
                                     .http_error = on_http_error,
                                     .init_connection = on_open,
                                     .connection_close = on_close};
    server->context = mg_start(&callbacks, server, settings);
    if (server->context == NULL)
        return ST_IO;
    struct mg_server_port ports[4];
    int count = mg_get_server_ports(server->context, COUNT_OF(ports), ports);
    server->port = count > 0 ? (uint16_t)ports[0].port : options->port;
    return ST_OK;
}

enum status server_start(const struct server_options *options, struct server **server)
{
    CHECK(options->threads >= 4 && options->threads <= 128);
    struct server *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return ST_NO_MEMORY;
    made->magic = SERVER_MAGIC;
    made->options = *options;
    (void)mg_init_library(0);
    enum status status = start_library(made);
    if (status != ST_OK) {
        free(made);
        return status;
    }
    *server = made;
    return ST_OK;
}

/* The library's accepting thread looks at its stop flag only after a poll of 2 s, or when somebody
 * connects. */
static void *nudge(void *arg)
{
    struct server *server = arg;
    struct str first = server->options.addresses, address;
    struct netaddr addr;
    struct sockaddr_storage target;
    (void)str_split(&first, ',', &address);
    if (netaddr_from_text(str_trim(address), &addr) != ST_OK)
        return NULL;
    socklen_t size = netaddr_to_sockaddr(&addr, server->port, &target);
    while (!atomic_load(&server->stopped)) {
        int fd = socket(target.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
            return NULL;
        (void)connect(fd, (const struct sockaddr *)&target, size);
        (void)usleep(NUDGE_US);
        (void)close(fd);
    }
    return NULL;
}

void server_stop(struct server *server)
{
    pthread_t thread;
    if (server == NULL)
        return;
    CHECK_OBJ(server, SERVER_MAGIC);
    bool nudged = pthread_create(&thread, NULL, nudge, server) == 0;
    mg_stop(server->context);
    atomic_store(&server->stopped, true);
    if (nudged)
        (void)pthread_join(thread, NULL);
    (void)mg_exit_library();
    free(server);
}

uint16_t server_port(const struct server *server)
{
    CHECK_OBJ(server, SERVER_MAGIC);
    return server->port;
}
