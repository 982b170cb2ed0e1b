/* journal_file.h: one file of a journal: a head, then framed events. Used by journal.c only.
 *
 *   [magic u32][version u32][boot u64][first_seq u64][crc u32 of these]          little-endian
 *   [n u32][crc u32][n bytes: packed Sluice__UsageEvent] ...                     crc over seq (u64) and the bytes
 *
 * An event's seq is first_seq + its place in the file; because the crc covers it, a frame in the wrong place is not taken for a good one.
 * A file ends at its first frame that is not whole and right: a torn tail is what a crash leaves, and is cut when the file is
 * written to again. Offsets and sizes in bytes. Any thread; a descriptor is not shared between writers.
 */
#ifndef SLUICE_DATA_COURIER_JOURNAL_FILE_H
#define SLUICE_DATA_COURIER_JOURNAL_FILE_H

#include "common/buf.h"

#define JOURNAL_HEAD_BYTES  28
#define JOURNAL_FRAME_BYTES 8
#define JOURNAL_EVENT_MAX   (16u * 1024)

struct journal_file {
    uint64_t boot, first_seq;
    uint64_t count; /* whole events */
    uint64_t bytes; /* up to the end of the last whole event */
    bool torn;      /* something stands behind them */
};

/* Creates `name` in the folder with its head, durable, open for appending. gives the descriptor. ST_IO, ST_STORE_FULL. */
MUST_USE enum status journal_file_create(int folder, const char *name, uint64_t boot, uint64_t first_seq, int *fd);
/* Reads the head only: count = 0, bytes = the head's. ST_BAD_FORMAT, ST_IO. */
MUST_USE enum status journal_file_head(int fd, struct journal_file *file);
/* Reads the head and walks all frames. ST_BAD_FORMAT: no whole head (a crash while creating). ST_IO, ST_NO_MEMORY. */
MUST_USE enum status journal_file_scan(int fd, struct journal_file *file);
/* Appends one frame to `out` (not to the file). */
void journal_file_frame(struct buf *out, uint64_t seq, const void *event, size_t n);
/* What was read of one file at once, so that an event costs no system call of its own. buf_init with JOURNAL_WINDOW_BYTES; empty it
 * (buf_clear) before another file. */
#define JOURNAL_WINDOW_BYTES (64u * 1024)
struct journal_window {
    struct buf bytes;
    uint64_t offset; /* of bytes in the file */
};

/* The event of number `seq` at `offset`; it borrows the window until the next call. *next is where the following one begins.
 * ST_END: nothing whole and right stands there. ST_IO, ST_NO_MEMORY. */
MUST_USE enum status journal_file_read(int fd, uint64_t offset, uint64_t seq, struct journal_window *window,
                                       struct str *event, uint64_t *next);

#endif
