/* alerts.h: what is worth telling about budgets: a threshold or a limit was reached, a used budget
 * began anew.
 *
 * Rows (KV_MAIN): [0x7F 'L'][number 8] -> version, kind, alert (as drawn in alerts.c)
 *                 [0x7F 'M'][alerts]   -> u64, number of the newest
 * An alert is written in the transaction that caused it, with an audit record beside, once per
 * (counter, epoch, kind, figure). Its id follows from these, so who passes it on can do so at least
 * once and still be understood once. Numbers grow and are never used again: a reader keeps the
 * number it has seen.
 * Kept ALERTS_KEEP_MS, and at most ALERTS_MAX. Writing: the writer thread.
 */
#ifndef SLUICE_CONTROL_ALERTS_H
#define SLUICE_CONTROL_ALERTS_H

#include "common/arena.h"
#include "common/limit.h"
#include "control-plane/store/writer.h"

#define ALERTS_KEEP_MS  (INT64_C(30) * 86400000)
#define ALERTS_MAX      1000000u
#define ALERTS_PAGE_MAX 1000u

enum alert_kind {
    ALERT_THRESHOLD = 1, /* used reached alert_threshold */
    ALERT_LIMIT,         /* used reached the limit */
    ALERT_RESET,         /* an epoch with use ended: by its period, or by an admin */
};

struct alert {
    uint64_t number;
    struct id id;
    enum alert_kind kind;
    int64_t at_ms;
    struct id counter;
    uint64_t epoch;       /* reset: the one that ended */
    struct limit_ref ref; /* whose limit: org, level, entity, second, measure, window, value_key */
    struct id workspace;  /* the entity's parent, where it has one */
    int64_t figure;       /* what was reached; reset: what was used */
    int64_t used, limit;  /* in the measure's unit, cost in nano-USD */
    int64_t resets_at_ms; /* of the epoch that is current now; 0: never */
};

/* Stable words: "limit_alert", "limit_reached", "limit_reset". Never NULL. */
const char *alert_kind_text(enum alert_kind kind);

/* Alerts with a number above `after`, oldest first, at most `limit` (<= ALERTS_PAGE_MAX), in the
 * arena. ST_RANGE, ST_NO_MEMORY, ST_BAD_FORMAT. */
MUST_USE enum status alerts_list(struct kv_txn *txn, uint64_t after, size_t limit,
                                 struct arena *arena, struct alert **alerts, size_t *count);
/* Drops what is older than before_ms, and the oldest above ALERTS_MAX, at most `rows`. `left`: some
 * remain. Store statuses. */
MUST_USE enum status alerts_drop(struct write_op *op, int64_t before_ms, size_t rows, bool *left);

/* For ledger/: writes one, and its audit record. number, id and at_ms are set here. Texts are
 * copied. Store statuses. */
MUST_USE enum status alerts_add(struct write_op *op, const struct alert *alert);

#endif
