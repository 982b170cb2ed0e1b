/* aws_role.c: the keys of a role that is assumed with the stored access key.
 *
 *   AssumeRole (RoleArn, RoleSessionName, ExternalId), signed for "sts"  -> keys for an hour
 *
 * The worker keeps them as a token of three lines (id, secret, session token) and asks anew ahead
 * of their end (worker/tokens.h). The answer is XML: its elements have plain text only, so they are
 * found by name, in the order in which the service writes them, and joined where they lie. Must
 * never copy a secret out of guarded memory. Source: AWS STS API reference, "AssumeRole".
 */
#include <stdio.h>

#include "common/clock.h"
#include "data-plane/dialect/aws.h"
#include "data-plane/dialect/sigv4.h"
#include "data-plane/dialect/token.h"

#define SESSION     "sluice"
#define LIFE_S      3600
#define FORM_MAX    8192
#define URL_MAX     512
#define LINES_MAX   (TOKEN_VALUE_MAX + 64)
#define WHOSE_MAX   4096
#define TIME_DIGITS 20 /* "2026-01-02T03:04:05Z" */

/* What the configuration says of the role; borrowed. */
struct role {
    struct str arn, external_id, session, endpoint;
};

static enum status read_role(const struct dialect_signing *signing, struct role *role)
{
    const struct dialect_target *target = signing->target;
    role->arn = aws_configured(target, "aws_role_arn");
    role->external_id = aws_configured(target, "aws_external_id");
    role->session = aws_configured(target, "aws_role_session_name");
    role->endpoint = aws_configured(target, "aws_sts_endpoint_url");
    if (role->session.n == 0)
        role->session = STR(SESSION);
    return role->arn.n > 0 ? ST_OK : ST_NOT_FOUND;
}

/* --- the question */

static void add_pair(struct token_text *form, const char *name, struct str value)
{
    if (form->n > 0)
        token_text_add(form, STR("&"));
    token_text_add(form, str_c(name));
    token_text_add(form, STR("="));
    token_text_escape(form, value);
}

static void add_line(struct token_text *lines, const char *head, struct str value)
{
    token_text_add(lines, str_c(head));
    token_text_add(lines, value);
    token_text_add(lines, STR("\n"));
}

static enum status write_form(struct token_request *request, const struct role *role)
{
    struct token_text form;
    char life[16];
    TRY(token_text_begin(request, FORM_MAX, &form));
    int n = snprintf(life, sizeof life, "%d", LIFE_S);
    add_pair(&form, "Action", STR("AssumeRole"));
    add_pair(&form, "Version", STR("2011-06-15"));
    add_pair(&form, "RoleArn", role->arn);
    add_pair(&form, "RoleSessionName", role->session);
    add_pair(&form, "DurationSeconds", str_of(life, (size_t)n));
    if (role->external_id.n > 0)
        add_pair(&form, "ExternalId", role->external_id);
    return token_text_end(&form, &request->body);
}

static enum status write_url(struct token_request *request, const struct role *role,
                             struct str region)
{
    char *url = token_room(request, URL_MAX);
    if (url == NULL)
        return ST_TOO_LARGE;
    int n = role->endpoint.n > 0
                ? snprintf(url, URL_MAX, STR_FMT "%s", STR_ARG(role->endpoint),
                           str_ends(role->endpoint, STR("/")) ? "" : "/")
                : snprintf(url, URL_MAX, "https://sts." STR_FMT ".amazonaws.com/", STR_ARG(region));
    if (n < 0 || n >= URL_MAX)
        return ST_TOO_LARGE;
    request->url = str_of(url, (size_t)n);
    return ST_OK;
}

/* authorization, x-amz-date and x-amz-security-token as secret lines. */
static enum status sign(const struct dialect_signing *signing, struct token_request *request,
                        const struct aws_keys *keys, struct str region)
{
    char payload[SIGV4_HEX + 1], time[SIGV4_TIME + 1], value[SIGV4_VALUE_MAX];
    struct str authority, path, query;
    size_t n;
    aws_split_url(request->url, &authority, &path, &query);
    sigv4_payload(request->body, payload);
    sigv4_time(signing->utc_ms, time);
    const struct upstream_header headers[] = {
        {STR("content-type"), request->headers[0].value},
        {STR("host"), authority},
        {STR("x-amz-date"), str_c(time)},
        {STR("x-amz-security-token"), keys->token},
    };
    struct sigv4_request ask = {.method = STR("POST"),
                                .path = path,
                                .query = query,
                                .headers = headers,
                                .header_count = COUNT_OF(headers) - (keys->token.n == 0 ? 1 : 0),
                                .payload = str_c(payload),
                                .time = str_c(time),
                                .region = region,
                                .service = STR("sts")};
    const struct sigv4_keys with = {keys->id, keys->secret};
    TRY(sigv4_sign(&ask, &with, value, sizeof value, &n));
    struct token_text lines;
    TRY(token_text_begin(request, LINES_MAX, &lines));
    add_line(&lines, "x-amz-date: ", str_c(time));
    add_line(&lines, "authorization: ", str_of(value, n));
    if (keys->token.n > 0)
        add_line(&lines, "x-amz-security-token: ", keys->token);
    return token_text_end(&lines, &request->secret_lines);
}

