/* forwarded.c: X-Forwarded-For, believed only as far as each hop is trusted (forwarded.h).
 *
 * Why from the right: each proxy appends the address it saw, so only the part that trusted proxies
 * wrote is true; what stands further left is whatever the client made up. Several header lines
 * count as one list. Never: look past FORWARDED_HOPS_MAX items.
 */
#include "data-plane/worker/forwarded.h"

/* The next item from the right of `list`; false when it is used up. */
static bool last_item(struct str *list, struct str *item)
{
    if (list->p == NULL)
        return false;
    size_t at = list->n;
    while (at > 0 && list->p[at - 1] != ',')
        at--;
    *item = str_trim(str_from(*list, at));
    *list = at == 0 ? STR_NONE : str_head(*list, at - 1);
    return true;
}

/* An address, with or without a port. */
static bool read_address(struct str item, struct netaddr *addr)
{
    struct str host;
    uint16_t port = 0;
    if (netaddr_from_text(item, addr) == ST_OK)
        return true;
    return netaddr_split_port(item, 0, &host, &port) == ST_OK &&
           netaddr_from_text(host, addr) == ST_OK;
}

void forwarded_peer(const struct http_head *head, struct str trusted, struct netaddr *peer)
{
    int hops = 0;
    for (size_t i = head->header_count; i > 0; i--) {
        if (!str_eq_nocase(head->headers[i - 1].name, STR("x-forwarded-for")))
            continue;
        struct str list = head->headers[i - 1].value, item;
        while (last_item(&list, &item)) {
            struct netaddr addr;
            if (hops++ == FORWARDED_HOPS_MAX || !netaddr_in_list(peer, trusted) ||
                !read_address(item, &addr))
                return;
            *peer = addr;
        }
    }
}
