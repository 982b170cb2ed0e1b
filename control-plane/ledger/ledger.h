/* ledger.h: every attempt that was sent, once, and what it cost.
 *
 * Rows: KV_EVENTS [day u16][node 16][boot 8][seq 8] -> packed UsageEvent        raw, dropped by day
 *       KV_MAIN   [0x7F 'W'][node 16][boot 8]      -> u64 through_seq, skipped, rejected, i64 at_ms
 *       KV_MAIN   [0x7F 'M'][ledger]               -> u16 first day whose raw events are kept
 *       KV_MAIN   roll-ups: rollups.h
 * Invariant: the watermark, the events, their sums and the objects they made are written in one
 * transaction, so a batch that is sent again (lost reply, kill -9 anywhere, restore) adds exactly
 * what is missing. Nothing here makes a revision.
 * Threads: ledger_ingest any; functions with a kv_txn as kv.h says; those with a write_op on the
 * writer thread.
 */
#ifndef SLUICE_CONTROL_LEDGER_H
#define SLUICE_CONTROL_LEDGER_H

#include "control-plane/ledger/rollups.h"
#include "control-plane/store/writer.h"

#define LEDGER_BATCH_MAX     4096u /* events of a batch */
#define LEDGER_ATTEMPT_BYTES 36u   /* node 16, boot u64, worker epoch u32, n u64 */
#define LEDGER_EVENT_KEY     34u

/* --- ingest (ledger.c) --- */

/* Takes one batch of a node's journal. Events up to the watermark are ignored; the batch is taken
 * up to the first gap. Events that cannot be (another node's attempt id, ids of a wrong length,
 * negative cost, a time beyond now + 1 h) are counted as rejected and passed over, so that one of
 * them cannot stop a journal. through_seq: the highest contiguous seq held now. ST_TOO_LARGE (more
 * than LEDGER_BATCH_MAX), ST_OVERLOADED, ST_NO_MEMORY, ST_STORE_FULL, ST_IO. */
MUST_USE enum status ledger_ingest(struct writer *writer, const struct id *node,
                                   const Sluice__UsageBatch *batch, uint64_t *through_seq);

/* The same in the caller's operation. As ledger_ingest without ST_OVERLOADED. */
MUST_USE enum status ledger_ingest_op(struct write_op *op, const struct id *node,
                                      const Sluice__UsageBatch *batch, uint64_t *through_seq);

struct ledger_watermark {
    uint64_t through_seq;
    uint64_t skipped; /* the journal no longer had them when we asked (after a restore) */
    uint64_t rejected;
    int64_t at_ms;
};
/* All zero if this journal is not known. ST_BAD_FORMAT. */
MUST_USE enum status ledger_watermark(struct kv_txn *txn, const struct id *node, uint64_t boot,
                                      struct ledger_watermark *mark);

/* Key of the record of an object at a provider (KIND_OBJECT). */
void ledger_object_key(const struct id *org, const struct id *workspace, const struct id *provider,
                       struct str object_id, struct record_key *key);
/* True if an attempt of this workspace made that object. */
bool ledger_object_owned(struct kv_txn *txn, const struct id *org, const struct id *workspace,
                         const struct id *provider, struct str object_id);

/* --- questions (ledger_query.c) --- */

enum ledger_group {
    LEDGER_BY_WORKSPACE = 1,
    LEDGER_BY_PROVIDER = 2,
    LEDGER_BY_MODEL = 4,
    LEDGER_BY_KEY = 8,          /* not with provider, model or integration */
    LEDGER_BY_INTEGRATION = 16, /* not with any other but period */
    LEDGER_BY_PERIOD = 32,
    LEDGER_BY_USER = 64,   /* not with provider, model, key, integration or label */
    LEDGER_BY_LABEL = 128, /* by the values of `label`; not with any of those either */
};

