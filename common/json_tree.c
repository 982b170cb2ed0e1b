/* json_tree.c: one pass over the tokens of json_lex.c, one arena node per value.
 *
 *     frame[0] {          <- node, its last child, the name that waits for a value
 *     frame[1]   [
 *     frame[2]     {
 *
 * Invariant: nodes, names and numbers point into the text; only a name with a backslash is copied.
 * The stack is an array of JSON_MAX_DEPTH frames, so no input can exhaust the C stack. Duplicates
 * are looked for when an object closes: pairwise up to a few members, by sorting beyond, so that
 * hostile names cost n log n. Numbers never become floating point: they are read digit by digit
 * from their text.
 */
#include "common/json_tree.h"

#include "common/json_lex.h"

#define TREE_MAX_NODES      100000u
#define TREE_PAIRWISE_MAX   12u /* members compared each with each; beyond it they are sorted */
#define TREE_MAX_U64_DIGITS 20

struct tree_frame {
    struct json *node, *last;
    struct str key;
};

struct tree_parser {
    struct json_lex lex;
    struct arena *arena;
    size_t nodes_left, max_depth, depth;
    struct json **order; /* room for sorting members, reused by later objects */
    size_t order_room;
    struct tree_frame frames[JSON_MAX_DEPTH];
};

/* --- duplicates */

static void sift_down(struct json **nodes, size_t at, size_t n)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && str_cmp(nodes[child]->key, nodes[child + 1]->key) < 0)
            child++;
        if (str_cmp(nodes[at]->key, nodes[child]->key) >= 0)
            return;
        struct json *swap = nodes[at];
        nodes[at] = nodes[child];
        nodes[child] = swap;
        at = child;
    }
}

static bool sorted_has_twice(struct json **nodes, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(nodes, i, n);
    for (size_t left = n; left > 1;) {
        struct json *top = nodes[0];
        nodes[0] = nodes[--left];
        nodes[left] = top;
        sift_down(nodes, 0, left);
    }
    for (size_t i = 1; i < n; i++)
        if (str_eq(nodes[i - 1]->key, nodes[i]->key))
            return true;
    return false;
}

static bool pairwise_has_twice(const struct json *object)
{
    for (const struct json *a = object->first; a != NULL; a = a->next)
        for (const struct json *b = a->next; b != NULL; b = b->next)
            if (str_eq(a->key, b->key))
                return true;
    return false;
}

static bool check_duplicates(struct tree_parser *t, const struct json *object)
{
    bool twice;
    if (object->count <= TREE_PAIRWISE_MAX) {
        twice = pairwise_has_twice(object);
    } else {
        if (t->order_room < object->count) {
            size_t room = (size_t)object->count * 2;
            struct json **order = arena_calloc(t->arena, room, sizeof *order);
            if (order == NULL)
                return json_lex_fail(&t->lex, ST_NO_MEMORY, "out of memory");
            t->order = order;
            t->order_room = room;
        }
        size_t n = 0;
        for (struct json *node = object->first; node != NULL; node = node->next)
            t->order[n++] = node;
        twice = sorted_has_twice(t->order, n);
    }
    return twice ? json_lex_fail(&t->lex, ST_BAD_JSON, "duplicate member name") : true;
}

/* --- parsing */

/* A node for the value at the lexer's place, hung under the innermost open container. NULL with the
 * lexer failed. */
static struct json *new_node(struct tree_parser *t)
{
    struct json *node = NULL;
    if (t->nodes_left == 0) {
        json_lex_fail(&t->lex, ST_TOO_LARGE, "too many values");
        return NULL;
    }
    node = arena_alloc(t->arena, sizeof *node);
    if (node == NULL) {
        json_lex_fail(&t->lex, ST_NO_MEMORY, "out of memory");
        return NULL;
    }
    *node = (struct json){.raw = {t->lex.p, 0}};
    t->nodes_left--;
    if (t->depth > 0) {
        struct tree_frame *frame = &t->frames[t->depth - 1];
        node->key = frame->key;
        frame->key = STR_NONE;
        if (frame->last == NULL)
            frame->node->first = node;
        else
            frame->last->next = node;
        frame->last = node;
        frame->node->count++;
    }
    return node;
}

static bool read_name(struct tree_parser *t)
{
    struct str raw, text;
    bool escaped;
    if (!json_lex_name(&t->lex, &raw, &escaped))
        return false;
    char *room = NULL;
    if (escaped && (room = arena_alloc(t->arena, raw.n)) == NULL)
        return json_lex_fail(&t->lex, ST_NO_MEMORY, "out of memory");
    CHECK(json_unescape(raw, room, &text) == ST_OK);
    t->frames[t->depth - 1].key = text;
    return true;
}

