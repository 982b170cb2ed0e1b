/* percent.c: see percent.h. One pass, once: what was escaped twice stays escaped once. */
#include "data-plane/worker/percent.h"

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

struct str percent_decode(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < text.n; i++) {
        bool escape = text.p[i] == '%' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 &&
                      hex(text.p[i + 2]) >= 0;
        out[n++] = escape ? (char)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2])) : text.p[i];
        i += escape ? 2 : 0;
    }
    return out == NULL ? STR_NONE : str_of(out, n);
}
