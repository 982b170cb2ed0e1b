/* email.h: e-mail addresses as names of people: compared in lower case. Pure. */
#ifndef SLUICE_CONTROL_DOMAIN_EMAIL_H
#define SLUICE_CONTROL_DOMAIN_EMAIL_H

#include "common/arena.h"

#define EMAIL_MAX 254 /* RFC 5321, 4.5.3.1.3 */

/* One '@' with something on both sides, visible ASCII only. */
bool email_is_valid(struct str email);
/* In lower case, in the arena; p = NULL without memory. */
struct str email_lower(struct arena *arena, struct str email);

#endif
