/* step_route.c: what is asked for: an operation, the model list, an admin route, or a pass-through
 * path.
 *
 * The base URL serves developers and admins alike (ARCHITECTURE section 7). The path is matched as
 * it was sent; nothing is normalised, so "/v1//files" or "/v1/./files" is simply no route.
 */
#include "data-plane/worker/admin_paths.h"
#include "data-plane/worker/azure_paths.h"
#include "data-plane/worker/pricing.h"
#include "data-plane/worker/req.h"

static struct str header(const struct req *req, struct str name)
{
    return http_head_get(req->head, name);
}

static void read_trace(struct req *req)
{
    uint64_t random[3] = {req_random(), req_random(), req_random()};
    uint8_t bytes[sizeof random];
    memcpy(bytes, random, sizeof bytes);
    trace_begin(&req->trace, header(req, STR("traceparent")), bytes);
    struct str trace = header(req, STR("x-portkey-trace-id"));
    if (trace.n > 0 && trace.n <= 128)
        req->trace_id = arena_str(&req->arena, trace);
}

/* Some clients of Anthropic's API put /v1 behind their base URL and some do not, whatever it ends in:
 * /messages, /v1/messages and /v1/v1/messages are one endpoint. n = 0: no path of ours. */
static struct str path_behind_v1(struct str path)
{
    struct str v1 = STR("/v1");
    if (str_eq(path, STR("/messages")) || str_eq(path, STR("/messages/count_tokens")))
        return path;
    if (!str_starts(path, STR("/v1/")))
        return STR_NONE;
    path = str_from(path, v1.n);
    return str_starts(path, STR("/v1/messages")) || str_starts(path, STR("/v1/models"))
               ? str_from(path, v1.n)
               : path;
}

enum step_result req_step_route(struct req *req)
{
    read_trace(req);
    struct str path = req->head->path;
    if (admin_paths_match(path)) {
        req->surface = REQ_SURFACE_RELAY;
        return STEP_NEXT;
    }
    if (str_starts(path, STR(PRICING_PREFIX)) && req->head->method == OP_METHOD_GET) {
        req->surface = REQ_SURFACE_PRICING;
        return pricing_answer(req);
    }
    enum status status = azure_paths_rewrite(&req->arena, path, &path, &req->path_model);
    if (status != ST_OK)
        return req_refuse(req, status, "Not enough memory.");
    struct str rest = path_behind_v1(path);
    if (rest.n == 0)
        return req_refuse(req, ST_NO_ROUTE,
                          "There is no endpoint " STR_FMT "; the base URL ends in /v1.",
                          STR_ARG(str_head(path, 100)));
    req->path = arena_str(&req->arena, rest);
    if (req->path.p == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    if (str_eq(req->path, STR("/models")) || str_starts(req->path, STR("/models/"))) {
        if (req->head->method != OP_METHOD_GET)
            return req_refuse(req, ST_METHOD, "Only GET is allowed on /v1/models.");
        req->surface = REQ_SURFACE_MODELS;
        req->anthropic = header(req, STR("anthropic-version")).n > 0;
        return STEP_NEXT;
    }
    explain_begin(req, &req->path);
    status = op_match(req->head->method, req->path, &req->op, &req->object_id);
    if (status == ST_METHOD)
        return req_refuse(req, ST_METHOD, "The method " STR_FMT " is not allowed on this endpoint.",
                          STR_ARG(str_head(req->head->method_text, 20)));
    if (status != ST_OK && req->explain.on)
        return req_refuse(req, ST_NO_ROUTE, "There is no operation " STR_FMT " to explain.",
                          STR_ARG(str_head(req->path, 100)));
    if (status != ST_OK) {
        req->op = OP_PASSTHROUGH;
        req->surface = REQ_SURFACE_PASSTHROUGH;
        return STEP_NEXT;
    }
    req->surface = REQ_SURFACE_OP;
    req->anthropic = req->op == OP_MESSAGES || req->op == OP_COUNT_TOKENS;
    return STEP_NEXT;
}
