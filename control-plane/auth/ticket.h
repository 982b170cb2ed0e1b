/* ticket.h: texts that let one person do one thing: a session's cookie, an invite, a password
 * reset.
 *
 *   sls_ | sli_ | slr_  then base64url of  org 16 | subject 16 | item 16 | secret 32
 *
 *   kind     subject   item
 *   session  user      session
 *   invite   invite    none
 *   reset    user      none
 *
 * The ids say where to look, so no index is needed and a guess costs one look-up; the secret is 256
 * random bits. Stored is only the hash over kind and all 80 bytes, so a ticket cannot be read off
 * the store, nor be used as one of another kind or for another subject. Pure; the caller wipes
 * texts and tickets.
 */
#ifndef SLUICE_CONTROL_AUTH_TICKET_H
#define SLUICE_CONTROL_AUTH_TICKET_H

#include "common/arena.h"
#include "common/id.h"

#define TICKET_BYTES      80
#define TICKET_TEXT       111 /* without NUL: 4 and 107 base64url characters */
#define TICKET_HASH_BYTES 32
#define TICKET_GUARD_TEXT 43 /* without NUL */

enum ticket_kind { TICKET_SESSION, TICKET_INVITE, TICKET_RESET, TICKET_KIND_COUNT };

struct ticket {
    enum ticket_kind kind;
    struct id org, subject, item;
    uint8_t secret[32];
};

/* A new one for (org, subject, item): fills the random secret. */
void ticket_make(enum ticket_kind kind, const struct id *org, const struct id *subject,
                 const struct id *item, struct ticket *ticket);
/* NUL-terminated. */
void ticket_to_text(const struct ticket *ticket, char text[TICKET_TEXT + 1]);
/* ST_INVALID: no ticket of this kind. */
MUST_USE enum status ticket_from_text(enum ticket_kind kind, struct str text,
                                      struct ticket *ticket);
/* What is stored. */
void ticket_hash(const struct ticket *ticket, uint8_t hash[TICKET_HASH_BYTES]);
/* True if `stored` is this ticket's hash; compares in constant time. */
bool ticket_fits(const struct ticket *ticket, struct str stored);
/* The word that a page must send beside a session's cookie (a header that other sites cannot set):
 * follows from the secret, which scripts cannot read. NUL-terminated. */
void ticket_guard(const struct ticket *ticket, char text[TICKET_GUARD_TEXT + 1]);

/* url + "/#/" + place + "?token=" + the ticket, in the arena: a page of the console. Behind '#' it
 * reaches no server's log. p = NULL without memory. */
struct str ticket_link(struct arena *arena, struct str url, const char *place,
                       const struct ticket *ticket);

#endif
