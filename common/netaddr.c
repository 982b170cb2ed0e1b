/* netaddr.c: see netaddr.h.
 *
 * Classification is a table of prefixes, first match wins; what it does not list is public in IPv4
 * and, in IPv6, public within 2000::/3 only. Forms that carry an IPv4 address inside are unwrapped
 * first, because a translator on the way would deliver the packet to the inner address.
 *
 * Invariant: an IPv4-mapped IPv6 address never leaves this file as family 6, so no check can be
 * passed by spelling. It must never guess: a text is one strict form or it is refused.
 *
 * Sources: IANA special-purpose registries for IPv4 and IPv6; RFC 6052 (NAT64), 3056 (6to4), 4380
 * (Teredo), 6145 (SIIT), 5952 (text); the cloud providers' documents for metadata addresses.
 */
#include "common/netaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct prefix {
    uint8_t family, bits;
    enum netaddr_class kind;
    uint8_t b[16];
};

static const struct prefix prefixes[] = {
    /* metadata: AWS, GCP, Azure, OpenStack, DigitalOcean; ECS; EKS; AWS time and names; Scaleway;
       Alibaba; Oracle; Azure wire server */
    {4, 32, NETADDR_METADATA, {169, 254, 169, 254}},
    {4, 32, NETADDR_METADATA, {169, 254, 170, 2}},
    {4, 32, NETADDR_METADATA, {169, 254, 170, 23}},
    {4, 31, NETADDR_METADATA, {169, 254, 169, 252}},
    {4, 32, NETADDR_METADATA, {169, 254, 169, 123}},
    {4, 32, NETADDR_METADATA, {169, 254, 42, 42}},
    {4, 32, NETADDR_METADATA, {100, 100, 100, 200}},
    {4, 32, NETADDR_METADATA, {192, 0, 0, 192}},
    {4, 32, NETADDR_METADATA, {168, 63, 129, 16}},
    {6, 32, NETADDR_METADATA, {0xfd, 0x00, 0x0e, 0xc2}},
    {6, 128, NETADDR_METADATA, {0xfd, 0x20, 0, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}},
    {6, 128, NETADDR_METADATA, {0xfd, 0x00, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x42}},

    {4, 8, NETADDR_RESERVED, {0}},
    {4, 8, NETADDR_PRIVATE, {10}},
    {4, 10, NETADDR_CGNAT, {100, 64}},
    {4, 8, NETADDR_LOOPBACK, {127}},
    {4, 16, NETADDR_LINK_LOCAL, {169, 254}},
    {4, 12, NETADDR_PRIVATE, {172, 16}},
    {4, 24, NETADDR_RESERVED, {192, 0, 0}},
    {4, 24, NETADDR_RESERVED, {192, 0, 2}},   /* documentation */
    {4, 24, NETADDR_RESERVED, {192, 88, 99}}, /* 6to4 relays */
    {4, 16, NETADDR_PRIVATE, {192, 168}},
    {4, 15, NETADDR_RESERVED, {198, 18}},      /* benchmarking */
    {4, 24, NETADDR_RESERVED, {198, 51, 100}}, /* documentation */
    {4, 24, NETADDR_RESERVED, {203, 0, 113}},  /* documentation */
    {4, 4, NETADDR_MULTICAST, {224}},
    {4, 4, NETADDR_RESERVED, {240}},
    {4, 0, NETADDR_PUBLIC, {0}},

    {6, 128, NETADDR_RESERVED, {0}},
    {6, 128, NETADDR_LOOPBACK, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
    {6, 23, NETADDR_RESERVED, {0x20, 0x01}}, /* protocol assignments, benchmarking, ORCHID */
    {6, 32, NETADDR_RESERVED, {0x20, 0x01, 0x0d, 0xb8}}, /* documentation */
    {6, 20, NETADDR_RESERVED, {0x3f, 0xff}},             /* documentation */
    {6, 7, NETADDR_PRIVATE, {0xfc}},
    {6, 10, NETADDR_LINK_LOCAL, {0xfe, 0x80}},
    {6, 10, NETADDR_PRIVATE, {0xfe, 0xc0}}, /* site-local, deprecated */
    {6, 8, NETADDR_MULTICAST, {0xff}},
    {6, 3, NETADDR_PUBLIC, {0x20}},
    {6, 0, NETADDR_RESERVED, {0}},
};

/* Where an IPv4 address lies within an IPv6 one. */
static const struct embedding {
    uint8_t bits, at;
    bool inverted;
    uint8_t b[12];
} embeddings[] = {
    {96, 12, false, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, /* mapped */
    {96, 12, false, {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}}, /* translated (SIIT) */
    {96, 12, false, {0x00, 0x64, 0xff, 0x9b}},                   /* NAT64 */
    {48, 12, false, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}}, /* NAT64, local prefixes of 96 bits */
    {16, 2, false, {0x20, 0x02}},                          /* 6to4 */
    {32, 12, true, {0x20, 0x01, 0x00, 0x00}},              /* Teredo: the client */
    {96, 12, false, {0}},                                  /* v4-compatible; :: and ::1 are not */
};

static bool bits_match(const uint8_t *a, const uint8_t *b, size_t bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    unsigned mask = 0xFF00u >> bits % 8 & 0xFF;
    return bits % 8 == 0 || ((unsigned)(a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

static enum netaddr_class classify(uint8_t family, const uint8_t *b)
{
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (prefixes[i].family == family && bits_match(prefixes[i].b, b, prefixes[i].bits))
            return prefixes[i].kind;
    return NETADDR_RESERVED;
}

static bool is_zero_or_one(const uint8_t *b)
{
    static const uint8_t zero[15];
    return memcmp(b, zero, sizeof zero) == 0 && b[15] <= 1;
}

enum netaddr_class netaddr_classify(const struct netaddr *addr)
{
    if (addr->family == 4)
        return classify(4, addr->b);
    if (addr->family != 6)
        return NETADDR_RESERVED;
    for (size_t i = 0; i < COUNT_OF(embeddings) && !is_zero_or_one(addr->b); i++) {
        const struct embedding *e = &embeddings[i];
        if (!bits_match(e->b, addr->b, e->bits))
            continue;
        uint8_t inner[4];
        for (size_t k = 0; k < 4; k++)
            inner[k] = e->inverted ? (uint8_t)~addr->b[e->at + k] : addr->b[e->at + k];
        return classify(4, inner);
    }
    return classify(6, addr->b);
}

const char *netaddr_class_text(enum netaddr_class kind)
{
    static const char *const texts[] = {
        [NETADDR_PUBLIC] = "public",       [NETADDR_LOOPBACK] = "loopback",
        [NETADDR_PRIVATE] = "private",     [NETADDR_LINK_LOCAL] = "link-local",
        [NETADDR_METADATA] = "metadata",   [NETADDR_CGNAT] = "shared (CGNAT)",
        [NETADDR_MULTICAST] = "multicast", [NETADDR_RESERVED] = "reserved",
    };
    CHECK((size_t)kind < COUNT_OF(texts));
    return texts[kind];
}

/* --- text */

static struct netaddr from_v6(const uint8_t b[16])
{
    struct netaddr addr = {.family = 6};
    if (bits_match(embeddings[0].b, b, embeddings[0].bits)) {
        addr.family = 4;
        memcpy(addr.b, b + 12, 4);
    } else {
        memcpy(addr.b, b, 16);
    }
    return addr;
}

enum status netaddr_from_text(struct str text, struct netaddr *addr)
{
    char copy[NETADDR_TEXT + 1];
    uint8_t b[16];
    bool brackets = text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';
    if (brackets)
        text = str_of(text.p + 1, text.n - 2);
    if (text.n == 0 || text.n > NETADDR_TEXT || str_find_char(text, '\0') >= 0)
        return ST_INVALID;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (str_find_char(text, ':') >= 0) {
        if (inet_pton(AF_INET6, copy, b) != 1)
            return ST_INVALID;
        *addr = from_v6(b);
        return ST_OK;
    }
    if (brackets || inet_pton(AF_INET, copy, b) != 1)
        return ST_INVALID;
    *addr = (struct netaddr){.family = 4};
    memcpy(addr->b, b, 4);
    return ST_OK;
}

void netaddr_to_text(const struct netaddr *addr, char text[NETADDR_TEXT + 1])
{
    text[0] = '\0';
    if (addr->family == 4 || addr->family == 6)
        CHECK(inet_ntop(addr->family == 4 ? AF_INET : AF_INET6, addr->b, text, NETADDR_TEXT + 1) !=
              NULL);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number as inet_aton reads it: decimal, octal or hexadecimal digits. */
static bool is_number(struct str label)
{
    bool hex = label.n >= 2 && label.p[0] == '0' && (label.p[1] == 'x' || label.p[1] == 'X');
    for (size_t i = hex ? 2 : 0; i < label.n; i++) {
        char c = label.p[i];
        if (!is_digit(c) && !(hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))))
            return false;
    }
    return label.n > 0;
}

bool netaddr_looks_numeric(struct str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] == ':' || host.p[i] == '[' || host.p[i] == ']' || host.p[i] == '%' ||
            (unsigned char)host.p[i] >= 0x80)
            return true;
    while (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    struct str label = host;
    for (size_t i = host.n; i > 0; i--) {
        if (host.p[i - 1] == '.') {
            label = str_from(host, i);
            break;
        }
    }
    return is_number(label);
}

static enum status read_port(struct str text, uint16_t *port)
{
    uint64_t value;
    if (text.n > 5 || (text.n > 0 && text.p[0] == '0') || str_to_u64(text, &value) != ST_OK ||
        value > 65535)
        return ST_INVALID;
    *port = (uint16_t)value;
    return ST_OK;
}

/* A strict address, or a name of letters, digits, '-', '_' and '.' that no resolver could take for
 * an address. */
static bool is_host(struct str host)
{
    struct netaddr addr;
    if (netaddr_looks_numeric(host))
        return netaddr_from_text(host, &addr) == ST_OK;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '-' &&
            c != '_' && c != '.')
            return false;
    }
    return host.n > 0 && host.n <= 253 && host.p[0] != '.';
}

