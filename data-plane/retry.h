/* retry.h: is the same target tried again, and after how long? (gateway-semantics.md section 2.4)
 *
 *   outcome -> is it of the kind that is tried again? -> attempts left? -> the provider's budget?
 * -> wait
 *
 * Waits: with use_retry_after_header what the provider asks for, exactly, up to
 * RETRY_HEADER_TOTAL_MS in all; else 1 s, 2 s, 4 s, ... capped, of which the second half is drawn,
 * so that requests that failed together do not come back together.
 *
 * Budget: per provider, over all requests of a worker, retries are at most a fifth of the requests,
 * plus a reserve that a quiet provider always has (RETRY_RESERVE at once, one more a second). So a
 * provider that fails gets at most a fifth more load, not attempts + 1 times as much.
 *
 * Pure but for the budgets' table: fixed size, private memory, one thread. Clock and random numbers
 * are the caller's.
 */
#ifndef SLUICE_DATA_RETRY_H
#define SLUICE_DATA_RETRY_H

#include "common/route_plan.h"

#define RETRY_FIRST_MS        1000
#define RETRY_CAP_MS          8000
#define RETRY_HEADER_TOTAL_MS 60000
#define RETRY_RESERVE         10

/* A target's, from its settings. */
struct retry_policy {
    uint8_t attempts; /* beyond the first; at most ROUTE_RETRIES_MAX count */
    bool uses_header;
    const struct route_codes *codes; /* NULL: 429, 500, 502, 503, 504 */
};

struct retry_outcome {
    int http_status; /* what the caller would get to see */
    bool unreached;  /* the network failed: retried whatever the statuses are */
    bool refused;    /* by a rule of ours before anything was sent: never retried */
    bool has_wait;   /* the provider said when (retry_after.h) */
    int64_t wait_ms;
};

/* One target's attempts so far. Start with zeros. */
struct retry {
    uint8_t used;
    bool gave_up;
    int64_t header_ms; /* waited on the provider's word */
};

enum retry_verdict {
    RETRY_FINAL, /* this outcome is not of the kind */
    RETRY_AGAIN, /* after *wait_ms */
    RETRY_SPENT, /* it is, but attempts, time or budget are used up */
};

struct retry_budgets;
/* gives. ST_NO_MEMORY. */
MUST_USE enum status retry_budgets_new(struct retry_budgets **budgets);
void retry_budgets_free(struct retry_budgets *budgets);
/* A request for the provider begins (its first attempt). key: of the provider, never 0. now_ms:
 * monotonic. */
void retry_budgets_earn(struct retry_budgets *budgets, uint64_t key, int64_t now_ms);

/* Decides, counts the retry and takes it from the budget. budgets may be NULL (explain). random: 64
 * even bits. */
enum retry_verdict retry_decide(struct retry *retry, const struct retry_policy *policy,
                                const struct retry_outcome *outcome, struct retry_budgets *budgets,
                                uint64_t key, int64_t now_ms, uint64_t random, int64_t *wait_ms);

/* x-portkey-retry-attempt-count: retries used, or -1 when they were not enough. */
int retry_count(const struct retry *retry);

#endif
