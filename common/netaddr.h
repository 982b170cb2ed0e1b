/* netaddr.h: IP addresses: strict text, sets of ranges, and what kind of place an address is.
 *
 * Pure; no DNS. Text forms are strict: dotted decimal without leading zeros, RFC 4291 for IPv6 (no
 * zone). The odd spellings that inet_aton accepts (0x7f.1, 127.1, 2130706433, 017700000001) are
 * refused. IPv4-mapped IPv6 is stored and classified as IPv4.
 */
#ifndef SLUICE_COMMON_NETADDR_H
#define SLUICE_COMMON_NETADDR_H

#include <sys/socket.h>

#include "common/str.h"

#define NETADDR_TEXT 45 /* without NUL and brackets */

struct netaddr {
    uint8_t family; /* 4 or 6; 0 = none */
    uint8_t b[16];  /* the first 4 for family 4 */
};

enum netaddr_class {
    NETADDR_PUBLIC,
    NETADDR_LOOPBACK,   /* 127/8, ::1 */
    NETADDR_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, fc00::/7 */
    NETADDR_LINK_LOCAL, /* 169.254/16, fe80::/10 */
    NETADDR_METADATA,   /* 169.254.169.254, fd00:ec2::254, 100.100.100.200, ...: never allowed */
    NETADDR_CGNAT,      /* 100.64/10 */
    NETADDR_MULTICAST,
    NETADDR_RESERVED, /* 0/8, 192.0.0/24, documentation, benchmarking, 240/4, ::, ... */
};

/* Addresses embedded in NAT64 (64:ff9b::/96), 6to4 (2002::/16), Teredo and v4-compatible forms are
 * classified by the inner one. */
enum netaddr_class netaddr_classify(const struct netaddr *addr);
const char *netaddr_class_text(enum netaddr_class kind);

/* ST_INVALID. IPv6 with or without brackets. */
MUST_USE enum status netaddr_from_text(struct str text, struct netaddr *addr);
/* True if the text looks like an attempt at an IP address in any spelling (last label a number as
 * inet_aton reads it, brackets, colons, '%', and any byte beyond ASCII, because IDNA maps foreign
 * digits to ASCII ones): then it is either accepted by netaddr_from_text or must be refused, never
 * looked up as a name. */
bool netaddr_looks_numeric(struct str host);
/* NUL-terminated; IPv6 per RFC 5952, without brackets. */
void netaddr_to_text(const struct netaddr *addr, char text[NETADDR_TEXT + 1]);

/* ST_INVALID for another family. */
MUST_USE enum status netaddr_from_sockaddr(const struct sockaddr *sockaddr, struct netaddr *addr,
                                           uint16_t *port);
socklen_t netaddr_to_sockaddr(const struct netaddr *addr, uint16_t port,
                              struct sockaddr_storage *out);
bool netaddr_eq(const struct netaddr *a, const struct netaddr *b);

/* "host:port", "[v6]:port", or without a port (then *port = fallback). Ports 1 to 65535 without
 * leading zeros. `host` borrows, without brackets: a strict address, or a name of letters, digits,
 * '-', '_', '.'. ST_INVALID. */
MUST_USE enum status netaddr_split_port(struct str text, uint16_t fallback, struct str *host,
                                        uint16_t *port);

/* A comma list of CIDRs (no bit set behind the prefix) and addresses, as text. True if `addr` is in
 * it. A malformed item matches nothing. */
bool netaddr_in_list(const struct netaddr *addr, struct str list);
/* ST_INVALID with the first malformed item in `bad`. */
MUST_USE enum status netaddr_check_list(struct str list, struct str *bad);

#endif
