/* url.c: see url.h. What two parsers could read differently is refused (gateway-semantics.md 1.5: host injection by '#' and '@'). */
#include "data-plane/worker/url.h"

#include "common/netaddr.h"

enum status url_split(struct str url, struct url_parts *parts)
{
    struct url_parts out = {.tls = str_starts_nocase(url, STR("https://"))};
    if (!out.tls && !str_starts_nocase(url, STR("http://")))
        return ST_INVALID;
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        if (c <= ' ' || c >= 0x7F || c == '#' || c == '\\')
            return ST_INVALID;
    }
    struct str rest = str_from(url, out.tls ? 8 : 7);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    struct str authority = str_head(rest, end);
    out.path = str_from(rest, end);
    if (str_find_char(authority, '@') >= 0 || str_find_char(authority, '%') >= 0)
        return ST_INVALID;
    TRY(netaddr_split_port(authority, out.tls ? 443 : 80, &out.host, &out.port));
    if (out.host.n == 0 || out.port == 0)
        return ST_INVALID;
    *parts = out;
    return ST_OK;
}
