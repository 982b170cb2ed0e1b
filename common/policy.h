/* policy.h: may this model be called, and which row says so. One pure function for the worker,
 * explain and the admin API.
 *
 * Asked in this order; all must allow, the first that refuses decides:
 *   integration   model rules + allow_all_models + what the catalog knows
 *   provider      allowed_models (narrows only)
 *   key           allowed_models (narrows only)
 *
 * Model rules: the most exact row that applies decides, a deny beats an allow on a tie:
 *   exact         the id itself. An allow needs its exact bytes; a deny takes every spelling
 *   variant       deny only: a form of the id is the denied model (dated, tagged, prefixed)
 *   pattern       slug with '*'; more literal bytes = more exact. An allow matches the exact bytes,
 *                 a deny any form
 * An alias (an exact row with upstream_model) is refused as well if what it stands for is denied by
 * an exact or variant row; a row that allows that upstream id by its exact bytes beats a variant.
 * base_model only prices.
 *
 * Borrows everything, allocates nothing, O(rules). An id beyond POLICY_MODEL_MAX is never allowed.
 */
#ifndef SLUICE_COMMON_POLICY_H
#define SLUICE_COMMON_POLICY_H

#include "common/policy_model.h"

struct policy_rule {
    struct str slug;           /* id or pattern */
    struct str canonical;      /* policy_model_canonical(slug), or empty: made on the spot */
    struct str upstream_model; /* alias target; empty = slug; not for patterns */
    struct str base_model;     /* catalog slug that prices a custom model, empty = none */
    bool enabled;              /* false: deny */
    bool custom;
    bool listing; /* says that the model exists and nothing else: never applies */
};

struct policy_input {
    struct str model;     /* as the caller named it, without @slug/ */
    struct str qualified; /* "@slug/model" for entries of allowed_models written so; may be empty */
    bool allow_all_models;
    size_t rule_count;
    /* Fills the n-th rule; must give the same answer every time. */
    void (*rule_at)(const void *rules, size_t n, struct policy_rule *rule);
    const void *rules;
    /* Has the catalog this id of the provider type? */
    bool (*in_catalog)(const void *catalog, struct str id);
    const void *catalog;
    /* Patterns and ids, each ended by '\n'; empty = no narrowing. */
    struct str provider_allowed, key_allowed;
};

enum policy_outcome {
    POLICY_ALLOWED,
    POLICY_UNLISTED_ALLOWED, /* not in the catalog, allow_all_models: sent as it is, unpriced */
    POLICY_DENIED_BY_RULE,
    POLICY_NOT_LISTED, /* no row allows it */
    POLICY_NARROWED_BY_PROVIDER,
    POLICY_NARROWED_BY_KEY,
};

enum policy_level {
    POLICY_LEVEL_NONE,
    POLICY_LEVEL_INTEGRATION,
    POLICY_LEVEL_PROVIDER,
    POLICY_LEVEL_KEY,
};

enum policy_match {
    POLICY_MATCH_NONE,
    POLICY_MATCH_PATTERN,
    POLICY_MATCH_VARIANT,
    POLICY_MATCH_EXACT,
};

struct policy_verdict {
    enum policy_outcome outcome;
    enum policy_level level; /* that refused; INTEGRATION: a row allowed; NONE: only the flag */
    enum policy_match match; /* how the deciding row applied */
    ptrdiff_t rule;          /* deciding row; -1 = none */
    bool in_catalog;         /* of the id as the caller named it */
    bool by_upstream;        /* refused because of the alias target */
    struct str upstream_model; /* what the provider is sent; valid if allowed */
    struct str priced_model;   /* catalog slug that prices it; empty = unpriced */
};

/* Decides. Never fails. */
void policy_decide(const struct policy_input *input, struct policy_verdict *verdict);

/* ST_OK, ST_MODEL_NOT_ALLOWED (403: a row or list says no, or a known model is not listed),
 * ST_UNLISTED_MODEL (404). */
enum status policy_status(const struct policy_verdict *verdict);

/* Stable text for logs, errors and explain: "allowed", "denied_by_rule", ... Never NULL. */
const char *policy_outcome_text(enum policy_outcome outcome);

/* rule_at for a plain array of struct policy_rule. */
void policy_rule_of_array(const void *rules, size_t n, struct policy_rule *rule);

#endif
