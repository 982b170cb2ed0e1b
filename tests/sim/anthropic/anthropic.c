/* anthropic.c: Anthropic's API as a family: routes, credential, version, head lines, error shape.
 *
 * Error bodies: {"type":"error","error":{"type","message"},"request_id"}; the type follows from the
 * status (API reference, "Errors"). The models' paths are OpenAI's, too: a request with an
 * anthropic-version, or for a host of that name, is meant for here.
 */
#include "tests/sim/anthropic/anthropic.h"

#include "tests/sim/anthropic/messages.h"
#include "tests/sim/family.h"
#include "tests/sim/reply.h"

static const struct route anthropic_routes[] = {
    {"POST", "messages", anthropic_messages, 0},
    {"POST", "messages/count_tokens", anthropic_count_tokens, 0},
    {"POST", "complete", anthropic_complete, 0},
    {"GET", "models", anthropic_models_list, ROUTE_SHARED},
    {"GET", "models/*", anthropic_models_get, ROUTE_SHARED},
};

static bool anthropic_is_meant(const struct request *req)
{
    return request_header(req, "anthropic-version").p != NULL ||
           str_find(request_header(req, "host"), STR("anthropic")) >= 0;
}

static bool anthropic_admit(struct request *req)
{
    struct str key = request_header(req, "x-api-key");
    struct str bearer = request_header(req, "authorization");
    bool by_bearer = key.n == 0 && bearer.n > 0;
    if (key.n == 0 && bearer.n == 0) {
        reply_error(req, 401, NULL, STR("x-api-key header is required"));
        return false;
    }
    if (by_bearer)
        key = str_starts(bearer, STR("Bearer ")) ? str_from(bearer, 7) : STR("");
    if (key.n > 0 && options_accept_key(&req->sim->options, key))
        return true;
    reply_error(req, 401, NULL, by_bearer ? STR("Invalid bearer token") : STR("invalid x-api-key"));
    return false;
}

static void anthropic_head(struct request *req, struct buf *out)
{
    static const char *const kinds[] = {"requests", "input-tokens", "output-tokens"};
    static const unsigned limits[] = {4000, 2000000, 400000};
    buf_printf(out,
               "request-id: " STR_FMT "\r\n"
               "anthropic-organization-id: 00000000-0000-4000-8000-000000000000\r\n",
               STR_ARG(request_reply_id(req)));
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        buf_printf(out,
                   "anthropic-ratelimit-%s-limit: %u\r\nanthropic-ratelimit-%s-remaining: %u\r\n"
                   "anthropic-ratelimit-%s-reset: 2030-01-01T00:00:00Z\r\n",
                   kinds[i], limits[i], kinds[i], limits[i] - 1, kinds[i]);
}

static const struct {
    int status;
    const char *type, *message;
} anthropic_errors[] = {
    {400, "invalid_request_error", "The simulator was asked to refuse this request."},
    {401, "authentication_error", "invalid x-api-key"},
    {402, "billing_error", "Your credit balance is too low to access the Anthropic API."},
    {403, "permission_error", "Your API key does not have permission to use the resource."},
    {404, "not_found_error", "Not found"},
    {413, "request_too_large", "Request exceeds the maximum size"},
    {429, "rate_limit_error", "This request would exceed your organization's rate limit."},
    {500, "api_error", "Internal server error"},
    {504, "timeout_error", "Request timed out"},
    {529, "overloaded_error", "Overloaded"},
};

static void anthropic_error(struct buf *out, const struct failure *failure)
{
    struct json_writer w;
    const char *type = failure->status >= 500 ? "api_error" : "invalid_request_error";
    struct str message = failure->message.p != NULL ? failure->message
                         : failure->status >= 500   ? STR("Internal server error")
                                                    : STR("The request was refused.");
    for (size_t i = 0; i < COUNT_OF(anthropic_errors); i++) {
        if (anthropic_errors[i].status != failure->status)
            continue;
        type = anthropic_errors[i].type;
        if (failure->message.p == NULL)
            message = str_c(anthropic_errors[i].message);
    }
    jw_init(&w, out);
    jw_object(&w);
    jw_field_cstr(&w, "type", "error");
    jw_key(&w, "error");
    jw_object(&w);
    jw_field_cstr(&w, "type", failure->code == NULL ? type : failure->code);
    jw_field_str(&w, "message", message);
    jw_end(&w);
    if (failure->req != NULL)
        jw_field_str(&w, "request_id", request_reply_id(failure->req));
    jw_end(&w);
}

