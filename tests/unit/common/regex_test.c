/* regex_test.c: what matches, as a table; what is refused, by place; random patterns against a slow
 * oracle that follows the tree; and that the work is bounded by the text, whatever the pattern. */
#include "common/regex.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define WORK_PLENTY (UINT64_C(1) << 40)

static enum status run(struct str pattern, struct str text, uint64_t *work, bool *found)
{
    uint32_t program[REGEX_WORDS_MAX];
    struct regex_error error = {0, ""};
    size_t words = 0;
    enum status status = regex_compile(pattern, program, &words, &error);
    cr_assert_eq(status, ST_OK, "/%.*s/: %s at %zu", STR_ARG(pattern), error.what, error.at);
    return regex_test(program, words, text, work, found);
}

static bool matches(const char *pattern, const char *text)
{
    uint64_t work = WORK_PLENTY;
    bool found = false;
    cr_assert_eq(run(str_c(pattern), str_c(text), &work, &found), ST_OK);
    return found;
}

static const struct {
    const char *pattern, *text;
    bool found;
} rows[] = {
    {"", "", true},
    {"", "x", true},
    {"a", "", false},
    {"a", "a", true},
    {"a", "bab", true},
    {"abc", "xxabcxx", true},
    {"abc", "ab c", false},
    {"^a", "ab", true},
    {"^a", "ba", false},
    {"a$", "ba", true},
    {"a$", "ab", false},
    {"^$", "", true},
    {"^$", "a", false},
    {"^a$", "a\n", false},
    {"^b", "a\nb", false},
    {".", "\n", false},
    {".", "\r", false},
    {".", "\xe2\x80\xa8", false},
    {"^.$", "\xc3\xa9", true},
    {"^.$", "\xf0\x9f\x98\x80", true},
    {"^..$", "\xf0\x9f\x98\x80", false},
    {"^a*$", "", true},
    {"^a*$", "aaaa", true},
    {"^a*$", "aab", false},
    {"^a+$", "", false},
    {"^a+$", "aaa", true},
    {"^a?$", "a", true},
    {"^a?$", "aa", false},
    {"^a*?b$", "aab", true},
    {"^a+?$", "aa", true},
    {"^a??b$", "ab", true},
    {"^a{2}$", "aa", true},
    {"^a{2}$", "a", false},
    {"^a{2}$", "aaa", false},
    {"^a{2,}$", "a", false},
    {"^a{2,}$", "aaaaa", true},
    {"^a{0,2}$", "", true},
    {"^a{0,2}$", "aa", true},
    {"^a{0,2}$", "aaa", false},
    {"^a{1,3}b$", "aaab", true},
    {"^a{1,3}b$", "aaaab", false},
    {"^a{0}b$", "b", true},
    {"^a{0}b$", "ab", false},
    {"^a{0,}$", "aaa", true},
    {"^(ab){2,3}?$", "ababab", true},
    {"a{", "a{", true},
    {"a{x}", "a{x}", true},
    {"a{,3}", "a{,3}", true},
    {"a{,3}", "aaa", false},
    {"}", "}", true},
    {"]", "]", true},
    {"a|b", "b", true},
    {"^(a|b|cd)+$", "abcdab", true},
    {"^(a|b|cd)+$", "abcab", false},
    {"^a|b$", "ax", true},
    {"^a|b$", "xb", true},
    {"^a|b$", "xbx", false},
    {"|a", "zzz", true},
    {"^(|a)b$", "b", true},
    {"^(a|)b$", "ab", true},
    {"^(a||b)c$", "c", true},
    {"^(?:a(?:b(c)))$", "abc", true},
    {"^(?<name>ab)+$", "abab", true},
    {"^((a*)*)*$", "aaaa", true},
    {"^((a*)*)*$", "b", false},
    {"^()*$", "", true},
    {"^(((((){1000}){1000}){1000}){1000}){1000}a$", "a", true},
    {"^(((a|b){2}){2}){1,2}$", "abababab", true},
    {"^(((a|b){2}){2}){1,2}$", "ababab", false},
    {"^(a?b{0,2}){2,}c{0,}$", "abbabc", true},
    {"(a|b)*abb", "aababb", true},
    {"^[abc]$", "b", true},
    {"^[abc]$", "d", false},
    {"^[a-c]$", "c", true},
    {"^[^a-c]$", "c", false},
    {"^[^a-c]$", "d", true},
    {"^[a-]$", "-", true},
    {"^[-a]$", "-", true},
    {"^[]]$", "]", false},
    {"^[^]$", "\n", true},
    {"[]", "a", false},
    {"^[a\\]b]$", "]", true},
    {"^[\\d-x]$", "-", true},
    {"^[\\d-x]$", "5", true},
    {"^[\\d-x]$", "x", true},
    {"^[\\d-x]$", "k", false},
    {"^[a-\\d]$", "-", true},
    {"^[a-\\d]$", "3", true},
    {"^[a-\\d]$", "a", true},
    {"^[\\D]$", "5", false},
    {"^[\\D]$", "x", true},
    {"^[^\\W]$", "_", true},
    {"^[\\w.-]+$", "gpt-4o.mini_1", true},
    {"^[\\b]$", "\b", true},
    {"^[.*+?]$", "?", true},
    {"^[\xc3\xa0-\xc3\xbf]+$", "\xc3\xa9", true},
    {"^[\xc3\xa0-\xc3\xbf]+$", "e", false},
    {"^[^\xc3\xa9]$", "\xf0\x9f\x98\x80", true},
    {"^[\\x41-\\u005a]$", "M", true},
    {"^\\d+$", "0123456789", true},
    {"^\\d+$", "12a", false},
    {"^\\D+$", "ab", true},
    {"^\\w+$", "aZ_9", true},
    {"^\\w$", "\xc3\xa9", false},
    {"^\\W$", "\xc3\xa9", true},
    {"^\\s$", "\xc2\xa0", true},
    {"^\\s$", "\xef\xbb\xbf", true},
    {"^\\s+$", " \t\n\v\f\r", true},
    {"^\\S$", " ", false},
    {"^\\S$", "\xe2\x80\x8b", true},
    {"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", true},
    {"^\\x41$", "A", true},
    {"^\\u0041$", "A", true},
    {"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", true},
    {"^\\cA$", "\x01", true},
    {"^\\.$", ".", true},
    {"^\\.$", "x", false},
    {"^\\/$", "/", true},
    {"^a\\|b$", "a|b", true},
    {"^\\\\$", "\\", true},
    {"^\\{2\\}$", "{2}", true},
    {"^\\_$", "_", true},
    {"\\bgpt\\b", "a gpt x", true},
    {"\\bgpt\\b", "agptx", false},
    {"\\bgpt\\b", "gpt", true},
    {"\\Bpt", "gpt", true},
    {"\\Bgpt", "gpt", false},
    {"^gpt-4o(-mini)?$", "gpt-4o-mini", true},
    {"^gpt-4o(-mini)?$", "gpt-4o-maxi", false},
    {"^(claude|gpt)-.*-(sonnet|4o)$", "claude-3-5-sonnet", true},
    {"@example\\.com$", "bob@example.com", true},
    {"@example\\.com$", "bob@exampleXcom", false},
    {"A", "a", false},
};

