/* Tokens for AWS roles and Entra's clients: what is asked, and what is made of the answers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "data-plane/dialect/aws.h"
#include "data-plane/dialect/azure.h"
#include "data-plane/dialect/token.h"

extern const struct token_kind aws_role_token;

#define NOW_S 1767323045 /* 2026-01-02T03:04:05Z */
#define KEYS(expiration)                                                                           \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\n" \
    "<Credentials>\n<AccessKeyId>ASIA1</AccessKeyId>\n<SecretAccessKey>s/e+c=</SecretAccessKey>\n" \
    "<SessionToken>t//o=</SessionToken>\n<Expiration>" expiration "</Expiration></Credentials>"    \
    "</AssumeRoleResult></AssumeRoleResponse>"

static const struct {
    const char *name;
    int http;
    const char *answer;
    enum status status;
    const char *value; /* or the reason */
    int64_t life_s;
} answers[] = {
    {"keys", 200, KEYS("2026-01-02T04:04:05Z"), ST_OK, "ASIA1\ns/e+c=\nt//o=", 3600},
    {"fractions of seconds", 200, KEYS("2026-01-02T03:05:05.123Z"), ST_OK,
     "ASIA1\ns/e+c=\nt//o=", 60},
    {"keys that are over", 200, KEYS("2026-01-02T03:04:05Z"), ST_UPSTREAM_BROKEN,
     "HTTP 200 without keys", 0},
    {"no time", 200, KEYS("soon"), ST_UPSTREAM_BROKEN, "HTTP 200 without keys", 0},
    {"no answer", 200, "", ST_UPSTREAM_BROKEN, "HTTP 200 without keys", 0},
    {"half of one", 200, "<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey>",
     ST_UPSTREAM_BROKEN, "HTTP 200 without keys", 0},
    {"markup in a key", 200, "<AccessKeyId><b>A</b></AccessKeyId>", ST_UPSTREAM_BROKEN,
     "HTTP 200 without keys", 0},
    {"refused", 403, "<Error><Code>AccessDenied</Code><Message>not\nyou</Message></Error>",
     ST_CREDENTIAL_REFUSED, "AccessDenied: not you", 0},
    {"throttled", 400, "<Error><Code>Throttling</Code></Error>", ST_UPSTREAM_BROKEN, "Throttling",
     0},
    {"down", 503, "", ST_UPSTREAM_BROKEN, "HTTP 503 without keys", 0},
};

Test(aws_role, answers)
{
    clock_test_set(1, NOW_S * INT64_C(1000));
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        char body[1024];
        struct token_value value = {.life_s = 0};
        snprintf(body, sizeof body, "%s", answers[i].answer);
        enum status status = aws_role_token.read(answers[i].http, body, strlen(body), &value);
        cr_expect_eq(status, answers[i].status, "%s: %d", answers[i].name, (int)status);
        if (status != ST_OK) {
            cr_expect_str_eq(value.reason, answers[i].value, "%s: %s", answers[i].name,
                             value.reason);
            continue;
        }
        cr_expect(str_eq(value.value, str_c(answers[i].value)), "%s: %.*s", answers[i].name,
                  STR_ARG(value.value));
        cr_expect_eq(value.life_s, answers[i].life_s, "%s: %lld", answers[i].name,
                     (long long)value.life_s);
    }
}

/* --- questions */

