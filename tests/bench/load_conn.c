/* load_conn.c: the least HTTP/1.1 client that can be trusted to see where an answer ends.
 *
 *   CLOSED -> CONNECTING -> RESTING -begin-> SENDING -> HEAD -> BODY -> (event DONE) -> RESTING
 *
 * It measures, so it must stay cheap: one read buffer for all connections, no allocation, no copy of bodies. An answer that is
 * not understood is a failure, never a guess.
 */
#include "tests/bench/load_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_TRAILER_LINE };

static char room[128 * 1024];

void load_conn_close(struct load_conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    conn->state = LOAD_CLOSED;
}

static void bind_source(int fd, const struct load_target *target, uint32_t number)
{
    if (target->sources == 0 || target->addr.ss_family != AF_INET)
        return;
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7F000101u + number % target->sources)};
    int one = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&from, sizeof from) != 0)
        return;
}

enum status load_conn_open(struct load_conn *conn, const struct load_target *target, uint32_t number)
{
    conn->fd = socket(target->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        return ST_IO;
    int one = 1;
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    bind_source(conn->fd, target, number);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = number};
    if ((connect(conn->fd, (const struct sockaddr *)&target->addr, target->addr_n) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(target->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0) {
        load_conn_close(conn);
        return ST_IO;
    }
    conn->state = LOAD_CONNECTING;
    conn->hung_up = false;
    return ST_OK;
}

void load_conn_begin(struct load_conn *conn)
{
    conn->state = LOAD_SENDING;
    conn->sent = conn->head_n = 0;
    conn->status = 0;
    conn->chunked = conn->until_close = conn->close_after = conn->got_body = false;
    conn->left = conn->body_bytes = 0;
    conn->chunk = CHUNK_SIZE;
    conn->first_ns = 0;
    conn->started_ns = (uint64_t)clock_mono_ns();
}

static enum load_event fail(struct load_conn *conn)
{
    load_conn_close(conn);
    return LOAD_FAILED;
}

static enum load_event done(struct load_conn *conn)
{
    if (conn->close_after || conn->until_close)
        load_conn_close(conn);
    else
        conn->state = LOAD_RESTING;
    return LOAD_DONE;
}

static bool read_header(struct load_conn *conn, struct str line)
{
    ptrdiff_t colon = str_find_char(line, ':');
    if (colon < 1)
        return false;
    struct str name = str_head(line, (size_t)colon), value = str_trim(str_from(line, (size_t)colon + 1));
    if (str_eq_nocase(name, STR("content-length"))) {
        conn->until_close = false;
        return str_to_u64(value, &conn->left) == ST_OK;
    }
    if (str_eq_nocase(name, STR("transfer-encoding"))) {
        conn->until_close = false;
        conn->chunked = str_eq_nocase(value, STR("chunked"));
        return conn->chunked;
    }
    if (str_eq_nocase(name, STR("connection")))
        conn->close_after = str_eq_nocase(value, STR("close"));
    return true;
}

static bool read_head(struct load_conn *conn, struct str head)
{
    ptrdiff_t end = str_find(head, STR("\r\n"));
    uint64_t status = 0;
    if (end < 12 || !str_starts(head, STR("HTTP/1.")) || str_to_u64(str_of(head.p + 9, 3), &status) != ST_OK)
        return false;
    conn->status = (int)status;
    conn->until_close = status >= 200 && status != 204 && status != 304;
    for (head = str_from(head, (size_t)end + 2); head.n > 2; head = str_from(head, (size_t)end + 2)) {
        end = str_find(head, STR("\r\n"));
        if (end < 0 || !read_header(conn, str_head(head, (size_t)end)))
            return false;
    }
    return true;
}

/* Takes bytes of the head; *used counts them. */
static enum load_event take_head(struct load_conn *conn, struct str bytes, size_t *used)
{
    size_t before = conn->head_n, take = LOAD_HEAD_MAX - before < bytes.n ? LOAD_HEAD_MAX - before : bytes.n;
    memcpy(conn->head + before, bytes.p, take);
    struct str all = str_of(conn->head, before + take);
    ptrdiff_t blank = str_find(all, STR("\r\n\r\n"));
    if (blank < 0) {
        conn->head_n += take;
        *used = take;
        return conn->head_n == LOAD_HEAD_MAX ? LOAD_FAILED : LOAD_NOTHING;
    }
    size_t length = (size_t)blank + 4;
    *used = length - before;
    if (!read_head(conn, str_head(all, length)))
        return LOAD_FAILED;
    if (conn->status < 200) {
        conn->head_n = 0;
        return LOAD_NOTHING;
    }
    conn->state = LOAD_BODY;
    return !conn->until_close && !conn->chunked && conn->left == 0 ? LOAD_DONE : LOAD_NOTHING;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of a chunked body's framing. */
static enum load_event chunk_byte(struct load_conn *conn, char c)
{
    switch (conn->chunk) {
    case CHUNK_SIZE:
        if (hex(c) >= 0)
            conn->left = conn->left << 4 | (uint64_t)hex(c);
        else
            conn->chunk = CHUNK_EXTENSION;
        if (conn->chunk == CHUNK_SIZE || c != '\n')
            return LOAD_NOTHING;
        /* fall through */
    case CHUNK_EXTENSION:
        if (c == '\n')
            conn->chunk = conn->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        return LOAD_NOTHING;
    case CHUNK_DATA_END:
        if (c == '\n')
            conn->chunk = CHUNK_SIZE;
        return c == '\n' || c == '\r' ? LOAD_NOTHING : LOAD_FAILED;
    case CHUNK_TRAILER:
        if (c == '\n')
            return LOAD_DONE;
        if (c != '\r')
            conn->chunk = CHUNK_TRAILER_LINE;
        return LOAD_NOTHING;
    default:
        if (c == '\n')
            conn->chunk = CHUNK_TRAILER;
        return LOAD_NOTHING;
    }
}

static enum load_event take_chunked(struct load_conn *conn, struct str bytes, size_t *used)
{
    while (*used < bytes.n) {
        if (conn->chunk == CHUNK_DATA) {
            size_t here = bytes.n - *used;
            size_t take = conn->left < here ? (size_t)conn->left : here;
            conn->left -= take;
            conn->body_bytes += take;
            *used += take;
            if (conn->left == 0)
                conn->chunk = CHUNK_DATA_END;
            continue;
        }
        enum load_event event = chunk_byte(conn, bytes.p[(*used)++]);
        if (event != LOAD_NOTHING)
            return event;
    }
    return LOAD_NOTHING;
}

static enum load_event take_body(struct load_conn *conn, struct str bytes, size_t *used)
{
    if (conn->chunked)
        return take_chunked(conn, bytes, used);
    size_t take = conn->until_close || bytes.n < conn->left ? bytes.n : (size_t)conn->left;
    conn->body_bytes += take;
    *used = take;
    if (conn->until_close)
        return LOAD_NOTHING;
    conn->left -= take;
    return conn->left == 0 ? LOAD_DONE : LOAD_NOTHING;
}

/* All of what was read. */
static enum load_event take(struct load_conn *conn, struct str bytes)
{
    while (bytes.n > 0) {
        size_t used = 0;
        enum load_event event =
            conn->state == LOAD_HEAD ? take_head(conn, bytes, &used) : take_body(conn, bytes, &used);
        bytes = str_from(bytes, used);
        if (event == LOAD_DONE)
            return bytes.n == 0 ? done(conn) : fail(conn);
        if (event == LOAD_FAILED)
            return fail(conn);
    }
    if (conn->body_bytes > 0 && !conn->got_body) {
        conn->got_body = true;
        conn->first_ns = (uint64_t)clock_mono_ns();
        return LOAD_FIRST_BYTE;
    }
    return LOAD_NOTHING;
}

static bool send_more(struct load_conn *conn, const struct load_target *target)
{
    while (conn->sent < target->request.n) {
        ssize_t n = send(conn->fd, target->request.p + conn->sent, target->request.n - conn->sent, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        conn->sent += (size_t)n;
    }
    conn->state = LOAD_HEAD;
    return true;
}

enum load_event load_conn_run(struct load_conn *conn, const struct load_target *target)
{
    if (conn->state == LOAD_CLOSED)
        return LOAD_NOTHING;
    if (conn->state == LOAD_CONNECTING) {
        int error = 0;
        socklen_t n = sizeof error;
        if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0)
            return fail(conn);
        conn->state = LOAD_RESTING;
        load_conn_begin(conn);
    }
    bool fresh = conn->state == LOAD_SENDING && !conn->hung_up;
    if (conn->state == LOAD_SENDING && !send_more(conn, target))
        return fail(conn);
    if (fresh)
        return LOAD_NOTHING;
    for (;;) {
        ssize_t n = recv(conn->fd, room, sizeof room, 0);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? LOAD_NOTHING : fail(conn);
        if (n == 0)
            return conn->state == LOAD_BODY && conn->until_close ? done(conn) : fail(conn);
        if (conn->state != LOAD_HEAD && conn->state != LOAD_BODY)
            return fail(conn);
        enum load_event event = take(conn, str_of(room, (size_t)n));
        /* Edge-triggered: what comes later is told again, so a short read needs no second one. */
        if (event != LOAD_NOTHING || ((size_t)n < sizeof room && !conn->hung_up && !conn->until_close))
            return event;
    }
}
