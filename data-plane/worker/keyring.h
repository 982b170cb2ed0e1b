/* keyring.h: what opens a sealed credential in a worker.
 *
 * Holds the node's X25519 private key and the delivery keys it opened with it, each in guarded memory. A credential is opened for
 * one attempt only, into the request's own scratch memory, and wiped by keyring_close_secrets as soon as libcurl has taken the
 * header; no copy outlives the attempt (reliability.md M12).
 */
#ifndef SLUICE_DATA_WORKER_KEYRING_H
#define SLUICE_DATA_WORKER_KEYRING_H

#include "common/catalog_codec.h"
#include "common/json_tree.h"
#include "common/seal.h"
#include "data-plane/catalog_file.h"

struct worker;
struct keyring;

/* Reads fd 5 (public 32 bytes, private 32 bytes) and closes it. ST_IO. */
MUST_USE enum status keyring_open(struct worker *worker, int secrets_fd, struct keyring **keyring);
void keyring_close(struct keyring *keyring);

/* A credential that is open now: a JSON object in the keyring's one guarded scratch page. Only one is open at a time, and never across a
 * wait: opened, copied into header lines, closed. */
struct open_secrets {
    struct keyring *keyring;
    struct str plain;
};
#define KEYRING_SCRATCH_BYTES (64 * 1024)

/* Opens the secrets of an integration (or model rule: owner = rule id). Looks the delivery key up in the catalog when it is new; the
 * caller holds catalog_begin. ST_BAD_SEAL, ST_NOT_FOUND (key not here yet), ST_TOO_LARGE, ST_NO_MEMORY. */
MUST_USE enum status keyring_open_secrets(struct keyring *keyring, struct catalog *catalog, const struct id *org,
                                          const struct id *owner, uint32_t version, const struct id *delivery_key,
                                          struct str hosts, struct str box, struct open_secrets *out);
/* Copies one unescaped value ("key", "custom_headers.x-api-key") to `out`, an object as its JSON text; *n is its length. ST_NOT_FOUND, ST_TOO_LARGE. */
MUST_USE enum status keyring_secret(const struct open_secrets *secrets, struct str name, char *out, size_t room, size_t *n);
/* wipes. */
void keyring_close_secrets(struct open_secrets *secrets);

#endif
