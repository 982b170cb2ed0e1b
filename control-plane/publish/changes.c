/* changes.c: the feed, seen by one node.
 *
 * A positive list of kinds decides what leaves the store, and each kind with something to hide has
 * a function that takes it out of an unpacked copy; an entity of any other kind is not sent. A node
 * is told to begin anew (full) when its data is another store's, when tombstones that it has not
 * seen were purged, or when it claims a revision that does not exist yet.
 *
 * Cursors: a part that is not the last names the last row it looked at; through_revision of such a
 * part is one less, because further rows of the same revision may follow. Rows changed while a copy
 * is under way move to a newer revision and so are met again.
 */
#include "control-plane/publish/changes.h"

#include "common/clock.h"
#include "common/wire.h"

#define CHANGES_GROW_MIN 64u

struct changes_walk {
    struct vault *vault;
    struct kv_txn *txn;
    const Sluice__Node *node;
    struct id group;
    struct arena *arena;
    Sluice__ChangesReply *reply;
    size_t room;
    uint64_t last_revision;
    struct record_key last_key;
    bool any;
};

static char changes_nothing[] = "";

/* Whether `regions` leave a node group out. */
static enum status changes_elsewhere(struct kv_txn *txn, const struct id *group, struct arena *arena,
                                     const Sluice__Integration *integration, bool *elsewhere)
{
    struct record_key key = {.kind = SLUICE__KIND__KIND_NODE_GROUP, .id = *group};
    Sluice__NodeGroup *row;
    *elsewhere = integration->n_regions > 0;
    if (!*elsewhere)
        return ST_OK;
    TRY(record_get(txn, &key, arena, &row, NULL));
    for (size_t i = 0; i < integration->n_regions; i++)
        *elsewhere = *elsewhere && !str_eq(str_c(integration->regions[i]), str_c(row->name));
    return ST_OK;
}

bool changes_reaches(struct kv_txn *txn, const struct id *group, struct arena *arena,
                     const Sluice__Integration *integration)
{
    bool elsewhere;
    return changes_elsewhere(txn, group, arena, integration, &elsewhere) == ST_OK && !elsewhere;
}

enum status changes_cut_integration(struct kv_txn *txn, const struct id *group, struct arena *arena,
                                    Sluice__Integration *integration)
{
    bool elsewhere;
    TRY(changes_elsewhere(txn, group, arena, integration, &elsewhere));
    integration->elsewhere = elsewhere;
    integration->n_regions = 0;
    integration->n_absent_models = 0;
    if (elsewhere)
        integration->secrets = NULL;
    integration->masked_json = changes_nothing;
    integration->secret_mappings_json = changes_nothing;
    integration->description = changes_nothing;
    integration->created_by = (ProtobufCBinaryData){0};
    return vault_secrets_for_group(txn, group, integration->secrets);
}

static enum status changes_integration(struct changes_walk *walk, struct str body, struct str *out)
{
    Sluice__Integration *integration;
    TRY(wire_unpack(&sluice__integration__descriptor, body, walk->arena, &integration));
    TRY(changes_cut_integration(walk->txn, &walk->group, walk->arena, integration));
    return wire_pack(integration, walk->arena, out);
}

/* A model's own secrets go where its integration goes. */
static enum status changes_rule(struct changes_walk *walk, struct str body, struct str *out)
{
    struct record_key owner = {SLUICE__KIND__KIND_INTEGRATION, walk->last_key.org, ID_NONE,
                               walk->last_key.parent};
    Sluice__Integration *integration;
    Sluice__ModelRule *rule;
    bool elsewhere;
    TRY(wire_unpack(&sluice__model_rule__descriptor, body, walk->arena, &rule));
    if (rule->secrets == NULL) {
        *out = body;
        return ST_OK;
    }
    TRY(record_get(walk->txn, &owner, walk->arena, &integration, NULL));
    TRY(changes_elsewhere(walk->txn, &walk->group, walk->arena, integration, &elsewhere));
    if (elsewhere) {
        rule->secrets = NULL;
        return wire_pack(rule, walk->arena, out);
    }
    TRY(vault_secrets_for_group(walk->txn, &walk->group, rule->secrets));
    return wire_pack(rule, walk->arena, out);
}

