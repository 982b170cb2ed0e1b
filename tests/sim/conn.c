/* conn.c: the life of a connection.
 *
 *   reading --request complete--> busy: dispatch, then { flush -> source.fill -> flush ... }
 * --reply out--> reading | closed
 *
 * conn_run is the only place that moves a connection on; reads, writability and the timer all end
 * there. A request leaves the connection in exactly one way (conn_finish or conn_close), and each
 * of them writes its truth record, so no request is missing from the log and none is in it twice.
 */
#include "tests/sim/conn.h"

#include "common/clock.h"
#include "tests/sim/dispatch.h"
#include "tests/sim/source.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CONN_MAGIC        0x5c0ffee1u
#define CONN_OUT_KEPT     4096 /* bytes of an idle connection's output room that stay allocated */
#define CONN_SLOW_TICK_MS 50
#define CONN_RESET_MS     10 /* between the last byte and the RST, so that the client can read it */
#define CONN_ACCEPT_MAX   64 /* per turn */

enum conn_pump { PUMP_WAIT, PUMP_DONE, PUMP_GONE };

static void conn_close(struct conn *conn, bool aborted, bool reset)
{
    CHECK_OBJ(conn, CONN_MAGIC);
    if (conn->req != NULL)
        truth_record(&conn->sim->truth, conn->req, false, aborted);
    request_close(conn->req);
    loop_timer_clear(&conn->sim->loop, &conn->timer);
    loop_remove(&conn->sim->loop, &conn->watch);
    pipe_close(&conn->pipe, reset);
    buf_free(&conn->pending);
    buf_free(&conn->out);
    conn->sim->stats.open_connections--;
    conn->magic = 0;
    free(conn);
}

static void conn_watch(struct conn *conn)
{
    uint32_t events = EPOLLRDHUP;
    if (!conn->busy)
        events |= EPOLLIN;
    if (conn->blocked || conn->pipe.read_wants_write)
        events |= EPOLLOUT;
    if (conn->pipe.write_wants_read)
        events |= EPOLLIN;
    loop_change(&conn->sim->loop, &conn->watch, events);
}

/* How much may be written now under the request's `slow` fault; 0: the timer was armed. */
static size_t conn_allowance(struct conn *conn, size_t wanted)
{
    int64_t per_s = conn->req == NULL ? FAULT_NONE : conn->req->fault.slow;
    if (per_s <= 0)
        return wanted;
    int64_t now_ms = clock_mono_ms();
    if (now_ms < conn->slow_due_ms) {
        loop_timer_set(&conn->sim->loop, &conn->timer, conn->slow_due_ms - now_ms);
        return 0;
    }
    conn->slow_due_ms = now_ms + CONN_SLOW_TICK_MS;
    size_t quantum = (size_t)(per_s * CONN_SLOW_TICK_MS / 1000);
    if (quantum == 0) {
        quantum = 1;
        conn->slow_due_ms = now_ms + 1000 / per_s;
    }
    return wanted < quantum ? wanted : quantum;
}

/* True when nothing is left to send; else blocked, slowed down, or *gone. */
static bool conn_flush(struct conn *conn, bool *gone)
{
    conn->blocked = false;
    while (conn->out_at < conn->out.n) {
        size_t n = conn_allowance(conn, conn->out.n - conn->out_at);
        if (n == 0)
            return false;
        ssize_t put = pipe_write(&conn->pipe, conn->out.p + conn->out_at, n);
        if (put == PIPE_AGAIN) {
            conn->blocked = true;
            return false;
        }
        if (put < 0) {
            *gone = true;
            return false;
        }
        conn->out_at += (size_t)put;
        conn->sim->stats.bytes_out += (uint64_t)put;
        if (conn->req != NULL)
            conn->req->bytes_out += (uint64_t)put;
    }
    conn->out_at = 0;
    if (conn->out.room_bytes > CONN_OUT_KEPT)
        buf_free(&conn->out);
    else
        buf_clear(&conn->out);
    return true;
}

static void conn_frame(struct conn *conn, const struct buf *piece)
{
    if (piece->n == 0)
        return;
    if (conn->req->chunked)
        buf_printf(&conn->out, "%zx\r\n", piece->n);
    buf_add(&conn->out, piece->p, piece->n);
    if (conn->req->chunked)
        buf_add_lit(&conn->out, "\r\n");
}

/* One step of the reply's source into the output. */
static void conn_fill(struct conn *conn)
{
    struct request *req = conn->req;
    struct buf *scratch = &conn->sim->scratch;
    int64_t wait_ms = 0;
    buf_clear(scratch);
    enum source_step step = req->source->fill(req->source, scratch, &wait_ms);
    if (buf_status(scratch) != ST_OK)
        step = SOURCE_RESET;
    conn_frame(conn, scratch);
    if (step == SOURCE_PAUSE)
        loop_timer_set(&conn->sim->loop, &conn->timer, wait_ms);
    if (step == SOURCE_MORE || step == SOURCE_PAUSE)
        return;
    source_release(&req->source);
    req->replied = step != SOURCE_HANG;
    if (step == SOURCE_END && req->chunked)
        buf_add_lit(&conn->out, "0\r\n\r\n");
    if (step == SOURCE_CUT)
        req->ending = ENDING_CUT;
    if (step == SOURCE_RESET)
        req->ending = ENDING_RESET;
}

