/* sts.c: AWS's security token service: AssumeRole and AssumeRoleWithWebIdentity.
 *
 * The query protocol: a form at the root of the host, XML back. AssumeRole is signed; the other
 * proves itself by its token, of which shape and expiry are judged. With --aws-role only those
 * roles exist, and an external id must be the one that was named with the role.
 */
#include "tests/sim/aws/aws.h"
#include "tests/sim/aws/sigv4.h"
#include "tests/sim/jwt.h"
#include "tests/sim/reply.h"

#define STS_SECONDS     3600
#define STS_SECONDS_MIN 900
#define STS_SECONDS_MAX 43200
#define STS_XMLNS       "https://sts.amazonaws.com/doc/2011-06-15/"

/* A parameter of the form, decoded into keep; p = NULL: absent. */
static struct str sts_parameter(struct request *req, const char *name)
{
    return request_form_value(req, name);
}

static bool sts_is_meant(const struct request *req)
{
    return str_find(request_header(req, "content-type"), STR("x-www-form-urlencoded")) >= 0 &&
           str_find(buf_str(&req->body), STR("Action=AssumeRole")) >= 0;
}

static bool sts_admit(struct request *req)
{
    if (str_eq(sts_parameter(req, "Action"), STR("AssumeRoleWithWebIdentity")))
        return true;
    return sigv4_admit(req, "sts");
}

/* The query protocol has words of its own for what a signature can be wrong in (always 403). */
static const char *sts_code(int status, const char *code)
{
    static const struct {
        const char *common, *own;
    } codes[] = {{"InvalidSignatureException", "SignatureDoesNotMatch"},
                 {"IncompleteSignatureException", "IncompleteSignature"},
                 {"UnrecognizedClientException", "InvalidClientTokenId"},
                 {"ExpiredTokenException", "ExpiredToken"},
                 {"MissingAuthenticationTokenException", "MissingAuthenticationToken"}};
    code = code == NULL ? aws_error_code(status) : code;
    for (size_t i = 0; status == 403 && i < COUNT_OF(codes); i++) {
        if (strcmp(codes[i].common, code) == 0)
            return codes[i].own;
    }
    return code;
}

static void sts_error(struct buf *out, const struct failure *failure)
{
    struct str message =
        failure->message.p == NULL ? aws_error_message(failure->status) : failure->message;
    buf_printf(out,
               "<ErrorResponse xmlns=\"" STS_XMLNS "\"><Error><Type>%s</Type><Code>%s</Code>"
               "<Message>",
               failure->status >= 500 ? "Receiver" : "Sender",
               sts_code(failure->status, failure->code));
    aws_add_xml(out, message);
    buf_printf(out, "</Message></Error><RequestId>" STR_FMT "</RequestId></ErrorResponse>",
               STR_ARG(request_reply_id(failure->req)));
}

static bool sts_refuse(struct call *call, int status, const char *code, const char *message)
{
    call_error(call, status, code, NULL, "%s", message);
    return false;
}

/* Whether the role may be assumed with this external id. */
static bool sts_check_role(struct call *call, struct str arn, struct str external_id)
{
    const struct options_list *roles = &call->sim->options.aws_roles;
    if (!str_starts(arn, STR("arn:aws:iam::")) || str_find(arn, STR(":role/")) < 0)
        return sts_refuse(call, 400, "ValidationError",
                          "Value at 'roleArn' failed to satisfy constraint: it is no ARN of a "
                          "role");
    for (size_t i = 0; i < roles->count; i++) {
        struct str rest = str_c(roles->item[i]), known;
        if (!str_split(&rest, '=', &known) || !str_eq(known, arn))
            continue;
        if (rest.n == 0 || str_eq(rest, external_id))
            return true;
    }
    if (roles->count == 0)
        return true;
    call_error(call, 403, "AccessDenied", NULL,
               "User: arn:aws:iam::000000000000:user/sim is not authorized to perform: "
               "sts:AssumeRole on resource: " STR_FMT,
               STR_ARG(str_head(arn, 300)));
    return false;
}

