/* metrics.c: the rows of metrics.def, where each lies in an array, and the text of their sum.
 *
 *   slots: [ counter | gauge | ... | bucket 0 .. bucket N | above | sum_us | ... ]
 *
 * Invariant: a row's place follows from the table alone, so all processes of one build agree on it,
 * and an array in shared memory needs no header. Slots are read while others write: every access is
 * one relaxed atomic word, so a reader may see a histogram between two of its words, never a torn
 * number. It must never allocate, lock or read a clock.
 */
#include "common/metrics.h"

#include <inttypes.h>

#define BOUNDS          19
#define BUCKETS         (BOUNDS + 1)  /* the last one has no bound */
#define HISTOGRAM_SLOTS (BUCKETS + 1) /* and the sum */
#define US_PER_SECOND   1000000u

enum metrics_kind { METRICS_COUNTER, METRICS_GAUGE, METRICS_MAX, METRICS_HISTOGRAM };

static const uint64_t bounds_us[BOUNDS] = {
    100,    250,    500,     1000,    2500,    5000,     10000,    25000,    50000,     100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000,
};

enum {
#define METRIC(name, kind, text, labels, help) AT_##name,
#define HISTOGRAM(name, text, labels, help)                                                        \
    AT_##name, AT_LAST_##name = AT_##name + HISTOGRAM_SLOTS - 1,
#include "common/metrics.def"
#undef METRIC
#undef HISTOGRAM
    SLOT_COUNT
};

static const struct metrics_row {
    size_t at;
    enum metrics_kind kind;
    const char *text, *labels, *help;
} rows[] = {
#define METRIC(name, kind, text, labels, help) {AT_##name, METRICS_##kind, text, labels, help},
#define HISTOGRAM(name, text, labels, help)    {AT_##name, METRICS_HISTOGRAM, text, labels, help},
#include "common/metrics.def"
#undef METRIC
#undef HISTOGRAM
};

size_t metrics_slots_needed(void)
{
    return SLOT_COUNT;
}

void metrics_bind(struct metrics *metrics, uint64_t *slots, size_t count)
{
    CHECK(count >= SLOT_COUNT);
    *metrics = (struct metrics){slots, count};
}

static void add(struct metrics *metrics, size_t at, uint64_t n)
{
    __atomic_fetch_add(&metrics->slots[at], n, __ATOMIC_RELAXED);
}

void metrics_add(struct metrics *metrics, enum metric metric, uint64_t n)
{
    CHECK((size_t)metric < M_COUNT && rows[metric].kind != METRICS_HISTOGRAM);
    add(metrics, rows[metric].at, n);
}

void metrics_set(struct metrics *metrics, enum metric metric, uint64_t value)
{
    CHECK((size_t)metric < M_COUNT && rows[metric].kind != METRICS_HISTOGRAM);
    __atomic_store_n(&metrics->slots[rows[metric].at], value, __ATOMIC_RELAXED);
}

void metrics_forget_gauges(struct metrics *metrics)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].kind == METRICS_GAUGE || rows[i].kind == METRICS_MAX)
            __atomic_store_n(&metrics->slots[rows[i].at], 0, __ATOMIC_RELAXED);
    }
}

void metrics_observe_us(struct metrics *metrics, enum metric metric, uint64_t us)
{
    CHECK((size_t)metric < M_COUNT && rows[metric].kind == METRICS_HISTOGRAM);
    size_t bucket = 0;
    while (bucket < BOUNDS && us > bounds_us[bucket])
        bucket++;
    add(metrics, rows[metric].at + bucket, 1);
    add(metrics, rows[metric].at + BUCKETS, us);
}

static uint64_t combine(uint64_t *const *arrays, size_t count, size_t at, bool maximum)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t one = arrays[i] == NULL ? 0 : __atomic_load_n(&arrays[i][at], __ATOMIC_RELAXED);
        if (!maximum)
            value += one;
        else if (one > value)
            value = one;
    }
    return value;
}

uint64_t metrics_sum(enum metric metric, uint64_t *const *arrays, size_t count)
{
    CHECK((size_t)metric < M_COUNT && rows[metric].kind != METRICS_HISTOGRAM);
    return combine(arrays, count, rows[metric].at, rows[metric].kind == METRICS_MAX);
}

/* Microseconds as seconds, without trailing zeros. */
static void add_seconds(struct buf *out, uint64_t us)
{
    char digits[8];
    uint64_t fraction = us % US_PER_SECOND;
    buf_add_u64(out, us / US_PER_SECOND);
    if (fraction == 0)
        return;
    size_t n = 6;
    for (size_t i = n; i-- > 0; fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    while (digits[n - 1] == '0')
        n--;
    buf_add_char(out, '.');
    buf_add(out, digits, n);
}

static void render_histogram(struct buf *out, const struct metrics_row *row,
                             uint64_t *const *arrays, size_t count)
{
    const char *comma = row->labels[0] == '\0' ? "" : ",";
    const char *open = row->labels[0] == '\0' ? "" : "{",
               *close = row->labels[0] == '\0' ? "" : "}";
    uint64_t total = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        total += combine(arrays, count, row->at + i, false);
        buf_printf(out, "%s_bucket{%s%sle=\"", row->text, row->labels, comma);
        if (i < BOUNDS)
            add_seconds(out, bounds_us[i]);
        else
            buf_add_lit(out, "+Inf");
        buf_printf(out, "\"} %" PRIu64 "\n", total);
    }
    buf_printf(out, "%s_sum%s%s%s ", row->text, open, row->labels, close);
    add_seconds(out, combine(arrays, count, row->at + BUCKETS, false));
    buf_printf(out, "\n%s_count%s%s%s %" PRIu64 "\n", row->text, open, row->labels, close, total);
}

void metrics_render(struct buf *out, uint64_t *const *arrays, size_t count)
{
    static const char *const types[] = {[METRICS_COUNTER] = "counter",
                                        [METRICS_GAUGE] = "gauge",
                                        [METRICS_MAX] = "gauge",
                                        [METRICS_HISTOGRAM] = "histogram"};
    for (size_t i = 0; i < M_COUNT; i++) {
        const struct metrics_row *row = &rows[i];
        if (i == 0 || strcmp(rows[i - 1].text, row->text) != 0)
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->text, row->help, row->text,
                       types[row->kind]);
        if (row->kind == METRICS_HISTOGRAM) {
            render_histogram(out, row, arrays, count);
            continue;
        }
        bool labels = row->labels[0] != '\0';
        buf_printf(out, "%s%s%s%s %" PRIu64 "\n", row->text, labels ? "{" : "", row->labels,
                   labels ? "}" : "", combine(arrays, count, row->at, row->kind == METRICS_MAX));
    }
}
