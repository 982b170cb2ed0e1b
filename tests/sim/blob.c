/* blob.c: see blob.h. */
#include "tests/sim/blob.h"

#include "common/clock.h"

struct object *blob_find(struct sim *sim, enum object_kind kind, struct str id)
{
    struct object *object = objects_find(&sim->objects, kind, id);
    return object == NULL || object->shown_ms > clock_mono_ms() ? NULL : object;
}

struct object *blob_put_later(struct sim *sim, enum object_kind kind, struct str id,
                              struct str content, int64_t shown_ms)
{
    struct object *object = objects_find(&sim->objects, kind, id);
    if (object == NULL)
        object = objects_add(&sim->objects, kind, id);
    if (object == NULL)
        return NULL;
    object_set(&object->text, content);
    object->shown_ms = shown_ms;
    object->created_s = sim_now_s();
    return object;
}

struct object *blob_put(struct sim *sim, enum object_kind kind, struct str id, struct str content)
{
    return blob_put_later(sim, kind, id, content, 0);
}

struct str blob_of_uri(struct str uri)
{
    return str_starts(uri, STR("s3://")) || str_starts(uri, STR("gs://")) ? str_from(uri, 5)
                                                                          : STR_NONE;
}
