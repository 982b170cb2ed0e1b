/* key_rotation.h: giving an API key another value, by hand or because its policy says so.
 *
 * The value before stays valid until previous_until_ms. A value that nobody asked for by hand is
 * kept, sealed by the vault, until the next rotation, so that whoever may rotate the key can fetch
 * it (key_rotation_successor). Functions with a write_op run on the writer thread. Texts of keys
 * are in op's arena: wipe it after showing them.
 */
#ifndef SLUICE_CONTROL_DOMAIN_KEY_ROTATION_H
#define SLUICE_CONTROL_DOMAIN_KEY_ROTATION_H

#include "control-plane/vault/vault.h"

struct key_rotation {
    int64_t transition_ms;
    bool by_policy;  /* keep the new value for later */
    struct str text; /* out: the new value; n = 0 with by_policy */
};

/* Rotates the key and writes it. ST_CONFLICT: the value before the present one is still valid;
 * store and vault statuses. Adds no audit record. */
MUST_USE enum status key_rotation_run(struct write_op *op, struct vault *vault,
                                      const struct record_key *key, Sluice__ApiKey *record,
                                      struct key_rotation *rotation);

/* The present value of a key that its policy rotated last, in the arena. ST_NOT_FOUND: it was given
 * out when it was made. */
MUST_USE enum status key_rotation_successor(struct vault *vault, struct kv_txn *txn,
                                            struct arena *arena, const struct record_key *key,
                                            const Sluice__ApiKey *record, struct str *text);

/* Rotates all keys that are due, each in an operation of its own with an audit record by "system".
 * Own thread, never the writer's; says how many. Store statuses. */
MUST_USE enum status key_rotation_all_due(struct kv *kv, struct writer *writer, struct vault *vault,
                                          uint64_t *rotated);

#endif
