/* enrol.c: enrolment of nodes.
 *
 * Everything secret that is made here ends in two places: sealed in the node's record, and in the
 * bundle. The certificate's key passes through the operation's arena as text and is wiped there
 * before the function returns, also on failure.
 */
#include "control-plane/domain/enrol.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/wire.h"

#define ENROL_NODE_KEY_FIELD "node_key"

/* Words that appear in certificates, logs and shells: letters, digits, '-', '_', '.'. */
static bool enrol_is_word(struct str s, bool may_be_empty)
{
    if (s.n > NODE_BUNDLE_TEXT_MAX || (s.n == 0 && !may_be_empty))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
        if (!ok)
            return false;
    }
    return true;
}

static bool enrol_is_url(struct str url, struct str scheme, struct str other)
{
    if (url.n > NODE_BUNDLE_URL_MAX || !(str_starts(url, scheme) || str_starts(url, other)))
        return false;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= 0x20 || url.p[i] > 0x7e)
            return false;
    return true;
}

static void enrol_audit(struct write_op *op, const char *action, const char *type,
                        const struct id *id, struct str name)
{
    const struct write_audit audit = {
        .action = action, .resource_type = type, .resource = *id, .slug = name};
    writer_audit(op, &audit);
}

enum status enrol_group(struct write_op *op, struct vault *vault, struct str name, struct id *group)
{
    if (!enrol_is_word(name, false))
        return ST_INVALID;
    struct record_key key = {.kind = SLUICE__KIND__KIND_NODE_GROUP, .id = id_new()};
    Sluice__NodeGroup row;
    sluice__node_group__init(&row);
    row.id = wire_id_data(&key.id);
    row.name = arena_cstr(op->arena, name);
    row.created_at_ms = op->now_ms;
    if (row.name == NULL)
        return ST_NO_MEMORY;
    TRY(record_put(op, &key, &row, name));
    TRY(vault_add_group(op, vault, &key.id));
    enrol_audit(op, "create", "node_group", &key.id, name);
    *group = key.id;
    return ST_OK;
}

/* The certificate's key text becomes a secret; its place in the arena is wiped either way. */
static enum status enrol_certificate(struct write_op *op, const struct pki_pair *ca,
                                     struct node_bundle *bundle)
{
    struct pki_pair pair = {0};
    char name[ID_TEXT + 1];
    id_to_text(&bundle->node, name);
    TRY(pki_make_client(op->arena, ca, name, &pair));
    enum status status = secret_new(pair.key_pem.n + 1, &bundle->key_pem);
    if (status == ST_OK) {
        memcpy(secret_open_write(bundle->key_pem), pair.key_pem.p, pair.key_pem.n);
        secret_close(bundle->key_pem);
        bundle->cert_pem = strndup(pair.cert_pem.p, pair.cert_pem.n);
        bundle->ca_pem = strndup(ca->cert_pem.p, ca->cert_pem.n);
        if (bundle->cert_pem == NULL || bundle->ca_pem == NULL)
            status = ST_NO_MEMORY;
    }
    pki_wipe(&pair);
    return status;
}

static enum status enrol_fill(struct write_op *op, struct vault *vault,
                              const struct enrol_order *order, const struct node_bundle *bundle,
                              const struct id *group, Sluice__Node *row)
{
    struct id vault_key;
    struct str box;
    sluice__node__init(row);
    TRY(vault_seal_key(vault, op->txn, op->arena, &bundle->node, ENROL_NODE_KEY_FIELD,
                       bundle->node_key, &vault_key, &box));
    struct str key_id = arena_str(op->arena, id_bytes(&vault_key));
    struct str public_key =
        arena_str(op->arena, str_of((const char *)bundle->public_key, sizeof bundle->public_key));
    row->name = arena_cstr(op->arena, str_c(bundle->name));
    row->region = arena_cstr(op->arena, str_c(bundle->region));
    row->labels_json = arena_cstr(op->arena, order->labels_json);
    if (key_id.p == NULL || public_key.p == NULL || row->name == NULL || row->region == NULL ||
        row->labels_json == NULL)
        return ST_NO_MEMORY;
    row->id = wire_id_data(&bundle->node);
    row->group = wire_id_data(group);
    row->key_vault_key = wire_data(key_id);
    row->key_box = wire_data(box);
    row->public_key = wire_data(public_key);
    row->created_at_ms = op->now_ms;
    return ST_OK;
}

