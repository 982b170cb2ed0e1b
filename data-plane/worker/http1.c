/* http1.c: request heads (http1.h).
 *
 * Why two judges: llhttp 8.1 is the parser that was measured strictest, yet as Debian ships it it
 * lets through a bare CR after an empty header's colon (CVE-2023-30589), obs-fold, a missing and a
 * second Host, and other protocols' versions (ICE/1.0, RTSP/1.0). The scanner below admits only
 * bytes with one possible reading; llhttp then has to agree; the rules at the end decide what the
 * request means. Invariants: a head that passes has exactly the lines that CRLF separates, no
 * control bytes but HTAB in values, at most one of {Content-Length, Transfer-Encoding}, each at
 * most once, and one Host. The verdict does not depend on how the bytes arrived. Never repair;
 * never guess.
 *
 *   START -CR-> START_LF -LF-> REQUEST -CR-> LINE_LF -LF-> LINE -tchar-> NAME -':'-> VALUE
 *     `------------------------^                ^            `-CR-> END_LF -LF-> done  |
 *                                               `--------------------CR----------------'
 */
#include "data-plane/worker/http1.h"

#include <llhttp.h>

enum scan_state {
    SCAN_START,
    SCAN_START_LF,
    SCAN_REQUEST,
    SCAN_LINE_LF,
    SCAN_LINE,
    SCAN_NAME,
    SCAN_VALUE,
    SCAN_END_LF,
    SCAN_DONE
};

enum byte_class { BYTE_TOKEN = 1, BYTE_VALUE = 2, BYTE_URI = 4, BYTE_HOST = 8, BYTE_HEX = 16 };

