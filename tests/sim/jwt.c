/* jwt.c: see jwt.h. Base64url without padding, as RFC 7515 section 2 has it: padded text is
 * refused. */
#include "tests/sim/jwt.h"

#include <sodium.h>

static enum status jwt_decode(struct str text, struct arena *arena, struct str *bytes)
{
    size_t n = 0;
    uint8_t *room = arena_alloc(arena, text.n + 1);
    if (room == NULL)
        return ST_NO_MEMORY;
    if (sodium_base642bin(room, text.n + 1, text.p, text.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return ST_INVALID;
    *bytes = str_of((const char *)room, n);
    return ST_OK;
}

static enum status jwt_read_json(struct str text, struct arena *arena, const struct json **json)
{
    struct str bytes;
    struct json *root = NULL;
    TRY(jwt_decode(text, arena, &bytes));
    if (json_parse(arena, bytes, NULL, &root, NULL) != ST_OK || root->type != JSON_OBJECT)
        return ST_INVALID;
    *json = root;
    return ST_OK;
}

enum status jwt_read(struct str text, struct arena *arena, struct jwt *jwt)
{
    struct str rest = text, header, claims;
    *jwt = (struct jwt){.algorithm = STR("")};
    if (!str_split(&rest, '.', &header) || !str_split(&rest, '.', &claims) || rest.n == 0 ||
        str_find_char(rest, '.') >= 0)
        return ST_INVALID;
    TRY(jwt_read_json(header, arena, &jwt->header));
    TRY(jwt_read_json(claims, arena, &jwt->claims));
    TRY(jwt_decode(rest, arena, &jwt->signature));
    jwt->signed_part = str_head(text, header.n + 1 + claims.n);
    const struct json *algorithm = json_get(jwt->header, "alg");
    const struct json *issued = json_get(jwt->claims, "iat"),
                      *expires = json_get(jwt->claims, "exp");
    if (!json_is(algorithm, JSON_STRING))
        return ST_INVALID;
    TRY(json_text(algorithm, arena, &jwt->algorithm));
    if (issued != NULL && json_i64(issued, &jwt->issued_s) != ST_OK)
        return ST_INVALID;
    return expires != NULL && json_i64(expires, &jwt->expires_s) != ST_OK ? ST_INVALID : ST_OK;
}

struct str jwt_claim(const struct jwt *jwt, const char *name, struct arena *arena)
{
    struct str text = STR_NONE;
    const struct json *claim = json_get(jwt->claims, name);
    return json_is(claim, JSON_STRING) && json_text(claim, arena, &text) == ST_OK ? text : STR_NONE;
}

bool jwt_is_signed(const struct jwt *jwt, EVP_PKEY *key)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = false;
    if (context == NULL)
        return false;
    if (str_eq(jwt->algorithm, STR("RS256")) &&
        EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1)
        good = EVP_DigestVerify(context, (const unsigned char *)jwt->signature.p, jwt->signature.n,
                                (const unsigned char *)jwt->signed_part.p, jwt->signed_part.n) == 1;
    EVP_MD_CTX_free(context);
    return good;
}