/* Behind an opening bracket: pushes the container; *empty when it closes at once. */
static bool open_container(struct tree_parser *t, struct json *node, bool *empty)
{
    bool object = *t->lex.p == '{';
    node->type = object ? JSON_OBJECT : JSON_ARRAY;
    if (t->depth >= t->max_depth)
        return json_lex_fail(&t->lex, ST_TOO_LARGE, "nested too deeply");
    t->lex.p++;
    if (!json_lex_peek(&t->lex))
        return false;
    *empty = *t->lex.p == (object ? '}' : ']');
    if (*empty) {
        t->lex.p++;
        node->raw.n = (size_t)(t->lex.p - node->raw.p);
        return true;
    }
    t->frames[t->depth++] = (struct tree_frame){.node = node};
    return object ? read_name(t) : true;
}

/* Behind a value: closes what closes and passes the comma before the next value. *done at the end
 * of the root. */
static bool pass_separators(struct tree_parser *t, bool *done)
{
    while (t->depth > 0) {
        struct json *node = t->frames[t->depth - 1].node;
        bool object = node->type == JSON_OBJECT;
        if (!json_lex_peek(&t->lex))
            return false;
        char c = *t->lex.p;
        if (c == ',') {
            t->lex.p++;
            return object ? read_name(t) : true;
        }
        if (c != (object ? '}' : ']'))
            return json_lex_fail(&t->lex, ST_BAD_JSON,
                                 object ? "comma or } expected" : "comma or ] expected");
        if (object && !check_duplicates(t, node))
            return false;
        t->lex.p++;
        node->raw.n = (size_t)(t->lex.p - node->raw.p);
        t->depth--;
    }
    *done = true;
    return true;
}

static bool parse_values(struct tree_parser *t, struct json **root)
{
    bool done = false;
    *root = NULL;
    while (!done) {
        if (!json_lex_peek(&t->lex))
            return false;
        struct json *node = new_node(t);
        if (node == NULL)
            return false;
        if (*root == NULL)
            *root = node;
        char c = *t->lex.p;
        if (c == '{' || c == '[') {
            bool empty = false;
            if (!open_container(t, node, &empty))
                return false;
            if (!empty)
                continue;
        } else {
            node->type = JSON_STRING;
            if (!(c == '"' ? json_lex_string(&t->lex, &node->escaped)
                           : json_lex_scalar(&t->lex, &node->type)))
                return false;
            node->raw.n = (size_t)(t->lex.p - node->raw.p);
        }
        if (!pass_separators(t, &done))
            return false;
    }
    return json_lex_finish(&t->lex);
}

enum status json_parse(struct arena *arena, struct str text, const struct json_limits *limits,
                       struct json **root, struct json_error *error)
{
    struct tree_parser t;
    t.arena = arena;
    t.nodes_left = limits != NULL && limits->max_nodes != 0 ? limits->max_nodes : TREE_MAX_NODES;
    t.max_depth = limits != NULL && limits->max_depth != 0 && limits->max_depth < JSON_MAX_DEPTH
                      ? limits->max_depth
                      : JSON_MAX_DEPTH;
    t.depth = 0;
    t.order = NULL;
    t.order_room = 0;
    struct json *found;
    if (!json_lex_init(&t.lex, text) || !parse_values(&t, &found))
        return json_lex_outcome(&t.lex, error);
    *root = found;
    return ST_OK;
}

/* --- reading */

const struct json *json_get_str(const struct json *node, struct str name)
{
    if (!json_is(node, JSON_OBJECT))
        return NULL;
    for (const struct json *member = node->first; member != NULL; member = member->next)
        if (str_eq(member->key, name))
            return member;
    return NULL;
}

const struct json *json_get(const struct json *node, const char *name)
{
    return json_get_str(node, str_c(name));
}

const struct json *json_at(const struct json *node, size_t index)
{
    if (!json_is(node, JSON_ARRAY) || index >= node->count)
        return NULL;
    const struct json *item = node->first;
    while (index-- > 0)
        item = item->next;
    return item;
}

bool json_is_bool(const struct json *node)
{
    return json_is(node, JSON_TRUE) || json_is(node, JSON_FALSE);
}

bool json_is_none(const struct json *node)
{
    return node == NULL || node->type == JSON_NULL;
}

enum status json_bool(const struct json *node, bool *value)
{
    if (!json_is_bool(node))
        return ST_INVALID;
    *value = node->type == JSON_TRUE;
    return ST_OK;
}

enum status json_text(const struct json *node, struct arena *arena, struct str *text)
{
    if (!json_is(node, JSON_STRING))
        return ST_INVALID;
    char *room = NULL;
    if (node->escaped && (room = arena_alloc(arena, node->raw.n)) == NULL)
        return ST_NO_MEMORY;
    return json_unescape(node->raw, room, text);
}

