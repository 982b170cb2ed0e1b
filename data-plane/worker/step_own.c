/* step_own.c: every object the request names, in its path, its body or the config's override_params
 * (quoted.h), must be this workspace's own.
 *
 * Asked one after the other; a negative answer is asked once more after a moment, because the event
 * that made the object may still be on its way from another worker's slot to the courier. Then:
 * 404, in the same words for "not yours" and "does not exist".
 */
#include "data-plane/worker/objects.h"
#include "data-plane/worker/quoted.h"
#include "data-plane/worker/translate.h"

#define SECOND_LOOK_MS 150
#define OWN_NAMES_MAX  256

static void answered(struct object_wait *wait)
{
    struct req *req = wait->owner;
    struct req_own *own = &req->own;
    own->asked = true;
    if (wait->status == ST_NOT_FOUND && !own->second_look) {
        own->second_look = true;
        own->asked = false;
        loop_timer_set(req->worker->loop, &own->timer, SECOND_LOOK_MS);
        return;
    }
    req_run(req);
}

static void look_again(struct loop_timer *timer)
{
    req_run(timer->owner);
}

static enum status add_name(struct req *req, struct str name)
{
    struct req_own *own = &req->own;
    if (own->count == own->room) {
        size_t room = own->room == 0 ? 8 : own->room * 2;
        struct str *names =
            own->room >= OWN_NAMES_MAX ? NULL : arena_alloc(&req->arena, room * sizeof *names);
        if (names == NULL)
            return own->room >= OWN_NAMES_MAX ? ST_TOO_LARGE : ST_NO_MEMORY;
        if (own->count > 0)
            memcpy(names, own->names, own->count * sizeof *names);
        own->names = names;
        own->room = room;
    }
    own->names[own->count++] = name;
    return ST_OK;
}

static enum status add_quoted(void *arg, struct str raw)
{
    struct req *req = arg;
    char *room = arena_alloc(&req->arena, raw.n);
    struct str text, copy;
    if (room == NULL || json_unescape(raw, room, &text) != ST_OK)
        return ST_NO_MEMORY;
    copy = arena_str(&req->arena, text);
    return copy.p == NULL ? ST_NO_MEMORY : text.n == 0 ? ST_OK : add_name(req, copy);
}

static enum status collect(struct req *req)
{
    struct str body = buf_str(&req->body.mem), overrides = req->attempt.target->override_json;
    if (req->object_id.n > 0)
        TRY(add_name(req, req->object_id));
    if (op_row(req->op)->body != OP_BODY_JSON)
        return ST_OK;
    if (overrides.n > 0)
        TRY(quoted_each(overrides, add_quoted, req));
    return body.n > 0 && quoted_maybe(body) ? quoted_each(body, add_quoted, req) : ST_OK;
}

static enum step_result refuse_object(struct req *req, struct str name, enum status status)
{
    if (status == ST_CONTROL_AWAY)
        return req_refuse(
            req, status,
            "Whether \"" STR_FMT
            "\" belongs to this workspace cannot be told while the control plane is away.",
            STR_ARG(str_head(name, 100)));
    return req_refuse(req, ST_NOT_FOUND,
                      "No object \"" STR_FMT "\" belongs to this workspace at provider @" STR_FMT
                      ".",
                      STR_ARG(str_head(name, 100)), STR_ARG(req->attempt.provider_slug));
}

enum step_result req_step_own(struct req *req)
{
    struct req_own *own = &req->own;
    if (req->surface != REQ_SURFACE_OP)
        return STEP_NEXT;
    if (req->attempt.call != NULL && req->attempt.target->override_json.n == 0) {
        /* What no translation takes (previous_response_id) is refused as such, whoever owns it. */
        enum step_result result = translate_read(req);
        if (result != STEP_NEXT)
            return result;
    }
    if (!own->collected) {
        own->collected = true;
        own->wait = (struct object_wait){.done = answered, .owner = req};
        own->timer = (struct loop_timer){.expired = look_again, .owner = req};
        enum status status = collect(req);
        if (status == ST_TOO_LARGE)
            return req_refuse(req, status, "The request quotes more than %d objects.",
                              OWN_NAMES_MAX);
        if (status != ST_OK)
            return req_refuse(req, status, "Not enough memory.");
    }
    for (; own->at < own->count; own->at++) {
        struct str name = own->names[own->at];
        if (!own->asked) {
            if (objects_known(&req->auth.workspace, &req->attempt.provider, name))
                continue;
            enum status status =
                mailbox_ask_object(req->worker, &req->auth.org, &req->auth.workspace,
                                   &req->attempt.provider, name, &own->wait);
            if (status != ST_OK)
                return refuse_object(req, name, status == ST_NOT_FOUND ? status : ST_CONTROL_AWAY);
            return STEP_WAIT;
        }
        if (own->wait.status != ST_OK)
            return refuse_object(req, name, own->wait.status);
        objects_learn(&req->auth.workspace, &req->attempt.provider, name);
        own->asked = own->second_look = false;
    }
    return STEP_NEXT;
}

void req_own_cancel(struct req *req)
{
    if (!req->own.collected)
        return;
    mailbox_object_cancel(&req->own.wait);
    loop_timer_clear(req->worker->loop, &req->own.timer);
}
