/* step_rows.c: the models that an uploaded file's rows name, by the rules of the target it goes to.
 *
 * A batch is sent to the provider as a file and run there, so its rows are decided on here, each
 * like a call of its own (bound.def: ROWS). What is here of the file is judged before the attempt
 * goes out; the rest as it flows, and the last byte only follows when all of it has passed
 * (req_body_holds_back). The file goes as it is: a row must use the provider's own id of a model, of
 * Azure the name of a deployment, which is judged as the model behind it.
 */
#include <stdio.h>

#include "data-plane/worker/authorize.h"
#include "data-plane/worker/batch_rows.h"

static enum status judge(void *arg, struct str model, char *reason)
{
    struct req *req = arg;
    struct authorize_view view;
    char why[REQ_REASON_MAX] = "";
    struct catalog *catalog = req->worker->catalog;
    TRY(catalog_begin(catalog));
    enum status status = authorize_target(req, req->attempt.target->provider, model, &view, why);
    if (status == ST_OK && !str_eq(view.upstream_model, model)) {
        status = ST_MODEL_NOT_ALLOWED;
        snprintf(why, sizeof why,
                 "\"" STR_FMT "\" is an alias; the rows of a file must use the provider's own id.",
                 STR_ARG(str_head(model, 120)));
    }
    catalog_end(catalog);
    snprintf(reason, BATCH_REASON_MAX, "%s", why);
    return status;
}

bool req_rows_take(struct req *req, struct str bytes, bool end)
{
    struct batch_rows *rows = req->body.rows;
    enum status status = batch_rows_feed(rows, bytes);
    if (status == ST_OK && end)
        status = batch_rows_end(rows);
    if (status != ST_OK)
        req_refuse(req, status, "%s",
                   rows->reason[0] != '\0' ? rows->reason : status_row(status)->text);
    return status == ST_OK;
}

enum step_result req_step_rows(struct req *req)
{
    struct req_body *body = &req->body;
    if (req->surface != REQ_SURFACE_OP || bound_row(req->op)->models != BOUND_MODELS_ROWS)
        return STEP_NEXT;
    if (body->rows == NULL)
        body->rows = arena_calloc(&req->arena, 1, sizeof *body->rows);
    if (body->rows == NULL)
        return req_refuse(req, ST_NO_MEMORY, "Not enough memory.");
    batch_rows_begin(body->rows, body->boundary,
                     (size_t)params_u64(req->worker->params, PARAM_JSON_BODY_MAX), judge, req);
    return req_rows_take(req, buf_str(&body->mem), body->complete) ? STEP_NEXT : STEP_REFUSE;
}