Test(regex, matches_as_ecmascript_does)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(matches(rows[i].pattern, rows[i].text), rows[i].found, "/%s/ on \"%s\"",
                     rows[i].pattern, rows[i].text);
}

Test(regex, what_it_cannot_do_is_refused_with_its_place)
{
    static const struct {
        const char *pattern;
        size_t at;
        const char *what;
    } bad[] = {
        {"a(?=b)", 1, "look-around"},     {"(?!b)", 0, "look-around"},
        {"(?<=b)", 0, "look-around"},     {"(?<!b)", 0, "look-around"},
        {"(a)\\1", 4, "back-references"}, {"\\k<a>", 1, "not supported"},
        {"\\p{L}", 1, "not supported"},   {"x\\q", 2, "not supported"},
        {"(?i)a", 0, "kind of group"},    {"(?<a", 0, "no end"},
        {"(a", 0, "unmatched ("},         {"a)", 1, "unmatched )"},
        {"[a", 0, "unmatched ["},         {"a\\", 2, "backslash"},
        {"*a", 0, "nothing to repeat"},   {"a**", 2, "nothing to repeat"},
        {"a|+", 2, "nothing to repeat"},  {"{2}", 0, "nothing to repeat"},
        {"^*", 1, "nothing to repeat"},   {"\\b+", 2, "nothing to repeat"},
        {"[z-a]", 1, "backwards"},        {"a{3,2}", 0, "backwards"},
        {"\\x4", 2, "hexadecimal"},       {"\\u12g4", 2, "hexadecimal"},
        {"\\ud83d", 2, "surrogate"},      {"\\ud83dx", 2, "surrogate"},
        {"\\ude00", 2, "surrogate"},      {"\\012", 1, "back-references"},
        {"[\\1]", 2, "back-references"},  {"a{1001}", 0, "too many"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint32_t program[REGEX_WORDS_MAX];
        struct regex_error error = {999, ""};
        size_t words = 0;
        enum status status = regex_compile(str_c(bad[i].pattern), program, &words, &error);
        cr_expect_neq(status, ST_OK, "/%s/", bad[i].pattern);
        cr_expect_eq(error.at, bad[i].at, "/%s/: %zu", bad[i].pattern, error.at);
        cr_expect(strstr(error.what, bad[i].what) != NULL, "/%s/: %s", bad[i].pattern, error.what);
    }
}

Test(regex, what_would_grow_is_refused)
{
    static char long_pattern[REGEX_PATTERN_MAX + 2], deep[200];
    memset(long_pattern, 'a', REGEX_PATTERN_MAX + 1);
    memset(deep, '(', sizeof deep - 1);
    const char *bad[] = {"((((a{99}){99}){99}){99}){99}", "(a{1000}){2}", "[a-c]{600}",
                         long_pattern, deep};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint32_t program[REGEX_WORDS_MAX];
        struct regex_error error;
        size_t words = 0;
        cr_expect_eq(regex_compile(str_c(bad[i]), program, &words, &error), ST_TOO_LARGE, "%.40s",
                     bad[i]);
    }
}

