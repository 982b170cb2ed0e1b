/* sim.c: the small helpers of sim.h.
 *
 * Ids are unique over processes and restarts, because a gateway records them; content is drawn from
 * sim_hash, which depends on its input only. Nothing else in the simulator may ask for randomness.
 */
#include "tests/sim/sim.h"

#include "common/clock.h"

#include <sodium.h>

#define SIM_ID_BYTES 16

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