/* ST_FORBIDDEN: another group's. */
static enum status changes_delivery_key(struct changes_walk *walk, struct str body, struct str *out)
{
    Sluice__DeliveryKey *key, cut;
    TRY(wire_unpack(&sluice__delivery_key__descriptor, body, walk->arena, &key));
    TRY(vault_delivery_for_node(walk->vault, walk->txn, walk->arena, key, walk->node, &cut));
    return wire_pack(&cut, walk->arena, out);
}

static enum status changes_organisation(struct changes_walk *walk, struct str body, struct str *out)
{
    Sluice__Organisation *org;
    TRY(wire_unpack(&sluice__organisation__descriptor, body, walk->arena, &org));
    org->settings_json = changes_nothing;
    return wire_pack(org, walk->arena, out);
}

static enum status changes_api_key(struct changes_walk *walk, struct str body, struct str *out)
{
    Sluice__ApiKey *key;
    TRY(wire_unpack(&sluice__api_key__descriptor, body, walk->arena, &key));
    key->n_alert_emails = 0;
    key->masked = changes_nothing;
    key->rotation_policy_json = changes_nothing;
    key->successor_vault_key = key->successor_box = (ProtobufCBinaryData){0};
    return wire_pack(key, walk->arena, out);
}

static enum status changes_as_stored(struct changes_walk *walk, struct str body, struct str *out)
{
    (void)walk;
    *out = body;
    return ST_OK;
}

typedef enum status (*changes_cut)(struct changes_walk *walk, struct str body, struct str *out);

/* NULL: not for nodes. */
static changes_cut changes_cut_of(Sluice__Kind kind)
{
    static const changes_cut cuts[] = {
        [SLUICE__KIND__KIND_ORGANISATION] = changes_organisation,
        [SLUICE__KIND__KIND_WORKSPACE] = changes_as_stored,
        [SLUICE__KIND__KIND_INTEGRATION] = changes_integration,
        [SLUICE__KIND__KIND_MODEL_RULE] = changes_rule,
        [SLUICE__KIND__KIND_WORKSPACE_ACCESS] = changes_as_stored,
        [SLUICE__KIND__KIND_PROVIDER] = changes_as_stored,
        [SLUICE__KIND__KIND_API_KEY] = changes_api_key,
        [SLUICE__KIND__KIND_CONFIG] = changes_as_stored,
        [SLUICE__KIND__KIND_USAGE_POLICY] = changes_as_stored,
        [SLUICE__KIND__KIND_RATE_POLICY] = changes_as_stored,
        [SLUICE__KIND__KIND_PROVIDER_TYPE] = changes_as_stored,
        [SLUICE__KIND__KIND_MODEL] = changes_as_stored,
        [SLUICE__KIND__KIND_DELIVERY_KEY] = changes_delivery_key,
    };
    return (size_t)kind < COUNT_OF(cuts) ? cuts[kind] : NULL;
}

static enum status changes_make_room(struct changes_walk *walk)
{
    Sluice__ChangesReply *reply = walk->reply;
    if (reply->n_changes < walk->room)
        return ST_OK;
    size_t room = walk->room == 0 ? CHANGES_GROW_MIN : walk->room * 2;
    Sluice__Change **grown = arena_calloc(walk->arena, room, sizeof *grown);
    if (grown == NULL)
        return ST_NO_MEMORY;
    if (reply->n_changes > 0)
        memcpy(grown, reply->changes, reply->n_changes * sizeof *grown);
    reply->changes = grown;
    walk->room = room;
    return ST_OK;
}

static enum status changes_id(struct arena *arena, const struct id *id, ProtobufCBinaryData *out)
{
    *out = (ProtobufCBinaryData){0};
    if (id_is_none(id))
        return ST_OK;
    struct str copy = arena_str(arena, id_bytes(id));
    if (copy.p == NULL)
        return ST_NO_MEMORY;
    *out = wire_data(copy);
    return ST_OK;
}

