/* reach.c: see reach.h. Decides nothing by itself: the records say whether a provider is open, and
 * policy_decide says the rest, as it does in the worker. */
#include "control-plane/api/reach.h"

#include "common/wire.h"
#include "control-plane/domain/builtin.h"

enum status reach_lines(struct arena *arena, char *const *items, size_t count, struct str *lines)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += strlen(items[i]) + 1;
    char *text = arena_alloc(arena, n + 1), *at = text;
    if (text == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(items[i]);
        memcpy(at, items[i], m);
        at[m] = '\n';
        at += m + 1;
    }
    *lines = str_of(text, n);
    return ST_OK;
}

bool reach_in_catalog(const void *arg, struct str id)
{
    const struct reach *reach = arg;
    struct record_key key = {SLUICE__KIND__KIND_MODEL, ID_NONE, reach->type,
                             builtin_model_id(str_c(reach->integration->provider_type), id)};
    return record_exists(reach->txn, &key);
}

/* --- model rules */

static enum status grow(struct arena *arena, struct reach *reach, size_t *room)
{
    *room = *room == 0 ? 64 : *room * 2;
    struct policy_rule *rules = arena_calloc(arena, *room, sizeof(*rules));
    const Sluice__ModelRule **records = arena_calloc(arena, *room, sizeof(*records));
    if (rules == NULL || records == NULL)
        return ST_NO_MEMORY;
    if (reach->rule_count > 0) {
        memcpy(rules, reach->rules, reach->rule_count * sizeof(*rules));
        memcpy(records, reach->records, reach->rule_count * sizeof(*records));
    }
    reach->rules = rules;
    reach->records = records;
    return ST_OK;
}

static enum status add_rule(struct arena *arena, struct reach *reach, size_t *room,
                            const Sluice__ModelRule *rule)
{
    if (reach->rule_count == *room)
        TRY(grow(arena, reach, room));
    reach->records[reach->rule_count] = rule;
    reach->rules[reach->rule_count++] =
        (struct policy_rule){.slug = str_c(rule->slug),
                             .upstream_model = str_c(rule->upstream_model),
                             .base_model = str_c(rule->base_model),
                             .enabled = rule->enabled,
                             .custom = rule->is_custom,
                             .listing = rule->discovered};
    return ST_OK;
}

/* Rules that are new in the overlay; those it changes are met in the store's walk. */
static enum status add_new_rules(const struct overlay *overlay, struct arena *arena,
                                 struct reach *reach, size_t *room)
{
    for (size_t i = 0; overlay != NULL && i < overlay->count; i++) {
        const struct overlay_row *row = &overlay->rows[i];
        Sluice__ModelRule *rule;
        if (row->deleted || row->key.kind != SLUICE__KIND__KIND_MODEL_RULE ||
            !id_eq(&row->key.parent, &reach->integration_key.id) ||
            record_exists(reach->txn, &row->key))
            continue;
        TRY(wire_unpack(&sluice__model_rule__descriptor, row->body, arena, &rule));
        TRY(add_rule(arena, reach, room, rule));
    }
    return ST_OK;
}

static enum status load_rules(const struct overlay *overlay, struct arena *arena,
                              struct reach *reach)
{
    struct record_cursor *cursor = NULL;
    struct record_key key;
    size_t room = 0;
    TRY(record_cursor_open(reach->txn, SLUICE__KIND__KIND_MODEL_RULE, &reach->integration_key.org,
                           &reach->integration_key.id, &cursor));
    enum status status = ST_OK;
    while (status == ST_OK) {
        Sluice__ModelRule *rule;
        status = record_cursor_next(cursor, NULL, &key, NULL, NULL);
        if (status != ST_OK)
            break;
        status = overlay_get(overlay, reach->txn, &key, arena, &rule);
        if (status == ST_OK)
            status = add_rule(arena, reach, &room, rule);
        else if (status == ST_NOT_FOUND)
            status = ST_OK;
    }
    record_cursor_close(cursor);
    if (status != ST_END)
        return status;
    return add_new_rules(overlay, arena, reach, &room);
}

/* --- the provider */

static enum status absent_is_fine(enum status status)
{
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static bool is_live(const Sluice__Provider *provider, int64_t now_ms)
{
    return provider->status == SLUICE__STATUS__STATUS_ACTIVE &&
           (provider->expires_at_ms == 0 || provider->expires_at_ms > now_ms);
}

enum status reach_load(struct kv_txn *txn, const struct overlay *overlay, struct arena *arena,
                       int64_t now_ms, const struct record_key *key, struct reach *reach)
{
    struct record_key integration = {SLUICE__KIND__KIND_INTEGRATION, key->org, ID_NONE, ID_NONE};
    struct record_key access_key = {SLUICE__KIND__KIND_WORKSPACE_ACCESS, key->org, ID_NONE,
                                    key->parent};
    Sluice__Provider *provider = NULL;
    Sluice__Integration *record = NULL;
    Sluice__WorkspaceAccess *access = NULL;
    *reach = (struct reach){.txn = txn, .provider_key = *key};
    TRY(absent_is_fine(overlay_get(overlay, txn, key, arena, &provider)));
    if (provider == NULL)
        return ST_OK;
    TRY(wire_id(&provider->integration, &integration.id));
    access_key.parent = integration.id;
    TRY(absent_is_fine(overlay_get(overlay, txn, &integration, arena, &record)));
    TRY(absent_is_fine(overlay_get(overlay, txn, &access_key, arena, &access)));
    reach->provider = provider;
    reach->integration = record;
    reach->integration_key = integration;
    reach->open = record != NULL && access != NULL && access->enabled && is_live(provider, now_ms);
    if (!reach->open)
        return ST_OK;
    reach->type = builtin_provider_type_id(str_c(record->provider_type));
    TRY(reach_lines(arena, provider->allowed_models, provider->n_allowed_models,
                    &reach->provider_allowed));
    return load_rules(overlay, arena, reach);
}

bool reach_allows(const struct reach *reach, struct str model, struct str qualified,
                  struct str key_allowed, struct policy_verdict *verdict)
{
    struct policy_input input = {.model = model,
                                 .qualified = qualified,
                                 .allow_all_models = reach->integration->allow_all_models,
                                 .rule_count = reach->rule_count,
                                 .rule_at = policy_rule_of_array,
                                 .rules = reach->rules,
                                 .in_catalog = reach_in_catalog,
                                 .catalog = reach,
                                 .provider_allowed = reach->provider_allowed,
                                 .key_allowed = key_allowed};
    policy_decide(&input, verdict);
    return policy_status(verdict) == ST_OK;
}
