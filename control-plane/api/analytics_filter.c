/* analytics_filter.c: see analytics.h.
 *
 * Invariant: an answer is exact or refused. Sums are kept by provider and model, by key, and by
 * value of metadata, each by itself; a filter over a mixture of them, or over what is known of
 * single requests only, is refused by name and never left out. A model filter "org__model" is asked
 * by model, and the providers of other vendors are dropped from the rows.
 */
#include "common/clock.h"
#include "common/json_tree.h"
#include "common/wire.h"
#include "control-plane/api/analytics.h"
#include "control-plane/api/resolve.h"

#define DEFAULT_MS (30 * ROLLUP_DAY_MS)
#define BY_HOUR_MS (3 * ROLLUP_DAY_MS) /* spans up to this are shown by the hour */

/* Filters over single requests: sums cannot answer them. */
static const char *const of_requests[] = {
    "total_units_min",
    "total_units_max",
    "cost_min",
    "cost_max",
    "prompt_token_min",
    "prompt_token_max",
    "status_code",
    "completion_token_min",
    "completion_token_max",
    "weighted_feedback_min",
    "configs",
    "weighted_feedback_max",
    "trace_id",
    "span_id",
    "prompt_slug",
};

int64_t analytics_unit_ms(const struct analytics *analytics)
{
    return analytics->period == ROLLUP_DAY ? ROLLUP_DAY_MS : ROLLUP_HOUR_MS;
}

size_t analytics_periods(const struct analytics *analytics)
{
    return (size_t)((analytics->end_ms - analytics->start_ms) / analytics_unit_ms(analytics));
}

/* --- span and scope --- */

static enum status read_time(struct api_call *call, const char *name, int64_t otherwise,
                             int64_t *ms)
{
    struct str text = api_query(call, name);
    *ms = otherwise;
    if (text.n > 0 && (clock_from_text(text, ms) != ST_OK || *ms < 0))
        return api_invalid(call, name, "must be a time (RFC 3339) or a date");
    return ST_OK;
}

static enum status read_span(struct api_call *call, struct analytics *a)
{
    TRY(read_time(call, "time_of_generation_max", call->now_ms, &a->end_ms));
    TRY(read_time(call, "time_of_generation_min",
                  a->end_ms > DEFAULT_MS ? a->end_ms - DEFAULT_MS : 0, &a->start_ms));
    if (a->end_ms <= a->start_ms)
        return api_invalid(call, "time_of_generation_min", "must be before time_of_generation_max");
    bool hours = a->end_ms - a->start_ms <= BY_HOUR_MS &&
                 call->now_ms - a->start_ms < call->api->hours_keep_ms;
    a->period = hours ? ROLLUP_HOUR : ROLLUP_DAY;
    return ST_OK;
}

static enum status widen_span(struct api_call *call, struct analytics *a)
{
    int64_t unit = analytics_unit_ms(a);
    if (a->end_ms / unit >= UINT32_MAX)
        return api_invalid(call, "time_of_generation_max", "is too far away");
    a->start_ms -= a->start_ms % unit;
    a->end_ms += (unit - a->end_ms % unit) % unit;
    if (analytics_periods(a) > ANALYTICS_POINTS)
        return api_invalid(call, "time_of_generation_min",
                           "may be at most 1200 days before time_of_generation_max");
    return ST_OK;
}

/* A workspace key has its own workspace, whatever it says: that is how clients know it. */
static enum status read_scope(struct api_call *call, struct analytics *a)
{
    struct record_key key;
    Sluice__Workspace *workspace;
    struct str name = api_query(call, "workspace_slug");
    a->org = call->auth.org;
    a->workspace = ID_NONE;
    if (!auth_is_org(&call->auth)) {
        a->workspace = call->auth.workspace;
        return ST_OK;
    }
    if (name.n == 0)
        return ST_OK;
    TRY(resolve_workspace(call, name, &key, &workspace));
    a->workspace = key.id;
    return ST_OK;
}

/* --- filters --- */

static bool slice_eq(const struct analytics_slice *x, const struct analytics_slice *y)
{
    return id_eq(&x->provider, &y->provider) && id_eq(&x->key, &y->key) &&
           str_eq(x->ai_provider, y->ai_provider) && str_eq(x->model, y->model) &&
           str_eq(x->label, y->label) && str_eq(x->value, y->value);
}

