/* eventstream.c: see eventstream.h.
 *
 * The first checksum is proved before any length is believed, the second before anything else is
 * read. Invariants: a read never leaves the message that both lengths and both checksums vouch for;
 * bytes wait in `pending` only while their message is not whole. Header types but strings are
 * stepped over: no service says anything in them that decides.
 */
#include "data-plane/eventstream.h"

#include <string.h>
#include <zlib.h>

#define PRELUDE_BYTES 12u
#define CRC_BYTES     4u
#define LEAST_BYTES   (PRELUDE_BYTES + CRC_BYTES)

/* Types of header values, by number. */
enum value_type {
    VALUE_TRUE,
    VALUE_FALSE,
    VALUE_BYTE,
    VALUE_SHORT,
    VALUE_INTEGER,
    VALUE_LONG,
    VALUE_BYTES,
    VALUE_STRING,
    VALUE_TIMESTAMP,
    VALUE_UUID,
};

struct feeding {
    bool (*each)(void *arg, const struct eventstream_message *message);
    void *arg;
};

void eventstream_init(struct eventstream *stream)
{
    buf_init(&stream->pending, EVENTSTREAM_MESSAGE_MAX);
}

void eventstream_free(struct eventstream *stream)
{
    buf_free(&stream->pending);
}

static uint32_t read_u32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static bool is_checked(const char *p, size_t n)
{
    return (uint32_t)crc32(0, (const Bytef *)p, (uInt)n) == read_u32(p + n);
}

/* Bytes of the message that begins at p. PRELUDE_BYTES are there. */
static enum status measure(const char *p, size_t *message, size_t *headers)
{
    if (!is_checked(p, PRELUDE_BYTES - CRC_BYTES))
        return ST_UPSTREAM_BROKEN;
    *message = read_u32(p);
    *headers = read_u32(p + 4);
    if (*message > EVENTSTREAM_MESSAGE_MAX || *headers > EVENTSTREAM_HEADERS_MAX)
        return ST_TOO_LARGE;
    return *message >= LEAST_BYTES && *headers <= *message - LEAST_BYTES ? ST_OK
                                                                         : ST_UPSTREAM_BROKEN;
}

/* --- headers */

static bool take_bytes(struct str *rest, size_t n, struct str *bytes)
{
    if (n > rest->n)
        return false;
    *bytes = str_head(*rest, n);
    *rest = str_from(*rest, n);
    return true;
}

static bool take_counted(struct str *rest, size_t count_bytes, struct str *bytes)
{
    struct str count;
    if (!take_bytes(rest, count_bytes, &count))
        return false;
    const unsigned char *u = (const unsigned char *)count.p;
    return take_bytes(rest, count_bytes == 1 ? u[0] : (size_t)u[0] << 8 | u[1], bytes);
}

/* One header; value.p = NULL unless it is a string. */
static bool take_header(struct str *rest, struct str *name, struct str *value)
{
    static const unsigned char fixed[] = {
        [VALUE_TRUE] = 0,    [VALUE_FALSE] = 0, [VALUE_BYTE] = 1,      [VALUE_SHORT] = 2,
        [VALUE_INTEGER] = 4, [VALUE_LONG] = 8,  [VALUE_TIMESTAMP] = 8, [VALUE_UUID] = 16};
    struct str type, skipped;
    *value = STR_NONE;
    if (!take_counted(rest, 1, name) || !take_bytes(rest, 1, &type))
        return false;
    unsigned char kind = (unsigned char)type.p[0];
    if (kind == VALUE_STRING)
        return take_counted(rest, 2, value);
    if (kind == VALUE_BYTES)
        return take_counted(rest, 2, &skipped);
    return kind <= VALUE_UUID && take_bytes(rest, fixed[kind], &skipped);
}

static enum status read_headers(struct str headers, struct eventstream_message *out)
{
    static const struct {
        const char *type, *name_header;
    } kinds[] = {[EVENTSTREAM_EVENT] = {"event", ":event-type"},
                 [EVENTSTREAM_EXCEPTION] = {"exception", ":exception-type"},
                 [EVENTSTREAM_ERROR] = {"error", ":error-code"}};
    struct str names[COUNT_OF(kinds)] = {STR_NONE}, type = STR_NONE, name, value;
    while (headers.n > 0) {
        if (!take_header(&headers, &name, &value))
            return ST_UPSTREAM_BROKEN;
        if (value.p == NULL)
            continue;
        if (str_eq(name, STR(":message-type")))
            type = value;
        if (str_eq(name, STR(":error-message")))
            out->text = value;
        for (size_t i = 0; i < COUNT_OF(kinds); i++)
            if (str_eq(name, str_c(kinds[i].name_header)))
                names[i] = value;
    }
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!str_eq(type, str_c(kinds[i].type)) || names[i].p == NULL)
            continue;
        out->kind = (enum eventstream_kind)i;
        out->name = names[i];
        return ST_OK;
    }
    return ST_UPSTREAM_BROKEN;
}

/* --- messages */

static enum status give(const struct feeding *feeding, const char *p, size_t n, size_t headers)
{
    struct eventstream_message message = {
        .text = STR_NONE,
        .payload = str_of(p + PRELUDE_BYTES + headers, n - LEAST_BYTES - headers)};
    if (!is_checked(p, n - CRC_BYTES))
        return ST_UPSTREAM_BROKEN;
    TRY(read_headers(str_of(p + PRELUDE_BYTES, headers), &message));
    return feeding->each(feeding->arg, &message) ? ST_OK : ST_CLOSED;
}

/* Gives all whole messages of p[0..n); *used bytes are done with, *wanted is how long the message
 * is that begins behind them (its prelude, if that is not here yet). */
static enum status give_whole(const struct feeding *feeding, const char *p, size_t n, size_t *used,
                              size_t *wanted)
{
    *used = 0;
    for (;;) {
        size_t message, headers;
        *wanted = PRELUDE_BYTES;
        if (n - *used < PRELUDE_BYTES)
            return ST_OK;
        TRY(measure(p + *used, &message, &headers));
        *wanted = message;
        if (n - *used < message)
            return ST_OK;
        TRY(give(feeding, p + *used, message, headers));
        *used += message;
    }
}

enum status eventstream_feed(struct eventstream *stream, const char *p, size_t n,
                             bool (*each)(void *arg, const struct eventstream_message *message),
                             void *arg)
{
    const struct feeding feeding = {each, arg};
    struct buf *pending = &stream->pending;
    size_t used;
    while (n > 0) {
        if (pending->n == 0) {
            TRY(give_whole(&feeding, p, n, &used, &stream->wanted));
            p += used;
            n -= used;
        }
        size_t missing = stream->wanted - pending->n, take = n < missing ? n : missing;
        buf_add(pending, p, take);
        TRY(buf_status(pending));
        p += take;
        n -= take;
        if (pending->n == stream->wanted) {
            TRY(give_whole(&feeding, pending->p, pending->n, &used, &stream->wanted));
            buf_drop_front(pending, used);
        }
    }
    return ST_OK;
}
