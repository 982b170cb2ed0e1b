/* usage_export.c: GET /v1/usage/export?format=csv|jsonl&from=&to=: the ledger's entries, streamed.
 *
 *   filters  workspace_id, provider_id, api_key_id, integration_id, model
 *
 * The reply begins at once and is read piece by piece, each from a transaction of its own: neither
 * its length nor a slow reader costs memory or holds a snapshot. A few at a time; a workspace key
 * gets its workspace.
 */
#include <stdatomic.h>

#include "common/clock.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/resolve.h"
#include "control-plane/ledger/export.h"

#define EXPORTS_MAX       4u
#define EXPORT_DEFAULT_MS ((int64_t)30 * 86400000)

struct sending {
    struct api *api;
    struct export export;
};

static enum status send_piece(void *arg, struct buf *out)
{
    struct sending *sending = arg;
    return export_next(&sending->export, out);
}

static void send_end(void *arg)
{
    struct sending *sending = arg;
    export_end(&sending->export);
    atomic_fetch_sub(&sending->api->exports, 1);
}

static enum status read_time(struct api_call *call, const char *name, int64_t otherwise,
                             int64_t *ms)
{
    struct str text = api_query(call, name);
    *ms = otherwise;
    if (text.n > 0 && (clock_from_text(text, ms) != ST_OK || *ms < 0))
        return api_invalid(call, name, "must be a time (RFC 3339) or a date");
    return ST_OK;
}

static enum status read_id(struct api_call *call, const char *name, struct id *id)
{
    struct str text = api_query(call, name);
    if (text.n == 0 || id_from_text(text, id) == ST_OK)
        return ST_OK;
    return api_invalid(call, name, "must be an id");
}

static enum status read_filter(struct api_call *call, struct ledger_events_filter *filter)
{
    struct record_key scope;
    Sluice__Workspace *workspace;
    TRY(resolve_scope(call, false, &scope, &workspace));
    *filter = (struct ledger_events_filter){.org = call->auth.org,
                                            .workspace = workspace == NULL ? ID_NONE : scope.id,
                                            .model = api_query(call, "model")};
    TRY(read_id(call, "provider_id", &filter->provider));
    TRY(read_id(call, "api_key_id", &filter->key));
    TRY(read_id(call, "integration_id", &filter->integration));
    TRY(read_time(call, "to", call->now_ms, &filter->end_ms));
    TRY(read_time(call, "from",
                  filter->end_ms < EXPORT_DEFAULT_MS ? 0 : filter->end_ms - EXPORT_DEFAULT_MS,
                  &filter->start_ms));
    return filter->start_ms < filter->end_ms ? ST_OK
                                             : api_invalid(call, "from", "must be before `to`");
}

enum status api_usage_export(struct api_call *call)
{
    struct ledger_events_filter filter;
    struct str word = api_query(call, "format");
    enum export_format format = EXPORT_CSV;
    if (word.n > 0 && export_format_read(word, &format) != ST_OK)
        return api_invalid(call, "format", "must be csv or jsonl");
    TRY(read_filter(call, &filter));
    struct sending *sending = arena_alloc(call->arena, sizeof(*sending));
    if (sending == NULL)
        return ST_NO_MEMORY;
    if (atomic_fetch_add(&call->api->exports, 1) >= EXPORTS_MAX) {
        atomic_fetch_sub(&call->api->exports, 1);
        return api_fail(call, ST_OVERLOADED, "%u exports are being sent; try again later",
                        EXPORTS_MAX);
    }
    sending->api = call->api;
    export_begin(&sending->export, call->api->kv, &filter, format);
    bool csv = format == EXPORT_CSV;
    reply_header(call->reply, STR("Content-Disposition"),
                 csv ? STR("attachment; filename=\"ledger.csv\"")
                     : STR("attachment; filename=\"ledger.jsonl\""));
    reply_pieces(call->reply, csv ? "text/csv; charset=utf-8" : "application/x-ndjson", send_piece,
                 send_end, sending);
    return ST_OK;
}
