/* usage_rerate.c: POST /v1/usage/rerate: pricing a span of entries again after a price was
 * corrected.
 *
 *   {"from","to", "workspace_id"?, "provider_id"?, "integration_id"?, "model"?, "note"?, "apply"?,
 * "cursor"?}
 *
 * Without "apply": true it is a preview. A call looks at a bounded number of entries; `cursor` of
 * its answer goes into the next one until it is null. Runs outside of any transaction of its own: a
 * long span holds neither a snapshot nor the writer (ledger/rerate.h). The organisation's keys
 * only.
 */
#include <sodium.h>

#include "common/clock.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/resolve.h"
#include "control-plane/ledger/rerate.h"

#define RERATE_CALL_MAX 50000u

static const struct field rows[] = {
    {"from", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"to", FIELD_OTHER, FIELD_REQUIRED, 0, 0, 0},
    {"workspace_id", FIELD_OTHER, 0, 0, 0, 0},
    {"provider_id", FIELD_OTHER, 0, 0, 0, 0},
    {"integration_id", FIELD_OTHER, 0, 0, 0, 0},
    {"model", FIELD_OTHER, 0, 0, 0, 0},
    {"note", FIELD_OTHER, 0, 0, 0, RERATE_NOTE_MAX},
    {"apply", FIELD_OTHER, 0, 0, 0, 0},
    {"cursor", FIELD_OTHER, 0, 0, 0, 0},
};
const struct field_set api_fields_rerate = {"rerate", rows, COUNT_OF(rows)};

static enum status read_time(struct api_call *call, const char *name, int64_t *ms)
{
    struct str text;
    TRY(api_body_text(call, name, &text));
    if (text.n == 0)
        return api_invalid(call, name, "is required");
    if (clock_from_text(text, ms) != ST_OK || *ms < 0)
        return api_invalid(call, name, "must be a time (RFC 3339) or a date");
    return ST_OK;
}

static enum status read_provider(struct api_call *call, struct id *provider)
{
    struct str text;
    TRY(api_body_text(call, "provider_id", &text));
    if (text.n > 0 && id_from_text(text, provider) != ST_OK)
        return api_invalid(call, "provider_id", "must be an id");
    return ST_OK;
}

/* What is asked for by names that only the store knows. */
static enum status read_scope(struct api_call *call, struct ledger_events_filter *filter)
{
    struct record_key scope, key;
    Sluice__Workspace *workspace;
    Sluice__Integration *integration;
    struct str name;
    TRY(resolve_scope(call, false, &scope, &workspace));
    if (workspace != NULL)
        filter->workspace = scope.id;
    TRY(api_body_text(call, "integration_id", &name));
    if (name.n == 0)
        return ST_OK;
    TRY(resolve_integration(call, name, &key, &integration));
    filter->integration = key.id;
    return ST_OK;
}

static enum status read_order(struct api_call *call, struct rerate_order *order)
{
    struct ledger_events_filter *filter = &order->filter;
    *order = (struct rerate_order){.filter = {.org = call->auth.org}};
    TRY(read_time(call, "from", &filter->start_ms));
    TRY(read_time(call, "to", &filter->end_ms));
    if (filter->start_ms >= filter->end_ms)
        return api_invalid(call, "from", "must be before `to`");
    TRY(read_provider(call, &filter->provider));
    TRY(api_body_text(call, "model", &filter->model));
    TRY(api_body_text(call, "note", &order->note));
    if (order->note.n > RERATE_NOTE_MAX)
        return api_invalid(call, "note", "must be at most 200 bytes");
    TRY(api_body_bool(call, "apply", &order->apply));
    TRY(kv_begin(call->api->kv, false, &call->txn));
    enum status status = read_scope(call, filter);
    kv_abort(call->txn);
    call->txn = NULL;
    return status;
}

/* The cursor is the place of the last entry that was looked at, in hex. */
static enum status read_cursor(struct api_call *call, uint8_t place[LEDGER_EVENT_KEY], bool *given)
{
    struct str text;
    size_t n;
    TRY(api_body_text(call, "cursor", &text));
    *given = text.n > 0;
    if (*given && (sodium_hex2bin(place, LEDGER_EVENT_KEY, text.p, text.n, NULL, &n, NULL) != 0 ||
                   n != LEDGER_EVENT_KEY || text.n != 2 * n))
        return api_invalid(call, "cursor", "must be one that an earlier call gave");
    return ST_OK;
}

static void write_cursor(struct json_writer *w, const struct rerate_report *report)
{
    char text[2 * LEDGER_EVENT_KEY + 1];
    if (report->more)
        jw_field_cstr(w, "cursor",
                      sodium_bin2hex(text, sizeof text, report->place, sizeof report->place));
    else
        jw_field_cstr(w, "cursor", NULL);
}

enum status api_usage_rerate(struct api_call *call)
{
    struct write_actor actor = api_actor(call);
    struct rerate_report *report = arena_calloc(call->arena, 1, sizeof(*report));
    struct json_writer *w = &call->json;
    uint8_t place[LEDGER_EVENT_KEY];
    struct rerate_order order;
    bool given;
    if (report == NULL)
        return ST_NO_MEMORY;
    TRY(read_order(call, &order));
    TRY(read_cursor(call, place, &given));
    TRY(rerate_run(call->api->kv, call->api->writer, &actor, &order, given ? place : NULL,
                   RERATE_CALL_MAX, call->arena, report));
    jw_object(w);
    jw_field_cstr(w, "object", "rerate");
    jw_field_bool(w, "applied", order.apply);
    rerate_write(w, report);
    write_cursor(w, report);
    jw_end(w);
    return ST_OK;
}
