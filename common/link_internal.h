/* link_internal.h: what link.c, link_server.c and link_client.c share. nng's types stay out of
 * headers. */
#ifndef SLUICE_COMMON_LINK_INTERNAL_H
#define SLUICE_COMMON_LINK_INTERNAL_H

#include "common/link.h"

struct nng_tls_config;

/* Room for nng's own request ids, which count as part of a message. */
#define LINK_HEADER_BYTES 64u

/* The next call of a chain of nng calls, unless one before it failed. */
#define LINK_STEP(rv, call) ((rv) = (rv) == 0 ? (call) : (rv))

/* An nng result as a status. */
MUST_USE enum status link_status(int rv);

/* Mutual TLS 1.2 with our CA and nobody else's. gives. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status link_tls(bool server, const struct link_identity *identity,
                              struct nng_tls_config **config);

#endif
