/* seal.c: boxes that open only where they belong.
 *
 *   box = [1][key id 16][nonce 24][ciphertext n][tag 16]
 *   additional data = BLAKE2b-256( "sluice seal 1", key id, org, owner, version u32,
 *                                  length u32, field, length u32, hosts )
 *   numbers big-endian
 *
 * Invariant: a box is bound to all that decides where its content may go. Each part of the
 * additional data has a fixed or stated length, so two scopes never give the same bytes. The nonce
 * is random: 192 bits leave no book-keeping. Opening into memory writes nothing that was not
 * authenticated (on failure the output is wiped). Nothing here logs.
 */
#include "common/seal.h"

#include <sodium.h>

#define SEAL_VERSION   1u
#define SEAL_AAD_BYTES 32u
#define SEAL_NONCE_AT  (1 + ID_BYTES)
#define SEAL_CIPHER_AT (SEAL_NONCE_AT + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
#define SEAL_MAX_BYTES ((size_t)1 << 20)

static void seal_hash_u32(crypto_generichash_state *state, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    crypto_generichash_update(state, bytes, sizeof bytes);
}

static void seal_hash_str(crypto_generichash_state *state, struct str s)
{
    CHECK(s.n <= UINT32_MAX);
    seal_hash_u32(state, (uint32_t)s.n);
    crypto_generichash_update(state, (const uint8_t *)s.p, s.n);
}

static void seal_aad(const struct id *key_id, const struct seal_scope *scope,
                     uint8_t aad[SEAL_AAD_BYTES])
{
    static const char domain[] = "sluice seal 1";
    crypto_generichash_state state;
    CHECK(crypto_generichash_init(&state, NULL, 0, SEAL_AAD_BYTES) == 0);
    crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain);
    crypto_generichash_update(&state, key_id->b, ID_BYTES);
    crypto_generichash_update(&state, scope->org.b, ID_BYTES);
    crypto_generichash_update(&state, scope->owner.b, ID_BYTES);
    seal_hash_u32(&state, scope->version);
    seal_hash_str(&state, str_c(scope->field));
    seal_hash_str(&state, scope->hosts);
    CHECK(crypto_generichash_final(&state, aad, SEAL_AAD_BYTES) == 0);
}

enum status seal_box(struct arena *arena, struct secret *key, const struct id *key_id,
                     const struct seal_scope *scope, struct str plain, struct str *box)
{
    CHECK(secret_size(key) == SEAL_KEY_BYTES);
    if (plain.n > SEAL_MAX_BYTES)
        return ST_TOO_LARGE;
    uint8_t aad[SEAL_AAD_BYTES];
    uint8_t *out = arena_alloc(arena, plain.n + SEAL_OVERHEAD_BYTES);
    if (out == NULL)
        return ST_NO_MEMORY;
    out[0] = SEAL_VERSION;
    memcpy(out + 1, key_id->b, ID_BYTES);
    randombytes_buf(out + SEAL_NONCE_AT, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
    seal_aad(key_id, scope, aad);
    unsigned long long n;
    struct str key_bytes = secret_open(key);
    CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
              out + SEAL_CIPHER_AT, &n, (const uint8_t *)plain.p, plain.n, aad, sizeof aad, NULL,
              out + SEAL_NONCE_AT, (const uint8_t *)key_bytes.p) == 0);
    secret_close(key);
    *box = (struct str){(const char *)out, SEAL_CIPHER_AT + (size_t)n};
    return ST_OK;
}

enum status seal_key_id(struct str box, struct id *key_id)
{
    if (box.n < SEAL_OVERHEAD_BYTES || box.p[0] != SEAL_VERSION ||
        box.n > SEAL_MAX_BYTES + SEAL_OVERHEAD_BYTES)
        return ST_BAD_FORMAT;
    memcpy(key_id->b, box.p + 1, ID_BYTES);
    return ST_OK;
}

enum status seal_open_into(struct secret *key, const struct seal_scope *scope, struct str box,
                           char *out, size_t *n)
{
    CHECK(secret_size(key) == SEAL_KEY_BYTES);
    struct id key_id;
    uint8_t aad[SEAL_AAD_BYTES];
    if (seal_key_id(box, &key_id) != ST_OK)
        return ST_BAD_SEAL;
    seal_aad(&key_id, scope, aad);
    unsigned long long opened;
    const uint8_t *in = (const uint8_t *)box.p;
    struct str key_bytes = secret_open(key);
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
        (uint8_t *)out, &opened, NULL, in + SEAL_CIPHER_AT, box.n - SEAL_CIPHER_AT, aad, sizeof aad,
        in + SEAL_NONCE_AT, (const uint8_t *)key_bytes.p);
    secret_close(key);
    if (rc != 0) {
        sodium_memzero(out, box.n - SEAL_OVERHEAD_BYTES);
        return ST_BAD_SEAL;
    }
    *n = (size_t)opened;
    return ST_OK;
}

enum status seal_open(struct secret *key, const struct seal_scope *scope, struct str box,
                      struct secret **plain)
{
    struct id key_id;
    struct secret *out;
    size_t n;
    if (seal_key_id(box, &key_id) != ST_OK)
        return ST_BAD_SEAL;
    TRY(secret_new(box.n - SEAL_OVERHEAD_BYTES, &out));
    enum status status = seal_open_into(key, scope, box, secret_open_write(out), &n);
    secret_close(out);
    if (status != ST_OK) {
        secret_free(out);
        return status;
    }
    *plain = out;
    return ST_OK;
}

enum status seal_keypair(uint8_t public_key[SEAL_PK_BYTES], struct secret **private_key)
{
    struct secret *out;
    TRY(secret_new(SEAL_SK_BYTES, &out));
    CHECK(crypto_box_keypair(public_key, secret_open_write(out)) == 0);
    secret_close(out);
    *private_key = out;
    return ST_OK;
}

enum status seal_to(struct arena *arena, const uint8_t public_key[SEAL_PK_BYTES],
                    struct secret *plain, struct str *box)
{
    size_t n = secret_size(plain);
    if (n > SEAL_MAX_BYTES)
        return ST_TOO_LARGE;
    uint8_t *out = arena_alloc(arena, n + crypto_box_SEALBYTES);
    if (out == NULL)
        return ST_NO_MEMORY;
    struct str bytes = secret_open(plain);
    int rc = crypto_box_seal(out, (const uint8_t *)bytes.p, bytes.n, public_key);
    secret_close(plain);
    if (rc != 0)
        return ST_INVALID;
    *box = (struct str){(const char *)out, n + crypto_box_SEALBYTES};
    return ST_OK;
}

enum status seal_open_from(const uint8_t public_key[SEAL_PK_BYTES], struct secret *private_key,
                           struct str box, struct secret **plain)
{
    CHECK(secret_size(private_key) == SEAL_SK_BYTES);
    struct secret *out;
    if (box.n < crypto_box_SEALBYTES || box.n > SEAL_MAX_BYTES + crypto_box_SEALBYTES)
        return ST_BAD_SEAL;
    TRY(secret_new(box.n - crypto_box_SEALBYTES, &out));
    struct str sk = secret_open(private_key);
    int rc = crypto_box_seal_open(secret_open_write(out), (const uint8_t *)box.p, box.n, public_key,
                                  (const uint8_t *)sk.p);
    secret_close(private_key);
    secret_close(out);
    if (rc != 0) {
        secret_free(out);
        return ST_BAD_SEAL;
    }
    *plain = out;
    return ST_OK;
}
