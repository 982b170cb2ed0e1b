/* json_oracle.h: jansson as the judge of what is JSON. Tests and fuzzers only.
 *
 * jansson names its types as we do, so its names are moved aside while its header is read.
 * Its rules equal ours but for: numbers beyond a double and NUL in a member name (both refused by
 * it), the depth limit, a NUL byte behind a number (2.14 swallows it: "[1\0]" passes), and
 * duplicate names (it refuses them in every object, if asked).
 */
#ifndef SLUICE_TESTS_JSON_ORACLE_H
#define SLUICE_TESTS_JSON_ORACLE_H

#include "common/str.h"

#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE   JANSSON_TRUE
#define JSON_FALSE  JANSSON_FALSE
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

enum oracle { ORACLE_REFUSES, ORACLE_ACCEPTS, ORACLE_CANNOT_SAY };

static inline enum oracle oracle_judge(struct str text, bool duplicates)
{
    if (text.n > 0 && memchr(text.p, 0, text.n) != NULL)
        return ORACLE_CANNOT_SAY;
    json_error_t error;
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | (duplicates ? 0 : JSON_REJECT_DUPLICATES);
    json_t *json = json_loadb(text.p, text.n, flags, &error);
    if (json != NULL) {
        json_decref(json);
        return ORACLE_ACCEPTS;
    }
    enum json_error_code code = json_error_code(&error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
                   code == json_error_stack_overflow
               ? ORACLE_CANNOT_SAY
               : ORACLE_REFUSES;
}

#endif
