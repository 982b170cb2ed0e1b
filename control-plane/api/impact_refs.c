/* impact_refs.c: what points to a thing that goes: configs to a provider, defaults to a config.
 *
 * What goes in the same change is left out: it points to nothing because it is nothing.
 */
#include "common/wire.h"
#include "control-plane/api/impact.h"
#include "control-plane/domain/config_refs.h"

#define SCRATCH_BYTES ((size_t)16 << 20)

static bool goes_along(const struct impact *impact, const struct record_key *key)
{
    const struct overlay_row *row = overlay_find(impact->overlay, key);
    return row != NULL && row->deleted;
}

enum status impact_configs_of(struct impact *impact, const struct record_key *provider,
                              struct str slug)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__Config *config;
    arena_init(&scratch, SCRATCH_BYTES);
    enum status status = record_cursor_open(impact->call->txn, SLUICE__KIND__KIND_CONFIG,
                                            &provider->org, &provider->parent, &cursor);
    while (status == ST_OK) {
        struct json *document;
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &config, NULL);
        if (status != ST_OK || goes_along(impact, &key) ||
            json_parse(&scratch, str_c(config->document_json), NULL, &document, NULL) != ST_OK ||
            !config_refs_name(document, &scratch, slug))
            continue;
        struct impact_entry entry = {.id = key.id,
                                     .workspace = key.parent,
                                     .name = str_c(config->slug),
                                     .effect = IMPACT_DANGLING};
        status = impact_add(impact, &impact->configs, entry);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    return status == ST_END ? ST_OK : status;
}

static enum status bind_workspace(struct impact *impact, const struct record_key *config)
{
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE, config->org, ID_NONE, config->parent};
    Sluice__Workspace *workspace;
    if (goes_along(impact, &key))
        return ST_OK;
    TRY(impact_before(impact, &key, impact->call->arena, &workspace));
    if (!str_eq(wire_str(&workspace->default_config), id_bytes(&config->id)))
        return ST_OK;
    struct impact_entry entry = {.type = "workspace",
                                 .id = key.id,
                                 .workspace = key.id,
                                 .name = str_c(workspace->slug),
                                 .effect = IMPACT_DANGLING};
    return impact_add(impact, &impact->bindings, entry);
}

/* Keys of any workspace, as an organisation key may have any config as its default. */
enum status impact_bindings_of(struct impact *impact, const struct record_key *config)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    struct arena scratch;
    Sluice__ApiKey *record;
    TRY(bind_workspace(impact, config));
    arena_init(&scratch, SCRATCH_BYTES);
    enum status status = record_cursor_open_org(impact->call->txn, SLUICE__KIND__KIND_API_KEY,
                                                &config->org, &cursor);
    while (status == ST_OK) {
        arena_free(&scratch);
        status = record_cursor_next(cursor, &scratch, &key, &record, NULL);
        if (status != ST_OK || goes_along(impact, &key) ||
            !str_eq(wire_str(&record->default_config), id_bytes(&config->id)))
            continue;
        struct impact_entry entry = {.type = "api_key",
                                     .id = key.id,
                                     .workspace = key.parent,
                                     .name = str_c(record->name),
                                     .effect = IMPACT_DANGLING};
        status = impact_add(impact, &impact->bindings, entry);
    }
    record_cursor_close(cursor);
    arena_free(&scratch);
    return status == ST_END ? ST_OK : status;
}
