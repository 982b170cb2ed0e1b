/* grants.h: lending what is left of limits to nodes, so that they can spend it without asking.
 *
 *   node: want, need, granted, returned  ->  control plane: epoch, granted, verdict, limit, settled
 *
 * A grant is escrow: it counts against the limit from the moment it is committed, before the node
 * is told, until the node returns it or its usage events have settled it. All totals are cumulative
 * per (node, boot, counter, epoch), so a request may be lost, repeated or late (proto/link.proto).
 *
 *   budgets      give = max(need, min(wanted, free / 4n)), at most free;  free = limit - taken
 *                strict: all of the need or nothing; standard: what is free
 *                n = nodes that hold some or asked lately: grants shrink as the limit comes near
 *   rates        permits, leased W / 32 (200 ms to 60 s): never more than value are admitted in any
 *                trailing window (lend_rate.c)
 *   concurrency  permits, leased 30 s: a silent node's are taken until 30 s + request_max_ms
 *   too little   WAIT, and holders that can be reached are asked for what they do not need, if that
 *                could cover it; else EXHAUSTED
 *
 * Invariant, per counter and epoch, in the store at every instant: settled + lost + outstanding <=
 * cap (book.h). In standard mode settled may pass it by what attempts cost beyond their estimates.
 * A limit that was changed counts from the next request on: nothing is granted in between.
 *
 * Owner: grants_new gives, grants_free releases; kept alive longer than everybody who asks.
 * Threads: any; each request is one operation on the writer thread. Failure: nothing was granted.
 */
#ifndef SLUICE_CONTROL_GRANTS_H
#define SLUICE_CONTROL_GRANTS_H

#include "control-plane/ledger/recovery.h"
#include "proto/link.pb-c.h"

/* Of one request: rows (who has more to say says it in several), recalls that it causes,
 * corrections of one row. */
#define GRANTS_ROWS_MAX        8192u
#define GRANTS_RECALLS_MAX     4096u
#define GRANTS_CORRECTIONS_MAX 4096u
/* After WAIT it is worth asking again so soon; a rate that has room by GRANTS_SOON_MS is waited for
 * instead of refused. */
#define GRANTS_WAIT_MS 50u
#define GRANTS_SOON_MS 1000u
/* A counter's grants are asked back at most so often; of concurrency, whose holders seldom have
 * some to spare, less often. */
#define GRANTS_RECALL_MS     100
#define GRANTS_RECALL_NOW_MS 1000
/* A boot that asked for nothing so long counts no more among those that share a limit, unless it
 * holds some of it. */
#define GRANTS_QUIET_MS 300000
/* Books of ended epochs are kept so long beyond their last entry. */
#define GRANTS_KEEP_MS    (INT64_C(35) * 86400000)
#define GRANTS_AMOUNT_MAX (INT64_MAX / 8)

/* Ask a node for what it holds beyond `keep`. */
struct grants_recall {
    struct id node, counter;
    uint64_t boot, epoch;
    int64_t keep;
};

struct grants_options {
    struct kv *kv;
    struct writer *writer;
    /* Can this boot be told something now? Called on the writer thread; must not block. */
    bool (*reachable)(void *arg, const struct id *node, uint64_t boot);
    /* Called after the commit, on the thread of the request that needs them; count > 0. */
    void (*recall)(void *arg, const struct grants_recall *recalls, size_t count);
    void *arg;
    /* Longest request of a node: how long concurrency may outlive a lease. */
    int64_t request_max_ms;
    /* Silence after which what a node holds is written off (lost.h). */
    int64_t node_lost_after_ms;
};

struct grants;

/* copies the options. ST_NO_MEMORY, store statuses. */
MUST_USE enum status grants_new(const struct grants_options *options, struct grants **grants);
void grants_free(struct grants *grants);

/* Who asks, proved by its frame. `counter`: of the frame, which grows with every request. */
struct grants_asker {
    struct id node;
    uint64_t boot, counter;
};
/* Answers one request; the reply lives in the arena and is durable. ST_BAD_FORMAT: it contradicts
 * itself, and nothing of it was taken. ST_CONFLICT: a later request of this boot was answered
 * before. ST_TOO_LARGE (GRANTS_ROWS_MAX), ST_OVERLOADED, ST_NO_MEMORY, ST_STORE_FULL, ST_IO. */
MUST_USE enum status grants_answer(struct grants *grants, const struct grants_asker *asker,
                                   const Sluice__GrantsRequest *request, struct arena *arena,
                                   Sluice__GrantsReply *reply);

/* What time makes due, in small operations: ends of periods are written (and told), what boots that
 * are quiet keep from others is noted, books that nothing refers to any more are let go of. Call
 * about once a minute, from one thread. Failures are logged and tried again next time. */
void grants_upkeep(struct grants *grants);

/* grants_answer as an operation, for who runs one already: its recalls are given, not made. */
struct grants_work {
    const struct grants *grants;
    const struct grants_asker *asker;
    const Sluice__GrantsRequest *request;
    Sluice__GrantsReply *reply;
    struct grants_recall *recalls; /* in the operation's arena */
    size_t recall_count;
    struct recovery recovery; /* as it is in the operation */
    struct holder *holders;   /* room that all rows share (lend.c) */
};
MUST_USE enum status grants_answer_op(struct write_op *op, void *work);

#endif
