/* buf.c: see buf.h. Growth doubles; the cap is checked before memory is asked for. */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max_bytes = max_bytes, .failed = ST_OK};
}

void buf_free(struct buf *buf)
{
    free(buf->p);
    buf_init(buf, buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
    buf->n = 0;
    buf->failed = ST_OK;
}

enum status buf_status(const struct buf *buf)
{
    return buf->failed;
}

enum status buf_reserve(struct buf *buf, size_t n)
{
    if (buf->failed != ST_OK)
        return buf->failed;
    if (n > buf->max_bytes - buf->n)
        return buf->failed = ST_TOO_LARGE;
    size_t need = buf->n + n + 1;
    if (need <= buf->room_bytes)
        return ST_OK;
    size_t room = buf->room_bytes < 128 ? 128 : buf->room_bytes * 2;
    if (room > buf->max_bytes + 1)
        room = buf->max_bytes + 1;
    if (room < need)
        room = need;
    char *p = realloc(buf->p, room);
    if (p == NULL)
        return buf->failed = ST_NO_MEMORY;
    buf->p = p;
    buf->room_bytes = room;
    return ST_OK;
}

void buf_add(struct buf *buf, const void *p, size_t n)
{
    if (buf_reserve(buf, n) != ST_OK)
        return;
    if (n > 0)
        memcpy(buf->p + buf->n, p, n);
    buf->n += n;
    buf->p[buf->n] = '\0';
}

void buf_add_str(struct buf *buf, struct str s)
{
    buf_add(buf, s.p, s.n);
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    buf_add(buf, digits + at, sizeof digits - at);
}

void buf_add_i64(struct buf *buf, int64_t value)
{
    if (value < 0)
        buf_add_char(buf, '-');
    buf_add_u64(buf, value < 0 ? 0u - (uint64_t)value : (uint64_t)value);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n >= 0 && buf_reserve(buf, (size_t)n) == ST_OK) {
        vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

void buf_drop_front(struct buf *buf, size_t n)
{
    CHECK(n <= buf->n);
    if (n == 0)
        return;
    memmove(buf->p, buf->p + n, buf->n - n);
    buf->n -= n;
    buf->p[buf->n] = '\0';
}