static enum status add_slice(struct api_call *call, struct analytics *a, const char *field,
                             const struct analytics_slice *slice)
{
    for (size_t i = 0; i < a->count; i++)
        if (slice_eq(&a->slices[i], slice))
            return ST_OK;
    if (a->count == ANALYTICS_SLICES)
        return api_invalid(call, field, "names too much: at most 64 combinations");
    a->slices[a->count++] = *slice;
    return ST_OK;
}

static enum status provider_id(struct api_call *call, struct str name, struct id *id)
{
    struct record_key key;
    Sluice__Provider *provider;
    if (id_from_text(name, id) == ST_OK)
        return ST_OK; /* sums outlive their provider */
    TRY(resolve_provider(call, name, &key, &provider));
    *id = key.id;
    return ST_OK;
}

static enum status read_models(struct api_call *call, struct analytics *a,
                               const struct analytics_slice *base)
{
    struct str rest = api_query(call, "ai_org_model"), piece;
    if (rest.n == 0)
        return add_slice(call, a, "virtual_keys", base);
    while (str_split(&rest, ',', &piece)) {
        struct analytics_slice slice = *base;
        ptrdiff_t at = str_find(piece, STR("__"));
        if (at <= 0 || (size_t)at + 2 == piece.n)
            return api_invalid(call, "ai_org_model", "must be a list of provider__model");
        slice.ai_provider = str_head(piece, (size_t)at);
        slice.model = str_from(piece, (size_t)at + 2);
        TRY(add_slice(call, a, "ai_org_model", &slice));
    }
    return ST_OK;
}

static enum status read_providers(struct api_call *call, struct analytics *a)
{
    struct str rest = api_query(call, "virtual_keys"), piece;
    struct analytics_slice slice = {0};
    if (rest.n == 0)
        return read_models(call, a, &slice);
    while (str_split(&rest, ',', &piece)) {
        TRY(provider_id(call, piece, &slice.provider));
        TRY(read_models(call, a, &slice));
    }
    return ST_OK;
}

static enum status read_keys(struct api_call *call, struct analytics *a)
{
    struct str rest = api_query(call, "api_key_ids"), piece;
    while (str_split(&rest, ',', &piece)) {
        struct analytics_slice slice = {0};
        if (id_from_text(piece, &slice.key) != ST_OK)
            return api_invalid(call, "api_key_ids", "must be a list of ids");
        TRY(add_slice(call, a, "api_key_ids", &slice));
    }
    return ST_OK;
}

static enum status read_metadata(struct api_call *call, struct analytics *a)
{
    struct json *tree;
    struct analytics_slice slice = {0};
    if (json_parse(call->arena, api_query(call, "metadata"), NULL, &tree, NULL) != ST_OK ||
        !json_is(tree, JSON_OBJECT) || tree->count != 1 ||
        json_text(json_at(tree, 0), call->arena, &slice.value) != ST_OK || slice.value.n == 0)
        return api_invalid(call, "metadata", "must be an object with one name and its text");
    slice.label = json_at(tree, 0)->key;
    return add_slice(call, a, "metadata", &slice);
}

/* Which of its kinds of filters the call has is read; more than one kind is refused. */
static enum status read_slices(struct api_call *call, struct analytics *a)
{
    bool models = api_query(call, "virtual_keys").n > 0 || api_query(call, "ai_org_model").n > 0;
    bool keys = api_query(call, "api_key_ids").n > 0, labels = api_query(call, "metadata").n > 0;
    if (models + keys + labels > 1)
        return api_invalid(call, labels ? "metadata" : "api_key_ids",
                           "cannot be combined with filters by model, provider or other keys");
    return keys ? read_keys(call, a) : labels ? read_metadata(call, a) : read_providers(call, a);
}

enum status analytics_read(struct api_call *call, struct analytics *a)
{
    *a = (struct analytics){.count = 0};
    for (size_t i = 0; i < COUNT_OF(of_requests); i++)
        if (api_query(call, of_requests[i]).n > 0)
            return api_invalid(call, of_requests[i],
                               "is of single requests, and sums are not kept by it");
    TRY(read_scope(call, a));
    TRY(read_span(call, a));
    TRY(widen_span(call, a));
    return read_slices(call, a);
}

