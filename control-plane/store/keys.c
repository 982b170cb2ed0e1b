/* keys.c: bytes of store keys.
 *
 * LMDB compares keys by bytes. Everything here exists so that this order is the order we mean:
 * numbers are big-endian and of fixed width, ids are raw, names of any length become a 16-byte
 * hash. A key that would not fit is a bug of ours, never of a caller's input, because input only
 * enters as ids, numbers and hashes.
 */
#include "control-plane/store/keys.h"

#include <sodium.h>

void key_init(struct key *key)
{
    key->n = 0;
}

void key_init_space(struct key *key, enum key_space space)
{
    key_init(key);
    key_add_u8(key, KEY_META);
    key_add_u8(key, (uint8_t)space);
}

void key_init_meta(struct key *key, enum key_meta meta)
{
    key_init_space(key, KEY_SPACE_META);
    key_add_u8(key, (uint8_t)meta);
}

void key_add_bytes(struct key *key, const void *p, size_t n)
{
    CHECK(n <= sizeof key->b - key->n);
    memcpy(key->b + key->n, p, n);
    key->n += n;
}

void key_add_u8(struct key *key, uint8_t value)
{
    key_add_bytes(key, &value, 1);
}

void key_add_u16(struct key *key, uint16_t value)
{
    uint8_t bytes[2];
    key_put_u16(bytes, value);
    key_add_bytes(key, bytes, sizeof bytes);
}

void key_add_u32(struct key *key, uint32_t value)
{
    uint8_t bytes[4];
    key_put_u32(bytes, value);
    key_add_bytes(key, bytes, sizeof bytes);
}

void key_add_u64(struct key *key, uint64_t value)
{
    uint8_t bytes[8];
    key_put_u64(bytes, value);
    key_add_bytes(key, bytes, sizeof bytes);
}

void key_add_id(struct key *key, const struct id *id)
{
    key_add_bytes(key, id->b, ID_BYTES);
}

void key_hash(struct str name, uint8_t hash[KEY_HASH_BYTES])
{
    CHECK(crypto_generichash(hash, KEY_HASH_BYTES, (const uint8_t *)name.p, name.n, NULL, 0) == 0);
}

void key_add_hash(struct key *key, struct str name)
{
    uint8_t hash[KEY_HASH_BYTES];
    key_hash(name, hash);
    key_add_bytes(key, hash, sizeof hash);
}

void key_after_prefix(struct key *key)
{
    while (key->n > 0 && key->b[key->n - 1] == 0xFF)
        key->n--;
    CHECK(key->n > 0);
    key->b[key->n - 1]++;
}

void key_put_u16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

void key_put_u32(uint8_t *p, uint32_t value)
{
    key_put_u16(p, (uint16_t)(value >> 16));
    key_put_u16(p + 2, (uint16_t)value);
}

void key_put_u64(uint8_t *p, uint64_t value)
{
    key_put_u32(p, (uint32_t)(value >> 32));
    key_put_u32(p + 4, (uint32_t)value);
}

uint16_t key_get_u16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t key_get_u32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)key_get_u16(b) << 16 | key_get_u16(b + 2);
}

uint64_t key_get_u64(const void *p)
{
    const uint8_t *b = p;
    return (uint64_t)key_get_u32(b) << 32 | key_get_u32(b + 4);
}
