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
