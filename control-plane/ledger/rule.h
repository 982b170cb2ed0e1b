/* rule.h: what an entity's record says about a limit, now: its figures, its mode, its periods.
 *
 * The one way from a counter's name to its definition. Records are read as they are in the
 * transaction, so a rule is never staler than the store; `stamp` tells cheaply whether anything it
 * was made of has changed. Nothing is kept. Pure over the transaction; any thread.
 */
#ifndef SLUICE_CONTROL_RULE_H
#define SLUICE_CONTROL_RULE_H

#include "common/limit.h"
#include "control-plane/ledger/zone.h"
#include "control-plane/store/records.h"

/* The limits of one entity. */
struct rule_set {
    struct limit_def defs[LIMIT_DEFS_MAX]; /* budgets first; mode is STANDARD or STRICT */
    size_t count;
    uint64_t stamp;          /* newest revision of the entity, its workspace and organisation */
    int64_t made_ms;         /* of the entity: periods of N days are counted from that day */
    int64_t changed_ms;      /* newest change of the entity or the organisation */
    const struct zone *zone; /* NULL: UTC */
};
struct rule {
    struct limit_def def;
    uint64_t stamp;
    int64_t made_ms, changed_ms;
    const struct zone *zone;
};

/* Whose a counter is: `ref` of limit.h, and the entity's parent (provider, API key of a workspace,
 * policy), none for all others. */
struct rule_owner {
    struct limit_ref ref;
    struct id workspace;
};

/* The stamp alone. ST_NOT_FOUND: the entity is gone. ST_BAD_FORMAT. */
MUST_USE enum status rule_stamp(struct kv_txn *txn, const struct rule_owner *owner,
                                uint64_t *stamp);
/* All limits of an entity; owner->ref's measure, window and nth are not read, but that the window
 * of a policy says whether it is one of usage (LIMIT_BUDGET) or of rates. ST_NOT_FOUND: gone or
 * archived. ST_INVALID: a definition that cannot be read. ST_TOO_LARGE, ST_BAD_FORMAT,
 * ST_NO_MEMORY. */
MUST_USE enum status rule_list(struct kv_txn *txn, struct arena *arena,
                               const struct rule_owner *owner, struct rule_set *set);
/* The one that owner->ref names. As rule_list; ST_NOT_FOUND also if the entity has no such limit.
 */
MUST_USE enum status rule_find(struct kv_txn *txn, struct arena *arena,
                               const struct rule_owner *owner, struct rule *rule);

/* The end of the period that contains `at_ms`; INT64_MAX: none. */
int64_t rule_period_end(const struct rule *rule, int64_t at_ms);
/* From the end of a period that is over to the one that contains now_ms: missed periods are passed
 * over. begin_ms: its beginning (the newest end that is not after now_ms); end_ms as
 * rule_period_end. */
void rule_period_at(const struct rule *rule, int64_t ended_ms, int64_t now_ms, int64_t *begin_ms,
                    int64_t *end_ms);
/* A number that changes with everything that decides when periods end. */
uint64_t rule_period_mark(const struct rule *rule);

#endif