/* --- numbers: sign, digits without the point, and a power of ten */

struct decimal {
    bool negative;
    const char *digits,
        *end;      /* from the first digit that counts to behind the last; a '.' may lie between */
    int64_t count; /* digits between, the point not counted; 0 for zero */
    int64_t exponent; /* value = digits * 10^exponent */
};

#define DECIMAL_EXPONENT_MAX                                                                       \
    1000000000000 /* longer exponents are held here; any such value but 0 is out of range */

static int64_t read_exponent(const char *p, const char *end)
{
    bool negative = *p == '-';
    int64_t value = 0;
    if (*p == '-' || *p == '+')
        p++;
    for (; p < end; p++)
        if (value < DECIMAL_EXPONENT_MAX)
            value = value * 10 + (*p - '0');
    return negative ? -value : value;
}

static struct decimal read_decimal(struct str raw)
{
    struct decimal d = {.negative = raw.p[0] == '-'};
    const char *p = raw.p + (d.negative ? 1 : 0), *end = raw.p + raw.n;
    const char *mantissa_end = p;
    while (mantissa_end < end && *mantissa_end != 'e' && *mantissa_end != 'E')
        mantissa_end++;
    if (mantissa_end < end)
        d.exponent = read_exponent(mantissa_end + 1, end);
    const char *point = memchr(p, '.', (size_t)(mantissa_end - p));
    if (point != NULL)
        d.exponent -= mantissa_end - point - 1;
    while (p < mantissa_end && (*p == '0' || *p == '.'))
        p++;
    const char *last = mantissa_end;
    while (last > p && (last[-1] == '0' || last[-1] == '.')) {
        d.exponent += last[-1] == '0';
        last--;
    }
    d.digits = p;
    d.end = last;
    d.count = last - p - (point != NULL && point >= p && point < last);
    return d;
}

/* |value| * 10^scale as a whole number; *rest tells that digits were cut off. ST_RANGE. */
static enum status scale_decimal(const struct decimal *d, unsigned scale, uint64_t *out, bool *rest)
{
    *rest = false;
    *out = 0;
    if (d->count == 0)
        return ST_OK;
    int64_t shift = d->exponent + (int64_t)scale;
    int64_t take = shift < 0 ? d->count + shift : d->count;
    *rest = shift < 0; /* the last digit is not zero, so what is cut off is not zero */
    if (take <= 0)
        return ST_OK;
    if (take + (shift > 0 ? shift : 0) > TREE_MAX_U64_DIGITS)
        return ST_RANGE;
    uint64_t value = 0;
    for (const char *p = d->digits; take > 0; p++) {
        if (*p == '.')
            continue;
        take--;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
            return ST_RANGE;
    }
    for (; shift > 0; shift--)
        if (__builtin_mul_overflow(value, 10u, &value))
            return ST_RANGE;
    *out = value;
    return ST_OK;
}

static enum status with_sign(uint64_t size, bool negative, int64_t *value)
{
    if (size > (uint64_t)INT64_MAX + (negative ? 1u : 0u))
        return ST_RANGE;
    *value = negative ? (int64_t)(0u - size) : (int64_t)size;
    return ST_OK;
}

enum status json_u64(const struct json *node, uint64_t *value)
{
    if (!json_is(node, JSON_NUMBER))
        return ST_INVALID;
    struct decimal d = read_decimal(node->raw);
    uint64_t size;
    bool rest;
    TRY(scale_decimal(&d, 0, &size, &rest));
    if (rest)
        return ST_INVALID;
    if (d.negative && size != 0)
        return ST_RANGE;
    *value = size;
    return ST_OK;
}

enum status json_i64(const struct json *node, int64_t *value)
{
    if (!json_is(node, JSON_NUMBER))
        return ST_INVALID;
    struct decimal d = read_decimal(node->raw);
    uint64_t size;
    bool rest;
    TRY(scale_decimal(&d, 0, &size, &rest));
    return rest ? ST_INVALID : with_sign(size, d.negative, value);
}

enum status json_decimal(const struct json *node, unsigned digits, bool round_up, int64_t *value)
{
    if (!json_is(node, JSON_NUMBER))
        return ST_INVALID;
    struct decimal d = read_decimal(node->raw);
    uint64_t size;
    bool rest;
    TRY(scale_decimal(&d, digits, &size, &rest));
    if (rest && !round_up)
        return ST_RANGE;
    if (rest && !d.negative && __builtin_add_overflow(size, 1u, &size))
        return ST_RANGE;
    return with_sign(size, d.negative, value);
}
