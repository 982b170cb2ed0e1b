/* limit.h: what a limit is, once, for both planes: its definition, its counter's name, its periods.
 *
 *   JSON as the admin sent it (usage_limits, rate_limits, policies)
 *     -> limit_parse_*            -> struct limit_def[]   (flat; in catalog records as a blob, in
 * the control plane's grants as the rule)
 *     -> limit_counter_id         -> 16 bytes: which counter a use of it is taken from
 *
 * Six levels, all checked, the strictest wins (ARCHITECTURE sections 1 and 5):
 *
 *   level               entity        second        defined on
 *   LIMIT_INTEGRATION   integration   -             Integration.usage_limits_json /
 * rate_limits_json LIMIT_ACCESS        integration   workspace     WorkspaceAccess (integration in
 * one workspace) LIMIT_WORKSPACE     workspace     -             Workspace LIMIT_PROVIDER provider
 * -             Provider LIMIT_KEY           API key       -             ApiKey LIMIT_POLICY policy
 * -             UsagePolicy, RatePolicy; one counter per value_key
 *
 * A definition keeps its counter when its figures change: the counter is named by what is counted,
 * not by how much is allowed. `nth` tells entries of the same measure and window in one array
 * apart. Pure; no allocation, no clock. Amounts: cost in nano-USD, tokens, requests, or permits.
 */
#ifndef SLUICE_COMMON_LIMIT_H
#define SLUICE_COMMON_LIMIT_H

#include "common/arena.h"
#include "common/id.h"
#include "common/json_tree.h"

#define LIMIT_DEFS_MAX  16  /* definitions of one entity; more are refused when saved */
#define LIMIT_VALUE_KEY 256 /* bytes of a policy's value_key; longer tuples are hashed into it */

enum limit_level {
    LIMIT_INTEGRATION = 1,
    LIMIT_ACCESS,
    LIMIT_WORKSPACE,
    LIMIT_PROVIDER,
    LIMIT_KEY,
    LIMIT_POLICY,
};

enum limit_measure { LIMIT_COST = 1, LIMIT_TOKENS, LIMIT_REQUESTS, LIMIT_CONCURRENCY };

/* LIMIT_BUDGET counts from reset to reset; the others are trailing windows; concurrency has none.
 */
enum limit_window {
    LIMIT_BUDGET = 1,
    LIMIT_SECOND,
    LIMIT_MINUTE,
    LIMIT_HOUR,
    LIMIT_DAY,
    LIMIT_WEEK,
    LIMIT_NOW,
};

enum limit_mode { LIMIT_MODE_DEFAULT, LIMIT_MODE_STANDARD, LIMIT_MODE_STRICT };
enum limit_amount { LIMIT_AMOUNT_CHARGE, LIMIT_AMOUNT_COST };
enum limit_away { LIMIT_AWAY_DEFAULT, LIMIT_AWAY_DENY, LIMIT_AWAY_ALLOW };
enum limit_reset { LIMIT_RESET_NONE, LIMIT_RESET_WEEKLY, LIMIT_RESET_MONTHLY, LIMIT_RESET_DAYS };

/* Flat: fixed size, no pointers, little-endian as memory is; an array of them is a catalog blob. */
struct limit_def {
    uint8_t measure; /* enum limit_measure */
    uint8_t window;  /* enum limit_window */
    uint8_t nth;     /* among entries of the same measure and window */
    uint8_t mode;    /* enum limit_mode; DEFAULT: workspace's, then organisation's, then standard */
    uint8_t amount;  /* enum limit_amount; of cost */
    uint8_t on_disconnect; /* enum limit_away; DEFAULT: deny where strict, allow where standard */
    uint8_t reset;         /* enum limit_reset; of budgets */
    uint8_t monday;      /* weekly: 1 = weeks begin on Monday (policies), 0 = Sunday (all others) */
    uint16_t reset_days; /* LIMIT_RESET_DAYS: 1..365 */
    uint16_t spare;
    uint32_t spare2;
    int64_t value;           /* the limit; >= 0. 0: nothing is admitted */
    int64_t alert;           /* threshold that tells, never stops; 0 = none */
    int64_t burst;           /* most admitted at one moment; 0 = no such cap */
    int64_t next_reset_ms;   /* explicit next_usage_reset_at, 0 = by rule */
    int64_t ceiling_picousd; /* "unpriced_token_price": declared price per token of models without a
                                price under a cost limit; -1 = none: such a model is refused */
};
_Static_assert(sizeof(struct limit_def) == 56, "a catalog layout");

