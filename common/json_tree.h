/* json_tree.h: a parsed JSON document as arena nodes that point into the text.
 *
 * The text and the arena outlive the tree; nothing is freed singly. Numbers stay text (raw).
 * Strings are unescaped on demand. Rules of refusal as in json_scan.h; here duplicates are refused
 * in every object.
 */
#ifndef SLUICE_COMMON_JSON_TREE_H
#define SLUICE_COMMON_JSON_TREE_H

#include "common/arena.h"
#include "common/json_scan.h"

struct json {
    enum json_type type;
    bool escaped;   /* a string with a backslash */
    uint32_t count; /* items or members */
    struct str raw; /* exact text of the value; strings with their quotes */
    struct str key; /* member name, unescaped; p = NULL for array items and the root */
    struct json *first, *next;
};

struct json_limits {
    size_t max_nodes; /* 0: 100,000 */
    size_t max_depth; /* 0: JSON_MAX_DEPTH */
};

/* ST_BAD_JSON, ST_TOO_LARGE, ST_NO_MEMORY. `limits` and `error` may be NULL. */
MUST_USE enum status json_parse(struct arena *arena, struct str text,
                                const struct json_limits *limits, struct json **root,
                                struct json_error *error);

/* Member by name, or NULL (also when `node` is NULL or no object). */
const struct json *json_get(const struct json *node, const char *name);
const struct json *json_get_str(const struct json *node, struct str name);
/* Item by position, or NULL. */
const struct json *json_at(const struct json *node, size_t index);

/* True if the node exists and is of that type. */
static inline bool json_is(const struct json *node, enum json_type type)
{
    return node != NULL && node->type == type;
}
bool json_is_bool(const struct json *node);
/* True if absent or JSON null. */
bool json_is_none(const struct json *node);

/* Unescaped text of a string; borrows from the document where it can. ST_INVALID if not a string,
 * ST_NO_MEMORY. */
MUST_USE enum status json_text(const struct json *node, struct arena *arena, struct str *text);
/* Whole numbers (also 1e2, 100.0: any spelling of an integer that fits). ST_INVALID, ST_RANGE. */
MUST_USE enum status json_i64(const struct json *node, int64_t *value);
MUST_USE enum status json_u64(const struct json *node, uint64_t *value);
MUST_USE enum status json_bool(const struct json *node, bool *value);
/* A decimal number scaled by 10^digits, exactly, no floating point: ("0.15", 9) -> 150000000.
 * ST_RANGE if it does not fit; digits beyond the scale are rounded up (towards +infinity) when
 * `round_up`, else ST_RANGE. */
MUST_USE enum status json_decimal(const struct json *node, unsigned digits, bool round_up,
                                  int64_t *value);

#endif
