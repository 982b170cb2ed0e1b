/* guard.c: the table of refusals in front of the admin API.
 *
 * The HTTP library behind server.c accepts what no two servers read alike (both body lengths at
 * once, repeated Host, signs and hexadecimal in lengths, %00, dot segments). Two readers that
 * differ are a smuggled request, so each such form is refused here and the connection closed.
 * Invariant: a request that passes has one reading: one host, one body length, one path. Must never
 * repair: what is not plain is refused.
 */
#include "control-plane/http/guard.h"

#define LENGTH_DIGITS_MAX 15

static enum status refuse(struct guard_verdict *verdict, enum status status, const char *reason)
{
    verdict->reason = reason;
    return status;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char(s.p[i]))
            return false;
    return s.n > 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Model slugs hold '/', so below these prefixes alone a percent-encoded slash is data and not
 * structure. */
static bool may_encode_slash(struct str path)
{
    return str_starts(path, STR("/v1/models/")) || str_starts(path, STR("/v2/models/"));
}

static const char *check_escapes(struct str s, bool is_path, bool slash_ok)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7F || c == '#' || c == '"' || c == '<' || c == '>')
            return "The request target holds a byte that must be percent-encoded.";
        if (is_path && c == '\\')
            return "The path holds a backslash.";
        if (c != '%')
            continue;
        int high = s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
        int low = s.n - i > 2 ? hex_value(s.p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return "A percent escape is broken.";
        int code = high * 16 + low;
        if (code == 0 || (is_path && (code < 0x20 || code == 0x7F)))
            return "A control character is percent-encoded.";
        if (is_path && (code == '\\' || (code == '/' && !slash_ok)))
            return "A slash is percent-encoded.";
        i += 2;
    }
    return NULL;
}

/* "." and "..", also with encoded dots. */
static bool is_dot_segment(struct str segment)
{
    unsigned dots = 0;
    for (size_t i = 0; i < segment.n; i++) {
        if (segment.p[i] == '%' && segment.n - i > 2 && segment.p[i + 1] == '2' &&
            (segment.p[i + 2] | 0x20) == 'e')
            i += 2;
        else if (segment.p[i] != '.')
            return false;
        dots++;
    }
    return dots == 1 || dots == 2;
}

static enum status check_target(const struct guard_head *head, struct guard_verdict *verdict)
{
    struct str path = head->target;
    if (path.n + head->query.n > GUARD_TARGET_MAX)
        return refuse(verdict, ST_HEAD_TOO_LARGE, "The request target is too long.");
    if (path.n == 0 || path.p[0] != '/')
        return refuse(verdict, ST_BAD_HTTP, "The request target must begin with '/'.");
    const char *reason = check_escapes(path, true, may_encode_slash(path));
    if (reason == NULL)
        reason = check_escapes(head->query, false, true);
    if (reason != NULL)
        return refuse(verdict, ST_BAD_HTTP, reason);
    struct str rest = path, segment;
    while (str_split(&rest, '/', &segment))
        if (is_dot_segment(segment))
            return refuse(verdict, ST_BAD_HTTP, "The path holds a dot segment.");
    return ST_OK;
}

static enum status check_fields(const struct guard_head *head, struct guard_verdict *verdict)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (!is_token(head->headers[i].name))
            return refuse(verdict, ST_BAD_HTTP, "A header name is malformed.");
        struct str value = head->headers[i].value;
        for (size_t k = 0; k < value.n; k++)
            if ((unsigned char)value.p[k] < 0x20 || value.p[k] == 0x7F)
                return refuse(verdict, ST_BAD_HTTP, "A header value holds a control character.");
    }
    return ST_OK;
}

/* The value of a header that may come once at most; ST_BAD_HTTP if it comes again. */
static enum status single(const struct guard_head *head, const char *name, struct str *value)
{
    *value = STR_NONE;
    for (size_t i = 0; i < head->header_count; i++) {
        if (!str_eq_nocase(head->headers[i].name, str_c(name)))
            continue;
        if (value->p != NULL)
            return ST_BAD_HTTP;
        *value = head->headers[i].value;
    }
    return ST_OK;
}

static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(".-_:[]", c) != NULL) ||
            c == '\0')
            return false;
    }
    return host.n > 0 && host.n <= 255;
}

static enum status check_length(struct str length, struct str transfer,
                                struct guard_verdict *verdict)
{
    if (transfer.p != NULL && length.p != NULL)
        return refuse(verdict, ST_BAD_HTTP,
                      "Content-Length and Transfer-Encoding exclude each other.");
    if (transfer.p != NULL)
        return refuse(verdict, ST_LENGTH_REQUIRED, "A body needs a Content-Length here.");
    if (length.p == NULL)
        return ST_OK;
    if (length.n > LENGTH_DIGITS_MAX || str_to_u64(length, &verdict->body_bytes) != ST_OK)
        return refuse(verdict, ST_BAD_HTTP, "Content-Length is not a number.");
    return ST_OK;
}

enum status guard_check(const struct guard_head *head, struct guard_verdict *verdict)
{
    static const char *const singles[] = {"authorization", "x-portkey-api-key", "content-type",
                                          "cookie", "idempotency-key", "x-csrf-token", "expect"};
    *verdict = (struct guard_verdict){.reason = NULL};
    struct str host, length, transfer, value;
    if (!str_eq(head->version, STR("1.1")) && !str_eq(head->version, STR("1.0")))
        return refuse(verdict, ST_BAD_HTTP, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    TRY(check_fields(head, verdict));
    TRY(check_target(head, verdict));
    if (single(head, "host", &host) != ST_OK || single(head, "content-length", &length) != ST_OK ||
        single(head, "transfer-encoding", &transfer) != ST_OK)
        return refuse(verdict, ST_BAD_HTTP, "A framing header comes twice.");
    for (size_t i = 0; i < COUNT_OF(singles); i++)
        if (single(head, singles[i], &value) != ST_OK)
            return refuse(verdict, ST_BAD_HTTP, "A header that may come once comes twice.");
    if (host.p == NULL ? str_eq(head->version, STR("1.1")) : !is_host(host))
        return refuse(verdict, ST_BAD_HTTP, "The Host header is missing or malformed.");
    TRY(check_length(length, transfer, verdict));
    if (value.p != NULL && !str_eq_nocase(value, STR("100-continue")))
        return refuse(verdict, ST_BAD_HTTP, "The expectation cannot be met.");
    verdict->wants_continue = value.p != NULL;
    if (http_method_from_text(head->method, &verdict->method) != ST_OK)
        return refuse(verdict, ST_METHOD, "The method is not known here.");
    return ST_OK;
}
