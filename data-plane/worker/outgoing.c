/* outgoing.c: see outgoing.h.
 *
 * Headers of the client pass by a positive list (plus x-portkey-forward-headers, never a credential
 * or framing header): what the caller holds for himself never reaches a provider beside a stored
 * credential. The credential is opened, copied into header lines that upstream.c wipes, and closed
 * within one call; how it becomes lines is the back's to say (sign), or the provider row's.
 */
#include "data-plane/worker/outgoing.h"

#include "common/apikey.h"
#include "common/clock.h"

#define ANTHROPIC_VERSION "2023-06-01" /* where neither the caller nor the row says one */

static void add_header(struct outgoing *out, struct str name, struct str value)
{
    if (out->count < OUTGOING_HEADERS_MAX && name.n > 0 && value.p != NULL)
        out->headers[out->count++] = (struct upstream_header){name, value};
}

/* Credential, framing and gateway headers are never forwarded, whatever the client asks. */
static bool may_forward(struct str name)
{
    static const char *const never[] = {"authorization",
                                        "x-api-key",
                                        "api-key",
                                        "x-goog-api-key",
                                        "cookie",
                                        "host",
                                        "content-length",
                                        "transfer-encoding",
                                        "connection",
                                        "keep-alive",
                                        "te",
                                        "trailer",
                                        "upgrade",
                                        "expect",
                                        "proxy-authorization",
                                        "proxy-connection",
                                        "accept-encoding",
                                        "x-client-request-id",
                                        "content-type",
                                        "accept",
                                        "forwarded",
                                        "x-forwarded-for",
                                        "traceparent",
                                        "tracestate"};
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (str_eq_nocase(name, str_c(never[i])))
            return false;
    return !str_starts_nocase(name, STR("x-portkey-")) &&
           !str_starts_nocase(name, STR("x-sluice-")) && !str_starts_nocase(name, STR("proxy-"));
}

/* A client's header, unless a key of ours is in it. */
static void add_client_header(struct req *req, struct outgoing *out, struct str name)
{
    struct str value = http_head_get(req->head, name);
    struct str ours = req->auth.value;
    if (value.n > 0 && !apikey_is_inside(value) && (ours.n == 0 || str_find(value, ours) < 0))
        add_header(out, name, value);
}

/* Anthropic's versions: betas from any caller, the version from one who speaks that dialect. The
 * row's own version stands in for one that is not given, ours where the row has none. */
static void add_anthropic(struct req *req, struct outgoing *out)
{
    const struct back *back = req->attempt.back;
    if (back == NULL || (back->native & OP_BIT(OP_MESSAGES)) == 0)
        return;
    add_client_header(req, out, STR("anthropic-beta"));
    if (req->attempt.call == NULL)
        add_client_header(req, out, STR("anthropic-version"));
}

/* What a translation adds, and the type of the body that it wrote. */
static void add_call_headers(const struct req_attempt *attempt, struct outgoing *out)
{
    const struct dialect_call *call = attempt->call;
    if (call == NULL)
        return;
    add_header(out, STR("content-type"), STR("application/json"));
    for (size_t i = 0; i < call->header_count; i++)
        add_header(out, call->headers[i].name, call->headers[i].value);
}

/* The attempt as a span of its trace. */
static void add_trace(struct req *req, struct outgoing *out)
{
    char text[TRACE_PARENT_TEXT + 1];
    uint64_t random = req_random();
    uint8_t span[sizeof random];
    memcpy(span, &random, sizeof span);
    trace_next_span(&req->trace, span);
    trace_to_text(&req->trace, text);
    struct str state = trace_state(&req->trace, http_head_get(req->head, STR("tracestate")));
    add_header(out, STR("traceparent"), arena_str(&req->arena, str_of(text, TRACE_PARENT_TEXT)));
    if (state.n > 0)
        add_client_header(req, out, STR("tracestate"));
}

/* Headers that the caller names, or else the target of the config. */
static void add_asked(struct req *req, struct outgoing *out)
{
    struct str list = http_head_get(req->head, STR("x-portkey-forward-headers")), name;
    const struct route_node *node = attempts_node(req);
    char end = ',';
    if (list.n == 0 && node != NULL) {
        list = route_str(&req->attempts.plan, node->set.forward_headers);
        end = '\n';
    }
    while (list.n > 0 && str_split(&list, end, &name)) {
        name = str_trim(name);
        if (may_forward(name))
            add_client_header(req, out, name);
    }
}