enum status analytics_read_rows(struct api_call *call, struct analytics *a, int64_t *start_ms,
                                int64_t *end_ms)
{
    *a = (struct analytics){.count = 0};
    TRY(read_scope(call, a));
    TRY(read_span(call, a));
    *start_ms = a->start_ms;
    *end_ms = a->end_ms;
    TRY(widen_span(call, a));
    return read_slices(call, a);
}

/* --- asking --- */

/* Whether a provider's integration is one of that vendor; false when either is gone. */
static enum status is_of_vendor(struct api_call *call, const struct id *id, struct str vendor,
                                bool *is)
{
    struct record_key key;
    Sluice__Provider *provider;
    Sluice__Integration *integration;
    *is = false;
    enum status status =
        record_locate(call->txn, SLUICE__KIND__KIND_PROVIDER, &call->auth.org, id, &key);
    if (status == ST_OK)
        status = record_get(call->txn, &key, call->arena, &provider, NULL);
    if (status == ST_OK) {
        key = (struct record_key){SLUICE__KIND__KIND_INTEGRATION, call->auth.org, ID_NONE, ID_NONE};
        status = wire_id(&provider->integration, &key.id);
    }
    if (status == ST_OK)
        status = record_get(call->txn, &key, call->arena, &integration, NULL);
    if (status == ST_OK)
        *is = str_eq(str_c(integration->provider_type), vendor);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status keep_vendor(struct api_call *call, struct str vendor,
                               struct ledger_answer *answer)
{
    size_t kept = 0;
    struct id seen = ID_NONE;
    bool is = false;
    answer->totals = (struct rollup_totals){0};
    for (size_t i = 0; i < answer->count; i++) {
        struct ledger_row *row = &answer->rows[i];
        if (i == 0 || !id_eq(&row->provider, &seen))
            TRY(is_of_vendor(call, &row->provider, vendor, &is));
        seen = row->provider;
        if (!is)
            continue;
        rollup_totals_add(&answer->totals, &row->totals);
        answer->rows[kept++] = *row;
    }
    answer->count = kept;
    return ST_OK;
}

static enum status ask_slice(struct api_call *call, const struct analytics *a,
                             const struct analytics_slice *slice, unsigned group, struct str label,
                             struct ledger_answer *answer)
{
    struct ledger_question question = {
        .org = a->org,
        .workspace = a->workspace,
        .provider = slice->provider,
        .key = slice->key,
        .model = slice->model,
        .label = label.n > 0 ? label : slice->label,
        .value = slice->value,
        .start_ms = a->start_ms,
        .end_ms = a->end_ms,
        .period = a->period,
        .group = group | (slice->ai_provider.n > 0 ? (unsigned)LEDGER_BY_PROVIDER : 0u)};
    bool other_label = label.n > 0 && slice->label.n > 0 && !str_eq(label, slice->label);
    enum status status =
        other_label ? ST_INVALID : ledger_ask(call->txn, &question, call->arena, answer);
    if (status == ST_INVALID)
        return api_fail(call, ST_INVALID,
                        "No sums are kept by this group and these filters at once");
    if (status == ST_TOO_LARGE)
        return api_fail(call, status, "time_of_generation_min: the span has too many groups");
    TRY(status);
    return slice->ai_provider.n > 0 ? keep_vendor(call, slice->ai_provider, answer) : ST_OK;
}

enum status analytics_ask(struct api_call *call, const struct analytics *a, unsigned group,
                          struct str label, struct ledger_answer *out)
{
    struct ledger_answer all = {0};
    for (size_t i = 0; i < a->count; i++) {
        struct ledger_answer more;
        TRY(ask_slice(call, a, &a->slices[i], group, label, &more));
        if (i == 0) {
            all = more;
            continue;
        }
        struct ledger_row *rows =
            arena_calloc(call->arena, all.count + more.count + 1, sizeof *rows);
        if (rows == NULL)
            return ST_NO_MEMORY;
        if (all.count > 0)
            memcpy(rows, all.rows, all.count * sizeof *rows);
        if (more.count > 0)
            memcpy(rows + all.count, more.rows, more.count * sizeof *rows);
        all.rows = rows;
        all.count += more.count;
        rollup_totals_add(&all.totals, &more.totals);
    }
    *out = all;
    return ST_OK;
}
