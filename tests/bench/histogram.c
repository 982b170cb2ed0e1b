/* histogram.c: log-linear buckets.
 *
 *   value = (64 + sub) << shift, 0 <= sub < 64: bucket = (shift + 1) * 64 + sub; values below 64 stand for themselves
 *
 * Invariant: bucket numbers grow with the value, so a percentile is a walk from the left.
 */
#include "tests/bench/histogram.h"

#define SUBS (1u << HISTOGRAM_SUB_BITS)

static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUBS)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
    unsigned bucket = (shift + 1) * SUBS + (unsigned)(ns >> shift) - SUBS;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t end_of(unsigned bucket)
{
    if (bucket < SUBS)
        return bucket;
    unsigned shift = bucket / SUBS - 1;
    return ((uint64_t)(SUBS + bucket % SUBS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->bucket[bucket_of(ns)]++;
    if (ns > h->max_ns)
        h->max_ns = ns;
}

uint64_t histogram_at(const struct histogram *h, unsigned per_mille)
{
    uint64_t wanted = (h->count * per_mille + 999) / 1000, seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && h->count > 0; i++) {
        seen += h->bucket[i];
        if (seen >= wanted)
            return end_of(i) < h->max_ns ? end_of(i) : h->max_ns;
    }
    return h->max_ns;
}
