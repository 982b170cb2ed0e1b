/* provision.c: access rows and the providers they make.
 *
 * An access row exists for every workspace that ever had the integration: it is where limits and
 * "no" are kept, so disabling never deletes it (clients look the row up again). Invariant: a
 * workspace with an enabled row that asked for a provider has at least one provider of the
 * integration, and enabling twice makes one. Walks collect keys first and change afterwards: a
 * cursor never stands on a row that the same walk writes.
 */
#include "control-plane/domain/provision.h"

#include "common/wire.h"
#include "control-plane/domain/slug.h"

#define PROVISION_TRIES 8 /* random suffixes until one is free */

static char *text(const char *value)
{
    return (char *)(uintptr_t)value;
}

/* Keys of all entities of a kind below a parent (NULL: of the organisation), into the operation's
 * arena. */
static enum status collect(struct write_op *op, Sluice__Kind kind, const struct id *org,
                           const struct id *parent, struct record_key **keys, size_t *count)
{
    struct record_cursor *cursor = NULL;
    struct record_key *list = NULL;
    size_t n = 0, room = 0;
    enum status status = parent == NULL ? record_cursor_open_org(op->txn, kind, org, &cursor)
                                        : record_cursor_open(op->txn, kind, org, parent, &cursor);
    while (status == ST_OK) {
        if (n == room) {
            size_t more = room == 0 ? 64 : room * 2;
            struct record_key *grown = arena_calloc(op->arena, more, sizeof(*grown));
            if (grown == NULL) {
                status = ST_NO_MEMORY;
                break;
            }
            if (n > 0)
                memcpy(grown, list, n * sizeof(*grown));
            list = grown;
            room = more;
        }
        status = record_cursor_next(cursor, op->arena, &list[n], NULL, NULL);
        n += status == ST_OK;
    }
    record_cursor_close(cursor);
    *keys = list;
    *count = n;
    return status == ST_END ? ST_OK : status;
}

enum status provision_remove_all(struct write_op *op, Sluice__Kind kind, const struct id *org,
                                 const struct id *parent)
{
    struct record_key *keys;
    size_t count;
    TRY(collect(op, kind, org, parent, &keys, &count));
    for (size_t i = 0; i < count; i++)
        TRY(record_delete(op, &keys[i]));
    return ST_OK;
}

/* Is there a provider of this integration in the workspace? */
static enum status has_provider(struct write_op *op, const struct record_key *integration,
                                const struct id *workspace, bool *found)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    Sluice__Provider *provider;
    *found = false;
    enum status status = record_cursor_open(op->txn, SLUICE__KIND__KIND_PROVIDER, &integration->org,
                                            workspace, &cursor);
    while (status == ST_OK && !*found) {
        status = record_cursor_next(cursor, op->arena, &key, &provider, NULL);
        *found =
            status == ST_OK && str_eq(wire_str(&provider->integration), id_bytes(&integration->id));
    }
    record_cursor_close(cursor);
    return status == ST_END ? ST_OK : status;
}

static enum status make_provider(struct write_op *op, const struct record_key *integration,
                                 const Sluice__Integration *record, const struct id *workspace,
                                 const struct provision_grant *grant)
{
    bool explicit_slug = grant->provider_slug.n > 0;
    struct str slug = explicit_slug ? grant->provider_slug : str_c(record->slug);
    struct record_key key = {SLUICE__KIND__KIND_PROVIDER, integration->org, *workspace, id_new()};
    for (unsigned i = 0; i < PROVISION_TRIES; i++) {
        Sluice__Provider provider = SLUICE__PROVIDER__INIT;
        provider.id = wire_id_data(&key.id);
        provider.slug = arena_cstr(op->arena, slug);
        provider.name =
            grant->provider_name.n > 0 ? arena_cstr(op->arena, grant->provider_name) : record->name;
        provider.integration = wire_id_data(&integration->id);
        provider.created_at_ms = provider.updated_at_ms = op->now_ms;
        provider.automatic = 1;
        if (provider.slug == NULL || provider.name == NULL)
            return ST_NO_MEMORY;
        enum status status = record_put(op, &key, &provider, slug);
        if (status != ST_CONFLICT || explicit_slug)
            return status;
        slug = slug_suffixed(op->arena, str_c(record->slug));
        if (slug.p == NULL)
            return ST_NO_MEMORY;
    }
    return ST_CONFLICT;
}

enum status provision_set(struct write_op *op, const struct record_key *integration,
                          const Sluice__Integration *record, const struct id *workspace,
                          const struct provision_grant *grant)
{
    struct record_key key = {SLUICE__KIND__KIND_WORKSPACE_ACCESS, integration->org, integration->id,
                             *workspace};
    Sluice__WorkspaceAccess fresh = SLUICE__WORKSPACE_ACCESS__INIT, *access = &fresh;
    enum status status = record_get(op->txn, &key, op->arena, &access, NULL);
    if (status == ST_NOT_FOUND) {
        fresh.integration = wire_id_data(&integration->id);
        fresh.workspace = wire_id_data(workspace);
        fresh.created_at_ms = op->now_ms;
        access = &fresh;
    } else if (status != ST_OK) {
        return status;
    }
    access->enabled = grant->enabled;
    access->updated_at_ms = op->now_ms;
    if (grant->usage_limits != NULL)
        access->usage_limits_json = text(grant->usage_limits);
    if (grant->rate_limits != NULL)
        access->rate_limits_json = text(grant->rate_limits);
    TRY(record_put(op, &key, access, STR_NONE));
    bool found = true;
    if (grant->enabled && grant->create_provider)
        TRY(has_provider(op, integration, workspace, &found));
    return found ? ST_OK : make_provider(op, integration, record, workspace, grant);
}

