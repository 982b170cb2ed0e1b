/* sigv4.c: see sigv4.h.
 *
 *   canonical = method \n path \n query \n (name:value \n)* \n names \n payload hash
 *   to sign   = AWS4-HMAC-SHA256 \n x-amz-date \n scope \n sha256(canonical)
 *   key       = HMAC chain over AWS4+secret, date, region, service, "aws4_request"
 *
 * The path is encoded once more than it was sent, except for s3; query parameters are decoded,
 * encoded and sorted. A refusal of a wrong signature tells both strings, as AWS does: that is how a
 * signer is mended.
 */
#include "tests/sim/aws/sigv4.h"

#include "tests/sim/aws/aws.h"
#include "tests/sim/reply.h"

#include "common/clock.h"

#include <openssl/hmac.h>
#include <stdlib.h>

#define SIGV4_HASH      32
#define SIGV4_HEX       (2 * SIGV4_HASH)
#define SIGV4_PAIRS_MAX 64
#define SIGV4_TEXT_MAX  (512 << 10)

struct sigv4 {
    struct str key_id, date, region, service; /* the scope */
    struct str names, signature, time;        /* signed headers; x-amz-date */
};

bool sigv4_is_for(const struct request *req, const char *service)
{
    struct str header = request_header(req, "authorization");
    return str_starts(header, STR("AWS4-HMAC-SHA256")) && str_find(header, str_c(service)) >= 0;
}

static bool sigv4_refuse(struct request *req, const char *code, const char *message)
{
    reply_error(req, 403, code, str_c(message));
    return false;
}

/* The value of one member of the header: "Name=value". */
static struct str sigv4_member(struct str header, const char *name)
{
    ptrdiff_t at = str_find(header, str_c(name));
    if (at < 0)
        return STR_NONE;
    struct str value = str_from(header, (size_t)at + strlen(name));
    ptrdiff_t end = str_find_char(value, ',');
    return str_trim(end < 0 ? value : str_head(value, (size_t)end));
}

static bool sigv4_read(struct request *req, struct sigv4 *sig)
{
    struct str header = request_header(req, "authorization"), terminator = STR_NONE;
    struct str scope = sigv4_member(header, "Credential=");
    sig->names = sigv4_member(header, "SignedHeaders=");
    sig->signature = sigv4_member(header, "Signature=");
    sig->time = request_header(req, "x-amz-date");
    if (!str_split(&scope, '/', &sig->key_id) || !str_split(&scope, '/', &sig->date) ||
        !str_split(&scope, '/', &sig->region) || !str_split(&scope, '/', &sig->service) ||
        !str_split(&scope, '/', &terminator) || !str_eq(terminator, STR("aws4_request")) ||
        sig->names.n == 0 || sig->signature.n != SIGV4_HEX)
        return sigv4_refuse(req, "IncompleteSignatureException",
                            "Authorization header requires 'Credential', 'SignedHeaders' and "
                            "'Signature' parameters.");
    return true;
}

/* "20250131T235959Z" as unix seconds; -1: it is none. */
static int64_t sigv4_time(struct str text)
{
    static const unsigned char places[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14};
    int64_t d[COUNT_OF(places)];
    if (text.n != 16 || text.p[8] != 'T' || text.p[15] != 'Z')
        return -1;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        d[i] = text.p[places[i]] - '0';
        if (d[i] < 0 || d[i] > 9)
            return -1;
    }
    int64_t year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3], month = d[4] * 10 + d[5];
    int64_t day = d[6] * 10 + d[7];
    /* days since 1970-03-01 in a calendar whose year begins in March */
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
    return days * 86400 + (d[8] * 10 + d[9]) * 3600 + (d[10] * 10 + d[11]) * 60 + d[12] * 10 +
           d[13];
}

static bool sigv4_check_scope(struct request *req, const struct sigv4 *sig, const char *service)
{
    struct str host = request_header(req, "host");
    int64_t when = sigv4_time(sig->time), now = sim_now_s();
    if (when < 0)
        return sigv4_refuse(req, "IncompleteSignatureException",
                            "Date must be in ISO-8601 'basic format' in the X-Amz-Date header.");
    if (when < now - SIGV4_SKEW_S || when > now + SIGV4_SKEW_S)
        return sigv4_refuse(req, "InvalidSignatureException",
                            when < now ? "Signature expired: the request is older than 5 minutes."
                                       : "Signature not yet current: the request is from the "
                                         "future.");
    if (!str_eq(sig->date, str_head(sig->time, 8)))
        return sigv4_refuse(req, "InvalidSignatureException",
                            "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                            "version of date from HTTP.");
    if (!str_eq(sig->service, str_c(service)))
        return sigv4_refuse(req, "InvalidSignatureException",
                            "Credential should be scoped to correct service.");
    struct str suffix = STR(".amazonaws.com");
    if (str_find(host, suffix) >= 0 && str_find(host, sig->region) < 0)
        return sigv4_refuse(req, "InvalidSignatureException",
                            "Credential should be scoped to a valid region.");
    return true;
}

static void sigv4_encode(struct buf *out, struct str text, bool keep_slash)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slash)) {
            buf_add_char(out, (char)c);
        } else {
            buf_add_char(out, '%');
            buf_add_char(out, hex[c >> 4]);
            buf_add_char(out, hex[c & 15]);
        }
    }
}

