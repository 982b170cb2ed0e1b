/* planes.c: data planes in the admin API: the list, and waiting until they have a change.
 *
 * A node's name and region are its record's, everything else is what its messages said
 * (publish/nodes.h). Waiting holds a listener thread, so it is bounded in time and number; it never
 * holds a transaction.
 */
#include "control-plane/api/planes.h"

#include <stdatomic.h>

#include "common/wire.h"
#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"
#include "control-plane/publish/publish.h"

void planes_wait_applied(struct api_call *call, uint64_t revision)
{
    struct api *api = call->api;
    uint64_t wait_ms;
    if (api->publish == NULL || !str_eq(api_query(call, "wait"), STR("applied")))
        return;
    if (str_to_u64(api_query(call, "wait_ms"), &wait_ms) != ST_OK)
        wait_ms = PLANES_WAIT_MS;
    if (wait_ms > PLANES_WAIT_MAX_MS)
        wait_ms = PLANES_WAIT_MAX_MS;
    if (atomic_fetch_add(&api->waiters, 1) >= PLANES_WAITERS_MAX)
        wait_ms = 0;
    struct nodes_applied applied = {0, 0, 0};
    nodes_wait_applied(publish_nodes(api->publish), revision, (unsigned)wait_ms, &applied);
    atomic_fetch_sub(&api->waiters, 1);
    reply_header(call->reply, STR("x-sluice-applied"),
                 arena_printf(call->arena, "applied=%u of=%u refused=%u", applied.applied,
                              applied.of, applied.refused));
}

static const char *status_of(const Sluice__Node *node, const struct node_live *live)
{
    if (node->revoked)
        return "removed";
    if (live->last_seen_ms == 0)
        return "never_seen";
    return live->connected ? "connected" : "disconnected";
}

static enum status write_node(struct list *list, const struct record_key *key,
                              const Sluice__Node *node)
{
    struct api_call *call = list->call;
    struct json_writer *w = &call->json;
    struct node_live live = {.id = key->id};
    if (call->api->publish != NULL) {
        enum status status = nodes_get(publish_nodes(call->api->publish), &key->id, &live);
        if (status != ST_OK && status != ST_NOT_FOUND)
            return status;
    }
    if (!list_wants(list))
        return ST_OK;
    jw_object(w);
    jw_field_cstr(w, "object", "data-plane");
    jw_field_id(w, "id", &key->id);
    jw_field_cstr(w, "name", node->name);
    jw_field_cstr(w, "region", node->region);
    jw_field_cstr(w, "status", status_of(node, &live));
    jw_field_u64(w, "revision", live.applied);
    jw_field_i64(w, "lag_ms", live.lag_ms);
    jw_field_time(w, "last_seen_at", live.last_seen_ms);
    jw_field_u64(w, "workers_ready", live.workers_ready);
    jw_field_u64(w, "requests", live.requests_total);
    jw_field_u64(w, "errors", live.errors_total);
    jw_field_u64(w, "open_requests", live.open_requests);
    jw_field_u64(w, "journal_pending", live.journal_pending);
    jw_field_cstr(w, "software", live.software);
    jw_key(w, "refused");
    if (live.refused_revision == 0) {
        jw_null(w);
    } else {
        jw_object(w);
        jw_field_u64(w, "revision", live.refused_revision);
        jw_field_cstr(w, "reason", live.refused);
        jw_end(w);
    }
    jw_field_time(w, "created_at", node->created_at_ms);
    jw_end(w);
    return ST_OK;
}

enum status api_data_planes_list(struct api_call *call)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    Sluice__Node *node;
    struct list list;
    uint64_t revision;
    TRY(record_revision(call->txn, &revision));
    list_begin(&list, call, 100);
    enum status status =
        record_cursor_open_org(call->txn, SLUICE__KIND__KIND_NODE, &ID_NONE, &cursor);
    while (status == ST_OK) {
        status = record_cursor_next(cursor, call->arena, &key, &node, NULL);
        if (status == ST_OK)
            status = write_node(&list, &key, node);
    }
    record_cursor_close(cursor);
    if (status != ST_END)
        return status;
    jw_end(&call->json);
    jw_field_u64(&call->json, "total", list.total);
    jw_field_u64(&call->json, "revision", revision);
    jw_end(&call->json);
    return ST_OK;
}
