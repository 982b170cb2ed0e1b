/* grants.h: this host's books of counters: what the control plane lent it, split over its workers, and given back.
 *
 *   worker: IPC_COUNTER_OPEN, IPC_WISH -> row, account.given         from what the host holds, at once
 *   host: too little                   -> GrantsRequest              one at a time; grants_link.c carries it
 *   GrantsReply, Recall                -> row's figures, accounts    who waits is rung (IPC_GRANTED)
 *
 * The totals stand in the counter table (segment.h, which draws who writes what), so that a courier's successor goes on where
 * it died; what is kept here besides can be lost: references are sent again by workers, times begin anew.
 * A need is served before wishes, the smallest first; what other workers do not need is asked back (IPC_RECALL) before a
 * request is refused.
 *
 * Threads: any; one lock, held for memory operations only. The calls are made with the lock held and must not come back.
 * Limits: the counter table; GRANTS_REQUEST_MAX rows in one request. Times: milliseconds, mono and the control plane's UTC.
 */
#ifndef SLUICE_DATA_COURIER_GRANTS_H
#define SLUICE_DATA_COURIER_GRANTS_H

#include "common/arena.h"
#include "data-plane/ipc.h"
#include "data-plane/slots.h"
#include "proto/link.pb-c.h"

#define GRANTS_REQUEST_MAX 1024
#define GRANTS_FIXES_MAX   256 /* corrections of one rate that wait; beyond that they are summed in the newest */

struct grants;

struct grants_calls {
    void *arg;
    /* One message to the worker at a position. */
    void (*tell)(void *arg, uint32_t worker, const void *message, size_t n);
    /* There is something to ask: grants_request. */
    void (*wake)(void *arg);
};

/* borrows the segment; copies calls. Takes over what stands in its table. gives. ST_NO_MEMORY. */
MUST_USE enum status grants_new(const struct segment *segment, const struct grants_calls *calls, struct grants **grants);
/* NULL is fine. */
void grants_free(struct grants *grants);

struct grants_now {
    int64_t mono_ms, utc_ms;
};

/* --- from workers --- */
/* Answered at once with IPC_COUNTER_ROW to `worker`. */
void grants_open(struct grants *grants, const struct grants_now *now, uint32_t worker, const struct ipc_counter *counter);
void grants_wish(struct grants *grants, const struct grants_now *now, uint32_t row);
void grants_fix(struct grants *grants, const struct ipc_fix *fix);

/* --- from the collector --- */
/* A slot is durable in the journal: corrects the rates it took, and notes what was charged to epochs that the event could not
 * name (`untold`, by entry). `slot` is a private copy. */
void grants_journaled(struct grants *grants, const struct slot *slot, const bool untold[SLOT_RESERVES_MAX]);
/* The worker of this column is dead and all its events are durable: closes its accounts (slots_close_dead). */
void grants_close_column(struct grants *grants, const struct grants_now *now, uint32_t column);

/* --- from the link --- */
/* What is to be said now; given in the arena. ST_END: nothing; *wait_ms says when to look again at the latest. ST_NO_MEMORY. */
MUST_USE enum status grants_request(struct grants *grants, const struct grants_now *now, struct arena *arena,
                                    Sluice__GrantsRequest **request, unsigned *wait_ms);
/* The reply to that request, which was sent at sent_ms (monotonic). NULL: none came. */
void grants_reply(struct grants *grants, const struct grants_now *now, int64_t sent_ms,
                  const Sluice__GrantsRequest *request, const Sluice__GrantsReply *reply);
void grants_recall(struct grants *grants, const struct grants_now *now, const Sluice__Recall *recall);

/* All workers are gone and their columns closed: everything that is left goes back with the next requests. */
void grants_end(struct grants *grants, const struct grants_now *now);

/* Rows in use and the table's size, for /metrics. */
uint32_t grants_used(struct grants *grants);

#endif
