/* collector.h: carries settled slots from the segment into the journal, on a thread of its own.
 *
 *   every column: take DONE -> one journal_append (fdatasync) -> mark JOURNALED          LIVE, DRAINING
 *                 recover   -> one journal_append            -> mark, then UNUSED        DEAD
 *
 * A thread of its own, because fdatasync blocks and names and questions must not wait for it. Events wait at most
 * COLLECTOR_GATHER_MS for company. When nothing is left it tells the workers to ring and sleeps; at the latest every
 * COLLECTOR_IDLE_MS it looks for dead columns. A full disk is waited out (slots stay DONE, workers run out of slots and refuse);
 * any other failure of the journal ends the process: the successor scans.
 */
#ifndef SLUICE_DATA_COURIER_COLLECTOR_H
#define SLUICE_DATA_COURIER_COLLECTOR_H

#include "data-plane/courier/grants.h"
#include "data-plane/courier/journal.h"
#include "data-plane/slots.h"

#define COLLECTOR_GATHER_MS 3
#define COLLECTOR_IDLE_MS   100
#define COLLECTOR_FULL_MS   1000

struct collector;

struct collector_config {
    const struct segment *segment; /* borrowed for life */
    struct journal *journal;       /* borrowed for life */
    struct grants *grants;         /* borrowed for life; NULL: no counters (tests) */
    struct id node;
    uint64_t boot;
    void (*stored)(void *arg); /* on the collector's thread, after events became durable; may be NULL */
    void *arg;
};

/* gives. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status collector_start(const struct collector_config *config, struct collector **collector);
/* A worker rang, or died. Any thread. */
void collector_wake(struct collector *collector);
/* Collects what is DONE now, then ends the thread. Columns of living workers stay theirs. NULL is fine. */
void collector_stop(struct collector *collector);

/* One pass without a thread, for tests and for the end: how many events were made durable. */
MUST_USE enum status collector_pass(struct collector *collector, size_t *stored);
/* As collector_start without the thread. */
MUST_USE enum status collector_new(const struct collector_config *config, struct collector **collector);
void collector_free(struct collector *collector);

#endif
