/* truth.h: what really happened, one record per request, written when the request ends.
 *
 * Owner: struct sim. Each record is one JSON line: appended to the file with one write(2), and kept
 * in a ring (the last TRUTH_RING records or TRUTH_RING_BYTES) for GET /__sim/requests. The record's
 * members are listed in README.md.
 */
#ifndef SLUICE_TESTS_SIM_TRUTH_H
#define SLUICE_TESTS_SIM_TRUTH_H

#include "common/buf.h"

#define TRUTH_RING       4096u
#define TRUTH_RING_BYTES (64u << 20)
#define TRUTH_LINE_MAX   (4u << 20)

struct request;

struct truth_entry {
    char *line; /* JSON, then NUL */
    size_t n;
    size_t attempt_at, attempt_n; /* the attempt id's place in the line */
};

struct truth {
    int fd; /* -1: no file */
    struct buf line;
    struct truth_entry ring[TRUTH_RING];
    uint64_t first, end; /* sequence numbers of the ring's oldest entry, and of the next */
    size_t ring_bytes;
};

/* `path` NULL: no file. ST_IO. */
MUST_USE enum status truth_open(struct truth *truth, const char *path);
void truth_close(struct truth *truth);
/* Empties the ring; the file stays. */
void truth_reset(struct truth *truth);

/* Records the end of a request and counts it in the statistics. A quiet request is only counted. */
void truth_record(struct truth *truth, struct request *req, bool completed, bool aborted);

/* Appends a JSON array of records, oldest first: those with this attempt id (p = NULL: any), of the
 * last `last`. */
void truth_list(const struct truth *truth, struct str attempt_id, uint64_t last, struct buf *out);

#endif
