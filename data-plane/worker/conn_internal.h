/* conn_internal.h: the inside of a connection, shared by conn*.c, front.c and listener.c only.
 *
 * Input:
 *   PROXY -> TLS -> HEAD -head complete-> BODY -last byte-> DONE -reply ended-> HEAD ...
 *                     |                    |  `-reply ended first-> SKIP -last byte-> HEAD
 *                     |                    `-body broken-> BROKEN
 *                     |-refused-> BROKEN -reply ended-> FLUSH -queue empty-> LINGER -> gone
 *                     `-peer's end-> ENDED -queue empty-> gone
 * Output: a chain of blocks; replies are queued in order, flushed at the end of the turn.
 *
 * Nothing is freed while a callback may be on the stack: `dead` is set, and conn_turn (the deferred
 * job) releases.
 *
 * Timers: timer (the earliest of the deadlines that apply).
 *
 * Memory: struct conn, about 400 bytes; while a request lives one head block (http_head, headers,
 * text: 1 KiB for an ordinary request); output blocks only while bytes wait; a stash of at most
 * 128 KiB only while bytes wait that nobody takes yet.
 */
#ifndef SLUICE_DATA_WORKER_CONN_INTERNAL_H
#define SLUICE_DATA_WORKER_CONN_INTERNAL_H

#include "data-plane/worker/blocks.h"
#include "data-plane/worker/conn.h"
#include "data-plane/worker/front.h"
#include "data-plane/worker/http1.h"
#include "data-plane/worker/inflater.h"
#include "data-plane/worker/listener.h"
#include "data-plane/worker/transport.h"
#include "data-plane/worker/worker.h"

#define CONN_MAGIC           0x434F4E31u
#define CONN_READ_BYTES      (64 * 1024)   /* per connection and turn */
#define CONN_SKIP_BYTES      (64 * 1024)   /* of an unread body, to keep the connection */
#define CONN_LINGER_BYTES    (1024 * 1024) /* thrown away before a connection is closed for good */
#define CONN_LINGER_MS       2000
#define CONN_FLUSH_NOW_BYTES (32 * 1024) /* above: do not wait for the end of the turn */
#define CONN_STEPS_PER_TURN  4           /* pipelined requests begun in one pass */
#define CONN_BODY_UNKNOWN    (-1)

enum conn_in {
    CONN_IN_PROXY,
    CONN_IN_TLS,
    CONN_IN_HEAD,
    CONN_IN_BODY,
    CONN_IN_DONE,
    CONN_IN_SKIP,
    CONN_IN_BROKEN,
    CONN_IN_FLUSH,
    CONN_IN_LINGER,
    CONN_IN_ENDED
};

enum conn_framing {
    CONN_FRAMING_NONE,
    CONN_FRAMING_LENGTH,
    CONN_FRAMING_CHUNKED,
    CONN_FRAMING_CLOSE
};

struct out_block {
    struct out_block *next;
    uint32_t bytes;   /* of the whole block, as blocks_get told */
    uint32_t at, end; /* data[at .. end) waits */
    char data[];
};

struct conn {
    uint32_t magic;
    uint8_t in;      /* enum conn_in */
    uint8_t framing; /* enum conn_framing */
    bool tls, dead, reset;
    bool body_wanted, body_paused;
    bool continue_due; /* the client waits for 100 Continue */
    bool reply_begun, reply_ended, no_reply_body, close_after, preflight;
    bool peer_fin;   /* the peer ended its direction; unread bytes may still be there */
    bool in_quiet;   /* EPOLLIN came while nobody wanted bytes: disarmed until somebody does */
    bool above_high; /* req_writable is owed */
    bool write_failed;
    struct front *front;
    struct conn *next, *prev; /* all connections of the front; next also links free ones */
    struct req *req;
    struct transport transport;
    struct loop_watch watch;
    struct loop_timer timer;
    struct loop_job job;
    struct netaddr peer; /* of the socket, or of the PROXY header */
    /* input */
    char *stash; /* bytes nobody took yet: stash[stash_at .. stash_end) */
    size_t stash_bytes, stash_at, stash_end;
    struct http1_scan scan;
    struct http_head *head; /* head block: head, headers, text */
    size_t head_bytes;
    int64_t body_left; /* CONN_BODY_UNKNOWN: chunked */
    struct http1_chunks chunks;
    struct inflater *inflater;
    size_t skip_left;
    /* output */
    struct out_block *out_first, *out_last;
    size_t out_bytes;
    int64_t reply_left; /* CONN_FRAMING_LENGTH */
    uint64_t reply_bytes;
    /* deadlines: when what they measure began; see conn_deadline */
    int64_t since_ns; /* PROXY, TLS, HEAD (first byte, or idle since), LINGER */
    int64_t rate_ns;  /* window of the body's minimum rate */
    uint64_t rate_bytes;
    int64_t sent_ns;    /* last progress of the queue */
    uint64_t acked_bytes; /* by the client's kernel, when last asked */
};

