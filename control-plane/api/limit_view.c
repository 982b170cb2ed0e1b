/* limit_view.c: see limit_view.h. Numbers come from the ledger's books and are only put into words
 * here; what a limit is worth is decided elsewhere. */
#include "control-plane/api/limit_view.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "control-plane/ledger/zone.h"

#define NANOUSD_DIGITS   9
#define MINUTE_MS        60000
#define VIEW_ARENA_BYTES ((size_t)8 << 20)

static struct limit_ref ref_of(const struct api_call *call, enum limit_level level,
                               const struct id *entity, const struct id *second)
{
    return (struct limit_ref){.level = (uint8_t)level,
                              .org = call->auth.org,
                              .entity = *entity,
                              .second = second == NULL ? ID_NONE : *second};
}

enum status limit_view_load(struct api_call *call, enum limit_level level, const struct id *entity,
                            const struct id *second, const struct id *workspace,
                            const char *usage_json, const char *rates_json, struct limit_view *view)
{
    struct limit_ref ref = ref_of(call, level, entity, second);
    struct counter_view *views;
    struct arena scratch; /* a list has many rows */
    view->count = 0;
    view->exhausted = false;
    if (usage_json[0] == '\0' && rates_json[0] == '\0')
        return ST_OK;
    arena_init(&scratch, VIEW_ARENA_BYTES);
    enum status status = counters_of_entity(call->txn, &scratch, &ref, workspace, call->now_ms,
                                            &views, &view->count);
    if (status == ST_OK)
        memcpy(view->views, views, view->count * sizeof(*views));
    else
        view->count = 0;
    arena_free(&scratch);
    if (status != ST_NOT_FOUND)
        TRY(status);
    for (size_t i = 0; i < view->count; i++)
        view->exhausted = view->exhausted || view->views[i].exhausted;
    return ST_OK;
}

void limit_view_amount(struct json_writer *w, uint8_t measure, int64_t amount)
{
    if (measure == LIMIT_COST)
        jw_decimal(w, amount, NANOUSD_DIGITS);
    else
        jw_i64(w, amount);
}

static enum status zone_of(struct api_call *call, const struct zone **zone)
{
    struct record_key key = {SLUICE__KIND__KIND_ORGANISATION, call->auth.org, ID_NONE,
                             call->auth.org};
    Sluice__Organisation *organisation;
    struct arena scratch;
    *zone = NULL;
    arena_init(&scratch, VIEW_ARENA_BYTES);
    enum status status = record_get(call->txn, &key, &scratch, &organisation, NULL);
    /* A name that this host's tzdata does not know: periods are UTC's then. */
    if (status == ST_OK && zone_open(str_c(organisation->time_zone), zone) != ST_OK)
        *zone = NULL;
    arena_free(&scratch);
    return status;
}

/* RFC 3339 with a numeric offset, or Z where it is 0. */
static void write_local(struct json_writer *w, const struct zone *zone, int64_t at_ms)
{
    int64_t offset_ms = zone_offset_ms(zone, at_ms), minutes = offset_ms / MINUTE_MS;
    char text[CLOCK_TEXT + 1], local[CLOCK_TEXT + 8];
    clock_to_text(at_ms + minutes * MINUTE_MS, text);
    if (minutes == 0) {
        jw_cstr(w, text);
        return;
    }
    int64_t size = minutes < 0 ? -minutes : minutes;
    (void)snprintf(local, sizeof(local), "%.*s%c%02d:%02d", CLOCK_TEXT - 1, text,
                   minutes < 0 ? '-' : '+', (int)(size / 60 % 100), (int)(size % 60));
    jw_cstr(w, local);
}

enum status limit_view_time(struct api_call *call, const char *name, int64_t at_ms)
{
    const struct zone *zone;
    jw_key(&call->json, name);
    if (at_ms <= 0) {
        jw_null(&call->json);
        return ST_OK;
    }
    TRY(zone_of(call, &zone));
    write_local(&call->json, zone, at_ms);
    return ST_OK;
}

static void write_amount(struct json_writer *w, const char *name, const struct counter_view *view,
                         int64_t amount)
{
    jw_key(w, name);
    limit_view_amount(w, view->measure, amount);
}

static enum status write_view(struct api_call *call, const struct counter_view *view)
{
    struct json_writer *w = &call->json;
    const char *unit = limit_window_text((enum limit_window)view->window);
    jw_object(w);
    jw_field_cstr(w, "type", limit_measure_text((enum limit_measure)view->measure));
    if (unit[0] != '\0')
        jw_field_cstr(w, "unit", unit);
    write_amount(w, "limit", view, view->limit);
    write_amount(w, "used", view, view->used);
    write_amount(w, "outstanding", view, view->outstanding);
    write_amount(w, "remaining", view, view->remaining);
    jw_field_cstr(w, "status", view->exhausted ? "exhausted" : "active");
    jw_field_cstr(w, "mode", view->strict ? "strict" : "standard");
    if (view->window == LIMIT_BUDGET) {
        jw_field_bool(w, "alerted", view->alerted);
        write_amount(w, "lost", view, view->lost);
        jw_field_time(w, "started_at", view->started_at_ms);
        TRY(limit_view_time(call, "next_reset_at", view->resets_at_ms));
        jw_field_time(w, "last_reset_at", view->last_reset_at_ms);
    }
    jw_end(w);
    return ST_OK;
}

enum status limit_view_write(struct api_call *call, const struct limit_view *view)
{
    struct json_writer *w = &call->json;
    jw_field_cstr(w, "limit_status", view->exhausted ? "exhausted" : "active");
    jw_key(w, "usage");
    jw_array(w);
    for (size_t i = 0; i < view->count; i++)
        TRY(write_view(call, &view->views[i]));
    jw_end(w);
    return ST_OK;
}

const char *limit_view_status(const struct limit_view *view, bool expired)
{
    return expired ? "expired" : view->exhausted ? "exhausted" : "active";
}

enum status limit_view_reset(struct api_call *call, enum limit_level level, const struct id *entity,
                             const struct id *second, const struct id *workspace)
{
    struct limit_ref ref = ref_of(call, level, entity, second);
    enum status status = counters_reset_entity(call->op, &ref, workspace);
    return status == ST_NOT_FOUND ? ST_OK : status;
}
