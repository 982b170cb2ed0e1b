/* fields.h: what a body may hold, as a table: wire name, kind, and the protobuf field it becomes.
 *
 * One table per resource serves create, update, read and the API description. Updates are
 * three-state: an absent member keeps, null clears, a value replaces. JSON that clients must read
 * back as they sent it (limits, metadata, configurations) is kept as text; only whole numbers in
 * limits are rewritten ("100.0" -> "100"), because some clients read them as integers. Unknown
 * members are ignored, as clients send noise. Pure over the call; everything new is in the call's
 * arena.
 */
#ifndef SLUICE_CONTROL_API_FIELDS_H
#define SLUICE_CONTROL_API_FIELDS_H

#include "control-plane/api/call.h"

#define FIELDS_OBJECT_MAX (1u << 20) /* bytes of an object that is kept as text */

enum field_kind {
    FIELD_TEXT,   /* string of `min` to `max` characters */
    FIELD_BOOL,   /* true, false, 0, 1 */
    FIELD_OBJECT, /* any object, kept as text */
    FIELD_USAGE,  /* usage limits: an object (FIELD_SINGLE) or an array of them */
    FIELD_RATES,  /* rate limits: an array; a single object is taken as one */
    FIELD_TIME,   /* RFC 3339 -> int64 milliseconds */
    FIELD_TEXTS,  /* array of strings -> repeated string */
    FIELD_OTHER,  /* read by the handler itself; here for the description */
};

enum field_flag {
    FIELD_REQUIRED = 1, /* on create; never null */
    FIELD_FIXED = 2,    /* only on create; ignored afterwards */
    FIELD_OUT = 4,      /* fields_write writes it; an empty value as null */
    FIELD_TEXT_OUT = 8, /* with FIELD_OUT: an empty text as "" */
    FIELD_SINGLE = 16,  /* of FIELD_USAGE: one object, not an array */
    FIELD_LIST_OUT = 32, /* with FIELD_OUT: empty rates as [] */
    FIELD_ABSENT = 64    /* with FIELD_OUT: not written at all while empty */
};

struct field {
    const char *name;
    enum field_kind kind;
    unsigned flags;
    size_t offset; /* of the member in the message; of n_<name> for FIELD_TEXTS */
    size_t min, max;
};

struct field_set {
    const char *name;
    const struct field *rows;
    size_t count;
};

/* The tables of fields.def. NONE: no body is read. */
#define FIELD_SET(name) extern const struct field_set api_fields_##name;
#include "control-plane/api/fields.def"
#undef FIELD_SET

/* Handlers of routes.def: one per row, in the api file of its resource. */
#define ROUTE(method, path, scope, who, people, fields, handler)                                   \
    enum status api_##handler(struct api_call *call);
#include "control-plane/routes.def"
#undef ROUTE

#define FIELD_AT(type, member) offsetof(type, member)

/* Reads the call's body into `message` (a protobuf-c struct). `creating`: required members must be
 * there, fixed ones are read. ST_INVALID with a message that names the member; ST_NO_MEMORY. The
 * message may be half changed on failure: drop it. */
MUST_USE enum status fields_read(struct api_call *call, const struct field_set *set, void *message,
                                 bool creating);

/* As fields_read with one object inside the body in its place. */
MUST_USE enum status fields_read_item(struct api_call *call, const struct json *item,
                                      const struct field_set *set, void *message, bool creating);

/* Writes the FIELD_OUT rows as members of the object that is open. */
void fields_write(struct json_writer *w, const struct field_set *set, const void *message);

/* Merges the members of `patch` into the object `old` (text; "" for none): null removes. gives the
 * new text, "" when nothing is left. ST_INVALID: `patch` is no object. ST_NO_MEMORY, ST_TOO_LARGE.
 */
MUST_USE enum status fields_merge(struct arena *arena, struct str old, const struct json *patch,
                                  struct str *merged);

/* Ends the text of a buf into the arena as a C string; wipes and frees the buf. ST_NO_MEMORY,
 * ST_TOO_LARGE. */
MUST_USE enum status fields_take(struct arena *arena, struct buf *buf, char **text);

#endif
