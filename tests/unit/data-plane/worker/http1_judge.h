/* http1_judge.h: one request, head and body, through http1 with its bytes cut in two; for the table
 * and the fuzzer. */
#ifndef SLUICE_TESTS_HTTP1_JUDGE_H
#define SLUICE_TESTS_HTTP1_JUDGE_H

#include <stdlib.h>

#include "common/buf.h"
#include "data-plane/worker/http1.h"

struct judgement {
    enum status status; /* ST_OK: a whole request; ST_AGAIN: needs more; else refused */
    const char *why;
    size_t used; /* bytes of the request, when ST_OK */
    struct http_header headers[CONN_HEADERS_MAX];
    struct http_head head;
    struct buf body;
};

static enum status judge_chunked(struct judgement *j, struct http1_chunks *chunks, const char *p,
                                 size_t n, size_t *at)
{
    for (;;) {
        size_t used = 0;
        enum status status = http1_chunks_read(chunks, p + *at, n - *at, &used, &j->why);
        if (status != ST_BAD_HTTP)
            *at += used;
        if (status != ST_OK)
            return status;
        /* The odd step also proves that data may be delivered in pieces. */
        size_t take = n - *at;
        if (take > 7)
            take = 7;
        if (take > chunks->left)
            take = (size_t)chunks->left;
        if (take == 0)
            return ST_AGAIN;
        buf_add(&j->body, p + *at, take);
        http1_chunks_took(chunks, take);
        *at += take;
    }
}

/* Feeds p[0 .. cut), then the rest. */
static void judge(struct judgement *j, const char *p, size_t n, size_t cut)
{
    *j = (struct judgement){.why = ""};
    buf_init(&j->body, 1 << 24);
    struct http1_scan scan = {0};
    struct http1_chunks chunks = {0};
    size_t stops[2] = {cut, n}, at = 0;
    bool parsed = false;
    j->status = ST_AGAIN;
    for (int i = 0; i < 2 && j->status == ST_AGAIN; i++) {
        if (!parsed) {
            j->status = http1_scan_head(&scan, p, stops[i], &j->why);
            if (j->status != ST_OK)
                continue;
            j->status = http1_parse_head(p, scan.at, j->headers, scan.headers, &j->head, &j->why);
            if (j->status != ST_OK)
                return;
            parsed = true;
            at = scan.at;
        }
        if (j->head.chunked) {
            j->status = judge_chunked(j, &chunks, p, stops[i], &at);
            if (j->status == ST_END)
                j->status = ST_OK;
        } else {
            size_t length = j->head.has_body && !j->head.gzip ? (size_t)j->head.content_length : 0;
            size_t have = stops[i] - scan.at;
            j->status = have >= length ? ST_OK : ST_AGAIN;
            if (j->status == ST_OK) {
                buf_add(&j->body, p + scan.at, length);
                at = scan.at + length;
            }
        }
    }
    if (j->status == ST_OK)
        j->used = at;
}

static void judgement_free(struct judgement *j)
{
    buf_free(&j->body);
}

#endif
