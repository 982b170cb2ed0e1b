/* usage.c: GET /v1/usage?group_by=WORD&from=&to=: what was used and what it cost.
 *
 *   WORD  provider model key user workspace integration day hour, or metadata.<key>
 *   filters  workspace_id, and one of provider_id, api_key_id, integration_id, user_id, model
 *
 * Sums come from the ledger's roll-ups, never from raw events; adjusting entries are in them. Money
 * is written as a decimal of US dollars, exactly; requests whose price is not known are counted
 * apart (unpriced_requests), because their cost is unknown and not 0. A workspace key sees its
 * workspace.
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
    {"user", LEDGER_BY_USER, SLUICE__KIND__KIND_USER},
    {"metadata.", LEDGER_BY_LABEL, SLUICE__KIND__KIND_NONE}, /* a key of it follows */
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
    jw_key(w, "classes");
    jw_object(w);
    for (unsigned i = 0; i < PRICE_CLASS_COUNT; i++)
        if (totals->classes[i] > 0)
            jw_field_u64(w, price_class_unit((enum price_class)i), totals->classes[i]);
    jw_end(w);
    jw_key(w, "cost_usd");
    jw_decimal(w, totals->cost_nanousd, NANOUSD_DIGITS);
    jw_key(w, "charge_usd");
    jw_decimal(w, totals->charge_nanousd, NANOUSD_DIGITS);
}

/* What people call an entity, under its name; nothing if it is gone. */
static enum status write_slug(struct api_call *call, Sluice__Kind kind, const struct id *id)
{
    struct record_key key = {kind, call->auth.org, ID_NONE, *id};
    struct json_writer *w = &call->json;
    struct arena scratch;
    void *message;
    arena_init(&scratch, 4u << 20);
    enum status status = ST_OK;
    if (kind == SLUICE__KIND__KIND_PROVIDER || kind == SLUICE__KIND__KIND_API_KEY)
        status = record_locate(call->txn, kind, &call->auth.org, id, &key);
    if (status == ST_OK)
        status = record_get(call->txn, &key, &scratch, &message, NULL);
    if (status == ST_OK && kind == SLUICE__KIND__KIND_PROVIDER)
        jw_field_cstr(w, "slug", ((const Sluice__Provider *)message)->slug);
    else if (status == ST_OK && kind == SLUICE__KIND__KIND_WORKSPACE)
        jw_field_cstr(w, "slug", ((const Sluice__Workspace *)message)->slug);
    else if (status == ST_OK && kind == SLUICE__KIND__KIND_INTEGRATION)
        jw_field_cstr(w, "slug", ((const Sluice__Integration *)message)->slug);
    else if (status == ST_OK && kind == SLUICE__KIND__KIND_API_KEY)
        jw_field_cstr(w, "name", ((const Sluice__ApiKey *)message)->name);
    else if (status == ST_OK)
        jw_field_cstr(w, "email", ((const Sluice__User *)message)->email);
    arena_free(&scratch);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static const struct id *row_id(const struct ledger_row *row, unsigned group)
{
    switch (group) {
    case LEDGER_BY_PROVIDER:
        return &row->provider;
    case LEDGER_BY_KEY:
        return &row->key;
    case LEDGER_BY_WORKSPACE:
        return &row->workspace;
    case LEDGER_BY_USER:
        return &row->user;
    default:
        return &row->integration;
    }
}

static enum status write_row(struct api_call *call, size_t group, const struct ledger_row *row)
{
    struct json_writer *w = &call->json;
    jw_object(w);
    if (groups[group].group == LEDGER_BY_PERIOD) {
        jw_field_time(w, groups[group].word, row->period_ms);
    } else if (groups[group].group == LEDGER_BY_MODEL) {
        jw_field_str(w, "model", row->text);
    } else if (groups[group].group == LEDGER_BY_LABEL) {
        jw_field_str(w, "metadata_value", row->text);
    } else {
        const struct id *id = row_id(row, groups[group].group);
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

/* The row of `groups` that the word names; of metadata.<key> also the key. */
static enum status read_group(struct api_call *call, struct str word, size_t *group,
                              struct str *label)
{
    *label = STR_NONE;
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        struct str row = str_c(groups[i].word);
        bool labels = groups[i].group == LEDGER_BY_LABEL;
        if (labels ? !str_starts(word, row) || word.n == row.n : !str_eq(word, row))
            continue;
        if (labels)
            *label = str_from(word, row.n);
        *group = i;
        return ST_OK;
    }
    return api_invalid(call, "group_by",
                       "must be provider, model, key, user, day, hour, workspace, integration or "
                       "metadata.<key>");
}

static enum status read_filter(struct api_call *call, const char *name, struct id *id)
{
    struct str text = api_query(call, name);
    if (text.n == 0 || id_from_text(text, id) == ST_OK)
        return ST_OK;
    return api_invalid(call, name, "must be an id");
}

static enum status read_question(struct api_call *call, struct str word, size_t *group,
                                 struct ledger_question *question)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    struct str label;
    TRY(read_group(call, word, group, &label));
    TRY(resolve_scope(call, false, &scope, &workspace));
    *question = (struct ledger_question){
        .org = call->auth.org,
        .workspace = workspace == NULL ? ID_NONE : scope.id,
        .model = api_query(call, "model"),
        .label = label,
        .group = groups[*group].group,
        .period = str_eq(word, STR("hour")) ? ROLLUP_HOUR : ROLLUP_DAY};
    TRY(read_filter(call, "provider_id", &question->provider));
    TRY(read_filter(call, "api_key_id", &question->key));
    TRY(read_filter(call, "integration_id", &question->integration));
    TRY(read_filter(call, "user_id", &question->user));
    if (!auth_is_org(&call->auth) &&
        (question->group == LEDGER_BY_INTEGRATION || !id_is_none(&question->integration)))
        return api_fail(call, ST_FORBIDDEN, "Sums by integration are the organisation's");
    TRY(read_time(call, "to", call->now_ms, &question->end_ms));
    return read_time(call, "from", question->end_ms - USAGE_DEFAULT_MS, &question->start_ms);
}

enum status api_usage_totals(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct str word = api_query(call, "group_by");
    struct ledger_question question;
    struct ledger_answer answer;
    size_t group = 0;
    if (word.n == 0)
        word = STR("day");
    TRY(read_question(call, word, &group, &question));
    enum status status = ledger_ask(call->txn, &question, call->arena, &answer);
    if (status == ST_INVALID)
        return api_invalid(call, "from",
                           "must be before `to`, and the filters must fit the grouping");
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