struct ledger_question {
    struct id org;
    struct id workspace; /* none: all */
    struct id provider, key, integration, user; /* filters; none: all. All but provider exclude each
                                                   other and provider and model */
    struct str model;        /* n = 0: all */
    struct str label, value; /* a key of metadata, and a value of it; n = 0: all. Excludes the rest */
    int64_t start_ms, end_ms; /* widened to whole periods; end exclusive */
    enum rollup_period period;
    unsigned group; /* of enum ledger_group */
};

struct ledger_row {
    struct id workspace, provider, key, integration, user; /* none unless grouped by it */
    struct str text; /* model, or value of the label */
    int64_t period_ms; /* its beginning; 0 unless grouped by it */
    struct rollup_totals totals;
};

struct ledger_answer {
    struct ledger_row *rows; /* in the arena; by order of group fields */
    size_t count;
    struct rollup_totals totals; /* of all rows */
};

/* ST_INVALID (grouping or filter that no roll-up has, empty time range), ST_TOO_LARGE (more than
 * 10,000 groups), ST_NO_MEMORY. */
MUST_USE enum status ledger_ask(struct kv_txn *txn, const struct ledger_question *question,
                                struct arena *arena, struct ledger_answer *answer);

struct ledger_events_filter {
    struct id org, workspace, key, provider, integration; /* none: any */
    struct str model;                                     /* n = 0: any */
    int64_t start_ms, end_ms;
};
struct ledger_events_page {
    Sluice__UsageEvent **events; /* in the arena, by day, node, boot, seq */
    size_t count;
    bool more; /* go on with `place`; may be true with fewer than `limit` events */
    uint8_t place[LEDGER_EVENT_KEY];
};
/* Raw events, at most `limit` (<= 1,000), at most 50,000 rows looked at. `place` = NULL: from the
 * beginning. ST_RANGE, ST_NO_MEMORY, ST_BAD_FORMAT. */
MUST_USE enum status ledger_events(struct kv_txn *txn, const struct ledger_events_filter *filter,
                                   const uint8_t *place, size_t limit, struct arena *arena,
                                   struct ledger_events_page *page);
/* The event of one attempt, looked for on the days of [start_ms, end_ms]. ST_NOT_FOUND, ST_INVALID
 * (attempt id). */
MUST_USE enum status ledger_find(struct kv_txn *txn, struct str attempt_id, int64_t start_ms,
                                 int64_t end_ms, struct arena *arena, Sluice__UsageEvent **event);

/* --- upkeep (ledger_verify.c) --- */

struct ledger_check {
    uint64_t events;    /* looked at */
    uint64_t rows;      /* sums that follow from them */
    uint64_t different; /* stored sums that say something else */
    uint64_t missing;   /* sums that are not stored */
    uint64_t extra;     /* stored sums that no event explains */
};
/* Re-adds all raw events of one UTC day and compares with the stored sums. ST_RANGE: its events are
 * no longer kept. ST_TOO_LARGE (above a million sums), ST_NO_MEMORY, ST_BAD_FORMAT. */
MUST_USE enum status ledger_verify_day(struct kv_txn *txn, uint32_t day,
                                       struct ledger_check *check);
/* First and last day that have raw events. ST_NOT_FOUND: none. */
MUST_USE enum status ledger_days(struct kv_txn *txn, uint32_t *first, uint32_t *last);

/* Drops raw events of days before `day`, at most `rows` in one operation. left: some remain. Sums
 * stay. */
MUST_USE enum status ledger_drop_events(struct write_op *op, uint32_t day, size_t rows, bool *left);
/* Drops sums of one kind whose period is before `period`, at most `rows`; `labels`: only those by
 * metadata. left: some remain. ST_RANGE: raw events of that time are still kept, and would no longer
 * add up. */
MUST_USE enum status ledger_drop_sums(struct write_op *op, enum rollup_period kind, bool labels,
                                      uint32_t period, size_t rows, bool *left);

#endif
