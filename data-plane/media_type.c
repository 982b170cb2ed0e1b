/* media_type.c: see media_type.h. A table: what stands where. What a server calls a file is often
 * wrong ("image/jpg", "application/octet-stream"), and providers refuse a picture whose name and
 * bytes differ. */
#include "data-plane/media_type.h"

static const struct {
    const char *type;
    size_t at;
    struct str bytes;
    size_t also_at; /* a second mark; also.n = 0: none */
    struct str also;
} marks[] = {
    {"image/png", 0, {"\x89PNG\r\n\x1A\n", 8}, 0, {NULL, 0}},
    {"image/jpeg", 0, {"\xFF\xD8\xFF", 3}, 0, {NULL, 0}},
    {"image/gif", 0, {"GIF8", 4}, 0, {NULL, 0}},
    {"image/webp", 0, {"RIFF", 4}, 8, {"WEBP", 4}},
    {"audio/wav", 0, {"RIFF", 4}, 8, {"WAVE", 4}},
    {"image/bmp", 0, {"BM", 2}, 6, {"\0\0\0\0", 4}},
    {"image/heic", 4, {"ftypheic", 8}, 0, {NULL, 0}},
    {"image/avif", 4, {"ftypavif", 8}, 0, {NULL, 0}},
    {"video/mp4", 4, {"ftyp", 4}, 0, {NULL, 0}},
    {"video/webm", 0, {"\x1A\x45\xDF\xA3", 4}, 0, {NULL, 0}},
    {"audio/mpeg", 0, {"ID3", 3}, 0, {NULL, 0}},
    {"audio/ogg", 0, {"OggS", 4}, 0, {NULL, 0}},
    {"audio/flac", 0, {"fLaC", 4}, 0, {NULL, 0}},
    {"application/pdf", 0, {"%PDF-", 5}, 0, {NULL, 0}},
};

static bool stands_at(struct str bytes, size_t at, struct str mark)
{
    return bytes.n >= at + mark.n && memcmp(bytes.p + at, mark.p, mark.n) == 0;
}

struct str media_type_of(struct str bytes)
{
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (stands_at(bytes, marks[i].at, marks[i].bytes) &&
            (marks[i].also.n == 0 || stands_at(bytes, marks[i].also_at, marks[i].also)))
            return str_c(marks[i].type);
    return STR_NONE;
}
