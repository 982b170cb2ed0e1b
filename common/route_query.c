/* route_query.c: evaluates the terms of a plan (route_query.h).
 *
 * A term is a group or a test; a group stops at the first term that decides it, which changes
 * nothing but time. Invariant: a text is never copied but to undo escapes, and every byte passed
 * over or copied is counted against `work`. Must never recurse deeper than ROUTE_QUERY_DEPTH: a
 * plan may be damaged.
 */
#include "common/route_query.h"

#include "common/decimal.h"
#include "common/regex.h"

#define NAME_ROOM 1600 /* a name of 256 bytes, every one of them escaped */

void route_query_init(struct route_query *query, const struct route_plan *plan, struct arena *arena,
                      const struct route_inputs *inputs)
{
    query->plan = plan;
    query->inputs = inputs;
    query->arena = arena;
    query->work = ROUTE_WORK_MAX;
    query->resolved = 0;
}

static enum status take_work(struct route_query *query, uint64_t steps)
{
    if (steps > query->work)
        return ST_TOO_LARGE;
    query->work -= steps;
    return ST_OK;
}

/* --- looking a path up --- */

/* How much of `rest` the name covers: 0, or its length when a dot or the end follows. */
static size_t name_covers(struct str name, struct str rest)
{
    char room[NAME_ROOM];
    struct str text = str_of(name.p + 1, name.n - 2);
    if (memchr(text.p, '\\', text.n) != NULL &&
        (name.n > sizeof room || json_unescape(name, room, &text) != ST_OK))
        return 0;
    if (text.n == 0 || !str_starts(rest, text))
        return 0;
    return rest.n == text.n || rest.p[text.n] == '.' ? text.n : 0;
}

/* The member of `object` whose name is the longest part of *rest; moves *rest behind it. */
static enum status find_member(struct route_query *query, struct str object, struct str *rest,
                               struct route_found *out)
{
    struct str name, value;
    enum json_type type;
    size_t at = 0, best = 0;
    while (best < rest->n) {
        size_t before = at;
        if (!json_scan_next(object, &at, &name, &value, &type))
            break;
        TRY(take_work(query, at - before));
        size_t covers = name_covers(name, *rest);
        if (covers > best) {
            best = covers;
            out->raw = value;
            out->type = type;
        }
    }
    out->found = best > 0;
    *rest = str_from(*rest, best < rest->n ? best + 1 : best);
    return ST_OK;
}

static enum status find_item(struct route_query *query, struct str array, struct str *rest,
                             struct route_found *out)
{
    ptrdiff_t dot = str_find_char(*rest, '.');
    struct str segment = dot < 0 ? *rest : str_head(*rest, (size_t)dot), name;
    size_t at = 0;
    uint64_t position;
    out->found = false;
    if (str_to_u64(segment, &position) != ST_OK)
        return ST_OK;
    *rest = str_from(*rest, dot < 0 ? rest->n : segment.n + 1);
    for (uint64_t i = 0; i <= position; i++) {
        size_t before = at;
        if (!json_scan_next(array, &at, &name, &out->raw, &out->type))
            return ST_OK;
        TRY(take_work(query, at - before));
    }
    out->found = true;
    return ST_OK;
}

static enum status look_up(struct route_query *query, const struct route_path *path,
                           struct route_found *out)
{
    struct str rest = route_str(query->plan, path->rest);
    *out = (struct route_found){.found = true, .bare = path->root == ROUTE_URL};
    out->type = out->bare ? JSON_STRING : JSON_OBJECT;
    out->raw = path->root == ROUTE_URL        ? query->inputs->pathname
               : path->root == ROUTE_METADATA ? query->inputs->metadata
                                              : query->inputs->params;
    if (out->bare)
        return ST_OK;
    while (out->found && rest.n > 0) {
        if (out->type == JSON_OBJECT)
            TRY(find_member(query, out->raw, &rest, out));
        else if (out->type == JSON_ARRAY)
            TRY(find_item(query, out->raw, &rest, out));
        else
            out->found = false;
    }
    return ST_OK;
}

