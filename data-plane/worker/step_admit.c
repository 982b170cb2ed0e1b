/* step_admit.c: may this key do this at all? Scopes match exactly; unknown = deny (ARCHITECTURE
 * section 8, Tenancy). */
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
        return need(req, CAT_SCOPE_PASSTHROUGH, "passthrough.invoke");
    case REQ_SURFACE_PRICING:
    case REQ_SURFACE_OP:
        break;
    }
    return need(req, CAT_SCOPE_COMPLETIONS_WRITE, "completions.write");
}
