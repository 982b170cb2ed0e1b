/* conn_out.c: the output queue of a connection.
 *
 * Why blocks and one writev: replies are made of many small pieces (head, chunk sizes, events of a
 * stream); they are copied next to each other and leave in one system call at the end of the turn.
 * Invariants: out_bytes is the sum of all at..end; a connection that waits for nothing owns no
 * block; above CONN_OUT_HIGH_BYTES the request is told to pause, so the queue is bounded by that
 * plus one write. Never: call the request from here (conn_turn does, when no caller is on the
 * stack).
 */
#include "data-plane/worker/conn_internal.h"

#define OUT_BLOCK_LEAST 2048u
#define OUT_BLOCK_MOST  (32u * 1024u)
#define OUT_PARTS       16

static struct out_block *add_block(struct conn *conn, size_t n)
{
    size_t want = n + sizeof(struct out_block), got = 0;
    want = want < OUT_BLOCK_LEAST ? OUT_BLOCK_LEAST : want > OUT_BLOCK_MOST ? OUT_BLOCK_MOST : want;
    struct out_block *block = blocks_get(&conn->front->blocks, want, &got);
    if (block == NULL)
        return NULL;
    *block = (struct out_block){.bytes = (uint32_t)got};
    if (conn->out_last == NULL)
        conn->out_first = block;
    else
        conn->out_last->next = block;
    conn->out_last = block;
    return block;
}

void conn_out_add(struct conn *conn, const char *p, size_t n)
{
    if (conn->dead || conn->write_failed || n == 0)
        return;
    if (conn->out_bytes == 0)
        conn->sent_ns = conn_now(conn);
    while (n > 0) {
        struct out_block *block = conn->out_last;
        size_t room = block == NULL ? 0 : block->bytes - sizeof *block - block->end;
        if (room == 0) {
            block = add_block(conn, n);
            if (block == NULL) {
                conn->write_failed = true; /* what cannot be queued whole must not look complete */
                conn_wake(conn);
                return;
            }
            room = block->bytes - sizeof *block;
        }
        size_t some = n < room ? n : room;
        memcpy(block->data + block->end, p, some);
        block->end += (uint32_t)some;
        conn->out_bytes += some;
        p += some;
        n -= some;
    }
    conn_wake(conn);
}

static void drop_first(struct conn *conn)
{
    struct out_block *block = conn->out_first;
    conn->out_first = block->next;
    if (conn->out_first == NULL)
        conn->out_last = NULL;
    blocks_put(&conn->front->blocks, block, block->bytes);
}

void conn_out_free(struct conn *conn)
{
    while (conn->out_first != NULL)
        drop_first(conn);
    conn->out_bytes = 0;
}

static size_t gather(const struct conn *conn, struct iovec *parts, size_t *total)
{
    size_t count = 0;
    *total = 0;
    for (struct out_block *block = conn->out_first; block != NULL && count < OUT_PARTS;
         block = block->next) {
        parts[count++] = (struct iovec){block->data + block->at, block->end - block->at};
        *total += block->end - block->at;
    }
    return count;
}

static void sent(struct conn *conn, size_t n)
{
    conn->out_bytes -= n;
    conn->sent_ns = conn_now(conn);
    metrics_add(&conn->front->worker->metrics, M_BYTES_OUT, n);
    while (n > 0) {
        struct out_block *block = conn->out_first;
        size_t here = block->end - block->at;
        if (n < here) {
            block->at += (uint32_t)n;
            return;
        }
        n -= here;
        drop_first(conn);
    }
}

void conn_out_flush(struct conn *conn)
{
    while (conn->out_bytes > 0) {
        struct iovec parts[OUT_PARTS];
        size_t total = 0, put = 0;
        size_t count = gather(conn, parts, &total);
        enum status status = transport_write(&conn->transport, parts, count, &put);
        if (status == ST_AGAIN)
            return;
        if (status != ST_OK) {
            conn->write_failed = true;
            conn_wake(conn);
            return;
        }
        sent(conn, put);
        if (put < total)
            return;
    }
}
