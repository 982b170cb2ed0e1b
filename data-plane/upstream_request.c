/* upstream_request.c: from our request to libcurl's options: header lines, pinned addresses, method
 * and body.
 *
 * Lines and list nodes live in exchange->block, which is reserved whole before the first node is
 * built (pointers into it stay true) and wiped when the attempt ends; libcurl only reads them. A
 * header name that is no token, or a value with control bytes, is refused here: libcurl sends what
 * it is given.
 */
#include "data-plane/upstream_internal.h"

#define TAG_BYTES 34

static bool is_token(struct str name)
{
    if (name.n == 0)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c <= ' ' || c >= 0x7F || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return true;
}

static bool is_field_value(struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == 0x7F || (c < 0x20 && c != '\t'))
            return false;
    }
    return true;
}

/* Room for everything is reserved before the first node is built, so that pointers into the block
 * stay true. */
static size_t lines_bytes(const struct upstream_request *request)
{
    size_t n = 2 * (TAG_BYTES + request->host.n + 16) + request->addr_count * (NETADDR_TEXT + 3) +
               request->host.n + 64;
    for (size_t i = 0; i < request->header_count; i++)
        n += request->headers[i].name.n + request->headers[i].value.n + 4;
    for (size_t i = 0; i < request->secret_header_count; i++)
        n += request->secret_headers[i].n + 1;
    return n +
           (request->header_count + request->secret_header_count + 8) *
               (sizeof(struct curl_slist) + 16) +
           64;
}

static struct curl_slist *list_add(struct buf *block, struct curl_slist **tail, char *line)
{
    while (block->n % _Alignof(struct curl_slist) != 0)
        buf_add_char(block, '\0');
    struct curl_slist *node = (struct curl_slist *)(void *)(block->p + block->n);
    struct curl_slist empty = {.data = line, .next = NULL};
    buf_add(block, &empty, sizeof empty);
    if (*tail != NULL)
        (*tail)->next = node;
    *tail = node;
    return node;
}

/* A header without a value needs "name;" in libcurl's lists. */
static char *add_line(struct buf *block, struct str name, struct str value)
{
    char *line = block->p + block->n;
    buf_add_str(block, name);
    if (value.n == 0) {
        buf_add(block, ";", 2);
    } else {
        buf_add_lit(block, ": ");
        buf_add_str(block, value);
        buf_add_char(block, '\0');
    }
    return line;
}

static enum status build_headers(struct exchange *exchange, const struct upstream_request *request,
                                 struct curl_slist **head)
{
    static char no_expect[] = "Expect:", no_accept[] = "Accept:",
                chunked[] = "Transfer-Encoding: chunked", no_type[] = "Content-Type:";
    struct buf *block = &exchange->block;
    struct curl_slist *tail = NULL;
    *head = list_add(block, &tail, no_expect);
    bool accept = false, type = false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct upstream_header *header = &request->headers[i];
        if (!is_token(header->name) || !is_field_value(header->value))
            return ST_INVALID;
        accept = accept || str_eq_nocase(header->name, STR("accept"));
        type = type || str_eq_nocase(header->name, STR("content-type"));
        list_add(block, &tail, add_line(block, header->name, header->value));
    }
    for (size_t i = 0; i < request->secret_header_count; i++) {
        if (!is_field_value(request->secret_headers[i]))
            return ST_INVALID;
        char *line = block->p + block->n;
        buf_add_str(block, request->secret_headers[i]);
        buf_add_char(block, '\0');
        list_add(block, &tail, line);
    }
    if (!accept)
        list_add(block, &tail, no_accept);
    if (!type)
        list_add(block, &tail, no_type);
    if (request->stream_length == -1)
        list_add(block, &tail, chunked);
    return ST_OK;
}

static void add_tagged(struct buf *block, const struct upstream_request *request, const char *tag)
{
    buf_add(block, tag, TAG_BYTES);
    buf_add_str(block, request->host);
    buf_add_char(block, ':');
    buf_add_u64(block, request->port);
}

/* RESOLVE "+tag.host:port:a,b": what libcurl's own cache of this shard keeps for RESOLVE_KEEP_MS is
 * not told again. */
static void build_resolve(struct exchange *exchange, const struct upstream_request *request,
                          const char *tag)
{
    struct buf *block = &exchange->block;
    struct curl_slist *tail = NULL;
    if (shard_resolves(exchange->shard, request))
        return;
    char *line = block->p + block->n;
    buf_add_char(block, '+');
    add_tagged(block, request, tag);
    for (size_t i = 0; i < exchange->pin_count; i++) {
        char text[NETADDR_TEXT + 1];
        bool v6 = exchange->pins[i].family == 6;
        netaddr_to_text(&exchange->pins[i], text);
        buf_add_char(block, i == 0 ? ':' : ',');
        if (v6)
            buf_add_char(block, '[');
        buf_add_str(block, str_c(text));
        if (v6)
            buf_add_char(block, ']');
    }
    buf_add_char(block, '\0');
    curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, list_add(block, &tail, line));
}

/* The address is pinned under a name of the organisation's own, and CONNECT_TO
 * "host:port:tag.host:port" leads there: so the pool entry is the organisation's too, while Host,
 * SNI and certificate check stay with the real name. */
static void build_pins(struct exchange *exchange, const struct upstream_request *request)
{
    static const char digits[] = "0123456789abcdef";
    struct buf *block = &exchange->block;
    char tag[TAG_BYTES] = "o";
    for (size_t i = 0; i < ID_BYTES; i++) {
        tag[1 + 2 * i] = digits[request->org.b[i] >> 4];
        tag[2 + 2 * i] = digits[request->org.b[i] & 15];
    }
    tag[TAG_BYTES - 1] = '.';
    exchange->pin_count =
        request->addr_count < UPSTREAM_PINS_MAX ? request->addr_count : UPSTREAM_PINS_MAX;
    memcpy(exchange->pins, request->addrs, exchange->pin_count * sizeof exchange->pins[0]);
    exchange->port = request->port;
    build_resolve(exchange, request, tag);
    struct curl_slist *tail = NULL;
    char *line = block->p + block->n;
    buf_add_str(block, request->host);
    buf_add_char(block, ':');
    buf_add_u64(block, request->port);
    buf_add_char(block, ':');
    add_tagged(block, request, tag);
    buf_add_char(block, '\0');
    curl_easy_setopt(exchange->easy, CURLOPT_CONNECT_TO, list_add(block, &tail, line));
}

static void set_method(CURL *easy, const struct upstream_request *request)
{
    bool post = strcmp(request->method, "POST") == 0, get = strcmp(request->method, "GET") == 0;
    bool streams = request->stream_length != -2;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (post || streams || request->body.n > 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         streams ? (curl_off_t)request->stream_length
                                 : (curl_off_t)request->body.n);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                         streams                ? NULL
                         : request->body.n == 0 ? ""
                                                : request->body.p);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    if (!post && !(get && request->body.n == 0 && !streams))
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

enum status upstream_build(struct exchange *exchange, const struct upstream_request *request)
{
    struct curl_slist *headers;
    TRY(buf_reserve(&exchange->block, lines_bytes(request)));
    TRY(build_headers(exchange, request, &headers));
    build_pins(exchange, request);
    TRY(buf_status(&exchange->block));
    CURL *easy = exchange->easy;
    if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK)
        return ST_NO_MEMORY;
    set_method(easy, request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->times.connect_ms);
    return ST_OK;
}
