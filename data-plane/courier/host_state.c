/* host_state.c: sums over the columns of the segment (host_state.h).
 *
 * A column that is unused still counts: its counters are part of what this host did since it
 * started. Workers are counted by position, so that one that drains beside its successor is not
 * counted twice. Must never: let a number in the segment be an index before it is bounded.
 */
#include "data-plane/courier/host_state.h"

#include <inttypes.h>

#include "common/clock.h"

void host_state_init(struct host_state *state, const struct segment *segment,
                     uint64_t max_staleness_s)
{
    memset(state, 0, sizeof *state);
    state->segment = segment;
    state->max_staleness_s = max_staleness_s;
    metrics_bind(&state->metrics, state->own, HOST_STATE_METRICS);
}

static const struct segment_status *shared_of(const struct host_state *state)
{
    return &state->segment->head->status;
}

/* Positions with a worker that serves. `sandbox` gets the layers that all of them have. */
static uint32_t workers_ready(const struct host_state *state, uint32_t *sandbox)
{
    bool seen[SEGMENT_MAX_COLUMNS] = {false};
    uint32_t count = 0, layers = UINT32_MAX;
    for (uint32_t i = 0; i < state->segment->columns; i++) {
        const struct column_head *head = segment_column(state->segment, i);
        uint32_t worker = head->worker;
        if (atomic_load(&head->state) != COLUMN_LIVE || atomic_load(&head->ready) == 0 ||
            worker >= state->segment->workers || seen[worker])
            continue;
        seen[worker] = true;
        layers &= atomic_load(&head->sandbox);
        count++;
    }
    *sandbox = count == 0 ? 0 : layers;
    return count;
}

/* Seconds since the control plane was last heard; -1: never on this boot. */
static int64_t contact_age_s(const struct host_state *state)
{
    int64_t last_ms = atomic_load(&shared_of(state)->last_contact_mono_ms);
    if (last_ms == 0)
        return -1;
    int64_t age_ms = clock_mono_ms() - last_ms;
    return age_ms < 0 ? 0 : age_ms / 1000;
}

static bool too_stale(const struct host_state *state)
{
    int64_t age_s = contact_age_s(state);
    return state->max_staleness_s > 0 && (age_s < 0 || (uint64_t)age_s > state->max_staleness_s);
}

bool host_state_ready(const struct host_state *state)
{
    uint32_t sandbox;
    return atomic_load(&shared_of(state)->has_catalog) != 0 && workers_ready(state, &sandbox) > 0 &&
           !too_stale(state) && atomic_load(&shared_of(state)->revoked) == 0;
}

/* Arrays of all columns and our own; returns how many. */
static size_t arrays_of(const struct host_state *state, uint64_t *arrays[SEGMENT_MAX_COLUMNS + 1])
{
    for (uint32_t i = 0; i < state->segment->columns; i++)
        arrays[i] = segment_metrics(state->segment, i);
    arrays[state->segment->columns] = state->metrics.slots;
    return state->segment->columns + 1;
}

void host_state_note(struct host_state *state, uint64_t journal_pending, uint64_t journal_damaged,
                     uint64_t skipped, uint64_t counters)
{
    metrics_set(&state->metrics, M_JOURNAL_PENDING, journal_pending);
    metrics_set(&state->metrics, M_JOURNAL_DAMAGED, journal_damaged);
    metrics_set(&state->metrics, M_CHANGES_SKIPPED, skipped);
    metrics_set(&state->metrics, M_COUNTERS_USED, counters);
}

/* What the shared status says, as of now. */
static void refresh(struct host_state *state)
{
    const struct segment_status *shared = shared_of(state);
    struct metrics *metrics = &state->metrics;
    uint32_t sandbox;
    int64_t age_s = contact_age_s(state);
    metrics_set(metrics, M_WORKERS_READY, workers_ready(state, &sandbox));
    metrics_set(metrics, M_CATALOG_REVISION, atomic_load(&shared->revision));
    metrics_set(metrics, M_NEWEST_REVISION, atomic_load(&shared->newest_revision));
    metrics_set(metrics, M_LINK_UP, atomic_load(&shared->link_up));
    metrics_set(metrics, M_CONTACT_AGE_S, age_s < 0 ? 0 : (uint64_t)age_s);
}

