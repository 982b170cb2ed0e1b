/* sim.c: the small helpers of sim.h.
 *
 * Ids are unique over processes and restarts, because a gateway records them; content is drawn from
 * sim_hash, which depends on its input only. Nothing else in the simulator may ask for randomness.
 */
#include "tests/sim/sim.h"

#include "common/clock.h"

#include <sodium.h>

#define SIM_ID_BYTES   16
#define SIM_SEED_BYTES 8
#define SIM_SIGN_TEXT  128 /* base64 of a signature, and NUL */

void sim_add_id(struct buf *buf, const char *prefix)
{
    static const char digits[] = "0123456789abcdef";
    struct id id = id_new();
    uint8_t noise[SIM_ID_BYTES];
    char text[2 * SIM_ID_BYTES];
    randombytes_buf(noise, sizeof noise);
    for (size_t i = 0; i < SIM_ID_BYTES; i++) {
        uint8_t byte = i < SIM_ID_BYTES / 2 ? id.b[i] : noise[i];
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
    buf_add_str(buf, str_c(prefix));
    buf_add(buf, text, sizeof text);
}

struct str sim_make_id(struct arena *arena, const char *prefix)
{
    struct buf buf;
    buf_init(&buf, 128);
    sim_add_id(&buf, prefix);
    struct str id = buf_status(&buf) == ST_OK ? arena_str(arena, buf_str(&buf)) : STR_NONE;
    buf_free(&buf);
    return id;
}

static void sim_sign_bytes(struct str text, const uint8_t seed[SIM_SEED_BYTES],
                           char signature[SIM_SIGN_TEXT])
{
    static const uint8_t key[crypto_generichash_KEYBYTES] = "sluice-sim signs its thoughts";
    uint8_t bytes[SIM_SEED_BYTES + crypto_generichash_BYTES];
    crypto_generichash_state state;
    memcpy(bytes, seed, SIM_SEED_BYTES);
    crypto_generichash_init(&state, key, sizeof key, crypto_generichash_BYTES);
    crypto_generichash_update(&state, seed, SIM_SEED_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)text.p, text.n);
    crypto_generichash_final(&state, bytes + SIM_SEED_BYTES, crypto_generichash_BYTES);
    sodium_bin2base64(signature, SIM_SIGN_TEXT, bytes, sizeof bytes,
                      sodium_base64_VARIANT_ORIGINAL);
}

struct str sim_sign(struct arena *arena, struct str text, uint64_t seed)
{
    uint8_t bytes[SIM_SEED_BYTES];
    char signature[SIM_SIGN_TEXT];
    for (size_t i = 0; i < SIM_SEED_BYTES; i++)
        bytes[i] = (uint8_t)(seed >> (8 * i));
    sim_sign_bytes(text, bytes, signature);
    return arena_str(arena, str_c(signature));
}

bool sim_is_signed(struct str text, struct str signature)
{
    uint8_t bytes[SIM_SEED_BYTES + crypto_generichash_BYTES];
    char expected[SIM_SIGN_TEXT];
    size_t n = 0;
    if (sodium_base642bin(bytes, sizeof bytes, signature.p, signature.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        n != sizeof bytes)
        return false;
    sim_sign_bytes(text, bytes, expected);
    return str_eq(str_c(expected), signature);
}

uint64_t sim_hash(struct str text, uint64_t seed)
{
    uint64_t h = seed + 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (uint8_t)text.p[i]) * 0x100000001b3u;
    h ^= h >> 30;
    h *= 0xbf58476d1ce4e5b9u;
    h ^= h >> 27;
    h *= 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

int64_t sim_now_s(void)
{
    return clock_wall_ms() / 1000;
}

bool sim_is_among_first(struct sim *sim, uint64_t hash, uint64_t limit)
{
    for (size_t i = 0; i < SIM_FIRST_ROWS; i++) {
        if (sim->first[i].hash == hash && sim->first[i].seen > 0)
            return sim->first[i].seen++ < limit;
    }
    sim->first[sim->first_next++ % SIM_FIRST_ROWS] =
        (struct sim_first_row){.hash = hash, .seen = 1};
    return limit > 0;
}
