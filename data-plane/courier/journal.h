/* journal.h: usage events on disk until the control plane has them.
 *
 *   journal/<boot, 16 hex digits>/00000001.log, 00000002.log, ...   framed events (journal_file.h), seq from 1 without gaps
 *   journal/<boot>/acked                                            highest acknowledged seq, as text
 *   journal/<boot>/ended                                            there if that boot ended in order: nothing of it is missing
 *   journal/<boot>/lock                                             held (flock) by the courier that owns or adopted it
 *
 * A boot is one life of the master. The courier writes the journal of its own boot, across restarts of itself; journals of earlier
 * boots are found, locked and uploaded by whoever comes first. Acknowledged events stay for keep_ms or until all acknowledged files
 * exceed cap_bytes, so that a control plane that was restored can be told again; what is not acknowledged is never deleted.
 *
 * Threads: any; a lock inside. One caller of journal_append. Failure: journal_append is all or nothing; ST_STORE_FULL can be tried again,
 * ST_IO cannot (after a failed fdatasync nobody knows what is on disk): the process ends, its successor scans.
 */
#ifndef SLUICE_DATA_COURIER_JOURNAL_H
#define SLUICE_DATA_COURIER_JOURNAL_H

#include "common/arena.h"
#include "proto/usage.pb-c.h"

#define JOURNAL_BATCH_MAX 1024 /* events in one append */
#define JOURNAL_BOOTS_MAX 4096

struct journal;

struct journal_limits {
    uint64_t file_bytes; /* a file is closed when it reaches this */
    uint64_t keep_ms;
    uint64_t cap_bytes;
};

struct journal_boot {
    uint64_t boot;
    uint64_t first_seq; /* oldest kept; last_seq + 1 if none */
    uint64_t last_seq;  /* 0 = none ever */
    uint64_t acked_seq;
    bool own, ended;
};

/* Opens (makes) the folder and this boot's journal, cuts a torn tail, and adopts orphans. gives. ST_IO, ST_CONFLICT (another courier
 * holds this boot), ST_NO_MEMORY. */
MUST_USE enum status journal_open(const char *path, uint64_t boot, const struct journal_limits *limits,
                                  struct journal **journal);
void journal_close(struct journal *journal);

/* Sets the seq of each event, writes them and makes them durable. At most JOURNAL_BATCH_MAX. ST_STORE_FULL, ST_IO, ST_NO_MEMORY. */
MUST_USE enum status journal_append(struct journal *journal, Sluice__UsageEvent *const *events, size_t count);
/* This boot ends in order: every attempt is in the journal, and no more will come. Durable when it returns; a failure is only
 * logged, for then the boot counts as one that broke off. */
void journal_end(struct journal *journal);
/* seq of the newest durable event of this boot; 0 = none. */
uint64_t journal_last_seq(struct journal *journal);

/* Events of a boot from `from_seq` on, at most max_events and about max_bytes, given in the arena. A damaged stretch is passed over
 * (the first seq of the batch is then above from_seq). ST_END: none. ST_NOT_FOUND: no such boot. ST_IO, ST_NO_MEMORY. */
MUST_USE enum status journal_read(struct journal *journal, uint64_t boot, uint64_t from_seq, size_t max_events,
                                  size_t max_bytes, struct arena *arena, Sluice__UsageBatch **batch);
/* Everything up to through_seq is at the control plane; never goes back. Unknown boots are ignored. */
void journal_ack(struct journal *journal, uint64_t boot, uint64_t through_seq);
/* Another store answers: what is still kept is to be sent again. */
void journal_forget_acks(struct journal *journal);

/* Adopts journals that nobody holds and deletes what may go. Call now and then (a minute). */
void journal_tidy(struct journal *journal);
/* Boots this courier holds, oldest first; returns how many, up to max. */
size_t journal_boots(struct journal *journal, struct journal_boot *out, size_t max);
/* Events durable and not acknowledged, over all boots held. */
uint64_t journal_pending(struct journal *journal);
/* Events lost to damage on disk, as far as their number is known. */
uint64_t journal_damaged(struct journal *journal);

#endif
