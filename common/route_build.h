/* route_build.h: a plan in the making; private to route_doc*.c (route_plan.c has the layout).
 *
 * One compilation: the sections grow in bufs of their own and are put together at the end
 * (route_doc.c). Whoever began it frees them. A failed append shows when they are put together.
 * Paths name places of the document as a reader of it would: "config.targets[1].retry".
 */
#ifndef SLUICE_COMMON_ROUTE_BUILD_H
#define SLUICE_COMMON_ROUTE_BUILD_H

#include "common/buf.h"
#include "common/json_tree.h"
#include "common/route_doc.h"
#include "common/route_plan.h"

#define ROUTE_PLAN_MAGIC 0x504C4E31u
#define ROUTE_TEXT_MAX   2048u

struct route_layout {
    size_t nodes, conditions, terms, paths, words, text, end; /* offsets */
};
void route_plan_layout(const struct route_head *head, struct route_layout *layout);

/* The level that is being read. */
struct route_level {
    struct str path;
    enum route_mode above; /* of its parent; ROUTE_LEAF at the root */
    bool has_weight, has_provider, has_virtual_key;
    const struct json *strategy, *targets; /* NULL: not given */
    const struct json *source;
    const struct str *names; /* of the targets, for conditions; arena */
    struct buf options; /* the members of node.options */
    size_t option_count;
};

struct route_build {
    struct arena *arena;
    unsigned flags; /* ROUTE_DOC_* */
    struct buf nodes, sources, conditions, terms, paths, words, text, guards, warnings;
    size_t warning_count;
    struct route_level level;
    struct str why;
};

/* Fixes why the document is refused: "path.member: rule". member may be NULL. Always ST_INVALID. */
enum status route_refuse(struct route_build *b, struct str path, const char *member,
                         const char *rule);
/* Adds "path.member: sentence" to the warnings, up to ROUTE_DOC_WARNINGS_MAX. */
void route_warn(struct route_build *b, struct str path, const char *member, const char *sentence);
/* The path of a member or item, in the arena. p = NULL without memory. */
struct str route_member_path(struct route_build *b, struct str path, const char *member);
struct str route_item_path(struct route_build *b, struct str path, size_t index);
/* copies text into the plan. */
struct route_ref route_text(struct route_build *b, struct str text);

/* True if `key` of a document is `snake`, or its camelCase spelling. */
bool route_key_is(struct str key, struct str snake);
/* A key for people: at most 64 bytes, nothing unprintable. */
struct str route_shown(struct arena *arena, struct str key);

/* Finds the members `names` of `object` in either spelling: values[i], NULL if absent or null.
 * Others are warned of, a key given in both spellings is refused. ST_INVALID, ST_NO_MEMORY. */
MUST_USE enum status route_pick(struct route_build *b, struct str path, const struct json *object,
                                const char *const *names, size_t count, const struct json **values);

/* Readers of one key of a level, named in route_keys.def; `name` is the canonical one. ST_OK,
 * ST_INVALID, ST_NO_MEMORY. */
#define ROUTE_KEY(name, read)                                                                      \
    enum status route_key_##read(struct route_build *b, struct route_node *node, const char *key,  \
                                 const struct json *value);
#include "common/route_keys.def"
#undef ROUTE_KEY

/* Reads the level at `index`; its targets are appended to the nodes. */
MUST_USE enum status route_read_level(struct route_build *b, struct route_node *node, size_t index,
                                      const struct json *source);
/* A string of 1..ROUTE_TEXT_MAX bytes without control characters. */
MUST_USE enum status route_read_text(struct route_build *b, const char *key,
                                     const struct json *value, struct str *text);
/* A list of HTTP statuses. */
MUST_USE enum status route_read_codes(struct route_build *b, struct str path, const char *member,
                                      const struct json *value, struct route_codes *codes);
/* strategy and targets of the level; its targets are appended to the nodes. */
MUST_USE enum status route_read_strategy(struct route_build *b, struct route_node *node,
                                         size_t index);
/* One query object; its term is appended. */
MUST_USE enum status route_read_query(struct route_build *b, struct str path,
                                      const struct json *query, uint16_t *term);

#endif
