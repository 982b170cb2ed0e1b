/* dispatch.c: see dispatch.h.
 *
 *   /__sim? -> static magic? -> route and family -> fault spec -> latency -> credential ->
 *   fault before the reply -> handler
 *
 * The credential is judged before a fault is acted on, so a test of a wrong key always sees 401. A
 * fault spec that does not parse is 400. Handlers never see a request whose body could not be
 * taken.
 */
#include "tests/sim/dispatch.h"

#include "tests/sim/conn.h"
#include "tests/sim/family.h"
#include "tests/sim/reply.h"

/* The text in which fault words are looked for: the JSON body, or all fields of the form. */
static struct str dispatch_fault_spec(const struct request *req)
{
    struct str header = request_header(req, "x-sim-fault"), found = STR_NONE;
    if (header.p != NULL)
        return header;
    if (req->form == NULL)
        return fault_find(buf_str(&req->body));
    for (size_t i = 0; i < req->form->count; i++) {
        const struct form_part *part = &req->form->parts[i];
        struct str spec = part->is_file ? STR_NONE : fault_find(buf_str(&part->value));
        found = spec.p != NULL ? spec : found;
    }
    return found;
}

/* False: refused. */
static bool dispatch_read_fault(struct request *req)
{
    struct str spec = dispatch_fault_spec(req);
    if (spec.p != NULL && fault_parse(spec, &req->fault) != ST_OK) {
        struct str message = arena_printf(&req->keep, "bad sim:fault specification: " STR_FMT,
                                          STR_ARG(str_head(spec, 200)));
        fault_init(&req->fault);
        reply_error(req, 400, "sim_bad_fault", message);
        return false;
    }
    if (req->fault.first >= 0) {
        uint64_t hash = sim_hash(buf_str(&req->body), sim_hash(spec, 0));
        if (!sim_is_among_first(req->sim, hash, (uint64_t)req->fault.first))
            fault_init(&req->fault);
    }
    if (req->fault.latency < 0)
        req->fault.latency = req->sim->options.latency_ms;
    return true;
}

/* The model as sent, for the truth record of requests that no handler sees. */
static void dispatch_note_model(struct request *req)
{
    struct json_field field = {.name = "model"};
    struct str text = req->form == NULL ? STR_NONE : form_field(req->form, "model");
    if (req->form == NULL && req->body.n > 0 &&
        json_scan_object(buf_str(&req->body), &field, 1, NULL) == ST_OK && field.raw.p != NULL &&
        field.type == JSON_STRING) {
        char *room = arena_alloc(&req->keep, field.raw.n);
        if (room == NULL || json_unescape(field.raw, room, &text) != ST_OK)
            return;
    }
    if (text.n > 0)
        req->model = arena_str(&req->keep, text);
}

/* True: the fault is the whole reply. */
static bool dispatch_fault(struct request *req)
{
    const struct fault *fault = &req->fault;
    if (fault->reset == 1) {
        req->dispatched = req->replied = true;
        req->ending = ENDING_RESET;
    } else if (fault->hang == 1) {
        req->dispatched = true;
    } else if (fault->status >= 0) {
        reply_error(req, (int)fault->status, NULL, STR_NONE);
    } else if (fault->garbage == 1) {
        reply_body(req, 200, REPLY_JSON,
                   STR("<html><body>this is {no} JSON \xff\xfe</body></html>\n"));
    } else {
        return false;
    }
    return true;
}

static void dispatch_call(struct request *req, const struct route *route, struct str id)
{
    struct buf out;
    struct json_error error;
    struct json *root = NULL;
    buf_init(&out, CONN_OUT_MAX);
    struct call call = {.sim = req->sim,
                        .req = req,
                        .fault = &req->fault,
                        .arena = &req->arena,
                        .keep = &req->keep,
                        .id = id,
                        .out = &out,
                        .status = 200,
                        .length = -1};
    bool takes_body = strcmp(req->method, "POST") == 0 && req->form == NULL && req->body.n > 0 &&
                      (route->flags & ROUTE_RAW) == 0;
    if (takes_body && (json_parse(&req->arena, buf_str(&req->body), NULL, &root, &error) != ST_OK ||
                       root->type != JSON_OBJECT)) {
        call_error(&call, 400, NULL, NULL,
                   "We could not parse the JSON body of your request. The API expects a JSON "
                   "payload.");
    } else {
        call.root = root;
        route->call(&call);
    }
    if (buf_status(&out) != ST_OK)
        call_error(&call, 500, NULL, NULL, "out of memory");
    if (call.model.p != NULL)
        req->model = call.model;
    req->usage = call.usage;
    req->stream = call.stream;
    if (call.source != NULL)
        reply_source(req, call.content_type, call.source, call.length);
    else
        reply_body(req, call.status,
                   call.content_type == NULL ? family_content_type(req->family) : call.content_type,
                   buf_str(&out));
    buf_free(&out);
}

static void dispatch_no_route(struct request *req, bool wrong_method)
{
    struct str message = arena_printf(&req->keep,
                                      wrong_method ? "Not allowed to %s on " STR_FMT "."
                                                   : "Invalid URL (%s " STR_FMT ")",
                                      req->method, STR_ARG(str_head(req->path, 500)));
    reply_error(req, wrong_method ? 405 : 404, NULL, message);
}

/* The parsed body is not needed once the reply is made; long streams must not hold it. */
static void dispatch_drop_body(struct request *req)
{
    arena_free(&req->arena);
    if (req->source == NULL || req->body.n <= REQUEST_BODY_LOGGED || req->form != NULL)
        return;
    req->body_sha = EVP_MD_CTX_new();
    CHECK(req->body_sha != NULL && EVP_DigestInit_ex(req->body_sha, EVP_sha256(), NULL) == 1 &&
          EVP_DigestUpdate(req->body_sha, req->body.p, req->body.n) == 1);
    struct buf head;
    buf_init(&head, REQUEST_BODY_LOGGED);
    buf_add(&head, req->body.p, REQUEST_BODY_LOGGED);
    buf_free(&req->body);
    req->body = head;
}

void dispatch_request(struct request *req)
{
    struct str own = STR("/__sim/"), id = STR_NONE;
    ptrdiff_t at = str_find(req->path, own);
    bool wrong_method = false;
    req->family = &family_openai;
    if (at >= 0) {
        admin_request(req, str_from(req->path, (size_t)at + own.n));
        return;
    }
    if (!req->latency_done && static_reply(req))
        return;
    const struct route *route =
        routes_find(req, str_c(req->method), req->path, &id, &req->family, &wrong_method);
    if (!req->latency_done) {
        if (!dispatch_read_fault(req))
            return;
        req->latency_done = true;
        if (req->fault.latency > 0) {
            loop_timer_set(&req->sim->loop, &req->conn->timer, req->fault.latency);
            return;
        }
    }
    dispatch_note_model(req);
    if (!req->family->admit(req) || dispatch_fault(req))
        return;
    if (req->refuse_status != 0)
        reply_error(req, req->refuse_status, NULL, STR("The request body could not be read."));
    else if (req->form != NULL && !form_is_complete(req->form))
        reply_error(req, 400, NULL, STR("The multipart body ends early."));
    else if (route == NULL)
        dispatch_no_route(req, wrong_method);
    else
        dispatch_call(req, route, request_decode(req, id));
    CHECK(req->dispatched);
    dispatch_drop_body(req);
}
