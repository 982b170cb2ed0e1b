/* route_walk.c: walks a plan down to a leaf and, with an outcome, up again (route_walk.h).
 *
 *            fallback                first: down to a
 *           /        \               a failed: up to the loadbalance, which hands it on;
 *     loadbalance     c                        up to the fallback, which goes down to c
 *      /      \
 *     a        b
 *
 * Invariant: the place in the plan is the whole state: a fallback's next target is the sibling
 * behind the one the outcome came from, so every leaf is tried at most once and every walk ends.
 */
#include "data-plane/route_walk.h"

#define STATUS_NO_MATCH 400

enum status route_walk_begin(struct route_walk *walk, const struct route_plan *plan,
                             struct arena *arena, const struct route_inputs *inputs)
{
    struct route_query query;
    uint16_t *chosen = arena_alloc(arena, plan->head->nodes * sizeof *chosen);
    if (chosen == NULL)
        return ST_NO_MEMORY;
    CHECK(plan->head->nodes > 0);
    route_query_init(&query, plan, arena, inputs);
    for (size_t i = 0; i < plan->head->nodes; i++) {
        const struct route_node *node = &plan->nodes[i];
        chosen[i] = node->otherwise;
        for (size_t k = 0; k < node->conditions && node->mode == ROUTE_CONDITIONAL; k++) {
            const struct route_condition *condition = &plan->conditions[node->first_condition + k];
            bool holds;
            TRY(route_query_holds(&query, condition->term, &holds));
            if (holds) {
                chosen[i] = condition->node;
                break;
            }
        }
    }
    *walk = (struct route_walk){.plan = plan, .chosen = chosen, .at = ROUTE_NONE};
    return ST_OK;
}

/* --- down --- */

/* Some leaf below can be reached that is not cooled. Children stand behind their parents, so this
 * ends. */
static bool is_open(const struct route_walk *walk, const struct route_eyes *eyes, size_t at)
{
    const struct route_node *node = &walk->plan->nodes[at];
    if (node->mode == ROUTE_LEAF)
        return walk->ignore_cooled || eyes->is_cooled == NULL || !eyes->is_cooled(eyes->arg, at);
    if (node->mode == ROUTE_CONDITIONAL)
        return walk->chosen[at] != ROUTE_NONE && is_open(walk, eyes, walk->chosen[at]);
    size_t count = node->mode == ROUTE_SINGLE ? 1 : node->count;
    for (size_t i = node->first; i < node->first + count; i++) {
        bool drawn = node->mode != ROUTE_LOADBALANCE || walk->plan->nodes[i].weight > 0;
        if (drawn && is_open(walk, eyes, i))
            return true;
    }
    return false;
}

/* One draw among the targets with a weight that are open; all with a weight if none is. */
static size_t draw(const struct route_walk *walk, const struct route_eyes *eyes, size_t at)
{
    const struct route_node *nodes = walk->plan->nodes, *node = &nodes[at];
    uint64_t weights[ROUTE_NODES_MAX], sum = 0;
    bool any = !is_open(walk, eyes, at);
    for (size_t i = 0; i < node->count; i++) {
        const struct route_node *target = &nodes[node->first + i];
        bool taken = target->weight > 0 && (any || is_open(walk, eyes, node->first + i));
        weights[i] = taken ? (uint64_t)target->weight : 0;
        sum += weights[i];
    }
    if (sum == 0)
        return node->first; /* a damaged plan; one that was compiled has a weight */
    uint64_t rest = eyes->random(eyes->arg) % sum;
    size_t i = 0;
    while (rest >= weights[i])
        rest -= weights[i++];
    return node->first + i;
}

static size_t first_open(const struct route_walk *walk, const struct route_eyes *eyes, size_t from,
                         size_t end)
{
    while (from < end && !is_open(walk, eyes, from))
        from++;
    return from;
}

static enum route_step down(struct route_walk *walk, const struct route_eyes *eyes, size_t at,
                            size_t *leaf)
{
    for (;;) {
        const struct route_node *node = &walk->plan->nodes[at];
        size_t end = (size_t)node->first + node->count, open;
        walk->at = (uint16_t)at;
        switch (node->mode) {
        case ROUTE_LEAF:
            *leaf = at;
            return ROUTE_WALK_LEAF;
        case ROUTE_SINGLE:
            at = node->first;
            break;
        case ROUTE_LOADBALANCE:
            at = draw(walk, eyes, at);
            break;
        case ROUTE_CONDITIONAL:
            if (walk->chosen[at] == ROUTE_NONE)
                return ROUTE_WALK_NO_MATCH;
            at = walk->chosen[at];
            break;
        default:
            open = first_open(walk, eyes, node->first, end);
            at = open < end ? open : node->first;
        }
    }
}

enum route_step route_walk_first(struct route_walk *walk, const struct route_eyes *eyes,
                                 size_t *leaf)
{
    walk->ignore_cooled = false;
    walk->ignore_cooled = !is_open(walk, eyes, 0);
    enum route_step step = down(walk, eyes, 0, leaf);
    if (step != ROUTE_WALK_NO_MATCH)
        return step;
    /* A conditional below a fallback that leads nowhere is a target that failed. */
    step = route_walk_next(walk, eyes, (struct route_outcome){STATUS_NO_MATCH, false}, leaf);
    return step == ROUTE_WALK_END ? ROUTE_WALK_NO_MATCH : step;
}

/* --- up --- */

/* A list names the statuses that fall on. What came from no provider counts as each of the statuses
 * that gateways give it, so that a list made for one of them holds here too. */
static bool falls_on(const struct route_node *node, struct route_outcome outcome)
{
    static const int no_answer[] = {500, 502, 503, 504};
    if ((node->flags & ROUTE_HAS_CODES) == 0)
        return outcome.http_status < 200 || outcome.http_status > 299;
    bool listed = route_codes_has(&node->fallback_codes, outcome.http_status);
    for (size_t i = 0; outcome.no_answer && i < COUNT_OF(no_answer); i++)
        listed = listed || route_codes_has(&node->fallback_codes, no_answer[i]);
    return listed;
}

enum route_step route_walk_next(struct route_walk *walk, const struct route_eyes *eyes,
                                struct route_outcome outcome, size_t *leaf)
{
    const struct route_node *nodes = walk->plan->nodes;
    bool no_match = false;
    CHECK(walk->at < walk->plan->head->nodes);
    for (size_t at = walk->at; nodes[at].parent != ROUTE_NONE;) {
        size_t parent = nodes[at].parent, end = (size_t)nodes[parent].first + nodes[parent].count;
        size_t next = end;
        if (nodes[parent].mode == ROUTE_FALLBACK && falls_on(&nodes[parent], outcome))
            next = first_open(walk, eyes, at + 1, end);
        if (next == end) {
            at = parent;
            continue;
        }
        if (down(walk, eyes, next, leaf) == ROUTE_WALK_LEAF)
            return ROUTE_WALK_LEAF;
        outcome = (struct route_outcome){STATUS_NO_MATCH, false};
        no_match = true;
        at = walk->at;
    }
    return no_match ? ROUTE_WALK_NO_MATCH : ROUTE_WALK_END;
}
