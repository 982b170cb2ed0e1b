/* retry.c: retries and their budgets (retry.h).
 *
 *   bucket of a provider, in thousandths of a retry:
 *     + 200 per request, + 1 per millisecond (up to the reserve), - 1000 per retry, never above the
 * reserve
 *
 * Invariant: over any time t the retries for a provider are at most RETRY_RESERVE + requests / 5 +
 * t in seconds. The table has RETRY_WAYS places per set; a provider that is pushed out starts again
 * with a full reserve, which can only matter with more than a thousand busy providers.
 */
#include "data-plane/retry.h"

#include <stdlib.h>

#define RETRY_SETS   256u
#define RETRY_WAYS   4u
#define MILLI        1000
#define MILLI_EARNED 200 /* a fifth */
#define MILLI_FULL   (RETRY_RESERVE * MILLI)
#define MILLI_PER_MS 1

struct bucket {
    uint64_t key; /* 0: free */
    int64_t milli, at_ms;
};

struct retry_budgets {
    struct bucket sets[RETRY_SETS][RETRY_WAYS];
};

enum status retry_budgets_new(struct retry_budgets **budgets)
{
    struct retry_budgets *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ST_NO_MEMORY;
    *budgets = made;
    return ST_OK;
}

void retry_budgets_free(struct retry_budgets *budgets)
{
    free(budgets);
}

/* The provider's bucket, filled up to now; the one that was quiet longest makes room. */
static struct bucket *find_bucket(struct retry_budgets *budgets, uint64_t key, int64_t now_ms)
{
    struct bucket *set = budgets->sets[key % RETRY_SETS], *bucket = &set[0];
    for (size_t i = 0; i < RETRY_WAYS; i++) {
        if (set[i].key == key) {
            bucket = &set[i];
            break;
        }
        if (set[i].at_ms < bucket->at_ms)
            bucket = &set[i];
    }
    if (bucket->key != key)
        *bucket = (struct bucket){key, MILLI_FULL, now_ms};
    int64_t passed_ms = now_ms - bucket->at_ms;
    if (passed_ms > MILLI_FULL / MILLI_PER_MS)
        passed_ms = MILLI_FULL / MILLI_PER_MS;
    bucket->milli += passed_ms > 0 ? passed_ms * MILLI_PER_MS : 0;
    if (bucket->milli > MILLI_FULL)
        bucket->milli = MILLI_FULL;
    bucket->at_ms = now_ms > bucket->at_ms ? now_ms : bucket->at_ms;
    return bucket;
}

void retry_budgets_earn(struct retry_budgets *budgets, uint64_t key, int64_t now_ms)
{
    struct bucket *bucket = find_bucket(budgets, key, now_ms);
    bucket->milli += MILLI_EARNED;
    if (bucket->milli > MILLI_FULL)
        bucket->milli = MILLI_FULL;
}

static bool spend(struct retry_budgets *budgets, uint64_t key, int64_t now_ms)
{
    if (budgets == NULL)
        return true;
    struct bucket *bucket = find_bucket(budgets, key, now_ms);
    if (bucket->milli < MILLI)
        return false;
    bucket->milli -= MILLI;
    return true;
}

static bool is_retried(const struct retry_policy *policy, const struct retry_outcome *outcome)
{
    static const int usual[] = {429, 500, 502, 503, 504};
    if (outcome->refused)
        return false;
    if (outcome->unreached)
        return true;
    if (policy->codes != NULL)
        return route_codes_has(policy->codes, outcome->http_status);
    for (size_t i = 0; i < COUNT_OF(usual); i++)
        if (outcome->http_status == usual[i])
            return true;
    return false;
}

static int64_t back_off(unsigned used, uint64_t random)
{
    int64_t full = RETRY_FIRST_MS;
    for (unsigned i = 0; i < used && full < RETRY_CAP_MS; i++)
        full *= 2;
    if (full > RETRY_CAP_MS)
        full = RETRY_CAP_MS;
    return full / 2 + (int64_t)(random % (uint64_t)(full / 2 + 1));
}

enum retry_verdict retry_decide(struct retry *retry, const struct retry_policy *policy,
                                const struct retry_outcome *outcome, struct retry_budgets *budgets,
                                uint64_t key, int64_t now_ms, uint64_t random, int64_t *wait_ms)
{
    unsigned attempts = policy->attempts < ROUTE_RETRIES_MAX ? policy->attempts : ROUTE_RETRIES_MAX;
    if (attempts == 0 || !is_retried(policy, outcome))
        return RETRY_FINAL;
    bool by_header = policy->uses_header && outcome->has_wait;
    bool too_long = by_header && (outcome->wait_ms >= RETRY_HEADER_TOTAL_MS ||
                                  outcome->wait_ms > RETRY_HEADER_TOTAL_MS - retry->header_ms);
    if (retry->used >= attempts || too_long || !spend(budgets, key, now_ms)) {
        retry->gave_up = true;
        return RETRY_SPENT;
    }
    *wait_ms = by_header ? outcome->wait_ms : back_off(retry->used, random);
    retry->header_ms += by_header ? outcome->wait_ms : 0;
    retry->used++;
    return RETRY_AGAIN;
}

int retry_count(const struct retry *retry)
{
    return retry->gave_up ? -1 : retry->used;
}
