/* logs.c: GET /v1/logs and /v1/logs/{log}: what was asked, newest first, and one request by its id.
 *
 * Metadata only: no text that was sent or answered is kept. A row is an attempt at a provider; the
 * attempts of one request have its id, which the gateway also answers as x-portkey-request-id, and
 * one trace. Names follow the documented exports of logs; money is in US cents. `total` says how
 * many fit among the newest LOGS_WALK_MAX, and `complete` whether those were all.
 */
#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/api/logs_walk.h"
#include "control-plane/ledger/event.h"

#define PAGE_SIZE 100

static void write_labels(struct json_writer *w, const Sluice__UsageEvent *event)
{
    jw_key(w, "metadata");
    jw_object(w);
    for (size_t i = 0; i < event->n_labels; i++) {
        jw_key(w, event->labels[i]->key);
        jw_cstr(w, event->labels[i]->value);
    }
    jw_end(w);
}

static void write_log(struct json_writer *w, const Sluice__UsageEvent *event, struct str vendor)
{
    jw_object(w);
    wire_field_id(w, "id", &event->request_id);
    jw_field_cstr(w, "trace_id", event->trace_id);
    jw_field_time(w, "created_at", event->at_ms);
    wire_field_id(w, "workspace_id", &event->workspace);
    wire_field_id(w, "provider_id", &event->provider);
    wire_field_id(w, "integration_id", &event->integration);
    wire_field_id(w, "api_key_id", &event->api_key);
    wire_field_id(w, "user_id", &event->user);
    jw_field_bool(w, "is_success", event->outcome == 0);
    jw_field_cstr(w, "outcome", event_outcome_text(event->outcome));
    jw_field_u64(w, "response_status_code", event->http_status);
    jw_field_cstr(w, "operation", event->operation);
    jw_field_str(w, "ai_org", vendor);
    jw_field_cstr(w, "ai_model", event->model);
    jw_field_bool(w, "stream", event->stream != 0);
    jw_field_u64(w, "req_units", event->input_tokens);
    jw_field_u64(w, "res_units", event->output_tokens);
    jw_field_u64(w, "total_units", event->input_tokens + event->output_tokens);
    jw_key(w, "cost");
    if (event->unpriced)
        jw_null(w);
    else
        jw_decimal(w, event->cost_nanousd, ANALYTICS_CENTS);
    jw_field_cstr(w, "cost_currency", "USD");
    jw_field_u64(w, "response_time", event->duration_us / 1000);
    write_labels(w, event);
    jw_field_cstr(w, "object", "log");
    jw_end(w);
}

static enum status list_row(void *arg, const Sluice__UsageEvent *event, struct str vendor)
{
    struct list *list = arg;
    if (list_wants(list))
        write_log(&list->call->json, event, vendor);
    return ST_OK;
}

enum status api_logs_list(struct api_call *call)
{
    struct json_writer *w = &call->json;
    struct logs_filter filter;
    struct list list;
    bool cut;
    TRY(logs_read(call, &filter));
    list_begin(&list, call, PAGE_SIZE);
    TRY(logs_walk(call, &filter, list_row, &list, &cut));
    jw_end(w);
    jw_field_u64(w, "total", list.total);
    jw_field_bool(w, "complete", !cut);
    jw_end(w);
    return ST_OK;
}

static enum status attempt_row(void *arg, const Sluice__UsageEvent *event, struct str vendor)
{
    struct list *list = arg;
    if (list->total++ == 0) {
        jw_object(&list->call->json);
        jw_field_cstr(&list->call->json, "object", "log");
        wire_field_id(&list->call->json, "id", &event->request_id);
        jw_key(&list->call->json, "attempts");
        jw_array(&list->call->json);
    }
    write_log(&list->call->json, event, vendor);
    return ST_OK;
}

enum status api_logs_get(struct api_call *call)
{
    struct list list = {.call = call};
    struct logs_filter filter;
    bool cut;
    TRY(logs_read(call, &filter));
    filter.start_ms = 0;
    filter.end_ms = INT64_MAX;
    if (id_from_text(api_path(call, "log"), &filter.request) != ST_OK)
        return api_found(call, ST_NOT_FOUND, "Log");
    TRY(logs_walk(call, &filter, attempt_row, &list, &cut));
    if (list.total == 0)
        return api_found(call, ST_NOT_FOUND, "Log");
    jw_end(&call->json);
    jw_end(&call->json);
    return ST_OK;
}
