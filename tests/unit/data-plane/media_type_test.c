/* What bytes are by how they begin. */
#include <criterion/criterion.h>

#include "data-plane/media_type.h"

static const struct {
    struct str bytes;
    const char *type;
} rows[] = {
    {STR("\x89PNG\r\n\x1A\n...."), "image/png"},
    {STR("\xFF\xD8\xFF\xE0"), "image/jpeg"},
    {STR("GIF89a"), "image/gif"},
    {STR("RIFF....WEBPVP8 "), "image/webp"},
    {STR("RIFF....WAVEfmt "), "audio/wav"},
    {STR("RIFF....AVI "), ""},
    {STR("BM....\0\0\0\0"), "image/bmp"},
    {STR("BMW is a brand"), ""},
    {STR("....ftypheic"), "image/heic"},
    {STR("....ftypisom"), "video/mp4"},
    {STR("\x1A\x45\xDF\xA3"), "video/webm"},
    {STR("ID3\4"), "audio/mpeg"},
    {STR("OggS"), "audio/ogg"},
    {STR("fLaC"), "audio/flac"},
    {STR("%PDF-1.7"), "application/pdf"},
    {STR("<html>"), ""},
    {STR("\x89PN"), ""},
    {STR("RIFF....WEB"), ""},
    {STR(""), ""},
};

Test(media_type, is_told_by_the_first_bytes)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect(str_eq(media_type_of(rows[i].bytes), str_c(rows[i].type)), "%zu: " STR_FMT, i,
                  STR_ARG(media_type_of(rows[i].bytes)));
}