#define CONN_CHUNK 32
struct conn_chunk {
    struct conn_chunk *next;
    struct conn conns[CONN_CHUNK];
};

struct front {
    struct worker *worker;
    struct loop *loop;
    struct front_settings settings;
    struct tls_server *tls;
    struct blocks blocks;
    struct conn *conns, *unused; /* live ones; free ones */
    struct conn_chunk *chunks;
    size_t count;
    bool draining, full;
    char *scratch;  /* CONN_READ_BYTES: one read, handled before the next */
    int64_t date_s; /* second of loop time that `date` was made in */
    char date[30];
    size_t listener_count;
    struct listener listeners[FRONT_LISTENERS_MAX];
};

/* front.c */
/* A zeroed connection from the slab, linked in; NULL: full or out of memory. */
struct conn *front_take_conn(struct front *front);
void front_give_conn(struct front *front, struct conn *conn);
/* Now, as an HTTP date. */
const char *front_date(struct front *front);

/* conn.c */
/* takes the descriptor. ST_OVERLOADED (the front is full), ST_NO_MEMORY, ST_IO: the descriptor is
 * closed. */
MUST_USE enum status conn_accept(struct front *front, int fd, const struct netaddr *peer);
/* The client is gone or of no use any more: the request hears of it, the connection dies at the end
 * of the turn. */
void conn_lost(struct conn *conn);
/* Dies at the end of the turn, quietly; there is no request. */
void conn_die(struct conn *conn);
void conn_wake(struct conn *conn);
int64_t conn_now(const struct conn *conn);

/* conn_in.c */
bool conn_wants_input(const struct conn *conn);
/* One read, at most CONN_READ_BYTES, and what follows from it. */
void conn_read(struct conn *conn);
/* Goes on with what waits in the stash and behind finished replies. True if there may be more to do
 * in this turn. */
bool conn_progress(struct conn *conn);
void conn_stash_free(struct conn *conn);
void conn_head_free(struct conn *conn);
/* Bytes that arrived in front of everything else (PROXY header), exactly `need` of them in the
 * stash. ST_OK, ST_AGAIN, ST_CLOSED. */
MUST_USE enum status conn_read_exactly(struct conn *conn, size_t need);

/* conn_body.c */
/* Gives body bytes to the request (or, in SKIP, to nobody); returns how many of p[0 .. n) are used.
 */
size_t conn_body_feed(struct conn *conn, const char *p, size_t n);
MUST_USE enum status conn_body_begin(struct conn *conn);
void conn_body_fail(struct conn *conn, enum status status);
void conn_body_free(struct conn *conn);
void conn_rate_restart(struct conn *conn);
/* False: the window that ends now brought too little. */
bool conn_rate_ok(struct conn *conn);

/* conn_out.c */
void conn_out_add(struct conn *conn, const char *p, size_t n);
#define conn_out_lit(conn, literal) conn_out_add((conn), (literal), sizeof(literal) - 1)
/* Writes as much as goes. A failure sets write_failed. */
void conn_out_flush(struct conn *conn);
void conn_out_free(struct conn *conn);

/* conn_reply.c */
/* The front's own refusal: 4xx with a JSON body, then close. */
void conn_refuse(struct conn *conn, enum status status, const char *why);
/* OPTIONS of a browser; true if answered. */
bool conn_preflight(struct conn *conn);

#endif
