/* http1_chunks.c: the decoder of chunked request bodies (http1.h).
 *
 * Why not llhttp's: the data must stay where it was read (no copy, no callback per run), a request
 * that takes fewer bytes than there are must stop the decoder in mid-chunk, and extensions and
 * trailers need bounds. Strict where decoders are known to differ: the size is 1 to 16 hex digits
 * and nothing else (no sign, no 0x, no underscore, no space), lines end with CRLF only, no control
 * bytes in extensions. Trailers are checked like headers and dropped. Never: let `left` and the
 * bytes delivered disagree.
 *
 *   SIZE -CR-> SIZE_LF -LF-> DATA (left > 0) -> DATA_CR -> DATA_LF -> SIZE
 *     `-';'-> EXTENSION -CR-^  `-> (size 0) TRAILER -CR-> END_LF -LF-> DONE
 *                                     ^        `-tchar-> NAME -':'-> VALUE -CR-> TRAILER_LF
 *                                     `---------------------LF-----------------------'
 */
#include "data-plane/worker/http1.h"

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER,
    CHUNK_NAME,
    CHUNK_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_DONE
};

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *size_byte(struct http1_chunks *chunks, uint8_t c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        chunks->left = chunks->left * 16 + (uint64_t)digit;
        if (++chunks->digits > HTTP1_CHUNK_DIGITS || chunks->left > HTTP1_CHUNK_MAX)
            return "a chunk size is too large";
        return NULL;
    }
    if (chunks->digits == 0 || (c != '\r' && c != ';'))
        return "a chunk size is malformed";
    chunks->state = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
    return NULL;
}

static const char *trailer_byte(struct http1_chunks *chunks, char c)
{
    if (++chunks->trailer_bytes > HTTP1_TRAILER_BYTES)
        return "the trailers are too large";
    bool token = http1_is_token(str_of(&c, 1));
    switch (chunks->state) {
    case CHUNK_TRAILER:
        chunks->state = c == '\r' ? CHUNK_END_LF : CHUNK_NAME;
        return c == '\r' || token ? NULL : "a trailer is malformed";
    case CHUNK_NAME:
        if (c == ':')
            chunks->state = CHUNK_VALUE;
        return c == ':' || token ? NULL : "a trailer is malformed";
    default:
        if (c == '\r')
            chunks->state = CHUNK_TRAILER_LF;
        return c == '\r' || http1_is_field_value(str_of(&c, 1)) ? NULL : "a trailer is malformed";
    }
}

/* The one byte that may stand here. */
static const char *fixed_byte(struct http1_chunks *chunks, char c, char wanted,
                              enum chunk_state next)
{
    chunks->state = (uint8_t)next;
    return c == wanted ? NULL : "a chunk does not end with CRLF";
}

static const char *framing_byte(struct http1_chunks *chunks, char c)
{
    switch ((enum chunk_state)chunks->state) {
    case CHUNK_SIZE:
        return size_byte(chunks, (uint8_t)c);
    case CHUNK_EXTENSION:
        if (++chunks->extension_bytes > HTTP1_EXTENSION_BYTES)
            return "the chunk extensions are too large";
        if (c == '\r')
            chunks->state = CHUNK_SIZE_LF;
        return c == '\r' || http1_is_field_value(str_of(&c, 1)) ? NULL
                                                                : "a chunk extension is malformed";
    case CHUNK_SIZE_LF:
        return fixed_byte(chunks, c, '\n', chunks->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
    case CHUNK_DATA_CR:
        return fixed_byte(chunks, c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        chunks->digits = 0;
        return fixed_byte(chunks, c, '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
    case CHUNK_NAME:
    case CHUNK_VALUE:
        return trailer_byte(chunks, c);
    case CHUNK_TRAILER_LF:
        return fixed_byte(chunks, c, '\n', CHUNK_TRAILER);
    case CHUNK_END_LF:
        return fixed_byte(chunks, c, '\n', CHUNK_DONE);
    case CHUNK_DATA:
    case CHUNK_DONE:
        break;
    }
    return "the body is over";
}

enum status http1_chunks_read(struct http1_chunks *chunks, const char *p, size_t n, size_t *used,
                              const char **why)
{
    size_t at = 0;
    while (at < n && chunks->state != CHUNK_DATA && chunks->state != CHUNK_DONE) {
        const char *refused = framing_byte(chunks, p[at++]);
        if (refused != NULL) {
            *why = refused;
            return ST_BAD_HTTP;
        }
    }
    *used = at;
    if (chunks->state == CHUNK_DATA)
        return ST_OK;
    return chunks->state == CHUNK_DONE ? ST_END : ST_AGAIN;
}

void http1_chunks_took(struct http1_chunks *chunks, size_t n)
{
    CHECK(chunks->state == CHUNK_DATA && n <= chunks->left);
    chunks->left -= n;
    if (chunks->left == 0)
        chunks->state = CHUNK_DATA_CR;
}
