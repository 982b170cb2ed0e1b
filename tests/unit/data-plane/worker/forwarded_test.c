/* forwarded_test.c: how far X-Forwarded-For is believed. */
#include <criterion/criterion.h>

#include "data-plane/worker/forwarded.h"

static const struct {
    const char *trusted, *first, *second, *peer;
} rows[] = {
    /* the connection comes from 10.0.0.1 */
    {"10.0.0.0/8", "203.0.113.9", NULL, "203.0.113.9"},
    {"10.0.0.0/8", " 203.0.113.9 ,198.51.100.7 ", NULL, "198.51.100.7"},
    {"10.0.0.0/8, 198.51.100.7", "203.0.113.9, 198.51.100.7", NULL, "203.0.113.9"},
    {"10.0.0.0/8", "203.0.113.9", "198.51.100.7", "198.51.100.7"},
    {"10.0.0.0/8", "203.0.113.9", "10.1.1.1", "203.0.113.9"},
    {"10.0.0.0/8", "203.0.113.9, 10.2.2.2", "10.1.1.1", "203.0.113.9"},
    {"10.0.0.0/8", "10.2.2.2", NULL, "10.2.2.2"},
    {"192.0.2.1", "203.0.113.9", NULL, "10.0.0.1"},
    {"", "203.0.113.9", NULL, "10.0.0.1"},
    {"10.0.0.0/8", "", NULL, "10.0.0.1"},
    {"10.0.0.0/8", ",", NULL, "10.0.0.1"},
    {"10.0.0.0/8", "203.0.113.9, _hidden", NULL, "10.0.0.1"},
    {"10.0.0.0/8", "203.0.113.9, unknown, 10.1.1.1", NULL, "10.1.1.1"},
    {"10.0.0.0/8", "203.0.113.9,", NULL, "10.0.0.1"},
    {"10.0.0.0/8", "127.1", NULL, "10.0.0.1"},
    {"10.0.0.0/8", "203.0.113.9:8080", NULL, "203.0.113.9"},
    {"10.0.0.0/8", "[2001:db8::9]:443", NULL, "2001:db8::9"},
    {"10.0.0.0/8", "2001:db8::9", NULL, "2001:db8::9"},
    {"10.0.0.0/8", "::ffff:203.0.113.9", NULL, "203.0.113.9"},
};

Test(forwarded, rows)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_header headers[] = {
            {STR("Host"), STR("h")},
            {STR("X-Forwarded-For"), str_c(rows[i].first)},
            {STR("x-forwarded-for"), str_c(rows[i].second)},
        };
        struct http_head head = {.headers = headers,
                                 .header_count = rows[i].second == NULL ? 2 : 3};
        struct netaddr peer;
        char text[NETADDR_TEXT + 1];
        cr_assert_eq(netaddr_from_text(STR("10.0.0.1"), &peer), ST_OK);
        forwarded_peer(&head, str_c(rows[i].trusted), &peer);
        netaddr_to_text(&peer, text);
        cr_expect_str_eq(text, rows[i].peer, "row %zu: %s", i, rows[i].first);
    }
}

Test(forwarded, hops_are_bounded)
{
    char list[4096] = "203.0.113.9";
    for (int i = 0; i < FORWARDED_HOPS_MAX; i++)
        strncat(list, ",10.9.9.9", sizeof list - strlen(list) - 1);
    struct http_header header = {STR("X-Forwarded-For"), str_c(list)};
    struct http_head head = {.headers = &header, .header_count = 1};
    struct netaddr peer;
    cr_assert_eq(netaddr_from_text(STR("10.0.0.1"), &peer), ST_OK);
    forwarded_peer(&head, STR("10.0.0.0/8"), &peer);
    cr_expect_eq(peer.b[0], 10, "the walk ended before the client's own claim");
}
