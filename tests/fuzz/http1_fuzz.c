/* http1_fuzz.c: arbitrary bytes as a request. Holds that
 *   1. the verdict does not depend on where the bytes are cut (the first input byte chooses the
 * cut);
 *   2. an accepted head, written out again from its parts, is accepted with the same parts;
 *   3. a slow reference that only splits lines finds the same headers, one Host, and one framing.
 */
#include <stdint.h>

#include "tests/unit/data-plane/worker/http1_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_parts(const struct http_head *a, const struct http_head *b)
{
    CHECK(a->header_count == b->header_count && a->method == b->method);
    CHECK(str_eq(a->path, b->path) && str_eq(a->query, b->query));
    CHECK(a->chunked == b->chunked && a->content_length == b->content_length);
    CHECK(a->keep_alive == b->keep_alive && a->gzip == b->gzip && a->has_body == b->has_body);
    for (size_t i = 0; i < a->header_count; i++)
        CHECK(str_eq(a->headers[i].name, b->headers[i].name) &&
              str_eq(a->headers[i].value, b->headers[i].value));
}

static void check_again(const struct http_head *head)
{
    static struct http_header headers[CONN_HEADERS_MAX];
    struct buf text;
    buf_init(&text, 1 << 18);
    buf_add_str(&text, head->method_text);
    buf_add_char(&text, ' ');
    buf_add_str(&text, head->target);
    buf_add_str(&text, head->http10 ? STR(" HTTP/1.0\r\n") : STR(" HTTP/1.1\r\n"));
    for (size_t i = 0; i < head->header_count; i++) {
        buf_add_str(&text, head->headers[i].name);
        buf_add_char(&text, ':');
        buf_add_str(&text, head->headers[i].value);
        buf_add_lit(&text, "\r\n");
    }
    buf_add_lit(&text, "\r\n");
    CHECK(buf_status(&text) == ST_OK);
    struct http1_scan scan = {0};
    struct http_head again;
    const char *why = "";
    CHECK(http1_scan_head(&scan, text.p, text.n, &why) == ST_OK && scan.at == text.n);
    CHECK(http1_parse_head(text.p, scan.at, headers, scan.headers, &again, &why) == ST_OK);
    same_parts(head, &again);
    buf_free(&text);
}

static void check_reference(const struct http_head *head, const char *p, size_t n)
{
    struct str rest = str_of(p, n);
    if (str_starts(rest, STR("\r\n")))
        rest = str_from(rest, 2);
    size_t line_count = 0, hosts = 0, framings = 0;
    for (;;) {
        ptrdiff_t end = str_find(rest, STR("\r\n"));
        CHECK(end >= 0);
        struct str line = str_head(rest, (size_t)end);
        rest = str_from(rest, (size_t)end + 2);
        CHECK(str_find_char(line, '\r') < 0 && str_find_char(line, '\n') < 0 &&
              str_find_char(line, '\0') < 0);
        if (line.n == 0)
            break;
        if (line_count++ == 0)
            continue;
        ptrdiff_t colon = str_find_char(line, ':');
        CHECK(colon > 0);
        struct str name = str_head(line, (size_t)colon);
        CHECK(str_eq(name, head->headers[line_count - 2].name));
        CHECK(str_eq(str_trim(str_from(line, (size_t)colon + 1)),
                     head->headers[line_count - 2].value));
        hosts += str_eq_nocase(name, STR("host"));
        framings += str_eq_nocase(name, STR("content-length")) ||
                    str_eq_nocase(name, STR("transfer-encoding"));
    }
    CHECK(rest.n == 0 && line_count == head->header_count + 1);
    CHECK(hosts == 1 || (hosts == 0 && head->http10));
    CHECK(framings <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct judgement whole, part;
    if (size == 0)
        return 0;
    const char *p = (const char *)data + 1;
    size_t n = size - 1, cut = n == 0 ? 0 : (size_t)data[0] * n / 256;
    judge(&whole, p, n, n);
    judge(&part, p, n, cut);
    CHECK(whole.status == part.status);
    if (whole.status == ST_OK) {
        CHECK(whole.used == part.used && str_eq(buf_str(&whole.body), buf_str(&part.body)));
        same_parts(&whole.head, &part.head);
        struct http1_scan scan = {0};
        const char *why = "";
        CHECK(http1_scan_head(&scan, p, n, &why) == ST_OK);
        check_reference(&whole.head, p, scan.at);
        check_again(&whole.head);
    }
    judgement_free(&whole);
    judgement_free(&part);
    return 0;
}
