/* json_scan.h: one validating pass over a JSON text (RFC 8259), without a tree.
 *
 * For the request path: the traffic we carry must come out exactly as it went in, so the scan finds
 * where a few members of the top-level object lie and proves the whole text valid; the caller
 * splices. Borrows the text. Allocates nothing. Depth is bounded (JSON_MAX_DEPTH). Refused: invalid
 * UTF-8, lone surrogate escapes, bad numbers, trailing bytes, control characters, a BOM, and a
 * duplicate member name in the top-level object (names compared after unescaping, so "mod\u0065l"
 * is model).
 */
#ifndef SLUICE_COMMON_JSON_SCAN_H
#define SLUICE_COMMON_JSON_SCAN_H

#include "common/str.h"

#define JSON_MAX_DEPTH        64
#define JSON_SCAN_MAX_MEMBERS 512 /* of the top-level object; more is refused with ST_TOO_LARGE */

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_error {
    size_t at;        /* byte offset in the text */
    const char *what; /* static sentence: "duplicate member name", "invalid escape", ... */
};

struct json_field {
    const char *name;    /* in: unescaped member name */
    struct str raw;      /* out: exact text of the value, quotes included; p = NULL if absent */
    struct str member;   /* out: from the opening quote of the name to the end of the value */
    enum json_type type; /* out: valid if raw.p != NULL */
};

/* Validates `text`, whose top level must be an object, and fills the wanted fields. `error` may be
 * NULL. ST_BAD_JSON, ST_TOO_LARGE (depth or member count). */
MUST_USE enum status json_scan_object(struct str text, struct json_field *fields, size_t count,
                                      struct json_error *error);

/* The value of one member of an object, or p = NULL: `object` is empty or no valid object, has no
 * such member, or it is of another type. Borrows. */
struct str json_member(struct str object, const char *name, enum json_type type);

/* Validates any JSON value with the same rules, except that duplicates are looked for nowhere. */
MUST_USE enum status json_scan_value(struct str text, enum json_type *type,
                                     struct json_error *error);

/* raw: a string value with its quotes, already validated. Writes at most raw.n bytes to `out` (the
 * caller's room) and gives the unescaped text. Without a backslash inside, *text borrows from raw
 * and `out` is not touched (may be NULL). */
MUST_USE enum status json_unescape(struct str raw, char *out, struct str *text);

/* True if the validated string `raw` (with its quotes) unescapes to `text`. Copies nothing. */
bool json_string_is(struct str raw, struct str text);
/* True if two validated strings (with their quotes) unescape to the same bytes. */
bool json_string_eq(struct str a, struct str b);

/* A steppable reader over the members of a validated object or the items of a validated array:
 * skips with no checks. Start with *at = 0. False at the end. For an array name.p is NULL; name is
 * raw with its quotes. */
bool json_scan_next(struct str raw, size_t *at, struct str *name, struct str *value,
                    enum json_type *type);

#endif
