/* proxy_v2_test.c: headers whole, cut at every byte, and wrong. */
#include <criterion/criterion.h>

#include "data-plane/worker/proxy_v2.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4      "\xcb\x00\x71\x09\x7f\x00\x00\x01\x12\x34\x22\x53"
#define TCP6                                                                                       \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34\x22\x53"
#define MAPPED                                                                                     \
    "\0\0\0\0\0\0\0\0\0\0\xff\xff\xcb\x00\x71\x09\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\x12\x34" \
    "\x22\x53"
#define ROW(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct {
    struct str bytes;
    enum status status;
    const char *peer; /* "unchanged" when the header names none */
} rows[] = {
    {ROW(SIGNATURE "\x21\x11\x00\x0c" TCP4), ST_OK, "203.0.113.9"},
    {ROW(SIGNATURE "\x21\x21\x00\x24" TCP6), ST_OK, "2001:db8::9"},
    {ROW(SIGNATURE "\x21\x21\x00\x24" MAPPED), ST_OK, "203.0.113.9"},
    {ROW(SIGNATURE "\x21\x11\x00\x10" TCP4 "\x04\x00\x01x"), ST_OK, "203.0.113.9"},
    {ROW(SIGNATURE "\x20\x00\x00\x00"), ST_OK, "unchanged"},
    {ROW(SIGNATURE "\x20\x11\x00\x0c" TCP4), ST_OK, "unchanged"},
    {ROW(SIGNATURE "\x21\x00\x00\x00"), ST_OK, "unchanged"},
    {ROW(SIGNATURE "\x21\x31\x00\x03"
                   "abc"),
     ST_OK, "unchanged"},
    {ROW(SIGNATURE "\x11\x11\x00\x0c" TCP4), ST_BAD_HTTP, NULL},
    {ROW(SIGNATURE "\x22\x11\x00\x0c" TCP4), ST_BAD_HTTP, NULL},
    {ROW(SIGNATURE "\x21\x11\x00\x0b"
                   "01234567890"),
     ST_BAD_HTTP, NULL},
    {ROW(SIGNATURE "\x21\x21\x00\x0c" TCP4), ST_BAD_HTTP, NULL},
    {ROW(SIGNATURE "\x21\x11\x00\x0c" TCP4 "G"), ST_BAD_HTTP, NULL},
    {ROW(SIGNATURE "\x21\x11\xff\xff"), ST_BAD_HTTP, NULL},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), ST_BAD_HTTP, NULL},
    {ROW("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ST_BAD_HTTP, NULL},
    {ROW("\r\n\r\n\0\r\nQUIT\r\x21\x11\x00\x0c" TCP4), ST_BAD_HTTP, NULL},
};

Test(proxy_v2, rows)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct netaddr peer = {0};
        char text[NETADDR_TEXT + 1] = "unchanged";
        size_t need = 0;
        enum status status = proxy_v2_parse(rows[i].bytes.p, rows[i].bytes.n, &need, &peer);
        cr_expect_eq(status, rows[i].status, "row %zu", i);
        if (peer.family != 0)
            netaddr_to_text(&peer, text);
        if (rows[i].peer != NULL)
            cr_expect_str_eq(text, rows[i].peer, "row %zu", i);
    }
}

Test(proxy_v2, asks_for_what_is_missing)
{
    for (size_t i = 0; rows[i].status == ST_OK; i++) {
        for (size_t cut = 0; cut < rows[i].bytes.n; cut++) {
            struct netaddr peer = {0};
            size_t need = 0;
            cr_expect_eq(proxy_v2_parse(rows[i].bytes.p, cut, &need, &peer), ST_AGAIN);
            cr_expect_eq(need, cut < PROXY_V2_FIXED_BYTES ? PROXY_V2_FIXED_BYTES : rows[i].bytes.n);
            cr_expect_eq(peer.family, 0);
        }
    }
}
