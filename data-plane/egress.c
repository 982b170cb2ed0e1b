/* egress.c: the last word on where a request may go (reliability.md S5, S6).
 *
 * Classification looks through embedded forms (mapped, NAT64, 6to4), so a private address in disguise is a private address. The check is
 * made on answers of the resolver and again on the socket address when it is opened (upstream_shard.c), against the same pinned list.
 */
#include "data-plane/egress.h"

enum status egress_check_addr(const struct egress_rules *rules, const struct netaddr *addr)
{
    switch (netaddr_classify(addr)) {
    case NETADDR_PUBLIC:
        return ST_OK;
    case NETADDR_METADATA:
    case NETADDR_MULTICAST:
    case NETADDR_RESERVED:
        return ST_EGRESS_DENIED;
    case NETADDR_LOOPBACK:
    case NETADDR_PRIVATE:
    case NETADDR_LINK_LOCAL:
    case NETADDR_CGNAT:
        break;
    }
    for (size_t i = 0; i < COUNT_OF(rules->allowed_private); i++)
        if (netaddr_in_list(addr, rules->allowed_private[i]))
            return ST_OK;
    return ST_EGRESS_DENIED;
}

enum status egress_check_port(const struct egress_rules *rules, uint16_t port)
{
    for (size_t i = 0; i < rules->port_count; i++)
        if (rules->ports[i] == port)
            return ST_OK;
    return ST_EGRESS_DENIED;
}

enum status egress_filter(const struct egress_rules *rules, const struct netaddr *in, size_t n, struct netaddr *out,
                          size_t *count)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (egress_check_addr(rules, &in[i]) == ST_OK)
            out[kept++] = in[i];
    if (kept == 0)
        return ST_EGRESS_DENIED;
    *count = kept;
    return ST_OK;
}

bool egress_may_go_plain(struct str http_hosts, struct str host, const struct netaddr *addrs, size_t count)
{
    struct str rest = http_hosts, pattern;
    bool is_public = false;
    for (size_t i = 0; i < count; i++)
        is_public = is_public || netaddr_classify(&addrs[i]) == NETADDR_PUBLIC;
    while (is_public && rest.n > 0 && str_split(&rest, ',', &pattern))
        is_public = !str_glob(str_trim(pattern), host);
    return !is_public;
}