static int sigv4_compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Each pair is encoded to "name=value" in keep; sorting them sorts by name, then value, because '='
 * is encoded in both. */
static void sigv4_add_query(struct request *req, struct buf *out)
{
    struct str pairs[SIGV4_PAIRS_MAX], rest = req->query, piece;
    size_t count = 0;
    while (rest.n > 0 && count < SIGV4_PAIRS_MAX && str_split(&rest, '&', &piece)) {
        ptrdiff_t equals = str_find_char(piece, '=');
        struct str name = equals < 0 ? piece : str_head(piece, (size_t)equals);
        struct str value = equals < 0 ? STR("") : str_from(piece, (size_t)equals + 1);
        struct buf pair;
        buf_init(&pair, SIGV4_TEXT_MAX);
        sigv4_encode(&pair, request_decode(req, name), false);
        buf_add_char(&pair, '=');
        sigv4_encode(&pair, request_decode(req, value), false);
        pairs[count++] = arena_str(&req->keep, buf_str(&pair));
        buf_free(&pair);
    }
    qsort(pairs, count, sizeof *pairs, sigv4_compare);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s" STR_FMT, i > 0 ? "&" : "", STR_ARG(pairs[i]));
}

/* The value with runs of blanks made one. */
static void sigv4_add_value(struct buf *out, struct str value)
{
    value = str_trim(value);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] != ' ' || value.p[i - 1] != ' ')
            buf_add_char(out, value.p[i]);
    }
}

static void sigv4_add_headers(const struct request *req, const struct sigv4 *sig, struct buf *out)
{
    struct str names = sig->names, name;
    while (str_split(&names, ';', &name)) {
        buf_printf(out, STR_FMT ":", STR_ARG(name));
        bool first = true;
        for (size_t i = 0; i < req->header_count; i++) {
            const struct request_header *h = &req->headers[i];
            if (!str_eq(name, str_of(req->head.p + h->name_at, h->name_n)))
                continue;
            if (!first)
                buf_add_char(out, ',');
            sigv4_add_value(out, str_of(req->head.p + h->value_at, h->value_n));
            first = false;
        }
        buf_add_char(out, '\n');
    }
}

/* host and every x-amz-* header are signed. */
static bool sigv4_check_names(struct request *req, const struct sigv4 *sig)
{
    struct str names = sig->names, name;
    bool host = false;
    while (str_split(&names, ';', &name))
        host = host || str_eq(name, STR("host"));
    if (!host)
        return sigv4_refuse(req, "InvalidSignatureException", "'Host' must be a 'SignedHeader'.");
    for (size_t i = 0; i < req->header_count; i++) {
        struct str have = str_of(req->head.p + req->headers[i].name_at, req->headers[i].name_n);
        bool found = !str_starts(have, STR("x-amz-"));
        names = sig->names;
        while (!found && str_split(&names, ';', &name))
            found = str_eq(name, have);
        if (!found)
            return sigv4_refuse(req, "InvalidSignatureException",
                                "There were headers present in the request which were not signed.");
    }
    return true;
}

