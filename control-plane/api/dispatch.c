/* dispatch.c: one request from the route to the reply.
 *
 * Invariants: no handler runs without a route row that admits the key's kind and one of its scopes,
 * or the person's role; a body is looked at only for callers who may, or with a session, whose body
 * may name the workspace;
 * a change is answered 200 only after writer_run said it is durable; every reply carries its
 * request id and trace id; what goes wrong becomes the one error envelope. The read transaction
 * ends before the writer is asked, so no thread waits for the writer while it holds a snapshot.
 */
#include "control-plane/api/dispatch.h"

#include "common/clock.h"
#include "common/log.h"
#include "control-plane/api/change.h"
#include "control-plane/api/fields.h"
#include "control-plane/http/static.h"

#define DISPATCH_MODELS_SUFFIX STR("models")

static const struct route routes[] = {
#define ROW(method, path, scope, who, people, fields, handler, acts)                               \
    {HTTP_##method,        path,          scope, ROUTE_##who, PEOPLE_##people,                     \
     &api_fields_##fields, api_##handler, acts,  #handler},
#define ROUTE(method, path, scope, who, people, fields, handler)                                   \
    ROW(method, path, scope, who, people, fields, handler, false)
#define ACTION(method, path, scope, who, people, fields, handler)                                  \
    ROW(method, path, scope, who, people, fields, handler, true)
#include "control-plane/routes.def"
#undef ROUTE
};

const struct route *dispatch_routes(size_t *count)
{
    *count = COUNT_OF(routes);
    return routes;
}

size_t dispatch_body_max(void *arg, const struct http_request *request)
{
    (void)arg;
    struct str path = request->path;
    if (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    return str_ends(path, DISPATCH_MODELS_SUFFIX) ? DISPATCH_LARGE_BODY_MAX : DISPATCH_BODY_MAX;
}

static enum status read_body(struct api_call *call)
{
    struct str text = str_trim(call->request->body);
    struct json_error error = {.what = "not JSON"};
    struct json *root;
    if (call->route->fields->count == 0 || text.n == 0)
        return ST_OK;
    enum status status = json_parse(call->arena, text, NULL, &root, &error);
    if (status == ST_BAD_JSON)
        return api_fail(call, status, "The body is not valid JSON: %s (at byte %zu)", error.what,
                        error.at);
    TRY(status);
    if (root->type != JSON_OBJECT)
        return api_fail(call, ST_BAD_JSON, "The body must be a JSON object");
    call->body = root;
    return ST_OK;
}

/* The workspace that a person means: of the path, the query or the body. */
static enum status act_in_workspace(struct api_call *call)
{
    struct str name = api_path(call, "workspace");
    if (call->auth.kind != AUTH_SESSION)
        return ST_OK;
    if (name.n == 0)
        TRY(api_text(call, "workspace_id", &name));
    return auth_act_in(call->txn, call->arena, name, &call->auth);
}

/* Who, may they, and in which transaction. */
static enum status run(struct api_call *call)
{
    call->now_ms = clock_utc_ms();
    TRY(kv_begin(call->api->kv, false, &call->txn));
    enum status status = ST_OK;
    if (call->route->who != ROUTE_ANYONE)
        TRY_OUT(auth_identify(call->txn, call->arena, call->request, call->now_ms, &call->auth));
    if (call->auth.kind == AUTH_KEY)
        TRY_OUT(change_permit(call));
    TRY_OUT(read_body(call));
    if (call->auth.kind == AUTH_SESSION) {
        TRY_OUT(act_in_workspace(call));
        TRY_OUT(change_permit(call));
    }
    if (call->route->method == HTTP_GET) {
        status = call->route->handler(call);
        goto out;
    }
    kv_abort(call->txn);
    call->txn = NULL;
    return call->route->acts ? call->route->handler(call) : change_run(call);
out:
    kv_abort(call->txn);
    call->txn = NULL;
    return status;
}

static void log_call(const struct api_call *call, int64_t started_ns)
{
    const struct http_request *request = call->request;
    log_info("admin_request", LOG_CSTR("method", http_method_text(request->method)),
             LOG_STR("path", request->path), LOG_U64("http_status", (uint64_t)call->reply->status),
             LOG_U64("us", (uint64_t)(clock_mono_ns() - started_ns) / 1000u),
             LOG_ID("actor", &call->auth.actor), LOG_STR("client", request->client_ip),
             LOG_CSTR("request_id", request->request_id));
}

/* Console files are what is no route and not below /v1 or /v2. */
static enum status serve_file(struct api_call *call)
{
    const struct http_request *request = call->request;
    bool api_path =
        str_starts(request->path, STR("/v1/")) || str_starts(request->path, STR("/v2/"));
    if (api_path || (request->method != HTTP_GET && request->method != HTTP_HEAD))
        return ST_NO_ROUTE;
    enum status status = static_serve(call->api->console, request, call->reply);
    return status == ST_NOT_FOUND ? ST_NO_ROUTE : status;
}

static enum status answer(struct api_call *call)
{
    size_t count;
    const struct route *table = dispatch_routes(&count);
    struct route_match match;
    enum status status =
        router_find(table, count, call->request->method, call->request->path, call->arena, &match);
    if (status == ST_NO_ROUTE)
        return serve_file(call);
    if (status == ST_METHOD)
        reply_header(call->reply, STR("Allow"), arena_str(call->arena, str_c(match.allow)));
    TRY(status);
    call->route = match.route;
    memcpy(call->params, match.params, sizeof(call->params));
    call->reply->status = 200;
    jw_init(&call->json, &call->reply->body);
    return run(call);
}

void dispatch_handle(void *arg, struct http_request *request, struct http_reply *reply)
{
    struct api_call call = {
        .api = arg, .request = request, .reply = reply, .arena = request->arena};
    int64_t started_ns = clock_mono_ns();
    enum status status = answer(&call);
    if (status != ST_OK)
        change_keep_refusal(&call, status);
    if (status != ST_OK)
        reply_error_detail(reply, status, call.message, call.detail);
    else
        reply_finish(reply);
    reply_identify(reply, request);
    if (call.route == NULL || call.route->who != ROUTE_ANYONE)
        log_call(&call, started_ns);
}
