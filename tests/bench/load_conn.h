/* load_conn.h: one client connection of the load generator: sends the same request again and again, and reads each answer to its end.
 *
 * Owner: the table in load.c. One thread, never blocks. A connection that fails counts once and is opened again by load_conn_open.
 * Answers: content-length, chunked, or until close. Their heads are at most LOAD_HEAD_MAX bytes.
 */
#ifndef SLUICE_TESTS_BENCH_LOAD_CONN_H
#define SLUICE_TESTS_BENCH_LOAD_CONN_H

#include <sys/socket.h>

#include "common/str.h"

#define LOAD_HEAD_MAX 8192

enum load_state { LOAD_CLOSED, LOAD_CONNECTING, LOAD_SENDING, LOAD_HEAD, LOAD_BODY, LOAD_RESTING };

enum load_event {
    LOAD_NOTHING,
    LOAD_FIRST_BYTE, /* of the body; more may follow at once */
    LOAD_DONE,       /* a whole answer; `status` says which */
    LOAD_FAILED,     /* refused, reset, cut or malformed; the connection is closed */
};

struct load_conn {
    enum load_state state;
    int fd; /* -1: none */
    size_t sent;
    int status;
    bool hung_up; /* the peer's end was told: read until it shows */
    bool chunked, until_close, close_after, got_body;
    uint64_t left; /* of the body, or of the chunk */
    int chunk;     /* enum in load_conn.c */
    uint64_t started_ns, first_ns, body_bytes;
    size_t head_n;
    char head[LOAD_HEAD_MAX];
};

struct load_target {
    struct sockaddr_storage addr;
    socklen_t addr_n;
    struct str request;
    int epoll;
    uint32_t sources; /* different source addresses 127.0.1.x to connect from, 0: leave it to the kernel */
};

/* Opens a connection and begins to connect. ST_IO. */
MUST_USE enum status load_conn_open(struct load_conn *conn, const struct load_target *target, uint32_t number);
void load_conn_close(struct load_conn *conn);
/* Begins the next request; the clock runs from here. */
void load_conn_begin(struct load_conn *conn);
/* Goes on as far as the socket lets it. Call again until it returns LOAD_NOTHING. */
enum load_event load_conn_run(struct load_conn *conn, const struct load_target *target);

#endif