static enum status ask(const struct dialect_signing *signing, struct str scope,
                       struct token_request *request)
{
    char region_room[AWS_REGION_MAX];
    char *room = token_room(request, AWS_KEYS_ROOM);
    struct aws_keys keys;
    struct role role;
    struct str region;
    size_t used;
    (void)scope;
    if (room == NULL)
        return ST_TOO_LARGE;
    TRY(read_role(signing, &role));
    TRY(aws_region(signing->target, signing->host, region_room, &region));
    TRY(aws_read_keys(signing, room, &used, &keys));
    TRY(write_url(request, &role, region));
    request->headers[0] =
        (struct upstream_header){STR("content-type"), STR("application/x-www-form-urlencoded")};
    request->header_count = 1;
    TRY(write_form(request, &role));
    return sign(signing, request, &keys, region);
}

/* --- the answer */

/* The text of the next element of that name at or behind *at, which moves behind it. n = 0: none,
 * or not plain. */
static struct str element(struct str body, const char *name, size_t *at)
{
    char open[32], close[33];
    snprintf(open, sizeof open, "<%s>", name);
    snprintf(close, sizeof close, "</%s>", name);
    struct str rest = str_from(body, *at);
    ptrdiff_t from = str_find(rest, str_c(open));
    if (from < 0)
        return STR("");
    rest = str_from(rest, (size_t)from + strlen(open));
    ptrdiff_t n = str_find(rest, str_c(close));
    if (n < 0)
        return STR("");
    struct str text = str_head(rest, (size_t)n);
    *at = (size_t)(text.p + text.n - body.p);
    return str_find_char(text, '<') < 0 && str_find_char(text, '&') < 0 ? text : STR("");
}

static int64_t digits(struct str text, size_t at, size_t n)
{
    uint64_t value;
    return str_to_u64(str_of(text.p + at, n), &value) == ST_OK ? (int64_t)value : -1;
}

/* Seconds from now to "2026-01-02T03:04:05Z" (fractions are left out); 0: over, or no time. */
static int64_t life_of(struct str text)
{
    if (text.n < TIME_DIGITS || text.p[10] != 'T' || text.p[text.n - 1] != 'Z')
        return 0;
    int64_t year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    int64_t hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || minute < 0 ||
        second < 0)
        return 0;
    int64_t days = clock_days_from_civil(year, (unsigned)month, (unsigned)day);
    int64_t left = ((days * 24 + hour) * 60 + minute) * 60 + second - clock_utc_ms() / 1000;
    return left < 0 ? 0 : left;
}

/* Why not, printable and short. */
static enum status refused(int http_status, struct str body, struct token_value *value)
{
    size_t at = 0, behind;
    struct str code = element(body, "Code", &at);
    behind = at;
    struct str text = element(body, "Message", &behind);
    bool passing = http_status >= 500 || http_status == 429 || http_status == 408 ||
                   str_find(code, STR("Throttl")) >= 0;
    if (code.n == 0)
        snprintf(value->reason, sizeof value->reason, "HTTP %d without keys", http_status);
    else
        snprintf(value->reason, sizeof value->reason, STR_FMT "%s" STR_FMT,
                 STR_ARG(str_head(code, 60)), text.n > 0 ? ": " : "", STR_ARG(str_head(text, 180)));
    for (char *p = value->reason; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = ' ';
    return http_status >= 400 && !passing ? ST_CREDENTIAL_REFUSED : ST_UPSTREAM_BROKEN;
}

/* Every part lies behind the place that it is moved to, since they are found in order. */
static enum status read(int http_status, char *body, size_t n, struct token_value *value)
{
    static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
    size_t at = 0, used = 0;
    if (http_status != 200)
        return refused(http_status, str_of(body, n), value);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str part = element(str_of(body, n), names[i], &at);
        if (part.n == 0 || str_find_char(part, '\n') >= 0)
            return refused(http_status, STR(""), value);
        memmove(body + used, part.p, part.n);
        used += part.n;
        body[used++] = '\n';
    }
    value->life_s = life_of(element(str_of(body, n), "Expiration", &at));
    value->value = str_of(body, used - 1);
    return value->life_s > 0 ? ST_OK : refused(http_status, STR(""), value);
}

extern const struct token_kind aws_role_token; /* for its test */
const struct token_kind aws_role_token = {.name = "aws-role", .ask = ask, .read = read};

/* --- the keys */

enum status aws_role_keys(const struct dialect_signing *signing, char *room, size_t *used,
                          struct aws_keys *keys)
{
    char whose[WHOSE_MAX], region_room[AWS_REGION_MAX];
    struct str region, rest;
    struct role role;
    *used = 0;
    if (read_role(signing, &role) != ST_OK) {
        snprintf(signing->reason, TOKEN_REASON_MAX,
                 "aws_auth_type assumedRole needs aws_role_arn, and an access key "
                 "(aws_access_key_id, aws_secret_access_key) to assume the role with");
        return ST_UNSUPPORTED;
    }
    TRY(aws_region(signing->target, signing->host, region_room, &region));
    int n =
        snprintf(whose, sizeof whose, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT,
                 STR_ARG(region), STR_ARG(role.arn), STR_ARG(role.external_id),
                 STR_ARG(role.session), STR_ARG(role.endpoint));
    if (n < 0 || n >= WHOSE_MAX)
        return ST_INVALID;
    TRY(signing->token(signing, &aws_role_token, str_of(whose, (size_t)n), room, AWS_KEYS_ROOM,
                       used));
    rest = str_of(room, *used);
    return str_split(&rest, '\n', &keys->id) && str_split(&rest, '\n', &keys->secret) &&
                   str_split(&rest, '\n', &keys->token)
               ? ST_OK
               : ST_UPSTREAM_BROKEN;
}