static bool sts_check_identity(struct call *call)
{
    struct jwt jwt;
    struct str token = sts_parameter(call->req, "WebIdentityToken");
    if (jwt_read(token, call->arena, &jwt) != ST_OK)
        return sts_refuse(call, 400, "InvalidIdentityToken",
                          "The ID Token provided is not a valid JWT.");
    if (jwt.expires_s <= sim_now_s())
        return sts_refuse(call, 400, "ExpiredTokenException",
                          "Token expired: current date/time must be before the expiration "
                          "date/time");
    return true;
}

static bool sts_read_seconds(struct call *call, int64_t *seconds)
{
    struct str text = sts_parameter(call->req, "DurationSeconds");
    *seconds = STS_SECONDS;
    if (text.p == NULL)
        return true;
    if (str_to_i64(text, seconds) == ST_OK && *seconds >= STS_SECONDS_MIN &&
        *seconds <= STS_SECONDS_MAX)
        return true;
    return sts_refuse(call, 400, "ValidationError",
                      "Value at 'durationSeconds' failed to satisfy constraint: Member must have "
                      "value between 900 and 43200");
}

static void sts_write(struct call *call, const char *action, struct str arn, struct str session,
                      const struct aws_credentials *credentials)
{
    struct buf *out = call->out;
    struct str role = str_from(arn, (size_t)str_find(arn, STR(":role/")) + 6);
    buf_printf(out,
               "<%sResponse xmlns=\"" STS_XMLNS "\"><%sResult><Credentials><AccessKeyId>" STR_FMT
               "</AccessKeyId><SecretAccessKey>" STR_FMT "</SecretAccessKey><SessionToken>" STR_FMT
               "</SessionToken><Expiration>" STR_FMT "</Expiration></Credentials><AssumedRoleUser>"
               "<AssumedRoleId>AROASIM:",
               action, action, STR_ARG(credentials->key_id), STR_ARG(credentials->secret),
               STR_ARG(credentials->token), STR_ARG(aws_time(call->arena, credentials->expires_s)));
    aws_add_xml(out, session);
    buf_add_lit(out, "</AssumedRoleId><Arn>arn:aws:sts::000000000000:assumed-role/");
    aws_add_xml(out, role);
    buf_add_char(out, '/');
    aws_add_xml(out, session);
    buf_printf(out,
               "</Arn></AssumedRoleUser></%sResult><ResponseMetadata><RequestId>" STR_FMT
               "</RequestId></ResponseMetadata></%sResponse>",
               action, STR_ARG(request_reply_id(call->req)), action);
}

static void sts_assume(struct call *call)
{
    struct request *req = call->req;
    struct str action = sts_parameter(req, "Action"), version = sts_parameter(req, "Version");
    struct str arn = sts_parameter(req, "RoleArn"), session = sts_parameter(req, "RoleSessionName");
    bool web = str_eq(action, STR("AssumeRoleWithWebIdentity"));
    struct aws_credentials credentials;
    int64_t seconds = 0;
    if ((!web && !str_eq(action, STR("AssumeRole"))) || !str_eq(version, STR("2011-06-15"))) {
        call_error(call, 400, "InvalidAction", NULL, "Could not find operation for this version");
        return;
    }
    if (arn.n == 0 || session.n < 2) {
        call_error(call, 400, "ValidationError", NULL,
                   "RoleArn and RoleSessionName (2 bytes or more) are required");
        return;
    }
    if (!sts_check_role(call, arn, sts_parameter(req, "ExternalId")) ||
        (web && !sts_check_identity(call)) || !sts_read_seconds(call, &seconds))
        return;
    if (aws_issue(call->sim, call->keep, seconds, &credentials) != ST_OK) {
        call_error(call, 500, NULL, NULL, "out of memory");
        return;
    }
    sts_write(call, web ? "AssumeRoleWithWebIdentity" : "AssumeRole", arn, session, &credentials);
}

static const struct route sts_routes[] = {
    {"POST", "", sts_assume, ROUTE_SHARED | ROUTE_RAW},
};

const struct family family_sts = {
    .name = "sts",
    .content_type = "text/xml",
    .routes = sts_routes,
    .route_count = COUNT_OF(sts_routes),
    .is_meant = sts_is_meant,
    .admit = sts_admit,
    .head = aws_head,
    .error = sts_error,
};
