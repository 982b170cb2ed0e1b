/* front.c: the set of a worker's connections (front.h).
 *
 * Why a slab: connections come and go by thousands, all of one size; they are taken from malloc in
 * chunks and given back with the front, so the bound is connections_max of them. Invariants: count
 * is the length of `conns`; a listener is paused exactly while the front is full or draining.
 * Never: free a connection (conn_turn gives it back when no callback can be on the stack).
 */
#include "data-plane/worker/front.h"

#include <stdlib.h>

#include "common/clock.h"
#include "data-plane/worker/conn_internal.h"

void front_settings_from(const struct params *params, struct front_settings *settings)
{
    *settings = (struct front_settings){
        .head_timeout_ms = (int64_t)params_u64(params, PARAM_HEAD_TIMEOUT),
        .body_grace_ms = (int64_t)params_u64(params, PARAM_BODY_GRACE),
        .body_min_rate = params_u64(params, PARAM_BODY_MIN_RATE),
        .keepalive_timeout_ms = (int64_t)params_u64(params, PARAM_KEEPALIVE_TIMEOUT),
        .send_timeout_ms = (int64_t)params_u64(params, PARAM_SEND_TIMEOUT),
        .inflate_max_bytes = params_u64(params, PARAM_UPLOAD_MAX),
        .connections_max = (size_t)params_u64(params, PARAM_CONNECTIONS_MAX),
        .proxy_protocol = params_bool(params, PARAM_PROXY_PROTOCOL),
        .serve_half_closed = params_bool(params, PARAM_SERVE_HALF_CLOSED),
        .trusted_proxies = params_str(params, PARAM_TRUSTED_PROXIES),
        .cors_origins = params_str(params, PARAM_CORS_ORIGINS),
    };
}

enum status front_open(struct worker *worker, const struct front_settings *settings,
                       const int *listener_fds, size_t listener_count, struct tls_server *tls,
                       struct front **out)
{
    CHECK(listener_count <= FRONT_LISTENERS_MAX);
    enum status status = ST_NO_MEMORY;
    struct front *front = calloc(1, sizeof *front);
    if (front == NULL)
        return ST_NO_MEMORY;
    front->worker = worker;
    front->loop = worker->loop;
    front->settings = *settings;
    front->tls = tls;
    front->date_s = -1;
    worker->front = front;
    front->scratch = malloc(CONN_READ_BYTES);
    if (front->scratch == NULL)
        goto out;
    for (; front->listener_count < listener_count; front->listener_count++)
        TRY_OUT(listener_open(&front->listeners[front->listener_count], front,
                              listener_fds[front->listener_count]));
    *out = front;
    return ST_OK;
out:
    worker->front = NULL;
    front_close(front);
    return status;
}

void front_close(struct front *front)
{
    if (front == NULL)
        return;
    for (size_t i = 0; i < front->listener_count; i++)
        listener_close(&front->listeners[i]);
    while (front->conns != NULL) {
        struct conn *conn = front->conns;
        conn_lost(conn);
        loop_defer_cancel(front->loop, &conn->job);
        conn->job.run(&conn->job);
    }
    while (front->chunks != NULL) {
        struct conn_chunk *chunk = front->chunks;
        front->chunks = chunk->next;
        free(chunk);
    }
    blocks_close(&front->blocks);
    free(front->scratch);
    free(front);
}

void front_drain(struct front *front)
{
    if (front->draining)
        return;
    front->draining = true;
    for (size_t i = 0; i < front->listener_count; i++)
        listener_pause(&front->listeners[i]);
    for (struct conn *conn = front->conns; conn != NULL; conn = conn->next)
        conn_wake(conn);
}

void front_close_listeners(struct front *front)
{
    for (size_t i = 0; i < front->listener_count; i++)
        listener_close(&front->listeners[i]);
    front->listener_count = 0;
}

void front_abort(struct front *front)
{
    front_drain(front);
    /* Requests that hear of it may only defer work, so the list stays as it is. */
    for (struct conn *conn = front->conns; conn != NULL; conn = conn->next)
        conn_lost(conn);
}

size_t front_connections(const struct front *front)
{
    return front->count;
}

static bool add_chunk(struct front *front)
{
    struct conn_chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL)
        return false;
    chunk->next = front->chunks;
    front->chunks = chunk;
    for (size_t i = 0; i < CONN_CHUNK; i++) {
        chunk->conns[i].next = front->unused;
        front->unused = &chunk->conns[i];
    }
    return true;
}

struct conn *front_take_conn(struct front *front)
{
    if (front->count >= front->settings.connections_max ||
        (front->unused == NULL && !add_chunk(front)))
        return NULL;
    struct conn *conn = front->unused;
    front->unused = conn->next;
    *conn = (struct conn){.magic = CONN_MAGIC, .front = front, .next = front->conns};
    if (front->conns != NULL)
        front->conns->prev = conn;
    front->conns = conn;
    front->count++;
    if (front->count == front->settings.connections_max) {
        front->full = true;
        for (size_t i = 0; i < front->listener_count; i++)
            listener_pause(&front->listeners[i]);
    }
    metrics_add(&front->worker->metrics, M_CONNECTIONS, 1);
    metrics_set(&front->worker->metrics, M_CONNECTIONS_OPEN, front->count);
    return conn;
}

void front_give_conn(struct front *front, struct conn *conn)
{
    CHECK_OBJ(conn, CONN_MAGIC);
    conn->magic = 0;
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        front->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    conn->next = front->unused;
    front->unused = conn;
    front->count--;
    metrics_set(&front->worker->metrics, M_CONNECTIONS_OPEN, front->count);
    if (!front->full || front->draining)
        return;
    front->full = false;
    for (size_t i = 0; i < front->listener_count; i++)
        listener_resume(&front->listeners[i]);
}

const char *front_date(struct front *front)
{
    int64_t second = loop_now_ns(front->loop) / 1000000000;
    if (second != front->date_s) {
        front->date_s = second;
        clock_to_http(clock_utc_ms(), front->date);
    }
    return front->date;
}
