/* route_doc_query.c: compiles the queries of conditions (gateway-semantics.md section 2.2).
 *
 *   {"metadata.team": "a", "$or": [{"params.model": {"$in": ["x", "y"]}}, ...]}
 *
 *   ALL( EQ team "a", ANY( ALL( ANY( EQ model "x", EQ model "y" )), ... ))
 *
 * Terms stand in the order of this tree, each with the place behind it (`end`). Every key and every
 * operator of an object becomes a term: none hides another. Invariant: an operand is of the kind
 * its operator compares, or the document is refused; a pattern is compiled here and nowhere later.
 */
#include "common/decimal.h"
#include "common/regex.h"
#include "common/route_build.h"

#define PATH_BYTES_MAX 256u

static const struct {
    const char *name;
    enum route_test test;
    bool negate;
} operators[] = {
    {"$eq", ROUTE_EQ, false},   {"$ne", ROUTE_EQ, true},   {"$gt", ROUTE_GT, false},
    {"$gte", ROUTE_GTE, false}, {"$lt", ROUTE_LT, false},  {"$lte", ROUTE_LTE, false},
    {"$in", ROUTE_ANY, false},  {"$nin", ROUTE_ANY, true}, {"$regex", ROUTE_REGEX, false},
};

static const struct {
    struct str name;
    enum route_root root;
} roots[] = {
    {{"metadata.", 9}, ROUTE_METADATA}, {{"params.", 7}, ROUTE_PARAMS}, {{"url.", 4}, ROUTE_URL}};

static size_t term_add(struct route_build *b, enum route_test test, bool negate, uint16_t path)
{
    struct route_term term = {.test = (uint8_t)test, .negate = negate, .path = path};
    size_t at = b->terms.n / sizeof term;
    term.end = (uint16_t)(at + 1);
    buf_add(&b->terms, &term, sizeof term);
    return at;
}

/* NULL once the terms are too many; the plan is refused for that at the end. */
static struct route_term *term_at(struct route_build *b, size_t at)
{
    if (b->terms.failed != ST_OK)
        return NULL;
    return (struct route_term *)(void *)b->terms.p + at;
}

static void term_close(struct route_build *b, size_t at)
{
    struct route_term *term = term_at(b, at);
    if (term != NULL)
        term->end = (uint16_t)(b->terms.n / sizeof *term);
}

static enum status refuse_key(struct route_build *b, struct str path, struct str key,
                              const char *rule)
{
    struct str shown = route_shown(b->arena, key);
    return shown.p == NULL ? ST_NO_MEMORY : route_refuse(b, path, shown.p, rule);
}

/* --- operands --- */

static enum status read_equal(struct route_build *b, struct str path, const struct json *value,
                              bool negate, uint16_t key)
{
    struct str text = value->raw;
    if (value->type == JSON_OBJECT || value->type == JSON_ARRAY)
        return route_refuse(b, path, NULL, "must be a string, number, true, false or null");
    if (value->type == JSON_STRING)
        TRY(json_text(value, b->arena, &text));
    struct route_term *term = term_at(b, term_add(b, ROUTE_EQ, negate, key));
    struct route_ref operand = route_text(b, text);
    if (term != NULL) {
        term->type = (uint8_t)value->type;
        term->operand = operand;
    }
    return ST_OK;
}

static enum status read_order(struct route_build *b, struct str path, const struct json *value,
                              enum route_test test, uint16_t key)
{
    struct str text = value->raw, number;
    if (value->type == JSON_STRING)
        TRY(json_text(value, b->arena, &text));
    if ((value->type != JSON_STRING && value->type != JSON_NUMBER) ||
        !decimal_prefix(text, &number))
        return route_refuse(b, path, NULL, "must be a number, or a string that begins with one");
    struct route_term *term = term_at(b, term_add(b, test, false, key));
    struct route_ref operand = route_text(b, number);
    if (term != NULL)
        term->operand = operand;
    return ST_OK;
}

static enum status read_list(struct route_build *b, struct str path, const struct json *value,
                             bool negate, uint16_t key)
{
    size_t group = term_add(b, ROUTE_ANY, negate, 0), index = 0;
    if (value->type != JSON_ARRAY)
        return route_refuse(b, path, NULL, "must be an array");
    for (const struct json *item = value->first; item != NULL; item = item->next) {
        struct str at = route_item_path(b, path, index++);
        if (at.p == NULL)
            return ST_NO_MEMORY;
        TRY(read_equal(b, at, item, false, key));
    }
    term_close(b, group);
    return ST_OK;
}

static enum status read_pattern(struct route_build *b, struct str path, const struct json *value,
                                uint16_t key)
{
    uint32_t program[REGEX_WORDS_MAX];
    struct regex_error error;
    size_t words = 0;
    struct str pattern = STR_NONE;
    if (value->type != JSON_STRING)
        return route_refuse(b, path, NULL, "must be a string");
    TRY(json_text(value, b->arena, &pattern));
    if (regex_compile(pattern, program, &words, &error) != ST_OK) {
        struct str rule =
            arena_printf(b->arena, "%s, at byte %zu of the pattern", error.what, error.at);
        return rule.p == NULL ? ST_NO_MEMORY : route_refuse(b, path, NULL, rule.p);
    }
    struct route_term *term = term_at(b, term_add(b, ROUTE_REGEX, false, key));
    if (term != NULL)
        term->operand =
            (struct route_ref){(uint32_t)(b->words.n / sizeof *program), (uint32_t)words};
    buf_add(&b->words, program, words * sizeof *program);
    return ST_OK;
}

