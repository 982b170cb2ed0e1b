/* email.c: see email.h.
 *
 * Deliberately less than RFC 5321's grammar: quoted local parts and foreign scripts are refused, so
 * two texts that a mail server takes for one mailbox seldom become two people here.
 */
#include "control-plane/domain/email.h"

bool email_is_valid(struct str email)
{
    ptrdiff_t at = str_find_char(email, '@');
    for (size_t i = 0; i < email.n; i++)
        if (email.p[i] <= 0x20 || email.p[i] >= 0x7F)
            return false;
    return at > 0 && (size_t)at + 1 < email.n && email.n <= EMAIL_MAX &&
           str_find_char(str_from(email, (size_t)at + 1), '@') < 0;
}

struct str email_lower(struct arena *arena, struct str email)
{
    char *text = arena_cstr(arena, email);
    for (size_t i = 0; text != NULL && i < email.n; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] + 32);
    return text == NULL ? STR_NONE : str_of(text, email.n);
}