static void add_client_headers(struct req *req, struct outgoing *out)
{
    static const struct str pass[] = {
        {"content-type", 12},    {"accept", 6},       {"user-agent", 10}, {"openai-beta", 11},
        {"idempotency-key", 15}};
    static const struct str ours[] = {{"content-type", 12}, {"openai-beta", 11}};
    for (size_t i = 0; i < COUNT_OF(pass); i++) {
        bool replaced = false; /* by a translation */
        for (size_t k = 0; k < COUNT_OF(ours); k++)
            replaced = replaced || (req->attempt.call != NULL && str_eq(pass[i], ours[k]));
        if (!replaced)
            add_client_header(req, out, pass[i]);
    }
    add_anthropic(req, out);
    add_trace(req, out);
    add_asked(req, out);
}

static bool has_header(const struct outgoing *out, struct str name)
{
    for (size_t i = 0; i < out->count; i++)
        if (str_eq_nocase(out->headers[i].name, name))
            return true;
    return false;
}

/* "name: value\n" lines of the provider's row; the version of an API is the caller's if he said it.
 */
static void add_row_headers(const struct req_attempt *attempt, struct outgoing *out)
{
    struct str rest = attempt->extra_headers, line;
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        ptrdiff_t colon = str_find_char(line, ':');
        struct str name = colon > 0 ? str_head(line, (size_t)colon) : STR("");
        if (!str_eq_nocase(name, STR("anthropic-version")) || !has_header(out, name))
            add_header(out, name, str_trim(str_from(line, (size_t)colon + 1)));
    }
}

/* openai_organization and openai_project of an integration, for OpenAI's own dialect. */
static void add_configured(struct req *req, struct outgoing *out)
{
    const struct req_attempt *attempt = &req->attempt;
    struct json_field fields[] = {{.name = "openai_organization"}, {.name = "openai_project"}};
    static const struct str names[] = {{"openai-organization", 19}, {"openai-project", 14}};
    if (attempt->configurations_json.n == 0 ||
        json_scan_object(attempt->configurations_json, fields, COUNT_OF(fields), NULL) != ST_OK)
        return;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (fields[i].raw.p == NULL || fields[i].type != JSON_STRING)
            continue;
        struct str text;
        char *room = arena_alloc(&req->arena, fields[i].raw.n);
        if (room != NULL && json_unescape(fields[i].raw, room, &text) == ST_OK && text.n > 0)
            add_header(out, names[i], text);
    }
}

void outgoing_headers(struct req *req, struct outgoing *out)
{
    char id[ATTEMPT_ID_TEXT + 1];
    struct attempt_id attempt = slots_attempt(req->worker->slots, req->attempt.slot);
    attempt_id_to_text(&attempt, id);
    add_client_headers(req, out);
    add_call_headers(&req->attempt, out);
    add_row_headers(&req->attempt, out);
    if (req->attempt.dialect == CAT_DIALECT_ANTHROPIC && !has_header(out, STR("anthropic-version")))
        add_header(out, STR("anthropic-version"), STR(ANTHROPIC_VERSION));
    add_configured(req, out);
    add_header(out, STR("x-client-request-id"),
               arena_str(&req->arena, str_of(id, ATTEMPT_ID_TEXT)));
}

/* --- the credential */

/* What a signing sees of us. */
struct opened {
    struct req *req;
    struct outgoing *out;
    const struct open_secrets *secrets;
};

static enum status read_secret(const struct dialect_signing *signing, struct str name, char *room,
                               size_t max, size_t *n)
{
    const struct opened *opened = signing->arg;
    return keyring_secret(opened->secrets, name, room, max, n);
}

struct token_owner outgoing_token_owner(const struct req *req)
{
    const struct req_attempt *attempt = &req->attempt;
    return (struct token_owner){.org = req->auth.org,
                                .owner = attempt->secrets_owner,
                                .version = attempt->secrets_version,
                                .hosts = attempt->hosts,
                                .allowed_private = attempt->allowed_private};
}

static void token_there(struct token_wait *wait)
{
    req_run(wait->owner);
}

static enum status read_token(const struct dialect_signing *signing, const struct token_kind *kind,
                              struct str scope, char *room, size_t max, size_t *n)
{
    const struct opened *opened = signing->arg;
    struct req_attempt *attempt = &opened->req->attempt;
    struct token_owner owner = outgoing_token_owner(opened->req);
    attempt->token_wait.done = token_there;
    attempt->token_wait.owner = opened->req;
    attempt->uses_token = true;
    return tokens_get(opened->req->worker->tokens, signing, kind, scope, &owner,
                      &attempt->token_wait, room, max, n);
}

