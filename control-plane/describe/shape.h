/* shape.h: the notation in which describe.def and shapes.def say what JSON looks like.
 *
 *   items   item, item, ...
 *   item    name: type     a member that is always there
 *           name?: type    one that may be absent
 *           ...shape       the members of another shape
 *           @fields        what the field table of that name writes (fields.h, FIELD_OUT)
 *           *              further members of any kind
 *   type    word           id text int num bool time any object, or the name of a shape
 *           'a'|'b'        one of these texts
 *           [type]         array      {type}  object with any names
 *           <type>         a page: {"object":"list","data":[type],"total":int}
 *           type?          or null
 *
 * The texts are ours, so what is not in this notation is CHECKed; a test reads all of them. Writes
 * JSON Schema 2020-12 as OpenAPI 3.1 has it. Pure.
 */
#ifndef SLUICE_CONTROL_DESCRIBE_SHAPE_H
#define SLUICE_CONTROL_DESCRIBE_SHAPE_H

#include "common/json_write.h"
#include "control-plane/api/fields.h"

struct shape {
    const char *name, *items;
};

/* shapes.def by position; NULL behind the last. */
const struct shape *shape_at(size_t index);
/* NULL: no such shape. */
const struct shape *shape_find(struct str name);
/* A field table by its name in fields.def; NULL: none. */
const struct field_set *shape_fields(struct str name);

enum shape_item_kind { SHAPE_MEMBER, SHAPE_SPREAD, SHAPE_FIELDS, SHAPE_OPEN };

struct shape_item {
    enum shape_item_kind kind;
    struct str name; /* of the member, shape or table */
    bool optional;
    struct str type;
};

/* Takes the next item off `items`; false at the end. */
bool shape_next(struct str *items, struct shape_item *item);

/* Writes the schema of a type as one value. */
void shape_write_type(struct json_writer *w, struct str type);
/* Writes the schema of an object with these items as one value; closed unless they hold '*'. */
void shape_write_object(struct json_writer *w, struct str items);
/* The schema of a field's value: as an answer has it, or as a body may have it. CHECKs that it is
 * not FIELD_OTHER. */
void shape_write_field(struct json_writer *w, const struct field *field, bool answer);

#endif
