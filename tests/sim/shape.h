/* shape.h: what a request body must look like, as tables, and the first thing in it that is wrong.
 * Pure.
 *
 * A provider refuses a body that does not fit with words of its own; so this file only finds the
 * place and the rule, and each API says it (struct shape_fault). A gateway that sends a member the
 * provider does not know is found out here.
 */
#ifndef SLUICE_TESTS_SIM_SHAPE_H
#define SLUICE_TESTS_SIM_SHAPE_H

#include "common/json_tree.h"

#define SHAPE_PATH_MAX 512
#define SHAPE_MICRO    1000000 /* bounds of numbers are in millionths */

enum shape_type {
    SHAPE_STRING = 1,
    SHAPE_INTEGER = 2,
    SHAPE_NUMBER = 4,
    SHAPE_BOOL = 8,
    SHAPE_OBJECT = 16,
    SHAPE_ARRAY = 32,
    SHAPE_NULL = 64,
    SHAPE_ANY = 127,
};

struct shape;

struct shape_field {
    const char *name;
    unsigned types; /* enum shape_type, or-ed */
    unsigned items; /* of an array's items; 0: not looked at */
    bool needed;
    int64_t min, max;    /* of a number in millionths, of a string's bytes, of an array's items;
                            both 0: no bound */
    const char *choices; /* "a|b": what a string may be; NULL: anything */
    const struct shape
        *shape; /* of an object, or of an array's items that are objects; NULL: any */
    bool map;   /* the names of the object are the caller's; each of its values has the shape */
};

struct shape_case {
    const char *value;
    const struct shape *shape;
};

/* The members of an object. With `tag` the string of that member picks one of `cases`, whose shape
 * holds for the whole object. */
struct shape {
    const struct shape_field *fields;
    size_t count;
    bool open;   /* members that are not listed may come */
    bool one_of; /* exactly one member must come */
    const char *tag;
    const char *tag_default; /* the case when the tag is absent; NULL: it must be there */
    const struct shape_case *cases;
    size_t case_count;
};

#define SHAPE_OF(list)                                                                             \
    {                                                                                              \
        .fields = (list), .count = COUNT_OF(list)                                                  \
    }
#define SHAPE_TAGGED(t, list)                                                                      \
    {                                                                                              \
        .tag = (t), .cases = (list), .case_count = COUNT_OF(list)                                  \
    }

/* Rows of a field table. */
#define SHAPE_TEXT(n, must)                                                                        \
    {                                                                                              \
        .name = (n), .types = SHAPE_STRING, .needed = (must)                                       \
    }
#define SHAPE_FLAG(n)                                                                              \
    {                                                                                              \
        .name = (n), .types = SHAPE_BOOL                                                           \
    }
#define SHAPE_ENUM(n, must, list)                                                                  \
    {                                                                                              \
        .name = (n), .types = SHAPE_STRING, .needed = (must), .choices = (list)                    \
    }
#define SHAPE_COUNT(n, must, lo, hi)                                                               \
    {                                                                                              \
        .name = (n), .types = SHAPE_INTEGER, .needed = (must), .min = (int64_t)(lo)*SHAPE_MICRO,   \
        .max = (int64_t)(hi)*SHAPE_MICRO                                                           \
    }
#define SHAPE_DECIMAL(n, lo, hi)                                                                   \
    {                                                                                              \
        .name = (n), .types = SHAPE_NUMBER, .min = (int64_t)(lo)*SHAPE_MICRO,                      \
        .max = (int64_t)(hi)*SHAPE_MICRO                                                           \
    }
#define SHAPE_MEMBERS(n, must, s)                                                                  \
    {                                                                                              \
        .name = (n), .types = SHAPE_OBJECT, .needed = (must), .shape = (s)                         \
    }
#define SHAPE_LIST(n, must, what, s)                                                               \
    {                                                                                              \
        .name = (n), .types = SHAPE_ARRAY, .items = (what), .needed = (must), .shape = (s)         \
    }

enum shape_rule {
    SHAPE_MISSING,
    SHAPE_UNKNOWN, /* a member that is not listed */
    SHAPE_WRONG_TYPE,
    SHAPE_TOO_SMALL, /* a number; a string or a list is TOO_SHORT, TOO_LONG */
    SHAPE_TOO_LARGE,
    SHAPE_TOO_SHORT,
    SHAPE_TOO_LONG,
    SHAPE_NO_CHOICE,
    SHAPE_NO_CASE, /* the tag's string names no case */
    SHAPE_NOT_ONE, /* none or several of the members of which one must come */
};

/* How an API writes a place. */
struct shape_style {
    bool brackets;       /* an item's place is [N], else .N */
    bool tags;           /* the case of a tagged object is part of the place */
    bool snake_or_camel; /* members may be written either way (proto3 JSON) */
};

struct shape_fault {
    enum shape_rule rule;
    char path[SHAPE_PATH_MAX];     /* of what is wrong; "" is the root */
    char name[SHAPE_PATH_MAX / 4]; /* its last member's name */
    const struct shape_field
        *field;                /* NULL for UNKNOWN and NO_CASE, and for an item of the wrong type */
    const struct shape *shape; /* of NO_CASE */
    unsigned types;            /* of WRONG_TYPE: what was expected */
    struct str found;          /* of NO_CHOICE and NO_CASE: the string that was found */
};

/* True: it fits. `root` must be an object; `arena` holds the fault's texts. */
MUST_USE bool shape_check(const struct json *root, const struct shape *shape,
                          const struct shape_style *style, struct arena *arena,
                          struct shape_fault *fault);

#endif
