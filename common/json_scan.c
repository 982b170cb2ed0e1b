/* json_scan.c: walks the tokens of json_lex.c with a bit per open container instead of a tree.
 *
 *     { "model" : "@a/b" , "messages" : [ ... ] }
 *       ^member            ^member      ^raw  ^
 *
 * Invariant: ST_OK means that every byte of the text was looked at and is part of one valid value,
 * so a caller may splice a field and send the rest on unread. The members' names are kept on the
 * stack (place, length, a flag) and sorted to find duplicates: no hash, so no key to keep secret,
 * and hostile names cost no more than n log n comparisons. It must never allocate, and it never
 * goes back in the text but to judge the UTF-8 of a string that is not ASCII.
 */
#include "common/json_scan.h"

#include "common/json_lex.h"

/* A member name of the top-level object, by reference. */
struct member_name {
    struct str raw; /* with quotes */
    bool escaped;
};

/* The containers open below the value: bit 0 is the innermost, 1 = object. */
struct open_bits {
    uint64_t objects;
    unsigned depth;
};

_Static_assert(JSON_MAX_DEPTH <= 64, "one bit per open container");

static bool open_container(struct json_lex *lex, struct open_bits *open, unsigned outer,
                           bool object)
{
    if (open->depth + outer >= JSON_MAX_DEPTH)
        return json_lex_fail(lex, ST_TOO_LARGE, "nested too deeply");
    open->objects = open->objects << 1 | (object ? 1u : 0u);
    open->depth++;
    lex->p++;
    return true;
}

/* Behind a value inside containers: passes closing brackets and the comma before the next value
 * (with its name). *done is set when the outermost container closed. */
static bool pass_separators(struct json_lex *lex, struct open_bits *open, bool *done)
{
    struct str name;
    bool escaped;
    while (open->depth > 0) {
        bool object = (open->objects & 1) != 0;
        if (!json_lex_peek(lex))
            return false;
        char c = *lex->p;
        if (c == ',') {
            lex->p++;
            return object ? json_lex_name(lex, &name, &escaped) : true;
        }
        if (c != (object ? '}' : ']'))
            return json_lex_fail(lex, ST_BAD_JSON,
                                 object ? "comma or } expected" : "comma or ] expected");
        lex->p++;
        open->objects >>= 1;
        open->depth--;
    }
    *done = true;
    return true;
}

/* At the first byte of a container: enters it; *empty when it closed again at once. */
static bool enter(struct json_lex *lex, struct open_bits *open, unsigned outer, bool *empty)
{
    struct str name;
    bool escaped, object = *lex->p == '{';
    if (!open_container(lex, open, outer, object) || !json_lex_peek(lex))
        return false;
    *empty = *lex->p == (object ? '}' : ']');
    if (*empty) {
        lex->p++;
        open->objects >>= 1;
        open->depth--;
        return true;
    }
    return object ? json_lex_name(lex, &name, &escaped) : true;
}

/* Passes one value of any shape; `outer` containers are open around it. */
static bool pass_value(struct json_lex *lex, unsigned outer, enum json_type *type)
{
    struct open_bits open = {0, 0};
    bool done = false, first = true, escaped;
    while (!done) {
        if (!json_lex_peek(lex))
            return false;
        enum json_type here;
        char c = *lex->p;
        if (c == '"') {
            here = JSON_STRING;
            if (!json_lex_string(lex, &escaped))
                return false;
        } else if (c == '{' || c == '[') {
            here = c == '{' ? JSON_OBJECT : JSON_ARRAY;
            bool empty = false;
            if (!enter(lex, &open, outer, &empty))
                return false;
            if (first)
                *type = here;
            first = false;
            if (!empty)
                continue;
        } else if (!json_lex_scalar(lex, &here)) {
            return false;
        }
        if (first)
            *type = here;
        first = false;
        if (!pass_separators(lex, &open, &done))
            return false;
    }
    return true;
}

enum status json_scan_value(struct str text, enum json_type *type, struct json_error *error)
{
    struct json_lex lex;
    enum json_type found = JSON_NULL;
    if (!json_lex_init(&lex, text) || !pass_value(&lex, 0, &found) || !json_lex_finish(&lex))
        return json_lex_outcome(&lex, error);
    *type = found;
    return ST_OK;
}

/* --- the top-level object */

static int name_order(const struct member_name *a, const struct member_name *b)
{
    return json_name_cmp(a->raw, a->escaped, b->raw, b->escaped);
}

static void sift_down(struct member_name *names, size_t at, size_t n)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && name_order(&names[child], &names[child + 1]) < 0)
            child++;
        if (name_order(&names[at], &names[child]) >= 0)
            return;
        struct member_name swap = names[at];
        names[at] = names[child];
        names[child] = swap;
        at = child;
    }
}

/* The later of two equal names, or NULL. Orders the names on the way (heap sort: in place, no bad
 * case). */
static const char *find_duplicate(struct member_name *names, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(names, i, n);
    for (size_t left = n; left > 1;) {
        struct member_name top = names[0];
        names[0] = names[--left];
        names[left] = top;
        sift_down(names, 0, left);
    }
    for (size_t i = 1; i < n; i++)
        if (name_order(&names[i - 1], &names[i]) == 0)
            return names[i].raw.p > names[i - 1].raw.p ? names[i].raw.p : names[i - 1].raw.p;
    return NULL;
}

static void keep_field(struct json_field *fields, size_t count, const struct member_name *name,
                       const char *value, const char *end, enum json_type type)
{
    for (size_t i = 0; i < count; i++) {
        if (!json_name_is(name->raw, name->escaped, str_c(fields[i].name)))
            continue;
        fields[i].raw = str_of(value, (size_t)(end - value));
        fields[i].member = str_of(name->raw.p, (size_t)(end - name->raw.p));
        fields[i].type = type;
    }
}

