/* Messages as AWS's SDKs know them (vectors of the specification), and every way to break one. */
#include "data-plane/eventstream.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/data-plane/eventstream_write.h"

struct seen {
    char text[4096];
    size_t n;
    bool stop;
};

static bool note(void *arg, const struct eventstream_message *message)
{
    static const char *const kinds[] = {"event", "exception", "error"};
    struct seen *seen = arg;
    int n = snprintf(seen->text + seen->n, sizeof seen->text - seen->n, "[%s %.*s|%.*s|%.*s]",
                     kinds[message->kind], STR_ARG(message->name), STR_ARG(message->text),
                     STR_ARG(message->payload));
    seen->n += (size_t)n;
    return !seen->stop;
}

static enum status feed(struct str bytes, size_t piece, struct seen *seen)
{
    struct eventstream stream;
    enum status status = ST_OK;
    *seen = (struct seen){.stop = seen->stop};
    eventstream_init(&stream);
    for (size_t at = 0; at < bytes.n && status == ST_OK; at += piece) {
        struct str part = str_head(str_from(bytes, at), piece);
        status = eventstream_feed(&stream, part.p, part.n, note, seen);
    }
    eventstream_free(&stream);
    return status;
}

#define BYTES(text) ((struct str){text, sizeof(text) - 1})

static const char error_vector[] = "\x00\x00\x00\x52\x00\x00\x00\x42\xbf\x23\x63\x7e"
                                   "\x0d:message-type\x07\x00\x05"
                                   "error\x0b:error-code\x07\x00\x04"
                                   "code\x0e:error-message\x07\x00\x07message\x6b\x6c\xea\x3d";

Test(eventstream, a_published_vector)
{
    struct seen seen = {.n = 0};
    for (size_t piece = 1; piece <= sizeof error_vector; piece++) {
        cr_assert_eq(feed(BYTES(error_vector), piece, &seen), ST_OK);
        cr_assert_str_eq(seen.text, "[error code|message|]");
    }
}

static void make_three(struct buf *out)
{
    buf_init(out, 1 << 20);
    write_event(out, "event", "messageStart", "{\"role\":\"assistant\"}");
    write_event(out, "event", "empty", "");
    write_event(out, "exception", "throttlingException", "{\"message\":\"slow\"}");
}

Test(eventstream, splits_the_same_wherever_it_is_cut)
{
    struct buf bytes;
    struct seen seen = {.n = 0};
    make_three(&bytes);
    for (size_t piece = 1; piece <= bytes.n; piece++) {
        cr_assert_eq(feed(buf_str(&bytes), piece, &seen), ST_OK);
        cr_assert_str_eq(seen.text, "[event messageStart||{\"role\":\"assistant\"}][event empty||]"
                                    "[exception throttlingException||{\"message\":\"slow\"}]");
    }
    buf_free(&bytes);
}

Test(eventstream, BUG_checksums_were_not_verified)
{
    struct buf bytes;
    struct seen seen = {.n = 0};
    buf_init(&bytes, 4096);
    write_event(&bytes, "event", "x", "{}");
    for (size_t i = 0; i < bytes.n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
            cr_expect_eq(feed(buf_str(&bytes), bytes.n, &seen), ST_UPSTREAM_BROKEN,
                         "byte %zu bit %u", i, bit);
            cr_expect_str_eq(seen.text, "");
            bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
        }
    }
    buf_free(&bytes);
}

