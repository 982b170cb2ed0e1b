/* request.c: see request.h. Lookup in the stored head, and the life of a request.
 *
 * Header names are lower-cased when they arrive (http.c); values are kept as sent. Nothing here
 * writes a reply.
 */
#include "tests/sim/request.h"

#include "common/clock.h"
#include "tests/sim/source.h"

#include <stdlib.h>

enum status request_open(struct sim *sim, struct conn *conn, struct request **out)
{
    struct request *req = calloc(1, sizeof *req);
    if (req == NULL)
        return ST_NO_MEMORY;
    req->sim = sim;
    req->conn = conn;
    req->started_ms = clock_wall_ms();
    buf_init(&req->head, REQUEST_HEAD_MAX);
    buf_init(&req->body, REQUEST_BODY_MAX);
    buf_init(&req->body_logged, REQUEST_BODY_LOGGED);
    buf_init(&req->extra_head, REQUEST_HEAD_MAX);
    arena_init(&req->arena, REQUEST_ARENA_MAX);
    arena_init(&req->keep, REQUEST_ARENA_MAX);
    fault_init(&req->fault);
    *out = req;
    return ST_OK;
}

void request_close(struct request *req)
{
    if (req == NULL)
        return;
    if (req->counted_as_stream)
        req->sim->stats.open_streams--;
    source_release(&req->source);
    form_close(req->form);
    EVP_MD_CTX_free(req->body_sha);
    arena_free(&req->keep);
    arena_free(&req->arena);
    buf_free(&req->extra_head);
    buf_free(&req->body_logged);
    buf_free(&req->body);
    buf_free(&req->head);
    free(req);
}

struct str request_header(const struct request *req, const char *name)
{
    struct str wanted = str_c(name);
    for (size_t i = 0; i < req->header_count; i++) {
        const struct request_header *h = &req->headers[i];
        if (str_eq(str_of(req->head.p + h->name_at, h->name_n), wanted))
            return str_of(req->head.p + h->value_at, h->value_n);
    }
    return STR_NONE;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct str request_decode(struct request *req, struct str text)
{
    char *out = arena_alloc(&req->keep, text.n + 1);
    size_t n = 0;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.n; i++) {
        int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.p[i + 2]) : -1;
        if (text.p[i] == '%' && low >= 0) {
            out[n++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[n++] = text.p[i];
        }
    }
    out[n] = '\0';
    return str_of(out, n);
}

/* The undecoded value of `name` in "a=b&c=d", or p = NULL. */
static struct str request_pair(struct str pairs, const char *name)
{
    struct str piece, wanted = str_c(name);
    while (str_split(&pairs, '&', &piece)) {
        ptrdiff_t equals = str_find_char(piece, '=');
        struct str key = equals < 0 ? piece : str_head(piece, (size_t)equals);
        if (str_eq(key, wanted))
            return equals < 0 ? str_from(piece, piece.n) : str_from(piece, (size_t)equals + 1);
    }
    return STR_NONE;
}

struct str request_query(struct request *req, const char *name)
{
    struct str value = request_pair(req->query, name);
    return value.p == NULL ? value : request_decode(req, value);
}

struct str request_form_value(struct request *req, const char *name)
{
    struct str value = request_pair(buf_str(&req->body), name);
    char *copy = value.p == NULL ? NULL : arena_cstr(&req->keep, value);
    if (copy == NULL)
        return STR_NONE;
    for (size_t i = 0; i < value.n; i++) {
        if (copy[i] == '+')
            copy[i] = ' ';
    }
    return request_decode(req, str_of(copy, value.n));
}

struct str request_reply_id(struct request *req)
{
    if (req->reply_id.p == NULL)
        req->reply_id = sim_make_id(&req->keep, "req_");
    return req->reply_id;
}

bool request_credential(const struct request *req, struct str *value, const char **header)
{
    static const char *const names[] = {"authorization", "api-key", "x-api-key", "x-goog-api-key"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str found = request_header(req, names[i]);
        if (i == 0 && str_starts_nocase(found, STR("bearer ")))
            found = str_from(found, 7);
        found = str_trim(found);
        if (found.n == 0)
            continue;
        *value = found;
        *header = names[i];
        return true;
    }
    return false;
}

void request_body_hash(const struct request *req, char text[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[32];
    unsigned n = sizeof hash;
    if (req->body_sha != NULL)
        CHECK(EVP_DigestFinal_ex(req->body_sha, hash, &n) == 1);
    else
        CHECK(EVP_Digest(req->body.p == NULL ? "" : req->body.p, req->body.n, hash, &n,
                         EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < sizeof hash; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    text[64] = '\0';
}
