/* netaddr_test.c: one table per function; every row is a text that somebody has used to get past
 * such a check. */
#include "common/netaddr.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

#define S(literal)                                                                                 \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

Test(netaddr, classes)
{
    static const struct {
        const char *text;
        enum netaddr_class kind;
    } rows[] = {
        {"8.8.8.8", NETADDR_PUBLIC},
        {"1.0.0.1", NETADDR_PUBLIC},
        {"172.15.255.255", NETADDR_PUBLIC},
        {"172.32.0.0", NETADDR_PUBLIC},
        {"192.167.255.255", NETADDR_PUBLIC},
        {"100.63.255.255", NETADDR_PUBLIC},
        {"100.128.0.0", NETADDR_PUBLIC},
        {"198.17.255.255", NETADDR_PUBLIC},
        {"198.20.0.0", NETADDR_PUBLIC},
        {"223.255.255.255", NETADDR_PUBLIC},
        {"192.0.1.0", NETADDR_PUBLIC},
        {"0.0.0.0", NETADDR_RESERVED},
        {"0.1.2.3", NETADDR_RESERVED},
        {"127.0.0.1", NETADDR_LOOPBACK},
        {"127.255.255.254", NETADDR_LOOPBACK},
        {"10.0.0.1", NETADDR_PRIVATE},
        {"10.255.255.255", NETADDR_PRIVATE},
        {"172.16.0.0", NETADDR_PRIVATE},
        {"172.31.255.255", NETADDR_PRIVATE},
        {"192.168.1.1", NETADDR_PRIVATE},
        {"169.254.0.1", NETADDR_LINK_LOCAL},
        {"169.254.255.255", NETADDR_LINK_LOCAL},
        {"169.254.169.254", NETADDR_METADATA},
        {"169.254.169.253", NETADDR_METADATA},
        {"169.254.170.2", NETADDR_METADATA},
        {"169.254.170.23", NETADDR_METADATA},
        {"100.100.100.200", NETADDR_METADATA},
        {"192.0.0.192", NETADDR_METADATA},
        {"168.63.129.16", NETADDR_METADATA},
        {"168.63.129.17", NETADDR_PUBLIC},
        {"100.64.0.0", NETADDR_CGNAT},
        {"100.127.255.255", NETADDR_CGNAT},
        {"192.0.0.1", NETADDR_RESERVED},
        {"192.0.2.1", NETADDR_RESERVED},
        {"192.88.99.1", NETADDR_RESERVED},
        {"198.18.0.1", NETADDR_RESERVED},
        {"198.19.255.255", NETADDR_RESERVED},
        {"198.51.100.7", NETADDR_RESERVED},
        {"203.0.113.9", NETADDR_RESERVED},
        {"224.0.0.1", NETADDR_MULTICAST},
        {"239.255.255.255", NETADDR_MULTICAST},
        {"240.0.0.1", NETADDR_RESERVED},
        {"255.255.255.255", NETADDR_RESERVED},
        {"2606:4700::1111", NETADDR_PUBLIC},
        {"2a00:1450::1", NETADDR_PUBLIC},
        {"3ffe::1", NETADDR_PUBLIC},
        {"::", NETADDR_RESERVED},
        {"::1", NETADDR_LOOPBACK},
        {"fc00::1", NETADDR_PRIVATE},
        {"fdff::1", NETADDR_PRIVATE},
        {"fec0::1", NETADDR_PRIVATE},
        {"fe80::1", NETADDR_LINK_LOCAL},
        {"febf::1", NETADDR_LINK_LOCAL},
        {"fd00:ec2::254", NETADDR_METADATA},
        {"fd00:ec2::23", NETADDR_METADATA},
        {"fd20:ce::254", NETADDR_METADATA},
        {"fd00:42::42", NETADDR_METADATA},
        {"ff02::1", NETADDR_MULTICAST},
        {"2001:db8::1", NETADDR_RESERVED},
        {"2001:2::1", NETADDR_RESERVED},
        {"2001:10::1", NETADDR_RESERVED},
        {"3fff::1", NETADDR_RESERVED},
        {"100::1", NETADDR_RESERVED},
        {"5f00::1", NETADDR_RESERVED},
        {"4000::1", NETADDR_RESERVED},
        {"1::1", NETADDR_RESERVED},
        {"2001:200::1", NETADDR_PUBLIC},
        /* an IPv4 address inside */
        {"::ffff:127.0.0.1", NETADDR_LOOPBACK},
        {"::ffff:7f00:1", NETADDR_LOOPBACK},
        {"::ffff:8.8.8.8", NETADDR_PUBLIC},
        {"::ffff:a9fe:a9fe", NETADDR_METADATA},
        {"::127.0.0.1", NETADDR_LOOPBACK},
        {"::10.0.0.1", NETADDR_PRIVATE},
        {"::2", NETADDR_RESERVED},
        {"::ffff:0:10.0.0.1", NETADDR_PRIVATE},
        {"64:ff9b::10.0.0.1", NETADDR_PRIVATE},
        {"64:ff9b::a9fe:a9fe", NETADDR_METADATA},
        {"64:ff9b::8.8.8.8", NETADDR_PUBLIC},
        {"64:ff9b:1::7f00:1", NETADDR_LOOPBACK},
        {"64:ff9b:1:ffff::a00:1", NETADDR_PRIVATE},
        {"2002:7f00:1::", NETADDR_LOOPBACK},
        {"2002:a9fe:a9fe::1", NETADDR_METADATA},
        {"2002:808:808::1", NETADDR_PUBLIC},
        {"2001:0:4136:e378:8000:63bf:80ff:fffe", NETADDR_LOOPBACK}, /* Teredo client 127.0.0.1 */
        {"2001:0:4136:e378:8000:63bf:3fff:fdd2", NETADDR_RESERVED}, /* Teredo client 192.0.2.45 */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct netaddr addr;
        cr_assert_eq(netaddr_from_text(str_c(rows[i].text), &addr), ST_OK, "%s", rows[i].text);
        cr_expect_eq(netaddr_classify(&addr), rows[i].kind, "%s is %s", rows[i].text,
                     netaddr_class_text(netaddr_classify(&addr)));
    }
    cr_expect_eq(netaddr_classify(&(struct netaddr){.family = 0}), NETADDR_RESERVED);
    /* a mapped address that came in as raw bytes */
    struct netaddr raw = {.family = 6, .b = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    cr_expect_eq(netaddr_classify(&raw), NETADDR_LOOPBACK);
}

Test(netaddr, odd_spellings_are_refused)
{
    static const struct str rows[] = {
        S(""),
        S("."),
        S("1"),
        S("127.1"),
        S("127.0.1"),
        S("2130706433"),
        S("0x7f000001"),
        S("0x7f.0.0.1"),
        S("0177.0.0.1"),
        S("017700000001"),
        S("127.0.0.01"),
        S("127.0.0.001"),
        S("00.0.0.0"),
        S("127.0.0.1."),
        S(".127.0.0.1"),
        S("127..0.1"),
        S("127.0.0.256"),
        S("1.2.3.4.5"),
        S("1.2.3.+4"),
        S("1.2.3.-4"),
        S("1.2.3. 4"),
        S(" 1.2.3.4"),
        S("1.2.3.4 "),
        S("1.2.3.4\n"),
        S("1.2.3.4\0"),
        S("1.2.3.4\0.com"),
        S("1.2.3.4/8"),
        S("1.2.3.4:80"),
        S("[1.2.3.4]"),
        S("1.2.3.a"),
        S("\xEF\xBC\x91.2.3.4"),
        S(":"),
        S(":::"),
        S("1:2"),
        S("1:2:3:4:5:6:7"),
        S("1:2:3:4:5:6:7:8:9"),
        S("::1::"),
        S("1::2::3"),
        S("12345::"),
        S("g::"),
        S("fe80::1%eth0"),
        S("fe80::1%25eth0"),
        S("::ffff:1.2.3"),
        S("::ffff:0x7f.0.0.1"),
        S("::1.2.3.4.5"),
        S("1.2.3.4::"),
        S("[::1"),
        S("::1]"),
        S("[[::1]]"),
        S("[]"),
        S("[::1]:80"),
        S("::1/128"),
        S("localhost"),
        S("1:2:3:4:5:6:7:8:"),
        S(":1:2:3:4:5:6:7"),
        S("::127.0.0.01"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct netaddr addr = {.family = 9};
        cr_expect_eq(netaddr_from_text(rows[i], &addr), ST_INVALID, "row %zu: %s", i, rows[i].p);
        cr_expect_eq(addr.family, 9, "nothing is set on failure");
    }
}

Test(netaddr, text_and_back)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"1.2.3.4", "1.2.3.4"},
        {"255.255.255.255", "255.255.255.255"},
        {"0.0.0.0", "0.0.0.0"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"[::]", "::"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
        {"::FFFF:0102:0304", "1.2.3.4"},
        {"fe80::00aB", "fe80::ab"},
        {"1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct netaddr addr, again;
        struct sockaddr_storage storage;
        char text[NETADDR_TEXT + 1];
        uint16_t port;
        cr_assert_eq(netaddr_from_text(str_c(rows[i].text), &addr), ST_OK, "%s", rows[i].text);
        netaddr_to_text(&addr, text);
        cr_expect_str_eq(text, rows[i].wanted);
        cr_assert_eq(netaddr_from_text(str_c(text), &again), ST_OK);
        cr_expect(netaddr_eq(&addr, &again));
        cr_expect_neq(netaddr_to_sockaddr(&addr, 8787, &storage), 0);
        cr_assert_eq(netaddr_from_sockaddr((struct sockaddr *)&storage, &again, &port), ST_OK);
        cr_expect(netaddr_eq(&addr, &again));
        cr_expect_eq(port, 8787);
    }
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(5)};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct netaddr addr, loopback;
    uint16_t port;
    cr_assert_eq(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr), 1);
    cr_assert_eq(netaddr_from_sockaddr((struct sockaddr *)&mapped, &addr, &port), ST_OK);
    cr_assert_eq(netaddr_from_text(STR("127.0.0.1"), &loopback), ST_OK);
    cr_expect(netaddr_eq(&addr, &loopback), "a mapped peer is an IPv4 peer");
    cr_expect_eq(netaddr_from_sockaddr(&other, &addr, &port), ST_INVALID);
}