static const char *bool_text(bool value)
{
    return value ? "true" : "false";
}

static void ready_page(const struct host_state *state, bool ready, struct buf *out)
{
    const struct segment_status *shared = shared_of(state);
    uint32_t sandbox, count = workers_ready(state, &sandbox);
    int64_t age_s = contact_age_s(state);
    buf_printf(out,
               "{\"ready\":%s,\"catalog\":%s,\"revision\":%" PRIu64 ",\"newest_revision\":%" PRIu64,
               bool_text(ready), bool_text(atomic_load(&shared->has_catalog) != 0),
               atomic_load(&shared->revision), atomic_load(&shared->newest_revision));
    buf_printf(out, ",\"workers\":%u,\"workers_ready\":%u", state->segment->workers, count);
    buf_printf(out, ",\"link\":\"%s\",\"revoked\":%s,\"stale\":%s",
               atomic_load(&shared->link_up) ? "up" : "down",
               bool_text(atomic_load(&shared->revoked) != 0), bool_text(too_stale(state)));
    if (age_s < 0)
        buf_add_lit(out, ",\"contact_age_s\":null");
    else
        buf_printf(out, ",\"contact_age_s\":%" PRId64, age_s);
    buf_printf(out, ",\"usage_pending\":%" PRIu64, atomic_load(&shared->journal_pending));
    buf_printf(out,
               ",\"sandbox\":{\"seccomp\":%s,\"landlock_files\":%s,\"landlock_network\":%s}}\n",
               bool_text(sandbox & COLUMN_SANDBOX_SECCOMP),
               bool_text(sandbox & COLUMN_SANDBOX_LANDLOCK_FILES),
               bool_text(sandbox & COLUMN_SANDBOX_LANDLOCK_NETWORK));
}

int host_state_page(void *arg, struct str path, struct buf *out, const char **content_type)
{
    struct host_state *state = arg;
    if (str_eq(path, STR("/healthz"))) {
        *content_type = "application/json";
        buf_add_lit(out, "{\"status\":\"ok\"}\n");
        return 200;
    }
    if (str_eq(path, STR("/readyz"))) {
        bool ready = host_state_ready(state);
        *content_type = "application/json";
        ready_page(state, ready, out);
        return ready ? 200 : 503;
    }
    if (str_eq(path, STR("/metrics"))) {
        uint64_t *arrays[SEGMENT_MAX_COLUMNS + 1];
        *content_type = "text/plain; version=0.0.4; charset=utf-8";
        refresh(state);
        metrics_render(out, arrays, arrays_of(state, arrays));
        return 200;
    }
    return 404;
}

void host_state_health(const struct host_state *state, Sluice__NodeHealth *health)
{
    uint64_t *arrays[SEGMENT_MAX_COLUMNS + 1];
    uint32_t sandbox;
    size_t count = arrays_of(state, arrays);
    uint64_t failed = metrics_sum(M_REQUESTS_PROVIDER_ERR, arrays, count) +
                      metrics_sum(M_REQUESTS_FAILED, arrays, count);
    health->workers_ready = workers_ready(state, &sandbox);
    health->errors_total = failed;
    health->requests_total = failed + metrics_sum(M_REQUESTS_OK, arrays, count) +
                             metrics_sum(M_REQUESTS_REFUSED, arrays, count) +
                             metrics_sum(M_REQUESTS_CLIENT_GONE, arrays, count);
    health->open_requests = metrics_sum(M_REQUESTS_OPEN, arrays, count);
    health->journal_pending = atomic_load(&shared_of(state)->journal_pending);
}