enum status provision_workspace(struct write_op *op, const struct id *org,
                                const struct id *workspace)
{
    struct record_key *keys;
    size_t count;
    TRY(collect(op, SLUICE__KIND__KIND_INTEGRATION, org, &ID_NONE, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        Sluice__Integration *record;
        TRY(record_get(op->txn, &keys[i], op->arena, &record, NULL));
        if (!record->global_access || record->workspace.len > 0 ||
            record->status != SLUICE__STATUS__STATUS_ACTIVE)
            continue;
        struct provision_grant grant = {.enabled = true,
                                        .usage_limits = record->global_usage_limits_json,
                                        .rate_limits = record->global_rate_limits_json,
                                        .create_provider = true};
        TRY(provision_set(op, &keys[i], record, workspace, &grant));
    }
    return ST_OK;
}

enum status provision_everywhere(struct write_op *op, const struct record_key *integration,
                                 const Sluice__Integration *record, bool override,
                                 const struct provision_grant *grant)
{
    struct record_key *keys;
    size_t count;
    TRY(collect(op, SLUICE__KIND__KIND_WORKSPACE, &integration->org, &ID_NONE, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        struct record_key access = {SLUICE__KIND__KIND_WORKSPACE_ACCESS, integration->org,
                                    integration->id, keys[i].id};
        Sluice__WorkspaceAccess *row;
        enum status status = record_get(op->txn, &access, op->arena, &row, NULL);
        if (status == ST_OK && !override)
            continue;
        if (status != ST_OK && status != ST_NOT_FOUND)
            return status;
        TRY(provision_set(op, integration, record, &keys[i].id, grant));
    }
    return ST_OK;
}

/* Providers of an integration, in every workspace. */
static enum status remove_providers_of(struct write_op *op, const struct record_key *integration)
{
    struct record_key *keys;
    size_t count;
    TRY(collect(op, SLUICE__KIND__KIND_PROVIDER, &integration->org, NULL, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        Sluice__Provider *provider;
        TRY(record_get(op->txn, &keys[i], op->arena, &provider, NULL));
        if (str_eq(wire_str(&provider->integration), id_bytes(&integration->id)))
            TRY(record_delete(op, &keys[i]));
    }
    return ST_OK;
}

enum status provision_remove_integration(struct write_op *op, const struct record_key *integration)
{
    TRY(remove_providers_of(op, integration));
    TRY(provision_remove_all(op, SLUICE__KIND__KIND_MODEL_RULE, &integration->org,
                             &integration->id));
    TRY(provision_remove_all(op, SLUICE__KIND__KIND_WORKSPACE_ACCESS, &integration->org,
                             &integration->id));
    return record_delete(op, integration);
}

/* Integrations of the workspace go; access rows of the others to it go. */
static enum status remove_access_of(struct write_op *op, const struct record_key *workspace)
{
    struct record_key *keys;
    size_t count;
    TRY(collect(op, SLUICE__KIND__KIND_INTEGRATION, &workspace->org, &ID_NONE, &keys, &count));
    for (size_t i = 0; i < count; i++) {
        Sluice__Integration *record;
        TRY(record_get(op->txn, &keys[i], op->arena, &record, NULL));
        if (str_eq(wire_str(&record->workspace), id_bytes(&workspace->id))) {
            TRY(provision_remove_integration(op, &keys[i]));
            continue;
        }
        struct record_key access = {SLUICE__KIND__KIND_WORKSPACE_ACCESS, workspace->org, keys[i].id,
                                    workspace->id};
        enum status status = record_delete(op, &access);
        if (status != ST_OK && status != ST_NOT_FOUND)
            return status;
    }
    return ST_OK;
}

enum status provision_remove_config(struct write_op *op, const struct record_key *config)
{
    TRY(provision_remove_all(op, SLUICE__KIND__KIND_CONFIG_VERSION, &config->org, &config->id));
    return record_delete(op, config);
}

enum status provision_remove_workspace(struct write_op *op, const struct record_key *workspace)
{
    static const Sluice__Kind kinds[] = {SLUICE__KIND__KIND_PROVIDER, SLUICE__KIND__KIND_API_KEY,
                                         SLUICE__KIND__KIND_MEMBER, SLUICE__KIND__KIND_OBJECT,
                                         SLUICE__KIND__KIND_USAGE_POLICY,
                                         SLUICE__KIND__KIND_RATE_POLICY};
    struct record_key *configs;
    size_t count;
    TRY(remove_access_of(op, workspace));
    TRY(collect(op, SLUICE__KIND__KIND_CONFIG, &workspace->org, &workspace->id, &configs, &count));
    for (size_t i = 0; i < count; i++)
        TRY(provision_remove_config(op, &configs[i]));
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        TRY(provision_remove_all(op, kinds[i], &workspace->org, &workspace->id));
    return record_delete(op, workspace);
}
