/* api_responses_stored.c: GET, DELETE responses/{id}, its input_items, and cancel.
 *
 * A background response is queued, then in progress, until --job-ms have passed, then done;
 * cancelled when that came first. Any other response is done from the start and cannot be
 * cancelled.
 */
#include "tests/sim/api.h"
#include "tests/sim/list.h"

static bool responses_is_background(const struct object *object)
{
    return object->name.n > 0;
}

static bool responses_is_running(const struct call *call, const struct object *object)
{
    return responses_is_background(object) && !object->cancelled &&
           list_age_ms(object) < call->sim->options.job_ms;
}

static void responses_show(struct call *call, const struct object *object)
{
    bool running = responses_is_running(call, object);
    buf_add_str(call->out, object->cancelled ? object->note
                           : running         ? object->name
                                             : object->text);
}

void api_responses_get(struct call *call)
{
    const struct object *object = list_find(call, OBJECT_RESPONSE, "Response");
    if (object != NULL)
        responses_show(call, object);
}

void api_responses_delete(struct call *call)
{
    struct object *object = list_find(call, OBJECT_RESPONSE, "Response");
    if (object == NULL)
        return;
    objects_remove(&call->sim->objects, object);
    list_write_deleted(call, "response");
}

void api_responses_cancel(struct call *call)
{
    struct object *object = list_find(call, OBJECT_RESPONSE, "Response");
    if (object == NULL)
        return;
    if (!responses_is_background(object)) {
        call_error(call, 400, NULL, NULL, "Cannot cancel a synchronous response.");
        return;
    }
    if (responses_is_running(call, object))
        object->cancelled = true;
    responses_show(call, object);
}

void api_responses_input_items(struct call *call)
{
    const struct object *object = list_find(call, OBJECT_RESPONSE, "Response");
    struct json *items = NULL;
    struct json_writer w;
    if (object == NULL || json_parse(call->arena, object->items, NULL, &items, NULL) != ST_OK)
        return;
    const struct json *last = items->count == 0 ? NULL : json_at(items, items->count - 1);
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_field_raw(&w, "data", items->raw);
    jw_field_str(&w, "first_id", call_text(call, json_at(items, 0), "id"));
    jw_field_str(&w, "last_id", call_text(call, last, "id"));
    jw_field_bool(&w, "has_more", false);
    jw_end(&w);
}