static enum conn_pump conn_pump(struct conn *conn)
{
    struct request *req = conn->req;
    uint64_t turn_start = req->bytes_out;
    bool gone = false;
    for (;;) {
        if (!conn_flush(conn, &gone))
            return gone ? PUMP_GONE : PUMP_WAIT;
        if (loop_timer_armed(&conn->timer))
            return PUMP_WAIT;
        if (!req->dispatched) {
            dispatch_request(req);
            continue;
        }
        if (req->replied)
            return PUMP_DONE;
        if (req->source == NULL)
            return PUMP_WAIT; /* hangs until the client goes */
        if (req->bytes_out - turn_start > CONN_TURN_BYTES) {
            loop_timer_set(&conn->sim->loop, &conn->timer, 0);
            return PUMP_WAIT;
        }
        conn_fill(conn);
    }
}

/* Ends the request whose reply is out. False when the connection is gone. */
static bool conn_finish(struct conn *conn)
{
    enum request_ending ending = conn->req->ending;
    if (ending == ENDING_RESET && conn->req->bytes_out > 0 && !conn->reset_due) {
        conn->reset_due = true;
        loop_timer_set(&conn->sim->loop, &conn->timer, CONN_RESET_MS);
        conn_watch(conn);
        return false;
    }
    if (ending != ENDING_NORMAL) {
        conn_close(conn, false, ending == ENDING_RESET);
        return false;
    }
    truth_record(&conn->sim->truth, conn->req, true, false);
    request_close(conn->req);
    conn->req = NULL;
    conn->busy = false;
    if (!conn->keep_alive) {
        conn_close(conn, false, false);
        return false;
    }
    http_resume(conn);
    return true;
}

static void conn_refuse(struct conn *conn)
{
    static const char reply[] =
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    (void)pipe_write(&conn->pipe, reply, sizeof reply - 1);
    conn_close(conn, false, false);
}

/* Reads and parses one portion. False when the connection is gone. */
static bool conn_read(struct conn *conn)
{
    static char room[CONN_READ_BYTES];
    ssize_t got = pipe_read(&conn->pipe, room, sizeof room);
    if (got == PIPE_AGAIN)
        return true;
    if (got < 0) {
        conn_close(conn, true, false);
        return false;
    }
    conn->sim->stats.bytes_in += (uint64_t)got;
    if (http_feed(conn, room, (size_t)got) == ST_OK)
        return true;
    conn_refuse(conn);
    return false;
}

/* Parses what came along with an earlier request. False when the connection is gone. */
static bool conn_parse_pending(struct conn *conn)
{
    struct buf taken = conn->pending;
    buf_init(&conn->pending, CONN_PENDING_MAX);
    enum status status = http_feed(conn, taken.p, taken.n);
    buf_free(&taken);
    if (status == ST_OK)
        return true;
    conn_refuse(conn);
    return false;
}

static void conn_run(struct conn *conn)
{
    for (;;) {
        if (conn->busy) {
            switch (conn_pump(conn)) {
            case PUMP_WAIT:
                conn_watch(conn);
                return;
            case PUMP_GONE:
                conn_close(conn, true, false);
                return;
            case PUMP_DONE:
                break;
            }
            if (!conn_finish(conn))
                return;
        } else if (conn->pending.n > 0) {
            if (!conn_parse_pending(conn))
                return;
        } else if (pipe_has_more(&conn->pipe)) {
            if (!conn_read(conn))
                return;
        } else {
            bool gone = false; /* "100 Continue" may wait to be sent */
            (void)conn_flush(conn, &gone);
            conn_watch(conn);
            return;
        }
    }
}

static void conn_ready(struct loop_watch *watch, uint32_t events)
{
    struct conn *conn = (struct conn *)(void *)((char *)watch - offsetof(struct conn, watch));
    CHECK_OBJ(conn, CONN_MAGIC);
    if (conn->busy && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        conn_close(conn, true, false);
        return;
    }
    if (!conn->busy && (events & ~(uint32_t)EPOLLOUT) != 0 && !conn_read(conn))
        return;
    conn_run(conn);
}

static void conn_timer(struct loop_timer *timer)
{
    conn_run((struct conn *)(void *)((char *)timer - offsetof(struct conn, timer)));
}

static void conn_open(struct sim *sim, int fd)
{
    struct conn *conn = calloc(1, sizeof *conn);
    int yes = 1;
    if (conn == NULL) {
        pipe_close(&(struct pipe){.fd = fd}, true);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    conn->magic = CONN_MAGIC;
    conn->sim = sim;
    conn->watch = (struct loop_watch){.ready = conn_ready, .fd = fd};
    conn->timer.fire = conn_timer;
    buf_init(&conn->pending, CONN_PENDING_MAX);
    buf_init(&conn->out, CONN_OUT_MAX);
    http_open(conn);
    if (pipe_open(&conn->pipe, fd, sim->tls) != ST_OK) {
        free(conn);
        return;
    }
    sim->stats.accepted++;
    sim->stats.open_connections++;
    CHECK(loop_add(&sim->loop, &conn->watch, EPOLLIN | EPOLLRDHUP) == ST_OK);
}

static void conn_accept(struct loop_watch *watch, uint32_t events)
{
    struct sim *sim = (struct sim *)(void *)((char *)watch - offsetof(struct sim, listener));
    (void)events;
    for (int i = 0; i < CONN_ACCEPT_MAX; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        conn_open(sim, fd);
    }
}

enum status conn_listen(struct sim *sim)
{
    sim->listener.ready = conn_accept;
    return loop_add(&sim->loop, &sim->listener, EPOLLIN);
}
