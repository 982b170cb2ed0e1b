/* rule.c: from a counter's owner to its limits.
 *
 *   level         record                                 default mode of
 *   INTEGRATION   KIND_INTEGRATION  entity               organisation
 *   ACCESS        KIND_WORKSPACE_ACCESS entity, second   workspace `second`
 *   WORKSPACE     KIND_WORKSPACE    entity               workspace `entity`
 *   PROVIDER      KIND_PROVIDER     workspace, entity    workspace
 *   KEY           KIND_API_KEY      workspace, entity    workspace, organisation
 *   POLICY        KIND_USAGE_POLICY or KIND_RATE_POLICY  workspace
 *
 * A definition that cannot be read is ST_INVALID and never a guess: what decides about money is
 * refused rather than passed over. Mode is settled here once, so nobody else applies defaults.
 */
#include "control-plane/ledger/rule.h"

#include "common/log.h"
#include "control-plane/store/keys.h"

/* --- records --- */

static enum status record_of(const struct rule_owner *owner, struct record_key *key)
{
    const struct limit_ref *ref = &owner->ref;
    bool usage = ref->window == LIMIT_BUDGET;
    *key = (struct record_key){.org = ref->org, .id = ref->entity};
    switch ((enum limit_level)ref->level) {
    case LIMIT_INTEGRATION:
        key->kind = SLUICE__KIND__KIND_INTEGRATION;
        return ST_OK;
    case LIMIT_ACCESS:
        key->kind = SLUICE__KIND__KIND_WORKSPACE_ACCESS;
        key->parent = ref->entity;
        key->id = ref->second;
        return ST_OK;
    case LIMIT_WORKSPACE:
        key->kind = SLUICE__KIND__KIND_WORKSPACE;
        return ST_OK;
    case LIMIT_PROVIDER:
        key->kind = SLUICE__KIND__KIND_PROVIDER;
        break;
    case LIMIT_KEY:
        key->kind = SLUICE__KIND__KIND_API_KEY;
        break;
    case LIMIT_POLICY:
        key->kind = usage ? SLUICE__KIND__KIND_USAGE_POLICY : SLUICE__KIND__KIND_RATE_POLICY;
        break;
    default:
        return ST_NOT_FOUND;
    }
    key->parent = owner->workspace;
    return ST_OK;
}

/* The workspace whose default mode applies; none: the organisation's. */
static struct id workspace_of(const struct rule_owner *owner)
{
    switch ((enum limit_level)owner->ref.level) {
    case LIMIT_ACCESS:
        return owner->ref.second;
    case LIMIT_WORKSPACE:
        return owner->ref.entity;
    case LIMIT_PROVIDER:
    case LIMIT_KEY:
    case LIMIT_POLICY:
        return owner->workspace;
    case LIMIT_INTEGRATION:
        break;
    }
    return ID_NONE;
}

static struct record_key org_of(const struct rule_owner *owner)
{
    return (struct record_key){
        .kind = SLUICE__KIND__KIND_ORGANISATION, .org = owner->ref.org, .id = owner->ref.org};
}

static struct record_key workspace_key(const struct rule_owner *owner, const struct id *workspace)
{
    return (struct record_key){
        .kind = SLUICE__KIND__KIND_WORKSPACE, .org = owner->ref.org, .id = *workspace};
}

enum status rule_stamp(struct kv_txn *txn, const struct rule_owner *owner, uint64_t *stamp)
{
    struct id workspace = workspace_of(owner);
    struct record_key keys[3] = {org_of(owner), workspace_key(owner, &workspace)};
    uint64_t newest = 0;
    TRY(record_of(owner, &keys[2]));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        uint64_t revision;
        if (id_is_none(&keys[i].id))
            continue;
        TRY(record_stamp(txn, &keys[i], &revision));
        if (revision > newest)
            newest = revision;
    }
    *stamp = newest;
    return ST_OK;
}

/* What the kinds have in common. Texts borrow from the arena. */
struct limits_of {
    struct str usage, rates;
    int64_t made_ms, changed_ms;
    bool archived;
};

#define LIMITS_OF(record, has_status)                                                              \
    ((struct limits_of){.usage = str_c((record)->usage_limits_json),                               \
                        .rates = str_c((record)->rate_limits_json),                                \
                        .made_ms = (record)->created_at_ms,                                        \
                        .changed_ms = (record)->updated_at_ms,                                     \
                        .archived = (has_status)})

