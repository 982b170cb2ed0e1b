/* journal_file.c: the bytes of a journal's file (journal_file.h). Invariant: what is read back was
 * written under that number, whole. Must never: give an event whose crc does not fit, or read a
 * length before it is bounded. */
#include "data-plane/courier/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#define JOURNAL_MAGIC      0x4A534C53u
#define JOURNAL_VERSION    1u
#define JOURNAL_SCAN_BYTES (1u << 20)

static void put_le(uint8_t *p, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *p, unsigned n)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static uint32_t frame_crc(uint64_t seq, const void *event, size_t n)
{
    uint8_t number[8];
    put_le(number, seq, 8);
    uLong crc = crc32(0, number, sizeof number);
    return (uint32_t)crc32(crc, event, (uInt)n);
}

/* Up to n bytes at an offset; fewer only at the end of the file. */
static enum status read_at(int fd, uint64_t offset, void *room, size_t n, size_t *got)
{
    size_t done = 0;
    while (done < n) {
        ssize_t more = pread(fd, (char *)room + done, n - done, (off_t)(offset + done));
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return ST_IO;
        if (more == 0)
            break;
        done += (size_t)more;
    }
    *got = done;
    return ST_OK;
}

enum status journal_file_create(int folder, const char *name, uint64_t boot, uint64_t first_seq,
                                int *fd)
{
    uint8_t head[JOURNAL_HEAD_BYTES];
    put_le(head, JOURNAL_MAGIC, 4);
    put_le(head + 4, JOURNAL_VERSION, 4);
    put_le(head + 8, boot, 8);
    put_le(head + 16, first_seq, 8);
    put_le(head + 24, crc32(0, head, 24), 4);
    int made = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (made < 0)
        return status_from_errno(errno);
    if (write(made, head, sizeof head) != (ssize_t)sizeof head || fdatasync(made) != 0 ||
        fsync(folder) != 0) {
        enum status status = status_from_errno(errno);
        close(made);
        unlinkat(folder, name, 0);
        return status == ST_OK ? ST_IO : status;
    }
    *fd = made;
    return ST_OK;
}

enum status journal_file_head(int fd, struct journal_file *file)
{
    uint8_t head[JOURNAL_HEAD_BYTES];
    size_t got;
    TRY(read_at(fd, 0, head, sizeof head, &got));
    if (got < sizeof head || get_le(head, 4) != JOURNAL_MAGIC ||
        get_le(head + 4, 4) != JOURNAL_VERSION || get_le(head + 24, 4) != crc32(0, head, 24))
        return ST_BAD_FORMAT;
    *file = (struct journal_file){.boot = get_le(head + 8, 8),
                                  .first_seq = get_le(head + 16, 8),
                                  .bytes = JOURNAL_HEAD_BYTES};
    return ST_OK;
}

/* Length of the whole, right frame at the start of `window`; 0 if there is none. */
static size_t frame_check(struct str window, uint64_t seq)
{
    const uint8_t *p = (const uint8_t *)window.p;
    if (window.n < JOURNAL_FRAME_BYTES)
        return 0;
    size_t n = (size_t)get_le(p, 4);
    if (n == 0 || n > JOURNAL_EVENT_MAX || n > window.n - JOURNAL_FRAME_BYTES)
        return 0;
    if (get_le(p + 4, 4) != frame_crc(seq, p + JOURNAL_FRAME_BYTES, n))
        return 0;
    return JOURNAL_FRAME_BYTES + n;
}

enum status journal_file_scan(int fd, struct journal_file *file)
{
    struct journal_file found;
    TRY(journal_file_head(fd, &found));
    char *room = malloc(JOURNAL_SCAN_BYTES);
    if (room == NULL)
        return ST_NO_MEMORY;
    enum status status;
    size_t n, taken;
    do { /* each window begins at a frame; what does not fit whole is read again with the next */
        status = read_at(fd, found.bytes, room, JOURNAL_SCAN_BYTES, &n);
        taken = 0;
        size_t frame = 1;
        while (status == ST_OK && frame > 0) {
            frame = frame_check(str_of(room + taken, n - taken), found.first_seq + found.count);
            taken += frame;
            found.count += frame > 0;
        }
        found.bytes += taken;
    } while (status == ST_OK && taken > 0);
    free(room);
    if (status != ST_OK)
        return status;
    found.torn = n > 0;
    *file = found;
    return ST_OK;
}

void journal_file_frame(struct buf *out, uint64_t seq, const void *event, size_t n)
{
    uint8_t head[JOURNAL_FRAME_BYTES];
    CHECK(n > 0 && n <= JOURNAL_EVENT_MAX);
    put_le(head, n, 4);
    put_le(head + 4, frame_crc(seq, event, n), 4);
    buf_add(out, head, sizeof head);
    buf_add(out, event, n);
}

_Static_assert(JOURNAL_WINDOW_BYTES >= JOURNAL_FRAME_BYTES + JOURNAL_EVENT_MAX, "any frame fits");

/* The part of the window from `offset` on; empty if it does not reach there. */
static struct str window_from(const struct journal_window *window, uint64_t offset)
{
    if (offset < window->offset || offset - window->offset > window->bytes.n)
        return STR_NONE;
    return str_from(buf_str(&window->bytes), (size_t)(offset - window->offset));
}

static enum status window_fill(int fd, uint64_t offset, struct journal_window *window)
{
    size_t got;
    buf_clear(&window->bytes);
    TRY(buf_reserve(&window->bytes, JOURNAL_WINDOW_BYTES));
    TRY(read_at(fd, offset, window->bytes.p, JOURNAL_WINDOW_BYTES, &got));
    window->bytes.n = got;
    window->offset = offset;
    return ST_OK;
}

enum status journal_file_read(int fd, uint64_t offset, uint64_t seq, struct journal_window *window,
                              struct str *event, uint64_t *next)
{
    struct str here = window_from(window, offset);
    size_t frame = frame_check(here, seq);
    if (frame == 0) { /* not whole in the window, or the file has grown since, or not right */
        TRY(window_fill(fd, offset, window));
        here = buf_str(&window->bytes);
        frame = frame_check(here, seq);
    }
    if (frame == 0)
        return ST_END;
    *event = str_of(here.p + JOURNAL_FRAME_BYTES, frame - JOURNAL_FRAME_BYTES);
    *next = offset + frame;
    return ST_OK;
}
