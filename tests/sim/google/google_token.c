/* google_token.c: Google's OAuth 2 token endpoint for service accounts, and the tokens it gives
 * out.
 *
 *   POST token: grant_type jwt-bearer, assertion = JWT (RFC 7523) signed with the account's key
 *
 * The assertion must be signed with RS256 by an account of --service-account, name that account as
 * issuer, the token endpoint as audience, the cloud-platform scope, and live for at most an hour. A
 * token says itself who it is for and when it dies, and is signed: every process of the simulator
 * knows it.
 */
#include "tests/sim/google/google.h"
#include "tests/sim/jwt.h"
#include "tests/sim/reply.h"

#include <openssl/pem.h>
#include <stdio.h>

#define TOKEN_PREFIX   "ya29.sim."
#define TOKEN_SECONDS  3600
#define TOKEN_SKEW_S   300
#define TOKEN_GRANT    "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define TOKEN_AUDIENCE "https://oauth2.googleapis.com/token"
#define TOKEN_SCOPE    "https://www.googleapis.com/auth/cloud-platform"
#define ACCOUNT_MAX    65536

struct str google_issue_token(struct sim *sim, struct arena *arena, struct str subject,
                              int64_t seconds)
{
    if (sim->options.token_seconds > 0)
        seconds = sim->options.token_seconds;
    struct str nonce = str_head(sim_make_id(arena, ""), 24);
    struct str text =
        arena_printf(arena, TOKEN_PREFIX "%lld." STR_FMT "." STR_FMT,
                     (long long)(sim_now_s() + seconds), STR_ARG(nonce), STR_ARG(subject));
    struct str signature = text.p == NULL ? STR_NONE : sim_sign(arena, text, 0);
    if (signature.p == NULL)
        return STR_NONE;
    return arena_printf(arena, STR_FMT "~" STR_FMT, STR_ARG(text), STR_ARG(signature));
}

static bool token_refuse(struct request *req, const char *reason)
{
    reply_error(req, 401, reason,
                STR("Request had invalid authentication credentials. Expected OAuth 2 access "
                    "token, login cookie or other valid authentication credential. See "
                    "https://developers.google.com/identity/sign-in/web/devconsole-project."));
    return false;
}

bool google_admit_token(struct request *req)
{
    struct str token = request_header(req, "authorization"), rest, text, expires, nonce;
    int64_t expires_s = 0;
    if (!str_starts(token, STR("Bearer ")) || token.n == 7)
        return token_refuse(req, "CREDENTIALS_MISSING");
    token = str_from(token, 7);
    if (!str_starts(token, STR(TOKEN_PREFIX)))
        return options_accept_key(&req->sim->options, token) ||
               token_refuse(req, "ACCESS_TOKEN_TYPE_UNSUPPORTED");
    rest = token;
    if (!str_split(&rest, '~', &text) || !sim_is_signed(text, rest))
        return token_refuse(req, "ACCESS_TOKEN_TYPE_UNSUPPORTED");
    text = str_from(text, strlen(TOKEN_PREFIX));
    if (!str_split(&text, '.', &expires) || !str_split(&text, '.', &nonce) ||
        str_to_i64(expires, &expires_s) != ST_OK || expires_s <= sim_now_s())
        return token_refuse(req, "ACCESS_TOKEN_EXPIRED");
    req->principal = text;
    return true;
}

/* OAuth's own error shape. */
static bool token_error(struct call *call, const char *error, const char *description)
{
    struct json_writer w;
    buf_clear(call->out);
    call->status = 400;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "error", error);
    jw_field_cstr(&w, "error_description", description);
    jw_end(&w);
    return false;
}

/* Reads a service account's file: {"client_email","private_key","token_uri",...}. NULL: it is none.
 */
static const struct json *token_read_account(struct call *call, const char *path)
{
    FILE *file = fopen(path, "re");
    struct json *root = NULL;
    if (file == NULL)
        return NULL;
    char *text = arena_alloc(call->arena, ACCOUNT_MAX);
    size_t n = text == NULL ? 0 : fread(text, 1, ACCOUNT_MAX, file);
    fclose(file);
    return n > 0 && json_parse(call->arena, str_of(text, n), NULL, &root, NULL) == ST_OK ? root
                                                                                         : NULL;
}

static bool token_is_signed(struct call *call, const struct jwt *jwt, const struct json *account)
{
    struct str pem = call_text(call, account, "private_key");
    BIO *bio = pem.p == NULL ? NULL : BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    bool good = key != NULL && jwt_is_signed(jwt, key);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

/* The account that the assertion names; NULL: an error is the outcome. */
static const struct json *token_account(struct call *call, struct str issuer)
{
    const struct options_list *paths = &call->sim->options.service_accounts;
    for (size_t i = 0; i < paths->count; i++) {
        const struct json *account = token_read_account(call, paths->item[i]);
        if (account != NULL && str_eq(call_text(call, account, "client_email"), issuer))
            return account;
    }
    token_error(call, "invalid_grant", "Invalid grant: account not found");
    return NULL;
}

static bool token_check_claims(struct call *call, const struct jwt *jwt, const struct json *account)
{
    struct str audience = jwt_claim(jwt, "aud", call->arena);
    struct str scopes = jwt_claim(jwt, "scope", call->arena), scope;
    struct str own = call_text(call, account, "token_uri");
    int64_t now = sim_now_s();
    bool cloud = false;
    if (!str_eq(audience, STR(TOKEN_AUDIENCE)) && !(own.n > 0 && str_eq(audience, own)))
        return token_error(call, "invalid_grant",
                           "Invalid JWT: Failed audience check. The right audience is "
                           "https://oauth2.googleapis.com/token");
    while (str_split(&scopes, ' ', &scope))
        cloud = cloud || str_eq(scope, STR(TOKEN_SCOPE));
    if (!cloud)
        return token_error(call, "invalid_scope",
                           "Invalid OAuth scope or ID token audience provided.");
    if (jwt->issued_s == 0 || jwt->expires_s <= now || jwt->issued_s > now + TOKEN_SKEW_S ||
        jwt->expires_s - jwt->issued_s > TOKEN_SECONDS)
        return token_error(call, "invalid_grant",
                           "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
                           "reasonable timeframe. Check your iat and exp values in the JWT claim.");
    return true;
}

void google_token(struct call *call)
{
    struct request *req = call->req;
    struct jwt jwt;
    struct json_writer w;
    if (!str_eq(request_form_value(req, "grant_type"), STR(TOKEN_GRANT))) {
        token_error(call, "unsupported_grant_type", "Invalid grant_type");
        return;
    }
    if (jwt_read(request_form_value(req, "assertion"), call->arena, &jwt) != ST_OK) {
        token_error(call, "invalid_grant", "Bad JWT");
        return;
    }
    struct str issuer = jwt_claim(&jwt, "iss", call->arena);
    const struct json *account = token_account(call, issuer);
    if (account == NULL)
        return;
    if (!token_is_signed(call, &jwt, account)) {
        token_error(call, "invalid_grant", "Invalid JWT Signature.");
        return;
    }
    if (!token_check_claims(call, &jwt, account))
        return;
    int64_t seconds = call->sim->options.token_seconds;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_str(&w, "access_token",
                 google_issue_token(call->sim, call->keep, issuer, TOKEN_SECONDS - 1));
    jw_field_i64(&w, "expires_in", seconds > 0 ? seconds : TOKEN_SECONDS - 1);
    jw_field_cstr(&w, "token_type", "Bearer");
    jw_end(&w);
}
