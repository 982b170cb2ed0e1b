/* regex_fuzz.c: patterns of callers. Input: the pattern, a NUL, the text. Holds that
 *   1. a pattern is refused with a place inside it and words, or gives a program within its bound;
 *   2. a test takes no more work than 2 x words + 1 per character, and ends with an answer when it
 * has that;
 *   3. what matches in a text, and cannot ask what stands before it (^, \b), matches in a longer
 * one;
 *   4. the text's own bytes, taken as a program, are run without harm.
 */
#include "common/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_longer(const uint32_t *program, size_t words, struct str pattern, struct str text)
{
    static char longer[4096 + 64];
    uint64_t work = UINT64_C(1) << 32;
    bool found = false;
    for (size_t i = 0; i < pattern.n; i++)
        if (strchr("^bB", pattern.p[i]) != NULL)
            return;
    if (text.n > 4096)
        return;
    memset(longer, '\n', 64);
    if (text.n > 0)
        memcpy(longer + 64, text.p, text.n);
    CHECK(regex_test(program, words, str_of(longer, 64 + text.n), &work, &found) == ST_OK);
    CHECK(found);
}

static void run_as_program(struct str text)
{
    uint32_t program[64];
    size_t words = text.n / 4 < 64 ? text.n / 4 : 64;
    uint64_t work = 1u << 16;
    bool found;
    if (words == 0)
        return;
    memcpy(program, text.p, words * 4);
    enum status status = regex_test(program, words, STR("a bc\xc3\xa9"), &work, &found);
    CHECK(status == ST_OK || status == ST_TOO_LARGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size), pattern = STR_NONE;
    struct regex_error error = {SIZE_MAX, NULL};
    uint32_t program[REGEX_WORDS_MAX];
    size_t words = 0;
    (void)str_split(&text, '\0', &pattern);
    enum status status = regex_compile(pattern, program, &words, &error);
    if (status != ST_OK) {
        CHECK(status == ST_INVALID || status == ST_TOO_LARGE);
        CHECK(error.what != NULL && error.at <= pattern.n);
    } else {
        uint64_t allowed = (2 * (uint64_t)words + 1) * (text.n + 1), work = allowed;
        bool found = false;
        CHECK(words > 0 && words <= REGEX_WORDS_MAX);
        CHECK(regex_test(program, words, text, &work, &found) == ST_OK && work <= allowed);
        if (found)
            check_longer(program, words, pattern, text);
    }
    run_as_program(text);
    return 0;
}