/* The classics that take a backtracking machine for ever. */
Test(regex, hostile_patterns_cost_what_the_text_is_long)
{
    static const char *const patterns[] = {"^(a+)+$",
                                           "(a*)*b",
                                           "^(a|a)*$",
                                           "^(a|aa)+$",
                                           "(.*)*x",
                                           "(.*a){20}",
                                           "^(([a-z])+.)+[A-Z]([a-z])+$",
                                           "(x+x+)+y"};
    static char text[20001];
    memset(text, 'a', sizeof text - 1);
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        uint32_t program[REGEX_WORDS_MAX];
        struct regex_error error;
        size_t words = 0;
        bool found;
        cr_assert_eq(regex_compile(str_c(patterns[i]), program, &words, &error), ST_OK);
        uint64_t allowed = (2 * (uint64_t)words + 1) * sizeof text, work = allowed;
        cr_expect_eq(regex_test(program, words, str_of(text, sizeof text - 1), &work, &found),
                     ST_OK, "%s", patterns[i]);
        cr_expect_lt(work, allowed);
    }
}

Test(regex, when_the_work_is_used_up_there_is_no_answer)
{
    uint64_t work = 3;
    bool found = true;
    cr_expect_eq(run(STR("b"), STR("aaaaaaaaaaaaaaaa"), &work, &found), ST_TOO_LARGE);
    work = 1000;
    cr_expect_eq(run(STR("b"), STR("aaaaaaaaaaaaaaaab"), &work, &found), ST_OK);
    cr_expect(found && work < 1000);
}

Test(regex, malformed_text_and_nul_bytes_are_characters)
{
    uint64_t work = WORK_PLENTY;
    bool found = false;
    cr_expect_eq(run(STR("^a.b$"),
                     str_of("a\xff"
                            "b",
                            3),
                     &work, &found),
                 ST_OK);
    cr_expect(found);
    cr_expect_eq(run(STR("^a\\0b$"), str_of("a\0b", 3), &work, &found), ST_OK);
    cr_expect(found);
    cr_expect_eq(run(str_of("a\0b", 3), str_of("xa\0b", 4), &work, &found), ST_OK);
    cr_expect(found);
}

/* Any words are a program: answers may be wrong, reads may not (the sanitizers look on). */
Test(regex, a_damaged_program_reads_nothing_else)
{
    uint32_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        uint32_t program[64];
        for (size_t i = 0; i < COUNT_OF(program); i++) {
            seed = seed * 1664525u + 1013904223u;
            program[i] = (seed >> 28) < 8
                             ? (seed & 0xFFFFFF00u) | ((seed >> 8) % 12)
                             : (uint32_t)((int32_t)(seed >> 20) % 64 - 32) << 8 | (seed >> 9) % 11;
        }
        uint64_t work = 1 << 20;
        bool found;
        enum status status =
            regex_test(program, (size_t)round % 64 + 1, STR("the quick brown fox"), &work, &found);
        cr_assert(status == ST_OK || status == ST_TOO_LARGE);
    }
}

/* --- the oracle: a tree of the pattern, and all ends a match of it can have, by trying */

