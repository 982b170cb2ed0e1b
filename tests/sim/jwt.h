/* jwt.h: a JSON web token (RFC 7519) in compact form: its claims, and whether it is signed.
 *
 * Owner: the arena that was given. Reading judges nothing but the form; what the claims must say is
 * the business of who asked for the token.
 */
#ifndef SLUICE_TESTS_SIM_JWT_H
#define SLUICE_TESTS_SIM_JWT_H

#include "common/json_tree.h"

#include <openssl/evp.h>

struct jwt {
    struct str signed_part; /* header.claims, as sent */
    struct str signature;   /* bytes */
    const struct json *header, *claims;
    struct str algorithm;
    int64_t issued_s, expires_s; /* 0: not said */
};

/* ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status jwt_read(struct str text, struct arena *arena, struct jwt *jwt);
/* A claim that is a string, or p = NULL. */
struct str jwt_claim(const struct jwt *jwt, const char *name, struct arena *arena);
/* Whether the token is signed with RS256 by the owner of this public key. */
bool jwt_is_signed(const struct jwt *jwt, EVP_PKEY *key);

#endif
