/* guard_test.c: heads as tables: what is refused, why, and what passes. */
#include "control-plane/http/guard.h"

#include <criterion/criterion.h>

#define PLAIN {"Host", "a:1"}

struct head_case {
    const char *method, *target, *query, *version;
    const char *headers[8][2];
    enum status want;
};

static const struct head_case cases[] = {
    {"GET", "/v1/providers", NULL, "1.1", {PLAIN}, ST_OK},
    {"GET", "/v1/providers/", "workspace_id=a%20b", "1.1", {PLAIN}, ST_OK},
    {"GET", "/healthz", NULL, "1.0", {{NULL}}, ST_OK},
    {"GET", "/v1/models/%40openai%2Fgpt-4o", NULL, "1.1", {PLAIN}, ST_OK},
    {"POST", "/v1/x", NULL, "1.1", {PLAIN, {"Content-Length", "5"}}, ST_OK},
    {"POST", "/v1/x", NULL, "1.1", {PLAIN, {"Content-Length", "0"}, {"Expect", "100-continue"}}, ST_OK},
    {"GET", "/v1/x", NULL, "1.1", {{"Host", "[::1]:8788"}}, ST_OK},
    /* versions and methods */
    {"GET", "/", NULL, "2.0", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.10", {PLAIN}, ST_BAD_HTTP},
    {"TRACE", "/", NULL, "1.1", {PLAIN}, ST_METHOD},
    {"get", "/", NULL, "1.1", {PLAIN}, ST_METHOD},
    {"CONNECT", "/", NULL, "1.1", {PLAIN}, ST_METHOD},
    /* Host */
    {"GET", "/", NULL, "1.1", {{NULL}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {PLAIN, PLAIN}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {{"Host", ""}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {{"Host", "a/b"}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {{"Host", "a b"}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {{"Host", "user@a"}}, ST_BAD_HTTP},
    /* framing */
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Transfer-Encoding", "chunked"}}, ST_LENGTH_REQUIRED},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Transfer-Encoding", "xchunked"}}, ST_LENGTH_REQUIRED},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "5"}, {"Content-Length", "5"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "5"}, {"content-length", "6"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "+5"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "-5"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "0x5"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "5,5"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "5 5"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", ""}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "99999999999999999999"}}, ST_BAD_HTTP},
    {"POST", "/", NULL, "1.1", {PLAIN, {"Content-Length", "1"}, {"Expect", "200-ok"}}, ST_BAD_HTTP},
    /* what may come once */
    {"GET", "/", NULL, "1.1", {PLAIN, {"Authorization", "a"}, {"authorization", "b"}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {PLAIN, {"x-portkey-api-key", "a"}, {"X-Portkey-Api-Key", "b"}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {PLAIN, {"Cookie", "a"}, {"Cookie", "b"}}, ST_BAD_HTTP},
    /* names and values */
    {"GET", "/", NULL, "1.1", {PLAIN, {"A B", "x"}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {PLAIN, {"A(", "x"}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {PLAIN, {"A", "x\x01y"}}, ST_BAD_HTTP},
    {"GET", "/", NULL, "1.1", {PLAIN, {"A", "x\x7f"}}, ST_BAD_HTTP},
    /* targets */
    {"GET", "*", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "http://a/b", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a%00b", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a%0ab", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a%7f", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a%2fb", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a%5cb", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a\\b", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/v1/models/a%5cb", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a%4", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a%zz", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a/../b", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a/./b", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a/%2e%2e/b", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a/.%2E", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a#b", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/\xc3\xa4", NULL, "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a", "x=%00", "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/a", "x=%f", "1.1", {PLAIN}, ST_BAD_HTTP},
    {"GET", "/...", NULL, "1.1", {PLAIN}, ST_OK},
};

static enum status check(const struct head_case *c, struct guard_verdict *verdict)
{
    struct http_header headers[8];
    size_t count = 0;
    while (count < 8 && c->headers[count][0] != NULL) {
        headers[count] = (struct http_header){str_c(c->headers[count][0]), str_c(c->headers[count][1])};
        count++;
    }
    struct guard_head head = {str_c(c->method), str_c(c->target), str_c(c->version), str_c(c->query), headers, count};
    return guard_check(&head, verdict);
}

Test(guard, each_head_has_its_verdict)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct guard_verdict verdict;
        enum status got = check(&cases[i], &verdict);
        cr_expect_eq(got, cases[i].want, "case %zu (%s %s): got %s", i, cases[i].method, cases[i].target,
                     status_row(got)->name);
        cr_expect_eq(verdict.reason == NULL, got == ST_OK, "case %zu: reason", i);
    }
}

Test(guard, gives_length_and_expectation)
{
    struct head_case c = {"POST", "/v1/x", NULL, "1.1", {PLAIN, {"Content-Length", "1234"}, {"Expect", "100-Continue"}}, ST_OK};
    struct guard_verdict verdict;
    cr_assert_eq(check(&c, &verdict), ST_OK);
    cr_expect_eq(verdict.body_bytes, 1234);
    cr_expect(verdict.wants_continue);
    cr_expect_eq(verdict.method, HTTP_POST);
}

Test(guard, target_length_is_bounded)
{
    static char target[GUARD_TARGET_MAX + 2];
    memset(target, 'a', sizeof(target) - 1);
    target[0] = '/';
    struct head_case c = {"GET", target, NULL, "1.1", {PLAIN}, ST_OK};
    struct guard_verdict verdict;
    cr_expect_eq(check(&c, &verdict), ST_HEAD_TOO_LARGE);
    target[GUARD_TARGET_MAX] = '\0';
    cr_expect_eq(check(&c, &verdict), ST_OK);
}
