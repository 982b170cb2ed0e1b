/* back_vertex_token.c: how Vertex AI is told who asks.
 *
 *   vertex_auth_type   basic           the stored key is an access token; an API key ("AIza...",
 *                                      "AQ....") goes out as x-goog-api-key
 *                      serviceAccount  a JWT signed with the account's key is worth a token
 *                                      (RFC 7523), kept and renewed by the worker
 *                      workload        not here: the credential says so
 *
 * Must never leave a copy of a key or token on the stack.
 */
#include <stdio.h>

#include "common/json_scan.h"
#include "common/secret.h"
#include "data-plane/dialect/back_vertex.h"
#include "data-plane/dialect/path.h"
#include "data-plane/jwt.h"

#define ACCOUNT  "configurations.vertex_service_account_json"
#define AUDIENCE "https://oauth2.googleapis.com/token"
#define SCOPE    "https://www.googleapis.com/auth/cloud-platform"
#define FORM     "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
#define LIFE_S   3600
#define JWT_MAX  16384

/* --- a service account's token */

enum { EMAIL, KEY, KEY_ID, TOKEN_URI, FIELDS };

static bool is_text(const struct json_field *field)
{
    return field->raw.p != NULL && field->type == JSON_STRING && field->raw.n > 2;
}

/* A member unescaped, in guarded memory. */
static enum status unescape(struct token_request *request, struct str raw, struct str *text)
{
    char *room = token_room(request, raw.n);
    return room == NULL ? ST_TOO_LARGE : json_unescape(raw, room, text);
}

static enum status write_assertion(const struct dialect_signing *signing,
                                   struct token_request *request, const struct json_field *fields)
{
    char header[512], claims[1024];
    struct str pem, kid = is_text(&fields[KEY_ID]) ? fields[KEY_ID].raw : STR("\"\"");
    struct str email = fields[EMAIL].raw;
    long long now = (long long)(signing->utc_ms / 1000);
    size_t n;
    int a = snprintf(header, sizeof header,
                     "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":" STR_FMT "}", STR_ARG(kid));
    int b = snprintf(claims, sizeof claims,
                     "{\"iss\":" STR_FMT ",\"scope\":\"" SCOPE "\",\"aud\":\"" AUDIENCE
                     "\",\"iat\":%lld,\"exp\":%lld}",
                     STR_ARG(email), now, now + LIFE_S);
    if (a < 0 || (size_t)a >= sizeof header || b < 0 || (size_t)b >= sizeof claims)
        return ST_INVALID;
    TRY(unescape(request, fields[KEY].raw, &pem));
    char *body = token_room(request, JWT_MAX);
    if (body == NULL)
        return ST_TOO_LARGE;
    memcpy(body, FORM, sizeof FORM - 1);
    TRY(jwt_rs256(pem, str_of(header, (size_t)a), str_of(claims, (size_t)b), body + sizeof FORM - 1,
                  JWT_MAX - sizeof FORM, &n));
    request->body = str_of(body, sizeof FORM - 1 + n);
    return ST_OK;
}

static enum status ask(const struct dialect_signing *signing, struct str scope,
                       struct token_request *request)
{
    struct json_field fields[FIELDS] = {[EMAIL] = {.name = "client_email"},
                                        [KEY] = {.name = "private_key"},
                                        [KEY_ID] = {.name = "private_key_id"},
                                        [TOKEN_URI] = {.name = "token_uri"}};
    struct str account;
    (void)scope;
    TRY(token_secret(signing, request, STR(ACCOUNT), &account));
    if (json_scan_object(account, fields, FIELDS, NULL) != ST_OK || !is_text(&fields[EMAIL]) ||
        !is_text(&fields[KEY]))
        return ST_INVALID;
    request->url = STR(AUDIENCE);
    if (is_text(&fields[TOKEN_URI]))
        TRY(unescape(request, fields[TOKEN_URI].raw, &request->url));
    TRY(write_assertion(signing, request, fields));
    request->headers[0] =
        (struct upstream_header){STR("content-type"), STR("application/x-www-form-urlencoded")};
    request->headers[1] = (struct upstream_header){STR("accept"), STR("application/json")};
    request->header_count = 2;
    return ST_OK;
}

const struct token_kind back_vertex_token = {
    .name = "google-service-account", .ask = ask, .read = token_read_oauth};

/* --- signing */

static bool is_api_key(struct str key)
{
    return str_starts(key, STR("AIza")) || str_starts(key, STR("AQ."));
}

static enum status add_key(const struct dialect_signing *signing, char *room, size_t max)
{
    size_t n;
    TRY(signing->secret(signing, STR("key"), room + 7, max - 7, &n));
    if (is_api_key(str_of(room + 7, n)))
        return signing->add(signing, STR("x-goog-api-key"), str_of(room + 7, n));
    return signing->add(signing, STR("authorization"), str_of(room, n + 7));
}

static enum status add_token(const struct dialect_signing *signing, char *room, size_t max)
{
    size_t n;
    TRY(signing->token(signing, &back_vertex_token, STR(""), room + 7, max - 7, &n));
    return signing->add(signing, STR("authorization"), str_of(room, n + 7));
}

enum status back_vertex_sign(const struct dialect_signing *signing)
{
    char room[TOKEN_VALUE_MAX + 8] = "Bearer ", word[32];
    struct str type = path_configured(signing->target, "vertex_auth_type", word, sizeof word);
    enum status status;
    if (str_eq(type, STR("workload"))) {
        snprintf(signing->reason, TOKEN_REASON_MAX,
                 "vertex_auth_type workload needs an identity of the gateway's host, which this "
                 "gateway does not offer");
        return ST_UNSUPPORTED;
    }
    if (str_eq(type, STR("serviceAccount")))
        status = add_token(signing, room, sizeof room);
    else
        status = add_key(signing, room, sizeof room);
    secret_wipe(room, sizeof room);
    return status;
}
