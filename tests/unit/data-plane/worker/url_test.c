#include "data-plane/worker/url.h"

#include <criterion/criterion.h>

static const struct {
    const char *url;
    enum status status;
    const char *host;
    uint16_t port;
    bool tls;
    const char *path;
} rows[] = {
    {"https://api.openai.com/v1", ST_OK, "api.openai.com", 443, true, "/v1"},
    {"http://127.0.0.1:9000", ST_OK, "127.0.0.1", 9000, false, ""},
    {"https://[2001:db8::1]:8443/x?y", ST_OK, "2001:db8::1", 8443, true, "/x?y"},
    {"HTTPS://A.b", ST_OK, "A.b", 443, true, ""},
    {"https://user@host/", ST_INVALID, NULL, 0, false, NULL},
    {"https://evil.com#.openai.azure.com/", ST_INVALID, NULL, 0, false, NULL},
    {"https://a\\b/", ST_INVALID, NULL, 0, false, NULL},
    {"https:///path", ST_INVALID, NULL, 0, false, NULL},
    {"https://host:0/", ST_INVALID, NULL, 0, false, NULL},
    {"https://host:99999/", ST_INVALID, NULL, 0, false, NULL},
    {"https://ho st/", ST_INVALID, NULL, 0, false, NULL},
    {"https://h%6fst/", ST_INVALID, NULL, 0, false, NULL},
    {"ftp://host/", ST_INVALID, NULL, 0, false, NULL},
    {"host/", ST_INVALID, NULL, 0, false, NULL},
    {"https://host\r\n/", ST_INVALID, NULL, 0, false, NULL},
};

Test(url, splits_or_refuses)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct url_parts parts;
        cr_assert_eq(url_split(str_c(rows[i].url), &parts), rows[i].status, "%s", rows[i].url);
        if (rows[i].status != ST_OK)
            continue;
        cr_expect(str_eq(parts.host, str_c(rows[i].host)), "%s", rows[i].url);
        cr_expect_eq(parts.port, rows[i].port);
        cr_expect_eq(parts.tls, rows[i].tls);
        cr_expect(str_eq(parts.path, str_c(rows[i].path)));
    }
}

Test(url, a_query_loses_pairs_with_our_key)
{
    static const struct {
        const char *query, *secret, *left;
    } table[] = {
        {"", "", ""},
        {"after=file-1&limit=2", "", "after=file-1&limit=2"},
        {"a=%41&b", "", "a=%41&b"},
        {"key=slk_abc", "", ""},
        {"a=1&key=SLK_abc&b=2", "", "a=1&b=2"},
        {"a=1&k=s%6Ck%5fabc", "", "a=1"},
        {"slk_x=1&a=1", "", "a=1"},
        {"a=moved-key-of-old&b=moved-key", "moved-key-of-old", "b=moved-key"},
        {"a=%6doved-key-of-old&&b=", "moved-key-of-old", "b="},
    };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct str left;
        cr_assert_eq(
            url_query_without_keys(&arena, str_c(table[i].query), str_c(table[i].secret), &left),
            ST_OK);
        cr_expect(str_eq(left, str_c(table[i].left)), "%s -> " STR_FMT, table[i].query,
                  STR_ARG(left));
    }
    arena_free(&arena);
}

Test(url, a_parameter_is_taken_out)
{
    static const struct {
        const char *query, *out;
    } queries[] = {{"", ""},
                   {"api-version=1", ""},
                   {"a=1&api-version=2&b=3", "a=1&b=3"},
                   {"api-version&api-versions=1&x-api-version=2", "api-versions=1&x-api-version=2"},
                   {"a=api-version", "a=api-version"}};
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        struct arena arena;
        struct str out;
        arena_init(&arena, 1 << 16);
        cr_assert_eq(url_query_without(&arena, str_c(queries[i].query), STR("api-version"), &out),
                     ST_OK);
        cr_expect(str_eq(out, str_c(queries[i].out)), "%s", queries[i].query);
        arena_free(&arena);
    }
}

Test(url, a_host_is_among_those_of_a_credential_with_its_port)
{
    struct str hosts = STR("a.com,b.com:8443,1.2.3.4:80");
    cr_expect(url_host_is_among(hosts, STR("a.com"), 443));
    cr_expect(url_host_is_among(hosts, STR("a.com"), 8443));
    cr_expect(url_host_is_among(hosts, STR("b.com"), 8443));
    cr_expect_not(url_host_is_among(hosts, STR("b.com"), 443));
    cr_expect(url_host_is_among(hosts, STR("1.2.3.4"), 80));
    cr_expect_not(url_host_is_among(hosts, STR("com"), 443));
    cr_expect_not(url_host_is_among(hosts, STR("a.com.evil"), 443));
    cr_expect_not(url_host_is_among(STR(""), STR("a.com"), 443));
}