/* Whole headers with their checksums right, and what is wrong with them. */
static const struct {
    const char *name;
    struct str headers;
    enum status status;
} headers[] = {
    {"none", {"", 0}, ST_UPSTREAM_BROKEN},
    {"no type", BYTES("\x0b:event-type\x07\x00\x01x"), ST_UPSTREAM_BROKEN},
    {"no name",
     BYTES("\x0d:message-type\x07\x00\x05"
           "event"),
     ST_UPSTREAM_BROKEN},
    {"an unknown type", BYTES("\x0d:message-type\x07\x00\x04newt\x0b:event-type\x07\x00\x01x"),
     ST_UPSTREAM_BROKEN},
    {"every value type",
     BYTES("\x01"
           "0\x00\x01"
           "1\x01\x01"
           "2\x02\x02\x01"
           "3\x03\x00\x03\x01"
           "4\x04\x00\x00\x00\x04\x01"
           "5\x05\x00\x00\x00\x00\x00\x00\x00\x05\x01"
           "6\x06\x00\x05"
           "bytes\x01"
           "7\x07\x00\x04utf8\x01"
           "8\x08\x00\x00\x00\x00\x00\x00\x00\x08\x01"
           "9\x09"
           "0123456789abcdef"
           "\x0d:message-type\x07\x00\x05"
           "event\x0b:event-type\x07\x00\x01x"),
     ST_OK},
    {"a type beyond the last", BYTES("\x01z\x0a\x00"), ST_UPSTREAM_BROKEN},
    {"a name that leaves the headers", BYTES("\x20z"), ST_UPSTREAM_BROKEN},
    {"a name and no type", BYTES("\x01z"), ST_UPSTREAM_BROKEN},
    {"a value that leaves the headers", BYTES("\x01z\x07\x00\x09short"), ST_UPSTREAM_BROKEN},
    {"half a length", BYTES("\x01z\x07\x00"), ST_UPSTREAM_BROKEN},
    {"half an integer", BYTES("\x01z\x04\x00\x00"), ST_UPSTREAM_BROKEN},
};

Test(eventstream, headers_are_read_strictly)
{
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        struct buf bytes;
        struct seen seen = {.n = 0};
        buf_init(&bytes, 4096);
        write_message(&bytes, headers[i].headers, STR("p"));
        cr_expect_eq(feed(buf_str(&bytes), 7, &seen), headers[i].status, "%s", headers[i].name);
        cr_expect_str_eq(seen.text, headers[i].status == ST_OK ? "[event x||p]" : "", "%s",
                         headers[i].name);
        buf_free(&bytes);
    }
}

/* A prelude whose own checksum is right. */
static enum status feed_prelude(size_t message, size_t head)
{
    struct buf bytes;
    struct seen seen = {.n = 0};
    buf_init(&bytes, 4096);
    write_u32(&bytes, message);
    write_u32(&bytes, head);
    write_u32(&bytes, crc32(0, (const Bytef *)bytes.p, 8));
    enum status status = feed(buf_str(&bytes), 5, &seen);
    buf_free(&bytes);
    return status;
}

Test(eventstream, lengths_are_bounded_before_anything_is_kept)
{
    cr_expect_eq(feed_prelude(EVENTSTREAM_MESSAGE_MAX, 0), ST_OK);
    cr_expect_eq(feed_prelude(EVENTSTREAM_MESSAGE_MAX + 1u, 0), ST_TOO_LARGE);
    cr_expect_eq(feed_prelude(0xffffffffu, 0), ST_TOO_LARGE);
    cr_expect_eq(feed_prelude(1u << 20, EVENTSTREAM_HEADERS_MAX), ST_OK);
    cr_expect_eq(feed_prelude(1u << 20, EVENTSTREAM_HEADERS_MAX + 1u), ST_TOO_LARGE);
    cr_expect_eq(feed_prelude(15, 0), ST_UPSTREAM_BROKEN);
    cr_expect_eq(feed_prelude(0, 0), ST_UPSTREAM_BROKEN);
    cr_expect_eq(feed_prelude(20, 5), ST_UPSTREAM_BROKEN);
    cr_expect_eq(feed_prelude(20, 4), ST_OK);
}

Test(eventstream, a_callback_may_stop)
{
    struct buf bytes;
    struct seen seen = {.stop = true};
    make_three(&bytes);
    cr_expect_eq(feed(buf_str(&bytes), bytes.n, &seen), ST_CLOSED);
    cr_expect_str_eq(seen.text, "[event messageStart||{\"role\":\"assistant\"}]");
    cr_expect_eq(feed(buf_str(&bytes), 3, &seen), ST_CLOSED);
    cr_expect_str_eq(seen.text, "[event messageStart||{\"role\":\"assistant\"}]");
    buf_free(&bytes);
}
