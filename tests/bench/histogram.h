/* histogram.h: times in nanoseconds, counted in buckets of about 1.6 % width. Constant memory; nothing is lost but precision.
 * Owner: whoever holds the struct; zero-initialised is empty. One thread.
 */
#ifndef SLUICE_TESTS_BENCH_HISTOGRAM_H
#define SLUICE_TESTS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS  (48 << HISTOGRAM_SUB_BITS) /* up to 2^48 ns: more than a day */

struct histogram {
    uint64_t count, max_ns;
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);
/* The time that `per_mille` of all entries do not exceed, rounded up to the end of its bucket; 0 if empty. */
uint64_t histogram_at(const struct histogram *h, unsigned per_mille);

#endif