static enum status changes_add(struct changes_walk *walk, const struct record_change *change,
                               struct str body)
{
    TRY(changes_make_room(walk));
    Sluice__Change *out = arena_alloc(walk->arena, sizeof *out);
    if (out == NULL)
        return ST_NO_MEMORY;
    sluice__change__init(out);
    out->revision = change->revision;
    out->kind = change->key.kind;
    out->deleted = change->deleted;
    out->body = wire_data(body);
    TRY(changes_id(walk->arena, &change->key.org, &out->org));
    TRY(changes_id(walk->arena, &change->key.parent, &out->parent));
    TRY(changes_id(walk->arena, &change->key.id, &out->id));
    walk->reply->changes[walk->reply->n_changes++] = out;
    return ST_OK;
}

static enum status changes_each(void *arg, const struct record_change *change)
{
    struct changes_walk *walk = arg;
    changes_cut cut = changes_cut_of(change->key.kind);
    walk->any = true;
    walk->last_revision = change->revision;
    walk->last_key = change->key;
    if (cut == NULL)
        return ST_OK;
    struct str body = STR_NONE;
    if (!change->deleted) {
        enum status status = cut(walk, change->body, &body);
        if (status == ST_FORBIDDEN)
            return ST_OK;
        TRY(status);
    }
    return changes_add(walk, change, body);
}

/* Fills the position: how far this part reaches, and where the next one begins. */
static enum status changes_close(struct changes_walk *walk, bool more, uint64_t newest)
{
    Sluice__ChangesReply *reply = walk->reply;
    reply->more = more;
    reply->newest_revision = newest;
    reply->through_revision = newest;
    if (!more)
        return ST_OK;
    CHECK(walk->any);
    uint8_t *key = arena_alloc(walk->arena, RECORD_CHANGE_KEY);
    if (key == NULL)
        return ST_NO_MEMORY;
    record_change_key(&walk->last_key, key);
    reply->cursor_key = (ProtobufCBinaryData){.len = RECORD_CHANGE_KEY, .data = key};
    reply->cursor_revision = walk->last_revision;
    reply->through_revision = walk->last_revision - 1;
    return ST_OK;
}

enum status changes_build(struct vault *vault, struct kv_txn *txn, const Sluice__Node *node,
                          const Sluice__ChangesRequest *ask, struct arena *arena,
                          Sluice__ChangesReply *reply)
{
    struct changes_walk walk = {
        .vault = vault, .txn = txn, .node = node, .arena = arena, .reply = reply};
    struct id store_id;
    uint64_t newest, floor;
    bool more = false;
    TRY(wire_id(&node->group, &walk.group));
    TRY(record_store_id(txn, &store_id));
    TRY(record_revision(txn, &newest));
    TRY(record_feed_floor(txn, &floor));
    struct str cursor_key = wire_str(&ask->cursor_key);
    bool goes_on = cursor_key.n > 0;
    if (goes_on && (cursor_key.n != RECORD_CHANGE_KEY || ask->cursor_revision > newest))
        return ST_BAD_FORMAT;
    sluice__changes_reply__init(reply);
    reply->full = !str_eq(wire_str(&ask->store_id), id_bytes(&store_id)) ||
                  ask->have_revision < floor || ask->have_revision > newest;
    TRY(changes_id(arena, &store_id, &reply->store_id));
    reply->utc_ms = clock_utc_ms();
    uint64_t after = goes_on ? ask->cursor_revision : reply->full ? 0 : ask->have_revision;
    TRY(record_changes(txn, after, cursor_key, CHANGES_PART_BYTES, changes_each, &walk, &more));
    return changes_close(&walk, more, newest);
}

bool changes_is_news(const Sluice__ChangesRequest *ask, const Sluice__ChangesReply *reply)
{
    if (reply->full || reply->more || ask->cursor_key.len > 0)
        return true;
    uint64_t known =
        ask->refused_revision > ask->have_revision ? ask->refused_revision : ask->have_revision;
    return reply->newest_revision > known;
}
