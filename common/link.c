/* link.c: what both ends share. Only link*.c may include nng. Packaged version: 1.5.2 with
 * mbedTLS 2.28 (reliability.md M1-M6, section 5).
 *
 * What is kept in these files because nng does not keep it:
 *   - req/rep with contexts only. sub0 crashes and pub0 drops in this version.
 *   - RESENDTIME is -1: the default sends a request again after 60 s. Retry is the caller's.
 *   - RECVMAXSZ is set (default: unlimited); TLS auth is REQUIRED on both sides (default of a
 *     listener: none).
 *   - mbedTLS 2.28 compares no IP addresses of a certificate, so the server's name is fixed
 *     (LINK_SERVER_NAME).
 *   - An nng callback only moves a context between states; handlers run on our threads.
 *   - A client with a timeout shorter than the server's queue livelocks both: requests that
 *     waited too long are dropped.
 *   - Sockets that ever had a connection are never closed: closing them races inside nng
 *     (use-after-free until 1.6; a close while replies are under way hung 26 of 60 times here).
 *     They end with the process.
 */
#include "common/link.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <sodium.h>

#include "common/link_internal.h"

enum status link_status(int rv)
{
    switch (rv) {
    case 0:
        return ST_OK;
    case NNG_ENOMEM:
        return ST_NO_MEMORY;
    case NNG_EADDRINUSE:
        return ST_CONFLICT;
    case NNG_EINVAL:
    case NNG_EADDRINVAL:
    case NNG_ECRYPTO:
    case NNG_ENOTSUP:
        return ST_INVALID;
    case NNG_ETIMEDOUT:
        return ST_CONTROL_AWAY;
    case NNG_EMSGSIZE:
        return ST_TOO_LARGE;
    case NNG_ECLOSED:
    case NNG_ECANCELED:
        return ST_CLOSED;
    default:
        return ST_IO;
    }
}

enum status link_tls(bool server, const struct link_identity *id, nng_tls_config **config)
{
    nng_tls_config *tls = NULL;
    int rv = nng_tls_config_alloc(&tls, server ? NNG_TLS_MODE_SERVER : NNG_TLS_MODE_CLIENT);
    LINK_STEP(rv, nng_tls_config_auth_mode(tls, NNG_TLS_AUTH_MODE_REQUIRED));
    LINK_STEP(rv, nng_tls_config_ca_chain(tls, id->ca_pem, NULL));
    LINK_STEP(rv, nng_tls_config_own_cert(tls, id->cert_pem, id->key_pem, NULL));
    LINK_STEP(rv, nng_tls_config_version(tls, NNG_TLS_1_2, NNG_TLS_1_2));
    if (rv == 0 && !server)
        rv = nng_tls_config_server_name(tls, LINK_SERVER_NAME);
    if (rv != 0) {
        if (tls != NULL)
            nng_tls_config_free(tls);
        return rv == NNG_ENOMEM ? ST_NO_MEMORY : ST_INVALID;
    }
    *config = tls;
    return ST_OK;
}

unsigned link_backoff_ms(unsigned tries)
{
    unsigned top = LINK_RECONNECT_MIN_MS;
    while (tries-- > 0 && top < LINK_RECONNECT_MAX_MS)
        top *= 2;
    return randombytes_uniform(top < LINK_RECONNECT_MAX_MS ? top : LINK_RECONNECT_MAX_MS) + 1;
}