static enum status read_limits(struct kv_txn *txn, struct arena *arena,
                               const struct record_key *key, struct limits_of *out)
{
    union {
        void *any;
        Sluice__Integration *integration;
        Sluice__WorkspaceAccess *access;
        Sluice__Workspace *workspace;
        Sluice__Provider *provider;
        Sluice__ApiKey *api_key;
        Sluice__Policy *policy;
    } row;
    const Sluice__Status archived = SLUICE__STATUS__STATUS_ARCHIVED;
    TRY(record_get(txn, key, arena, &row.any, NULL));
    switch (key->kind) {
    case SLUICE__KIND__KIND_INTEGRATION:
        *out = LIMITS_OF(row.integration, row.integration->status == archived);
        return ST_OK;
    case SLUICE__KIND__KIND_WORKSPACE_ACCESS:
        *out = LIMITS_OF(row.access, false);
        return ST_OK;
    case SLUICE__KIND__KIND_WORKSPACE:
        *out = LIMITS_OF(row.workspace, row.workspace->status == archived);
        return ST_OK;
    case SLUICE__KIND__KIND_PROVIDER:
        *out = LIMITS_OF(row.provider, row.provider->status == archived);
        return ST_OK;
    case SLUICE__KIND__KIND_API_KEY:
        *out = LIMITS_OF(row.api_key, row.api_key->status == archived);
        return ST_OK;
    default:
        CHECK(key->kind == SLUICE__KIND__KIND_USAGE_POLICY ||
              key->kind == SLUICE__KIND__KIND_RATE_POLICY);
        break;
    }
    bool usage = key->kind == SLUICE__KIND__KIND_USAGE_POLICY;
    struct str limit = str_c(row.policy->limit_json);
    *out = (struct limits_of){.usage = usage ? limit : STR_NONE,
                              .rates = usage ? STR_NONE : limit,
                              .made_ms = row.policy->created_at_ms,
                              .changed_ms = row.policy->updated_at_ms,
                              .archived = row.policy->status == archived};
    return ST_OK;
}

/* --- defaults --- */

static void set_zone(const Sluice__Organisation *org, struct rule_set *set)
{
    enum status status = zone_open(str_c(org->time_zone), &set->zone);
    if (status == ST_OK)
        return;
    log_error("zone_unusable", LOG_CSTR("zone", org->time_zone), LOG_STATUS(status));
    set->zone = NULL;
}

/* Default mode and zone. An organisation says 0 standard, 1 strict; a workspace 0 = as that. */
static enum status read_defaults(struct kv_txn *txn, struct arena *arena,
                                 const struct rule_owner *owner, struct rule_set *set, bool *strict)
{
    struct record_key key = org_of(owner);
    struct id workspace = workspace_of(owner);
    Sluice__Organisation *org;
    TRY(record_get(txn, &key, arena, &org, NULL));
    *strict = org->default_limit_mode == 1;
    set_zone(org, set);
    if (org->updated_at_ms > set->changed_ms)
        set->changed_ms = org->updated_at_ms;
    if (id_is_none(&workspace))
        return ST_OK;
    Sluice__Workspace *row;
    key = workspace_key(owner, &workspace);
    TRY(record_get(txn, &key, arena, &row, NULL));
    if (row->default_limit_mode != 0)
        *strict = row->default_limit_mode == 2;
    return ST_OK;
}

enum status rule_list(struct kv_txn *txn, struct arena *arena, const struct rule_owner *owner,
                      struct rule_set *out)
{
    struct rule_set set = {.count = 0};
    struct record_key key;
    struct limits_of limits;
    bool strict;
    TRY(record_of(owner, &key));
    TRY(read_limits(txn, arena, &key, &limits));
    if (limits.archived)
        return ST_NOT_FOUND;
    set.made_ms = limits.made_ms;
    set.changed_ms = limits.changed_ms;
    TRY(rule_stamp(txn, owner, &set.stamp));
    TRY(read_defaults(txn, arena, owner, &set, &strict));
    bool monday = owner->ref.level == LIMIT_POLICY;
    TRY(limit_parse_usage(arena, limits.usage, monday, set.defs, &set.count));
    TRY(limit_parse_rates(arena, limits.rates, set.defs, &set.count));
    for (size_t i = 0; i < set.count; i++)
        if (set.defs[i].mode == LIMIT_MODE_DEFAULT)
            set.defs[i].mode = strict ? LIMIT_MODE_STRICT : LIMIT_MODE_STANDARD;
    *out = set;
    return ST_OK;
}

enum status rule_find(struct kv_txn *txn, struct arena *arena, const struct rule_owner *owner,
                      struct rule *rule)
{
    const struct limit_ref *ref = &owner->ref;
    struct rule_set set;
    TRY(rule_list(txn, arena, owner, &set));
    for (size_t i = 0; i < set.count; i++) {
        const struct limit_def *def = &set.defs[i];
        if (def->measure != ref->measure || def->window != ref->window || def->nth != ref->nth)
            continue;
        *rule = (struct rule){*def, set.stamp, set.made_ms, set.changed_ms, set.zone};
        return ST_OK;
    }
    return ST_NOT_FOUND;
}

/* --- periods --- */

int64_t rule_period_end(const struct rule *rule, int64_t at_ms)
{
    return limit_period_end(&rule->def, rule->made_ms, at_ms, zone_offset_ms, rule->zone);
}

void rule_period_at(const struct rule *rule, int64_t ended_ms, int64_t now_ms, int64_t *begin_ms,
                    int64_t *end_ms)
{
    int64_t begin = ended_ms, end = rule_period_end(rule, begin);
    while (end <= now_ms) {
        begin = end;
        end = rule_period_end(rule, begin);
    }
    *begin_ms = begin;
    *end_ms = end;
}

uint64_t rule_period_mark(const struct rule *rule)
{
    const struct limit_def *def = &rule->def;
    uint8_t figures[12] = {def->reset, def->monday};
    uint8_t hash[KEY_HASH_BYTES];
    key_put_u16(figures + 2, def->reset_days);
    key_put_u64(figures + 4, (uint64_t)def->next_reset_ms);
    key_hash(str_of((const char *)figures, sizeof figures), hash);
    return key_get_u64(hash) ^ zone_mark(rule->zone);
}
