/* list.c: see list.h. Pages are cut by id, as at OpenAI: `after` names the last object of the page
 * before.
 *
 * Objects may come and go between two pages; an `after` that has gone is an error, because guessing
 * a place would hide a gateway that lost it.
 */
#include "tests/sim/list.h"

#include "common/clock.h"

/* The object behind `at` (NULL: the first) in the wanted order. */
static struct object *list_next(const struct objects *objects, enum object_kind kind,
                                bool ascending, const struct object *at)
{
    if (at == NULL)
        return ascending ? objects->oldest[kind] : objects->newest[kind];
    return ascending ? at->newer : at->older;
}

static void list_write_edge(struct json_writer *w, const char *name, const struct object *object)
{
    if (object == NULL)
        jw_field_cstr(w, name, NULL);
    else
        jw_field_str(w, name, object->id);
}

void list_write(struct call *call, enum object_kind kind, struct str note, uint64_t otherwise,
                uint64_t max, list_write_fn *write)
{
    const struct objects *objects = &call->sim->objects;
    struct str after = call_query(call, "after");
    bool ascending = str_eq(call_query(call, "order"), STR("asc"));
    uint64_t limit = otherwise, written = 0;
    const struct object *at = NULL, *first = NULL, *last = NULL;
    struct json_writer w;
    if (call_query(call, "limit").p != NULL &&
        (str_to_u64(call_query(call, "limit"), &limit) != ST_OK || limit < 1 || limit > max)) {
        call_error(call, 400, "invalid_value", "limit",
                   "Invalid 'limit': expected an integer from 1 to %llu.", (unsigned long long)max);
        return;
    }
    if (after.n > 0 && (at = objects_find(objects, kind, after)) == NULL) {
        call_error(call, 404, NULL, "after", "No such object: " STR_FMT,
                   STR_ARG(str_head(after, 200)));
        return;
    }
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_cstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_array(&w);
    bool more = false;
    while ((at = list_next(objects, kind, ascending, at)) != NULL) {
        if (note.p != NULL && !str_eq(note, at->note))
            continue;
        more = written == limit;
        if (more)
            break;
        write(call, &w, at);
        first = first == NULL ? at : first;
        last = at;
        written++;
    }
    jw_end(&w);
    list_write_edge(&w, "first_id", first);
    list_write_edge(&w, "last_id", last);
    jw_field_bool(&w, "has_more", more);
    jw_end(&w);
}

struct object *list_find(struct call *call, enum object_kind kind, const char *what)
{
    struct object *object = objects_find(&call->sim->objects, kind, call->id);
    if (object == NULL)
        call_no_object(call, what);
    return object;
}

int64_t list_age_ms(const struct object *object)
{
    return clock_mono_ms() - object->born_ms;
}

void list_write_deleted(struct call *call, const char *object)
{
    struct json_writer w;
    jw_init(&w, call->out);
    jw_object(&w);
    jw_field_str(&w, "id", call->id);
    jw_field_cstr(&w, "object", object);
    jw_field_bool(&w, "deleted", true);
    jw_end(&w);
}
