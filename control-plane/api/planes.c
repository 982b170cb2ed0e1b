/* planes.c: data planes in the admin API: the list, and waiting until they have a change.
 *
 * A change is committed before anybody waits for it, so waiting can only delay the reply, never turn it into a failure; it is
 * bounded in time and in the number of waiters, because each holds a listener thread.
 */
#include "control-plane/api/planes.h"

#include <stdatomic.h>

#include "control-plane/api/fields.h"
#include "control-plane/api/list.h"

enum status planes_wait_applied(struct api_call *call, uint64_t revision)
{
    const struct planes *planes = call->api->planes;
    uint64_t wait_ms;
    if (planes == NULL || !str_eq(api_query(call, "wait"), STR("applied")))
        return ST_OK;
    if (str_to_u64(api_query(call, "wait_ms"), &wait_ms) != ST_OK)
        wait_ms = PLANES_WAIT_MS;
    if (wait_ms > PLANES_WAIT_MAX_MS)
        wait_ms = PLANES_WAIT_MAX_MS;
    if (atomic_fetch_add(&call->api->waiters, 1) >= PLANES_WAITERS_MAX)
        wait_ms = 0;
    struct planes_applied applied = {0, 0, 0};
    planes->wait_applied(planes->arg, revision, (unsigned)wait_ms, &applied);
    atomic_fetch_sub(&call->api->waiters, 1);
    reply_header(call->reply, STR("x-sluice-applied"),
                 arena_printf(call->arena, "applied=%u of=%u refused=%u", applied.applied, applied.of, applied.refused));
    return ST_OK;
}

static void write_plane(struct json_writer *w, const struct plane *plane)
{
    jw_object(w);
    jw_field_cstr(w, "object", "data-plane");
    jw_field_id(w, "id", &plane->id);
    jw_field_str(w, "name", plane->name);
    jw_field_str(w, "region", plane->region);
    jw_field_cstr(w, "status", plane->status);
    jw_field_u64(w, "revision", plane->revision);
    jw_field_i64(w, "lag_ms", plane->lag_ms);
    jw_field_time(w, "last_seen_at", plane->last_seen_ms);
    jw_field_str(w, "software", plane->software);
    jw_key(w, "refused");
    if (plane->refused.n == 0)
        jw_null(w);
    else
        jw_str(w, plane->refused);
    jw_end(w);
}

enum status api_data_planes_list(struct api_call *call)
{
    const struct planes *planes = call->api->planes;
    struct plane *rows = NULL;
    size_t count = 0;
    uint64_t revision;
    struct list list;
    if (planes != NULL)
        TRY(planes->list(planes->arg, call->txn, call->arena, &rows, &count));
    TRY(record_revision(call->txn, &revision));
    list_begin(&list, call, 100);
    for (size_t i = 0; i < count; i++)
        if (list_wants(&list))
            write_plane(&call->json, &rows[i]);
    jw_end(&call->json);
    jw_field_u64(&call->json, "total", list.total);
    jw_field_u64(&call->json, "revision", revision);
    jw_end(&call->json);
    return ST_OK;
}
