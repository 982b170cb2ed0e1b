/* conn_body.c: request bodies: framing off, gzip off, to the request under back-pressure, at a
 * least rate.
 *
 * Why pull and not push: the request says when it wants the body (conn_body_start) and may take
 * fewer bytes than there are; what it leaves stays where it is (stash, inflater, socket), so a slow
 * provider slows the client and memory stays bounded. Invariants: body_left or chunks.left always
 * tell exactly what of the body has not been used; the body's end is told once, after its last
 * byte. Never: give a byte to a request that ended, or one beyond the inflation cap.
 */
#include <stdlib.h>

#include "data-plane/worker/conn_internal.h"

enum status conn_body_begin(struct conn *conn)
{
    const struct http_head *head = conn->head;
    int64_t wire_length = CONN_BODY_UNKNOWN;
    conn->chunks = (struct http1_chunks){0};
    if (!head->chunked) {
        /* http_head tells the decoded length; the wire's is in the header, which http1 has proved
         * to be a number. */
        uint64_t length = 0;
        CHECK(str_to_u64(http_head_get(head, STR("content-length")), &length) == ST_OK);
        wire_length = (int64_t)length;
    }
    conn->body_left = wire_length;
    if (head->gzip)
        TRY(inflater_new(conn->front->settings.inflate_max_bytes, &conn->inflater));
    return ST_OK;
}

void conn_body_free(struct conn *conn)
{
    inflater_free(conn->inflater);
    conn->inflater = NULL;
}

void conn_rate_restart(struct conn *conn)
{
    conn->rate_ns = conn_now(conn);
    conn->rate_bytes = 0;
}

bool conn_rate_ok(struct conn *conn)
{
    const struct front_settings *settings = &conn->front->settings;
    bool ok =
        conn->rate_bytes * 1000 >= settings->body_min_rate * (uint64_t)settings->body_grace_ms;
    conn_rate_restart(conn);
    return ok;
}

void conn_body_fail(struct conn *conn, enum status status)
{
    conn->in = CONN_IN_BROKEN;
    conn->close_after = true;
    if (status == ST_BAD_HTTP)
        metrics_add(&conn->front->worker->metrics, M_BAD_HTTP, 1);
    if (conn->req != NULL)
        req_body_failed(conn->req, status);
    else
        conn_die(conn);
}

/* --- the request's side ----------------------------------------------------------------------- */

void conn_body_start(struct conn *conn)
{
    if (conn->dead || conn->in != CONN_IN_BODY || conn->body_wanted)
        return;
    conn->body_wanted = true;
    if (conn->continue_due && !conn->reply_begun && conn->stash_end == conn->stash_at)
        conn_out_lit(conn, "HTTP/1.1 100 Continue\r\n\r\n");
    conn_rate_restart(conn);
    conn_wake(conn);
}

void conn_body_resume(struct conn *conn)
{
    if (conn->dead || !conn->body_paused)
        return;
    conn->body_paused = false;
    conn_rate_restart(conn);
    conn_wake(conn);
}

/* --- feeding ---------------------------------------------------------------------------------- */

/* Somebody still takes bytes. */
static bool goes_on(const struct conn *conn)
{
    return (conn->in == CONN_IN_BODY || conn->in == CONN_IN_SKIP) && conn_wants_input(conn);
}

/* Decoded bytes to the request; returns how many it took. */
static size_t deliver(struct conn *conn, const char *p, size_t n)
{
    if (conn->in == CONN_IN_SKIP)
        return n;
    size_t took = req_body(conn->req, p, n);
    CHECK(took <= n);
    if (took < n)
        conn->body_paused = true;
    return took;
}

static void body_ended(struct conn *conn)
{
    bool whole =
        conn->inflater == NULL || conn->in == CONN_IN_SKIP || inflater_end(conn->inflater) == ST_OK;
    conn_body_free(conn);
    if (!whole) {
        conn_body_fail(conn, ST_BAD_HTTP);
        return;
    }
    bool skipped = conn->in == CONN_IN_SKIP;
    conn->in = CONN_IN_DONE;
    if (skipped)
        conn->reply_ended = true; /* the reply was over before; now the next request may come */
    else
        req_body_end(conn->req);
}

/* Framing in front of the next data; *span is how many data bytes of p[0 .. n) follow it. ST_END:
 * no more. */
static enum status next_span(struct conn *conn, const char *p, size_t n, size_t *framing,
                             size_t *span)
{
    const char *why = "";
    uint64_t left = 0;
    *framing = 0;
    if (conn->body_left == CONN_BODY_UNKNOWN) {
        enum status status = http1_chunks_read(&conn->chunks, p, n, framing, &why);
        if (status != ST_OK)
            return status;
        left = conn->chunks.left;
    } else {
        if (conn->body_left == 0)
            return ST_END;
        left = (uint64_t)conn->body_left;
    }
    *span = n - *framing < left ? n - *framing : (size_t)left;
    return *span == 0 ? ST_AGAIN : ST_OK;
}

static void used_data(struct conn *conn, size_t n)
{
    if (n == 0)
        return;
    if (conn->body_left == CONN_BODY_UNKNOWN)
        http1_chunks_took(&conn->chunks, n);
    else
        conn->body_left -= (int64_t)n;
    if (conn->in == CONN_IN_SKIP) {
        if (n >= conn->skip_left)
            conn_die(conn);
        else
            conn->skip_left -= n;
    }
}

/* Data bytes through the inflater, if there is one; *used is how much of the input is done with. */
static enum status take_data(struct conn *conn, const char *p, size_t n, size_t *used)
{
    if (conn->inflater == NULL || conn->in == CONN_IN_SKIP) {
        *used = deliver(conn, p, n);
        return ST_OK;
    }
    TRY(inflater_feed(conn->inflater, p, n, used));
    return *used == 0 && inflater_piece(conn->inflater).n == 0 ? ST_BAD_HTTP : ST_OK;
}

/* What was inflated and waits. */
static void flush_piece(struct conn *conn)
{
    while (conn->inflater != NULL && goes_on(conn)) {
        struct str piece = inflater_piece(conn->inflater);
        if (piece.n == 0)
            break;
        size_t took = deliver(conn, piece.p, piece.n);
        if (conn->inflater != NULL)
            inflater_took(conn->inflater, took);
    }
}

size_t conn_body_feed(struct conn *conn, const char *p, size_t n)
{
    size_t at = 0;
    for (;;) {
        flush_piece(conn);
        if (!goes_on(conn))
            return at;
        size_t framing = 0, span = 0, used = 0;
        enum status status = next_span(conn, p + at, n - at, &framing, &span);
        at += framing;
        if (status == ST_AGAIN)
            return at;
        if (status == ST_END) {
            body_ended(conn);
            return at;
        }
        if (status == ST_OK)
            status = take_data(conn, p + at, span, &used);
        if (status != ST_OK) {
            conn_body_fail(conn, status);
            return at;
        }
        at += used;
        used_data(conn, used);
    }
}
