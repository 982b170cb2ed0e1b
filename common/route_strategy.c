/* route_strategy.c: reads how a level chooses among its targets, and appends them.
 *
 * Invariant: a node that is no leaf has at least one target; `then` and `default` name targets of
 * the same level, by position from here on; a conditional's conditions stand together in their
 * table.
 */
#include "common/route_build.h"

static const char *const mode_names[] = {"", "single", "fallback", "loadbalance", "conditional"};
static const char *const names[] = {"mode", "on_status_codes", "conditions", "default"};
enum { MODE, CODES, CONDITIONS, DEFAULT, NAMES };

static enum status read_mode(struct route_build *b, struct str path, const struct json *value,
                             enum route_mode *mode)
{
    struct str text = STR_NONE;
    if (json_is(value, JSON_STRING))
        TRY(json_text(value, b->arena, &text));
    for (size_t i = ROUTE_SINGLE; i < COUNT_OF(mode_names); i++) {
        if (str_eq(text, str_c(mode_names[i]))) {
            *mode = (enum route_mode)i;
            return ST_OK;
        }
    }
    return route_refuse(b, path, "mode",
                        "must be \"single\", \"fallback\", \"loadbalance\" or \"conditional\"");
}

/* --- conditions --- */

/* Reads the targets' names once: conditions are looked up among them. n = 0: without one. */
static enum status read_names(struct route_build *b)
{
    struct str *list = arena_calloc(b->arena, b->level.targets->count, sizeof *list);
    size_t at = 0;
    if (list == NULL)
        return ST_NO_MEMORY;
    b->level.names = list;
    for (const struct json *target = b->level.targets->first; target != NULL;
         target = target->next, at++) {
        const struct json *value = json_get(target, "name");
        if (json_is(value, JSON_STRING))
            TRY(json_text(value, b->arena, &list[at]));
        for (size_t i = 0; i < at && list[at].n > 0; i++)
            if (str_eq(list[i], list[at]))
                return route_refuse(b, b->level.path, "targets",
                                    "two targets of a conditional have the same name");
    }
    return ST_OK;
}

/* The target that `value` names, as a position among the level's targets. */
static enum status find_target(struct route_build *b, struct str path, const char *member,
                               const struct json *value, uint16_t *position)
{
    struct str wanted = STR_NONE;
    if (json_is(value, JSON_STRING))
        TRY(json_text(value, b->arena, &wanted));
    if (wanted.n == 0)
        return route_refuse(b, path, member, "must be the name of a target");
    for (uint16_t at = 0; at < b->level.targets->count; at++) {
        if (str_eq(b->level.names[at], wanted)) {
            *position = at;
            return ST_OK;
        }
    }
    struct str shown = route_shown(b->arena, wanted), rule;
    rule = arena_printf(b->arena, "no target of this level has the name \"" STR_FMT "\"",
                        STR_ARG(shown));
    return shown.p == NULL || rule.p == NULL ? ST_NO_MEMORY : route_refuse(b, path, member, rule.p);
}

static enum status read_condition(struct route_build *b, const struct route_node *node,
                                  struct str path, const struct json *item)
{
    static const char *const members[] = {"query", "then"};
    const struct json *given[COUNT_OF(members)];
    struct route_condition condition;
    uint16_t position = 0;
    if (!json_is(item, JSON_OBJECT))
        return route_refuse(b, path, NULL, "must be an object");
    TRY(route_pick(b, path, item, members, COUNT_OF(members), given));
    if (!json_is(given[0], JSON_OBJECT))
        return route_refuse(b, path, members[0], "must be an object");
    struct str query = route_member_path(b, path, members[0]);
    if (query.p == NULL)
        return ST_NO_MEMORY;
    TRY(route_read_query(b, query, given[0], &condition.term));
    TRY(find_target(b, path, members[1], given[1], &position));
    condition.node = (uint16_t)(node->first + position);
    buf_add(&b->conditions, &condition, sizeof condition);
    return ST_OK;
}

