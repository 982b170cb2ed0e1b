/* str_test.c: edges of the byte-run helpers. */
#include "common/str.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

Test(str, compares)
{
    cr_expect(str_eq(STR_NONE, STR("")));
    cr_expect(str_eq(STR("a\0b"), STR("a\0b")));
    cr_expect_not(str_eq(STR("a\0b"), STR("a\0c")));
    cr_expect(str_eq_nocase(STR("BearER"), STR("bEARer")));
    cr_expect_not(str_eq_nocase(STR("[a"), STR("{A")), "only letters fold");
    cr_expect_not(str_eq_nocase(STR("\xC3\x89"), STR("\xC3\xA9")));
    cr_expect_eq(str_cmp(STR("a"), STR("ab")), -1);
    cr_expect_eq(str_cmp(STR("b"), STR("ab")), 1);
    cr_expect_eq(str_cmp(STR_NONE, STR("")), 0);
    cr_expect_eq(str_cmp(STR("\x80"), STR("\x7F")), 1, "bytes are unsigned");
    cr_expect(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")));
    cr_expect_not(str_starts(STR("a"), STR("ab")));
    cr_expect(str_starts_nocase(STR("ABc"), STR("abC")));
    cr_expect(str_ends(STR("a.conf"), STR(".conf")));
    cr_expect_not(str_ends(STR("conf"), STR(".conf")));
}

Test(str, finds_and_cuts)
{
    cr_expect_eq(str_find_char(STR_NONE, 'x'), -1);
    cr_expect_eq(str_find_char(STR("a\0x"), 'x'), 2);
    cr_expect_eq(str_find(STR("abcabd"), STR("abd")), 3);
    cr_expect_eq(str_find(STR("ab"), STR("abc")), -1);
    cr_expect_eq(str_find(STR_NONE, STR("")), 0);
    cr_expect(str_eq(str_from(STR("abc"), 9), STR("")));
    cr_expect(str_eq(str_head(STR("abc"), 9), STR("abc")));
    cr_expect(str_eq(str_trim(STR(" \t\r\nx y\n ")), STR("x y")));
    cr_expect(str_eq(str_trim(STR(" \t ")), STR("")));
}

Test(str, splits)
{
    static const struct str wanted[] = {S("a"), S(""), S("b"), S("")};
    struct str rest = STR("a,,b,"), piece;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        cr_assert(str_split(&rest, ',', &piece));
        cr_expect(str_eq(piece, wanted[i]), "piece %zu", i);
    }
    cr_expect_not(str_split(&rest, ',', &piece));
    rest = STR("");
    cr_expect(str_split(&rest, ',', &piece), "an empty text has one empty piece");
    cr_expect_not(str_split(&rest, ',', &piece));
    rest = STR_NONE;
    cr_expect_not(str_split(&rest, ',', &piece));
}