/* Built from the grammar once, by the compiler: one row per byte value. */
#define IS_ALNUM(c)                                                                                \
    (((c) >= '0' && (c) <= '9') || ((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))
#define IS_HEX(c)                                                                                  \
    (((c) >= '0' && (c) <= '9') || ((c) >= 'a' && (c) <= 'f') || ((c) >= 'A' && (c) <= 'F'))
#define ONE_OF4(c, a, b, d, e) ((c) == (a) || (c) == (b) || (c) == (d) || (c) == (e))
#define IS_UNRESERVED_MARK(c)  ONE_OF4(c, '-', '.', '_', '~')
#define IS_TOKEN(c)                                                                                \
    (IS_ALNUM(c) || IS_UNRESERVED_MARK(c) || ONE_OF4(c, '!', '#', '$', '%') ||                     \
     ONE_OF4(c, '&', '\'', '*', '+') || ONE_OF4(c, '^', '`', '|', '|'))
#define IS_SUB_DELIM(c)                                                                            \
    (ONE_OF4(c, '!', '$', '&', '\'') || ONE_OF4(c, '(', ')', '*', '+') ||                          \
     ONE_OF4(c, ',', ';', '=', '='))
#define IS_HOST(c) (IS_ALNUM(c) || IS_UNRESERVED_MARK(c) || ONE_OF4(c, ':', '[', ']', ':'))
#define IS_URI(c)                                                                                  \
    (IS_ALNUM(c) || IS_UNRESERVED_MARK(c) || IS_SUB_DELIM(c) || ONE_OF4(c, ':', '@', '/', '?') ||  \
     ONE_OF4(c, '%', '[', ']', '%'))
#define CLASS(c)                                                                                   \
    (uint8_t)((IS_TOKEN(c) ? BYTE_TOKEN : 0) |                                                     \
              (((c) >= 0x20 && (c) != 0x7F) || (c) == '\t' ? BYTE_VALUE : 0) |                     \
              (IS_URI(c) ? BYTE_URI : 0) | (IS_HOST(c) ? BYTE_HOST : 0) |                          \
              (IS_HEX(c) ? BYTE_HEX : 0))
#define CLASS4(c)  CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASS16(c) CLASS4(c), CLASS4((c) + 4), CLASS4((c) + 8), CLASS4((c) + 12)
#define CLASS64(c) CLASS16(c), CLASS16((c) + 16), CLASS16((c) + 32), CLASS16((c) + 48)
static const uint8_t byte_class[256] = {CLASS64(0), CLASS64(64), CLASS64(128), CLASS64(192)};

static bool all_of(struct str s, uint8_t wanted)
{
    for (size_t i = 0; i < s.n; i++)
        if ((byte_class[(uint8_t)s.p[i]] & wanted) == 0)
            return false;
    return true;
}

bool http1_is_token(struct str s)
{
    return s.n > 0 && all_of(s, BYTE_TOKEN);
}

bool http1_is_field_value(struct str s)
{
    return all_of(s, BYTE_VALUE);
}

struct str http_head_get(const struct http_head *head, struct str name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (str_eq_nocase(head->headers[i].name, name))
            return head->headers[i].value;
    return STR_NONE;
}

static enum status bad(const char **why, const char *text)
{
    *why = text;
    return ST_BAD_HTTP;
}

/* --- scanning --------------------------------------------------------------------------------- */

/* Where the byte leads, or why it is refused. */
static const char *scan_byte(struct http1_scan *scan, uint8_t c)
{
    switch ((enum scan_state)scan->state) {
    case SCAN_START:
        /* RFC 9112 section 2.2: one empty line before the request line is ignored. */
        scan->state = c == '\r' ? SCAN_START_LF : SCAN_REQUEST;
        return c == '\r' || (byte_class[c] & BYTE_TOKEN) ? NULL : "the request line is malformed";
    case SCAN_START_LF:
        scan->state = SCAN_REQUEST;
        return c == '\n' ? NULL : "a CR is not followed by LF";
    case SCAN_REQUEST:
        if (c == '\r')
            scan->state = SCAN_LINE_LF;
        return c == '\r' || (c >= 0x20 && c < 0x7F) ? NULL : "the request line is malformed";
    case SCAN_LINE_LF:
        scan->state = SCAN_LINE;
        return c == '\n' ? NULL : "a CR is not followed by LF";
    case SCAN_LINE:
        scan->headers += c != '\r';
        scan->state = c == '\r' ? SCAN_END_LF : SCAN_NAME;
        if (c == ' ' || c == '\t')
            return "a header is folded";
        return c == '\r' || (byte_class[c] & BYTE_TOKEN) ? NULL : "a header name is malformed";
    case SCAN_NAME:
        if (c == ':')
            scan->state = SCAN_VALUE;
        return c == ':' || (byte_class[c] & BYTE_TOKEN) ? NULL : "a header name is malformed";
    case SCAN_VALUE:
        if (c == '\r')
            scan->state = SCAN_LINE_LF;
        return c == '\r' || (byte_class[c] & BYTE_VALUE) ? NULL : "a header value is malformed";
    case SCAN_END_LF:
        scan->state = SCAN_DONE;
        return c == '\n' ? NULL : "a CR is not followed by LF";
    case SCAN_DONE:
        break;
    }
    return "the head is over";
}

enum status http1_scan_head(struct http1_scan *scan, const char *p, size_t n, const char **why)
{
    while (scan->at < n) {
        if (scan->at >= CONN_HEAD_BYTES || scan->headers > CONN_HEADERS_MAX) {
            *why = "the request head is too large";
            return ST_HEAD_TOO_LARGE;
        }
        const char *refused = scan_byte(scan, (uint8_t)p[scan->at]);
        if (refused != NULL)
            return bad(why, refused);
        scan->at++;
        if (scan->state == SCAN_DONE)
            return ST_OK;
    }
    return ST_AGAIN;
}

/* --- llhttp ----------------------------------------------------------------------------------- */

struct parse {
    struct http_header *headers;
    size_t room, count;
    struct str name, value;
    bool complete;
};

/* llhttp may give one run of bytes in several calls; they are neighbours in the head. */
static void extend(struct str *run, const char *at, size_t n)
{
    if (run->p == NULL)
        run->p = at;
    run->n = (size_t)(at + n - run->p);
}

static int on_header_field(llhttp_t *parser, const char *at, size_t n)
{
    struct parse *parse = parser->data;
    extend(&parse->name, at, n);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t n)
{
    struct parse *parse = parser->data;
    extend(&parse->value, at, n);
    return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct parse *parse = parser->data;
    if (parse->count == parse->room || parse->name.n == 0)
        return -1;
    struct str value = parse->value.p == NULL ? str_of(parse->name.p, 0) : parse->value;
    parse->headers[parse->count++] = (struct http_header){parse->name, str_trim(value)};
    parse->name = parse->value = STR_NONE;
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct parse *parse = parser->data;
    parse->complete = true;
    return HPE_PAUSED; /* the body is ours */
}

static const llhttp_settings_t llhttp_rules = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
};

static enum status run_llhttp(const char *p, size_t n, struct parse *parse, const char **why)
{
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &llhttp_rules);
    parser.data = parse;
    llhttp_errno_t verdict = llhttp_execute(&parser, p, n);
    if (verdict != HPE_PAUSED || !parse->complete)
        return bad(why, "the request head is malformed");
    return ST_OK;
}

