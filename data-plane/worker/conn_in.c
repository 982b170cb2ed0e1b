/* conn_in.c: bytes from the socket to requests: reading, heads, keep-alive, pipelining.
 *
 * Why one scratch buffer for all connections: one read is handled before the next begins, so bytes
 * need a home of their own only when somebody cannot take them yet (the stash): half a head, a body
 * nobody asked for, a pipelined request. The usual request comes in one read: its head is copied
 * once, its body not at all. Invariants: while the stash holds bytes nothing is read from the
 * socket unless a head wants more; at most one request lives; the head block stays until the reply
 * has ended. Never: read while nobody wants bytes (the kernel's buffer then holds the client back).
 */
#include <stdlib.h>

#include "data-plane/worker/conn_internal.h"
#include "data-plane/worker/forwarded.h"

/* --- the stash -------------------------------------------------------------------------------- */

void conn_stash_free(struct conn *conn)
{
    blocks_put(&conn->front->blocks, conn->stash, conn->stash_bytes);
    conn->stash = NULL;
    conn->stash_bytes = conn->stash_at = conn->stash_end = 0;
}

/* Room for n more bytes behind the stash. */
static bool stash_reserve(struct conn *conn, size_t n)
{
    size_t held = conn->stash_end - conn->stash_at, got = 0;
    if (conn->stash_bytes - conn->stash_end >= n && conn->stash != NULL)
        return true;
    if (conn->stash_bytes >= held + n && conn->stash != NULL) {
        memmove(conn->stash, conn->stash + conn->stash_at, held);
    } else {
        char *bigger = blocks_get(&conn->front->blocks, held + n, &got);
        if (bigger == NULL)
            return false;
        if (held > 0)
            memcpy(bigger, conn->stash + conn->stash_at, held);
        conn_stash_free(conn);
        conn->stash = bigger;
        conn->stash_bytes = got;
    }
    conn->stash_at = 0;
    conn->stash_end = held;
    return true;
}

static void stash_add(struct conn *conn, const char *p, size_t n)
{
    if (!stash_reserve(conn, n)) {
        conn_lost(conn);
        return;
    }
    memcpy(conn->stash + conn->stash_end, p, n);
    conn->stash_end += n;
}

enum status conn_read_exactly(struct conn *conn, size_t need)
{
    if (!stash_reserve(conn, need - conn->stash_end))
        return ST_NO_MEMORY;
    while (conn->stash_end < need) {
        struct transport below = {.fd = conn->transport.fd}; /* in front of TLS */
        size_t got = 0;
        TRY(transport_read(&below, conn->stash + conn->stash_end, need - conn->stash_end, &got));
        conn->stash_end += got;
    }
    return ST_OK;
}

/* --- heads ------------------------------------------------------------------------------------ */

void conn_head_free(struct conn *conn)
{
    blocks_put(&conn->front->blocks, conn->head, conn->head_bytes);
    conn->head = NULL;
    conn->head_bytes = 0;
}

/* One block: the head, its headers, its text. */
static enum status make_head(struct conn *conn, const char *p, const char **why)
{
    size_t headers = conn->scan.headers * sizeof(struct http_header);
    struct http_head *head =
        blocks_get(&conn->front->blocks, sizeof *head + headers + conn->scan.at, &conn->head_bytes);
    if (head == NULL)
        return ST_NO_MEMORY;
    struct http_header *lines = (struct http_header *)(head + 1);
    char *text = (char *)(lines + conn->scan.headers);
    memcpy(text, p, conn->scan.at);
    conn->head = head;
    enum status status =
        http1_parse_head(text, conn->scan.at, lines, conn->scan.headers, head, why);
    if (status != ST_OK)
        return status;
    const struct front_settings *settings = &conn->front->settings;
    head->tls = conn->tls;
    head->peer = conn->peer;
    if (settings->trusted_proxies.n > 0)
        forwarded_peer(head, settings->trusted_proxies, &head->peer);
    return ST_OK;
}

/* `more`: bytes behind the head are at hand already. */
static void begin_request(struct conn *conn, bool more)
{
    struct http_head *head = conn->head;
    conn->reply_begun = conn->reply_ended = conn->preflight = false;
    conn->reply_bytes = 0;
    conn->body_wanted = conn->body_paused = false;
    conn->continue_due = head->expect_continue && !more;
    conn->framing = CONN_FRAMING_NONE;
    conn->in = head->has_body ? CONN_IN_BODY : CONN_IN_DONE;
    if (head->has_body && conn_body_begin(conn) != ST_OK) {
        conn_refuse(conn, ST_OVERLOADED, "Not enough memory.");
        return;
    }
    if (conn_preflight(conn))
        return;
    struct req *req = req_begin(conn->front->worker, conn, head);
    if (conn->reply_ended || conn->dead || req == NULL) {
        CHECK(conn->reply_ended || conn->dead);
        return;
    }
    conn->req = req;
    if (conn->in == CONN_IN_DONE)
        req_body_end(req);
}

/* Returns how much of p[0 .. n) belonged to a head that is complete now; else 0. */
static size_t feed_head(struct conn *conn, const char *p, size_t n)
{
    const char *why = "";
    if (conn->scan.at == 0 && n > 0)
        conn->since_ns = conn_now(conn);
    enum status status = http1_scan_head(&conn->scan, p, n, &why);
    if (status == ST_AGAIN)
        return 0;
    size_t used = conn->scan.at;
    if (status == ST_OK)
        status = make_head(conn, p, &why);
    conn->scan = (struct http1_scan){0};
    if (status == ST_OK)
        begin_request(conn, used < n);
    else
        conn_refuse(conn, status, why);
    return used;
}