/* What is wrong with a definition that an admin sent. */
struct limit_error {
    size_t index;      /* of the entry in its array */
    const char *field; /* "credit_limit"; "" = the entry itself. Static */
    char rule[96];     /* "must be one of standard, strict" */
};

/* Reads usage_limits or rate_limits (an object or an array of objects; null or empty limits
 * nothing) and appends to defs[*count]. The admin API refuses by these rules what it is sent, so
 * both planes read what is stored by the same ones. Words: limit.def. What is unknown is passed
 * over. `monday`: as limit_def. ST_INVALID with `error` (may be NULL) filled, ST_TOO_LARGE
 * (LIMIT_DEFS_MAX), ST_NO_MEMORY. */
MUST_USE enum status limit_read_usage(struct arena *arena, const struct json *node, bool monday,
                                      struct limit_def defs[LIMIT_DEFS_MAX], size_t *count,
                                      struct limit_error *error);
MUST_USE enum status limit_read_rates(struct arena *arena, const struct json *node,
                                      struct limit_def defs[LIMIT_DEFS_MAX], size_t *count,
                                      struct limit_error *error);
/* The same from stored text; n = 0 adds nothing. */
MUST_USE enum status limit_parse_usage(struct arena *arena, struct str json, bool monday,
                                       struct limit_def defs[LIMIT_DEFS_MAX], size_t *count);
MUST_USE enum status limit_parse_rates(struct arena *arena, struct str json,
                                       struct limit_def defs[LIMIT_DEFS_MAX], size_t *count);

/* Where a counter stands: everything that names it. */
struct limit_ref {
    uint8_t level, measure, window, nth;
    struct id org;
    struct id entity;
    struct id second;     /* LIMIT_ACCESS: the workspace; else none */
    struct str value_key; /* LIMIT_POLICY: "metadata._user:alice,model:gpt-4o"; else n = 0 */
};

/* BLAKE2b-128 over everything in `ref`, personalised: the counter's name in grants, usage events
 * and the store. */
void limit_counter_id(const struct limit_ref *ref, struct id *counter);

/* Length of a trailing window in ms; 0 for LIMIT_BUDGET and LIMIT_NOW. */
int64_t limit_window_ms(enum limit_window window);

/* Stable words for messages, logs and headers: "integration", "integration in workspace", ...;
 * "cost", "tokens", ...; "rpm"-like unit or "" . Never NULL. */
const char *limit_level_text(enum limit_level level);
const char *limit_measure_text(enum limit_measure measure);
const char *limit_window_text(enum limit_window window);

/* The end of the period that contains `now_ms` for a budget that began at `start_ms`: monthly = 1st
 * 00:00, weekly = Sunday (or Monday) 00:00, days = every N days at 00:00 counted from the day of
 * `start_ms` or from next_reset_ms; in the zone whose offset from UTC at an instant `offset_ms`
 * gives (NULL: UTC). INT64_MAX for LIMIT_RESET_NONE. Periods that were missed are skipped in one
 * step. */
int64_t limit_period_end(const struct limit_def *def, int64_t start_ms, int64_t now_ms,
                         int64_t (*offset_ms)(const void *zone, int64_t utc_ms), const void *zone);

#endif
