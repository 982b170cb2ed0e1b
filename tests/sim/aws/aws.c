/* aws.c: see aws.h. */
#include "tests/sim/aws/aws.h"

#include "common/clock.h"

#include <time.h>

struct str aws_time(struct arena *arena, int64_t unix_s)
{
    struct tm tm;
    time_t t = (time_t)unix_s;
    char text[32];
    if (gmtime_r(&t, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return STR_NONE;
    return arena_str(arena, str_c(text));
}

void aws_add_xml(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            buf_add_lit(out, "&amp;");
            break;
        case '<':
            buf_add_lit(out, "&lt;");
            break;
        case '>':
            buf_add_lit(out, "&gt;");
            break;
        case '"':
            buf_add_lit(out, "&quot;");
            break;
        case '\'':
            buf_add_lit(out, "&#39;");
            break;
        default:
            buf_add_char(out, text.p[i]);
        }
    }
}

static const struct {
    int status;
    const char *code, *message;
} aws_errors[] = {
    {400, "ValidationException", "The simulator was asked to refuse this request."},
    {401, "UnrecognizedClientException", "The security token included in the request is invalid."},
    {403, "AccessDeniedException",
     "You don't have access to the model with the specified model ID."},
    {404, "ResourceNotFoundException", "The specified resource was not found."},
    {405, "UnknownOperationException", "The operation is not known."},
    {408, "ModelTimeoutException", "The model took too long to respond."},
    {413, "RequestEntityTooLargeException", "The request is too large."},
    {424, "ModelErrorException", "The model returned an error."},
    {429, "ThrottlingException", "Too many requests, please wait before trying again."},
    {500, "InternalServerException", "The system encountered an unexpected error."},
    {503, "ServiceUnavailableException", "Bedrock is unable to process your request."},
};

const char *aws_error_code(int status)
{
    for (size_t i = 0; i < COUNT_OF(aws_errors); i++) {
        if (aws_errors[i].status == status)
            return aws_errors[i].code;
    }
    return status >= 500 ? "InternalServerException" : "ValidationException";
}

struct str aws_error_message(int status)
{
    for (size_t i = 0; i < COUNT_OF(aws_errors); i++) {
        if (aws_errors[i].status == status)
            return str_c(aws_errors[i].message);
    }
    return STR("The request was refused.");
}

void aws_head(struct request *req, struct buf *out)
{
    buf_printf(out, "x-amzn-requestid: " STR_FMT "\r\n", STR_ARG(request_reply_id(req)));
}

/* What the secret and the token of a temporary key are made from. */
static struct str aws_derive(struct arena *arena, struct str what, struct str key_id)
{
    struct str text = arena_printf(arena, STR_FMT ":" STR_FMT, STR_ARG(what), STR_ARG(key_id));
    return text.p == NULL ? text : sim_sign(arena, text, 0);
}

enum status aws_issue(struct sim *sim, struct arena *arena, int64_t seconds,
                      struct aws_credentials *credentials)
{
    struct str id = sim_make_id(arena, "");
    char key[21] = "ASIA";
    if (id.p == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 4; i < 20; i++)
        key[i] = id.p[id.n - 20 + i] >= 'a' ? (char)(id.p[id.n - 20 + i] - ('a' - 'A'))
                                            : id.p[id.n - 20 + i];
    if (sim->options.token_seconds > 0)
        seconds = sim->options.token_seconds;
    credentials->expires_s = sim_now_s() + seconds;
    credentials->key_id = arena_str(arena, str_c(key));
    credentials->secret = aws_derive(arena, STR("secret"), credentials->key_id);
    struct str signed_part = arena_printf(arena, STR_FMT ".%lld", STR_ARG(credentials->key_id),
                                          (long long)credentials->expires_s);
    credentials->token = arena_printf(arena, STR_FMT "." STR_FMT, STR_ARG(signed_part),
                                      STR_ARG(sim_sign(arena, signed_part, 0)));
    return credentials->secret.p == NULL || credentials->token.p == NULL ? ST_NO_MEMORY : ST_OK;
}

/* A temporary key is good with the token that was given out with it, until it dies. */
static bool aws_check_token(struct request *req, struct str key_id, const char **refusal)
{
    struct str token = request_header(req, "x-amz-security-token"), rest = token, id, expires;
    int64_t expires_s = 0;
    *refusal = "UnrecognizedClientException";
    if (!str_split(&rest, '.', &id) || !str_split(&rest, '.', &expires) || !str_eq(id, key_id) ||
        str_to_i64(expires, &expires_s) != ST_OK ||
        !sim_is_signed(str_head(token, id.n + 1 + expires.n), rest))
        return false;
    *refusal = "ExpiredTokenException";
    return expires_s > sim_now_s();
}

bool aws_find_secret(struct request *req, struct str key_id, struct str *secret,
                     const char **refusal)
{
    const struct options_list *keys = &req->sim->options.aws_keys;
    if (str_starts(key_id, STR("ASIA"))) {
        *secret = aws_derive(&req->keep, STR("secret"), key_id);
        return aws_check_token(req, key_id, refusal);
    }
    *refusal = "UnrecognizedClientException";
    if (keys->count == 0 && str_eq(key_id, STR(AWS_EXAMPLE_ID))) {
        *secret = STR(AWS_EXAMPLE_SECRET);
        return true;
    }
    for (size_t i = 0; i < keys->count; i++) {
        struct str rest = str_c(keys->item[i]), id;
        if (str_split(&rest, ':', &id) && str_eq(id, key_id)) {
            *secret = rest;
            return true;
        }
    }
    return false;
}
