/* request.c: the small pure helpers over a request: method names, header and query look-up,
 * percent-decoding.
 *
 * Decoding happens once, where a value is used, on bytes that guard_check has already passed: a
 * decoded value may hold '/' (model slugs do) and is never looked at as a path again.
 */
#include "control-plane/http/request.h"

static const char *const method_texts[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = "GET",       [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE", [HTTP_HEAD] = "HEAD", [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_PATCH] = "PATCH"};

enum status http_method_from_text(struct str text, enum http_method *method)
{
    for (size_t i = 0; i < COUNT_OF(method_texts); i++) {
        if (str_eq(text, str_c(method_texts[i]))) {
            *method = (enum http_method)i;
            return ST_OK;
        }
    }
    return ST_METHOD;
}

const char *http_method_text(enum http_method method)
{
    CHECK((size_t)method < COUNT_OF(method_texts));
    return method_texts[method];
}

struct str http_request_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (str_eq_nocase(request->headers[i].name, str_c(name)))
            return request->headers[i].value;
    return STR_NONE;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum status http_decode(struct arena *arena, struct str raw, bool plus, struct str *text)
{
    char *out = arena_alloc(arena, raw.n + 1);
    if (out == NULL)
        return ST_NO_MEMORY;
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '+' && plus) {
            c = ' ';
        } else if (c == '%') {
            if (raw.n - i < 3)
                return ST_INVALID;
            int high = hex_digit(raw.p[i + 1]), low = hex_digit(raw.p[i + 2]);
            if (high < 0 || low < 0)
                return ST_INVALID;
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    *text = str_of(out, n);
    return ST_OK;
}

struct str http_request_query(const struct http_request *request, const char *name)
{
    struct str rest = request->query, pair;
    while (str_split(&rest, '&', &pair)) {
        struct str key, decoded, value;
        if (!str_split(&pair, '=', &key) ||
            http_decode(request->arena, key, true, &decoded) != ST_OK ||
            !str_eq(decoded, str_c(name)))
            continue;
        if (http_decode(request->arena, pair, true, &value) != ST_OK)
            return STR_NONE;
        return value;
    }
    return STR_NONE;
}