Test(netaddr, looks_numeric)
{
    static const struct {
        const char *text;
        bool numeric;
    } rows[] = {
        {"127.0.0.1", true},
        {"127.1", true},
        {"1", true},
        {"2130706433", true},
        {"0x7f000001", true},
        {"0x7f.1", true},
        {"0X7F", true},
        {"0x", true},
        {"017700000001", true},
        {"127.0.0.1.", true},
        {"127.0.0.1..", true},
        {"foo.1", true},
        {"foo.0x1f", true},
        {"::1", true},
        {"[::1]", true},
        {"a:b", true},
        {"fe80%1", true},
        {"\xE2\x91\xA0.0.0.1", true},
        {"example.com", false},
        {"1.example.com", false},
        {"1e3", false},
        {"0xg", false},
        {"10.0.0.1.nip.io", false},
        {"a", false},
        {"", false},
        {"3com", false},
        {"f00", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(netaddr_looks_numeric(str_c(rows[i].text)), rows[i].numeric, "%s",
                     rows[i].text);
}

Test(netaddr, host_and_port)
{
    static const struct {
        struct str text, host;
        uint16_t port; /* 0: refused */
    } rows[] = {
        {S("example.com"), S("example.com"), 443},
        {S("example.com:8443"), S("example.com"), 8443},
        {S("1.2.3.4"), S("1.2.3.4"), 443},
        {S("1.2.3.4:1"), S("1.2.3.4"), 1},
        {S("::1"), S("::1"), 443},
        {S("[::1]"), S("::1"), 443},
        {S("[::1]:65535"), S("::1"), 65535},
        {S("my_host-1:80"), S("my_host-1"), 80},
        {S("10.0.0.1.nip.io:443"), S("10.0.0.1.nip.io"), 443},
        {S(""), S(""), 0},
        {S(":80"), S(""), 0},
        {S("a:"), S(""), 0},
        {S("a:0"), S(""), 0},
        {S("a:65536"), S(""), 0},
        {S("a:080"), S(""), 0},
        {S("a:+80"), S(""), 0},
        {S("a: 80"), S(""), 0},
        {S("a:80 "), S(""), 0},
        {S("a:8x"), S(""), 0},
        {S("a:80:90"), S(""), 0},
        {S("a:999999"), S(""), 0},
        {S("[::1"), S(""), 0},
        {S("[::1]80"), S(""), 0},
        {S("[::1]:"), S(""), 0},
        {S("[1.2.3.4]:80"), S(""), 0},
        {S("[a]:80"), S(""), 0},
        {S("::1:99999"), S(""), 0},
        {S("127.1:80"), S(""), 0},
        {S("0x7f000001:80"), S(""), 0},
        {S("a/b:80"), S(""), 0},
        {S("u@a:80"), S(""), 0},
        {S("a b"), S(""), 0},
        {S("a\0b"), S(""), 0},
        {S("a#:80"), S(""), 0},
        {S(".a"), S(""), 0},
        {S("[fe80::1%1]:80"), S(""), 0},
        {S("\xC3\xA9.com"), S(""), 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str host = STR_NONE;
        uint16_t port = 9;
        enum status status = netaddr_split_port(rows[i].text, 443, &host, &port);
        cr_expect_eq(status, rows[i].port == 0 ? ST_INVALID : ST_OK, "row %zu: %s", i,
                     rows[i].text.p);
        cr_expect_eq(port, rows[i].port == 0 ? 9 : rows[i].port, "row %zu: %s", i, rows[i].text.p);
        if (rows[i].port != 0)
            cr_expect(str_eq(host, rows[i].host), "row %zu: %s", i, rows[i].text.p);
    }
}

Test(netaddr, lists)
{
    static const struct {
        const char *list, *addr;
        bool in;
    } rows[] = {
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8, fd00::/8", "fd12::1", true},
        {" 1.2.3.4 ,5.6.7.8", "5.6.7.8", true},
        {"1.2.3.4", "1.2.3.5", false},
        {"0.0.0.0/0", "9.9.9.9", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "1.2.3.4", false},
        {"::/0", "2001:db8::1", true},
        {"192.168.0.0/23", "192.168.1.255", true},
        {"192.168.0.0/23", "192.168.2.0", false},
        {"1.2.3.4/31", "1.2.3.5", true},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
        {"10.0.0.0/8", "::ffff:10.9.9.9", true},
        {"", "1.2.3.4", false},
        {"junk, 1.2.3.4", "1.2.3.4", true},
        {"10.0.0.1/8", "10.0.0.1", false},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct netaddr addr;
        cr_assert_eq(netaddr_from_text(str_c(rows[i].addr), &addr), ST_OK);
        cr_expect_eq(netaddr_in_list(&addr, str_c(rows[i].list)), rows[i].in, "%s in %s",
                     rows[i].addr, rows[i].list);
    }
    static const struct {
        const char *list, *bad;
    } checks[] = {
        {"", NULL},
        {"10.0.0.0/8,::1, 1.2.3.4/32 ,", NULL},
        {"::ffff:10.0.0.0/104", NULL},
        {"1.2.3.4, x", "x"},
        {"10.0.0.1/8", "10.0.0.1/8"},
        {"1.2.3.4/33", "1.2.3.4/33"},
        {"::/129", "::/129"},
        {"1.2.3.4/", "1.2.3.4/"},
        {"1.2.3.4/08", "1.2.3.4/08"},
        {"1.2.3.4/-1", "1.2.3.4/-1"},
        {"/8", "/8"},
        {"::ffff:1.2.3.4/24", "::ffff:1.2.3.4/24"},
        {"127.1/32", "127.1/32"},
        {"1.2.3.4/8/8", "1.2.3.4/8/8"},
    };
    for (size_t i = 0; i < COUNT_OF(checks); i++) {
        struct str bad = STR_NONE;
        cr_expect_eq(netaddr_check_list(str_c(checks[i].list), &bad),
                     checks[i].bad == NULL ? ST_OK : ST_INVALID, "%s", checks[i].list);
        cr_expect(str_eq(bad, str_c(checks[i].bad)), "%s", checks[i].list);
    }
}