static enum status get(struct route_query *query, uint16_t path, const struct route_found **out)
{
    uint64_t bit = UINT64_C(1) << path;
    if ((query->resolved & bit) == 0) {
        TRY(look_up(query, &query->plan->paths[path], &query->found[path]));
        query->resolved |= bit;
    }
    *out = &query->found[path];
    return ST_OK;
}

/* --- tests --- */

/* The text a pattern or an order looks at; n = 0 with p = NULL where there is none. */
static enum status text_of(struct route_query *query, const struct route_found *found,
                           struct str *text)
{
    *text = STR_NONE;
    if (!found->found || found->type == JSON_NULL || found->type >= JSON_ARRAY)
        return ST_OK;
    *text = found->raw;
    if (found->bare || found->type != JSON_STRING)
        return ST_OK;
    *text = str_of(found->raw.p + 1, found->raw.n - 2);
    TRY(take_work(query, text->n));
    if (memchr(text->p, '\\', text->n) == NULL)
        return ST_OK;
    char *room = arena_alloc(query->arena, found->raw.n);
    return room == NULL ? ST_NO_MEMORY : json_unescape(found->raw, room, text);
}

static bool is_equal(const struct route_plan *plan, const struct route_term *term,
                     const struct route_found *found)
{
    struct str operand = route_str(plan, term->operand), number;
    if (!found->found || (uint8_t)found->type != term->type)
        return false;
    if (found->bare)
        return str_eq(found->raw, operand);
    if (found->type == JSON_STRING) /* an escaped byte takes six */
        return found->raw.n <= 6 * operand.n + 2 && json_string_is(found->raw, operand);
    return found->type != JSON_NUMBER ||
           (decimal_prefix(operand, &number) && decimal_cmp(found->raw, number) == 0);
}

static bool is_ordered(enum route_test test, int order)
{
    switch (test) {
    case ROUTE_GT:
        return order > 0;
    case ROUTE_GTE:
        return order >= 0;
    case ROUTE_LT:
        return order < 0;
    default:
        return order <= 0;
    }
}

static enum status test_holds(struct route_query *query, const struct route_term *term, bool *holds)
{
    const struct route_found *found;
    struct str text, number, operand;
    enum route_test test = (enum route_test)term->test;
    TRY(get(query, term->path, &found));
    *holds = false;
    if (found->found && found->type == JSON_NUMBER)
        TRY(take_work(query, found->raw.n));
    if (test == ROUTE_EQ) {
        *holds = is_equal(query->plan, term, found);
        return ST_OK;
    }
    TRY(text_of(query, found, &text));
    if (test == ROUTE_REGEX)
        return text.p == NULL ? ST_OK
                              : regex_test(query->plan->words + term->operand.off,
                                           term->operand.len, text, &query->work, holds);
    bool has_number = found->type == JSON_STRING || found->type == JSON_NUMBER;
    if (text.p != NULL && has_number && decimal_prefix(text, &number) &&
        decimal_prefix(route_str(query->plan, term->operand), &operand))
        *holds = is_ordered(test, decimal_cmp(number, operand));
    return ST_OK;
}

static enum status term_holds(struct route_query *query, size_t at, unsigned depth, bool *holds)
{
    const struct route_term *term = &query->plan->terms[at];
    TRY(take_work(query, 1));
    if (depth > ROUTE_QUERY_DEPTH)
        return ST_TOO_LARGE;
    if (term->test > ROUTE_ANY) {
        TRY(test_holds(query, term, holds));
    } else {
        bool any = term->test == ROUTE_ANY;
        *holds = !any;
        for (size_t i = at + 1; i < term->end && *holds != any; i = query->plan->terms[i].end)
            TRY(term_holds(query, i, depth + 1, holds));
    }
    *holds = *holds != (term->negate != 0);
    return ST_OK;
}

enum status route_query_holds(struct route_query *query, size_t term, bool *holds)
{
    bool outcome;
    TRY(term_holds(query, term, 0, &outcome));
    *holds = outcome;
    return ST_OK;
}
