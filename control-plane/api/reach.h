/* reach.h: what a provider of a workspace lets through: common/policy.c asked over records.
 *
 * Loaded once per provider, then asked per model; the same for lists of models and for what a
 * change would refuse (overlay.h). Borrows the transaction and the arena. One thread.
 */
#ifndef SLUICE_CONTROL_API_REACH_H
#define SLUICE_CONTROL_API_REACH_H

#include "common/policy.h"
#include "control-plane/api/overlay.h"

struct reach {
    struct kv_txn *txn;
    bool open; /* the provider is live, its integration there and enabled for the workspace */
    struct record_key provider_key, integration_key;
    const Sluice__Provider *provider;       /* NULL: there is none */
    const Sluice__Integration *integration; /* NULL: there is none */
    struct id type;                         /* of the provider's kind */
    struct policy_rule *rules;
    const Sluice__ModelRule **records; /* of the rules */
    size_t rule_count;
    struct str provider_allowed;
};

/* Loads a provider, as it would be with `overlay`. What is missing makes `open` false.
 * ST_NO_MEMORY, store statuses. */
MUST_USE enum status reach_load(struct kv_txn *txn, const struct overlay *overlay,
                                struct arena *arena, int64_t now_ms,
                                const struct record_key *provider, struct reach *reach);

/* True if the model ("gpt-4o") may be called through an open provider by a key that is narrowed to
 * `key_allowed` (lines; n = 0: not). `qualified`: "@slug/model". */
bool reach_allows(const struct reach *reach, struct str model, struct str qualified,
                  struct str key_allowed, struct policy_verdict *verdict);

/* Has the catalog this id of the provider's kind? Fits policy_input.in_catalog. */
bool reach_in_catalog(const void *reach, struct str id);

/* Patterns as policy.h wants them: lines, each ended by '\n'. ST_NO_MEMORY. */
MUST_USE enum status reach_lines(struct arena *arena, char *const *items, size_t count,
                                 struct str *lines);

#endif
