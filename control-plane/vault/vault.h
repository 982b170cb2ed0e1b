/* vault.h: credentials at rest and on their way to the nodes (ARCHITECTURE section 4, "Secrets").
 *
 *   master key (file, descriptor or systemd credential; never in the store)
 *     seals vault keys   (KIND_VAULT_KEY; one active; never leave the store)
 *       seal credentials (SealedSecrets.vault_box), node keys, and
 *            delivery keys (KIND_DELIVERY_KEY; one per node group)
 *                seal credentials again (SealedSecrets.delivery[])
 *                reach a node sealed to its public key
 *
 * Owner: vault_new takes the master key. Keys are opened for one call and wiped; nothing readable
 * is kept, returned by an API or logged. Threads: any; the master key is used under a lock.
 * Functions with a write_op run on the writer thread. Functions that are a whole operation (marked
 * *) add their own audit record.
 * Failure: ST_BAD_SEAL means a wrong master key or damaged rows; ST_NOT_FOUND that vault_init was
 * never run. All of them may also give ST_NO_MEMORY, ST_BAD_FORMAT, ST_STORE_FULL, ST_IO.
 */
#ifndef SLUICE_CONTROL_VAULT_H
#define SLUICE_CONTROL_VAULT_H

#include "common/seal.h"
#include "control-plane/store/keys.h"
#include "control-plane/store/writer.h"

#define VAULT_HOSTS_MAX 64u

struct vault;

/* takes `master` (32 bytes), also on failure. ST_INVALID (another size). */
MUST_USE enum status vault_new(struct secret *master, struct vault **vault);
void vault_free(struct vault *vault);

/* * Makes the first vault key. ST_CONFLICT: there is one. */
MUST_USE enum status vault_init(struct write_op *op, struct vault *vault);
/* Proves that this master key opens the active vault key: call it at start. ST_BAD_SEAL,
 * ST_NOT_FOUND. */
MUST_USE enum status vault_check(struct vault *vault, struct kv_txn *txn);

/* What a set of secrets belongs to. */
struct vault_owner {
    struct id org, id;       /* id: the integration or the model rule */
    uint32_t version;        /* of the secrets; grows with each replacement */
    const struct str *hosts; /* host or host:port that may receive them, in any order and case */
    size_t host_count;
};

/* Seals the JSON object `plain` (borrowed; the caller wipes it) for the store and for the active
 * delivery key of every node group. gives `sealed` in op's arena; hosts are lower-cased, sorted,
 * without repetition. ST_INVALID (a host with ',' or control bytes, or more than VAULT_HOSTS_MAX),
 * ST_TOO_LARGE. */
MUST_USE enum status vault_seal_secrets(struct write_op *op, struct vault *vault,
                                        const struct vault_owner *owner, struct str plain,
                                        Sluice__SealedSecrets **sealed);

/* gives the JSON again, to merge a partial update inside one admin call; free it at once.
 * ST_BAD_SEAL. */
MUST_USE enum status vault_open_secrets(struct vault *vault, struct kv_txn *txn,
                                        const struct id *org, const struct id *owner,
                                        const Sluice__SealedSecrets *sealed, struct secret **plain);

/* Seals another key of 32 bytes for the store. `field`: "node_key", "api_key". gives key_id and box in the
 * arena. */
MUST_USE enum status vault_seal_key(struct vault *vault, struct kv_txn *txn, struct arena *arena,
                                    const struct id *owner, const char *field, struct secret *key,
                                    struct id *key_id, struct str *box);
MUST_USE enum status vault_open_key(struct vault *vault, struct kv_txn *txn, const struct id *owner,
                                    const char *field, struct str box, struct secret **key);

/* --- delivery (vault_delivery.c) --- */

/* Makes the delivery key of a new node group and seals all credentials for it. Part of the caller's
 * operation. ST_CONFLICT: the group has one. */
MUST_USE enum status vault_add_group(struct write_op *op, struct vault *vault,
                                     const struct id *group);
/* Replaces the group's delivery key and re-seals all credentials for the new one, in the caller's
 * operation: for the removal of a node. The old key is deleted; nodes get the new one and the new
 * boxes with the same revision. ST_NOT_FOUND (no such group). */
MUST_USE enum status vault_rotate_group(struct write_op *op, struct vault *vault,
                                        const struct id *group);

/* Seals the credential of one integration or model rule for the delivery keys of today: for one that
 * comes back from the trash. ST_NOT_FOUND. */
MUST_USE enum status vault_refresh_one(struct write_op *op, struct vault *vault,
                                       const struct record_key *key);

/* What the feed carries of a delivery key: `out` has node_box, sealed to the node, and no vault
 * box. Borrows from `key`. ST_NODE_REVOKED, ST_FORBIDDEN (another group's key), ST_INVALID (node
 * without a valid public key). */
MUST_USE enum status vault_delivery_for_node(struct vault *vault, struct kv_txn *txn,
                                             struct arena *arena, const Sluice__DeliveryKey *key,
                                             const Sluice__Node *node, Sluice__DeliveryKey *out);
/* Takes out of `sealed` (an unpacked copy) what a node of `group` must not get: the vault box and
 * other groups' boxes. NULL is fine. */
MUST_USE enum status vault_secrets_for_group(struct kv_txn *txn, const struct id *group,
                                             Sluice__SealedSecrets *sealed);

/* --- rotation (vault_rotate.c) --- */

/* * Makes a new active vault key; what is sealed by older ones stays readable until
 * vault_reseal_step has seen to it. ST_AGAIN: a change of the master key is under way. */
MUST_USE enum status vault_rotate(struct write_op *op, struct vault *vault);

/* Where a re-sealing job stands. Begin with a zeroed struct; after a crash or a failed step begin
 * again, what is done is skipped. */
struct vault_reseal {
    unsigned stage;
    struct record_key last;
    struct key trash; /* of the last stage, deletions that can be undone */
    uint64_t resealed;
    bool done;
};
/* * Looks at up to `rows` rows and seals those under an older vault key with the active one; at the
 * end removes the older keys and sets done. One operation per step, so that traffic of the writer
 * goes on in between. Sets op->no_revision if nothing changed. */
MUST_USE enum status vault_reseal_step(struct write_op *op, struct vault *vault, size_t rows,
                                       struct vault_reseal *job);

/* * Seals the vault keys with another master key (takes it on success): from the commit on, only
 * the new one opens the store. After writer_run returned call vault_rotate_master_done with whether
 * it was ST_OK. */
MUST_USE enum status vault_rotate_master(struct write_op *op, struct vault *vault,
                                         struct secret *master);
void vault_rotate_master_done(struct vault *vault, bool committed);

#endif
