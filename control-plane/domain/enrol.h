/* enrol.h: how a host becomes a node, and stops being one.
 *
 * Enrolling makes a node's keys and client certificate, keeps of them what the control plane needs
 * (the node key sealed, the public key) and gives the rest once, as a bundle
 * (common/node_bundle.h). Removing keeps the record, marked revoked, so that the node is told so;
 * its name is free again, and the delivery keys it held are rotated: what was sealed for it opens
 * nothing that is published from then on. All functions run inside an operation and add its audit
 * record. Nothing here is in the feed.
 */
#ifndef SLUICE_CONTROL_DOMAIN_ENROL_H
#define SLUICE_CONTROL_DOMAIN_ENROL_H

#include "common/node_bundle.h"
#include "common/pki.h"
#include "control-plane/vault/vault.h"

#define ENROL_GROUP_DEFAULT "default"

struct enrol_order {
    struct str name; /* [a-zA-Z0-9_.-]{1,64}, unique in its group; n = 0: made from region and id */
    struct str region;                /* as name, may be empty */
    struct str group;                 /* name of a node group; n = 0: "default" */
    struct str labels_json;           /* an object as it is, or n = 0 */
    struct str link_url, control_url; /* what the node connects to */
};

/* Makes a node group with its delivery key and seals all credentials for it. ST_CONFLICT: the name
 * is taken. ST_INVALID (name). */
MUST_USE enum status enrol_group(struct write_op *op, struct vault *vault, struct str name,
                                 struct id *group);

/* Makes a node. gives `bundle`: node_bundle_free it whatever becomes of the operation. ST_INVALID
 * (name, region, URLs), ST_NOT_FOUND (group), ST_CONFLICT (name), ST_BAD_FORMAT (the CA), store and
 * vault statuses. */
MUST_USE enum status enrol_node(struct write_op *op, struct vault *vault, const struct pki_pair *ca,
                                const struct enrol_order *order, struct node_bundle *bundle);

/* Finds a node by id or name, in any group. ST_NOT_FOUND. */
MUST_USE enum status enrol_find(struct kv_txn *txn, struct arena *arena, struct str id_or_name,
                                struct record_key *key, Sluice__Node **node);

/* Revokes a node and rotates its group's delivery key. ST_CONFLICT: it is revoked already. Store
 * and vault statuses. */
MUST_USE enum status enrol_remove(struct write_op *op, struct vault *vault,
                                  const struct record_key *node);

#endif
