/* metrics.h: counters, gauges and histograms as rows of metrics.def, rendered as Prometheus text.
 *
 * Values live in an array of u64 that the process is given: its own memory (control plane, courier)
 * or its column of the shared segment (workers). One writer per array; readers sum over arrays.
 * Updates are relaxed atomic additions, so several threads of one process may share an array.
 * Nothing here locks or allocates.
 *
 *   METRIC(NAME, kind, "name", "label=\"value\"", "help")
 *       kind: COUNTER | GAUGE | MAX (a gauge of which the largest counts, not the sum)
 *   HISTOGRAM(NAME, "name", "labels", "help")
 *       observed in microseconds, shown in seconds; bounds: metrics.c
 */
#ifndef SLUICE_COMMON_METRICS_H
#define SLUICE_COMMON_METRICS_H

#include "common/buf.h"

struct metrics {
    uint64_t *slots;
    size_t count;
};

/* Ids come from metrics.def: M_<NAME>. The list and the number of slots used are in metrics.c. */
enum metric {
#define METRIC(name, kind, text, labels, help) M_##name,
#define HISTOGRAM(name, text, labels, help)    M_##name,
#include "common/metrics.def"
#undef METRIC
#undef HISTOGRAM
    M_COUNT
};

/* How many u64 an array must have. */
size_t metrics_slots_needed(void);
/* borrows the array (zeroed by the caller). */
void metrics_bind(struct metrics *metrics, uint64_t *slots, size_t count);
void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n);
void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value);
/* HISTOGRAM rows only: one observation in microseconds. */
void metrics_observe_us(struct metrics *metrics, enum metric metric, uint64_t us);
/* The sum of a COUNTER or GAUGE over `count` arrays (of a MAX: the largest). */
uint64_t metrics_sum(enum metric metric, uint64_t *const *arrays, size_t count);
/* Sets every GAUGE and MAX to 0: their writer is gone, its counters stay. */
void metrics_forget_gauges(struct metrics *metrics);
/* Prometheus text exposition of the sum over `count` arrays. Rows whose family repeats share one
 * HELP and TYPE. */
void metrics_render(struct buf *out, uint64_t *const *arrays, size_t count);

#endif
