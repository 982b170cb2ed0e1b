/* jwt.c: see jwt.h. OpenSSL's own memory is cleared when it is freed (common/secret.h). */
#include "data-plane/jwt.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#define BITS_LEAST 2048
#define URL_SAFE   sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* A passphrase is never asked for. */
static int no_passphrase(char *room, int size, int writing, void *arg)
{
    (void)room;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *bio = pem.n > INT_MAX ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (key != NULL && (EVP_PKEY_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_bits(key) < BITS_LEAST)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static bool add(struct str bytes, char *out, size_t room, size_t *n)
{
    if (sodium_base64_ENCODED_LEN(bytes.n, URL_SAFE) > room - *n)
        return false;
    sodium_bin2base64(out + *n, room - *n, (const unsigned char *)bytes.p, bytes.n, URL_SAFE);
    *n += strlen(out + *n);
    return true;
}

static enum status sign(EVP_PKEY *key, struct str text, char *out, size_t room, size_t *n)
{
    unsigned char signature[1024];
    size_t length = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    enum status status = ST_NO_MEMORY;
    if (ctx != NULL)
        status = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                         EVP_DigestSign(ctx, signature, &length, (const unsigned char *)text.p,
                                        text.n) == 1
                     ? ST_OK
                     : ST_INVALID;
    EVP_MD_CTX_free(ctx);
    if (status == ST_OK && !add(str_of((const char *)signature, length), out, room, n))
        status = ST_TOO_LARGE;
    return status;
}

enum status jwt_rs256(struct str pem, struct str header, struct str claims, char *out, size_t room,
                      size_t *n)
{
    size_t used = 0;
    if (header.n > JWT_CLAIMS_MAX || claims.n > JWT_CLAIMS_MAX || !add(header, out, room, &used) ||
        used + 1 >= room)
        return ST_TOO_LARGE;
    out[used++] = '.';
    if (!add(claims, out, room, &used) || used + 1 >= room)
        return ST_TOO_LARGE;
    EVP_PKEY *key = read_key(pem);
    if (key == NULL)
        return ST_INVALID;
    size_t end = used;
    out[used++] = '.';
    enum status status = sign(key, str_of(out, end), out, room, &used);
    EVP_PKEY_free(key);
    if (status == ST_OK)
        *n = used;
    return status;
}