enum status netaddr_split_port(struct str text, uint16_t fallback, struct str *host, uint16_t *port)
{
    struct str name = text, digits = STR_NONE;
    struct netaddr addr;
    if (text.n > 0 && text.p[0] == '[') {
        ptrdiff_t close = str_find_char(text, ']');
        if (close < 0)
            return ST_INVALID;
        name = str_of(text.p + 1, (size_t)close - 1);
        digits = str_from(text, (size_t)close + 1);
        if (str_find_char(name, ':') < 0 || (digits.n > 0 && digits.p[0] != ':'))
            return ST_INVALID;
    } else if (netaddr_from_text(text, &addr) != ST_OK) {
        ptrdiff_t colon = str_find_char(text, ':');
        if (colon >= 0) {
            name = str_head(text, (size_t)colon);
            digits = str_from(text, (size_t)colon);
        }
    }
    uint16_t found = fallback;
    if (!is_host(name) || (digits.n > 0 && read_port(str_from(digits, 1), &found) != ST_OK))
        return ST_INVALID;
    *host = name;
    *port = found;
    return ST_OK;
}

/* --- sockets */

enum status netaddr_from_sockaddr(const struct sockaddr *sockaddr, struct netaddr *addr,
                                  uint16_t *port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    switch (sockaddr->sa_family) {
    case AF_INET:
        memcpy(&v4, sockaddr, sizeof v4);
        *addr = (struct netaddr){.family = 4};
        memcpy(addr->b, &v4.sin_addr, 4);
        *port = ntohs(v4.sin_port);
        return ST_OK;
    case AF_INET6:
        memcpy(&v6, sockaddr, sizeof v6);
        *addr = from_v6(v6.sin6_addr.s6_addr);
        *port = ntohs(v6.sin6_port);
        return ST_OK;
    default:
        return ST_INVALID;
    }
}

