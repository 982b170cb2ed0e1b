/* entra.c: Microsoft Entra's token endpoint: the client credentials flow (RFC 6749, 4.4).
 *
 *   POST {tenant}/oauth2/v2.0/token: grant_type, client_id, client_secret, scope
 *
 * Known are the clients of --entra-client. Errors have the shape and the numbers of the real ones.
 * Source: Microsoft identity platform, "OAuth 2.0 client credentials flow".
 */
#include "tests/sim/azure/entra.h"
#include "tests/sim/call.h"
#include "tests/sim/family.h"

#define TOKEN_PREFIX  "entra.sim."
#define TOKEN_SECONDS 3599
#define SCOPE_END     "/.default"

bool entra_is_token(struct str credential)
{
    return str_starts(credential, STR(TOKEN_PREFIX));
}

bool entra_accepts(struct str credential)
{
    struct str rest = credential, text, expires;
    int64_t expires_s = 0;
    if (!entra_is_token(credential) || !str_split(&rest, '~', &text) || !sim_is_signed(text, rest))
        return false;
    text = str_from(text, sizeof TOKEN_PREFIX - 1);
    return str_split(&text, '.', &expires) && str_to_i64(expires, &expires_s) == ST_OK &&
           expires_s > sim_now_s();
}

static void entra_say(struct buf *out, const char *error, struct str description)
{
    struct json_writer w;
    jw_init(&w, out);
    jw_object(&w);
    jw_field_cstr(&w, "error", error);
    jw_field_str(&w, "error_description", description);
    jw_key(&w, "error_codes");
    jw_array(&w);
    jw_end(&w);
    jw_end(&w);
}

static void entra_refuse(struct call *call, int status, const char *error, const char *description)
{
    buf_clear(call->out);
    call->status = status;
    entra_say(call->out, error, str_c(description));
}

/* The client's row "TENANT/ID:SECRET" behind its slash; n = 0: unknown. */
static struct str entra_client(struct call *call, struct str tenant, struct str id)
{
    const struct options_list *clients = &call->sim->options.entra_clients;
    for (size_t i = 0; i < clients->count; i++) {
        struct str rest = str_c(clients->item[i]), part;
        if (str_split(&rest, '/', &part) && str_eq(part, tenant) && str_split(&rest, ':', &part) &&
            str_eq(part, id))
            return rest;
    }
    return STR("");
}

static void entra_issue(struct call *call, struct str id)
{
    int64_t asked = call->sim->options.token_seconds, life = asked > 0 ? asked : TOKEN_SECONDS;
    struct str nonce = str_head(sim_make_id(call->arena, ""), 24);
    struct str text = arena_printf(call->arena, TOKEN_PREFIX "%lld." STR_FMT "." STR_FMT,
                                   (long long)(sim_now_s() + life), STR_ARG(nonce), STR_ARG(id));
    struct str proof = text.p == NULL ? STR_NONE : sim_sign(call->arena, text, 0);
    struct json_writer w;
    if (proof.p == NULL) {
        entra_refuse(call, 500, "server_error", "out of memory");
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "token_type", "Bearer");
    jw_field_i64(&w, "expires_in", life);
    jw_field_i64(&w, "ext_expires_in", life);
    jw_field_str(&w, "access_token",
                 arena_printf(call->arena, STR_FMT "~" STR_FMT, STR_ARG(text), STR_ARG(proof)));
    jw_end(&w);
}

static void entra_token(struct call *call)
{
    struct request *req = call->req;
    struct str id = request_form_value(req, "client_id");
    struct str secret = request_form_value(req, "client_secret");
    struct str scope = request_form_value(req, "scope");
    struct str known = entra_client(call, call->id, id);
    if (!str_eq(request_form_value(req, "grant_type"), STR("client_credentials")))
        entra_refuse(call, 400, "unsupported_grant_type",
                     "AADSTS70003: The app requested an unsupported grant type.");
    else if (!str_ends(scope, STR(SCOPE_END)))
        entra_refuse(call, 400, "invalid_scope",
                     "AADSTS1002012: The provided value for scope is not valid. Client credential "
                     "flows must have a scope value with /.default suffixed to the resource "
                     "identifier.");
    else if (known.n == 0)
        entra_refuse(call, 400, "unauthorized_client",
                     "AADSTS700016: Application was not found in the directory.");
    else if (!str_eq(known, secret))
        entra_refuse(call, 401, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
    else
        entra_issue(call, id);
}

static bool entra_is_meant(const struct request *req)
{
    return str_find(request_header(req, "host"), STR("login.microsoftonline")) >= 0;
}

static bool entra_admit(struct request *req)
{
    (void)req; /* the form is the credential */
    return true;
}

static void entra_head(struct request *req, struct buf *out)
{
    buf_printf(out, "x-ms-request-id: " STR_FMT "\r\ncache-control: no-store, no-cache\r\n",
               STR_ARG(request_reply_id(req)));
}

static void entra_error(struct buf *out, const struct failure *failure)
{
    entra_say(out, failure->status >= 500 ? "temporarily_unavailable" : "invalid_request",
              failure->message.p != NULL ? failure->message : STR("AADSTS900144: refused."));
}

static const struct route entra_routes[] = {
    {"POST", "*/oauth2/v2.0/token", entra_token, ROUTE_RAW},
};

const struct family family_entra = {
    .name = "entra",
    .routes = entra_routes,
    .route_count = COUNT_OF(entra_routes),
    .is_meant = entra_is_meant,
    .admit = entra_admit,
    .head = entra_head,
    .error = entra_error,
};