/* --- request line ----------------------------------------------------------------------------- */

static const struct {
    struct str text;
    enum op_method method;
} methods[] = {
    {{"GET", 3}, OP_METHOD_GET},   {{"HEAD", 4}, OP_METHOD_GET},
    {{"POST", 4}, OP_METHOD_POST}, {{"DELETE", 6}, OP_METHOD_DELETE},
    {{"PUT", 3}, OP_METHOD_PUT},   {{"PATCH", 5}, OP_METHOD_PATCH},
};

static enum op_method method_of(struct str text)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (str_eq(methods[i].text, text))
            return methods[i].method;
    return OP_METHOD_ANY;
}

/* host[:port], not empty. Brackets only around a literal in front. */
static bool is_authority(struct str s)
{
    if (s.n == 0 || !all_of(s, BYTE_HOST))
        return false;
    struct str port = s;
    if (s.p[0] == '[') {
        ptrdiff_t end = str_find_char(s, ']');
        if (end < 3)
            return false;
        port = str_from(s, (size_t)end + 1);
    } else {
        ptrdiff_t colon = str_find_char(s, ':');
        if (colon == 0)
            return false;
        port = colon < 0 ? str_from(s, s.n) : str_from(s, (size_t)colon);
    }
    if (str_find_char(port, '[') >= 0 || (s.p[0] != '[' && str_find_char(s, ']') >= 0))
        return false;
    if (port.n == 0)
        return true;
    uint64_t number = 0;
    return port.p[0] == ':' && str_to_u64(str_from(port, 1), &number) == ST_OK && number <= 65535;
}

static bool percents_are_whole(struct str s, bool refuse_nul)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%')
            continue;
        if (s.n - i < 3 || !all_of(str_of(s.p + i + 1, 2), BYTE_HEX))
            return false;
        if (refuse_nul && s.p[i + 1] == '0' && s.p[i + 2] == '0')
            return false;
    }
    return true;
}

/* origin-form or absolute-form; *authority is the latter's. */
static enum status read_target(struct http_head *head, struct str *authority, const char **why)
{
    struct str rest = head->target;
    *authority = STR_NONE;
    size_t scheme = str_starts_nocase(rest, STR("http://"))    ? 7
                    : str_starts_nocase(rest, STR("https://")) ? 8
                                                               : 0;
    if (scheme > 0) {
        rest = str_from(rest, scheme);
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
            n++;
        *authority = str_head(rest, n);
        rest = str_from(rest, n);
        if (!is_authority(*authority))
            return bad(why, "the request target's authority is malformed");
    }
    if (rest.n == 0 || rest.p[0] != '/' || !all_of(rest, BYTE_URI))
        return bad(why, "the request target is malformed");
    ptrdiff_t mark = str_find_char(rest, '?');
    head->path = mark < 0 ? rest : str_head(rest, (size_t)mark);
    head->query = mark < 0 ? str_from(rest, rest.n) : str_from(rest, (size_t)mark + 1);
    if (!percents_are_whole(head->path, true) || !percents_are_whole(head->query, false))
        return bad(why, "the request target has a malformed percent-encoding");
    return ST_OK;
}

