/* vector.c: see vector.h. */
#include "tests/sim/vector.h"

#include "tests/sim/sim.h"

#define VECTOR_STEP_12 244140625 /* 1/4096 in units of 10^-12 */

uint64_t vector_hash(struct str input)
{
    return sim_hash(input, 1);
}

static int vector_component(uint64_t hash, uint32_t at)
{
    return (int)(sim_hash(STR_NONE, hash + at) % 255) - 127;
}

void vector_write_floats(struct json_writer *w, uint64_t hash, uint32_t dimensions)
{
    jw_array(w);
    for (uint32_t i = 0; i < dimensions; i++)
        jw_decimal(w, (int64_t)vector_component(hash, i) * VECTOR_STEP_12, 12);
    jw_end(w);
}

void vector_write_base64(struct json_writer *w, uint64_t hash, uint32_t dimensions)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned have = 0;
    uint64_t chars = 0;
    buf_add_char(w->buf, '"');
    for (uint32_t i = 0; i < dimensions; i++) {
        float value = (float)vector_component(hash, i) / 4096.0f;
        uint8_t bytes[sizeof value];
        memcpy(bytes, &value, sizeof value);
        for (size_t b = 0; b < sizeof bytes; b++) {
            bits = (bits << 8) | bytes[b];
            have += 8;
            while (have >= 6) {
                have -= 6;
                buf_add_char(w->buf, digits[(bits >> have) & 63]);
                chars++;
            }
        }
    }
    if (have > 0) {
        buf_add_char(w->buf, digits[(bits << (6 - have)) & 63]);
        chars++;
    }
    for (; chars % 4 != 0; chars++)
        buf_add_char(w->buf, '=');
    buf_add_char(w->buf, '"');
}

void vector_write_int8(struct json_writer *w, uint64_t hash, uint32_t dimensions)
{
    jw_array(w);
    for (uint32_t i = 0; i < dimensions; i++)
        jw_i64(w, vector_component(hash, i));
    jw_end(w);
}

void vector_write_uint8(struct json_writer *w, uint64_t hash, uint32_t dimensions)
{
    jw_array(w);
    for (uint32_t i = 0; i < dimensions; i++)
        jw_i64(w, vector_component(hash, i) + 128);
    jw_end(w);
}

void vector_write_bits(struct json_writer *w, uint64_t hash, uint32_t dimensions, int offset)
{
    jw_array(w);
    for (uint32_t i = 0; i + 8 <= dimensions; i += 8) {
        int byte = 0;
        for (uint32_t bit = 0; bit < 8; bit++)
            byte = byte * 2 + (vector_component(hash, i + bit) > 0 ? 1 : 0);
        jw_i64(w, byte + offset);
    }
    jw_end(w);
}
