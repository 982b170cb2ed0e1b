/* sigv4.c: see sigv4.h.
 *
 *   canonical = method \n path \n query \n (name:value \n)* \n names \n payload
 *   to sign   = AWS4-HMAC-SHA256 \n time \n scope \n hex(SHA-256(canonical))
 *   key       = HMAC chain over "AWS4" secret: date, region, service, "aws4_request"
 *
 * The canonical text is hashed as it is made and never stands anywhere as a whole: it holds session
 * tokens. Path: dot segments and empty ones are taken out and every byte is encoded once more than
 * it was sent; s3 signs the path as it is. Query: parameters decoded, encoded, sorted by name, then
 * value. Headers: names in lower case and sorted, values trimmed, runs of blanks one blank, the
 * values of one name joined by a comma.
 */
#include "data-plane/dialect/sigv4.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/secret.h"

#define HASH_BYTES      crypto_hash_sha256_BYTES
#define QUERY_MAX       (64u * 1024u)
#define SEGMENTS_MAX    64
#define HEADER_NAME_MAX 128
#define MS_PER_DAY      86400000

_Static_assert(HASH_BYTES * 2 == SIGV4_HEX, "a hash in hex");

static void put(crypto_hash_sha256_state *sha, struct str text)
{
    if (text.n > 0)
        crypto_hash_sha256_update(sha, (const unsigned char *)text.p, text.n);
}

static void to_hex(const unsigned char hash[HASH_BYTES], char hex[SIGV4_HEX + 1])
{
    sodium_bin2hex(hex, SIGV4_HEX + 1, hash, HASH_BYTES);
}

/* Bodies are megabytes: OpenSSL has the processor's own instructions for them. */
void sigv4_payload(struct str body, char hex[SIGV4_HEX + 1])
{
    unsigned char hash[HASH_BYTES];
    unsigned n = sizeof hash;
    CHECK(EVP_Digest(body.n == 0 ? "" : body.p, body.n, hash, &n, EVP_sha256(), NULL) == 1);
    to_hex(hash, hex);
}

void sigv4_time(int64_t utc_ms, char text[SIGV4_TIME + 1])
{
    int64_t year, days = utc_ms / MS_PER_DAY, rest = utc_ms % MS_PER_DAY / 1000;
    unsigned month, day;
    clock_civil_from_days(days, &year, &month, &day);
    char room[64];
    int n =
        snprintf(room, sizeof room, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)year % 10000, month,
                 day, (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
    CHECK(n == SIGV4_TIME);
    memcpy(text, room, SIGV4_TIME + 1);
}

/* --- path and query */

/* RFC 3986's unreserved bytes stay, all others become %XX; out has room for three each. */
static size_t encode_byte(unsigned char c, char out[3])
{
    static const char hex[] = "0123456789ABCDEF";
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '_' || c == '.' || c == '~';
    out[0] = plain ? (char)c : '%';
    if (plain)
        return 1;
    out[1] = hex[c >> 4];
    out[2] = hex[c & 15];
    return 3;
}

static void put_encoded(crypto_hash_sha256_state *sha, struct str text)
{
    char out[3];
    for (size_t i = 0; i < text.n; i++)
        put(sha, str_of(out, encode_byte((unsigned char)text.p[i], out)));
}

/* Segments but "", "." and "..", which takes the one before it away. */
static enum status split_path(struct str path, struct str segments[SEGMENTS_MAX], size_t *count)
{
    struct str piece;
    *count = 0;
    while (path.n > 0 && str_split(&path, '/', &piece)) {
        if (str_eq(piece, STR("..")) && *count > 0)
            (*count)--;
        if (piece.n == 0 || str_eq(piece, STR(".")) || str_eq(piece, STR("..")))
            continue;
        if (*count == SEGMENTS_MAX)
            return ST_TOO_LARGE;
        segments[(*count)++] = piece;
    }
    return ST_OK;
}

static enum status put_path(crypto_hash_sha256_state *sha, const struct sigv4_request *request)
{
    struct str segments[SEGMENTS_MAX], path = request->path;
    size_t count;
    if (request->plain_path) {
        put(sha, path.n == 0 ? STR("/") : path);
        return ST_OK;
    }
    TRY(split_path(path, segments, &count));
    for (size_t i = 0; i < count; i++) {
        put(sha, STR("/"));
        put_encoded(sha, segments[i]);
    }
    if (count == 0 || str_ends(path, STR("/")) || str_ends(path, STR("/.")) ||
        str_ends(path, STR("/..")))
        put(sha, STR("/"));
    return ST_OK;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Escapes are decoded, everything is encoded again: one spelling of each byte. */
static void add_canonical(struct buf *out, struct str text)
{
    char room[3];
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '%' && i + 2 < text.n && hex_value(text.p[i + 1]) >= 0 &&
            hex_value(text.p[i + 2]) >= 0) {
            c = (unsigned char)(hex_value(text.p[i + 1]) * 16 + hex_value(text.p[i + 2]));
            i += 2;
        }
        buf_add(out, room, encode_byte(c, room));
    }
}

