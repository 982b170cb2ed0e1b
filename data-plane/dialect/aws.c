/* aws.c: see aws.h.
 *
 *   apiKey       authorization: Bearer <key>
 *   accessKey    x-amz-date, x-amz-content-sha256, x-amz-security-token, authorization (sigv4.h)
 *   assumedRole  the same with the keys of the role (aws_role.c)
 *
 * Signed are host, content-type and every x-amz-* header; what else goes out may be changed by a
 * proxy on the way without harm. Without aws_auth_type the stored secrets decide: access keys
 * before an API key.
 */
#include "data-plane/dialect/aws.h"

#include "common/json_scan.h"
#include "common/secret.h"
#include "data-plane/dialect/sigv4.h"

#define MODEL_MAX      2048
#define PAGE_BYTES     16384
#define SECRET_MAX     256
#define TOKEN_MAX      8192
#define DEFAULT_REGION "us-east-1"
#define AWS_SUFFIX     ".amazonaws.com"

/* --- names */

bool aws_is_region(struct str text)
{
    if (text.n == 0 || text.n >= AWS_REGION_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool hyphen = c == '-' && i > 0 && i + 1 < text.n && text.p[i - 1] != '-';
        if (!word && !hyphen)
            return false;
    }
    return true;
}

struct str aws_configured(const struct dialect_target *target, const char *name)
{
    struct str raw = json_member(target->configurations_json, name, JSON_STRING);
    return raw.p == NULL ? STR_NONE : str_of(raw.p + 1, raw.n - 2);
}

/* "bedrock-runtime.eu-west-1.amazonaws.com" -> eu-west-1 */
static struct str region_of_host(struct str host)
{
    struct str rest, label, last = STR_NONE;
    if (!str_ends(host, STR(AWS_SUFFIX)))
        return STR_NONE;
    rest = str_head(host, host.n - (sizeof AWS_SUFFIX - 1));
    while (rest.n > 0 && str_split(&rest, '.', &label))
        last = label;
    return last;
}

enum status aws_region(const struct dialect_target *target, struct str host,
                       char room[AWS_REGION_MAX], struct str *region)
{
    struct str name = aws_configured(target, "aws_region");
    if (name.n > 0 && !aws_is_region(name))
        return ST_INVALID;
    if (name.n == 0)
        name = region_of_host(host);
    if (!aws_is_region(name))
        name = STR(DEFAULT_REGION);
    memcpy(room, name.p, name.n);
    *region = str_of(room, name.n);
    return ST_OK;
}

enum status aws_path(struct str row, struct str model, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    ptrdiff_t at = str_find(row, STR("{model}"));
    if (model.n == 0 || model.n > MODEL_MAX)
        return ST_INVALID;
    buf_add_str(out, at < 0 ? row : str_head(row, (size_t)at));
    for (size_t i = 0; i < model.n && at >= 0; i++) {
        unsigned char c = (unsigned char)model.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '~' || (c == '.' && model.n > 2);
        if (plain)
            buf_add_char(out, (char)c);
        else
            buf_printf(out, "%%%c%c", hex[c >> 4], hex[c & 15]);
    }
    if (at >= 0)
        buf_add_str(out, str_from(row, (size_t)at + 7));
    return buf_status(out);
}

/* --- credentials */

/* Credentials while a request is signed: in the page. */
struct page {
    char *bytes;
    size_t used;
};

/* One page per worker, made with the first signature. It stays writable, because it is empty
 * (wiped) between two. */
static enum status open_page(struct page *page)
{
    static struct secret *memory;
    static char *bytes;
    if (memory == NULL) {
        TRY(secret_new(PAGE_BYTES, &memory));
        bytes = secret_open_write(memory);
    }
    *page = (struct page){.bytes = bytes};
    return ST_OK;
}

static void close_page(struct page *page)
{
    secret_wipe(page->bytes, page->used);
}

static enum status read_field(const struct dialect_signing *signing, char *room, size_t *used,
                              const char *name, size_t max, struct str *value)
{
    size_t n;
    TRY(signing->secret(signing, str_c(name), room + *used, max, &n));
    *value = str_of(room + *used, n);
    *used += n;
    return n > 0 ? ST_OK : ST_NOT_FOUND;
}

