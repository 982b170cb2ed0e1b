/* schema.h: sample JSON for a JSON schema. Pure. */
#ifndef SLUICE_TESTS_SIM_SCHEMA_H
#define SLUICE_TESTS_SIM_SCHEMA_H

#include "common/json_write.h"

/* Writes one value that fits the schema: strings are `text`, numbers the minimum or 1, booleans
 * true, the first of an enum or anyOf; every property is present; $ref to #/$defs and #/definitions
 * is followed. NULL writes {}. */
void schema_write_sample(struct json_writer *w, const struct json *schema, struct str text,
                         struct arena *arena);

#endif
