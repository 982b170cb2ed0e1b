/* apikey.h: our own API keys.
 *
 *   slk_ bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccc
 *   prefix  body: 43 base64url characters, 256 bits    check: 6 base64url characters
 *
 * check = the first 36 bits of BLAKE2b-256("slk_" + body), personalised "sluice-keycheck0": a
 * typing error or a half-copied key is told apart from an unknown one without a look-up, and
 * scanners of source code can find our keys with few false alarms. A key is stored and found by
 * apikey_hash: BLAKE2b-256 of the whole text, personalised "sluice-api-key-0". No salt and no
 * stretching: the body has 256 random bits. Keys moved here from elsewhere are hashed in the same
 * way. Pure; the caller wipes the text of a key.
 */
#ifndef SLUICE_COMMON_APIKEY_H
#define SLUICE_COMMON_APIKEY_H

#include "common/str.h"

#define APIKEY_PREFIX      "slk_"
#define APIKEY_BODY        43
#define APIKEY_CHECK       6
#define APIKEY_TEXT        (4 + APIKEY_BODY + APIKEY_CHECK) /* without NUL */
#define APIKEY_HASH_BYTES  32
#define APIKEY_MASKED_TEXT 15 /* slk_abcd...wxyz, without NUL */

#define APIKEY_BYTES       32 /* what a key is made of */

/* A new random key, NUL-terminated. */
void apikey_make(char text[APIKEY_TEXT + 1]);
/* The key that follows from 32 random bytes, NUL-terminated. */
void apikey_make_of(const uint8_t bytes[APIKEY_BYTES], char text[APIKEY_TEXT + 1]);
/* True if it has our prefix, length, alphabet and check: made by some Sluice, known or not. */
bool apikey_is_ours(struct str text);
/* True if it begins with our prefix (any case, blanks before it): such a value must never be sent
 * upstream. */
bool apikey_has_prefix(struct str text);
/* True if our prefix stands anywhere in it, in any case: a key, or a text with one in it. */
bool apikey_is_inside(struct str text);
/* What a key is stored and found by. Any text. */
void apikey_hash(struct str text, uint8_t hash[APIKEY_HASH_BYTES]);
/* For display: prefix, first 4 and last 4 characters of a key of ours ("slk_abcd...wxyz"); for
 * other texts of 24 characters or more "abcd...wxyz"; shorter ones "...". NUL-terminated. Bytes
 * that are not visible ASCII show as `?`. */
void apikey_mask(struct str text, char masked[APIKEY_MASKED_TEXT + 1]);

#endif
