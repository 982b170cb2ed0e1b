/* vault_keys.h: inside the vault: opening and making keys. For vault*.c only.
 * Every key given is a secret of 32 bytes that the caller frees before it returns.
 */
#ifndef SLUICE_CONTROL_VAULT_KEYS_H
#define SLUICE_CONTROL_VAULT_KEYS_H

#include "control-plane/vault/vault.h"

/* Seals a vault key with the master key. */
MUST_USE enum status vault_wrap(struct vault *vault, struct secret *master, struct arena *arena,
                                const struct id *key_id, struct secret *key, struct str *box);
/* Id of the active vault key. ST_NOT_FOUND. */
MUST_USE enum status vault_active(struct kv_txn *txn, struct id *key_id);
/* Opens a vault key. ST_BAD_SEAL, ST_NOT_FOUND. */
MUST_USE enum status vault_key_open(struct vault *vault, struct kv_txn *txn,
                                    const struct id *key_id, struct secret **key);
/* Makes a new vault key and stores it as active. The others stop being active. */
MUST_USE enum status vault_key_add(struct write_op *op, struct vault *vault, struct id *key_id);
struct record_key vault_key_record(const struct id *key_id);

/* The master key in use and the one that waits for its commit; under the lock of the vault. */
void vault_master_stage(struct vault *vault, struct secret *master);
void vault_master_settle(struct vault *vault, bool committed);

/* Scope of a set of secrets: hosts joined with ','; borrows from the arena. ST_NO_MEMORY. */
MUST_USE enum status vault_secrets_scope(struct arena *arena, const struct id *org,
                                         const struct id *owner,
                                         const Sluice__SealedSecrets *sealed,
                                         struct seal_scope *scope);

/* Makes the delivery boxes of `sealed` those of all active delivery keys: keeps boxes it has, adds
 * missing ones (the plain text is opened from the vault box only then), drops those of keys that
 * are gone. `changed` says whether anything did. */
struct vault_delivery_keys;
MUST_USE enum status vault_delivery_open(struct vault *vault, struct kv_txn *txn,
                                         struct vault_delivery_keys **keys);
void vault_delivery_close(struct vault_delivery_keys *keys);
MUST_USE enum status vault_delivery_refresh(struct write_op *op, struct vault *vault,
                                            struct vault_delivery_keys *keys, const struct id *org,
                                            const struct id *owner, Sluice__SealedSecrets *sealed,
                                            bool *changed);
/* All boxes anew, for new plain text. */
MUST_USE enum status vault_delivery_seal(struct write_op *op, struct vault_delivery_keys *keys,
                                         const struct seal_scope *scope, struct str plain,
                                         Sluice__SealedSecrets *sealed);

#define VAULT_ROW_BYTES ((size_t)64 << 20) /* arena of one entity while re-sealing */

/* While all credentials are walked: the operation has the memory of one entity (the caller frees
 * op->arena after each), not what all of them need together. What an entity was before is not
 * remembered meanwhile: re-sealing changes nothing that an audit record could show, and the list
 * would outlive the arena it lies in. */
struct vault_row_memory {
    struct arena arena, *outer;
    size_t before_count;
};
void vault_row_memory_begin(struct vault_row_memory *memory, struct write_op *op);
void vault_row_memory_end(struct vault_row_memory *memory, struct write_op *op);

#endif
