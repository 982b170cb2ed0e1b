/* inflater_test.c: gzip bodies whole, cut, damaged and swollen. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/buf.h"
#include "data-plane/worker/inflater.h"

static struct buf gzip(const char *p, size_t n)
{
    struct buf out;
    buf_init(&out, 1 << 24);
    z_stream zlib = {0};
    cr_assert_eq(deflateInit2(&zlib, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(buf_reserve(&out, deflateBound(&zlib, n) + 32), ST_OK);
    zlib.next_in = (Bytef *)(uintptr_t)p;
    zlib.avail_in = (uInt)n;
    zlib.next_out = (Bytef *)out.p;
    zlib.avail_out = (uInt)out.room_bytes;
    cr_assert_eq(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    out.n = zlib.total_out;
    deflateEnd(&zlib);
    return out;
}

/* Everything that comes out of p[0 .. n) fed in steps, taken in odd bites. */
static enum status run(const char *p, size_t n, size_t step, uint64_t cap, struct buf *out)
{
    struct inflater *inflater = NULL;
    cr_assert_eq(inflater_new(cap, &inflater), ST_OK);
    enum status status = ST_OK;
    size_t at = 0;
    buf_init(out, 1 << 24);
    while (status == ST_OK && at < n) {
        size_t used = 0, offer = n - at < step ? n - at : step;
        status = inflater_feed(inflater, p + at, offer, &used);
        at += used;
        for (struct str piece; status == ST_OK && (piece = inflater_piece(inflater)).n > 0;) {
            size_t bite = piece.n > 1000 ? 1000 : piece.n;
            buf_add(out, piece.p, bite);
            inflater_took(inflater, bite);
        }
    }
    if (status == ST_OK)
        status = inflater_end(inflater);
    inflater_free(inflater);
    return status;
}

static char *random_text(size_t n)
{
    char *text = malloc(n);
    srand(3);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + rand() % 7);
    return text;
}

Test(inflater, gives_back_what_was_packed_however_it_is_cut)
{
    size_t n = 100000;
    char *text = random_text(n);
    struct buf packed = gzip(text, n), out;
    size_t steps[] = {1, 2, 3, 7, 1000, 1 << 20};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        cr_expect_eq(run(packed.p, packed.n, steps[i], n, &out), ST_OK);
        cr_expect(str_eq(buf_str(&out), str_of(text, n)));
        buf_free(&out);
    }
    buf_free(&packed);
    free(text);
}

Test(inflater, an_empty_body_is_a_whole_stream)
{
    struct buf packed = gzip("", 0), out;
    cr_expect_eq(run(packed.p, packed.n, 1, 0, &out), ST_OK);
    cr_expect_eq(out.n, 0);
    buf_free(&packed);
    buf_free(&out);
}

Test(inflater, a_bomb_stops_at_the_cap)
{
    size_t n = 8 << 20, cap = 100000;
    char *zeros = calloc(1, n);
    struct buf packed = gzip(zeros, n), out;
    cr_assert_lt(packed.n, 10000);
    cr_expect_eq(run(packed.p, packed.n, 1 << 20, cap, &out), ST_TOO_LARGE);
    cr_expect_leq(out.n, cap);
    buf_free(&out);
    cr_expect_eq(run(packed.p, packed.n, 1 << 20, n, &out), ST_OK);
    buf_free(&out);
    cr_expect_eq(run(packed.p, packed.n, 1 << 20, n - 1, &out), ST_TOO_LARGE);
    buf_free(&out);
    buf_free(&packed);
    free(zeros);
}

Test(inflater, damage_is_refused)
{
    struct buf packed = gzip("hello hello hello", 17), out;
    for (size_t cut = 0; cut < packed.n; cut++) {
        cr_expect_eq(run(packed.p, cut, 5, 1000, &out), ST_BAD_HTTP, "cut at %zu", cut);
        buf_free(&out);
    }
    /* Every byte of the deflate stream, the checksum and the length decides; some of the header
     * does not. */
    for (size_t i = 10; i < packed.n; i++) {
        packed.p[i] = (char)(packed.p[i] ^ 0x55);
        enum status status = run(packed.p, packed.n, 5, 1000, &out);
        cr_expect_eq(status, ST_BAD_HTTP, "byte %zu", i);
        packed.p[i] = (char)(packed.p[i] ^ 0x55);
        buf_free(&out);
    }
    buf_add_char(&packed, 'x');
    cr_expect_eq(run(packed.p, packed.n, 5, 1000, &out), ST_BAD_HTTP, "bytes behind the end");
    buf_free(&packed);
    buf_free(&out);
}

Test(inflater, a_second_member_is_refused)
{
    struct buf one = gzip("a", 1), two, out;
    buf_init(&two, 1000);
    buf_add_str(&two, buf_str(&one));
    buf_add_str(&two, buf_str(&one));
    cr_expect_eq(run(two.p, two.n, 1000, 1000, &out), ST_BAD_HTTP);
    buf_free(&one);
    buf_free(&two);
    buf_free(&out);
}

Test(inflater, other_formats_are_refused)
{
    struct buf out;
    static const char zlib[] = "\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"; /* "a" as a zlib stream */
    cr_expect_eq(run(zlib, sizeof zlib - 1, 100, 100, &out), ST_BAD_HTTP);
    cr_expect_eq(run("{\"model\":1}", 11, 100, 100, &out), ST_BAD_HTTP);
}
