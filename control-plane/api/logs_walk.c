/* logs_walk.c: see logs_walk.h.
 *
 * Invariant: a row is given if it fits every filter of the call; a filter that the log cannot
 * answer is refused by name and never left out. Slices are those of the analytics routes
 * (analytics.h), so both understand the same words; here a row is held against them, there sums are
 * asked by them.
 */
#include "control-plane/api/logs_walk.h"

#include "common/json_tree.h"
#include "common/wire.h"

#define STEP_BYTES ((size_t)64 << 20)

static const struct {
    const char *min, *max;
    unsigned digits; /* of the number, behind the point */
} ranges[LOGS_RANGES] = {
    {"total_units_min", "total_units_max", 0},
    {"prompt_token_min", "prompt_token_max", 0},
    {"completion_token_min", "completion_token_max", 0},
    {"cost_min", "cost_max", ANALYTICS_CENTS},
};

/* --- filters --- */

static enum status read_number(struct api_call *call, const char *name, unsigned digits,
                               int64_t otherwise, int64_t *value)
{
    struct str text = api_query(call, name);
    struct json *number;
    *value = otherwise;
    if (text.n == 0)
        return ST_OK;
    if (json_parse(call->arena, text, NULL, &number, NULL) != ST_OK ||
        !json_is(number, JSON_NUMBER) || json_decimal(number, digits, false, value) != ST_OK)
        return api_invalid(call, name, "must be a number");
    return ST_OK;
}

static enum status read_codes(struct api_call *call, struct logs_filter *filter)
{
    struct str rest = api_query(call, "status_code"), piece;
    uint64_t code;
    while (str_split(&rest, ',', &piece)) {
        if (str_to_u64(piece, &code) != ST_OK || code > 999)
            return api_invalid(call, "status_code", "must be a list of HTTP statuses");
        if (filter->code_count == LOGS_CODES_MAX)
            return api_invalid(call, "status_code", "names too many");
        filter->codes[filter->code_count++] = (uint32_t)code;
    }
    return ST_OK;
}

enum status logs_read(struct api_call *call, struct logs_filter *filter)
{
    static const char *const not_logged[] = {"span_id", "prompt_slug", "configs",
                                             "weighted_feedback_min", "weighted_feedback_max"};
    *filter = (struct logs_filter){.code_count = 0};
    for (size_t i = 0; i < COUNT_OF(not_logged); i++)
        if (api_query(call, not_logged[i]).n > 0)
            return api_invalid(call, not_logged[i], "is not logged");
    TRY(analytics_read_rows(call, &filter->who, &filter->start_ms, &filter->end_ms));
    for (size_t i = 0; i < LOGS_RANGES; i++) {
        TRY(read_number(call, ranges[i].min, ranges[i].digits, INT64_MIN, &filter->min[i]));
        TRY(read_number(call, ranges[i].max, ranges[i].digits, INT64_MAX, &filter->max[i]));
    }
    filter->trace = api_query(call, "trace_id");
    return read_codes(call, filter);
}

/* --- rows --- */

static bool id_fits(const struct id *want, const ProtobufCBinaryData *have)
{
    return id_is_none(want) || str_eq(id_bytes(want), wire_str(have));
}

static bool label_fits(const struct analytics_slice *slice, const Sluice__UsageEvent *event)
{
    for (size_t i = 0; i < event->n_labels; i++)
        if (str_eq(slice->label, str_c(event->labels[i]->key)) &&
            str_eq(slice->value, str_c(event->labels[i]->value)))
            return true;
    return slice->label.n == 0;
}

static bool slices_fit(const struct analytics *who, const Sluice__UsageEvent *event,
                       struct str vendor)
{
    for (size_t i = 0; i < who->count; i++) {
        const struct analytics_slice *slice = &who->slices[i];
        if (id_fits(&slice->provider, &event->provider) && id_fits(&slice->key, &event->api_key) &&
            (slice->ai_provider.n == 0 || str_eq(slice->ai_provider, vendor)) &&
            (slice->model.n == 0 || str_eq(slice->model, str_c(event->model))) &&
            label_fits(slice, event))
            return true;
    }
    return false;
}

static bool fits(const struct logs_filter *filter, const Sluice__UsageEvent *event)
{
    const uint64_t tokens[] = {event->input_tokens + event->output_tokens, event->input_tokens,
                               event->output_tokens};
    bool code = filter->code_count == 0;
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        int64_t n = tokens[i] > INT64_MAX ? INT64_MAX : (int64_t)tokens[i];
        if (n < filter->min[i] || n > filter->max[i])
            return false;
    }
    for (size_t i = 0; i < filter->code_count && !code; i++)
        code = filter->codes[i] == event->http_status;
    return code && event->cost_nanousd >= filter->min[LOGS_RANGES - 1] &&
           event->cost_nanousd <= filter->max[LOGS_RANGES - 1];
}

/* --- the walk --- */

struct walk {
    struct api_call *call;
    const struct logs_filter *filter;
    logs_row_fn *row;
    void *arg;
    struct id integration; /* whose vendor is known */
    struct str vendor;
};

static enum status find_vendor(struct walk *walk, const Sluice__UsageEvent *event)
{
    struct api_call *call = walk->call;
    struct record_key key = {SLUICE__KIND__KIND_INTEGRATION, call->auth.org, ID_NONE, ID_NONE};
    Sluice__Integration *integration;
    TRY(wire_id(&event->integration, &key.id));
    if (walk->vendor.p != NULL && id_eq(&key.id, &walk->integration))
        return ST_OK;
    walk->integration = key.id;
    walk->vendor = STR("");
    enum status status = record_get(call->txn, &key, call->arena, &integration, NULL);
    if (status == ST_OK)
        walk->vendor = str_c(integration->provider_type);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status give(struct walk *walk, const Sluice__UsageEvent *event)
{
    if (!fits(walk->filter, event))
        return ST_OK;
    TRY(find_vendor(walk, event));
    return slices_fit(&walk->filter->who, event, walk->vendor)
               ? walk->row(walk->arg, event, walk->vendor)
               : ST_OK;
}

enum status logs_walk(struct api_call *call, const struct logs_filter *filter, logs_row_fn *row,
                      void *arg, bool *cut)
{
    const struct request_log_question question = {.org = filter->who.org,
                                                  .workspace = filter->who.workspace,
                                                  .request = filter->request,
                                                  .trace = filter->trace,
                                                  .start_ms = filter->start_ms,
                                                  .end_ms = filter->end_ms,
                                                  .limit = LOGS_STEP};
    struct walk walk = {.call = call, .filter = filter, .row = row, .arg = arg};
    struct request_log_page page = {.more = true};
    enum status status = ST_OK;
    size_t seen = 0;
    if (call->api->request_log == NULL)
        return api_fail(call, ST_NOT_FOUND, "No request log is kept");
    for (; status == ST_OK && page.more && seen < LOGS_WALK_MAX; seen += LOGS_STEP) {
        struct arena scratch;
        uint8_t place[REQUEST_LOG_PLACE];
        memcpy(place, page.place, sizeof place);
        arena_init(&scratch, STEP_BYTES);
        status = request_log_list(call->api->request_log, &question, seen == 0 ? NULL : place,
                                  &scratch, &page);
        for (size_t i = 0; status == ST_OK && i < page.count; i++)
            status = give(&walk, page.rows[i]);
        arena_free(&scratch);
    }
    *cut = page.more;
    return status;
}
