/* inflater.c: gzip request bodies (inflater.h).
 *
 * Why a piece at a time: the request above may take fewer bytes than there are, and a body of
 * 1:1000 must not be unpacked faster than it is taken. zlib keeps input it has no room to unpack
 * unread, so memory stays at one piece whatever the ratio. The cap is checked before a piece is
 * shown, so not one byte above it is ever delivered. Never: unpack a second member (a concatenation
 * reads differently in different servers), accept a stream without its checksum.
 */
#include "data-plane/worker/inflater.h"

#include <stdlib.h>
#include <zlib.h>

#define INFLATER_MAGIC 0x494E464Cu
#define GZIP_ONLY      16 /* added to the window bits: no zlib or raw streams */

struct inflater {
    uint32_t magic;
    bool ended;
    uint64_t left_bytes; /* that may still come out */
    z_stream zlib;
    size_t at, n; /* the piece: bytes[at .. n) */
    char bytes[INFLATER_PIECE_BYTES];
};

enum status inflater_new(uint64_t max_bytes, struct inflater **out)
{
    struct inflater *inflater = malloc(sizeof *inflater);
    if (inflater == NULL)
        return ST_NO_MEMORY;
    inflater->magic = INFLATER_MAGIC;
    inflater->ended = false;
    inflater->left_bytes = max_bytes;
    inflater->at = inflater->n = 0;
    inflater->zlib = (z_stream){0};
    if (inflateInit2(&inflater->zlib, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(inflater);
        return ST_NO_MEMORY;
    }
    *out = inflater;
    return ST_OK;
}

void inflater_free(struct inflater *inflater)
{
    if (inflater == NULL)
        return;
    CHECK_OBJ(inflater, INFLATER_MAGIC);
    inflateEnd(&inflater->zlib);
    inflater->magic = 0;
    free(inflater);
}

enum status inflater_feed(struct inflater *inflater, const char *p, size_t n, size_t *used)
{
    *used = 0;
    if (inflater->at < inflater->n)
        return ST_OK;
    if (inflater->ended)
        return n == 0 ? ST_OK : ST_BAD_HTTP;
    z_stream *zlib = &inflater->zlib;
    /* zlib's input pointer is not const in this build of its header, but it only reads. */
    union {
        const char *in;
        Bytef *out;
    } input = {.in = p};
    uInt offered = n > (1u << 30) ? 1u << 30 : (uInt)n;
    zlib->next_in = input.out;
    zlib->avail_in = offered;
    zlib->next_out = (Bytef *)inflater->bytes;
    zlib->avail_out = sizeof inflater->bytes;
    int verdict = inflate(zlib, Z_NO_FLUSH);
    if (verdict == Z_MEM_ERROR)
        return ST_NO_MEMORY;
    if (verdict != Z_OK && verdict != Z_STREAM_END && verdict != Z_BUF_ERROR)
        return ST_BAD_HTTP;
    size_t made = sizeof inflater->bytes - zlib->avail_out;
    if (made > inflater->left_bytes)
        return ST_TOO_LARGE;
    inflater->left_bytes -= made;
    inflater->at = 0;
    inflater->n = made;
    inflater->ended = verdict == Z_STREAM_END;
    *used = offered - zlib->avail_in;
    return ST_OK;
}

struct str inflater_piece(const struct inflater *inflater)
{
    return str_of(inflater->bytes + inflater->at, inflater->n - inflater->at);
}

void inflater_took(struct inflater *inflater, size_t n)
{
    CHECK(n <= inflater->n - inflater->at);
    inflater->at += n;
}

enum status inflater_end(const struct inflater *inflater)
{
    return inflater->ended && inflater->at == inflater->n ? ST_OK : ST_BAD_HTTP;
}
