/* regex_program.h: the instructions of a regex program; private to regex.c and regex_compile.c.
 *
 * One word each: the operation in the low byte, above it a signed argument. A class is followed by
 * its ranges, two words each (first, last code point). Jumps are relative to their own word, so a
 * block of code may be moved.
 */
#ifndef SLUICE_COMMON_REGEX_PROGRAM_H
#define SLUICE_COMMON_REGEX_PROGRAM_H

#include "common/regex.h"

enum regex_op {
    REGEX_MATCH,
    REGEX_CHAR,  /* argument: the code point */
    REGEX_ANY,   /* any but \n \r U+2028 U+2029 */
    REGEX_CLASS, /* argument: ranges that follow */
    REGEX_OTHER, /* as CLASS; matches what is in none of them */
    REGEX_SPLIT, /* goes on behind it and at the argument */
    REGEX_JUMP,
    REGEX_BEGIN, /* ^ */
    REGEX_END,   /* $ */
    REGEX_WORD,  /* \b */
    REGEX_INNER, /* \B */
};

static inline uint32_t regex_word(enum regex_op op, int32_t argument)
{
    return (uint32_t)argument << 8 | (uint32_t)op;
}

static inline enum regex_op regex_op_of(uint32_t word)
{
    return (enum regex_op)(word & 0xFF);
}

static inline int32_t regex_argument(uint32_t word)
{
    return (int32_t)word >> 8;
}

/* Takes one code point from the front of text (text.n > 0); a malformed byte gives U+FFFD. */
uint32_t regex_next_char(struct str *text);

#endif
