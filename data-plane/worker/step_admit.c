/* step_admit.c: may this key do this at all, and may it do it now?
 *
 * Scopes match exactly; unknown = deny (ARCHITECTURE section 8, Tenancy). Then the rates and
 * permits of the request itself: taken once, however many attempts it makes. Waits for a grant at
 * most grant_wait_ms; permits are given back when the request ends (req_finish).
 */
#include "data-plane/worker/limit_words.h"
#include "data-plane/worker/models.h"
#include "data-plane/worker/relay.h"
#include "data-plane/worker/req.h"

static enum step_result need(struct req *req, uint64_t any_of, const char *scope)
{
    if ((req->auth.scopes & any_of) != 0)
        return STEP_NEXT;
    return req_refuse(
        req, ST_FORBIDDEN,
        "This API key lacks the scope %s. An admin of the workspace can add it to the key.", scope);
}

static enum step_result find_uses(struct req *req)
{
    enum status status = catalog_begin(req->worker->catalog);
    if (status == ST_OK) {
        status = uses_of_request(req);
        catalog_end(req->worker->catalog);
    }
    if (status != ST_OK)
        return req_refuse(req, status, "%s", status_row(status)->text);
    for (size_t i = 0; i < req->uses.count; i++)
        req->uses.list[i].amount = 1;
    req->uses_known = true;
    return STEP_NEXT;
}

static void moved(struct limit_wait *wait)
{
    req_run(wait->owner);
}

static enum step_result take(struct req *req)
{
    size_t which;
    enum step_result result = req->uses_known ? STEP_NEXT : find_uses(req);
    if (result != STEP_NEXT || req->uses.count == 0)
        return result;
    if (req->explain.on)
        return explain_admit(req) == ST_OK ? STEP_NEXT : STEP_REFUSE;
    req->limit_wait.done = moved;
    req->limit_wait.owner = req;
    enum status status = limits_client_take(req->worker, &req->limit_wait, req->uses.list,
                                            req->uses.count, &which);
    if (status == ST_AGAIN)
        return STEP_WAIT;
    if (status != ST_OK)
        return limit_words_refuse(req, status, &req->uses.list[which], 0);
    req->uses_taken = true;
    return STEP_NEXT;
}

enum step_result req_step_admit(struct req *req)
{
    enum step_result result = STEP_NEXT;
    switch (req->surface) {
    case REQ_SURFACE_RELAY:
        return relay_begin(req);
    case REQ_SURFACE_MODELS:
        result = need(
            req, CAT_SCOPE_MODELS_LIST | CAT_SCOPE_COMPLETIONS_WRITE | CAT_SCOPE_PROVIDERS_LIST,
            "models.list");
        return result == STEP_NEXT ? models_answer(req) : result;
    case REQ_SURFACE_PASSTHROUGH:
        result = need(req, CAT_SCOPE_PASSTHROUGH, "passthrough.invoke");
        break;
    case REQ_SURFACE_PRICING:
    case REQ_SURFACE_OP:
        result = need(req, CAT_SCOPE_COMPLETIONS_WRITE, "completions.write");
        break;
    }
    return result == STEP_NEXT ? take(req) : result;
}
