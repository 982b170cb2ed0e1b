/* usage.h: what a process has used so far, from /proc. Pure readers; a process that is gone gives zeros. */
#ifndef SLUICE_TESTS_BENCH_USAGE_H
#define SLUICE_TESTS_BENCH_USAGE_H

#include <stdint.h>

struct usage {
    uint64_t cpu_ns; /* on a CPU, all living threads */
    uint64_t rss_bytes;
};

struct usage usage_of(int pid);

#endif
