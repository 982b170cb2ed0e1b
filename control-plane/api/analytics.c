/* analytics.c: GET /v1/analytics/graphs/...: what was used over time, in the shapes of the
 * documented admin API, under both spellings of its paths.
 *
 * Every figure here is a sum of the ledger's roll-ups, so graphs, GET /v1/usage and the ledger
 * agree to the last nano-dollar. A request is an attempt that was sent to a provider. Money is in
 * US cents, written exactly; averages round down, rates are percents with two digits. Users are the
 * people whose keys were used. Each period of the span has its point, also if nothing happened in
 * it.
 */
#include "common/money.h"
#include "control-plane/api/analytics.h"
#include "control-plane/api/analytics_logs.h"
#include "control-plane/api/fields.h"

struct sums {
    struct rollup_totals totals;
    uint64_t users; /* different ones */
};

typedef void figures_fn(struct json_writer *w, const struct sums *sums, bool summary);

static uint64_t tokens(const struct rollup_totals *totals)
{
    uint64_t sum;
    return __builtin_add_overflow(totals->input_tokens, totals->output_tokens, &sum) ? UINT64_MAX
                                                                                     : sum;
}

/* --- what a point says --- */

static void write_requests(struct json_writer *w, const struct sums *sums, bool summary)
{
    (void)summary;
    jw_field_u64(w, "total", sums->totals.requests);
}

static void write_cost(struct json_writer *w, const struct sums *sums, bool summary)
{
    int64_t cost = sums->totals.cost_nanousd;
    uint64_t n = sums->totals.requests;
    (void)summary;
    jw_key(w, "total");
    jw_decimal(w, cost, ANALYTICS_CENTS);
    jw_key(w, "avg");
    jw_decimal(w, n == 0 || n > INT64_MAX ? 0 : cost / (int64_t)n, ANALYTICS_CENTS);
}

static void write_tokens(struct json_writer *w, const struct sums *sums, bool summary)
{
    uint64_t all = tokens(&sums->totals), n = sums->totals.requests;
    (void)summary;
    jw_field_u64(w, "total", all);
    jw_field_u64(w, "avg", n == 0 ? 0 : all / n);
}

static void write_users(struct json_writer *w, const struct sums *sums, bool summary)
{
    (void)summary;
    jw_field_u64(w, "total", sums->users);
}

static void write_user_requests(struct json_writer *w, const struct sums *sums, bool summary)
{
    if (summary) {
        jw_field_u64(w, "total", sums->totals.requests);
        jw_field_u64(w, "unique", sums->users);
    }
    jw_field_u64(w, "avg", sums->users == 0 ? 0 : sums->totals.requests / sums->users);
}

static void write_errors(struct json_writer *w, const struct sums *sums, bool summary)
{
    (void)summary;
    jw_field_u64(w, "total", sums->totals.errors);
}

static void write_error_rate(struct json_writer *w, const struct sums *sums, bool summary)
{
    uint64_t n = sums->totals.requests, errors = sums->totals.errors;
    (void)summary;
    jw_key(w, "rate");
    jw_decimal(w, n == 0 ? 0 : (int64_t)(((money_wide)errors * 10000) / n), 2);
}

static const struct graph {
    const char *path, *other; /* of the API's description; of the JavaScript client */
    bool users;               /* asked by user */
    figures_fn *write;
} graphs[] = {
    {"requests", "requests", false, write_requests},
    {"cost", "cost", false, write_cost},
    {"tokens", "tokens", false, write_tokens},
    {"errors", "errors", false, write_errors},
    {"errors/rate", "errors-rate", false, write_error_rate},
    {"users", "users", true, write_users},
    {"users/requests", "users-requests", true, write_user_requests},
};

/* --- sums by period --- */

static enum status gather(struct api_call *call, const struct analytics *a,
                          const struct graph *graph, struct sums *points, struct sums *summary)
{
    struct ledger_answer answer;
    unsigned group = graph->users ? LEDGER_BY_USER : 0u;
    TRY(analytics_ask(call, a, group | LEDGER_BY_PERIOD, STR_NONE, &answer));
    for (size_t i = 0; i < answer.count; i++) {
        const struct ledger_row *row = &answer.rows[i];
        struct sums *point = &points[(row->period_ms - a->start_ms) / analytics_unit_ms(a)];
        rollup_totals_add(&point->totals, &row->totals);
        point->users++; /* means something only where rows are users */
    }
    *summary = (struct sums){.totals = answer.totals};
    if (!graph->users)
        return ST_OK;
    TRY(analytics_ask(call, a, group, STR_NONE, &answer));
    summary->users = answer.count;
    return ST_OK;
}

/* Those that sums cannot draw. */
static const struct log_graph {
    const char *path, *other;
    enum analytics_logs graph;
} log_graphs[] = {
    {"latency", "latency", ANALYTICS_LATENCY},
    {"errors/stacks", "errors-stack", ANALYTICS_STACKS},
    {"errors/status-codes", "errors-status-code", ANALYTICS_STATUS_CODES},
};

/* NULL: none is called so. */
static const struct graph *find_graph(struct str path)
{
    for (size_t i = 0; i < COUNT_OF(graphs); i++)
        if (str_eq(path, str_c(graphs[i].path)) || str_eq(path, str_c(graphs[i].other)))
            return &graphs[i];
    return NULL;
}

static const struct log_graph *find_log_graph(struct str path)
{
    for (size_t i = 0; i < COUNT_OF(log_graphs); i++)
        if (str_eq(path, str_c(log_graphs[i].path)) || str_eq(path, str_c(log_graphs[i].other)))
            return &log_graphs[i];
    return NULL;
}

enum status api_analytics_graph(struct api_call *call)
{
    struct json_writer *w = &call->json;
    const struct graph *graph = find_graph(api_path(call, "graph"));
    struct analytics analytics;
    struct sums summary;
    const struct log_graph *log_graph = find_log_graph(api_path(call, "graph"));
    if (log_graph != NULL)
        return analytics_logs_graph(call, log_graph->graph);
    if (graph == NULL)
        return api_found(call, ST_NOT_FOUND, "Graph");
    TRY(analytics_read(call, &analytics));
    size_t count = analytics_periods(&analytics);
    struct sums *points = arena_calloc(call->arena, count, sizeof *points);
    if (points == NULL)
        return ST_NO_MEMORY;
    TRY(gather(call, &analytics, graph, points, &summary));
    jw_object(w);
    jw_key(w, "summary");
    jw_object(w);
    graph->write(w, &summary, true);
    jw_end(w);
    jw_key(w, "data_points");
    jw_array(w);
    for (size_t i = 0; i < count; i++) {
        jw_object(w);
        jw_field_time(w, "timestamp",
                      analytics.start_ms + (int64_t)i * analytics_unit_ms(&analytics));
        graph->write(w, &points[i], false);
        jw_end(w);
    }
    jw_end(w);
    jw_field_cstr(w, "object", "analytics-graph");
    jw_end(w);
    return ST_OK;
}
