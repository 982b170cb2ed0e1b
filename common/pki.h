/* pki.h: the private certificates of one Sluice installation: one CA, the link server, one client
 * per node.
 *
 * EC P-256 with SHA-256: what Debian's nng (mbedTLS 2.28) and OpenSSL both take. The CA signs for
 * one purpose each: a node's certificate may only be a client, the server's only a server, so a
 * stolen node key cannot play the control plane. The server is looked for under the name
 * LINK_SERVER_NAME; the names given beside it serve people and other tools. Texts are PEM, given in
 * the arena; private keys among them must be wiped by the caller (pki_wipe). Any thread.
 */
#ifndef SLUICE_COMMON_PKI_H
#define SLUICE_COMMON_PKI_H

#include "common/arena.h"

#define PKI_CA_DAYS     3650u
#define PKI_SERVER_DAYS 3650u
#define PKI_NODE_DAYS   3650u
#define PKI_NAMES_MAX   32

/* A certificate and its private key, both PEM and NUL-terminated. */
struct pki_pair {
    struct str cert_pem, key_pem;
};

/* Makes a CA. gives. `name`: its common name. ST_NO_MEMORY, ST_IO. */
MUST_USE enum status pki_make_ca(struct arena *arena, const char *name, struct pki_pair *ca);
/* Makes the link server's certificate: LINK_SERVER_NAME, localhost, 127.0.0.1, ::1 and `names` (DNS
 * names or addresses). ST_INVALID (a name that is none, or more than PKI_NAMES_MAX), ST_BAD_FORMAT
 * (the CA does not read), ST_NO_MEMORY, ST_IO. */
MUST_USE enum status pki_make_server(struct arena *arena, const struct pki_pair *ca,
                                     const char *const *names, size_t count,
                                     struct pki_pair *server);
/* Makes a node's client certificate. `name`: its common name, at most 64 bytes. Statuses as
 * pki_make_server. */
MUST_USE enum status pki_make_client(struct arena *arena, const struct pki_pair *ca,
                                     const char *name, struct pki_pair *client);
/* Last moment at which a certificate is valid, unix milliseconds. ST_BAD_FORMAT. */
MUST_USE enum status pki_expires(struct str cert_pem, int64_t *unix_ms);

/* Wipes the private key's text in place. */
void pki_wipe(struct pki_pair *pair);

#endif
