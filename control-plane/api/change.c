/* change.c: how a request changes something: one operation on the writer thread, or a rehearsal of
 * it.
 *
 *   change_run     right checked again -> Idempotency-Key -> handler -> reply kept -> durable ->
 * 200 ?dry_run=true  right checked again -> handler -> what changed copied out -> undone -> impact
 *   ST_IN_USE      as a dry run, as if it were forced, for the list of what uses the thing
 *   refused        a record of its own in the audit log
 *
 * Invariants: a change is answered 200 only after writer_run said it is durable; a rehearsal never
 * leaves anything; nobody's refused request fills the store (CHANGE_REFUSALS).
 */
#include "control-plane/api/change.h"

#include "common/clock.h"
#include "common/log.h"
#include "control-plane/api/idempotency.h"
#include "control-plane/api/impact.h"
#include "control-plane/api/planes.h"
#include "control-plane/auth/throttle.h"

#define CHANGE_REFUSALS         60 /* recorded from one caller at once, then one each ... */
#define CHANGE_REFUSALS_EACH_MS 1000

struct change {
    struct api_call *call;
    enum status (*make)(struct api_call *call);
};

static enum status run_write(struct write_op *op, void *arg)
{
    const struct change *change = arg;
    struct api_call *call = change->call;
    call->op = op;
    call->txn = op->txn;
    call->now_ms = op->now_ms;
    enum status status = change->make(call);
    call->op = NULL;
    call->txn = NULL;
    return status;
}

struct write_actor api_actor(const struct api_call *call)
{
    static const char *const types[] = {
        [AUTH_NOBODY] = "anonymous", [AUTH_KEY] = "api_key", [AUTH_SESSION] = "user"};
    const struct http_request *request = call->request;
    return (struct write_actor){.id = call->auth.actor,
                                .type = types[call->auth.kind],
                                .client_ip = request->client_ip,
                                .request_id = str_c(request->request_id),
                                .method = str_c(http_method_text(request->method)),
                                .uri = request->path};
}

static enum status write_change(struct api_call *call, enum status (*make)(struct api_call *call),
                                uint64_t *revision)
{
    struct change change = {call, make};
    struct write_actor actor = api_actor(call);
    return writer_run(call->api->writer, &actor, call->arena, run_write, &change, revision);
}

enum status api_write_aside(struct api_call *call, enum status (*make)(struct api_call *call))
{
    return write_change(call, make, NULL);
}

enum status api_write(struct api_call *call, enum status (*make)(struct api_call *call))
{
    uint64_t revision;
    TRY(write_change(call, make, &revision));
    if (call->replayed_revision != 0) {
        revision = call->replayed_revision;
        reply_header(call->reply, STR("Idempotency-Replayed"), STR("true"));
    }
    reply_header(call->reply, STR("x-sluice-revision"),
                 arena_printf(call->arena, "%llu", (unsigned long long)revision));
    planes_wait_applied(call, revision);
    return ST_OK;
}

enum status change_permit(struct api_call *call)
{
    enum status status = auth_permit(&call->auth, call->route);
    if (status == ST_INVALID)
        return api_invalid(call, "workspace_id", "is required, as you are in several workspaces");
    return status;
}

/* What admitted the caller a moment ago must still hold in the transaction that changes something:
 * no change is ever later than the end of the right to make it. */
enum status change_permit_again(struct api_call *call)
{
    struct id workspace = call->auth.workspace;
    char name[ID_TEXT + 1];
    TRY(auth_identify(call->txn, call->arena, call->request, call->now_ms, &call->auth));
    id_to_text(&workspace, name);
    TRY(auth_act_in(call->txn, call->arena, id_is_none(&workspace) ? STR_NONE : str_c(name),
                    &call->auth));
    return change_permit(call);
}

static enum status change_by_route(struct api_call *call)
{
    TRY(change_permit_again(call));
    if (call->route->method != HTTP_POST || call->overlay != NULL)
        return call->route->handler(call);
    bool replayed;
    TRY(idempotency_look(call, &replayed));
    if (replayed)
        return ST_OK;
    TRY(call->route->handler(call));
    return idempotency_keep(call);
}

