/* usage.c: GET /v1/usage?group_by=provider|model|key|day|workspace|integration&from=&to=: what was
 * used and what it cost.
 *
 * Sums come from the ledger's roll-ups, never from raw events. Money is written as a decimal of US
 * dollars, exactly; requests whose price is not known are counted apart (unpriced_requests),
 * because their cost is unknown and not 0. A workspace key sees its workspace.
 */
#include "common/clock.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/resolve.h"
#include "control-plane/ledger/ledger.h"

#define USAGE_DEFAULT_MS ((int64_t)30 * 86400000)
#define NANOUSD_DIGITS   9

static const struct {
    const char *word;
    unsigned group;
    Sluice__Kind kind; /* of the group's id; KIND_NONE: no entity */
} groups[] = {
    {"provider", LEDGER_BY_PROVIDER, SLUICE__KIND__KIND_PROVIDER},
    {"model", LEDGER_BY_MODEL, SLUICE__KIND__KIND_NONE},
    {"key", LEDGER_BY_KEY, SLUICE__KIND__KIND_API_KEY},
    {"day", LEDGER_BY_PERIOD, SLUICE__KIND__KIND_NONE},
    {"hour", LEDGER_BY_PERIOD, SLUICE__KIND__KIND_NONE},
    {"workspace", LEDGER_BY_WORKSPACE, SLUICE__KIND__KIND_WORKSPACE},
    {"integration", LEDGER_BY_INTEGRATION, SLUICE__KIND__KIND_INTEGRATION},
};

static void write_totals(struct json_writer *w, const struct rollup_totals *totals)
{
    jw_field_u64(w, "requests", totals->requests);
    jw_field_u64(w, "errors", totals->errors);
    jw_field_u64(w, "unpriced_requests", totals->unpriced);
    jw_field_u64(w, "estimated_requests", totals->unsure);
    jw_field_u64(w, "input_tokens", totals->input_tokens);
    jw_field_u64(w, "output_tokens", totals->output_tokens);
    jw_field_u64(w, "cached_tokens", totals->cached_tokens);
    jw_key(w, "cost_usd");
    jw_decimal(w, (int64_t)totals->cost_nanousd, NANOUSD_DIGITS);
    jw_key(w, "charge_usd");
    jw_decimal(w, (int64_t)totals->charge_nanousd, NANOUSD_DIGITS);
}

/* Slug of an entity, or nothing if it is gone. */
static enum status write_slug(struct api_call *call, Sluice__Kind kind, const struct id *id)
{
    struct record_key key = {kind, call->auth.org, ID_NONE, *id};
    struct arena scratch;
    void *message;
    arena_init(&scratch, 4u << 20);
    enum status status = ST_OK;
    if (kind == SLUICE__KIND__KIND_PROVIDER || kind == SLUICE__KIND__KIND_API_KEY)
        status = record_locate(call->txn, kind, &call->auth.org, id, &key);
    if (status == ST_OK)
        status = record_get(call->txn, &key, &scratch, &message, NULL);
    if (status == ST_OK) {
        const char *slug =
            kind == SLUICE__KIND__KIND_PROVIDER    ? ((const Sluice__Provider *)message)->slug
            : kind == SLUICE__KIND__KIND_API_KEY   ? ((const Sluice__ApiKey *)message)->name
            : kind == SLUICE__KIND__KIND_WORKSPACE ? ((const Sluice__Workspace *)message)->slug
                                                   : ((const Sluice__Integration *)message)->slug;
        jw_field_cstr(&call->json, kind == SLUICE__KIND__KIND_API_KEY ? "name" : "slug", slug);
    }
    arena_free(&scratch);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status write_row(struct api_call *call, size_t group, const struct ledger_row *row)
{
    struct json_writer *w = &call->json;
    const struct id *id = groups[group].kind == SLUICE__KIND__KIND_PROVIDER    ? &row->provider
                          : groups[group].kind == SLUICE__KIND__KIND_API_KEY   ? &row->key
                          : groups[group].kind == SLUICE__KIND__KIND_WORKSPACE ? &row->workspace
                                                                               : &row->integration;
    jw_object(w);
    if (groups[group].group == LEDGER_BY_PERIOD) {
        jw_field_time(w, groups[group].word, row->period_ms);
    } else if (groups[group].group == LEDGER_BY_MODEL) {
        jw_field_str(w, "model", row->model);
    } else {
        jw_field_id(w, "id", id);
        TRY(write_slug(call, groups[group].kind, id));
    }
    write_totals(w, &row->totals);
    jw_end(w);
    return ST_OK;
}

static enum status read_time(struct api_call *call, const char *name, int64_t otherwise,
                             int64_t *ms)
{
    struct str text = api_query(call, name);
    *ms = otherwise;
    if (text.n > 0 && clock_from_text(text, ms) != ST_OK)
        return api_invalid(call, name, "must be a time (RFC 3339) or a date");
    return ST_OK;
}

enum status api_usage_totals(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct str word = api_query(call, "group_by");
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct ledger_answer answer;
    size_t group = 0;
    if (word.n == 0)
        word = STR("day");
    while (group < COUNT_OF(groups) && !str_eq(word, str_c(groups[group].word)))
        group++;
    if (group == COUNT_OF(groups))
        return api_invalid(call, "group_by",
                           "must be provider, model, key, day, hour, workspace or integration");
    TRY(resolve_scope(call, false, &scope, &workspace));
    if (groups[group].group == LEDGER_BY_INTEGRATION && !auth_is_org(&call->auth))
        return api_fail(call, ST_FORBIDDEN, "Sums by integration are the organisation's");
    struct ledger_question question = {.org = call->auth.org,
                                       .workspace = workspace == NULL ? ID_NONE : scope.id,
                                       .model = api_query(call, "model"),
                                       .group = groups[group].group,
                                       .period =
                                           str_eq(word, STR("hour")) ? ROLLUP_HOUR : ROLLUP_DAY};
    TRY(read_time(call, "to", call->now_ms, &question.end_ms));
    TRY(read_time(call, "from", question.end_ms - USAGE_DEFAULT_MS, &question.start_ms));
    enum status status = ledger_ask(call->txn, &question, call->arena, &answer);
    if (status == ST_INVALID)
        return api_invalid(call, "from",
                           "must be before `to`, and the filter must fit the grouping");
    TRY(status);
    jw_object(w);
    jw_field_cstr(w, "object", "list");
    jw_field_str(w, "group_by", word);
    jw_field_time(w, "from", question.start_ms);
    jw_field_time(w, "to", question.end_ms);
    jw_key(w, "data");
    jw_array(w);
    for (size_t i = 0; i < answer.count; i++)
        TRY(write_row(call, group, &answer.rows[i]));
    jw_end(w);
    jw_field_u64(w, "total", answer.count);
    jw_key(w, "totals");
    jw_object(w);
    write_totals(w, &answer.totals);
    jw_end(w);
    jw_end(w);
    return ST_OK;
}
