/* list.h: OpenAI's list objects over the store: limit, after, order. */
#ifndef SLUICE_TESTS_SIM_LIST_H
#define SLUICE_TESTS_SIM_LIST_H

#include "tests/sim/call.h"

/* How an API shows an object of the store. */
typedef void list_write_fn(struct call *call, struct json_writer *w, const struct object *object);

/* Writes the list of all objects of a kind; `note` p = NULL: all, else those with this note. Query
 * parameters limit (1 to `max`, default `otherwise`), after (an id) and order (desc unless asc). An
 * unknown `after` is 404. */
void list_write(struct call *call, enum object_kind kind, struct str note, uint64_t otherwise,
                uint64_t max, list_write_fn *write);

/* The object that the path names; NULL: 404 is the outcome. `what` for the message. */
struct object *list_find(struct call *call, enum object_kind kind, const char *what);
/* Milliseconds since it was made. */
int64_t list_age_ms(const struct object *object);
/* {"id":..,"object":..,"deleted":true} */
void list_write_deleted(struct call *call, const char *object);

#endif