static void sigv4_hex(const unsigned char hash[SIGV4_HASH], char text[SIGV4_HEX + 1])
{
    for (size_t i = 0; i < SIGV4_HASH; i++) {
        text[2 * i] = "0123456789abcdef"[hash[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
    }
    text[SIGV4_HEX] = '\0';
}

static void sigv4_hash(struct str text, char hex[SIGV4_HEX + 1])
{
    unsigned char hash[SIGV4_HASH];
    unsigned n = sizeof hash;
    CHECK(EVP_Digest(text.p == NULL ? "" : text.p, text.n, hash, &n, EVP_sha256(), NULL) == 1);
    sigv4_hex(hash, hex);
}

static void sigv4_hmac(const void *key, size_t key_n, struct str text,
                       unsigned char hash[SIGV4_HASH])
{
    unsigned n = SIGV4_HASH;
    CHECK(HMAC(EVP_sha256(), key, (int)key_n, (const unsigned char *)text.p, text.n, hash, &n) !=
          NULL);
}

static void sigv4_sign(struct str secret, const struct sigv4 *sig, struct str to_sign,
                       char hex[SIGV4_HEX + 1])
{
    unsigned char key[SIGV4_HASH];
    char first[256];
    int n = snprintf(first, sizeof first, "AWS4" STR_FMT, STR_ARG(str_head(secret, 200)));
    sigv4_hmac(first, (size_t)n, sig->date, key);
    sigv4_hmac(key, sizeof key, sig->region, key);
    sigv4_hmac(key, sizeof key, sig->service, key);
    sigv4_hmac(key, sizeof key, STR("aws4_request"), key);
    sigv4_hmac(key, sizeof key, to_sign, key);
    sigv4_hex(key, hex);
}

/* The payload's hash as the header has it, which must be that of the body. */
static bool sigv4_payload(struct request *req, const struct sigv4 *sig, struct str *payload)
{
    char hash[SIGV4_HEX + 1];
    struct str claimed = request_header(req, "x-amz-content-sha256");
    if (str_eq(claimed, STR("UNSIGNED-PAYLOAD"))) {
        *payload = claimed;
        return true;
    }
    if (claimed.n == 0 && str_eq(sig->service, STR("s3")))
        return sigv4_refuse(req, "InvalidRequest",
                            "Missing required header for this request: x-amz-content-sha256");
    sigv4_hash(buf_str(&req->body), hash);
    *payload = arena_str(&req->keep, str_c(hash));
    if (claimed.n > 0 && !str_eq(claimed, *payload))
        return sigv4_refuse(req, "InvalidSignatureException",
                            "The provided 'x-amz-content-sha256' header does not match what was "
                            "computed.");
    return true;
}

static bool sigv4_compare_signature(struct request *req, const struct sigv4 *sig, struct str secret,
                                    struct str payload)
{
    struct buf canonical, to_sign;
    char hash[SIGV4_HEX + 1], signature[SIGV4_HEX + 1];
    buf_init(&canonical, SIGV4_TEXT_MAX);
    buf_init(&to_sign, SIGV4_TEXT_MAX);
    buf_printf(&canonical, "%s\n", req->method);
    if (str_eq(sig->service, STR("s3")))
        buf_add_str(&canonical, req->path);
    else
        sigv4_encode(&canonical, req->path, true);
    buf_add_char(&canonical, '\n');
    sigv4_add_query(req, &canonical);
    buf_add_char(&canonical, '\n');
    sigv4_add_headers(req, sig, &canonical);
    buf_printf(&canonical, "\n" STR_FMT "\n" STR_FMT, STR_ARG(sig->names), STR_ARG(payload));
    sigv4_hash(buf_str(&canonical), hash);
    buf_printf(
        &to_sign,
        "AWS4-HMAC-SHA256\n" STR_FMT "\n" STR_FMT "/" STR_FMT "/" STR_FMT "/aws4_request\n%s",
        STR_ARG(sig->time), STR_ARG(sig->date), STR_ARG(sig->region), STR_ARG(sig->service), hash);
    sigv4_sign(secret, sig, buf_str(&to_sign), signature);
    bool same = str_eq(sig->signature, str_c(signature));
    if (!same) {
        struct str message = arena_printf(
            &req->keep,
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details.\n\nThe Canonical String for this request should have been\n'" STR_FMT
            "'\n\nThe String-to-Sign should have been\n'" STR_FMT "'\n",
            STR_ARG(buf_str(&canonical)), STR_ARG(buf_str(&to_sign)));
        reply_error(req, 403, "InvalidSignatureException", message);
    }
    buf_free(&canonical);
    buf_free(&to_sign);
    return same;
}

bool sigv4_admit(struct request *req, const char *service)
{
    struct sigv4 sig = {.time = STR_NONE};
    struct str secret = STR_NONE, payload = STR_NONE;
    const char *refusal = NULL;
    if (!str_starts(request_header(req, "authorization"), STR("AWS4-HMAC-SHA256 ")))
        return sigv4_refuse(req, "MissingAuthenticationTokenException",
                            "Missing Authentication Token");
    if (!sigv4_read(req, &sig) || !sigv4_check_scope(req, &sig, service) ||
        !sigv4_check_names(req, &sig) || !sigv4_payload(req, &sig, &payload))
        return false;
    if (!aws_find_secret(req, sig.key_id, &secret, &refusal))
        return sigv4_refuse(req, refusal,
                            strcmp(refusal, "ExpiredTokenException") == 0
                                ? "The security token included in the request is expired"
                                : "The security token included in the request is invalid.");
    req->principal = sig.key_id;
    return sigv4_compare_signature(req, &sig, secret, payload);
}
