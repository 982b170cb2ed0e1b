/* analytics_logs.c: graphs over what only single requests know: latency and statuses of errors.
 *
 * Sums have neither percentiles nor statuses, so these read the request log (logs_walk.h): every
 * filter of the routes works here, what the log has dropped is not counted, and a span with more
 * requests than a walk looks at is refused rather than shown in part. Percentiles are exact, by
 * nearest rank, in whole milliseconds. Status 0: nobody answered.
 */
#include <stdlib.h>

#include "control-plane/api/analytics_logs.h"
#include "control-plane/api/logs_walk.h"

#define CODES 1000u

struct sample {
    uint32_t point, value; /* milliseconds, or the status of an error */
};

struct samples {
    const struct analytics *who;
    bool errors; /* only those */
    struct sample *rows;
    size_t count; /* <= LOGS_WALK_MAX */
};

static enum status sample_row(void *arg, const Sluice__UsageEvent *event, struct str vendor)
{
    struct samples *samples = arg;
    uint64_t ms = event->duration_us / 1000;
    (void)vendor;
    if (samples->errors && event->outcome == 0)
        return ST_OK;
    if (samples->count == LOGS_WALK_MAX)
        return ST_TOO_LARGE;
    samples->rows[samples->count++] = (struct sample){
        (uint32_t)((event->at_ms - samples->who->start_ms) / analytics_unit_ms(samples->who)),
        samples->errors   ? (event->http_status < CODES ? event->http_status : 0)
        : ms > UINT32_MAX ? UINT32_MAX
                          : (uint32_t)ms};
    return ST_OK;
}

static int by_value(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

static int by_point(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return x->point != y->point ? (x->point > y->point) - (x->point < y->point) : by_value(a, b);
}

/* How many of `rows` (sorted) are of that point. */
static size_t run_of(const struct sample *rows, size_t count, size_t point)
{
    size_t n = 0;
    while (n < count && rows[n].point == point)
        n++;
    return n;
}

/* --- latency --- */

static uint32_t rank(const struct sample *rows, size_t count, unsigned percent)
{
    return count == 0 ? 0 : rows[(count * percent + 99) / 100 - 1].value;
}

/* Of rows that are sorted by value. */
static void write_latency(struct json_writer *w, const struct sample *rows, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += rows[i].value;
    jw_field_u64(w, "avg", count == 0 ? 0 : sum / count);
    jw_field_u64(w, "p50", rank(rows, count, 50));
    jw_field_u64(w, "p90", rank(rows, count, 90));
    jw_field_u64(w, "p99", rank(rows, count, 99));
}

/* --- statuses --- */

/* One {name, count} per status of rows that are sorted by value; gives how many. */
static size_t write_codes(struct json_writer *w, const char *name, const struct sample *rows,
                          size_t count)
{
    size_t codes = 0;
    for (size_t at = 0, n; at < count; at += n, codes++) {
        for (n = 1; at + n < count && rows[at + n].value == rows[at].value;)
            n++;
        if (w == NULL)
            continue;
        jw_object(w);
        jw_field_u64(w, name, rows[at].value);
        jw_field_u64(w, "count", n);
        jw_end(w);
    }
    return codes;
}

static void write_stack(struct json_writer *w, const struct sample *rows, size_t count)
{
    jw_key(w, "stats");
    jw_array(w);
    write_codes(w, "response_status_code", rows, count);
    jw_end(w);
}

/* --- the answer --- */

static void write_summary(struct json_writer *w, enum analytics_logs graph,
                          const struct samples *samples)
{
    jw_key(w, "summary");
    jw_object(w);
    if (graph == ANALYTICS_LATENCY) {
        write_latency(w, samples->rows, samples->count);
    } else if (graph == ANALYTICS_STACKS) {
        jw_field_u64(w, "total", samples->count);
    } else {
        jw_field_u64(w, "total_errors", samples->count);
        jw_field_u64(w, "unique_error_codes", write_codes(NULL, "", samples->rows, samples->count));
    }
    jw_end(w);
}

static void write_points(struct json_writer *w, enum analytics_logs graph,
                         const struct samples *samples)
{
    const struct analytics *who = samples->who;
    const struct sample *at = samples->rows, *end = at + samples->count;
    for (size_t i = 0; i < analytics_periods(who); i++) {
        size_t n = run_of(at, (size_t)(end - at), i);
        jw_object(w);
        jw_field_time(w, "timestamp", who->start_ms + (int64_t)i * analytics_unit_ms(who));
        if (graph == ANALYTICS_LATENCY)
            write_latency(w, at, n);
        else
            write_stack(w, at, n);
        jw_end(w);
        at += n;
    }
}

enum status analytics_logs_graph(struct api_call *call, enum analytics_logs graph)
{
    struct json_writer *w = &call->json;
    struct logs_filter filter;
    struct samples samples = {.who = &filter.who, .errors = graph != ANALYTICS_LATENCY};
    bool cut;
    TRY(logs_read(call, &filter));
    samples.rows = arena_calloc(call->arena, LOGS_WALK_MAX, sizeof *samples.rows);
    if (samples.rows == NULL)
        return ST_NO_MEMORY;
    TRY(logs_walk(call, &filter, sample_row, &samples, &cut));
    if (cut)
        return api_fail(call, ST_TOO_LARGE,
                        "time_of_generation_min: the span has more than %u requests",
                        LOGS_WALK_MAX);
    qsort(samples.rows, samples.count, sizeof *samples.rows, by_value);
    jw_object(w);
    write_summary(w, graph, &samples);
    jw_key(w, "data_points");
    jw_array(w);
    if (graph == ANALYTICS_STATUS_CODES) {
        write_codes(w, "status_code", samples.rows, samples.count);
    } else {
        qsort(samples.rows, samples.count, sizeof *samples.rows, by_point);
        write_points(w, graph, &samples);
    }
    jw_end(w);
    jw_field_cstr(w, "object", "analytics-graph");
    jw_end(w);
    return ST_OK;
}