static const char *stored[][2] = {
    {"configurations.aws_access_key_id", "AKIDEXAMPLE"},
    {"configurations.aws_secret_access_key", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
    {"configurations.aws_session_token", "base-token"},
    {"configurations.azure_entra_client_secret", "a&b=c d/\xC3\xA9"},
    {"key", "the-key"},
};

static enum status read_secret(const struct dialect_signing *signing, struct str name, char *room,
                               size_t max, size_t *n)
{
    (void)signing;
    for (size_t i = 0; i < COUNT_OF(stored); i++) {
        if (!str_eq(name, str_c(stored[i][0])))
            continue;
        *n = strlen(stored[i][1]);
        if (*n > max)
            return ST_TOO_LARGE;
        memcpy(room, stored[i][1], *n);
        return ST_OK;
    }
    return ST_NOT_FOUND;
}

static struct token_request asked;
static char asked_room[TOKEN_ROOM_BYTES], whose[4096], added[512];

/* Asks for the token and says "not yet". */
static enum status take_token(const struct dialect_signing *signing, const struct token_kind *kind,
                              struct str scope, char *room, size_t max, size_t *n)
{
    (void)room;
    (void)max;
    (void)n;
    asked = (struct token_request){.room = asked_room, .room_bytes = sizeof asked_room};
    snprintf(whose, sizeof whose, STR_FMT, STR_ARG(scope));
    TRY(kind->ask(signing, scope, &asked));
    return ST_AGAIN;
}

static enum status add_line(const struct dialect_signing *signing, struct str name,
                            struct str value)
{
    (void)signing;
    snprintf(added, sizeof added, STR_FMT ": " STR_FMT, STR_ARG(name), STR_ARG(value));
    return ST_OK;
}

static enum status sign_with(const char *configurations, bool azure, char *reason)
{
    struct dialect_target target = {.configurations_json = str_c(configurations)};
    struct dialect_signing signing = {.target = &target,
                                      .method = STR("POST"),
                                      .url = STR("https://x.amazonaws.com/"),
                                      .host = STR("bedrock-runtime.eu-west-1.amazonaws.com"),
                                      .utc_ms = NOW_S * INT64_C(1000),
                                      .secret = read_secret,
                                      .token = take_token,
                                      .reason = reason,
                                      .add = add_line};
    reason[0] = added[0] = '\0';
    asked = (struct token_request){.used = 0};
    return azure ? azure_sign(&signing) : aws_sign(&signing, "bedrock");
}

static void expect_text(struct str text, const char *want)
{
    cr_expect(str_eq(text, str_c(want)), "\n got %.*s\nwant %s", STR_ARG(text), want);
}

#define ROLE "\"aws_auth_type\":\"assumedRole\",\"aws_role_arn\":\"arn:aws:iam::1:role/a b\""

Test(aws_role, the_question)
{
    char reason[TOKEN_REASON_MAX];
    cr_expect_eq(sign_with("{" ROLE
                           ",\"aws_external_id\":\"x/1\",\"aws_role_session_name\":\"me\"}",
                           false, reason),
                 ST_AGAIN);
    expect_text(asked.url, "https://sts.eu-west-1.amazonaws.com/");
    expect_text(asked.body,
                "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole"
                "%2Fa%20b&RoleSessionName=me&DurationSeconds=3600&ExternalId=x%2F1");
    cr_expect(str_starts(asked.secret_lines,
                         STR("x-amz-date: 20260102T030405Z\nauthorization: AWS4-HMAC-SHA256 "
                             "Credential=AKIDEXAMPLE/20260102/eu-west-1/sts/aws4_request, "
                             "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
                             "Signature=")),
              "%.*s", STR_ARG(asked.secret_lines));
    cr_expect(str_ends(asked.secret_lines, STR("\nx-amz-security-token: base-token\n")));
    cr_expect_str_eq(whose, "eu-west-1\narn:aws:iam::1:role/a b\nx/1\nme\n");
}

Test(aws_role, an_endpoint_of_ones_own_and_a_session_name_that_was_not_said)
{
    char reason[TOKEN_REASON_MAX];
    cr_expect_eq(sign_with("{" ROLE ",\"aws_sts_endpoint_url\":\"https://sts.internal:8443\","
                           "\"aws_region\":\"us-east-2\"}",
                           false, reason),
                 ST_AGAIN);
    expect_text(asked.url, "https://sts.internal:8443/");
    cr_expect(str_find(asked.body, STR("RoleSessionName=sluice&")) > 0);
    cr_expect(str_find(asked.body, STR("ExternalId")) < 0);
}

Test(aws_role, without_a_role_it_says_what_is_missing)
{
    char reason[TOKEN_REASON_MAX];
    cr_expect_eq(sign_with("{\"aws_auth_type\":\"assumedRole\"}", false, reason), ST_UNSUPPORTED);
    cr_expect_not_null(strstr(reason, "assumedRole needs aws_role_arn"));
}

#define CLIENT                                                                                     \
    "\"azure_auth_mode\":\"entra\",\"azure_entra_tenant_id\":\"ten-1\",\"azure_entra_client_id\":" \
    "\"cl-1\""

Test(azure_sign, a_clients_secret_is_escaped)
{
    char reason[TOKEN_REASON_MAX];
    cr_expect_eq(sign_with("{" CLIENT "}", true, reason), ST_AGAIN);
    expect_text(asked.url, "https://login.microsoftonline.com/ten-1/oauth2/v2.0/token");
    expect_text(asked.body, "grant_type=client_credentials&client_id=cl-1&scope=https%3A%2F%2F"
                            "cognitiveservices.azure.com%2F.default&client_secret=a%26b%3Dc%20d%2F"
                            "%C3%A9");
}

Test(azure_sign, another_cloud)
{
    char reason[TOKEN_REASON_MAX];
    cr_expect_eq(sign_with("{" CLIENT
                           ",\"azure_authority_host\":\"https://login.microsoftonline.us/\","
                           "\"azure_entra_scope\":\"s/.default\"}",
                           true, reason),
                 ST_AGAIN);
    expect_text(asked.url, "https://login.microsoftonline.us/ten-1/oauth2/v2.0/token");
    cr_expect(str_find(asked.body, STR("&scope=s%2F.default&")) > 0);
}

Test(azure_sign, names_that_climb_are_no_clients)
{
    static const char *const wrong[] = {"{\"azure_auth_mode\":\"entra\"}",
                                        "{\"azure_auth_mode\":\"entra\",\"azure_entra_tenant_id\":"
                                        "\"../x\",\"azure_entra_client_id\":\"c\"}"};
    char reason[TOKEN_REASON_MAX];
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        cr_expect_eq(sign_with(wrong[i], true, reason), ST_UNSUPPORTED);
        cr_expect_not_null(strstr(reason, "azure_entra_tenant_id"));
    }
}

Test(azure_sign, keys_and_identities_of_the_host)
{
    char reason[TOKEN_REASON_MAX];
    cr_expect_eq(sign_with("{}", true, reason), ST_OK);
    cr_expect_str_eq(added, "api-key: the-key");
    cr_expect_eq(sign_with("{\"azure_auth_mode\":\"workload\"}", true, reason), ST_UNSUPPORTED);
    cr_expect_not_null(strstr(reason, "azure_auth_mode workload needs an identity"));
}
