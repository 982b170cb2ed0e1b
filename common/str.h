/* str.h: a borrowed run of bytes. Not NUL-terminated; may hold NUL. Owner: whoever made the bytes.
 *
 * Everything here is pure and bounded by the lengths given. Case folding is ASCII only.
 */
#ifndef SLUICE_COMMON_STR_H
#define SLUICE_COMMON_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/status.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(literal)  ((struct str){(literal), sizeof(literal) - 1})
#define STR_FMT       "%.*s"
#define STR_ARG(s)    (int)(s).n, (s).p
#define STR_NONE      ((struct str){NULL, 0})

static inline struct str str_of(const char *p, size_t n)
{
    return (struct str){p, n};
}

/* borrows a C string; NULL gives STR_NONE. */
static inline struct str str_c(const char *text)
{
    return text == NULL ? STR_NONE : (struct str){text, strlen(text)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct str str_from(struct str s, size_t at)
{
    return at >= s.n ? (struct str){s.p + s.n, 0} : (struct str){s.p + at, s.n - at};
}

static inline struct str str_head(struct str s, size_t n)
{
    return n >= s.n ? s : (struct str){s.p, n};
}

bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* -1, 0, 1 by bytes, shorter first on a common prefix. */
int str_cmp(struct str a, struct str b);

/* Position of the first `c` / of `needle`, or -1. */
ptrdiff_t str_find_char(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle);

/* Without leading and trailing SP, HTAB, CR, LF. */
struct str str_trim(struct str s);

/* Takes the next piece of `rest` up to `sep` and moves `rest` behind it. False when `rest` is used up. */
bool str_split(struct str *rest, char sep, struct str *piece);

/* Decimal digits only, no sign, whole string. ST_RANGE above UINT64_MAX, ST_INVALID otherwise. */
MUST_USE enum status str_to_u64(struct str s, uint64_t *value);
/* As str_to_u64 with an optional leading '-'. */
MUST_USE enum status str_to_i64(struct str s, int64_t *value);

/* True if every byte sequence is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/* Bytes (1 to 4) of the well-formed UTF-8 sequence at the front of s, or 0 (also when s is empty). */
size_t str_utf8_step(struct str s);

/* Matches a pattern with '*' (any run, also empty); every other byte stands for itself. Linear time. */
bool str_glob(struct str pattern, struct str text);

#endif
