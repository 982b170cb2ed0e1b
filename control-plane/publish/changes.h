/* changes.h: what one node is told when it asks for changes: everything newer than it has, cut to
 * what it may see.
 *
 * Pure over one read transaction: the reply is a consistent piece of one revision. Borrows from the
 * transaction and the arena; pack it before either ends. The feed carries entities as stored, but
 * for: vault boxes (never leave the store), delivery boxes of other node groups, delivery keys of
 * other groups, people (users, members), and texts that only the admin API reads.
 */
#ifndef SLUICE_CONTROL_PUBLISH_CHANGES_H
#define SLUICE_CONTROL_PUBLISH_CHANGES_H

#include "control-plane/vault/vault.h"
#include "proto/link.pb-c.h"

#define CHANGES_FORMAT     1u         /* the feed format we speak */
#define CHANGES_PART_BYTES (4u << 20) /* of bodies, about, per reply */

/* Builds the reply to `ask` for `node`. ST_BAD_FORMAT (a cursor that is none, damaged rows),
 * ST_BAD_SEAL, ST_NO_MEMORY, ST_IO. Nothing newer gives a reply without changes whose
 * through_revision is what the node has. */
MUST_USE enum status changes_build(struct vault *vault, struct kv_txn *txn,
                                   const Sluice__Node *node, const Sluice__ChangesRequest *ask,
                                   struct arena *arena, Sluice__ChangesReply *reply);

/* True if the reply says something the asker does not have. */
bool changes_is_news(const Sluice__ChangesRequest *ask, const Sluice__ChangesReply *reply);

/* Cuts an integration (an unpacked copy) to what nodes of the group may see: its boxes only, and none
 * where the integration's regions leave the group out. Store statuses. */
MUST_USE enum status changes_cut_integration(struct kv_txn *txn, const struct id *group,
                                             struct arena *arena, Sluice__Integration *integration);

/* True if nodes of the group may use the integration (its regions). */
bool changes_reaches(struct kv_txn *txn, const struct id *group, struct arena *arena,
                     const Sluice__Integration *integration);

#endif
