/* regex.h: does a pattern match somewhere in a text? In time linear in the text, for any pattern.
 *
 * Patterns come from callers and run in a worker that must not stall, so there is no backtracking:
 * a pattern becomes a small program whose states are all followed at once. The language is
 * ECMAScript's without flags, less what a machine without memory cannot do: no back-references, no
 * look-around; characters are code points. Supported: literals, ., [...], \d \D \w \W \s \S,
 * \b \B ^ $, (...), (?:...), (?<name>...), |, * + ? {m} {m,} {m,n} (also lazy), \t \n \v \f \r \0
 * \cX \xHH \uHHHH. What is not supported is refused with its place, never taken for something else.
 *
 * A program is flat (words, no pointers): it may lie in a catalog record. One that was damaged
 * gives wrong answers but no wild read. Pure; regex_test needs about 10 KiB of stack.
 */
#ifndef SLUICE_COMMON_REGEX_H
#define SLUICE_COMMON_REGEX_H

#include "common/str.h"

#define REGEX_PATTERN_MAX 1024 /* bytes */
#define REGEX_WORDS_MAX   1024 /* of a program */

struct regex_error {
    size_t at;        /* byte offset in the pattern */
    const char *what; /* static words: "unmatched )", "look-around is not supported", ... */
};

/* pattern: UTF-8. Writes the program and its length. ST_INVALID, ST_TOO_LARGE (pattern or program),
 * both with `error` set. */
MUST_USE enum status regex_compile(struct str pattern, uint32_t program[REGEX_WORDS_MAX],
                                   size_t *words, struct regex_error *error);

/* text: UTF-8; a malformed byte counts as U+FFFD. Takes what it did from *work: at most
 * 2 x `words` + 1 per character. ST_TOO_LARGE when that is used up: no answer. */
MUST_USE enum status regex_test(const uint32_t *program, size_t words, struct str text,
                                uint64_t *work, bool *found);

#endif
