/* slug.c: see slug.h. A slug may be part of a URL, a model string and a file name, so its alphabet
 * is closed; a name that has no letter of it still gives a slug, from the random digits alone.
 */
#include "control-plane/domain/slug.h"

#include <sodium.h>

#define SLUG_NAME_MAX 60
#define SLUG_TAIL     7 /* "-" and 6 digits */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool slug_is_valid(struct str slug)
{
    struct id id;
    if (slug.n == 0 || slug.n > SLUG_MAX)
        return false;
    for (size_t i = 0; i < slug.n; i++)
        if (!is_plain(slug.p[i]))
            return false;
    return id_from_text(slug, &id) != ST_OK;
}

static void random_hex(char text[7])
{
    uint8_t bytes[3];
    randombytes_buf(bytes, sizeof(bytes));
    (void)sodium_bin2hex(text, 7, bytes, sizeof(bytes));
}

struct str slug_make(struct arena *arena, const char *prefix, struct str name)
{
    char letters[SLUG_NAME_MAX + 1], tail[7];
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < SLUG_NAME_MAX; i++) {
        char c = name.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        if (!is_plain(c) && (n == 0 || letters[n - 1] == '-'))
            continue;
        letters[n++] = is_plain(c) ? c : '-';
    }
    while (n > 0 && letters[n - 1] == '-')
        n--;
    letters[n] = '\0';
    random_hex(tail);
    return arena_printf(arena, "%s%s%s%s", prefix, letters, n == 0 ? "" : "-", tail);
}

struct str slug_suffixed(struct arena *arena, struct str slug)
{
    char tail[7];
    random_hex(tail);
    return arena_printf(arena, STR_FMT "-%s", STR_ARG(str_head(slug, SLUG_MAX - SLUG_TAIL)), tail);
}
