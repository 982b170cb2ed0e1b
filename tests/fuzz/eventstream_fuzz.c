/* eventstream_fuzz.c: an AWS event stream, cut wherever it may be cut. Holds that
 *   1. messages and status do not depend on where the bytes are cut;
 *   2. a message that is shown lies within the bytes fed, and comes out again as it was written.
 * Checksums would keep the fuzzer out, so they are set right on the way in where the first byte
 * says so. Input: one byte (bit 0: mend the checksums; the rest: size of the pieces), then the
 * stream.
 */
#include "data-plane/eventstream.h"

#include "tests/unit/data-plane/eventstream_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_MAX_BYTES (1u << 16)

struct record {
    struct buf shape;
};

static bool take(void *arg, const struct eventstream_message *message)
{
    struct record *record = arg;
    buf_printf(&record->shape, "%d,%zu,%zu,%zu:", (int)message->kind, message->name.n,
               message->text.n, message->payload.n);
    buf_add_str(&record->shape, message->name);
    buf_add_str(&record->shape, message->text);
    buf_add_str(&record->shape, message->payload);
    return true;
}

static enum status run(struct record *record, struct str bytes, size_t piece)
{
    struct eventstream stream;
    enum status status = ST_OK;
    buf_init(&record->shape, 1u << 24);
    eventstream_init(&stream);
    for (size_t at = 0; at < bytes.n && status == ST_OK; at += piece) {
        struct str part = str_head(str_from(bytes, at), piece);
        status = eventstream_feed(&stream, part.p, part.n, take, record);
    }
    CHECK(stream.pending.n <= EVENTSTREAM_MESSAGE_MAX && buf_status(&record->shape) == ST_OK);
    eventstream_free(&stream);
    return status;
}

static size_t u32_at(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

static void set_u32(char *p, size_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (char)(value >> (24 - 8 * i));
}

static void mend(char *p, size_t n)
{
    for (size_t at = 0; n - at >= 16;) {
        size_t message = u32_at(p + at);
        set_u32(p + at + 8, crc32(0, (const Bytef *)p + at, 8));
        if (message < 16 || message > n - at)
            return;
        set_u32(p + at + message - 4, crc32(0, (const Bytef *)p + at, (uInt)(message - 4)));
        at += message;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char bytes[FUZZ_MAX_BYTES];
    struct record whole, cut;
    if (size < 1 || size > FUZZ_MAX_BYTES)
        return 0;
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1u) != 0)
        mend(bytes, size - 1);
    struct str stream = str_of(bytes, size - 1);
    enum status status = run(&whole, stream, size);
    CHECK(run(&cut, stream, 1u + (data[0] >> 1)) == status);
    CHECK(str_eq(buf_str(&whole.shape), buf_str(&cut.shape)));
    buf_free(&whole.shape);
    buf_free(&cut.shape);
    return 0;
}
