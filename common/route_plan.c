/* route_plan.c: proves a plan before it is read (route_plan.h).
 *
 * Invariant: after ST_OK every ref lies in the text, every index in its table, children stand
 * behind their parents and inside the table, and a term ends behind itself: no reader checks again,
 * and no walk over nodes or terms can run in a circle.
 */
#include "common/route_plan.h"

#include "common/route_build.h"

static bool ref_fits(const struct route_plan *plan, struct route_ref ref)
{
    return ref.off <= plan->text.n && ref.len <= plan->text.n - ref.off;
}

static bool node_fits(const struct route_plan *plan, size_t at)
{
    const struct route_node *node = &plan->nodes[at];
    const struct route_head *head = plan->head;
    size_t last = (size_t)node->first + node->count;
    bool is_root = node->parent == ROUTE_NONE;
    if (node->mode > ROUTE_CONDITIONAL || is_root != (at == 0) || (!is_root && node->parent >= at))
        return false;
    if ((node->mode == ROUTE_LEAF) != (node->count == 0) || node->weight < 0)
        return false;
    if (node->count > 0 && (node->first <= at || last > head->nodes))
        return false;
    if ((size_t)node->first_condition + node->conditions > head->conditions)
        return false;
    if (node->otherwise != ROUTE_NONE && (node->otherwise < node->first || node->otherwise >= last))
        return false;
    for (size_t i = 0; i < node->conditions; i++) {
        const struct route_condition *condition = &plan->conditions[node->first_condition + i];
        if (condition->term >= head->terms || condition->node < node->first ||
            condition->node >= last)
            return false;
    }
    return ref_fits(plan, node->path) && ref_fits(plan, node->name) &&
           ref_fits(plan, node->provider) && ref_fits(plan, node->model) &&
           ref_fits(plan, node->options) && ref_fits(plan, node->set.override_params) &&
           ref_fits(plan, node->set.custom_host) && ref_fits(plan, node->set.forward_headers);
}

/* A term's depth is bounded by the recursion that reads it (route_query.c). */
static bool term_fits(const struct route_plan *plan, size_t at)
{
    const struct route_term *term = &plan->terms[at];
    if (term->end <= at || term->end > plan->head->terms || term->test > ROUTE_REGEX)
        return false;
    if (term->test <= ROUTE_ANY)
        return true;
    if (term->path >= plan->head->paths)
        return false;
    if (term->test == ROUTE_REGEX)
        return term->operand.off <= plan->head->words &&
               term->operand.len <= plan->head->words - term->operand.off;
    return ref_fits(plan, term->operand);
}

static bool everything_fits(const struct route_plan *plan)
{
    const struct route_head *head = plan->head;
    if (!ref_fits(plan, head->refusal) || !ref_fits(plan, head->guards) ||
        !ref_fits(plan, head->warnings) || (head->nodes == 0) != (head->refusal.len > 0))
        return false;
    for (size_t i = 0; i < head->nodes; i++)
        if (!node_fits(plan, i))
            return false;
    for (size_t i = 0; i < head->terms; i++)
        if (!term_fits(plan, i))
            return false;
    for (size_t i = 0; i < head->paths; i++)
        if (plan->paths[i].root > ROUTE_URL || !ref_fits(plan, plan->paths[i].rest))
            return false;
    return true;
}

void route_plan_layout(const struct route_head *head, struct route_layout *layout)
{
    layout->nodes = sizeof *head;
    layout->conditions = layout->nodes + head->nodes * sizeof(struct route_node);
    layout->terms = layout->conditions + head->conditions * sizeof(struct route_condition);
    layout->paths = layout->terms + head->terms * sizeof(struct route_term);
    layout->words = layout->paths + head->paths * sizeof(struct route_path);
    layout->text = layout->words + head->words * sizeof(uint32_t);
    layout->end = layout->text + head->text;
}

enum status route_plan_open(struct str bytes, struct route_plan *plan)
{
    struct route_plan open = {.head = NULL};
    struct route_layout at;
    if (bytes.n < sizeof *open.head || (uintptr_t)bytes.p % 8 != 0)
        return ST_BAD_FORMAT;
    open.head = (const void *)bytes.p;
    if (open.head->magic != ROUTE_PLAN_MAGIC || open.head->version != ROUTE_PLAN_VERSION ||
        open.head->bytes != bytes.n || open.head->nodes > ROUTE_NODES_MAX ||
        open.head->terms > ROUTE_TERMS_MAX || open.head->paths > ROUTE_PATHS_MAX)
        return ST_BAD_FORMAT;
    route_plan_layout(open.head, &at);
    if (at.end != bytes.n)
        return ST_BAD_FORMAT;
    open.nodes = (const void *)(bytes.p + at.nodes);
    open.conditions = (const void *)(bytes.p + at.conditions);
    open.terms = (const void *)(bytes.p + at.terms);
    open.paths = (const void *)(bytes.p + at.paths);
    open.words = (const void *)(bytes.p + at.words);
    open.text = str_of(bytes.p + at.text, open.head->text);
    if (!everything_fits(&open))
        return ST_BAD_FORMAT;
    *plan = open;
    return ST_OK;
}

struct str route_plan_guarded(struct arena *arena, const struct route_plan *plan)
{
    struct str rest = route_str(plan, plan->head->guards), path;
    if (rest.n == 0 || !str_split(&rest, '\n', &path))
        return str_of("", 0);
    return arena_printf(arena, STR_FMT ": guardrails, hooks and mutators are not supported.",
                        STR_ARG(path));
}