enum status aws_read_keys(const struct dialect_signing *signing, char *room, size_t *used,
                          struct aws_keys *keys)
{
    *used = 0;
    TRY(read_field(signing, room, used, "configurations.aws_access_key_id", SECRET_MAX, &keys->id));
    TRY(read_field(signing, room, used, "configurations.aws_secret_access_key", SECRET_MAX,
                   &keys->secret));
    enum status status = read_field(signing, room, used, "configurations.aws_session_token",
                                    TOKEN_MAX, &keys->token);
    if (status == ST_NOT_FOUND)
        keys->token = STR_NONE;
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status add_bearer(const struct dialect_signing *signing, struct page *page)
{
    struct str key;
    memcpy(page->bytes, "Bearer ", 7);
    page->used = 7;
    TRY(read_field(signing, page->bytes, &page->used, "key", TOKEN_MAX, &key));
    return signing->add(signing, STR("authorization"), str_of(page->bytes, page->used));
}

/* --- signing */

void aws_split_url(struct str url, struct str *authority, struct str *path, struct str *query)
{
    bool tls = str_starts_nocase(url, STR("https://"));
    struct str rest = str_from(url, tls ? 8 : 7);
    ptrdiff_t slash = str_find_char(rest, '/'), mark = str_find_char(rest, '?');
    size_t end = slash >= 0 ? (size_t)slash : mark >= 0 ? (size_t)mark : rest.n;
    *authority = str_head(rest, end);
    if (str_ends(*authority, tls ? STR(":443") : STR(":80"))) /* libcurl leaves it out */
        *authority = str_head(*authority, authority->n - (tls ? 4u : 3u));
    *path = str_from(rest, end);
    mark = str_find_char(*path, '?');
    *query = mark < 0 ? STR("") : str_from(*path, (size_t)mark + 1);
    if (mark >= 0)
        *path = str_head(*path, (size_t)mark);
}

struct signed_headers {
    struct upstream_header list[SIGV4_HEADERS_MAX];
    size_t count;
};

static enum status add_header(struct signed_headers *headers, struct str name, struct str value)
{
    if (headers->count == SIGV4_HEADERS_MAX)
        return ST_TOO_LARGE;
    headers->list[headers->count++] = (struct upstream_header){name, value};
    return ST_OK;
}

static enum status sign_with(const struct dialect_signing *signing, const char *service,
                             const struct aws_keys *keys)
{
    char payload[SIGV4_HEX + 1], time[SIGV4_TIME + 1], region[AWS_REGION_MAX];
    char value[SIGV4_VALUE_MAX];
    struct signed_headers headers = {.count = 0};
    struct sigv4_request request = {.method = signing->method, .service = str_c(service)};
    struct str authority;
    size_t n;
    TRY(aws_region(signing->target, signing->host, region, &request.region));
    sigv4_payload(signing->body, payload);
    sigv4_time(signing->utc_ms, time);
    aws_split_url(signing->url, &authority, &request.path, &request.query);
    TRY(add_header(&headers, STR("host"), authority));
    TRY(add_header(&headers, STR("x-amz-date"), str_c(time)));
    TRY(add_header(&headers, STR("x-amz-content-sha256"), str_c(payload)));
    if (keys->token.n > 0)
        TRY(add_header(&headers, STR("x-amz-security-token"), keys->token));
    size_t own = headers.count;
    for (size_t i = 0; i < signing->header_count; i++) {
        const struct upstream_header *header = &signing->headers[i];
        if (str_eq_nocase(header->name, STR("content-type")) ||
            str_starts_nocase(header->name, STR("x-amz-")))
            TRY(add_header(&headers, header->name, header->value));
    }
    request.headers = headers.list;
    request.header_count = headers.count;
    request.payload = str_c(payload);
    request.time = str_c(time);
    struct sigv4_keys with = {keys->id, keys->secret};
    TRY(sigv4_sign(&request, &with, value, sizeof value, &n));
    for (size_t i = 1; i < own; i++)
        TRY(signing->add(signing, headers.list[i].name, headers.list[i].value));
    return signing->add(signing, STR("authorization"), str_of(value, n));
}

static enum status sign(const struct dialect_signing *signing, struct page *page,
                        const char *service)
{
    struct str type = aws_configured(signing->target, "aws_auth_type");
    bool role = str_eq_nocase(type, STR("assumedRole"));
    struct aws_keys keys;
    if (str_eq_nocase(type, STR("apiKey")))
        return add_bearer(signing, page);
    enum status status = role ? aws_role_keys(signing, page->bytes, &page->used, &keys)
                              : aws_read_keys(signing, page->bytes, &page->used, &keys);
    if (status == ST_NOT_FOUND && type.n == 0)
        return add_bearer(signing, page);
    TRY(status);
    return sign_with(signing, service, &keys);
}

enum status aws_sign(const struct dialect_signing *signing, const char *service)
{
    struct page page;
    TRY(open_page(&page));
    enum status status = sign(signing, &page, service);
    close_page(&page);
    return status;
}
