/* objects.c: see objects.h. One doubly linked list per kind, newest first; lookups walk it.
 *
 * Dropping an object closes its file. Nobody keeps a pointer to an object over a turn of the loop,
 * except a download, which holds its own descriptor (dup), so a file may be deleted while it is
 * read.
 */
#include "tests/sim/objects.h"

#include "common/clock.h"

#include <stdlib.h>
#include <unistd.h>

void object_set(struct str *member, struct str text)
{
    char *copy = malloc(text.n + 1);
    CHECK(copy != NULL);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    free((void *)(uintptr_t)member->p);
    *member = str_of(copy, text.n);
}

static void object_free_text(struct str *member)
{
    free((void *)(uintptr_t)member->p);
    *member = STR_NONE;
}

struct object *objects_add(struct objects *objects, enum object_kind kind, struct str id)
{
    if (objects->count[kind] == OBJECTS_MAX)
        objects_remove(objects, objects->oldest[kind]);
    struct object *object = calloc(1, sizeof *object);
    if (object == NULL)
        return NULL;
    object->kind = kind;
    object->fd = -1;
    object->created_s = clock_wall_ms() / 1000;
    object->born_ms = clock_mono_ms();
    object_set(&object->id, id);
    object->older = objects->newest[kind];
    if (object->older != NULL)
        object->older->newer = object;
    else
        objects->oldest[kind] = object;
    objects->newest[kind] = object;
    objects->count[kind]++;
    return object;
}

struct object *objects_find(const struct objects *objects, enum object_kind kind, struct str id)
{
    struct object *object = objects->newest[kind];
    while (object != NULL && !str_eq(object->id, id))
        object = object->older;
    return object;
}

void objects_remove(struct objects *objects, struct object *object)
{
    if (object->newer != NULL)
        object->newer->older = object->older;
    else
        objects->newest[object->kind] = object->older;
    if (object->older != NULL)
        object->older->newer = object->newer;
    else
        objects->oldest[object->kind] = object->newer;
    objects->count[object->kind]--;
    object_free_text(&object->id);
    object_free_text(&object->name);
    object_free_text(&object->note);
    object_free_text(&object->text);
    object_free_text(&object->items);
    if (object->fd >= 0)
        close(object->fd);
    free(object);
}

void objects_reset(struct objects *objects)
{
    for (int kind = 0; kind < OBJECT_KINDS; kind++) {
        while (objects->newest[kind] != NULL)
            objects_remove(objects, objects->newest[kind]);
    }
}
