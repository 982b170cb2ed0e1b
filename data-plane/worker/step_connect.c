/* step_connect.c: the address of the attempt's host: asked, classified, ready to be pinned.
 *
 * Runs before the slot is marked SENT. A host that is not among those the credential was sealed for
 * is refused here as well, whatever the URL says (ARCHITECTURE section 4, Secrets: additional data
 * binds the hosts).
 */
#include "data-plane/egress.h"
#include "data-plane/worker/req.h"
#include "data-plane/worker/url.h"

static void name_found(struct name_wait *wait)
{
    req_run(wait->owner);
}

enum step_result req_step_connect(struct req *req)
{
    struct req_attempt *attempt = &req->attempt;
    if (attempt->secrets_box.n > 0 && !url_host_is_among(attempt->hosts, attempt->host, attempt->port))
        return req_refuse(req, ST_EGRESS_DENIED,
                          "The credential of provider @" STR_FMT
                          " may not be sent to this host. Save the integration's key again.",
                          STR_ARG(attempt->provider_slug));
    if (req->explain.on) {
        explain_allowed(req);
        return STEP_DONE;
    }
    attempts_start(req);
    attempt->wait.done = name_found;
    attempt->wait.owner = req;
    enum status status =
        names_get(req->worker->names, attempt->host, &attempt->wait, &attempt->addresses);
    if (status == ST_AGAIN)
        return STEP_WAIT;
    if (status == ST_OK)
        status = attempt->addresses->status;
    if (status == ST_NOT_FOUND || status == ST_INVALID)
        return req_refuse(req, ST_UPSTREAM_CONNECT,
                          "The host of provider @" STR_FMT " cannot be resolved.",
                          STR_ARG(attempt->provider_slug));
    if (status != ST_OK)
        return req_refuse(req, status,
                          "The host of provider @" STR_FMT " could not be looked up in time.",
                          STR_ARG(attempt->provider_slug));
    return STEP_NEXT;
}