struct pair {
    size_t at, name_n, value_n; /* in the canonical query: name, then value */
};

static int compare_pairs(const char *base, const struct pair *a, const struct pair *b)
{
    int order = str_cmp(str_of(base + a->at, a->name_n), str_of(base + b->at, b->name_n));
    return order != 0 ? order
                      : str_cmp(str_of(base + a->at + a->name_n, a->value_n),
                                str_of(base + b->at + b->name_n, b->value_n));
}

static enum status read_pairs(struct str query, struct buf *text, struct pair pairs[], size_t *out)
{
    struct str piece;
    size_t count = 0;
    while (query.n > 0 && str_split(&query, '&', &piece)) {
        ptrdiff_t equals = str_find_char(piece, '=');
        size_t name_n = equals < 0 ? piece.n : (size_t)equals;
        if (count == SIGV4_PAIRS_MAX)
            return ST_TOO_LARGE;
        pairs[count].at = text->n;
        add_canonical(text, str_head(piece, name_n));
        pairs[count].name_n = text->n - pairs[count].at;
        if (equals >= 0)
            add_canonical(text, str_from(piece, name_n + 1));
        pairs[count].value_n = text->n - pairs[count].at - pairs[count].name_n;
        count++;
    }
    *out = count;
    return buf_status(text);
}

static enum status put_query(crypto_hash_sha256_state *sha, struct str query)
{
    struct pair pairs[SIGV4_PAIRS_MAX];
    struct buf text;
    size_t count = 0;
    buf_init(&text, QUERY_MAX);
    enum status status = read_pairs(query, &text, pairs, &count);
    for (size_t i = 1; i < count && status == ST_OK; i++) {
        struct pair moved = pairs[i];
        size_t k = i;
        for (; k > 0 && compare_pairs(text.p, &moved, &pairs[k - 1]) < 0; k--)
            pairs[k] = pairs[k - 1];
        pairs[k] = moved;
    }
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        const char *p = text.p + pairs[i].at;
        put(sha, i > 0 ? STR("&") : STR(""));
        put(sha, str_of(p, pairs[i].name_n));
        put(sha, STR("="));
        put(sha, str_of(p + pairs[i].name_n, pairs[i].value_n));
    }
    buf_free(&text);
    return status;
}

/* --- headers */

struct names {
    const struct upstream_header *sorted[SIGV4_HEADERS_MAX];
    size_t count;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int compare_names(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        int order = (unsigned char)lower(a.p[i]) - (unsigned char)lower(b.p[i]);
        if (order != 0)
            return order;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

/* By name; those of one name keep their order. */
static enum status sort_names(const struct sigv4_request *request, struct names *names)
{
    names->count = 0;
    if (request->header_count > SIGV4_HEADERS_MAX)
        return ST_TOO_LARGE;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct upstream_header *header = &request->headers[i];
        size_t k = names->count++;
        if (header->name.n > HEADER_NAME_MAX)
            return ST_TOO_LARGE;
        for (; k > 0 && compare_names(header->name, names->sorted[k - 1]->name) < 0; k--)
            names->sorted[k] = names->sorted[k - 1];
        names->sorted[k] = header;
    }
    return ST_OK;
}

static bool is_first(const struct names *names, size_t i)
{
    return i == 0 || compare_names(names->sorted[i]->name, names->sorted[i - 1]->name) != 0;
}

static size_t lower_name(struct str name, char room[HEADER_NAME_MAX])
{
    for (size_t i = 0; i < name.n; i++)
        room[i] = lower(name.p[i]);
    return name.n;
}

static void put_value(crypto_hash_sha256_state *sha, struct str value)
{
    value = str_trim(value);
    for (size_t from = 0, i = 0; i <= value.n; i++) {
        bool doubled = i < value.n && value.p[i] == ' ' && i > 0 && value.p[i - 1] == ' ';
        if (i < value.n && !doubled)
            continue;
        put(sha, str_of(value.p + from, i - from));
        from = i + 1;
    }
}

static void put_headers(crypto_hash_sha256_state *sha, const struct names *names)
{
    char room[HEADER_NAME_MAX];
    for (size_t i = 0; i < names->count; i++) {
        const struct upstream_header *header = names->sorted[i];
        if (is_first(names, i)) {
            put(sha, i > 0 ? STR("\n") : STR(""));
            put(sha, str_of(room, lower_name(header->name, room)));
            put(sha, STR(":"));
        } else {
            put(sha, STR(","));
        }
        put_value(sha, header->value);
    }
    put(sha, names->count > 0 ? STR("\n") : STR(""));
}

/* "host;x-amz-date" */
static enum status join_names(const struct names *names, char *out, size_t room, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < names->count; i++) {
        struct str name = names->sorted[i]->name;
        if (!is_first(names, i))
            continue;
        if (*n + 1 + name.n >= room)
            return ST_TOO_LARGE;
        if (i > 0)
            out[(*n)++] = ';';
        for (size_t k = 0; k < name.n; k++)
            out[(*n)++] = lower(name.p[k]);
    }
    return ST_OK;
}

