/* health.c: accepts, reads one head, writes one answer, closes (health.h).
 *
 *   reading --blank line--> writing --all out--> closed        deadline or error: closed
 *
 * Not a general server: what is not a plain GET or HEAD is refused and the connection ends, so
 * framing never matters. Must never: let a slow peer keep a connection beyond its deadline.
 */
#include "data-plane/courier/health.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEALTH_LISTENERS_MAX 16

struct health_conn {
    struct health *health;
    struct health_conn *next; /* free list */
    struct loop_watch watch;
    struct loop_timer deadline;
    struct loop_job end; /* closing is deferred: later events of a batch may still name it */
    size_t head_n;
    char head[HEALTH_HEAD_BYTES];
    struct buf out;
    size_t sent;
    bool writing;
};

struct health {
    struct loop *loop;
    health_page page;
    void *arg;
    struct loop_watch listeners[HEALTH_LISTENERS_MAX];
    size_t listener_count;
    struct health_conn *free;
    struct health_conn conns[HEALTH_CONNECTIONS_MAX];
};

/* --- listening --- */

static void listeners_arm(struct health *health, bool on)
{
    for (size_t i = 0; i < health->listener_count; i++)
        (void)!loop_watch_set(health->loop, &health->listeners[i], on ? EPOLLIN : 0);
}

static void conn_end(struct loop_job *job)
{
    struct health_conn *conn = job->owner;
    struct health *health = conn->health;
    loop_timer_clear(health->loop, &conn->deadline);
    loop_watch_remove(health->loop, &conn->watch);
    close(conn->watch.fd);
    conn->watch.fd = -1;
    buf_free(&conn->out);
    if (health->free == NULL)
        listeners_arm(health, true);
    conn->next = health->free;
    health->free = conn;
}

static void conn_expired(struct loop_timer *timer)
{
    struct health_conn *conn = timer->owner;
    loop_defer(conn->health->loop, &conn->end);
}

/* --- answering --- */

static const char *reason_of(int status)
{
    return status == 200   ? "OK"
           : status == 400 ? "Bad Request"
           : status == 404 ? "Not Found"
           : status == 405 ? "Method Not Allowed"
                           : "Service Unavailable";
}

static void conn_write(struct health_conn *conn)
{
    while (conn->sent < conn->out.n) {
        ssize_t n =
            send(conn->watch.fd, conn->out.p + conn->sent, conn->out.n - conn->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN &&
            loop_watch_set(conn->health->loop, &conn->watch, EPOLLOUT) == ST_OK)
            return;
        if (n <= 0)
            break;
        conn->sent += (size_t)n;
    }
    shutdown(conn->watch.fd, SHUT_WR);
    loop_defer(conn->health->loop, &conn->end);
}

static int page_of(struct health_conn *conn, struct str line, struct buf *body, const char **type,
                   bool *head)
{
    struct str method, target, version = line;
    if (!str_split(&version, ' ', &method) || !str_split(&version, ' ', &target) ||
        !str_starts(version, STR("HTTP/1.")))
        return 400;
    *head = str_eq(method, STR("HEAD"));
    if (!*head && !str_eq(method, STR("GET")))
        return 405;
    ptrdiff_t query = str_find_char(target, '?');
    if (query >= 0)
        target = str_head(target, (size_t)query);
    return conn->health->page(conn->health->arg, target, body, type);
}

static void conn_answer(struct health_conn *conn, struct str line)
{
    struct buf body;
    const char *type = "text/plain; charset=utf-8";
    bool head = false;
    buf_init(&body, HEALTH_BODY_BYTES);
    int status = page_of(conn, line, &body, &type, &head);
    if (buf_status(&body) != ST_OK)
        status = 503;
    if (status != 200 && body.n == 0)
        buf_printf(&body, "%s\n", reason_of(status));
    buf_printf(
        &conn->out,
        "HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %zu\r\ncache-control: no-store\r\n"
        "connection: close\r\n\r\n",
        status, reason_of(status), type, body.n);
    if (!head)
        buf_add_str(&conn->out, buf_str(&body));
    buf_free(&body);
    conn->writing = true;
    conn_write(conn);
}

static void conn_read(struct health_conn *conn)
{
    ssize_t n =
        recv(conn->watch.fd, conn->head + conn->head_n, sizeof conn->head - conn->head_n, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        loop_defer(conn->health->loop, &conn->end);
        return;
    }
    conn->head_n += (size_t)n;
    struct str head = {conn->head, conn->head_n};
    ptrdiff_t end = str_find(head, STR("\r\n\r\n"));
    if (end < 0 && conn->head_n < sizeof conn->head)
        return;
    ptrdiff_t line = str_find(head, STR("\r\n"));
    conn_answer(conn, end < 0 ? STR("too long") : str_head(head, (size_t)line));
}

static void conn_ready(struct loop_watch *watch, uint32_t events)
{
    struct health_conn *conn = watch->owner;
    if (conn->end.queued)
        return;
    if (conn->writing)
        conn_write(conn);
    else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        conn_read(conn);
}

/* --- accepting --- */

static void conn_begin(struct health *health, int fd)
{
    struct health_conn *conn = health->free;
    conn->watch = (struct loop_watch){.fd = fd, .ready = conn_ready, .owner = conn};
    conn->deadline = (struct loop_timer){.expired = conn_expired, .owner = conn};
    conn->end = (struct loop_job){.run = conn_end, .owner = conn};
    conn->head_n = conn->sent = 0;
    conn->writing = false;
    buf_init(&conn->out, HEALTH_BODY_BYTES + HEALTH_HEAD_BYTES);
    if (loop_watch_set(health->loop, &conn->watch, EPOLLIN) != ST_OK) {
        close(fd);
        return;
    }
    health->free = conn->next;
    loop_timer_set(health->loop, &conn->deadline, HEALTH_DEADLINE_MS);
}

static void listener_ready(struct loop_watch *watch, uint32_t events)
{
    struct health *health = watch->owner;
    (void)events;
    while (health->free != NULL) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        conn_begin(health, fd);
    }
    listeners_arm(health, false);
}

enum status health_open(struct loop *loop, const int *listeners, size_t count, health_page page,
                        void *arg, struct health **health)
{
    struct health *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    CHECK(count <= HEALTH_LISTENERS_MAX);
    made->loop = loop;
    made->page = page;
    made->arg = arg;
    for (size_t i = 0; i < HEALTH_CONNECTIONS_MAX; i++) {
        made->conns[i].health = made;
        made->conns[i].watch.fd = -1;
        made->conns[i].next = made->free;
        made->free = &made->conns[i];
    }
    for (size_t i = 0; i < count; i++) {
        made->listeners[i] =
            (struct loop_watch){.fd = listeners[i], .ready = listener_ready, .owner = made};
        enum status status = loop_watch_set(loop, &made->listeners[i], EPOLLIN);
        if (status != ST_OK) {
            health_close(made);
            return status;
        }
        made->listener_count++;
    }
    *health = made;
    return ST_OK;
}

void health_close(struct health *health)
{
    if (health == NULL)
        return;
    for (size_t i = 0; i < health->listener_count; i++)
        loop_watch_remove(health->loop, &health->listeners[i]);
    for (size_t i = 0; i < HEALTH_CONNECTIONS_MAX; i++) {
        if (health->conns[i].watch.fd < 0)
            continue;
        loop_defer_cancel(health->loop, &health->conns[i].end);
        conn_end(&health->conns[i].end);
    }
    free(health);
}
