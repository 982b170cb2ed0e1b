#include "data-plane/egress.h"

#include <criterion/criterion.h>

static const struct {
    const char *addr, *installation, *integration;
    enum status status;
} rows[] = {
    {"1.1.1.1", "", "", ST_OK},
    {"127.0.0.1", "", "", ST_EGRESS_DENIED},
    {"127.0.0.1", "127.0.0.0/8", "", ST_OK},
    {"127.0.0.1", "", "127.0.0.1", ST_OK},
    {"10.1.2.3", "127.0.0.0/8", "10.0.0.0/8", ST_OK},
    {"10.1.2.3", "127.0.0.0/8", "10.2.0.0/16", ST_EGRESS_DENIED},
    {"169.254.169.254", "169.254.0.0/16", "0.0.0.0/0", ST_EGRESS_DENIED},
    {"fd00:ec2::254", "fc00::/7", "", ST_EGRESS_DENIED},
    {"64:ff9b::a00:1", "", "", ST_EGRESS_DENIED},
    {"2002:7f00:1::", "", "", ST_EGRESS_DENIED},
    {"::1", "", "", ST_EGRESS_DENIED},
    {"224.0.0.1", "0.0.0.0/0", "", ST_EGRESS_DENIED},
    {"0.0.0.0", "0.0.0.0/0", "", ST_EGRESS_DENIED},
    {"2606:4700::1111", "", "", ST_OK},
};

Test(egress, classes_and_lists)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct egress_rules rules = {.allowed_private = {str_c(rows[i].installation), str_c(rows[i].integration)}};
        struct netaddr addr;
        cr_assert_eq(netaddr_from_text(str_c(rows[i].addr), &addr), ST_OK, "%s", rows[i].addr);
        cr_expect_eq(egress_check_addr(&rules, &addr), rows[i].status, "%s", rows[i].addr);
    }
}

Test(egress, one_bad_answer_is_dropped_and_none_left_is_a_refusal)
{
    struct egress_rules rules = {.ports = (const uint16_t[]){443}, .port_count = 1};
    struct netaddr in[2], out[2];
    size_t count = 7;
    cr_assert_eq(netaddr_from_text(STR("10.0.0.1"), &in[0]), ST_OK);
    cr_assert_eq(netaddr_from_text(STR("8.8.8.8"), &in[1]), ST_OK);
    cr_assert_eq(egress_filter(&rules, in, 2, out, &count), ST_OK);
    cr_expect_eq(count, 1);
    cr_expect(netaddr_eq(&out[0], &in[1]));
    cr_expect_eq(egress_filter(&rules, in, 1, out, &count), ST_EGRESS_DENIED);
    cr_expect_eq(egress_check_port(&rules, 443), ST_OK);
    cr_expect_eq(egress_check_port(&rules, 22), ST_EGRESS_DENIED);
}

Test(egress, without_tls_only_to_what_the_operator_opened_or_named)
{
    struct netaddr addrs[2];
    cr_assert_eq(netaddr_from_text(STR("10.0.0.1"), &addrs[0]), ST_OK);
    cr_assert_eq(netaddr_from_text(STR("8.8.8.8"), &addrs[1]), ST_OK);
    cr_expect(egress_may_go_plain(STR(""), STR("h"), addrs, 1));
    cr_expect_not(egress_may_go_plain(STR(""), STR("h"), addrs, 2));
    cr_expect_not(egress_may_go_plain(STR("a.com, b.com"), STR("h"), addrs, 2));
    cr_expect(egress_may_go_plain(STR("a.com, *.h.com"), STR("x.h.com"), addrs, 2));
}
