/* schema.h: sample JSON for a JSON schema, and which offered function the simulated model calls.
 * Pure. */
#ifndef SLUICE_TESTS_SIM_SCHEMA_H
#define SLUICE_TESTS_SIM_SCHEMA_H

#include "common/json_write.h"

/* Writes one value that fits the schema: strings are `text`, numbers the minimum or 1, booleans
 * true, the first of an enum or anyOf; every property is present; $ref to #/$defs and #/definitions
 * is followed. NULL writes {}. */
void schema_write_sample(struct json_writer *w, const struct json *schema, struct str text,
                         struct arena *arena);

/* The function object ({name, parameters}) to call, or NULL. It is called when tool_choice names it
 * or is "required", or when tool_choice is not "none", the last message is a user's, and a word (4
 * letters or more) of a function's name is in its text. Takes the chat shape (tools[].function) and
 * the responses shape (tools[]). */
const struct json *schema_pick_function(const struct json *root, bool last_is_user, struct str text,
                                        struct arena *arena);

#endif
