/* tls_front.h: TLS in front of the admin listener.
 *
 * Debian 12's civetweb cannot do TLS with its OpenSSL (it looks for a function that OpenSSL 3 no
 * longer has, and crashes), so TLS ends here: each connection is one thread that relays bytes
 * between the client and the plain listener on loopback. It parses nothing. Owner: tls_front_start
 * gives, tls_front_stop releases and joins. Bounds: TLS_FRONT_MAX connections,
 * TLS_FRONT_PER_ADDRESS of one client address, TLS_FRONT_HANDSHAKE_MS, TLS_FRONT_IDLE_MS without a
 * byte. TLS 1.2 and later.
 */
#ifndef SLUICE_CONTROL_HTTP_TLS_FRONT_H
#define SLUICE_CONTROL_HTTP_TLS_FRONT_H

#include "common/secret.h"

#define TLS_FRONT_MAX          128
#define TLS_FRONT_PER_ADDRESS  32
#define TLS_FRONT_HANDSHAKE_MS 5000
#define TLS_FRONT_IDLE_MS      75000
#define TLS_FRONT_ADDRESSES    8

struct tls_front;

struct tls_front_options {
    struct str addresses;   /* comma list of IPv4 and IPv6 literals to listen on */
    uint16_t port;          /* 0: any free one (of the first address) */
    const char *cert_path;  /* PEM chain */
    struct secret *key_pem; /* borrowed during the call */
};

/* Reads certificate and key and listens; nothing is accepted before tls_front_serve. ST_INVALID
 * (certificate, key, or they do not belong together), ST_IO (cannot listen), ST_NO_MEMORY. */
MUST_USE enum status tls_front_start(const struct tls_front_options *options,
                                     struct tls_front **front);
/* Accepts from now on and relays to 127.0.0.1:inner_port. ST_NO_MEMORY. */
MUST_USE enum status tls_front_serve(struct tls_front *front, uint16_t inner_port);
/* Reads certificate and key anew for connections to come; address and port stay. ST_INVALID,
 * ST_NO_MEMORY: the old ones stay. */
MUST_USE enum status tls_front_reload(struct tls_front *front,
                                      const struct tls_front_options *options);
/* Closes everything. NULL is fine. */
void tls_front_stop(struct tls_front *front);
uint16_t tls_front_port(const struct tls_front *front);

/* The client behind the loopback connection that comes from `port`. Fits server_options.peer_of. */
bool tls_front_peer(void *front, uint16_t port, char address[64]);

#endif
