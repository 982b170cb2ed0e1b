/* buf.h: a growable run of bytes with a stated maximum.
 *
 * Owner: whoever called buf_init; buf_free releases (NULL-safe members). One thread.
 * Once an append fails (cap or memory) the buffer is `failed`: later appends do nothing and the status is kept, so
 * a writer may append many times and ask once (buf_status). The bytes are always followed by a NUL outside `n`.
 */
#ifndef SLUICE_COMMON_BUF_H
#define SLUICE_COMMON_BUF_H

#include "common/str.h"

struct buf {
    char *p;
    size_t n;
    size_t room_bytes;
    size_t max_bytes;
    enum status failed; /* ST_OK, ST_TOO_LARGE (cap) or ST_NO_MEMORY */
};

void buf_init(struct buf *buf, size_t max_bytes);
/* releases the bytes (not wiped); the buffer is empty and usable again with the same cap. */
void buf_free(struct buf *buf);
/* n = 0, failed = ST_OK; keeps the room. */
void buf_clear(struct buf *buf);
/* ST_OK, or why the first failed append failed. */
MUST_USE enum status buf_status(const struct buf *buf);

/* Makes room for n more bytes behind `n`. ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status buf_reserve(struct buf *buf, size_t n);

void buf_add(struct buf *buf, const void *p, size_t n);
void buf_add_str(struct buf *buf, struct str s);
void buf_add_char(struct buf *buf, char c);
void buf_add_u64(struct buf *buf, uint64_t value);
void buf_add_i64(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
#define buf_add_lit(buf, literal) buf_add((buf), (literal), sizeof(literal) - 1)

/* Removes the first n bytes. */
void buf_drop_front(struct buf *buf, size_t n);

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->p, buf->n};
}

#endif
