/* journal_log.h: the journal of one boot: its folder, lock, files and numbers. Used by journal.c only, under its lock. */
#ifndef SLUICE_DATA_COURIER_JOURNAL_LOG_H
#define SLUICE_DATA_COURIER_JOURNAL_LOG_H

#include "common/str.h"

#define JOURNAL_NAME_BYTES 16

/* One file. */
struct journal_part {
    uint32_t number;
    uint64_t first_seq, last_seq; /* last_seq + 1 = first_seq: empty */
    uint64_t bytes;
    int64_t written_ms;
};

struct journal_log {
    uint64_t boot;
    bool own, ended;
    int folder, lock;
    struct journal_part *parts;
    size_t count, room;
    uint64_t last_seq, acked_seq;
};

/* Locks and lists the folder of `boot` below `root`, finds where it ends, and cuts a torn tail off our own (which is made if
 * missing). gives. ST_CONFLICT: another process holds it. ST_IO, ST_NO_MEMORY. */
MUST_USE enum status journal_log_open(int root, uint64_t boot, bool own, struct journal_log **log);
/* Unlocks and releases; NULL is fine. */
void journal_log_free(struct journal_log *log);

void journal_part_name(uint32_t number, char name[JOURNAL_NAME_BYTES]);
MUST_USE enum status journal_log_add(struct journal_log *log, const struct journal_part *part);
/* The file that holds seq, or the first behind it; NULL if there is none. */
const struct journal_part *journal_log_part(const struct journal_log *log, uint64_t seq);

/* Keeps acked_seq on disk; not durable, for an acknowledgement that is lost costs a repetition. */
void journal_log_save_acked(const struct journal_log *log);
/* Makes the mark of an orderly end, durably. ST_IO. */
MUST_USE enum status journal_log_save_ended(const struct journal_log *log);
/* Bytes of files that are acknowledged whole and not written to. */
uint64_t journal_log_acked_bytes(const struct journal_log *log);
/* Deletes such files, oldest first, while they are older than keep_ms or *acked_bytes (of all boots) exceeds the cap. */
void journal_log_trim(struct journal_log *log, int64_t now_ms, uint64_t keep_ms, uint64_t cap_bytes,
                      uint64_t *acked_bytes);
/* Deletes the folder of a log without files. */
void journal_log_remove(int root, const struct journal_log *log);

#endif
