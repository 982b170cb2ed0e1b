/* impact.c: which things a change touches, and writing them down.
 *
 * The overlay names the records that changed; what follows from them is looked for from there:
 * an integration, its rules and its access rows stand for the providers made of it. A thing is
 * listed only if it worked before and does not, or does less, afterwards. Must never be part of
 * deciding: a wrong list here changes nothing.
 */
#include "control-plane/api/impact.h"

#include <stdlib.h>

#include "common/wire.h"

#define DAY_MS         ROLLUP_DAY_MS
#define NANOUSD_DIGITS 9

static const char *const effects[] = {
    [IMPACT_DELETED] = "deleted",
    [IMPACT_DISABLED] = "disabled",
    [IMPACT_NARROWED] = "narrowed",
    [IMPACT_DANGLING] = "dangling",
};

enum status impact_add(struct impact *impact, struct impact_list *list, struct impact_entry entry)
{
    struct arena *arena = impact->call->arena;
    for (size_t i = 0; i < list->count; i++)
        if (id_eq(&list->entries[i].id, &entry.id) && list->entries[i].type == entry.type &&
            str_eq(list->entries[i].name, entry.name))
            return ST_OK;
    if (list->count == IMPACT_LIST_MAX) {
        impact->complete = false;
        return ST_OK;
    }
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        struct impact_entry *entries = arena_calloc(arena, room, sizeof(*entries));
        if (entries == NULL)
            return ST_NO_MEMORY;
        if (list->count > 0)
            memcpy(entries, list->entries, list->count * sizeof(*entries));
        list->entries = entries;
        list->room = room;
    }
    entry.name = arena_str(arena, entry.name);
    if (entry.name.p == NULL)
        return ST_NO_MEMORY;
    list->entries[list->count++] = entry;
    return ST_OK;
}

enum status impact_before(const struct impact *impact, const struct record_key *key,
                          struct arena *arena, void *message)
{
    return record_get(impact->call->txn, key, arena, message, NULL);
}

/* --- providers */

static bool integration_is_touched(const struct impact *impact, const struct id *integration)
{
    for (size_t i = 0; i < impact->overlay->count; i++) {
        const struct record_key *key = &impact->overlay->rows[i].key;
        if ((key->kind == SLUICE__KIND__KIND_INTEGRATION && id_eq(&key->id, integration)) ||
            ((key->kind == SLUICE__KIND__KIND_MODEL_RULE ||
              key->kind == SLUICE__KIND__KIND_WORKSPACE_ACCESS) &&
             id_eq(&key->parent, integration)))
            return true;
    }
    return false;
}

/* What becomes of one provider that may be touched. */
static enum status weigh_provider(struct impact *impact, const struct record_key *key)
{
    struct api_call *call = impact->call;
    struct reach before, after;
    struct arena scratch;
    uint64_t requests = 0;
    arena_init(&scratch, 64u << 20);
    enum status status = reach_load(call->txn, NULL, &scratch, call->now_ms, key, &before);
    if (status == ST_OK)
        status = reach_load(call->txn, impact->overlay, &scratch, call->now_ms, key, &after);
    if (status != ST_OK || !before.open)
        goto out;
    struct str slug = str_c(before.provider->slug);
    TRY_OUT(impact_provider_usage(impact, &before, &after, &requests));
    if (after.open && requests == 0)
        goto out;
    struct impact_entry entry = {.id = key->id,
                                 .workspace = key->parent,
                                 .name = slug,
                                 .effect = after.provider == NULL ? IMPACT_DELETED
                                           : !after.open          ? IMPACT_DISABLED
                                                                  : IMPACT_NARROWED};
    TRY_OUT(impact_add(impact, &impact->providers, entry));
    if (!after.open)
        status = impact_configs_of(impact, key, slug);
out:
    arena_free(&scratch);
    return status;
}

/* Every provider of the organisation that the change can reach. */
static enum status weigh_providers(struct impact *impact)
{
    struct api_call *call = impact->call;
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__Provider *provider;
    arena_init(&scratch, 4u << 20);
    enum status status =
        record_cursor_open_org(call->txn, SLUICE__KIND__KIND_PROVIDER, &call->auth.org, &cursor);
    while (status == ST_OK) {
        struct id integration;
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &provider, NULL);
        if (status != ST_OK)
            break;
        bool known = wire_id(&provider->integration, &integration) == ST_OK;
        if (overlay_find(impact->overlay, &key) != NULL ||
            (known && integration_is_touched(impact, &integration)))
            status = weigh_provider(impact, &key);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    return status == ST_END ? ST_OK : status;
}

/* --- everything else */

static bool key_is_live(const Sluice__ApiKey *key, int64_t now_ms)
{
    return key->status == SLUICE__STATUS__STATUS_ACTIVE &&
           (key->expires_at_ms == 0 || key->expires_at_ms > now_ms);
}

