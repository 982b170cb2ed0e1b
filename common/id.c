/* id.c: UUIDv7 and its text form. The counter makes ids of one process strictly increase, so a list sorted by id
 * is a list sorted by creation, also when the wall clock steps back. */
#include "common/id.h"

#include <pthread.h>
#include <sodium.h>

#include "common/clock.h"

static pthread_mutex_t id_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t id_last; /* (milliseconds << 12) | count */

struct id id_new(void)
{
    struct id id;
    randombytes_buf(id.b, sizeof id.b);
    uint64_t now = (uint64_t)clock_wall_ms() << 12;
    CHECK(pthread_mutex_lock(&id_lock) == 0);
    id_last = now > id_last ? now : id_last + 1;
    uint64_t stamp = id_last;
    CHECK(pthread_mutex_unlock(&id_lock) == 0);
    uint64_t ms = stamp >> 12;
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    id.b[6] = (uint8_t)(0x70 | ((stamp >> 8) & 0x0F));
    id.b[7] = (uint8_t)stamp;
    id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3F));
    return id;
}

struct id id_named(struct str domain, struct str name)
{
    crypto_generichash_state state;
    struct id id;
    CHECK(crypto_generichash_init(&state, NULL, 0, ID_BYTES) == 0);
    crypto_generichash_update(&state, (const unsigned char *)domain.p, domain.n);
    crypto_generichash_update(&state, (const unsigned char *)name.p, name.n);
    CHECK(crypto_generichash_final(&state, id.b, ID_BYTES) == 0);
    return id;
}

void id_to_text(const struct id *id, char text[ID_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < ID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        text[at++] = digits[id->b[i] >> 4];
        text[at++] = digits[id->b[i] & 15];
    }
    text[at] = '\0';
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum status id_from_text(struct str text, struct id *id)
{
    if (text.n != ID_TEXT)
        return ST_INVALID;
    struct id out;
    size_t at = 0;
    for (size_t i = 0; i < ID_BYTES; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text.p[at++] != '-')
            return ST_INVALID;
        int high = hex_value(text.p[at]), low = hex_value(text.p[at + 1]);
        if (high < 0 || low < 0)
            return ST_INVALID;
        out.b[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *id = out;
    return ST_OK;
}

enum status id_from_bytes(struct str bytes, struct id *id)
{
    if (bytes.n != ID_BYTES)
        return ST_INVALID;
    memcpy(id->b, bytes.p, ID_BYTES);
    return ST_OK;
}
