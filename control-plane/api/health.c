/* health.c: /healthz, /readyz and /metrics of the control plane. Open to anybody who reaches the
 * port, so they tell nothing about tenants: counts and states only. Never dependent on a data
 * plane.
 */
#include "common/log.h"
#include "control-plane/api/fields.h"
#include "control-plane/logs/request_log.h"

enum status api_health_live(struct api_call *call)
{
    jw_object(&call->json);
    jw_field_cstr(&call->json, "status", "ok");
    jw_end(&call->json);
    return ST_OK;
}

enum status api_health_ready(struct api_call *call)
{
    uint64_t revision, used_bytes, map_bytes;
    if (!call->api->ready)
        return api_fail(call, ST_NOT_READY, "Starting, or draining");
    TRY(record_revision(call->txn, &revision));
    kv_usage(call->api->kv, &used_bytes, &map_bytes);
    jw_object(&call->json);
    jw_field_cstr(&call->json, "status", "ready");
    jw_field_u64(&call->json, "revision", revision);
    jw_field_u64(&call->json, "store_used_percent",
                 map_bytes == 0 ? 0 : used_bytes * 100 / map_bytes);
    jw_end(&call->json);
    return ST_OK;
}

static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
               (unsigned long long)value);
}

static void request_log_gauges(struct api_call *call, struct buf *out)
{
    struct request_log_stats stats;
    if (call->api->request_log == NULL)
        return;
    request_log_stats(call->api->request_log, &stats);
    gauge(out, "sluice_control_request_log_rows", "Rows of the request log.", stats.rows);
    gauge(out, "sluice_control_request_log_dropped", "Rows that were not written.", stats.dropped);
    gauge(out, "sluice_control_request_log_broken", "1 after a failed write: nothing is written.",
          stats.broken ? 1 : 0);
}

enum status api_health_metrics(struct api_call *call)
{
    struct buf *out = &call->reply->body;
    uint64_t revision, used_bytes, map_bytes;
    TRY(record_revision(call->txn, &revision));
    kv_usage(call->api->kv, &used_bytes, &map_bytes);
    call->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    gauge(out, "sluice_control_revision", "Newest committed revision.", revision);
    gauge(out, "sluice_control_store_used_bytes", "Bytes of the store in use.", used_bytes);
    gauge(out, "sluice_control_store_map_bytes", "Size of the store's map.", map_bytes);
    gauge(out, "sluice_control_ready", "1 when changes are taken.", call->api->ready ? 1 : 0);
    gauge(out, "sluice_control_log_lines_dropped", "Log lines dropped because the pipe was full.",
          log_dropped());
    request_log_gauges(call, out);
    return ST_OK;
}