static enum status weigh_key(struct impact *impact, const struct overlay_row *row)
{
    struct api_call *call = impact->call;
    Sluice__ApiKey *before, *after = NULL;
    uint64_t requests = 0;
    enum status status = impact_before(impact, &row->key, call->arena, &before);
    if (status == ST_NOT_FOUND || (status == ST_OK && !key_is_live(before, call->now_ms)))
        return ST_OK;
    TRY(status);
    if (!row->deleted)
        TRY(wire_unpack(&sluice__api_key__descriptor, row->body, call->arena, &after));
    bool ends = after == NULL || !key_is_live(after, call->now_ms);
    if (ends)
        TRY(impact_key_usage(impact, &row->key));
    else
        TRY(impact_key_narrowed(impact, &row->key, before, after, &requests));
    if (!ends && requests == 0)
        return ST_OK;
    struct impact_entry entry = {.id = row->key.id,
                                 .workspace = row->key.parent,
                                 .name = str_c(before->name),
                                 .effect = after == NULL ? IMPACT_DELETED
                                           : ends        ? IMPACT_DISABLED
                                                         : IMPACT_NARROWED};
    return impact_add(impact, &impact->keys, entry);
}

static enum status weigh_config(struct impact *impact, const struct overlay_row *row)
{
    Sluice__Config *config;
    enum status status = impact_before(impact, &row->key, impact->call->arena, &config);
    if (!row->deleted || status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    struct impact_entry entry = {.id = row->key.id,
                                 .workspace = row->key.parent,
                                 .name = str_c(config->slug),
                                 .effect = IMPACT_DELETED};
    TRY(impact_add(impact, &impact->configs, entry));
    return impact_bindings_of(impact, &row->key);
}

static enum status weigh_workspace(struct impact *impact, const struct overlay_row *row)
{
    Sluice__Workspace *workspace;
    enum status status = impact_before(impact, &row->key, impact->call->arena, &workspace);
    if (!row->deleted || status == ST_NOT_FOUND)
        return ST_OK;
    TRY(status);
    struct impact_entry entry = {.id = row->key.id,
                                 .workspace = row->key.id,
                                 .name = str_c(workspace->slug),
                                 .effect = IMPACT_DELETED};
    return impact_add(impact, &impact->workspaces, entry);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct impact_entry *)a)->name, ((const struct impact_entry *)b)->name);
}

enum status impact_find(struct api_call *call, const struct overlay *overlay, struct impact *impact)
{
    *impact = (struct impact){.call = call, .overlay = overlay, .complete = true};
    impact->to_day = (uint32_t)(call->now_ms / DAY_MS) + 1;
    impact->from_day = impact->to_day - IMPACT_DAYS;
    TRY(weigh_providers(impact));
    for (size_t i = 0; i < overlay->count; i++) {
        const struct overlay_row *row = &overlay->rows[i];
        if (row->key.kind == SLUICE__KIND__KIND_API_KEY)
            TRY(weigh_key(impact, row));
        else if (row->key.kind == SLUICE__KIND__KIND_CONFIG)
            TRY(weigh_config(impact, row));
        else if (row->key.kind == SLUICE__KIND__KIND_WORKSPACE)
            TRY(weigh_workspace(impact, row));
    }
    if (impact->models.count > 1)
        qsort(impact->models.entries, impact->models.count, sizeof(*impact->models.entries),
              by_name);
    return ST_OK;
}

/* --- writing */

static void write_list(struct json_writer *w, const char *name, const struct impact_list *list)
{
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < list->count; i++) {
        const struct impact_entry *entry = &list->entries[i];
        jw_object(w);
        if (entry->type != NULL)
            jw_field_cstr(w, "type", entry->type);
        jw_field_id(w, "id", &entry->id);
        jw_field_str(w, "name", entry->name);
        jw_field_id(w, "workspace_id", &entry->workspace);
        jw_field_cstr(w, "effect", effects[entry->effect]);
        jw_end(w);
    }
    jw_end(w);
}

void impact_write(struct json_writer *w, const struct impact *impact, bool dry_run)
{
    jw_object(w);
    jw_field_cstr(w, "object", "impact");
    jw_field_bool(w, "dry_run", dry_run);
    write_list(w, "workspaces", &impact->workspaces);
    write_list(w, "providers", &impact->providers);
    write_list(w, "api_keys", &impact->keys);
    write_list(w, "configs", &impact->configs);
    write_list(w, "bindings", &impact->bindings);
    jw_key(w, "models");
    jw_array(w);
    for (size_t i = 0; i < impact->models.count; i++)
        jw_str(w, impact->models.entries[i].name);
    jw_end(w);
    jw_key(w, "last_7_days");
    jw_object(w);
    jw_field_time(w, "from", (int64_t)impact->from_day * DAY_MS);
    jw_field_u64(w, "requests", impact->refused.requests);
    jw_key(w, "cost_usd");
    jw_decimal(w, impact->refused.cost_nanousd, NANOUSD_DIGITS);
    jw_key(w, "charge_usd");
    jw_decimal(w, impact->refused.charge_nanousd, NANOUSD_DIGITS);
    jw_end(w);
    jw_field_bool(w, "complete", impact->complete);
    jw_end(w);
}