socklen_t netaddr_to_sockaddr(const struct netaddr *addr, uint16_t port,
                              struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->family == 4) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&v4.sin_addr, addr->b, 4);
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    CHECK(addr->family == 6);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&v6.sin6_addr, addr->b, 16);
    memcpy(out, &v6, sizeof v6);
    return sizeof v6;
}

bool netaddr_eq(const struct netaddr *a, const struct netaddr *b)
{
    return a->family == b->family && memcmp(a->b, b->b, a->family == 4 ? 4 : 16) == 0;
}

/* --- lists */

/* "address" or "address/bits" with no bit set behind the prefix. */
static enum status read_cidr(struct str text, struct netaddr *addr, size_t *bits)
{
    ptrdiff_t slash = str_find_char(text, '/');
    struct str head = slash < 0 ? text : str_head(text, (size_t)slash);
    TRY(netaddr_from_text(head, addr));
    size_t width = addr->family == 4 ? 32 : 128;
    *bits = width;
    if (slash < 0)
        return ST_OK;
    struct str digits = str_from(text, (size_t)slash + 1);
    bool mapped = addr->family == 4 && str_find_char(head, ':') >= 0;
    uint64_t value;
    if (digits.n > 3 || (digits.n > 1 && digits.p[0] == '0') ||
        str_to_u64(digits, &value) != ST_OK || (mapped && value < 96))
        return ST_INVALID;
    *bits = (size_t)value - (mapped ? 96 : 0);
    if (*bits > width)
        return ST_INVALID;
    for (size_t i = *bits; i < width; i++)
        if ((addr->b[i / 8] & (0x80u >> i % 8)) != 0)
            return ST_INVALID;
    return ST_OK;
}

bool netaddr_in_list(const struct netaddr *addr, struct str list)
{
    struct str item;
    struct netaddr base;
    size_t bits;
    while (str_split(&list, ',', &item))
        if (read_cidr(str_trim(item), &base, &bits) == ST_OK && base.family == addr->family &&
            bits_match(base.b, addr->b, bits))
            return true;
    return false;
}

enum status netaddr_check_list(struct str list, struct str *bad)
{
    struct str item;
    struct netaddr base;
    size_t bits;
    while (str_split(&list, ',', &item)) {
        item = str_trim(item);
        if (item.n > 0 && read_cidr(item, &base, &bits) != ST_OK) {
            *bad = item;
            return ST_INVALID;
        }
    }
    return ST_OK;
}
