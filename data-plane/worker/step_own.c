/* step_own.c: every object the request names, in its path or its body, must be this workspace's own.
 *
 *   path {id}; body input_file_id, training_file, validation_file, previous_response_id
 *
 * Asked one after the other; a negative answer is asked once more after a moment, because the event that made the object may still be on its
 * way from another worker's slot to the courier. Then: 404, in the same words for "not yours" and "does not exist".
 */
#include "data-plane/worker/objects.h"

#define SECOND_LOOK_MS 150

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

static void add_name(struct req *req, struct str name)
{
    struct req_own *own = &req->own;
    if (own->count < COUNT_OF(own->names) && name.n > 0)
        own->names[own->count++] = name;
}

static void collect(struct req *req)
{
    struct json_field fields[] = {{.name = "input_file_id"}, {.name = "training_file"}, {.name = "validation_file"},
                                  {.name = "previous_response_id"}};
    add_name(req, req->object_id);
    if (op_row(req->op)->body != OP_BODY_JSON || req->body.mem.n == 0 ||
        json_scan_object(buf_str(&req->body.mem), fields, COUNT_OF(fields), NULL) != ST_OK)
        return;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct str text;
        char *room;
        if (fields[i].raw.p == NULL || fields[i].type != JSON_STRING)
            continue;
        room = arena_alloc(&req->arena, fields[i].raw.n);
        if (room != NULL && json_unescape(fields[i].raw, room, &text) == ST_OK)
            add_name(req, arena_str(&req->arena, text));
    }
}

static enum step_result refuse_object(struct req *req, struct str name, enum status status)
{
    if (status == ST_CONTROL_AWAY)
        return req_refuse(req, status,
                          "Whether \"" STR_FMT "\" belongs to this workspace cannot be told while the control plane is away.",
                          STR_ARG(str_head(name, 100)));
    return req_refuse(req, ST_NOT_FOUND, "No object \"" STR_FMT "\" belongs to this workspace at provider @" STR_FMT ".",
                      STR_ARG(str_head(name, 100)), STR_ARG(req->attempt.provider_slug));
}

enum step_result req_step_own(struct req *req)
{
    struct req_own *own = &req->own;
    if (req->surface != REQ_SURFACE_OP)
        return STEP_NEXT;
    if (!own->collected) {
        own->collected = true;
        own->wait = (struct object_wait){.done = answered, .owner = req};
        own->timer = (struct loop_timer){.expired = look_again, .owner = req};
        collect(req);
    }
    for (; own->at < own->count; own->at++) {
        struct str name = own->names[own->at];
        if (!own->asked) {
            if (objects_known(&req->auth.workspace, &req->attempt.provider, name))
                continue;
            enum status status = mailbox_ask_object(req->worker, &req->auth.org, &req->auth.workspace,
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