/* The change up to its end, which is that it is undone. */
static enum status rehearse(struct api_call *call)
{
    TRY(change_by_route(call));
    TRY(overlay_collect(call->op, call->arena, call->overlay));
    return ST_REHEARSED;
}

/* Finds out what the change would take away, and takes back what its handler said. */
static enum status find_impact(struct api_call *call, struct impact *impact)
{
    struct overlay *overlay = arena_calloc(call->arena, 1, sizeof(*overlay));
    if (overlay == NULL)
        return ST_NO_MEMORY;
    call->overlay = overlay;
    enum status status = api_write_aside(call, rehearse);
    if (status != ST_REHEARSED)
        return status;
    call->reply->header_count = 0;
    buf_clear(&call->reply->body);
    jw_init(&call->json, &call->reply->body);
    TRY(kv_begin(call->api->kv, false, &call->txn));
    status = impact_find(call, overlay, impact);
    kv_abort(call->txn);
    call->txn = NULL;
    return status;
}

/* What is in use is refused with the list of what uses it. */
static enum status explain_use(struct api_call *call)
{
    struct impact impact;
    struct json_writer w;
    struct buf out;
    struct str message = call->message;
    if (find_impact(call, &impact) != ST_OK) {
        call->message = message;
        return ST_IN_USE;
    }
    buf_init(&out, HTTP_REPLY_MAX_BYTES);
    jw_init(&w, &out);
    impact_write(&w, &impact, false);
    if (buf_status(&out) == ST_OK)
        call->detail = arena_str(call->arena, buf_str(&out));
    buf_free(&out);
    call->message = message;
    return ST_IN_USE;
}

/* What a refusal would have changed: of "workspaces_create" the type is "workspace". */
static const char *refused_type(struct api_call *call, struct str handler)
{
    static const struct {
        const char *prefix, *type;
    } others[] = {{"members", "workspace_user"},
                  {"virtual_keys", "provider"},
                  {"usage_policies", "usage_policy"},
                  {"rate_policies", "rate_policy"},
                  {"usage", "ledger"},
                  {"passwords", "user"},
                  {"deleted", "deleted"}};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (str_eq(handler, str_c(others[i].prefix)))
            return others[i].type;
    if (handler.n > 0 && handler.p[handler.n - 1] == 's')
        handler.n--;
    const char *type = arena_cstr(call->arena, handler);
    return type == NULL ? "" : type;
}

static enum status record_refusal(struct api_call *call)
{
    const enum status *refusal = call->state;
    const char *name = call->route->name, *verb = strrchr(name, '_');
    struct id resource;
    struct str target = call->params[0];
    if (id_from_text(target, &resource) != ST_OK)
        resource = ID_NONE;
    api_audit_refused(call, *refusal, verb + 1,
                      refused_type(call, str_of(name, (size_t)(verb - name))), &resource, target);
    return ST_OK;
}

void change_keep_refusal(struct api_call *call, enum status refusal)
{
    int http = status_row(refusal)->http;
    if (call->route == NULL || call->route->method == HTTP_GET || call->auth.kind == AUTH_NOBODY ||
        http < 400 || http >= 500 || api_query_flag(call, "dry_run") ||
        throttle_allow(call->api->throttle, id_bytes(&call->auth.actor), clock_mono_ms(),
                       CHANGE_REFUSALS, CHANGE_REFUSALS_EACH_MS) != ST_OK)
        return;
    call->state = &refusal;
    struct str message = call->message;
    enum status status = api_write_aside(call, record_refusal);
    if (status != ST_OK)
        log_warn("refusal_not_recorded", LOG_STATUS(status));
    call->message = message;
}

enum status change_run(struct api_call *call)
{
    struct impact impact;
    if (api_query_flag(call, "dry_run")) {
        TRY(find_impact(call, &impact));
        impact_write(&call->json, &impact, true);
        return ST_OK;
    }
    enum status status = api_write(call, change_by_route);
    return status == ST_IN_USE ? explain_use(call) : status;
}
