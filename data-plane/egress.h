/* egress.h: which addresses and ports a worker may connect to. Pure.
 *
 * Public addresses always; loopback, private and the like only where the operator listed them (allowed_private, per installation or per
 * integration); metadata, multicast and reserved addresses never. One bad answer among several is dropped; none left is a refusal.
 */
#ifndef SLUICE_DATA_EGRESS_H
#define SLUICE_DATA_EGRESS_H

#include "common/netaddr.h"

struct egress_rules {
    struct str allowed_private[2]; /* comma lists: the installation's, the integration's */
    const uint16_t *ports;         /* allowed TCP ports */
    size_t port_count;
};

/* ST_OK or ST_EGRESS_DENIED. */
MUST_USE enum status egress_check_addr(const struct egress_rules *rules, const struct netaddr *addr);
MUST_USE enum status egress_check_port(const struct egress_rules *rules, uint16_t port);
/* Copies the allowed ones of `in` to `out` (same room); *count is how many. ST_EGRESS_DENIED if none is left. */
MUST_USE enum status egress_filter(const struct egress_rules *rules, const struct netaddr *in, size_t n, struct netaddr *out,
                                   size_t *count);

/* Without TLS a credential goes to what the operator opened or named only: private ranges (addresses
 * that are not public passed egress_filter by them), or `http_hosts`, a comma list of patterns. */
bool egress_may_go_plain(struct str http_hosts, struct str host, const struct netaddr *addrs, size_t count);

#endif