/* --- keys --- */

/* "metadata.team": the place in the plan's paths, each kept once. */
static enum status read_path(struct route_build *b, struct str path, struct str key, uint16_t *out)
{
    struct route_path made = {.root = ROUTE_URL + 1};
    struct str rest = STR_NONE;
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        if (str_starts(key, roots[i].name)) {
            made.root = roots[i].root;
            rest = str_from(key, roots[i].name.n);
        }
    }
    if (rest.n == 0 || rest.n > PATH_BYTES_MAX)
        return refuse_key(b, path, key,
                          "a key begins with metadata., params. or url. and names a member");
    if (made.root == ROUTE_URL && !str_eq(rest, STR("pathname")))
        return refuse_key(b, path, key, "of the url only url.pathname can be asked for");
    const struct route_path *paths = (const void *)b->paths.p;
    size_t count = b->paths.n / sizeof *paths;
    for (size_t i = 0; i < count; i++) {
        struct str known = str_of(b->text.p + paths[i].rest.off, paths[i].rest.len);
        if (paths[i].root == made.root && str_eq(known, rest)) {
            *out = (uint16_t)i;
            return ST_OK;
        }
    }
    made.rest = route_text(b, rest);
    buf_add(&b->paths, &made, sizeof made);
    *out = (uint16_t)count;
    return buf_status(&b->paths) == ST_TOO_LARGE
               ? refuse_key(b, path, key, "conditions ask for more than 64 different keys")
               : buf_status(&b->paths);
}

static enum status read_operator(struct route_build *b, struct str path, const struct json *member,
                                 uint16_t key)
{
    size_t i = 0;
    while (i < COUNT_OF(operators) && !str_eq(member->key, str_c(operators[i].name)))
        i++;
    if (i == COUNT_OF(operators))
        return refuse_key(b, path, member->key, "is no operator");
    struct str at = route_member_path(b, path, operators[i].name);
    if (at.p == NULL)
        return ST_NO_MEMORY;
    switch (operators[i].test) {
    case ROUTE_EQ:
        return read_equal(b, at, member, operators[i].negate, key);
    case ROUTE_ANY:
        return read_list(b, at, member, operators[i].negate, key);
    case ROUTE_REGEX:
        return read_pattern(b, at, member, key);
    default:
        return read_order(b, at, member, operators[i].test, key);
    }
}

static enum status read_key(struct route_build *b, struct str path, const struct json *member)
{
    uint16_t key = 0;
    TRY(read_path(b, path, member->key, &key));
    struct str shown = route_shown(b->arena, member->key);
    struct str at = shown.p == NULL ? STR_NONE : route_member_path(b, path, shown.p);
    if (at.p == NULL)
        return ST_NO_MEMORY;
    if (member->type != JSON_OBJECT)
        return read_equal(b, at, member, false, key);
    if (member->count == 0)
        return route_refuse(b, at, NULL, "must hold an operator");
    for (const struct json *op = member->first; op != NULL; op = op->next)
        TRY(read_operator(b, at, op, key));
    return ST_OK;
}

/* --- queries --- */

static enum status read_query(struct route_build *b, struct str path, const struct json *query,
                              unsigned depth);

static enum status read_group(struct route_build *b, struct str path, const struct json *member,
                              enum route_test test, unsigned depth)
{
    size_t group = term_add(b, test, false, 0), index = 0;
    const char *name = test == ROUTE_ALL ? "$and" : "$or";
    struct str list = route_member_path(b, path, name);
    if (list.p == NULL)
        return ST_NO_MEMORY;
    if (member->type != JSON_ARRAY || member->count == 0)
        return route_refuse(b, list, NULL, "must be an array of queries that is not empty");
    for (const struct json *item = member->first; item != NULL; item = item->next) {
        struct str at = route_item_path(b, list, index++);
        if (at.p == NULL)
            return ST_NO_MEMORY;
        TRY(read_query(b, at, item, depth + 1));
    }
    term_close(b, group);
    return ST_OK;
}

static enum status read_query(struct route_build *b, struct str path, const struct json *query,
                              unsigned depth)
{
    if (query->type != JSON_OBJECT)
        return route_refuse(b, path, NULL, "must be an object");
    if (depth * 2 + 4 > ROUTE_QUERY_DEPTH)
        return route_refuse(b, path, NULL, "is nested too deeply");
    if (query->count == 0)
        route_warn(b, path, NULL, "is empty and holds for every request");
    size_t group = term_add(b, ROUTE_ALL, false, 0);
    for (const struct json *member = query->first; member != NULL; member = member->next) {
        if (str_eq(member->key, STR("$and")))
            TRY(read_group(b, path, member, ROUTE_ALL, depth));
        else if (str_eq(member->key, STR("$or")))
            TRY(read_group(b, path, member, ROUTE_ANY, depth));
        else if (str_starts(member->key, STR("$")))
            return refuse_key(b, path, member->key, "is no operator");
        else
            TRY(read_key(b, path, member));
    }
    term_close(b, group);
    return ST_OK;
}

enum status route_read_query(struct route_build *b, struct str path, const struct json *query,
                             uint16_t *term)
{
    *term = (uint16_t)(b->terms.n / sizeof(struct route_term));
    return read_query(b, path, query, 0);
}
