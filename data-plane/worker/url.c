/* url.c: see url.h. What two parsers could read differently is refused (gateway-semantics.md 1.5:
 * host injection by '#' and '@'). */
#include "data-plane/worker/url.h"

#include "common/apikey.h"
#include "common/netaddr.h"
#include "data-plane/worker/percent.h"

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

bool url_host_is_among(struct str hosts, struct str host, uint16_t port)
{
    struct str rest = hosts, item;
    while (rest.n > 0 && str_split(&rest, ',', &item)) {
        uint64_t value;
        if (str_eq(item, host))
            return true;
        if (str_starts(item, host) && item.n > host.n && item.p[host.n] == ':' &&
            str_to_u64(str_from(item, host.n + 1), &value) == ST_OK && value == port)
            return true;
    }
    return false;
}

static bool holds_key(struct str text, struct str secret)
{
    return apikey_is_inside(text) || (secret.n > 0 && str_find(text, secret) >= 0);
}

enum status url_query_without_keys(struct arena *arena, struct str query, struct str secret,
                                   struct str *out)
{
    struct str plain = percent_decode(arena, query), rest = query, pair;
    if (plain.p == NULL)
        return ST_NO_MEMORY;
    *out = query;
    if (!holds_key(plain, secret))
        return ST_OK;
    char *kept = arena_alloc(arena, query.n + 1);
    size_t n = 0;
    if (kept == NULL)
        return ST_NO_MEMORY;
    while (rest.n > 0 && str_split(&rest, '&', &pair)) {
        plain = percent_decode(arena, pair);
        if (plain.p == NULL)
            return ST_NO_MEMORY;
        if (holds_key(plain, secret))
            continue;
        if (n > 0)
            kept[n++] = '&';
        memcpy(kept + n, pair.p, pair.n);
        n += pair.n;
    }
    *out = str_of(kept, n);
    return ST_OK;
}

enum status url_query_without(struct arena *arena, struct str query, struct str name,
                              struct str *out)
{
    struct str rest = query, pair;
    size_t n = 0;
    *out = query;
    if (str_find(query, name) < 0)
        return ST_OK;
    char *kept = arena_alloc(arena, query.n + 1);
    if (kept == NULL)
        return ST_NO_MEMORY;
    while (rest.n > 0 && str_split(&rest, '&', &pair)) {
        bool same = str_starts(pair, name) && (pair.n == name.n || pair.p[name.n] == '=');
        if (same)
            continue;
        if (n > 0)
            kept[n++] = '&';
        memcpy(kept + n, pair.p, pair.n);
        n += pair.n;
    }
    *out = str_of(kept, n);
    return ST_OK;
}