/* Name, region and URLs of the bundle. */
static enum status enrol_texts(const struct enrol_order *order, struct node_bundle *bundle)
{
    char id[ID_TEXT + 1];
    if (!enrol_is_word(order->name, true) || !enrol_is_word(order->region, true) ||
        !enrol_is_url(order->link_url, STR("tls+tcp://"), STR("tls+tcp://")) ||
        !enrol_is_url(order->control_url, STR("http://"), STR("https://")))
        return ST_INVALID;
    id_to_text(&bundle->node, id);
    if (order->name.n > 0)
        snprintf(bundle->name, sizeof bundle->name, STR_FMT, STR_ARG(order->name));
    else if (order->region.n > 0)
        snprintf(bundle->name, sizeof bundle->name, STR_FMT "-%s",
                 STR_ARG(str_head(order->region, 48)), id + ID_TEXT - 6);
    else
        snprintf(bundle->name, sizeof bundle->name, "node-%s", id + ID_TEXT - 6);
    snprintf(bundle->region, sizeof bundle->region, STR_FMT, STR_ARG(order->region));
    snprintf(bundle->link_url, sizeof bundle->link_url, STR_FMT, STR_ARG(order->link_url));
    snprintf(bundle->control_url, sizeof bundle->control_url, STR_FMT, STR_ARG(order->control_url));
    return ST_OK;
}

enum status enrol_node(struct write_op *op, struct vault *vault, const struct pki_pair *ca,
                       const struct enrol_order *order, struct node_bundle *bundle)
{
    *bundle = (struct node_bundle){.node = id_new()};
    struct record_key group = {.kind = SLUICE__KIND__KIND_NODE_GROUP};
    struct record_key key = {.kind = SLUICE__KIND__KIND_NODE, .id = bundle->node};
    Sluice__Node row;
    TRY(enrol_texts(order, bundle));
    TRY(record_find(op->txn, SLUICE__KIND__KIND_NODE_GROUP, &ID_NONE, &ID_NONE,
                    order->group.n > 0 ? order->group : STR(ENROL_GROUP_DEFAULT), &group));
    key.parent = group.id;
    TRY(node_bundle_make_keys(bundle));
    TRY(enrol_certificate(op, ca, bundle));
    TRY(enrol_fill(op, vault, order, bundle, &group.id, &row));
    TRY(record_put(op, &key, &row, str_c(bundle->name)));
    enrol_audit(op, "create", "node", &key.id, str_c(row.name));
    return ST_OK;
}

enum status enrol_find(struct kv_txn *txn, struct arena *arena, struct str id_or_name,
                       struct record_key *key, Sluice__Node **node)
{
    struct record_cursor *cursor;
    struct id id;
    if (id_from_text(id_or_name, &id) == ST_OK) {
        TRY(record_locate(txn, SLUICE__KIND__KIND_NODE, &ID_NONE, &id, key));
        return record_get(txn, key, arena, node, NULL);
    }
    TRY(record_cursor_open_org(txn, SLUICE__KIND__KIND_NODE, NULL, &cursor));
    enum status status;
    while ((status = record_cursor_next(cursor, arena, key, node, NULL)) == ST_OK)
        if (!(*node)->revoked && str_eq(str_c((*node)->name), id_or_name))
            break;
    record_cursor_close(cursor);
    return status == ST_END ? ST_NOT_FOUND : status;
}

enum status enrol_remove(struct write_op *op, struct vault *vault, const struct record_key *key)
{
    Sluice__Node *node;
    TRY(record_get(op->txn, key, op->arena, &node, NULL));
    if (node->revoked)
        return ST_CONFLICT;
    node->revoked = true;
    node->revoked_at_ms = op->now_ms;
    TRY(record_put(op, key, node, STR_NONE));
    TRY(vault_rotate_group(op, vault, &key->parent));
    enrol_audit(op, "delete", "node", &key->id, str_c(node->name));
    return ST_OK;
}