static bool pass_members(struct json_lex *lex, struct json_field *fields, size_t count)
{
    struct member_name names[JSON_SCAN_MAX_MEMBERS];
    size_t n = 0;
    for (;;) {
        struct member_name name;
        enum json_type type = JSON_NULL;
        if (!json_lex_name(lex, &name.raw, &name.escaped))
            return false;
        if (n == JSON_SCAN_MAX_MEMBERS)
            return json_lex_fail(lex, ST_TOO_LARGE, "too many members");
        names[n++] = name;
        if (!json_lex_peek(lex))
            return false;
        const char *value = lex->p;
        if (!pass_value(lex, 1, &type))
            return false;
        keep_field(fields, count, &name, value, lex->p, type);
        if (!json_lex_peek(lex))
            return false;
        if (*lex->p == '}')
            break;
        if (*lex->p != ',')
            return json_lex_fail(lex, ST_BAD_JSON, "comma or } expected");
        lex->p++;
    }
    lex->p++;
    const char *twice = find_duplicate(names, n);
    if (twice != NULL) {
        lex->p = twice;
        return json_lex_fail(lex, ST_BAD_JSON, "duplicate member name");
    }
    return true;
}

static bool pass_object(struct json_lex *lex, struct json_field *fields, size_t count)
{
    if (!json_lex_peek(lex))
        return false;
    if (*lex->p != '{')
        return json_lex_fail(lex, ST_BAD_JSON, "object expected");
    lex->p++;
    if (!json_lex_peek(lex))
        return false;
    if (*lex->p != '}')
        return pass_members(lex, fields, count);
    lex->p++;
    return true;
}

static void clear_fields(struct json_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fields[i].raw = fields[i].member = STR_NONE;
}

enum status json_scan_object(struct str text, struct json_field *fields, size_t count,
                             struct json_error *error)
{
    struct json_lex lex;
    clear_fields(fields, count);
    if (json_lex_init(&lex, text) && pass_object(&lex, fields, count) && json_lex_finish(&lex))
        return ST_OK;
    clear_fields(fields, count);
    return json_lex_outcome(&lex, error);
}

/* --- stepping over what was validated before */

static bool has_escape(struct str raw)
{
    return memchr(raw.p, '\\', raw.n) != NULL;
}

bool json_string_is(struct str raw, struct str text)
{
    return json_name_is(raw, has_escape(raw), text);
}

bool json_string_eq(struct str a, struct str b)
{
    bool a_escaped = has_escape(a), b_escaped = has_escape(b);
    if (!a_escaped && !b_escaped)
        return str_eq(a, b);
    return json_name_cmp(a, a_escaped, b, b_escaped) == 0;
}

static size_t skip_ws(struct str s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t' || s.p[at] == '\n' || s.p[at] == '\r'))
        at++;
    return at;
}

/* Place behind the string that opens at `at`: its end is a quote with an even number of backslashes
 * before it. Every run of backslashes is counted once. */
static size_t skip_string(struct str s, size_t at)
{
    for (at++; at < s.n;) {
        const char *quote = memchr(s.p + at, '"', s.n - at);
        if (quote == NULL)
            break;
        size_t end = (size_t)(quote - s.p), slashes = 0;
        while (end - slashes > at && s.p[end - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return end + 1;
        at = end + 1;
    }
    return s.n;
}

/* Place behind the value that starts at `at`. */
static size_t skip_value(struct str s, size_t at)
{
    if (at >= s.n)
        return s.n;
    if (s.p[at] == '"')
        return skip_string(s, at);
    if (s.p[at] != '{' && s.p[at] != '[') {
        while (at < s.n && memchr(",]} \t\r\n", s.p[at], 7) == NULL)
            at++;
        return at;
    }
    size_t depth = 0;
    while (at < s.n) {
        char c = s.p[at];
        if (c == '"') {
            at = skip_string(s, at);
            continue;
        }
        at++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            break;
    }
    return at;
}

static enum json_type type_of(char c)
{
    switch (c) {
    case '"':
        return JSON_STRING;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

struct str json_member(struct str object, const char *name, enum json_type type)
{
    struct json_field field = {.name = name};
    if (object.n == 0 || json_scan_object(object, &field, 1, NULL) != ST_OK ||
        field.raw.p == NULL || field.type != type)
        return STR_NONE;
    return field.raw;
}

bool json_scan_next(struct str raw, size_t *at, struct str *name, struct str *value,
                    enum json_type *type)
{
    if (raw.n < 2 || (raw.p[0] != '{' && raw.p[0] != '['))
        return false;
    bool object = raw.p[0] == '{';
    size_t here = skip_ws(raw, *at == 0 ? 1 : *at);
    if (*at != 0 && here < raw.n && raw.p[here] == ',')
        here = skip_ws(raw, here + 1);
    if (here >= raw.n || raw.p[here] == '}' || raw.p[here] == ']')
        return false;
    *name = STR_NONE;
    if (object) {
        size_t end = skip_string(raw, here);
        *name = str_of(raw.p + here, end - here);
        here = skip_ws(raw, end);
        if (here < raw.n && raw.p[here] == ':')
            here = skip_ws(raw, here + 1);
    }
    size_t end = skip_value(raw, here);
    if (end <= here)
        return false;
    *value = str_of(raw.p + here, end - here);
    *type = type_of(raw.p[here]);
    *at = end;
    return true;
}
