/* jwt.h: signed assertions (RFC 7519, RFC 7515): RS256, compact form. Pure; OpenSSL does the sum.
 *
 * The key and what is made of it are secret: both lie in the caller's memory, which he wipes.
 */
#ifndef SLUICE_DATA_JWT_H
#define SLUICE_DATA_JWT_H

#include "common/str.h"

#define JWT_CLAIMS_MAX 4096 /* bytes of header and of claims, each */

/* base64url(header) "." base64url(claims) "." base64url(signature) into out; *n is its length.
 * `pem` is an RSA private key (PKCS #8 or PKCS #1). ST_INVALID: no such key, or smaller than 2,048
 * bits. ST_TOO_LARGE: header, claims or room. */
MUST_USE enum status jwt_rs256(struct str pem, struct str header, struct str claims, char *out,
                               size_t room, size_t *n);

#endif