const struct family family_anthropic = {
    .name = "anthropic",
    .routes = anthropic_routes,
    .route_count = COUNT_OF(anthropic_routes),
    .is_meant = anthropic_is_meant,
    .admit = anthropic_admit,
    .head = anthropic_head,
    .error = anthropic_error,
};

/* A beta's name ends with the date of its birth: -2025-05-14 or -20250219. */
static bool anthropic_is_beta(struct str name)
{
    size_t digits = 0, dashes = 0, at = name.n;
    while (at > 0 && digits < 8) {
        char c = name.p[--at];
        digits += c >= '0' && c <= '9' ? 1 : 0;
        dashes += c == '-' ? 1 : 0;
        if (c != '-' && !(c >= '0' && c <= '9'))
            return false;
    }
    return digits == 8 && (dashes == 0 || dashes == 2) && at > 1 && name.p[at - 1] == '-';
}

bool anthropic_check_version(struct call *call, bool *latest)
{
    struct str version = request_header(call->req, "anthropic-version");
    struct str betas = request_header(call->req, "anthropic-beta"), beta;
    *latest = str_eq(version, STR("2026-10-21"));
    if (version.n == 0) {
        call_error(call, 400, NULL, NULL, "anthropic-version: header is required");
        return false;
    }
    if (!*latest && !str_eq(version, STR("2023-06-01"))) {
        call_error(call, 400, NULL, NULL,
                   "anthropic-version: \"" STR_FMT "\" is not a valid version",
                   STR_ARG(str_head(version, 100)));
        return false;
    }
    while (str_split(&betas, ',', &beta)) {
        beta = str_trim(beta);
        if (beta.n == 0 || anthropic_is_beta(beta))
            continue;
        call_error(call, 400, NULL, NULL,
                   "Unexpected value(s) `" STR_FMT "` for the `anthropic-beta` header.",
                   STR_ARG(str_head(beta, 100)));
        return false;
    }
    return true;
}

/* The request without what the host decides; false: an error is the outcome. */
static bool anthropic_open(struct call *call, struct messages *messages, bool counts_only)
{
    struct str name = call_text(call, call->root, "model");
    *messages = (struct messages){.call = call,
                                  .counts_only = counts_only,
                                  .betas = request_header(call->req, "anthropic-beta")};
    if (!anthropic_check_version(call, &messages->latest))
        return false;
    if (call->root == NULL) {
        call_error(call, 400, NULL, NULL, "A JSON body is required.");
        return false;
    }
    if (name.p == NULL) {
        call_error(call, 400, NULL, NULL, "model: Field required");
        return false;
    }
    call->model = arena_str(call->keep, name);
    messages->claude = claude_find(&call->sim->options, name);
    if (messages->claude != NULL)
        return true;
    call_error(call, 404, NULL, NULL, "model: " STR_FMT, STR_ARG(str_head(name, 300)));
    return false;
}

void anthropic_messages(struct call *call)
{
    struct messages messages;
    if (anthropic_open(call, &messages, false))
        messages_answer(&messages, call_flag(call->root, "stream"), messages_frame_sse);
}

void anthropic_count_tokens(struct call *call)
{
    struct messages messages;
    struct answer_ask ask;
    struct toolbox toolbox;
    struct json_writer w;
    if (!anthropic_open(call, &messages, true) || !messages_check(&messages) ||
        !messages_read(&messages, &ask, &toolbox))
        return;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_u64(&w, "input_tokens", ask.usage.prompt);
    jw_end(&w);
}
