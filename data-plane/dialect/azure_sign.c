/* azure_sign.c: how Azure is told who asks.
 *
 *   azure_auth_mode   default        the stored key, as api-key
 *                     entra          a client's secret is worth a token (RFC 6749, 4.4), kept and
 *                                    renewed by the worker
 *                     managed, workload, entraFederated
 *                                    need what only the gateway's host has: the credential says so
 *
 * Must never leave a copy of a key, secret or token on the stack. Source: Microsoft identity
 * platform, "OAuth 2.0 client credentials flow"; Azure OpenAI REST API reference, "Authentication".
 */
#include <stdio.h>

#include "common/secret.h"
#include "data-plane/dialect/azure.h"
#include "data-plane/dialect/path.h"
#include "data-plane/dialect/token.h"

#define AUTHORITY     "https://login.microsoftonline.com"
#define SCOPE         "https://cognitiveservices.azure.com/.default"
#define SECRET        "configurations.azure_entra_client_secret"
#define FIELD_MAX     256
#define URL_MAX       1024
#define FORM_MAX      8192
#define SCOPE_KEY_MAX 1200

/* What the configuration says of the client. */
struct client {
    struct str authority, tenant, id, scope;
    char rooms[4][FIELD_MAX];
};

static struct str field(const struct dialect_signing *signing, const char *name,
                        const char *without, char room[FIELD_MAX])
{
    struct str text = path_configured(signing->target, name, room, FIELD_MAX);
    return text.n == 0 ? str_c(without) : text;
}

/* ST_NOT_FOUND: no tenant or client; ST_INVALID: they are no names. */
static enum status read_client(const struct dialect_signing *signing, struct client *client)
{
    client->authority = field(signing, "azure_authority_host", AUTHORITY, client->rooms[0]);
    client->tenant = field(signing, "azure_entra_tenant_id", "", client->rooms[1]);
    client->id = field(signing, "azure_entra_client_id", "", client->rooms[2]);
    client->scope = field(signing, "azure_entra_scope", SCOPE, client->rooms[3]);
    if (client->tenant.n == 0 || client->id.n == 0)
        return ST_NOT_FOUND;
    if (str_ends(client->authority, STR("/")))
        client->authority.n--;
    return path_is_name(client->tenant) && path_is_name(client->id) ? ST_OK : ST_INVALID;
}

/* --- a client's token */

static enum status write_form(const struct dialect_signing *signing, struct token_request *request,
                              const struct client *client)
{
    struct token_text form;
    struct str secret;
    TRY(token_secret(signing, request, STR(SECRET), &secret));
    TRY(token_text_begin(request, FORM_MAX, &form));
    token_text_add(&form, STR("grant_type=client_credentials&client_id="));
    token_text_escape(&form, client->id);
    token_text_add(&form, STR("&scope="));
    token_text_escape(&form, client->scope);
    token_text_add(&form, STR("&client_secret="));
    token_text_escape(&form, secret);
    return token_text_end(&form, &request->body);
}

static enum status ask(const struct dialect_signing *signing, struct str scope,
                       struct token_request *request)
{
    struct client client;
    char *url = token_room(request, URL_MAX);
    (void)scope;
    if (url == NULL)
        return ST_TOO_LARGE;
    TRY(read_client(signing, &client));
    int n = snprintf(url, URL_MAX, STR_FMT "/" STR_FMT "/oauth2/v2.0/token",
                     STR_ARG(client.authority), STR_ARG(client.tenant));
    if (n < 0 || n >= URL_MAX)
        return ST_TOO_LARGE;
    request->url = str_of(url, (size_t)n);
    request->headers[0] =
        (struct upstream_header){STR("content-type"), STR("application/x-www-form-urlencoded")};
    request->headers[1] = (struct upstream_header){STR("accept"), STR("application/json")};
    request->header_count = 2;
    return write_form(signing, request, &client);
}

static const struct token_kind entra = {
    .name = "azure-entra-client", .ask = ask, .read = token_read_oauth};

/* --- signing */

static enum status add_token(const struct dialect_signing *signing, char *room, size_t max)
{
    char whose[SCOPE_KEY_MAX];
    struct client client;
    size_t n;
    enum status status = read_client(signing, &client);
    if (status != ST_OK) {
        snprintf(signing->reason, TOKEN_REASON_MAX,
                 "azure_auth_mode entra needs azure_entra_tenant_id, azure_entra_client_id and "
                 "azure_entra_client_secret");
        return ST_UNSUPPORTED;
    }
    int used = snprintf(whose, sizeof whose, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT,
                        STR_ARG(client.authority), STR_ARG(client.tenant), STR_ARG(client.id),
                        STR_ARG(client.scope));
    CHECK(used > 0 && (size_t)used < sizeof whose);
    TRY(signing->token(signing, &entra, str_of(whose, (size_t)used), room + 7, max - 7, &n));
    return signing->add(signing, STR("authorization"), str_of(room, n + 7));
}

static enum status add_key(const struct dialect_signing *signing, char *room, size_t max)
{
    size_t n;
    enum status status = signing->secret(signing, STR("key"), room, max, &n);
    if (status == ST_OK)
        status = signing->add(signing, STR("api-key"), str_of(room, n));
    return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status azure_sign(const struct dialect_signing *signing)
{
    char room[TOKEN_VALUE_MAX + 8] = "Bearer ", word[32];
    struct str mode = path_configured(signing->target, "azure_auth_mode", word, sizeof word);
    enum status status;
    if (str_eq(mode, STR("entra"))) {
        status = add_token(signing, room, sizeof room);
    } else if (mode.n == 0 || str_eq(mode, STR("default"))) {
        status = add_key(signing, room, sizeof room);
    } else {
        snprintf(signing->reason, TOKEN_REASON_MAX,
                 "azure_auth_mode " STR_FMT " needs an identity of the gateway's host, which this "
                 "gateway does not offer; use entra, or a key",
                 STR_ARG(mode));
        status = ST_UNSUPPORTED;
    }
    secret_wipe(room, sizeof room);
    return status;
}