/* "name: prefix" at the end of `lines`; what follows it is the value's. */
static enum status begin_line(struct outgoing *out, struct str name, struct str prefix,
                              char **value, size_t *room)
{
    size_t head = name.n + 2 + prefix.n;
    char *line = out->lines + out->used;
    *room = sizeof out->lines - out->used;
    if (out->secret_count == OUTGOING_SECRETS_MAX || head >= *room)
        return ST_TOO_LARGE;
    memcpy(line, name.p, name.n);
    memcpy(line + name.n, ": ", 2);
    if (prefix.n > 0)
        memcpy(line + name.n + 2, prefix.p, prefix.n);
    *value = line + head;
    *room -= head;
    return ST_OK;
}

static void end_line(struct outgoing *out, const char *value, size_t n)
{
    char *line = out->lines + out->used;
    size_t all = (size_t)(value - line) + n;
    out->secrets[out->secret_count++] = str_of(line, all);
    out->used += all;
}

static enum status add_line(const struct dialect_signing *signing, struct str name,
                            struct str value)
{
    const struct opened *opened = signing->arg;
    char *at;
    size_t room;
    TRY(begin_line(opened->out, name, STR(""), &at, &room));
    if (value.n > room)
        return ST_TOO_LARGE;
    memcpy(at, value.p, value.n);
    end_line(opened->out, at, value.n);
    return ST_OK;
}

static enum status add_secret_line(const struct opened *opened, struct str secret_name,
                                   struct str name, struct str prefix)
{
    char *at;
    size_t room, n;
    TRY(begin_line(opened->out, name, prefix, &at, &room));
    TRY(keyring_secret(opened->secrets, secret_name, at, room, &n));
    end_line(opened->out, at, n);
    return ST_OK;
}

/* The row's header with the stored key: what all do whose back has no way of its own. */
static enum status add_key(const struct req_attempt *attempt, const struct opened *opened)
{
    if (attempt->auth_header.n == 0)
        return ST_OK;
    enum status status =
        add_secret_line(opened, STR("key"), attempt->auth_header, attempt->auth_prefix);
    return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status sign(struct req *req, struct opened *opened)
{
    static const char *const methods[] = {"GET", "POST", "DELETE", "PUT", "PATCH"};
    struct req_attempt *attempt = &req->attempt;
    const struct back *back = attempt->back;
    struct dialect_signing signing = {.target = &attempt->facts,
                                      .method = str_c(methods[req->head->method]),
                                      .url = attempt->url,
                                      .host = attempt->host,
                                      .body = attempt->body,
                                      .headers = opened->out->headers,
                                      .header_count = opened->out->count,
                                      .utc_ms = clock_utc_ms(),
                                      .arena = &req->arena,
                                      .secret = read_secret,
                                      .token = read_token,
                                      .reason = opened->out->reason,
                                      .add = add_line,
                                      .arg = opened};
    return back != NULL && back->sign != NULL ? back->sign(&signing) : add_key(attempt, opened);
}

static enum status add_secrets(struct req *req, struct opened *opened)
{
    struct str rest = req->attempt.header_names, name;
    TRY(sign(req, opened));
    while (rest.n > 0 && str_split(&rest, '\n', &name)) {
        if (name.n == 0)
            continue;
        struct str field = arena_printf(&req->arena, "custom_headers." STR_FMT, STR_ARG(name));
        TRY(add_secret_line(opened, field, name, STR("")));
    }
    return ST_OK;
}

enum status outgoing_credential(struct req *req, struct outgoing *out)
{
    struct req_attempt *attempt = &req->attempt;
    struct open_secrets secrets = {.keyring = NULL};
    struct opened opened = {req, out, &secrets};
    if (attempt->secrets_box.n == 0)
        return ST_OK;
    TRY(catalog_begin(req->worker->catalog));
    enum status status = keyring_open_secrets(req->worker->keyring, req->worker->catalog,
                                              &req->auth.org, &attempt->secrets_owner,
                                              attempt->secrets_version, &attempt->delivery_key,
                                              attempt->hosts, attempt->secrets_box, &secrets);
    catalog_end(req->worker->catalog);
    TRY(status);
    status = add_secrets(req, &opened);
    keyring_close_secrets(&secrets);
    return status;
}
