/* decimal.h: orders decimal numbers by their text, exactly.
 *
 * Numbers of requests and conditions stay text (json_tree.h); two of them are compared digit by
 * digit, so 9007199254740993 is not 9007199254740992 and 1e400 is not infinity. Pure; borrows;
 * linear in the texts' lengths.
 */
#ifndef SLUICE_COMMON_DECIMAL_H
#define SLUICE_COMMON_DECIMAL_H

#include "common/str.h"

/* Takes the number at the front of `text`, behind white space: [+-] digits [. digits] [e [+-]
 * digits], with a digit before or behind the point (what ECMAScript's parseFloat reads, without its
 * Infinity). False when there is none. */
bool decimal_prefix(struct str text, struct str *number);

/* -1, 0, 1. Both must be what decimal_prefix gives, which every JSON number is. */
int decimal_cmp(struct str a, struct str b);

#endif
