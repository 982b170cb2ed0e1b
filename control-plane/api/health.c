/* health.c: /healthz, /readyz and /metrics of the control plane. Open to anybody who reaches the
 * port, so they tell nothing about tenants: counts and states only. Never dependent on a data
 * plane.
 */
#include "common/log.h"
#include "control-plane/api/fields.h"

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
    return ST_OK;
}
