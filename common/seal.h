/* seal.h: sealing secrets (ARCHITECTURE section 4, "Secrets"). libsodium, XChaCha20-Poly1305 and
 * crypto_box_seal.
 *
 * box = [version 1 = 1][key id 16][nonce 24][ciphertext n][tag 16]. The additional data is built by
 * seal_aad from what the secret belongs to and where it may go; a box moved to another tenant,
 * field, version, key or host set does not open. Pure but for the random nonce. Plaintext is
 * handled in struct secret or in caller memory that the caller wipes.
 */
#ifndef SLUICE_COMMON_SEAL_H
#define SLUICE_COMMON_SEAL_H

#include "common/arena.h"
#include "common/id.h"
#include "common/secret.h"

#define SEAL_KEY_BYTES      32
#define SEAL_OVERHEAD_BYTES (1 + 16 + 24 + 16)
#define SEAL_PK_BYTES       32
#define SEAL_SK_BYTES       32

/* What a box is bound to. `hosts` is the sorted comma list of SealedSecrets.hosts ("" for none). */
struct seal_scope {
    struct id org, owner; /* owner: the integration, model rule, node or key it belongs to */
    const char *field;    /* "secrets", "delivery_key", "node_key", "vault_key": a literal */
    uint32_t version;
    struct str hosts;
};

/* Seals `plain` with a 32-byte key whose id is `key_id`. gives the box in the arena. ST_NO_MEMORY,
 * ST_TOO_LARGE (> 1 MiB). */
MUST_USE enum status seal_box(struct arena *arena, struct secret *key, const struct id *key_id,
                              const struct seal_scope *scope, struct str plain, struct str *box);
/* Opens a box. gives a new secret. ST_BAD_SEAL (any difference in key, scope or bytes),
 * ST_NO_MEMORY. */
MUST_USE enum status seal_open(struct secret *key, const struct seal_scope *scope, struct str box,
                               struct secret **plain);
/* As seal_open into caller memory of at least box.n - SEAL_OVERHEAD_BYTES bytes, which the caller
 * wipes: for the request path. */
MUST_USE enum status seal_open_into(struct secret *key, const struct seal_scope *scope,
                                    struct str box, char *out, size_t *n);
/* Key id of a box. ST_BAD_FORMAT. */
MUST_USE enum status seal_key_id(struct str box, struct id *key_id);

/* X25519: a node's key pair, and sealing a key to it (crypto_box_seal). ST_NO_MEMORY; seal_to:
 * ST_INVALID (no valid public key), ST_TOO_LARGE; seal_open_from: ST_BAD_SEAL. */
MUST_USE enum status seal_keypair(uint8_t public_key[SEAL_PK_BYTES], struct secret **private_key);
MUST_USE enum status seal_to(struct arena *arena, const uint8_t public_key[SEAL_PK_BYTES],
                             struct secret *plain, struct str *box);
MUST_USE enum status seal_open_from(const uint8_t public_key[SEAL_PK_BYTES],
                                    struct secret *private_key, struct str box,
                                    struct secret **plain);

#endif
