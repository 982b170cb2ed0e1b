/* aws_frame.c: the frames of an AWS event stream (aws_add_frame of aws.h).
 *
 *   u32 length of all | u32 length of headers | u32 CRC of these 8 bytes
 *   headers: u8 length, name, u8 type (7: string), u16 length, value
 *   payload | u32 CRC of everything before
 *
 * Big-endian; the CRC is that of zlib. Source: "Event stream encoding" of the Amazon Transcribe
 * developer guide, which all services share.
 */
#include "tests/sim/aws/aws.h"

#include <zlib.h>

#define FRAME_HEADERS_MAX 512
#define FRAME_STRING      7

static void frame_add_u32(struct buf *out, uint32_t value)
{
    char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    buf_add(out, bytes, sizeof bytes);
}

static void frame_add_header(struct buf *out, const char *name, const char *value)
{
    size_t n = strlen(value);
    buf_add_char(out, (char)strlen(name));
    buf_add_str(out, str_c(name));
    buf_add_char(out, FRAME_STRING);
    buf_add_char(out, (char)(n >> 8));
    buf_add_char(out, (char)n);
    buf_add_str(out, str_c(value));
}

static uint32_t frame_crc(const char *p, size_t n)
{
    return (uint32_t)crc32(0, (const Bytef *)p, (uInt)n);
}

void aws_add_frame(struct buf *out, const char *kind, const char *name, struct str payload)
{
    struct buf headers;
    size_t start = out->n;
    buf_init(&headers, FRAME_HEADERS_MAX);
    frame_add_header(&headers, strcmp(kind, "event") == 0 ? ":event-type" : ":exception-type",
                     name);
    frame_add_header(&headers, ":content-type", "application/json");
    frame_add_header(&headers, ":message-type", kind);
    frame_add_u32(out, (uint32_t)(16 + headers.n + payload.n));
    frame_add_u32(out, (uint32_t)headers.n);
    if (buf_status(out) == ST_OK)
        frame_add_u32(out, frame_crc(out->p + start, 8));
    buf_add_str(out, buf_str(&headers));
    buf_add_str(out, payload);
    if (buf_status(out) == ST_OK)
        frame_add_u32(out, frame_crc(out->p + start, out->n - start));
    buf_free(&headers);
}