Test(str, numbers)
{
    static const struct {
        const char *text;
        enum status u64, i64;
        uint64_t value;
    } rows[] = {
        {"0", ST_OK, ST_OK, 0},
        {"007", ST_OK, ST_OK, 7},
        {"18446744073709551615", ST_OK, ST_RANGE, UINT64_MAX},
        {"18446744073709551616", ST_RANGE, ST_RANGE, 0},
        {"99999999999999999999999", ST_RANGE, ST_RANGE, 0},
        {"", ST_INVALID, ST_INVALID, 0},
        {"-", ST_INVALID, ST_INVALID, 0},
        {"+1", ST_INVALID, ST_INVALID, 0},
        {" 1", ST_INVALID, ST_INVALID, 0},
        {"1 ", ST_INVALID, ST_INVALID, 0},
        {"0x1", ST_INVALID, ST_INVALID, 0},
        {"1.0", ST_INVALID, ST_INVALID, 0},
        {"--1", ST_INVALID, ST_INVALID, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t u = 55;
        int64_t s = 55;
        cr_expect_eq(str_to_u64(str_c(rows[i].text), &u), rows[i].u64, "%s", rows[i].text);
        cr_expect_eq(str_to_i64(str_c(rows[i].text), &s), rows[i].i64, "%s", rows[i].text);
        cr_expect_eq(u, rows[i].u64 == ST_OK ? rows[i].value : 55, "%s", rows[i].text);
    }
    int64_t s;
    cr_expect_eq(str_to_i64(STR("-9223372036854775808"), &s), ST_OK);
    cr_expect_eq(s, INT64_MIN);
    cr_expect_eq(str_to_i64(STR("9223372036854775807"), &s), ST_OK);
    cr_expect_eq(s, INT64_MAX);
    cr_expect_eq(str_to_i64(STR("-9223372036854775809"), &s), ST_RANGE);
    cr_expect_eq(str_to_i64(STR("-0"), &s), ST_OK);
    cr_expect_eq(s, 0);
}

/* RFC 3629 read literally, one code point at a time. */
static bool reference_utf8(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t more = p[i] < 0x80       ? 0
                      : p[i] >> 5 == 6  ? 1
                      : p[i] >> 4 == 14 ? 2
                      : p[i] >> 3 == 30 ? 3
                                        : 9;
        if (more == 9 || i + more >= n)
            return false;
        uint32_t c = more == 0 ? p[i] : p[i] & (0x3Fu >> more);
        for (size_t k = 1; k <= more; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            c = c << 6 | (p[i + k] & 0x3F);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
            return false;
        i += more + 1;
    }
    return true;
}

/* Puts `bytes` at `at` of a heap copy of exactly n bytes of 'x'. */
static bool check_placed(const unsigned char *bytes, size_t count, size_t at, size_t n)
{
    unsigned char *text = malloc(n);
    memset(text, 'x', n);
    memcpy(text + at, bytes, count);
    bool ours = str_is_utf8(str_of((const char *)text, n)), wanted = reference_utf8(text, n);
    free(text);
    return ours == wanted;
}

Test(str, utf8_agrees_with_the_rfc_for_all_short_sequences)
{
    unsigned char b[4];
    for (unsigned a = 0x7F; a < 256; a++) {
        for (unsigned c = 0; c < 256; c++) {
            b[0] = (unsigned char)a;
            b[1] = (unsigned char)c;
            b[2] = 0x80;
            b[3] = (unsigned char)(c ^ 0x55);
            for (size_t n = 1; n <= 4; n++)
                cr_assert(check_placed(b, n, 0, n), "%02x %02x n %zu", a, c, n);
            cr_assert(check_placed(b, 3, 62, 130), "%02x %02x in the midst", a, c);
        }
    }
}

Test(str, utf8_at_every_place_of_a_block)
{
    static const struct str rows[] = {
        S("\xC3\xA9"),
        S("\xE2\x82\xAC"),
        S("\xF0\x9F\x98\x80"),
        S("\xED\x9F\xBF\xEE\x80\x80"),
        S("\xF4\x8F\xBF\xBF"),
        S("\xC3"),
        S("\xE2\x82"),
        S("\xF0\x9F\x98"),
        S("\x80"),
        S("\xC0\x80"),
        S("\xED\xA0\x80"),
        S("\xE0\x9F\x80"),
        S("\xF0\x8F\xBF\xBF"),
        S("\xF4\x90\x80\x80"),
        S("\xF5\x80\x80\x80"),
        S("\xC3\xA9\xA9"),
        S("\xE2\x82\xAC\xAC"),
        S("\xE2\xC3\xA9"),
        S("\xFF"),
        S("\xC1\xBF"),
        S("\xE0\xA0\x80\xED\x80\x80\xF0\x90\x80\x80"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t at = 0; at < 140; at++)
            for (size_t more = 0; more < 3; more++)
                cr_assert(check_placed((const unsigned char *)rows[i].p, rows[i].n, at,
                                       at + rows[i].n + more * 50),
                          "row %zu at %zu, %zu behind", i, at, more * 50);
}

Test(str, utf8_step)
{
    cr_expect_eq(str_utf8_step(STR("")), 0);
    cr_expect_eq(str_utf8_step(STR("a\x80")), 1);
    cr_expect_eq(str_utf8_step(STR("\xC3\xA9")), 2);
    cr_expect_eq(str_utf8_step(STR("\xE2\x82\xAC")), 3);
    cr_expect_eq(str_utf8_step(STR("\xF0\x9F\x98\x80x")), 4);
    cr_expect_eq(str_utf8_step(STR("\xF0\x9F\x98")), 0);
    cr_expect(str_is_utf8(STR_NONE));
}

Test(str, globs)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "anything", true},
        {"o1-*", "o1-mini", true},
        {"o1-*", "o1", false},
        {"o1-*", "o1-", true},
        {"*-preview", "gpt-4-preview", true},
        {"*-preview", "preview", false},
        {"*-preview", "a-preview-preview", true},
        {"a*b*c", "aXXbYYc", true},
        {"a*b*c", "aXXbYY", false},
        {"**", "x", true},
        {"a?c", "abc", false},
        {"a?c", "a?c", true},
        {"A", "a", false},
        {"*a", "bab", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(str_glob(str_c(rows[i].pattern), str_c(rows[i].text)), rows[i].match,
                     "%s ~ %s", rows[i].pattern, rows[i].text);
}