/* --- feeding ---------------------------------------------------------------------------------- */

bool conn_wants_input(const struct conn *conn)
{
    if (conn->dead)
        return false;
    switch ((enum conn_in)conn->in) {
    case CONN_IN_PROXY:
    case CONN_IN_TLS:
    case CONN_IN_LINGER:
    case CONN_IN_SKIP:
        return true;
    case CONN_IN_HEAD:
        /* A client that sends requests but takes no replies waits. */
        return conn->out_bytes < CONN_OUT_HIGH_BYTES;
    case CONN_IN_BODY:
        return conn->body_wanted && !conn->body_paused && !conn->reply_ended;
    case CONN_IN_DONE:
    case CONN_IN_BROKEN:
    case CONN_IN_FLUSH:
    case CONN_IN_ENDED:
        break;
    }
    return false;
}

/* Returns how many of p[0 .. n) were used; stops where nobody wants more, and behind each head. */
static size_t feed(struct conn *conn, const char *p, size_t n)
{
    size_t at = 0;
    bool one_head = false;
    while (at < n && conn_wants_input(conn)) {
        if (conn->in == CONN_IN_HEAD) {
            size_t used = one_head ? 0 : feed_head(conn, p + at, n - at);
            if (used == 0)
                break;
            at += used;
            one_head = true;
        } else if (conn->in == CONN_IN_BODY || conn->in == CONN_IN_SKIP) {
            size_t used = conn_body_feed(conn, p + at, n - at);
            if (used == 0)
                break;
            at += used;
        } else {
            break;
        }
    }
    return at;
}

static void feed_stash(struct conn *conn)
{
    size_t used = feed(conn, conn->stash + conn->stash_at, conn->stash_end - conn->stash_at);
    conn->stash_at += used;
    if (conn->stash_at == conn->stash_end)
        conn_stash_free(conn);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void peer_ended(struct conn *conn)
{
    conn->peer_fin = true;
    if (conn->in == CONN_IN_HEAD || conn->in == CONN_IN_SKIP) {
        conn->in = CONN_IN_ENDED; /* replies that wait still go out */
        conn_stash_free(conn);
    } else {
        conn_lost(conn);
    }
}

static void throw_away(struct conn *conn)
{
    size_t got = 0;
    enum status status = transport_discard(&conn->transport, CONN_LINGER_BYTES, &got);
    if (status == ST_AGAIN)
        return;
    if (status != ST_OK || got >= conn->skip_left)
        conn_die(conn);
    else
        conn->skip_left -= got;
}

void conn_read(struct conn *conn)
{
    if (conn->in == CONN_IN_LINGER) {
        throw_away(conn);
        return;
    }
    size_t got = 0;
    char *scratch = conn->front->scratch;
    enum status status = transport_read(&conn->transport, scratch, CONN_READ_BYTES, &got);
    if (status == ST_AGAIN)
        return;
    if (status == ST_END)
        peer_ended(conn);
    else if (status != ST_OK)
        conn_lost(conn);
    if (status != ST_OK)
        return;
    metrics_add(&conn->front->worker->metrics, M_BYTES_IN, got);
    if (conn->in == CONN_IN_BODY || conn->in == CONN_IN_SKIP)
        conn->rate_bytes += got;
    size_t used = 0;
    if (conn->stash_end == conn->stash_at)
        used = feed(conn, scratch, got);
    if (used < got && !conn->dead) {
        stash_add(conn, scratch + used, got - used);
        if (used == 0)
            feed_stash(conn);
    }
}

/* --- after a reply ---------------------------------------------------------------------------- */

/* What follows the reply that ended: the next request, the rest of the body, or the end. */
static void next_request(struct conn *conn)
{
    conn->reply_ended = false;
    if (conn->close_after || conn->in == CONN_IN_BROKEN) {
        conn->in = CONN_IN_FLUSH;
        conn_body_free(conn);
        conn_head_free(conn);
        return;
    }
    if (conn->in == CONN_IN_BODY) {
        conn->in = CONN_IN_SKIP;
        conn->skip_left = CONN_SKIP_BYTES;
        conn_rate_restart(conn);
        return;
    }
    conn_body_free(conn);
    conn_head_free(conn);
    conn->in = CONN_IN_HEAD;
    conn->since_ns = conn_now(conn);
}

bool conn_progress(struct conn *conn)
{
    for (int step = 0; step < CONN_STEPS_PER_TURN; step++) {
        if (conn->reply_ended)
            next_request(conn);
        if (!conn_wants_input(conn) || conn->in == CONN_IN_LINGER || conn->in <= CONN_IN_TLS)
            return false;
        size_t before = conn->stash_end - conn->stash_at;
        if (before > 0)
            feed_stash(conn);
        else if (conn->inflater != NULL)
            (void)conn_body_feed(conn, "", 0); /* what waits inside it */
        bool moved = conn->reply_ended || conn->stash_end - conn->stash_at != before;
        if (!moved && conn_wants_input(conn) && transport_pending(&conn->transport) > 0) {
            conn_read(conn); /* epoll does not know of these bytes */
            moved = true;
        }
        if (!moved)
            return false;
    }
    return true;
}