/* --- the signature */

static enum status hash_canonical(const struct sigv4_request *request, const struct names *names,
                                  struct str signed_names, char hex[SIGV4_HEX + 1])
{
    crypto_hash_sha256_state sha;
    unsigned char hash[HASH_BYTES];
    crypto_hash_sha256_init(&sha);
    put(&sha, request->method);
    put(&sha, STR("\n"));
    TRY(put_path(&sha, request));
    put(&sha, STR("\n"));
    TRY(put_query(&sha, request->query));
    put(&sha, STR("\n"));
    put_headers(&sha, names);
    put(&sha, STR("\n"));
    put(&sha, signed_names);
    put(&sha, STR("\n"));
    put(&sha, request->payload);
    crypto_hash_sha256_final(&sha, hash);
    secret_wipe(&sha, sizeof sha);
    to_hex(hash, hex);
    return ST_OK;
}

/* HMAC-SHA-256 of the pieces -> out, which may be the key. The key may come in two pieces. */
static void hmac(const struct str key[2], const struct str *pieces, size_t count,
                 unsigned char out[HASH_BYTES])
{
    crypto_auth_hmacsha256_state state;
    unsigned char joined[256];
    size_t n = key[0].n + key[1].n;
    CHECK(n <= sizeof joined);
    memcpy(joined, key[0].p, key[0].n);
    if (key[1].n > 0)
        memcpy(joined + key[0].n, key[1].p, key[1].n);
    crypto_auth_hmacsha256_init(&state, joined, n);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].n > 0)
            crypto_auth_hmacsha256_update(&state, (const unsigned char *)pieces[i].p, pieces[i].n);
    crypto_auth_hmacsha256_final(&state, out);
    secret_wipe(&state, sizeof state);
    secret_wipe(joined, sizeof joined);
}

static void make_signature(const struct sigv4_request *request, struct str secret,
                           const char canonical[SIGV4_HEX + 1], char hex[SIGV4_HEX + 1])
{
    unsigned char key[HASH_BYTES];
    struct str date = str_head(request->time, 8);
    const struct str first[2] = {STR("AWS4"), secret};
    const struct str derived[2] = {str_of((const char *)key, sizeof key), STR("")};
    const struct str chain[] = {request->region, request->service, STR("aws4_request")};
    const struct str to_sign[] = {STR("AWS4-HMAC-SHA256\n"),
                                  request->time,
                                  STR("\n"),
                                  date,
                                  STR("/"),
                                  request->region,
                                  STR("/"),
                                  request->service,
                                  STR("/aws4_request\n"),
                                  str_of(canonical, SIGV4_HEX)};
    hmac(first, &date, 1, key);
    for (size_t i = 0; i < COUNT_OF(chain); i++)
        hmac(derived, &chain[i], 1, key);
    hmac(derived, to_sign, COUNT_OF(to_sign), key);
    to_hex(key, hex);
    secret_wipe(key, sizeof key);
}

enum status sigv4_sign(const struct sigv4_request *request, const struct sigv4_keys *keys,
                       char *out, size_t room, size_t *n)
{
    struct names names;
    char joined[SIGV4_VALUE_MAX], canonical[SIGV4_HEX + 1], signature[SIGV4_HEX + 1];
    size_t joined_n;
    if (keys->secret.n > 200 || request->time.n != SIGV4_TIME)
        return ST_TOO_LARGE;
    TRY(sort_names(request, &names));
    TRY(join_names(&names, joined, sizeof joined, &joined_n));
    struct str list = str_of(joined, joined_n);
    TRY(hash_canonical(request, &names, list, canonical));
    make_signature(request, keys->secret, canonical, signature);
    int written = snprintf(out, room,
                           "AWS4-HMAC-SHA256 Credential=" STR_FMT "/%.8s/" STR_FMT "/" STR_FMT
                           "/aws4_request, SignedHeaders=" STR_FMT ", Signature=%s",
                           STR_ARG(keys->id), request->time.p, STR_ARG(request->region),
                           STR_ARG(request->service), STR_ARG(list), signature);
    CHECK(written >= 0);
    if ((size_t)written >= room)
        return ST_TOO_LARGE;
    *n = (size_t)written;
    return ST_OK;
}