static enum status read_conditions(struct route_build *b, struct route_node *node, struct str path,
                                   const struct json *const given[NAMES])
{
    const struct json *list = given[CONDITIONS];
    struct str member = route_member_path(b, path, names[CONDITIONS]);
    uint16_t position = 0;
    size_t index = 0;
    if (member.p == NULL)
        return ST_NO_MEMORY;
    if (!json_is(list, JSON_ARRAY) || list->count == 0 || list->count > ROUTE_CONDITIONS_MAX)
        return route_refuse(b, member, NULL, "must be an array of 1 to 256 conditions");
    TRY(read_names(b));
    node->first_condition = (uint16_t)(b->conditions.n / sizeof(struct route_condition));
    node->conditions = (uint16_t)list->count;
    for (const struct json *item = list->first; item != NULL; item = item->next) {
        struct str at = route_item_path(b, member, index++);
        if (at.p == NULL)
            return ST_NO_MEMORY;
        TRY(read_condition(b, node, at, item));
    }
    if (given[DEFAULT] == NULL)
        return ST_OK;
    TRY(find_target(b, path, names[DEFAULT], given[DEFAULT], &position));
    node->otherwise = (uint16_t)(node->first + position);
    return ST_OK;
}

/* --- the strategy --- */

/* What a mode does not look at is said. */
static void warn_unused(struct route_build *b, struct str path, enum route_mode mode,
                        const struct json *const given[NAMES])
{
    if (given[CODES] != NULL && mode != ROUTE_FALLBACK)
        route_warn(b, path, names[CODES], "has an effect only with mode \"fallback\"");
    for (size_t i = CONDITIONS; i <= DEFAULT; i++)
        if (given[i] != NULL && mode != ROUTE_CONDITIONAL)
            route_warn(b, path, names[i], "has an effect only with mode \"conditional\"");
    if (mode == ROUTE_SINGLE && b->level.targets != NULL && b->level.targets->count > 1)
        route_warn(b, b->level.path, "targets",
                   "only the first is used, because the mode is single");
}

static enum status append_targets(struct route_build *b, const struct route_node *node,
                                  size_t index)
{
    size_t at = 0;
    for (const struct json *target = b->level.targets->first; target != NULL;
         target = target->next) {
        struct route_node child = {.parent = (uint16_t)index,
                                   .otherwise = ROUTE_NONE,
                                   .depth = (uint8_t)(node->depth + 1),
                                   .weight = ROUTE_WEIGHT_ONE,
                                   .model = node->model,
                                   .set = node->set};
        struct str path =
            arena_printf(b->arena, STR_FMT ".targets[%zu]", STR_ARG(b->level.path), at++);
        if (path.p == NULL)
            return ST_NO_MEMORY;
        child.path = route_text(b, path);
        buf_add(&b->nodes, &child, sizeof child);
        buf_add(&b->sources, &target, sizeof target);
    }
    return ST_OK;
}

static enum status check_targets(struct route_build *b, const struct route_node *node)
{
    const struct json *targets = b->level.targets;
    if (!json_is(targets, JSON_ARRAY) || targets->count == 0)
        return route_refuse(b, b->level.path, "targets", "must be an array that is not empty");
    if (node->depth == ROUTE_DEPTH_MAX)
        return route_refuse(b, b->level.path, "targets", "are nested too deeply (8 levels)");
    if (targets->count > ROUTE_NODES_MAX - b->nodes.n / sizeof(struct route_node))
        return route_refuse(b, b->level.path, "targets", "are too many (256 levels in all)");
    return ST_OK;
}

enum status route_read_strategy(struct route_build *b, struct route_node *node, size_t index)
{
    const struct json *given[NAMES] = {NULL};
    enum route_mode mode = ROUTE_SINGLE;
    struct str path = route_member_path(b, b->level.path, "strategy");
    if (path.p == NULL)
        return ST_NO_MEMORY;
    if (b->level.strategy != NULL) {
        if (!json_is(b->level.strategy, JSON_OBJECT))
            return route_refuse(b, path, NULL, "must be an object");
        TRY(route_pick(b, path, b->level.strategy, names, NAMES, given));
        TRY(read_mode(b, path, given[MODE], &mode));
    }
    warn_unused(b, path, mode, given);
    if (b->level.targets == NULL)
        return mode == ROUTE_SINGLE
                   ? ST_OK
                   : route_refuse(b, b->level.path, "targets", "is required by this strategy");
    TRY(check_targets(b, node));
    node->mode = (uint8_t)mode;
    node->first = (uint16_t)(b->nodes.n / sizeof *node);
    node->count = (uint16_t)b->level.targets->count;
    if (mode == ROUTE_FALLBACK && given[CODES] != NULL) {
        TRY(route_read_codes(b, path, names[CODES], given[CODES], &node->fallback_codes));
        node->flags |= ROUTE_HAS_CODES;
    }
    if (mode == ROUTE_CONDITIONAL)
        TRY(read_conditions(b, node, path, given));
    return append_targets(b, node, index);
}