static enum status read_request_line(const char *p, size_t n, struct http_head *head,
                                     struct str *authority, const char **why)
{
    struct str line = str_of(p, n);
    if (str_starts(line, STR("\r\n")))
        line = str_from(line, 2);
    line = str_head(line, (size_t)str_find_char(line, '\r'));
    ptrdiff_t space = str_find_char(line, ' ');
    if (space <= 0)
        return bad(why, "the request line is malformed");
    head->method_text = str_head(line, (size_t)space);
    head->method = method_of(head->method_text);
    head->head_only = str_eq(head->method_text, STR("HEAD"));
    line = str_from(line, (size_t)space + 1);
    space = str_find_char(line, ' ');
    if (space <= 0)
        return bad(why, "the request line is malformed");
    head->target = str_head(line, (size_t)space);
    struct str version = str_from(line, (size_t)space + 1);
    head->http10 = str_eq(version, STR("HTTP/1.0"));
    if (!head->http10 && !str_eq(version, STR("HTTP/1.1")))
        return bad(why, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    return read_target(head, authority, why);
}

/* --- what the headers decide ------------------------------------------------------------------ */

struct seen {
    unsigned hosts, lengths, encodings, expects, codings;
    struct str host;
    bool close, keep_alive;
};

static void read_connection(struct str value, struct seen *seen)
{
    struct str item;
    while (str_split(&value, ',', &item)) {
        item = str_trim(item);
        seen->close |= str_eq_nocase(item, STR("close"));
        seen->keep_alive |= str_eq_nocase(item, STR("keep-alive"));
    }
}

static enum status read_length(struct str value, struct http_head *head, const char **why)
{
    uint64_t length = 0;
    if (str_to_u64(value, &length) != ST_OK || length > INT64_MAX)
        return bad(why, "Content-Length is malformed");
    head->content_length = (int64_t)length;
    return ST_OK;
}

static enum status read_coding(struct str value, struct http_head *head, const char **why)
{
    head->gzip = str_eq_nocase(value, STR("gzip")) || str_eq_nocase(value, STR("x-gzip"));
    if (head->gzip || value.n == 0 || str_eq_nocase(value, STR("identity")))
        return ST_OK;
    *why = "this Content-Encoding is not supported: send gzip or none";
    return ST_CONTENT_TYPE;
}

static enum status read_header(const struct http_header *header, struct http_head *head,
                               struct seen *seen, const char **why)
{
    struct str name = header->name, value = header->value;
    if (str_eq_nocase(name, STR("host"))) {
        seen->hosts++;
        seen->host = value;
    } else if (str_eq_nocase(name, STR("content-length"))) {
        seen->lengths++;
        return read_length(value, head, why);
    } else if (str_eq_nocase(name, STR("transfer-encoding"))) {
        seen->encodings++;
        head->chunked = true;
        if (!str_eq_nocase(value, STR("chunked")))
            return bad(why, "Transfer-Encoding must be chunked");
    } else if (str_eq_nocase(name, STR("connection"))) {
        read_connection(value, seen);
    } else if (str_eq_nocase(name, STR("content-encoding"))) {
        seen->codings++;
        return read_coding(value, head, why);
    } else if (str_eq_nocase(name, STR("expect"))) {
        seen->expects++;
        head->expect_continue = true;
        if (!str_eq_nocase(value, STR("100-continue")))
            return bad(why, "this Expect is not supported");
    }
    return ST_OK;
}

static enum status check_framing(struct http_head *head, const struct seen *seen, const char **why)
{
    if (seen->lengths > 1)
        return bad(why, "there is more than one Content-Length");
    if (seen->encodings > 1 || seen->codings > 1 || seen->expects > 1)
        return bad(why, "a header that may stand once stands twice");
    if (seen->encodings > 0 && seen->lengths > 0)
        return bad(why, "there are both Content-Length and Transfer-Encoding");
    if (seen->encodings > 0 && head->http10)
        return bad(why, "HTTP/1.0 has no Transfer-Encoding");
    head->has_body = head->chunked || head->content_length > 0;
    if (!head->has_body)
        head->gzip = false;
    head->expect_continue &= head->has_body && !head->http10;
    head->keep_alive = head->http10 ? seen->keep_alive && !seen->close : !seen->close;
    return ST_OK;
}

static enum status check_host(const struct http_head *head, const struct seen *seen,
                              struct str authority, const char **why)
{
    if (seen->hosts > 1)
        return bad(why, "there is more than one Host");
    if (seen->hosts == 0)
        return head->http10 ? ST_OK : bad(why, "Host is missing");
    if (!is_authority(seen->host))
        return bad(why, "Host is malformed");
    if (authority.n > 0 && !str_eq_nocase(authority, seen->host))
        return bad(why, "Host differs from the request target");
    return ST_OK;
}

enum status http1_parse_head(const char *p, size_t n, struct http_header *headers, size_t room,
                             struct http_head *head, const char **why)
{
    *head = (struct http_head){.headers = headers, .content_length = -1};
    if (room > CONN_HEADERS_MAX) {
        *why = "there are too many headers";
        return ST_HEAD_TOO_LARGE;
    }
    struct str authority = STR_NONE;
    TRY(read_request_line(p, n, head, &authority, why));
    struct parse parse = {.headers = headers, .room = room};
    TRY(run_llhttp(p, n, &parse, why));
    if (parse.count != room)
        return bad(why, "the request head is malformed");
    head->header_count = parse.count;
    struct seen seen = {0};
    for (size_t i = 0; i < parse.count; i++)
        TRY(read_header(&headers[i], head, &seen, why));
    TRY(check_framing(head, &seen, why));
    TRY(check_host(head, &seen, authority, why));
    if (head->gzip)
        head->content_length = -1;
    return ST_OK;
}
