/* http1.h: HTTP/1.x framing of requests, strict: heads and chunked bodies. Pure: bytes in, verdicts
 * out.
 *
 * A head is judged twice: byte by byte by http1_scan (incremental, so a bad byte is refused as soon
 * as it is seen, however the bytes were cut into reads), then as a whole by llhttp and by our own
 * rules (http1_parse). Whatever RFC 9112 lets a recipient repair, or leaves open, is refused: a
 * request that two parsers could read differently never gets in (reliability.md S1). Nothing is
 * owned here; strings borrow from the caller's bytes. Failure: ST_BAD_HTTP (400), ST_HEAD_TOO_LARGE
 * (431), ST_CONTENT_TYPE (415: a Content-Encoding we do not read); `why` is a literal sentence for
 * the caller. Every verdict but ST_OK, ST_AGAIN and ST_END means: answer, close. Limits:
 * CONN_HEAD_BYTES, CONN_HEADERS_MAX, HTTP1_*.
 */
#ifndef SLUICE_DATA_WORKER_HTTP1_H
#define SLUICE_DATA_WORKER_HTTP1_H

#include "data-plane/worker/conn.h"

#define HTTP1_CHUNK_MAX       ((uint64_t)1 << 40) /* bytes in one chunk */
#define HTTP1_CHUNK_DIGITS    16   /* hex digits of a chunk size, leading zeros too */
#define HTTP1_EXTENSION_BYTES 4096 /* chunk extensions of one body, all together */
#define HTTP1_TRAILER_BYTES   8192 /* trailer section of one body */

/* How far a head was read. All zero: at its first byte. */
struct http1_scan {
    size_t at;        /* bytes looked at */
    uint32_t headers; /* header lines seen */
    uint8_t state;
};

/* Looks at p[scan->at .. n); p always points to the head's first byte. ST_OK: complete, scan->at
 * bytes long. ST_AGAIN: needs more. ST_BAD_HTTP, ST_HEAD_TOO_LARGE. */
MUST_USE enum status http1_scan_head(struct http1_scan *scan, const char *p, size_t n,
                                     const char **why);

/* Parses a head that http1_scan_head found complete (exactly its bytes). `headers` has room for
 * scan->headers entries and stays with the head; head->peer and head->tls are the caller's to set.
 * ST_BAD_HTTP, ST_HEAD_TOO_LARGE, ST_CONTENT_TYPE. */
MUST_USE enum status http1_parse_head(const char *p, size_t n, struct http_header *headers,
                                      size_t room, struct http_head *head, const char **why);

/* Decoder of one chunked body. All zero: at its first byte. */
struct http1_chunks {
    uint64_t left; /* data bytes of the chunk at hand that are still to come */
    uint32_t extension_bytes, trailer_bytes;
    uint8_t state, digits;
};

/* Reads framing from p[0 .. n); *used is how much of it. ST_OK: chunks->left > 0 data bytes come
 * next; deliver some and call http1_chunks_took. ST_AGAIN: all n used, needs more. ST_END: the body
 * and its trailers are over. ST_BAD_HTTP. */
MUST_USE enum status http1_chunks_read(struct http1_chunks *chunks, const char *p, size_t n,
                                       size_t *used, const char **why);
/* n <= chunks->left data bytes were delivered. */
void http1_chunks_took(struct http1_chunks *chunks, size_t n);

/* True for the characters of a token (RFC 9110 section 5.6.2). */
bool http1_is_token(struct str s);
/* True if no byte of `s` could end a header line or is a control character other than HTAB. */
bool http1_is_field_value(struct str s);

#endif
