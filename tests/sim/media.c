/* media.c: see media.h. Only the first bytes are looked at: a body that is broken behind them
 * passes. */
#include "tests/sim/media.h"

#include <sodium.h>

static const struct {
    const char *type;
    size_t at;
    const char *magic;
    size_t n;
} media_magics[] = {
    {"image/png", 0, "\x89PNG\r\n\x1a\n", 8},
    {"image/jpeg", 0, "\xff\xd8\xff", 3},
    {"image/gif", 0, "GIF8", 4},
    {"image/webp", 8, "WEBP", 4},
    {"application/pdf", 0, "%PDF-", 5},
    {"audio/wav", 8, "WAVE", 4},
    {"audio/mpeg", 0, "ID3", 3},
    {"audio/mpeg", 0, "\xff\xfb", 2},
    {"audio/ogg", 0, "OggS", 4},
    {"audio/flac", 0, "fLaC", 4},
    {"video/mp4", 4, "ftyp", 4},
};

enum status media_decode(struct str text, struct arena *arena, struct str *bytes)
{
    size_t n = 0;
    uint8_t *room = arena_alloc(arena, text.n / 4 * 3 + 4);
    if (room == NULL)
        return ST_NO_MEMORY;
    if (text.n == 0 || sodium_base642bin(room, text.n / 4 * 3 + 4, text.p, text.n, NULL, &n, NULL,
                                         sodium_base64_VARIANT_ORIGINAL) != 0)
        return ST_INVALID;
    *bytes = str_of((const char *)room, n);
    return ST_OK;
}

const char *media_type(struct str bytes)
{
    for (size_t i = 0; i < COUNT_OF(media_magics); i++) {
        struct str magic = str_of(media_magics[i].magic, media_magics[i].n);
        if (str_starts(str_from(bytes, media_magics[i].at), magic))
            return media_magics[i].type;
    }
    return NULL;
}
