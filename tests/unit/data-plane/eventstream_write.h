/* eventstream_write.h: messages of an AWS event stream as services write them, for tests and
 * fuzzers. */
#ifndef SLUICE_TESTS_EVENTSTREAM_WRITE_H
#define SLUICE_TESTS_EVENTSTREAM_WRITE_H

#include <zlib.h>

#include "common/buf.h"

static inline void write_u32(struct buf *out, size_t value)
{
    const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value};
    buf_add(out, bytes, sizeof bytes);
}

/* The message with these raw headers and this payload. */
static inline void write_message(struct buf *out, struct str headers, struct str payload)
{
    size_t start = out->n;
    write_u32(out, 16 + headers.n + payload.n);
    write_u32(out, headers.n);
    write_u32(out, crc32(0, (const Bytef *)out->p + start, 8));
    buf_add_str(out, headers);
    buf_add_str(out, payload);
    write_u32(out, crc32(0, (const Bytef *)out->p + start, (uInt)(out->n - start)));
}

static inline void write_header(struct buf *out, const char *name, const char *value)
{
    size_t n = strlen(value);
    buf_add_char(out, (char)strlen(name));
    buf_add_str(out, str_c(name));
    buf_add_char(out, 7);
    buf_add_char(out, (char)(n >> 8));
    buf_add_char(out, (char)n);
    buf_add_str(out, str_c(value));
}

/* kind: "event" or "exception". */
static inline void write_event(struct buf *out, const char *kind, const char *name,
                               const char *payload)
{
    struct buf headers;
    buf_init(&headers, 4096);
    write_header(&headers, kind[1] == 'v' ? ":event-type" : ":exception-type", name);
    write_header(&headers, ":content-type", "application/json");
    write_header(&headers, ":message-type", kind);
    write_message(out, buf_str(&headers), str_c(payload));
    buf_free(&headers);
}

#endif