enum {
    LEAF_A,
    LEAF_B,
    LEAF_DOT,
    LEAF_NOT_A,
    SEQUENCE,
    EITHER,
    STAR,
    PLUS,
    MAYBE,
    TWO_TO_THREE,
    KINDS
};

struct tree {
    int kind;
    struct tree *left, *right;
};

static uint32_t dice;
static unsigned draw(unsigned n)
{
    dice = dice * 1664525u + 1013904223u;
    return (dice >> 16) % n;
}

static struct tree pool[256];
static size_t pool_n;

static struct tree *grow(int depth)
{
    struct tree *tree = &pool[pool_n++];
    tree->kind = depth == 0 ? (int)draw(4) : (int)draw(KINDS);
    tree->left = tree->kind >= SEQUENCE ? grow(depth - 1) : NULL;
    tree->right = tree->kind == SEQUENCE || tree->kind == EITHER ? grow(depth - 1) : NULL;
    return tree;
}

static void write_tree(const struct tree *tree, char *out)
{
    static const char *const leaves[] = {"a", "b", ".", "[^a]"}, *const signs[] = {"*", "+", "?",
                                                                                   "{2,3}"};
    if (tree->kind < SEQUENCE) {
        strncat(out, leaves[tree->kind], 8);
        return;
    }
    strncat(out, "(", 2);
    write_tree(tree->left, out);
    if (tree->kind == EITHER)
        strncat(out, "|", 2);
    if (tree->right != NULL)
        write_tree(tree->right, out);
    strncat(out, ")", 2);
    if (tree->kind >= STAR)
        strncat(out, signs[tree->kind - STAR], 8);
}

/* Bit e is set: a match that begins at one of `starts` can end at e. */
static uint32_t ends(const struct tree *tree, const char *text, size_t n, uint32_t starts)
{
    uint32_t out = 0, reached, more;
    switch (tree->kind) {
    case SEQUENCE:
        return ends(tree->right, text, n, ends(tree->left, text, n, starts));
    case EITHER:
        return ends(tree->left, text, n, starts) | ends(tree->right, text, n, starts);
    case STAR:
    case PLUS:
        reached = tree->kind == STAR ? starts : ends(tree->left, text, n, starts);
        while ((more = reached | ends(tree->left, text, n, reached)) != reached)
            reached = more;
        return reached;
    case MAYBE:
        return starts | ends(tree->left, text, n, starts);
    case TWO_TO_THREE:
        reached = ends(tree->left, text, n, ends(tree->left, text, n, starts));
        return reached | ends(tree->left, text, n, reached);
    default:
        for (size_t i = 0; i < n; i++) {
            bool fits = tree->kind == LEAF_A   ? text[i] == 'a'
                        : tree->kind == LEAF_B ? text[i] == 'b'
                                               : tree->kind == LEAF_DOT || text[i] != 'a';
            if ((starts >> i & 1) != 0 && fits)
                out |= 1u << (i + 1);
        }
        return out;
    }
}

Test(regex, random_patterns_agree_with_a_slow_oracle)
{
    size_t yes = 0, checked = 0;
    dice = 20240229;
    for (int round = 0; round < 6000; round++) {
        char inner[2048] = "", pattern[2064], text[12];
        pool_n = 0;
        struct tree *tree = grow(4);
        write_tree(tree, inner);
        if (strlen(inner) > 400)
            continue;
        bool whole = draw(2) == 0;
        snprintf(pattern, sizeof pattern, whole ? "^(%s)$" : "%s", inner);
        uint32_t program[REGEX_WORDS_MAX];
        struct regex_error error;
        size_t words = 0;
        if (regex_compile(str_c(pattern), program, &words, &error) == ST_TOO_LARGE)
            continue;
        for (int t = 0; t < 8; t++) {
            size_t n = draw(11);
            for (size_t i = 0; i < n; i++)
                text[i] = "abc"[draw(3)];
            text[n] = '\0';
            uint64_t work = WORK_PLENTY;
            bool found = false;
            cr_assert_eq(regex_test(program, words, str_of(text, n), &work, &found), ST_OK);
            uint32_t all = (1u << (n + 1)) - 1;
            bool expected =
                whole ? (ends(tree, text, n, 1) >> n & 1) != 0 : ends(tree, text, n, all) != 0;
            cr_assert_eq(found, expected, "/%s/ on \"%s\"", pattern, text);
            yes += expected;
            checked++;
        }
    }
    cr_expect_gt(checked, 20000);
    cr_expect(yes > checked / 10 && yes < checked - checked / 10,
              "the draw is not one-sided: %zu of %zu", yes, checked);
}
